"""SQL that is written by hand: instances of it, a cursor for it, and how pages remember it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from toolkit.errors import DatabaseError, FieldError, UnplannedQuery
from toolkit.models import FETCH_RAISE, Prefetch
from toolkit.models.answers import answer_queries, answer_rows
from toolkit.trace import READER, entered

pytestmark = pytest.mark.usefixtures("first_keys")

HEAVY = "SELECT id, title, weight FROM news_story WHERE weight >= %s ORDER BY id"


def test_rows_of_a_statement_are_instances(m: Any, newsroom: Any) -> None:
    found = m.Story.objects.raw(HEAVY, [4])
    assert [story.title for story in found] == ["Story 4", "Story 9", "Story 14", "Story 19"]
    assert (len(found), bool(found), found[1].weight, [s.pk for s in found[:2]]) == (4, True, 4, [5, 10])
    assert isinstance(found[0], m.Story)
    assert m.Story.objects.raw(HEAVY, params=[4])[0].pk == 5


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM news_comment",
        "-- now\n/* gone */ UPDATE news_story SET weight = 99",
        "WITH few AS (SELECT 1) DELETE FROM news_story",
    ],
)
def test_what_is_no_question_is_refused_before_it_does_anything(m: Any, newsroom: Any, sql: str) -> None:
    m.Comment.objects.create(story=newsroom.stories[0], text="Here")
    with pytest.raises(
        (FieldError, DatabaseError), match=r"is no question|syntax"
    ):  # MariaDB knows no WITH of the last
        list(m.Story.objects.raw(sql))
    assert (m.Comment.objects.count(), m.Story.objects.filter(weight=99).count()) == (1, 0)
    assert len(m.Story.objects.raw("WITH few AS (SELECT id FROM news_story WHERE id < 3) SELECT id FROM few")) == 2


def test_values_may_have_names_and_a_percent_sign_is_doubled(m: Any, newsroom: Any) -> None:
    sql = "SELECT id FROM news_story WHERE weight = %(w)s AND title LIKE '%%1%%' AND weight = %(w)s ORDER BY id"
    assert [story.pk for story in m.Story.objects.raw(sql, {"w": 1})] == [2, 12, 17]
    without = "SELECT id FROM news_story WHERE title LIKE '%9'"
    assert [story.pk for story in m.Story.objects.raw(without)] == [10, 20]


VALUES: dict[str, Any] = {
    "decimal": Decimal("2.50"),
    "uuid": UUID(int=7),
    "duration": timedelta(hours=1, microseconds=1),
    "time": time(9, 30),
    "date": date(2026, 3, 1),
    "instant": datetime(2026, 3, 1, 13, tzinfo=timezone(timedelta(hours=1))),
    "boolean": True,
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_is_looked_for_as_it_is_kept(m: Any, scope: Any, name: str) -> None:
    """The drivers would write a UUID as text, and leave out the offset of an instant: no row has that."""
    m.Everything.objects.create(**VALUES)
    sql = f"SELECT id FROM news_everything WHERE {scope.database.backend.quote_marks[0]}{name}"
    sql += f"{scope.database.backend.quote_marks[1]} = %s"
    assert len(m.Everything.objects.raw(sql, [VALUES[name]])) == 1
    with scope.database.cursor() as cursor:
        assert len(cursor.execute(sql.replace("%s", "%(value)s"), {"value": VALUES[name]}).fetchall()) == 1


@pytest.mark.parametrize("value", [{"a": 1}, {1, 2}])
def test_what_is_no_single_value_is_refused(m: Any, newsroom: Any, value: Any) -> None:
    with pytest.raises(DatabaseError, match=r"was given .*, which is no single value\. Write it as JSON"):
        list(m.Story.objects.raw(HEAVY, [value]))
    with pytest.raises(DatabaseError, match=r"which is no single value\. Give its pk"):
        list(m.Story.objects.raw(HEAVY, [newsroom.stories[0]]))


def test_what_a_statement_leaves_out_is_loaded_when_touched_for_all_at_once(m: Any, newsroom: Any) -> None:
    stories = list(m.Story.objects.raw(HEAVY, [4]))
    with newsroom.database.counted() as queries:
        assert [story.slug for story in stories] == ["story-4", "story-9", "story-14", "story-19"]
        assert [story.section.slug for story in stories] == ["section-1", "section-0", "section-2", "section-1"]
    assert len(queries) == 3
    assert isinstance(stories[0].published, datetime)


def test_what_no_field_has_is_an_attribute_and_names_can_be_translated(m: Any, newsroom: Any) -> None:
    sql = "SELECT id AS number, upper(title) AS loud, weight * 2 AS twice FROM news_story WHERE id = 2"
    story = m.Story.objects.raw(sql, translations={"number": "id"})[0]
    assert (story.pk, story.loud, story.twice, story.title) == (2, "STORY 1", 2, "Story 1")


@pytest.mark.parametrize("name", ["save", "pk", "section", "tags", "objects", "_mask", "_database", "_state"])
def test_a_column_does_not_hide_what_rows_have(m: Any, newsroom: Any, name: str) -> None:
    with pytest.raises(FieldError, match=rf"raw\(\): the column '{name}' would hide Story\.{name}\. Give it another"):
        list(m.Story.objects.raw(f"SELECT id, title AS {name} FROM news_story"))


def test_the_names_of_the_columns_are_told(m: Any, newsroom: Any) -> None:
    found = m.Story.objects.raw(
        "SELECT id AS number, upper(title) AS loud FROM news_story", translations={"number": "id"}
    )
    assert found.columns == ["id", "loud"]


def test_rows_come_in_chunks_which_are_not_kept(m: Any, newsroom: Any) -> None:
    found = m.Story.objects.raw(HEAVY, [0])
    with newsroom.database.counted() as queries:
        seen = [(story.pk, story.section.slug) for story in found.iterator(chunk_size=8)]
    assert [key for key, _ in seen] == [story.pk for story in newsroom.stories]
    assert len([query for query in queries if "news_section" in query]) == 3  # once for each chunk
    assert [story.pk for story in found.iterator()] == [story.pk for story in newsroom.stories]
    with entered(m.look(newsroom.database, READER)):
        assert len(list(m.Story.objects.raw(HEAVY, [0]).iterator(chunk_size=3))) == m.Story.objects.count() < 20
    for told, rows in (
        ("a chunk has at least one row", found.iterator(chunk_size=0)),
        ("is no question", m.Story.objects.raw("DELETE FROM news_story").iterator()),
        ("needs the primary key 'id'", m.Story.objects.raw("SELECT title FROM news_story WHERE 1 = 0").iterator()),
    ):
        with pytest.raises(FieldError, match=told):
            list(rows)
    assert m.Story.objects.count() == 20


def test_a_page_that_goes_through_chunks_remembers_the_answer(m: Any, newsroom: Any) -> None:
    scope = m.look(newsroom.database, traced=True)
    with entered(scope):
        assert len(list(m.Story.objects.raw(HEAVY, [4]).iterator(chunk_size=2))) == 4
    assert all(answers(m.look(newsroom.database), scope.trace))
    m.Story.objects.filter(pk=2).update(weight=4)
    assert not all(answers(m.look(newsroom.database), scope.trace))


def test_relations_are_loaded_right_after_the_rows(m: Any, newsroom: Any) -> None:
    last = Prefetch("comments", queryset=m.Comment.objects.order_by("-pk"), to_attr="newest")
    m.Comment.objects.create(story=newsroom.stories[4], text="Here")
    for found in (
        m.Story.objects.raw(HEAVY, [4]).prefetch_related("tags", last),
        m.Story.objects.prefetch_related("tags", last).raw(HEAVY, [4]),
    ):
        with newsroom.database.counted() as queries:
            stories = list(found)
            tags = [len(story.tags.all()) for story in stories]
            assert (tags, [len(story.newest) for story in stories]) == ([2] * 4, [1, 0, 0, 0])
        assert len(queries) == 3
        assert [len(story.newest) for story in found.iterator(chunk_size=1)] == [1, 0, 0, 0]
    with newsroom.database.counted() as queries:
        list(found.prefetch_related(None))
    assert len(queries) == 1
    with pytest.raises(FieldError, match="tgas"):
        list(found.prefetch_related("tgas"))


def test_the_fetch_mode_holds_for_rows_of_a_statement(m: Any, newsroom: Any) -> None:
    for found in (
        m.Story.objects.raw(HEAVY, [4]).fetch_mode(FETCH_RAISE),
        m.Story.objects.fetch_mode(FETCH_RAISE).raw(HEAVY, [4]),
    ):
        with pytest.raises(UnplannedQuery):
            found[0].slug  # noqa: B018 - it is read
    with pytest.raises(FieldError, match=r"fetch_mode\('raise'\): that is no fetch mode"):
        m.Story.objects.raw(HEAVY, [4]).fetch_mode("raise")


def test_saving_writes_what_was_loaded_alone(m: Any, newsroom: Any) -> None:
    story = m.Story.objects.raw("SELECT id, weight FROM news_story WHERE id = 3")[0]
    m.Story.objects.filter(pk=3).update(title="Elsewhere")
    story.weight = 41
    story.save()
    found = m.Story.objects.get(pk=3)
    assert (found.weight, found.title) == (41, "Elsewhere")


def test_a_value_never_becomes_sql(m: Any, newsroom: Any) -> None:
    evil = "'; DROP TABLE news_story; --"
    assert not m.Story.objects.raw("SELECT id FROM news_story WHERE title = %s", [evil])
    assert m.Story.objects.count() == 20


SEVERAL = "SELECT id FROM news_story; DELETE FROM news_byline"


@pytest.mark.parametrize(
    "ask",
    [
        lambda m, database: list(m.Story.objects.raw(SEVERAL)),
        lambda m, database: list(m.Story.objects.raw(f"{SEVERAL} WHERE id > %s", [0])),
        lambda m, database: database.fetch(SEVERAL),
        lambda m, database: database.execute(SEVERAL),
        lambda m, database: database.cursor().execute(SEVERAL),
    ],
)
def test_several_statements_are_refused(m: Any, newsroom: Any, ask: Any) -> None:
    """PostgreSQL ran all of them."""
    with pytest.raises(DatabaseError, match=r"(?i)one statement (is run )?at a time|one is run at a time"):
        ask(m, newsroom.database)
    assert m.Byline.objects.count() == 20
    assert len(m.Story.objects.raw("SELECT id FROM news_story WHERE title <> 'a;b';")) == 20


def test_what_a_reader_may_not_see_is_left_out(m: Any, newsroom: Any) -> None:
    every = "SELECT id FROM news_story"
    with entered(m.look(newsroom.database, READER)):
        public = m.Story.objects.count()
        assert len(m.Story.objects.raw(every)) == public < 20
        assert len(m.Story.objects.unrestricted().raw(every)) == 20


@pytest.mark.parametrize(
    ("ask", "kind", "told"),
    [
        (lambda m: m.Story.objects.raw("SELECT title FROM news_story"), FieldError, "needs the primary key 'id'"),
        (lambda m: m.Story.objects.filter(weight=1).raw("SELECT 1"), FieldError, r"takes no notice of filter\(\)"),
        (lambda m: m.Story.objects.raw("SELECT id FROM news_story WHERE id = %s", []), DatabaseError, "no values were"),
        (lambda m: m.Story.objects.raw(HEAVY, [1, 2]), DatabaseError, "has 1 placeholders for 2 values"),
        (lambda m: m.Story.objects.raw(f"{HEAVY} LIMIT %s", [1]), DatabaseError, "more '%s' than values"),
        (lambda m: m.Story.objects.raw(HEAVY, {"weight": 1}), DatabaseError, "the values have names"),
        (
            lambda m: m.Story.objects.raw("SELECT id FROM news_story WHERE id = %(pk)s", {"pkk": 1}),
            DatabaseError,
            r"'%\(pk\)s', and there is no such value\. Did you mean 'pkk'",
        ),
        (lambda m: m.Story.objects.raw("SELECT id LIKE '%d'", [1]), DatabaseError, "'%d', which is no placeholder"),
        (lambda m: m.Story.objects.raw("SELECT id FROM gone"), DatabaseError, "gone"),
        (
            lambda m: m.Story.objects.raw("SELECT id FROM news_story", translations={"id": "titel"}),
            FieldError,
            "Did you mean 'title'",
        ),
    ],
)
def test_a_statement_that_makes_no_sense_is_refused(m: Any, newsroom: Any, ask: Any, kind: Any, told: str) -> None:
    with pytest.raises(kind, match=told):
        list(ask(m))


# traces


def answers(scope: Any, trace: Any) -> list[bool]:
    """For each input, whether it would be read the same today, asked as another process would."""
    records = {name: shape.record() for name, shape in trace.shapes.items()}
    asked = {
        "row": answer_rows(scope, trace.keys_of("row")),
        "query": answer_queries(scope, records, trace.keys_of("query")),
    }
    return [asked[item.kind][item.key] == item.digest for item in trace]


def test_a_page_remembers_what_a_statement_answered(m: Any, newsroom: Any) -> None:
    scope = m.look(newsroom.database, READER, traced=True)
    with entered(scope):
        assert [story.slug for story in m.Story.objects.raw(HEAVY, [4])] == [
            "story-4",
            "story-9",
            "story-14",
            "story-19",
        ]
    assert all(shape.record().get("opaque") for name, shape in scope.trace.shapes.items() if name.startswith("raw:"))
    assert all(answers(m.look(newsroom.database, READER), scope.trace))
    m.Story.objects.filter(pk=2).update(weight=4)
    assert not all(answers(m.look(newsroom.database, READER), scope.trace))


def test_a_column_that_was_touched_later_is_remembered_too(m: Any, newsroom: Any) -> None:
    scope = m.look(newsroom.database, traced=True)
    with entered(scope):
        assert m.Story.objects.raw("SELECT id FROM news_story WHERE id = 2")[0].slug == "story-1"
    m.Story.objects.filter(pk=2).update(weight=9)
    assert all(answers(m.look(newsroom.database), scope.trace))
    m.Story.objects.filter(pk=2).update(slug="moved")
    assert not all(answers(m.look(newsroom.database), scope.trace))


def test_a_cursor_reads_and_writes(m: Any, newsroom: Any) -> None:
    with newsroom.database.cursor() as cursor:
        cursor.execute("SELECT id, weight FROM news_story WHERE weight > %s ORDER BY id", [3])
        assert [column[0] for column in cursor.description] == ["id", "weight"]
        assert tuple(cursor.fetchone()) == (5, 4)
        assert len(cursor.fetchmany(2)) == 2
        assert [tuple(row) for row in cursor] == [(20, 4)]
        assert cursor.execute("UPDATE news_story SET weight = %(w)s WHERE id = 1", {"w": 7}).rowcount == 1
        cursor.executemany("UPDATE news_story SET weight = %s WHERE id = %s", [(8, 2), (9, 3)])
    assert list(m.Story.objects.order_by("pk").values_list("weight", flat=True)[:3]) == [7, 8, 9]
    for ask in (lambda cursor: cursor.rowcount, lambda cursor: cursor.fetchone(), list):
        with pytest.raises(DatabaseError, match="before something was executed"):
            ask(newsroom.database.cursor())


def test_a_row_that_cannot_be_given_is_told_as_what_a_statement_cannot_do(m: Any, newsroom: Any) -> None:
    """SQLite finds a row when it is fetched."""
    if newsroom.database.dialect != "sqlite":
        pytest.skip("servers find all rows when the statement is run")
    sql = "SELECT id, CASE WHEN weight = 4 THEN json('{') END FROM news_story ORDER BY weight"
    with newsroom.database.cursor() as cursor, pytest.raises(DatabaseError, match=r"malformed JSON \(in: SELECT id"):
        cursor.execute(sql).fetchall()
    with pytest.raises(DatabaseError, match="malformed JSON"):
        list(m.Story.objects.raw(sql))


def test_a_page_remembers_what_a_cursor_answered(m: Any, newsroom: Any) -> None:
    scope = m.look(newsroom.database, traced=True)
    with entered(scope), newsroom.database.cursor() as cursor:
        rows = cursor.execute("SELECT id FROM news_story WHERE weight = %s ORDER BY id", [4]).fetchall()
        assert [row[0] for row in rows] == [5, 10, 15, 20]
        assert cursor.fetchone() is None
    assert answers(m.look(newsroom.database), scope.trace) == [True]
    m.Story.objects.filter(pk=5).update(weight=0)
    assert answers(m.look(newsroom.database), scope.trace) == [False]
