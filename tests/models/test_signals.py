"""What the models tell when rows are written, by any path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from toolkit.database import atomic
from toolkit.errors import IntegrityError, ReceiverError, ToolkitError
from toolkit.models import F
from toolkit.models.sqltext import placeholder, quoted
from toolkit.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save, rows_changed

Heard = list[tuple[str, str, Any]]


@pytest.fixture
def changes(scope: Any) -> Iterator[Heard]:
    """(model, operation, keys) of each ``rows_changed``."""
    heard: Heard = []

    def hear(sender: Any, operation: str, keys: Any) -> None:
        heard.append((sender._meta.object_name, operation, keys if keys is None else sorted(keys)))

    with scope.database.receivers.connected(rows_changed, hear):
        yield heard


def test_save_tells_before_and_after_in_its_transaction(m: Any, scope: Any) -> None:
    heard: list[Any] = []
    receivers = scope.database.receivers
    with (
        receivers.connected(pre_save, lambda instance: heard.append(("pre", instance.pk)), sender=m.Tag),
        receivers.connected(
            post_save, lambda instance, created, update_fields: heard.append((instance.pk, created, update_fields))
        ),
    ):
        tag = m.Tag.objects.create(name="One", slug="one")
        tag.save(update_fields=["name"])
    assert heard == [("pre", None), (tag.pk, True, None), ("pre", tag.pk), (tag.pk, False, frozenset({"name"}))]


def test_a_receiver_that_fails_takes_the_row_back(m: Any, scope: Any) -> None:
    def refuse(instance: Any) -> None:
        raise ValueError("not today")

    with (
        scope.database.receivers.connected(post_save, refuse, sender=m.Tag),
        pytest.raises(ValueError, match="not today"),
    ):
        m.Tag.objects.create(name="One", slug="one")
    assert m.Tag.objects.count() == 0


def test_delete_tells_of_each_row_that_goes(m: Any, newsroom: Any) -> None:
    heard: list[Any] = []
    receivers = newsroom.database.receivers
    with (
        receivers.connected(pre_delete, lambda sender, instance: heard.append(("pre", sender.__name__, instance.pk))),
        receivers.connected(post_delete, lambda sender, instance: heard.append(("post", sender.__name__, instance.pk))),
    ):
        author = newsroom.authors[2]
        m.Profile.objects.create(author=author)
        key, profile = author.pk, author.profile.pk
        m.Byline.objects.filter(author=author).exclude(story=newsroom.stories[2]).delete()
        byline = m.Byline.objects.get(author=author).pk
        heard.clear()
        author.delete()
    assert sorted(heard) == sorted(
        (when, *row)
        for when in ("pre", "post")
        for row in [("Author", key), ("Profile", profile), ("Byline", byline)]
    )  # fmt: skip


def test_what_a_row_referred_to_is_there_when_it_is_told_to_be_gone(m: Any, newsroom: Any) -> None:
    seen: list[Any] = []
    author = newsroom.authors[2]
    m.Profile.objects.create(author=author)

    def hear(sender: Any, instance: Any) -> None:
        seen.append((sender.__name__, m.Author.objects.filter(pk=author.pk).exists()))

    with newsroom.database.receivers.connected(post_delete, hear):
        author.delete()
    assert {pair for pair in seen if pair[0] in ("Profile", "Byline")} == {("Profile", True), ("Byline", True)}
    assert seen[-1] == ("Author", False)


def test_a_many_to_many_relation_tells_what_comes_and_goes(m: Any, newsroom: Any) -> None:
    heard: list[Any] = []
    story, tags = newsroom.stories[0], newsroom.tags

    def hear(instance: Any, action: str, reverse: bool, model: Any, pk_set: Any) -> None:
        heard.append((instance.pk, action, reverse, model.__name__, pk_set))

    with newsroom.database.receivers.connected(m2m_changed, hear, sender=m.Story.tags.through):
        story.tags.set([tags[1], tags[3]])
        tags[4].stories.remove(story)
        story.tags.clear()
    assert [h[1] for h in heard] == [
        "pre_remove", "post_remove", "pre_add", "post_add", "pre_remove", "post_remove", "pre_clear", "post_clear",
    ]  # fmt: skip
    assert heard[0] == (story.pk, "pre_remove", False, "Tag", {tags[0].pk})
    assert heard[2] == (story.pk, "pre_add", False, "Tag", {tags[3].pk})
    assert heard[4] == (tags[4].pk, "pre_remove", True, "Story", {story.pk})
    assert heard[6] == (story.pk, "pre_clear", False, "Tag", None)


@pytest.mark.usefixtures("first_keys")
def test_every_write_path_tells_which_rows_changed(m: Any, scope: Any, changes: Heard) -> None:
    tag = m.Tag.objects.create(name="One", slug="one")
    tag.save()
    more = m.Tag.objects.bulk_create([m.Tag(name="t", slug=f"t{n}") for n in range(3)])
    m.Tag.objects.filter(slug="t1").update(name="x")
    m.Tag.objects.bulk_update(more[:1], ["name"])
    m.Tag.objects.filter(pk=more[2].pk).delete()
    tag.delete()
    keys = [row.pk for row in more]
    assert changes == [
        ("Tag", "insert", [1]),
        ("Tag", "update", [1]),
        ("Tag", "insert", keys),
        ("Tag", "update", keys[1:2]),
        ("Tag", "update", keys[:1]),
        ("Tag", "delete", keys[2:]),
        ("Tag", "delete", [1]),
    ]


def test_relations_and_cascades_tell_too(m: Any, newsroom: Any, changes: Heard) -> None:
    story = newsroom.stories[3]
    story.tags.add(newsroom.tags[0])
    ((link, operation, _),) = changes
    assert (link, operation) == ("Story_tags", "insert")
    changes.clear()
    editor, edited = newsroom.authors[1], [s.pk for s in newsroom.stories if s.editor_id == newsroom.authors[1].pk]
    editor.delete()
    told = {(model, operation): keys for model, operation, keys in changes}
    assert told["Author", "delete"] == [editor.pk]
    assert told["Story", "update"] == edited
    assert ("Byline", "delete") in told


def test_a_transaction_tells_once_when_it_is_committed_and_nothing_that_was_taken_back(
    m: Any, scope: Any, changes: Heard
) -> None:
    with atomic():
        first = m.Tag.objects.create(name="One", slug="one")
        second = m.Tag.objects.create(name="Two", slug="two")
        with pytest.raises(IntegrityError), atomic():
            m.Tag.objects.create(name="Three", slug="three")
            m.Tag.objects.create(name="One", slug="one")
        with atomic():
            m.Tag.objects.filter(slug="two").update(name=F("slug"))
        assert changes == []
    assert changes == [("Tag", "insert", [first.pk, second.pk]), ("Tag", "update", [second.pk])]
    changes.clear()
    with pytest.raises(ValueError, match="no"), atomic():
        m.Tag.objects.create(name="Four", slug="four")
        raise ValueError("no")
    assert changes == []


@pytest.mark.usefixtures("first_keys")
@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a transaction"])
def test_raw_sql_tells_which_tables_it_wrote(m: Any, newsroom: Any, changes: Heard, inside: bool) -> None:
    database = newsroom.database
    table, name, mark = (
        quoted(database.dialect, "news_tag"),
        quoted(database.dialect, "name"),
        placeholder(database.dialect),
    )
    statements: list[tuple[str, list[Any]]] = [
        (f"UPDATE {table} SET {name} = {mark} WHERE id = 1", ["x"]),
        (f"INSERT INTO {table} ({name}, slug) VALUES ({mark}, {mark})", ["new", "new"]),
        (f"DELETE FROM {table} WHERE slug = {mark}", ["new"]),
    ]

    def work() -> None:
        for sql, values in statements:
            database.execute(sql, values)
        database.executemany(f"UPDATE {table} SET {name} = {mark} WHERE id = {mark}", [("a", 1), ("b", 2)])
        assert database.fetch(f"SELECT count(*) FROM {table} WHERE {name} = {mark}", ["b"])[0][0] == 1

    if inside:
        with atomic():
            work()
    else:
        work()
    assert changes == [("Tag", "raw", None)] * (1 if inside else 4)


def test_raw_sql_that_triggers_or_ctes_widen_is_told_whole(m: Any, newsroom: Any, changes: Heard) -> None:
    database = newsroom.database
    if database.dialect == "sqlite":
        database.execute(
            "CREATE TEMP TRIGGER widen AFTER UPDATE ON news_tag BEGIN UPDATE news_author SET name = 'x'; END"
        )
        changes.clear()
        database.execute("UPDATE news_tag SET name = 'y'")
        database.execute("DROP TRIGGER widen")
    elif database.dialect == "postgresql":
        database.execute(
            "WITH one AS (UPDATE news_tag SET name = 'y' RETURNING id) UPDATE news_author SET name = 'x' "
            "WHERE id IN (SELECT id FROM one)"
        )
    else:
        database.execute("UPDATE news_tag, news_author SET news_tag.name = 'y', news_author.name = 'x'")
    assert {(model, operation) for model, operation, _ in changes} == {("Tag", "raw"), ("Author", "raw")}


def test_raw_sql_tells_of_a_table_that_has_another_name_in_it(m: Any, newsroom: Any, changes: Heard) -> None:
    newsroom.database.execute("UPDATE news_tag AS t SET name = 'y'")
    assert {(model, operation) for model, operation, _ in changes} == {("Tag", "raw")}


def test_raw_sql_that_fails_tells_nothing(m: Any, scope: Any, changes: Heard) -> None:
    with pytest.raises(ToolkitError):
        scope.database.execute("UPDATE news_tag SET nonsense = 1")
    with pytest.raises(ToolkitError), atomic():
        scope.database.execute("UPDATE news_tag SET name = 'x'")
        scope.database.execute("UPDATE news_tag SET nonsense = 1")
    assert changes == []


def test_a_receiver_of_changed_rows_that_fails_stops_no_other_and_is_reported(
    m: Any, scope: Any, changes: Heard
) -> None:
    def fail() -> None:
        raise OSError("the index is full")

    with scope.database.receivers.connected(rows_changed, fail):
        told = r"fail, a receiver of rows_changed, failed: OSError: the index is full.*is written"
        with pytest.raises(ReceiverError, match=told):
            m.Tag.objects.create(name="One", slug="one")
    assert m.Tag.objects.count() == 1
    assert len(changes) == 1
