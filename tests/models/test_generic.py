"""References to rows of any model, and the other side of them."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.tables import resolved
from toolkit import models
from toolkit.errors import DeclarationError, FieldError, IntegrityError, UnplannedQuery, ValidationError
from toolkit.models import Count, Prefetch, Q
from toolkit.models.resolve import resolve_models
from toolkit.trace import READER, Scope, entered

from .conftest import own_database
from .verifying import broken_by


class Marked(models.Model):
    """Whatever can be commented upon."""

    title = models.CharField(max_length=20)
    live = models.BooleanField(default=True)
    comments = models.GenericRelation("Comment", related_query_name="%(class)s")

    class Meta:
        abstract = True
        ordering = ["title"]
        public = Q(live=True)

    def __str__(self) -> str:
        return self.title


class Story(Marked):
    pass


class Photo(Marked):
    code = models.UUIDField(primary_key=True, default=models.uuid7)


class Video(Story):
    """In a table of its own, beside that of stories."""

    minutes = models.IntegerField(default=1)


class Short(Story):
    class Meta:
        proxy = True


class Comment(models.Model):
    content_type = models.ModelNameField(null=True)
    object_id = models.CharField(max_length=40, null=True)
    target = models.GenericForeignKey()
    text = models.CharField(max_length=20)
    score = models.IntegerField(default=1)

    class Meta:
        ordering = ["text"]

    def __str__(self) -> str:
        return self.text


class Star(models.Model):
    """Refers by number, under names of its own."""

    kind = models.ModelNameField()
    number = models.IntegerField()
    subject = models.GenericForeignKey("kind", "number")


class Book(models.Model):
    title = models.CharField(max_length=20)
    stars = models.GenericRelation(Star, content_type_field="kind", object_id_field="number")


class Medal(Star):
    """A star of another kind, in a table of its own."""

    metal = models.CharField(max_length=10)


class Athlete(models.Model):
    name = models.CharField(max_length=20)
    medals = models.GenericRelation(Medal, content_type_field="kind", object_id_field="number")


MODELS = resolved({"news": [Story, Photo, Video, Short, Comment, Star, Book, Medal, Athlete]})
shared_database = own_database(MODELS)


@pytest.fixture
def news(scope: Scope) -> SimpleNamespace:
    """Two stories, a photo and a video, with comments a to d."""
    one, two = Story.objects.create(title="One"), Story.objects.create(title="Two")
    photo, video = Photo.objects.create(title="Photo"), Video.objects.create(title="Video", minutes=3)
    for text, target in (("a", one), ("b", one), ("c", photo), ("d", video)):
        Comment.objects.create(text=text, target=target)
    return SimpleNamespace(one=one, two=two, photo=photo, video=video, database=scope.database)


def texts(rows: Any) -> str:
    return "".join(row.text for row in rows)


def test_the_reference_is_a_name_and_a_key(news: Any) -> None:
    first = Comment.objects.first()
    assert first is not None
    assert (first.content_type, first.object_id, first.target) == ("news.Story", str(news.one.pk), news.one)
    assert Comment.objects.get(text="c").target == news.photo
    assert type(Comment.objects.get(text="d").target) is Video
    first.target = news.video
    assert (first.content_type, first.object_id) == ("news.Video", str(news.video.pk))
    first.object_id, first.content_type = str(news.two.pk), "news.Story"
    assert first.target == news.two
    first.target = None
    assert (first.content_type, first.object_id, first.target) == (None, None, None)
    assert Comment(text="x", target=Short.objects.get(title="Two")).content_type == "news.Story"


def test_a_model_and_a_number_may_be_set_as_they_are(news: Any) -> None:
    photo, story = Photo.objects.first(), Story.objects.first()
    comment = Comment(target=photo, text="New")
    comment.content_type, comment.object_id = Story, story.pk
    assert comment.target == story
    comment.save()
    assert Comment.objects.get(pk=comment.pk).target == story
    comment.content_type, comment.object_id = Photo, photo.pk
    assert comment.target == photo


def test_a_reference_is_updated_in_all_ways(news: Any) -> None:
    assert Comment.objects.filter(text="a").update(target=news.photo) == 1
    comment = Comment.objects.get(text="a")
    assert comment.target == news.photo
    comment.text, comment.target = "z", news.two
    comment.save(update_fields=["target"])
    assert texts(Comment.objects.filter(target=news.two)) == "a"
    comment.target = news.video
    assert Comment.objects.bulk_update([comment], ["target"]) == 1
    assert comment.target is news.video
    Video.objects.update(title="Film")
    comment.refresh_from_db(fields=["target"])
    assert (comment.text, comment.target.title) == ("z", "Film")
    with news.database.counted() as queries:
        assert Comment.objects.only("target").get(text="a").target == news.video
    assert len(queries) == 2
    with pytest.raises(ValidationError, match="is not saved and has no key"):
        Comment.objects.update(target=Story(title="New"))


def test_an_object_may_be_set_before_it_is_saved(news: Any) -> None:
    story, video = Story(title="New"), Video(title="Film")
    one, many = Comment(text="x", target=story), [Comment(text="y", target=video)]
    assert (one.content_type, one.object_id) == ("news.Story", None)
    assert one.target is story and many[0].target is video
    for write in (one.save, lambda: Comment.objects.bulk_create(many), lambda: Comment.objects.create(target=story)):
        with pytest.raises(IntegrityError, match=r"Comment\.target refers to an unsaved (Story|Video)\. Save that one"):
            write()
    assert Comment.objects.count() == 4
    story.save()
    video.save()
    assert one.target is story
    one.save()
    Comment.objects.bulk_create(many)
    assert one.object_id == str(story.pk) and one.target is story
    assert texts(story.comments.all()) == "x" and texts(video.comments.all()) == "y"
    one.target = unsaved = Story(title="Later")
    with pytest.raises(IntegrityError, match="refers to an unsaved Story"):
        Comment.objects.bulk_update([one], ["target"])
    unsaved.save()
    Comment.objects.bulk_update([one], ["target"])
    assert Comment.objects.get(pk=one.pk).target == unsaved


def test_an_unsaved_object_gives_way_to_what_the_fields_say_later(news: Any) -> None:
    comment = Comment(text="x", target=Story(title="New"))
    comment.object_id = str(news.one.pk)
    assert comment.target == news.one
    comment.save()
    comment.target = Photo(title="Shot")
    comment.target = None
    comment.save()
    assert Comment.objects.get(pk=comment.pk).target is None


def test_rows_of_each_model_are_loaded_at_once(news: Any) -> None:
    with news.database.counted() as queries:
        found = [str(comment.target) for comment in Comment.objects.all()]
    assert found == ["One", "One", "Photo", "Video"]
    assert len(queries) == 4
    with news.database.counted() as queries:
        comments = list(Comment.objects.prefetch_related("target"))
        with entered(Scope(None, news.database, strict=True)):
            assert [str(comment.target) for comment in comments] == found
    assert len(queries) == 4
    with entered(Scope(None, news.database, strict=True)), pytest.raises(UnplannedQuery, match=r"Comment\.target"):
        _ = Comment.objects.get(text="a").target


def test_what_cannot_be_a_key_is_told_to_who_asks_that_row_alone(news: Any) -> None:
    book = Book.objects.create(title="Atlas")
    for _ in range(3):
        Star.objects.create(subject=book)
    first, second, third = Star.objects.all()
    second.number = "many"
    with news.database.counted() as queries:
        assert first.subject == third.subject == book
    assert len(queries) == 1
    with pytest.raises(ValidationError, match="'many' is not a whole number"):
        _ = second.subject


def test_what_is_gone_is_none(news: Any) -> None:
    for kind, key in (("news.Story", "999"), ("news.Nothing", "1"), ("news.Story", "x"), ("news.Photo", "7")):
        comment = Comment.objects.create(text="z", content_type=kind, object_id=key)
        assert Comment.objects.get(pk=comment.pk).target is None


def test_questions_about_the_target(news: Any) -> None:
    assert texts(Comment.objects.filter(target=news.one)) == "ab"
    assert texts(Comment.objects.exclude(target=news.one)) == "cd"
    assert texts(Comment.objects.filter(target__in=[news.one, news.photo])) == "abc"
    assert texts(Comment.objects.filter(target__in=[])) == ""
    assert texts(Comment.objects.filter(content_type=Story)) == "ab"
    assert texts(Comment.objects.filter(content_type__in=[Photo, "news.Video"])) == "cd"
    Comment.objects.create(text="e")
    assert texts(Comment.objects.filter(target=None)) == texts(Comment.objects.filter(target__isnull=True)) == "e"
    assert texts(Comment.objects.exclude(target=news.one)) == "cde"
    assert Comment.objects.get(target=news.photo, text="c").score == 1


def test_the_other_side(news: Any) -> None:
    assert texts(news.one.comments.all()) == "ab"
    assert texts(news.video.comments.all()) == "d"
    assert Story.objects.get(pk=news.video.pk).comments.count() == 0
    assert texts(news.one.comments.filter(text="b")) == "b"
    with news.database.counted() as queries:
        assert [texts(story.comments.all()) for story in Story.objects.all()] == ["ab", "", ""]
    assert len(queries) == 2
    found = Story.objects.prefetch_related(Prefetch("comments", Comment.objects.filter(text="b"), to_attr="some"))
    assert [texts(story.some) for story in found] == ["b", "", ""]
    assert [str(s) for s in Story.objects.filter(comments__text="b")] == ["One"]
    assert [str(s) for s in Story.objects.filter(comments__isnull=True)] == ["Two", "Video"]
    assert [str(v) for v in Video.objects.filter(comments__text="d", minutes=3)] == ["Video"]
    assert [str(p) for p in Photo.objects.exclude(comments__text="x")] == ["Photo"]
    assert list(Story.objects.annotate(n=Count("comments")).values_list("title", "n")) == [
        ("One", 2), ("Two", 0), ("Video", 0),
    ]  # fmt: skip
    assert list(Photo.objects.values_list("title", "comments__text")) == [("Photo", "c")]
    assert Story.objects.aggregate(n=Count("comments"), total=models.Sum("comments__score")) == {"n": 2, "total": 2}


def test_writing_on_the_other_side(news: Any) -> None:
    made = news.two.comments.create(text="n")
    assert made.target == news.two
    news.two.comments.add(Comment.objects.get(text="a"), Comment(text="m"), bulk=False)
    assert texts(news.two.comments.all()) == "amn"
    news.two.comments.add(Comment.objects.get(text="b"))
    assert texts(news.two.comments.all()) == "abmn"
    news.two.comments.set(Comment.objects.filter(text__in=["a", "b"]))
    assert texts(news.two.comments.all()) == "ab" and not Comment.objects.filter(text="n").exists()
    news.two.comments.remove(Comment.objects.get(text="a"))
    assert texts(Comment.objects.all()) == "bcd"
    with pytest.raises(Comment.DoesNotExist, match="is none of"):
        news.two.comments.remove(Comment.objects.get(text="b"), Comment.objects.get(text="c"))
    assert news.two.comments.get_or_create(text="b")[1] is False
    news.two.comments.bulk_create([Comment(text="p"), Comment(text="q")])
    news.two.comments.clear()
    assert texts(Comment.objects.all()) == "cd"


def test_comments_go_with_what_they_are_upon(news: Any) -> None:
    assert news.one.delete() == {"news.Comment": 2, "news.Story": 1}
    assert Story.objects.get(pk=news.video.pk).delete() == {"news.Comment": 1, "news.Video": 1, "news.Story": 1}
    assert texts(Comment.objects.all()) == "c"
    assert Photo.objects.all().delete() == {"news.Comment": 1, "news.Photo": 1}


def test_references_by_number_under_other_names(scope: Any) -> None:
    book = Book.objects.create(title="Book")
    book.stars.create()
    assert Star.objects.get().subject == book and Star.objects.get().number == book.pk
    assert Book.objects.filter(stars__number=book.pk).get() == book
    assert Book.objects.annotate(n=Count("stars")).get().n == 1
    assert Star.objects.filter(subject=book).count() == 1


def test_what_is_behind_a_reference_is_loaded_of_each_model_that_has_it(news: Any) -> None:
    """Rows of several models have a relation of one name each, and some have none."""
    Comment.objects.create(text="e", target=Book.objects.create(title="Book"))
    with news.database.counted() as queries:
        found = list(Comment.objects.prefetch_related("target__comments"))
        told = [texts(comment.target.comments.all()) for comment in found if not isinstance(comment.target, Book)]
    assert told == ["ab", "ab", "c", "d"]
    assert len(queries) == 1 + 4 + 3  # comments; stories, photos, videos, books; comments of three kinds
    with pytest.raises(FieldError, match=r"prefetch_related\('remarks'\): Story has no such relation"):
        list(Comment.objects.prefetch_related("target__remarks"))


def test_a_relation_to_a_model_that_inherits_the_reference_is_to_rows_of_that_model(news: Any) -> None:
    ann = Athlete.objects.create(name="Ann")
    star, medal = Star.objects.create(subject=ann), ann.medals.create(metal="gold")
    assert list(ann.medals.all()) == [medal]
    assert [type(row) for athlete in Athlete.objects.prefetch_related("medals") for row in athlete.medals.all()] == [
        Medal
    ]
    assert Athlete.objects.filter(medals__metal="gold").get() == ann
    assert Athlete.objects.annotate(n=Count("medals")).get().n == 1
    ann.delete()
    assert list(Star.objects.all()) == [star]
    assert not Medal.objects.exists()


def test_readers_do_not_see_what_is_hidden(news: Any) -> None:
    Story.objects.filter(title="One").update(live=False)
    Story.objects.filter(title="Video").update(live=False)
    with entered(Scope(None, news.database, READER)):
        assert [comment.target and str(comment.target) for comment in Comment.objects.all()] == [
            None, None, "Photo", None,
        ]  # fmt: skip


def test_questions_follow_a_reference_to_one_model(news: Any) -> None:
    """``story`` and ``photo`` are what the relation of these models is called on this side."""
    assert texts(Comment.objects.filter(story__title="One")) == "ab"
    assert texts(Comment.objects.exclude(story__title="One")) == "cd"
    assert texts(Comment.objects.filter(photo=news.photo)) == "c"
    assert texts(Comment.objects.filter(Q(story=None) & ~Q(photo__title="Photo"))) == "d"
    assert texts(Comment.objects.filter(Q(story__title="One") | Q(photo__title="Photo"))) == "abc"
    assert list(Comment.objects.values_list("story__title", "photo__title")) == [
        ("One", None), ("One", None), (None, "Photo"), (None, None),
    ]  # fmt: skip
    assert Story.objects.filter(comments__story__comments__text="a").get() == news.one
    with entered(Scope(None, news.database, READER)):
        Story.objects.unrestricted().filter(title="One").update(live=False)
        assert not Comment.objects.filter(story__title="One").exists()


def test_nothing_goes_with_a_row_that_refers(news: Any) -> None:
    assert Comment.objects.all().delete() == {"news.Comment": 4}
    assert (Story.objects.count(), Photo.objects.count()) == (3, 1)


def test_a_reference_to_one_model_is_no_object_at_hand(news: Any) -> None:
    with pytest.raises(FieldError, match=r"select_related\('story'\): Comment\.story is not a reference to one object"):
        list(Comment.objects.select_related("story"))
    with pytest.raises(FieldError, match=r"Comment\.story cannot be given to a new Comment"):
        Comment(story=news.one)


PAGES: dict[str, Callable[[], Any]] = {
    "followed": lambda: list(Comment.objects.values_list("text", "story__title")),
    "targets": lambda: [str(comment.target) for comment in Comment.objects.all()],
    "sets": lambda: [texts(story.comments.all()) for story in Story.objects.all()],
    "counts": lambda: list(Story.objects.annotate(n=Count("comments")).values_list("title", "n")),
    "filtered": lambda: texts(Comment.objects.filter(target=Story.objects.get(title="One"))),
}
EVERY = PAGES.keys()
EDITS = {
    "UPDATE news_photo SET title = 'x'": {"targets"},
    "UPDATE news_comment SET content_type = 'news.Video' WHERE text = 'a'": {*EVERY},
    "UPDATE news_comment SET text = 'z' WHERE text = 'b'": {"targets", "sets", "filtered", "followed"},
    "UPDATE news_comment SET score = 9": {"targets", "sets", "filtered"},
    "UPDATE news_story SET live = FALSE WHERE title = 'One'": {*EVERY},
    "UPDATE news_story SET title = 'x' WHERE title = 'One'": {*EVERY},
}


@pytest.mark.parametrize("sql", EDITS)
def test_an_edit_breaks_the_pages_that_read_it(news: Any, scope: Scope, sql: str) -> None:
    assert broken_by(scope.database, PAGES, sql) == EDITS[sql]


def test_what_cannot_be_referred_to_is_refused(news: Any) -> None:
    with pytest.raises(FieldError, match=r"Comment\.target cannot be compared: 3 is no row of a model"):
        Comment.objects.filter(target=3).count()
    with pytest.raises(ValidationError, match=r"'news\.Storry' is no model of this site"):
        Comment(text="x", content_type="news.Storry", object_id="1").full_clean()
    with pytest.raises(FieldError, match="cannot be of one queryset"):
        list(Comment.objects.prefetch_related(Prefetch("target", Story.objects.all())))


def declare(name: str, /, **namespace: Any) -> Any:
    return type(models.Model)(name, (models.Model,), {"__module__": "a", "__qualname__": name, **namespace})


def test_declarations_that_do_not_fit_are_problems() -> None:
    with pytest.raises(DeclarationError, match="there is no field 'object_id'"):
        declare("Wrong", content_type=models.ModelNameField(), target=models.GenericForeignKey())
    plain = declare("Plain")
    owner = declare("Owner", plains=models.GenericRelation("Plain"), lost=models.GenericRelation("Plane"))
    told = [str(problem) for problem in resolve_models({"a": [plain, owner]})[1]]
    assert "a.Owner.plains: Plain has no GenericForeignKey over content_type and object_id" in told[0]
    assert "a.Owner.lost refers to 'Plane', which is no model of this site. Did you mean 'a.Plain'" in told[1]


def test_a_name_on_the_other_side_is_one_models_alone() -> None:
    mark = declare(
        "Mark", content_type=models.ModelNameField(), object_id=models.TextField(), subject=models.GenericForeignKey()
    )
    owners = [
        declare(name, marks=models.GenericRelation("Mark", related_query_name=taken))
        for name, taken in (("One", "owner"), ("Two", "owner"), ("Three", "subject"))
    ]
    told = [str(problem) for problem in resolve_models({"a": [mark, *owners]})[1]]
    assert "a.Two.marks: Mark already has something else under 'owner'. Give it a related_query_name" in told[0]
    assert "a.Three.marks: Mark already has something else under 'subject'" in told[1]


@pytest.mark.parametrize(
    ("attribute", "told"),
    [
        (None, "a.Inn.notes would hide the relation that it inherits from House. Give it another name"),
        (models.GenericRelation("Mark"), "a.Inn has its own 'notes', and inherits another from House"),
        (models.IntegerField(), "a.Inn has its own 'notes', and inherits another from House"),
    ],
)
def test_a_relation_of_a_parent_with_a_table_is_not_hidden(attribute: Any, told: str) -> None:
    note, mark = (
        declare(name, content_type=models.ModelNameField(), object_id=models.TextField(), of=models.GenericForeignKey())
        for name in ("Note", "Mark")
    )
    house = declare("House", notes=models.GenericRelation("Note"))
    inn = type(models.Model)("Inn", (house,), {"__module__": "a", "__qualname__": "Inn", "notes": attribute})
    problems = resolve_models({"a": [note, mark, house, inn]})[1]
    assert len(problems) == 1
    assert told in str(problems[0])


def test_a_proxy_has_no_relation_of_its_own() -> None:
    told = r"Brief is a proxy and cannot have relations of its own: notes\. Declare it on Story"
    with pytest.raises(DeclarationError, match=told):

        class Brief(Story):
            notes = models.GenericRelation(Comment)

            class Meta:
                proxy = True


def test_a_proxy_does_not_hide_a_relation() -> None:
    mark = declare(
        "Mark", content_type=models.ModelNameField(), object_id=models.TextField(), of=models.GenericForeignKey()
    )
    house = declare("House", marks=models.GenericRelation("Mark"))
    meta = {"Meta": type("Meta", (), {"proxy": True}), "__module__": "a", "__qualname__": "Hut", "marks": None}
    hut = type(models.Model)("Hut", (house,), meta)
    (problem,) = resolve_models({"a": [mark, house, hut]})[1]
    assert "a.Hut.marks would hide the relation of House. Give it another name" in str(problem)
