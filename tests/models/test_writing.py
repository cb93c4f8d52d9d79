"""Saving, in single rows and in bulk, and what a failure leaves behind."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest

from toolkit import models
from toolkit.database import Database
from toolkit.errors import DatabaseError, FieldError, IntegrityError, ValidationError
from toolkit.models import F, Now
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered


def test_save_inserts_then_updates(m: Any, scope: Any) -> None:
    tag = m.Tag(name="One", slug="one")
    assert tag.pk is None
    tag.save()
    tag.name = "Uno"
    tag.save()
    assert [(t.pk, t.name) for t in m.Tag.objects.all()] == [(tag.pk, "Uno")]


def test_the_state_tells_whether_there_is_a_row(m: Any, scope: Any) -> None:
    tag = m.Tag(name="One", slug="one")
    assert (tag._state.adding, tag._state.db) == (True, None)
    tag.save()
    assert (tag._state.adding, tag._state.db) == (False, "default")
    found = m.Tag.objects.get()
    assert not found._state.adding
    found.pk, found._state.adding, found.slug = None, True, "copy"
    found.save()
    assert sorted(m.Tag.objects.values_list("slug", flat=True)) == ["copy", "one"]
    known = m.Tag(pk=tag.pk, name="Uno", slug="one")
    known._state.adding = False
    with scope.database.counted() as queries:
        known.save()
    assert [query.split()[0] for query in queries] == ["UPDATE"]
    with pytest.raises(IntegrityError):
        m.Tag(name="Uno", slug="one").save()


def test_a_reference_to_nothing_names_its_field(m: Any, scope: Any) -> None:
    with pytest.raises(IntegrityError, match=r"section_id\W+(= )?999|section_id_fkey") as caught:
        m.Story(title="a", slug="a", section_id=999, published=m.NOON).save()
    assert (caught.value.kind, caught.value.fields) == ("foreign_key", ("section",))


def test_a_default_makes_the_key_of_a_copy(m: Any, scope: Any) -> None:
    camera = m.Camera.objects.create(id=None, name="One")
    first = camera.pk
    camera.pk, camera.name = None, "Two"
    camera.save()
    made = m.Camera.objects.bulk_create([m.Camera(id=None, name="Three"), m.Camera(name="Four")])
    assert {first, camera.pk, *(one.pk for one in made)} == set(m.Camera.objects.values_list("pk", flat=True))
    assert m.Camera.objects.count() == 4
    camera.pk, camera.name = None, "much too long for such a name"
    with pytest.raises(ValidationError, match="at most 20"):
        camera.save()
    assert camera.pk is None


def test_update_fields_writes_these_alone(m: Any, scope: Any) -> None:
    tag = m.Tag.objects.create(name="One", slug="one")
    tag.name, tag.slug = "Uno", "uno"
    tag.save(update_fields=["name"])
    assert m.Tag.objects.values_list("name", "slug")[0] == ("Uno", "one")
    with pytest.raises(FieldError, match=r"Tag\.nam is no column. Did you mean 'name'"):
        tag.save(update_fields=["nam"])
    with pytest.raises(IntegrityError, match="cannot be updated: there is no such row"):
        m.Tag(pk=tag.pk + 1, name="x", slug="x").save(update_fields=["name"])


def test_a_key_that_is_set_updates_or_inserts_and_force_insert_insists(m: Any, scope: Any) -> None:
    m.Tag(pk=7, name="Seven", slug="seven").save()
    m.Tag(pk=7, name="Siete", slug="seven").save()
    assert m.Tag.objects.get(pk=7).name == "Siete"
    with pytest.raises(IntegrityError, match=r"already exists\. Nothing was written"):
        m.Tag(pk=7, name="Sept", slug="sept").save(force_insert=True)


def test_a_row_that_was_deleted_meanwhile_is_not_saved_silently(m: Any, scope: Any) -> None:
    tag = m.Tag.objects.create(name="One", slug="one")
    m.Tag.objects.all().delete()
    with pytest.raises(IntegrityError, match=r"Tag \d+ cannot be updated.*Load it again"):
        tag.save()


def test_an_instance_loaded_in_part_saves_what_it_has(m: Any, newsroom: Any) -> None:
    story = m.Story.objects.only("title").get(slug="story-3")
    story.title = "New"
    story.save()
    again = m.Story.objects.get(slug="story-3")
    assert (again.title, again.weight) == ("New", 3)


def test_what_was_not_loaded_stays_as_it_is_in_bulk(m: Any, newsroom: Any) -> None:
    m.Everything.objects.bulk_create([m.Everything(char=f"{n}", markdown="*M*", text="T", small=1) for n in range(3)])
    rows = list(m.Everything.objects.only("char", "small"))
    rows[0].char, rows[1].text, rows[2].small = "x", "t", F("small") + 1
    assert m.Everything.objects.bulk_update(rows, ["char", "text", "markdown", "small"]) == 3
    kept = [("1", "t", "*M*", 1), ("2", "T", "*M*", 2), ("x", "T", "*M*", 1)]
    assert sorted(m.Everything.objects.values_list("char", "text", "markdown", "small")) == kept


def test_copies_have_what_was_not_loaded(m: Any, newsroom: Any) -> None:
    m.Everything.objects.create(char="a", markdown="*M*", binary=b"B", decimal="1.50", json={"a": 1})
    saved, added, other = (m.Everything.objects.only("char").get() for _ in range(3))
    saved.pk = added.pk = other.pk = None
    saved.save()
    added._state.adding = True
    m.Everything.objects.bulk_create([added, other])
    values = m.Everything.objects.values_list("markdown", "binary", "decimal", "json")
    assert list(values) == [("*M*", b"B", Decimal("1.50"), {"a": 1})] * 4

    story = m.Everything.objects.defer("text").get(pk=saved.pk)
    story.save()
    story.pk = None
    with pytest.raises(
        FieldError, match=r"Everything\.text was not loaded, .* not known .*Read everything\.text before"
    ):
        story.save()
    gone = m.Everything.objects.defer("text").get(pk=saved.pk)
    m.Everything.objects.filter(pk=saved.pk).delete()
    gone.pk = None
    with pytest.raises(FieldError, match=r"Everything\.(text|markdown) was not loaded"):
        m.Everything.objects.bulk_create([gone])
    assert m.Everything.objects.count() == 3


def test_refresh_reads_the_row_and_its_relations_again(m: Any, newsroom: Any) -> None:
    story = m.Story.objects.get(slug="story-3")
    assert story.section.slug == "section-0"
    m.Story.objects.filter(pk=story.pk).update(title="Other", section=newsroom.sections[1])
    story.refresh_from_db()
    assert (story.title, story.section.slug) == ("Other", "section-1")
    m.Byline.objects.all().delete()
    story.tags.clear()
    m.Story.objects.filter(pk=story.pk).delete()
    with pytest.raises(m.Story.DoesNotExist, match="there is no Story"):
        story.refresh_from_db()


def test_names_that_cannot_be_written_are_told(m: Any, newsroom: Any) -> None:
    story = newsroom.stories[0]
    for write, told in [
        (lambda: story.save(update_fields="title"), r"update_fields='title'\): that is one text\. Write \['title'\]"),
        (lambda: story.refresh_from_db(fields="title"), r"refresh_from_db\(fields='title'\): that is one text"),
        (lambda: m.Story.objects.bulk_update([story], "title"), r"bulk_update\(fields='title'\): that is one text"),
        (lambda: m.Tag.objects.bulk_create([], update_conflicts=True, update_fields="name"), "that is one text"),
        (lambda: m.Story.objects.bulk_update([newsroom.tags[0]], ["weight"]), "bulk_update.. of Story takes its inst"),
        (lambda: m.Story.objects.bulk_create([None]), "bulk_create.. of Story takes its instances, not None"),
        (lambda: m.Story(tags=[1]), r"Story\.tags cannot be given to a new Story\. Save it, then set its partners"),
        (lambda: m.Section(stories=[]), r"Section\.stories cannot be given to a new Section"),
        (lambda: m.Story(section=newsroom.sections[0], section_id=1), "'section_id' was given by another name, too"),
        (lambda: m.Story(titel="a"), r"Story has no field 'titel'\. Did you mean 'title'"),
    ]:
        with pytest.raises(FieldError, match=told):
            write()


def test_update_changes_all_rows_of_the_question_in_one_statement(m: Any, newsroom: Any) -> None:
    with newsroom.database.counted() as queries:
        assert m.Story.objects.filter(section__slug="section-0").update(weight=F("weight") + 10, title="Same") == 7
    assert len(queries) == 1
    assert m.Story.objects.filter(weight__gte=10, title="Same").count() == 7
    assert m.Story.objects.filter(tags__slug="tag-0").update(section=newsroom.sections[2]) == 8
    assert m.Story.objects.filter(pk=newsroom.stories[0].pk).update(expires=None, editor_id=None) == 1
    assert m.Story.objects.update() == 0
    assert m.Story.objects.filter(tags__slug__in=["tag-0", "tag-1"]).distinct().update(weight=7) == 12
    with pytest.raises(FieldError, match="update\\(\\) of distinct values"):
        m.Story.objects.distinct("section").update(weight=1)
    with entered(m.look(newsroom.database)):
        m.Story.objects.filter(slug="story-0").update(expires=Now())
    assert m.Story.objects.get(slug="story-0").expires == m.NOON


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"wieght": 1}, "Did you mean 'weight'"),
        ({"tags": 1}, r"Story\.tags is no column"),
        (
            {"weight": F("section__position")},
            r"cannot be taken. Annotate it first: annotate\(theirs=...\).update\(weight=",
        ),
    ],
)
def test_update_refuses_what_is_no_column(m: Any, newsroom: Any, values: dict[str, Any], told: str) -> None:
    with pytest.raises(FieldError, match=told):
        m.Story.objects.update(**values)


def test_bulk_create_sets_keys_and_goes_whole_or_not_at_all(m: Any, scope: Any) -> None:
    with scope.database.counted() as queries:
        tags = m.Tag.objects.bulk_create([m.Tag(name="t", slug=f"t{n}") for n in range(2500)], batch_size=1000)
    assert len(queries) < 20
    assert [t.pk for t in m.Tag.objects.order_by("pk")] == [t.pk for t in tags]
    more = [m.Tag(name="t", slug="fresh"), m.Tag(name="t", slug="t7"), m.Tag(pk=90_000, name="t", slug="keyed")]
    with pytest.raises(IntegrityError, match="already exists"):
        m.Tag.objects.bulk_create(more)
    assert m.Tag.objects.count() == 2500
    assert [t.pk for t in more] == [None, None, 90_000]
    assert m.Tag.objects.create(name="t", slug="after").pk > tags[-1].pk
    assert m.Tag.objects.bulk_create([]) == []


def test_bulk_create_inside_a_transaction_and_beside_single_rows(m: Any, scope: Any) -> None:
    with scope.database.atomic():
        first = m.Tag.objects.create(name="t", slug="a")
        with scope.database.atomic():
            second, third = m.Tag.objects.bulk_create([m.Tag(name="t", slug="b"), m.Tag(name="t", slug="c")])
        fourth = m.Tag.objects.create(name="t", slug="d")
    assert len({first.pk, second.pk, third.pk, fourth.pk}) == 4


def test_rows_whose_key_is_no_number_must_bring_it(m: Any, scope: Any) -> None:
    cameras = m.Camera.objects.bulk_create([m.Camera(name="a"), m.Camera(name="b")])
    assert m.Camera.objects.filter(pk=cameras[1].pk).get().name == "b"
    photograph = m.Photograph(camera=cameras[0])
    photograph.code = None
    with pytest.raises(IntegrityError, match="Photograph has no code, which is its key"):
        m.Photograph.objects.bulk_create([photograph])


def test_get_or_create_and_update_or_create(m: Any, scope: Any) -> None:
    tag, made = m.Tag.objects.get_or_create(slug="one", defaults={"name": lambda: "One"})
    assert (made, tag.name) == (True, "One")
    assert m.Tag.objects.get_or_create(slug="one", defaults={"name": "Two"}) == (tag, False)
    again, made = m.Tag.objects.update_or_create(slug="one", defaults={"name": "Uno"})
    assert (made, again.name, m.Tag.objects.get().name) == (False, "Uno", "Uno")
    assert m.Tag.objects.update_or_create(slug="two", defaults={"name": "Dos"})[1]
    with pytest.raises(IntegrityError, match="a value is required"):
        m.Profile.objects.get_or_create(motto="nobody's")


def test_eight_threads_that_get_or_create_one_row_make_one(m: Any, tmp_path: Any) -> None:
    database = m.make_database(f"sqlite:///{tmp_path}/news.db")
    made: list[bool] = []
    start = threading.Barrier(8)

    def ask() -> None:
        with entered(Scope(None, database)):
            start.wait()
            made.append(m.Tag.objects.get_or_create(slug="one", defaults={"name": "One"})[1])
            database.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [False] * 7 + [True]
    with entered(Scope(None, database)):
        assert m.Tag.objects.count() == 1
    database.close()


def test_stamps_are_of_the_scopes_moment(m: Any) -> None:
    class Note(models.Model):
        made = models.DateTimeField(auto_now_add=True)
        changed = models.DateTimeField(auto_now=True)

    from toolkit.models.resolve import resolve_models

    everything, _ = resolve_models({"x": [Note]})
    database: Any = Database("sqlite://")
    database.schema = Schema(everything, "sqlite")
    database.execute("CREATE TABLE x_note (id INTEGER PRIMARY KEY, made TEXT, changed TEXT)")
    with entered(Scope(None, database, moment=m.NOON)):
        note = Note()
        note.full_clean()  # before there is a moment
        note.save()
    later = m.NOON.replace(hour=20)
    with entered(Scope(None, database, moment=later)):
        note.save()
        found = Note.objects.get()
    assert (found.made, found.changed) == (m.NOON, later)
    database.close()


def test_a_table_that_is_not_there_points_to_the_migrations(m: Any, scope: Any) -> None:
    database: Any = Database("sqlite://")
    database.schema = Schema(scope.database.schema.models, "sqlite")
    with entered(Scope(None, database)):
        with pytest.raises(DatabaseError, match=r"no such table: news_tag.*toolkit migrations apply"):
            m.Tag.objects.count()
        with pytest.raises(DatabaseError, match="toolkit migrations apply"):
            m.Tag.objects.create(name="x", slug="x")
    database.close()
