"""Managers: several of them, from querysets, inherited, and where each is used."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.tables import resolved
from toolkit import models
from toolkit.errors import DeclarationError, FieldError
from toolkit.models import Count
from toolkit.models.resolve import resolve_models
from toolkit.trace import Scope, Trace, entered

from .conftest import make_database, own_database
from .verifying import broken


class ArticleQuerySet(models.QuerySet["Article"]):
    def in_language(self, language: str) -> ArticleQuerySet:
        return self.filter(language=language)

    def long(self) -> ArticleQuerySet:
        return self.filter(words__gte=100)


class LiveManager(models.Manager["Article"]):
    def get_queryset(self) -> Any:
        return super().get_queryset().filter(status="live")

    def count_of(self, language: str) -> int:
        return int(self.get_queryset().filter(language=language).count())


class OtherClassManager(models.Manager["Article"]):
    """Gives querysets of another class, as Django's documentation does."""

    def get_queryset(self) -> Any:
        return ArticleQuerySet(self.model, using=self._db).filter(status="draft")

    def long_ones(self) -> Any:
        return self.get_queryset().long()


class ByLanguage(models.Manager["Article"]):
    def __init__(self, language: str) -> None:
        self.language = language

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(language=self.language)


class Desk(models.Model):
    name = models.CharField(max_length=20)
    retired = models.BooleanField(default=False)

    objects = models.Manager["Desk"]()


class Article(models.Model):
    title = models.CharField(max_length=20)
    desk = models.ForeignKey(Desk, on_delete=models.CASCADE, related_name="articles")
    language = models.CharField(max_length=2, default="en")
    status = models.CharField(max_length=5, default="live")
    words = models.IntegerField(default=50)

    objects = models.Manager["Article"]()
    live = LiveManager.from_queryset(ArticleQuerySet)()
    drafts = OtherClassManager()
    french = ByLanguage("fr")

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class Special(Article):
    live_first = LiveManager()

    class Meta:
        proxy = True


class KeptQuerySet(models.QuerySet["Note"]):
    def get_queryset(self) -> Any:
        return self.filter(gone=False)


class Note(models.Model):
    """Its default manager hides rows, and it has no ``objects``."""

    desk = models.ForeignKey(Desk, on_delete=models.CASCADE, related_name="notes")
    text = models.CharField(max_length=20)
    gone = models.BooleanField(default=False)

    kept = KeptQuerySet.as_manager()
    every = models.Manager["Note"]()


class Reply(models.Model):
    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="replies")


MODELS = resolved({"desk": [Desk, Article, Special, Note, Reply]})
shared_database = own_database(MODELS)


@pytest.fixture
def desks(scope: Any) -> SimpleNamespace:
    city, sport = (Desk.objects.create(name=name) for name in ("City", "Sport"))
    for title, desk, language, status, words in (
        ("A", city, "en", "live", 10),
        ("B", city, "fr", "live", 200),
        ("C", city, "fr", "draft", 300),
        ("D", sport, "fr", "live", 400),
        ("E", sport, "en", "draft", 20),
    ):
        Article.objects.create(title=title, desk=desk, language=language, status=status, words=words)
    return SimpleNamespace(city=city, sport=sport)


def declare(name: str, /, *bases: Any, **namespace: Any) -> Any:
    return type(models.Model)(name, bases or (models.Model,), {"__module__": "desk", "__qualname__": name, **namespace})


def titles(rows: Any) -> str:
    return "".join(row.title for row in rows)


def test_questions_of_the_queryset_and_the_manager_chain(desks: Any) -> None:
    assert titles(Article.live.all()) == "ABD"
    assert titles(Article.live.in_language("fr").long()) == "BD"
    assert titles(Article.live.filter(words__gt=100).in_language("fr").order_by("-title")) == "DB"
    assert Article.live.count_of("fr") == 2
    assert titles(Article.objects.all()) == "ABCDE"
    assert type(Article.live).__name__ == "LiveManagerFromArticleQuerySet"


def test_a_manager_may_give_querysets_of_another_class(desks: Any) -> None:
    assert titles(Article.drafts.all()) == "CE"
    assert titles(Article.drafts.long()) == titles(Article.drafts.long_ones()) == "C"


def test_a_manager_takes_arguments(desks: Any) -> None:
    assert titles(Article.french.all()) == "BCD"
    assert titles(Article.french.filter(status="live")) == "BD"


def test_a_manager_writes_as_any_queryset(desks: Any) -> None:
    made = Article.live.create(title="F", desk=desks.city)
    assert Article.live.get(pk=made.pk) == made
    assert Article.french.filter(status="draft").update(words=1) == 1
    assert Article.live.get_or_create(title="F", desk=desks.city)[1] is False
    with pytest.raises(Article.DoesNotExist):
        Article.french.get(title="A")


def test_managers_of_the_bases_come_after_ones_own(desks: Any) -> None:
    assert list(Special._meta.managers) == ["live_first", "objects", "live", "drafts", "french"]
    assert titles(Special._meta.default_manager) == "ABD"
    assert type(Special.live.first()) is Special
    assert Article._meta.default_manager is Article.objects


def test_related_sets_use_the_default_manager(desks: Any) -> None:
    for gone in (False, True):
        desks.city.notes.create(text=str(gone), gone=gone)
    assert [n.text for n in desks.city.notes.all()] == ["False"]
    assert desks.city.notes.count() == 1 and Note.every.count() == 2
    assert not hasattr(Note, "objects")
    assert Desk.objects.annotate(n=Count("notes")).get(pk=desks.city.pk).n == 2


def test_related_sets_take_another_manager(desks: Any) -> None:
    live = desks.city.articles(manager="live")
    assert titles(live.all()) == "AB" and live.count() == 2
    assert titles(live.in_language("fr")) == titles(live.filter(words__gt=100)) == "B"
    assert live.count_of("fr") == 1
    assert titles(desks.city.articles(manager="french").all()) == "BC"
    assert titles(desks.city.articles(manager="drafts").all()) == "C"
    assert live.create(title="F").desk == desks.city and live.count() == 3
    loaded = Desk.objects.prefetch_related("articles").get(pk=desks.city.pk)
    assert titles(loaded.articles(manager="live").all()) == "ABF" and titles(loaded.articles.all()) == "ABCF"
    with pytest.raises(FieldError, match=r"Article has no manager 'liv'\. Did you mean 'live'"):
        desks.city.articles(manager="liv")


def test_references_and_deletion_use_every_row(desks: Any) -> None:
    note = Note.every.create(text="x", desk=desks.city, gone=True)
    reply = Reply.objects.create(note=note)
    assert Reply.objects.get().note == note
    note.text = "y"
    note.save()
    note.refresh_from_db()
    assert note.text == "y"
    assert desks.city.delete()["desk.Reply"] == 1 and not Reply.objects.filter(pk=reply.pk).exists()


def test_a_managers_own_start_is_narrowed_to_the_owner(desks: Any) -> None:
    class Narrow(models.Manager[Any]):
        def get_queryset(self) -> Any:
            return super().get_queryset().exclude(text="hidden")

        def shown(self) -> Any:
            return self.get_queryset().order_by("text")

    board = declare("Board", name=models.CharField(max_length=5))
    pin = declare(
        "Pin",
        board=models.ForeignKey(board, on_delete=models.CASCADE, related_name="pins"),
        text=models.CharField(max_length=9),
        objects=Narrow(),
    )
    found, problems = resolve_models({"b": [board, pin]})
    assert not problems
    database = make_database("sqlite://", found)
    with entered(Scope(None, database)):
        one, two = board.objects.create(name="1"), board.objects.create(name="2")
        for owner, text in ((one, "b"), (one, "a"), (one, "hidden"), (two, "c")):
            owner.pins.create(text=text)
        assert [p.text for p in one.pins.shown()] == ["a", "b"]
        assert [p.text for p in pin.objects.shown()] == ["a", "b", "c"]
        assert pin._meta.base_manager.count() == 4


def test_the_default_manager_is_named_in_meta() -> None:
    options = {"default_manager_name": "second", "base_manager_name": "first"}
    namespace = {"first": LiveManager(), "second": models.Manager[Any]()}
    found = declare("Named", **namespace, Meta=type("Meta", (), options))
    assert found._meta.default_manager is found.second and found._meta.base_manager is found.first
    with pytest.raises(DeclarationError, match=r"default_manager_name = 'secnd' is no manager.*Did you mean 'second'"):
        declare("Wrong", **namespace, Meta=type("Meta", (), {"default_manager_name": "secnd"}))


def test_managers_belong_to_classes(desks: Any) -> None:
    with pytest.raises(AttributeError, match="belongs to the class Article"):
        _ = Article.live.first().live


def test_the_base_manager_follows_references() -> None:
    class Shown(models.Manager[Any]):
        def get_queryset(self) -> Any:
            return super().get_queryset().exclude(text="hidden")

    wall = declare(
        "Wall",
        text=models.CharField(max_length=9),
        shown=Shown(),
        Meta=type("Meta", (), {"base_manager_name": "shown"}),
    )
    door = declare("Door", wall=models.ForeignKey(wall, on_delete=models.CASCADE))
    found, problems = resolve_models({"b": [wall, door]})
    assert not problems
    database = make_database("sqlite://", found)
    with entered(Scope(None, database, trace=Trace())) as scope:
        for text in ("a", "hidden"):
            door.objects.create(wall=wall.shown.create(text=text))
        assert [d.wall and d.wall.text for d in door.objects.all()] == ["a", None]
        trace = scope.trace
    asking = Scope(None, database)
    assert not broken(asking, trace)
    database.execute("UPDATE b_wall SET text = 'b' WHERE text = 'hidden'")
    assert broken(asking, trace)


class Port(models.Model):
    name = models.CharField(max_length=9)
    region = models.CharField(max_length=9)

    class Meta:
        natural_key = ["region", "name"]
        get_latest_by = ["region", "-name"]


def test_a_natural_key_names_a_row() -> None:
    found, problems = resolve_models({"sea": [Port]})
    assert not problems
    database = make_database("sqlite://", found)
    with entered(Scope(None, database)):
        one, two = Port.objects.create(name="A", region="N"), Port.objects.create(name="A", region="S")
        assert two.natural_key() == ("S", "A")
        assert Port.objects.get_by_natural_key("N", "A") == one
        with pytest.raises(FieldError, match=r"Port has a natural key of 2 values \(region, name\), not \('N',\)"):
            Port.objects.get_by_natural_key("N")
        assert Port.objects.latest() == two and Port.objects.earliest() == one


def test_a_manager_that_gives_no_queryset_is_told() -> None:
    class Forgetful(models.Manager[Any]):
        def get_queryset(self) -> Any:
            super().get_queryset().filter(pk=1)

    class Memo(models.Model):
        objects = Forgetful()

    class Draft(models.Model):
        objects = Forgetful()

        class Meta:
            abstract = True

    with pytest.raises(FieldError, match=r"get_queryset\(\) of Forgetful gave None, and no queryset\. Return one"):
        Memo.objects.all()
    with pytest.raises(AttributeError, match=r"^Draft is abstract: it has no table to ask"):
        Draft.objects.all()
    with pytest.raises(AttributeError, match=r"'Draft' has no attribute 'exclude'; write Draft\.objects\.exclude"):
        Draft.exclude(pk=1)  # type: ignore[attr-defined]  # that is the mistake


def test_a_manager_that_asks_itself_is_told() -> None:
    class Endless(models.Manager[Any]):
        def get_queryset(self) -> Any:
            return Story.objects.filter(title="a")

    Story = declare("Story", title=models.CharField(max_length=5), objects=Endless())
    with pytest.raises(FieldError, match=r"get_queryset.. of Endless asks .* without end\. Begin with super.."):
        Story.objects.all()


def test_a_model_that_no_app_has_is_no_table(desks: Any) -> None:
    lost = declare("Lost", title=models.CharField(max_length=5))
    with pytest.raises(DeclarationError, match="Lost is no model of this site, so it has no table: no app has it"):
        lost.objects.count()
    with pytest.raises(DeclarationError, match="Lost is no model of this site"):
        lost.objects.create(title="a")


def test_sql_by_hand_stands_alone_whatever_its_manager_leaves_out(desks: Any) -> None:
    sql = f"SELECT id, title FROM {Article._meta.table} ORDER BY title"
    for manager in (Article.objects, Article.live, Article.drafts.all(), Article.french.all()):
        assert titles(manager.raw(sql)) == "ABCDE"
    assert titles(Article.live.unrestricted().raw(sql)) == "ABCDE"
    for narrowed in (Article.live.filter(words=10), Article.live.union(Article.drafts.all()), desks.city.articles):
        with pytest.raises(FieldError, match=r"Article: raw\(\) takes no notice of"):
            narrowed.raw(sql)
