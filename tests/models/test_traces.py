"""Every read is recorded, the record can be asked again, and what an edit breaks is what it changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.errors import DatabaseError
from toolkit.models import Case, Count, Exists, F, Func, Now, OuterRef, Q, RawSQL, StdDev, Subquery, Value, When
from toolkit.models.answers import answer_queries, answer_rows
from toolkit.models.batches import note_row
from toolkit.models.functions import Concat, Length, Lower, Sqrt
from toolkit.trace import EDITOR, READER, Scope, Trace, entered

from . import verifying


def render(m: Any, database: Any, page: Callable[[Any], Any], *, locale: str = "en", moment: Any = None) -> Any:
    """What a page gives, and its trace."""
    scope = Scope(None, database, READER, locale, "en", moment or m.NOON, Trace())
    with entered(scope):
        return page(m), scope.trace


def broken(m: Any, database: Any, trace: Trace, *, locale: str = "en", moment: Any = None) -> list[str]:
    """The kinds of inputs that would be read differently now."""
    scope = Scope(None, database, READER, locale, "en", moment or m.NOON)
    return verifying.broken(scope, trace)


def front(m: Any) -> Any:
    return [
        (s.title, s.section.name if s.section else None, [t.name for t in s.tags.all()])
        for s in m.Story.objects.all()[:5]
    ]


def article(m: Any) -> Any:
    story = m.Story.objects.get(slug="story-3")
    return (
        story.title,
        story.editor.name if story.editor else None,
        [a.name for a in story.authors.all()],
        [(b.position, b.author.name) for b in story.bylines.all()],
        [other.title for other in story.related(3)],
    )


def sections(m: Any) -> Any:
    found = m.Section.objects.annotate(n=Count("stories"), tags=Count("stories__tags", distinct=True))
    return [(s.name, s.n, s.tags, s.stories.count(), s.stories.exists()) for s in found]


def totals(m: Any) -> Any:
    return (
        m.Story.objects.aggregate(n=Count("pk"), tags=Count("tags")),
        list(m.Story.objects.values("section__slug").annotate(n=Count("pk"))),
        list(m.Story.objects.values_list("slug", flat=True)[3:6]),
        m.Story.objects.filter(tags__in=m.Tag.objects.filter(name__icontains="tag 1")).count(),
        m.Story.objects.exclude(Q(section__slug="section-0") | Q(authors__name="Author 1")).exists(),
    )


def lean(m: Any) -> Any:
    return [(s.title, s.weight) for s in m.Story.objects.only("title")[:4]]


def nested(m: Any) -> Any:
    newest = m.Story.objects.filter(section=OuterRef("pk")).order_by("-published").values("slug")[:1]
    quiet = ~Exists(m.Byline.objects.filter(story__section=OuterRef("pk"), author__name="Author 1"))
    size = Case(When(position__gt=0, then=F("position") + 1), default=0)
    return (
        [(s.newest, s.size) for s in m.Section.objects.annotate(newest=Subquery(newest), size=size)],
        m.Section.objects.filter(quiet).count(),
        list(m.Story.objects.order_by(F("expires").desc(nulls_first=True)).values_list("slug", flat=True)[:4]),
        list(m.Tag.objects.annotate(n=RawSQL("(SELECT count(*) FROM news_byline)", ())).values_list("n", flat=True)),
    )


def absent(m: Any) -> Any:
    return m.Story.objects.filter(slug="not-there").first(), m.Comment.objects.count()


def computed(m: Any) -> Any:
    line = Concat(Lower("section__name"), Value(": "), "weight")
    lines = m.Story.objects.annotate(line=line).filter(status__lt=Value("m")).values_list("line", flat=True)
    return list(lines), m.Author.objects.aggregate(n=StdDev(Sqrt(Length("name"))))


def archive(m: Any) -> Any:
    madrid = ZoneInfo("Europe/Madrid")
    months = list(m.Story.objects.dates("published", "month", tzinfo=madrid))
    named = m.Story.objects.filter(published__date__in=[m.NOON.date(), F("expires__date")], title__contains=F("status"))
    return months, named.count(), m.Story.objects.filter(weight__gte=m.Section.objects.values("position")[:1]).exists()


PAGES = [front, article, sections, totals, lean, nested, absent, computed, archive]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("locale", ["en", "es"])
def test_a_trace_holds_while_nothing_changes(m: Any, newsroom: Any, page: Any, locale: str) -> None:
    newsroom.stories[3].translate("es", slug="story-3", title="Historia")
    _, trace = render(m, newsroom.database, page, locale=locale)
    assert len(trace) > 0
    assert broken(m, newsroom.database, trace, locale=locale) == []


def test_what_a_function_by_name_reads_may_be_in_any_table(m: Any, newsroom: Any) -> None:
    _, trace = render(m, newsroom.database, lambda m: list(m.Tag.objects.annotate(x=Func("name", function="UPPER"))))
    tables = [{table for table, _ in shape.record()["footprint"]} for shape in trace.shapes.values()]
    assert any({"news_tag", "news_author", "news_byline"} <= found for found in tables)


def test_records_are_plain_data(m: Any, newsroom: Any) -> None:
    _, trace = render(m, newsroom.database, article)
    for shape in trace.shapes.values():
        json.dumps(shape.record())


EDITS = [
    ("a title on the page", front, "UPDATE news_story SET title = 'New' WHERE slug = 'story-3'", ["row"]),
    ("a title off the page", front, "UPDATE news_story SET title = 'New' WHERE slug = 'story-13'", []),
    ("the name of a section on it", front, "UPDATE news_section SET name = 'New' WHERE slug = 'section-0'", ["row"]),
    ("the name of a tag on it", front, "UPDATE news_tag SET name = 'New' WHERE slug = 'tag-2'", ["query", "row"]),
    ("a row that a count counts", sections, "UPDATE news_story SET status = 'draft' WHERE slug = 'story-3'", None),
    ("a weight that a count does not see", sections, "UPDATE news_story SET weight = 9", []),
    ("a title that a total does not see", totals, "UPDATE news_story SET title = 'x'", []),
    ("a field that was deferred and read", lean, "UPDATE news_story SET weight = 99 WHERE slug = 'story-3'", ["row"]),
    ("a field that was never read", lean, "UPDATE news_story SET editor_id = NULL", []),
    ("what a function was given", computed, "UPDATE news_section SET name = 'New' WHERE slug = 'section-0'", ["query"]),
    ("what an aggregate of one was given", computed, "UPDATE news_author SET name = 'x' WHERE id = 1", ["query"]),
    ("what no function was given", computed, "UPDATE news_author SET slug = 'x' WHERE id = 1", []),
    ("a day of an archive", archive, "UPDATE news_story SET published = '2020-01-01' WHERE weight = 3", ["query"]),
    ("what stands on the right of a comparison", archive, "UPDATE news_section SET position = 99", ["query"]),
    ("a row looked for in vain", absent, "UPDATE news_story SET slug = 'not-there' WHERE slug = 'story-5'", ["query"]),
]  # fmt: skip


@pytest.mark.usefixtures("first_keys")
@pytest.mark.parametrize(("page", "sql", "kinds"), [edit[1:] for edit in EDITS], ids=[edit[0] for edit in EDITS])
def test_an_edit_breaks_what_it_changed(m: Any, newsroom: Any, page: Any, sql: str, kinds: list[str] | None) -> None:
    _, trace = render(m, newsroom.database, page)
    newsroom.database.execute(sql)
    newsroom.database.changed()
    found = broken(m, newsroom.database, trace)
    assert found == kinds if kinds is not None else found


def test_a_column_that_is_only_loaded_decides_about_no_list(m: Any, newsroom: Any) -> None:
    """What it holds is an input of each row: a weight that changes has no list of stories asked again."""

    def page(m: Any) -> Any:
        return [story.weight for story in m.Story.objects.all()[:5]]

    _, trace = render(m, newsroom.database, page)
    (shape,) = trace.shapes.values()
    decides = {column for _, column in shape.footprint}
    assert {"id", "published", "status"} <= decides
    assert decides.isdisjoint({"title", "slug", "weight"})
    newsroom.database.execute("UPDATE news_story SET weight = weight + 1")
    assert set(broken(m, newsroom.database, trace)) == {"row"}


def test_pages_of_one_list_are_asked_for_together(m: Any, newsroom: Any) -> None:
    """Each page alone would have the whole list found and sorted again."""

    def page(m: Any) -> Any:
        return [
            [list(tag.stories.all()[start : start + 2]) for start in (0, 2, 4, 6)] for tag in m.Tag.objects.all()[:3]
        ]

    _, trace = render(m, newsroom.database, page)
    with newsroom.database.log() as queries:
        assert broken(m, newsroom.database, trace) == []
    assert len([query for query in queries if "LIMIT" in query.sql]) == 1 + 3 * 2, "first pages have no offset"
    newsroom.database.execute("UPDATE news_story SET published = '2026-02-28 13:00:00.000000' WHERE slug = 'story-9'")
    assert broken_slices(trace, m, newsroom.database) == broken_slices(trace, m, newsroom.database, together=False)


def broken_slices(trace: Trace, m: Any, database: Any, *, together: bool = True) -> set[Any]:
    """The lists that are others now, asked for together or each alone."""
    scope = Scope(None, database, READER, "en", "en", m.NOON)
    records = {key: shape.record() for key, shape in trace.shapes.items()}
    keys = trace.keys_of("query")
    answers = answer_queries(scope, records, keys) if together else {}
    for key in keys:
        answers.setdefault(key, answer_queries(scope, records, [key])[key])
    return {key for key in keys if answers[key] != trace.inputs["query", key]}


def test_the_clock_breaks_what_it_crosses(m: Any, newsroom: Any) -> None:
    _, trace = render(m, newsroom.database, front)
    later = newsroom.stories[1].published
    assert broken(m, newsroom.database, trace, moment=later - timedelta(microseconds=1)) == []
    assert broken(m, newsroom.database, trace, moment=later) == ["query"]
    clocks = {tuple(each) for shape in trace.shapes.values() for each in shape.record()["clock"]}
    assert clocks == {("news_story", "published", 0), ("news_story", "expires", 0)}
    assert not any(shape.opaque for shape in trace.shapes.values())


def recent(m: Any) -> Any:
    week = Now() - timedelta(days=7)
    new = m.Story.objects.filter(published__range=(week, Now() + timedelta(hours=1))).values_list("slug", flat=True)
    return list(new), m.Story.objects.filter(Q(weight=1) | Q(published__lt=timedelta(days=-7) + Now())).count()


def test_it_is_known_when_a_moment_so_much_before_or_after_now_is_crossed(m: Any, newsroom: Any) -> None:
    found, trace = render(m, newsroom.database, recent)
    assert len(found[0]) == 6
    days = timedelta(days=7) // timedelta(microseconds=1)
    clocks = {tuple(each) for shape in trace.shapes.values() for each in shape.record()["clock"]}
    assert clocks == {("news_story", "published", later) for later in (0, -days, 3_600_000_000)} | {
        ("news_story", "expires", 0)
    }
    assert not any(shape.opaque for shape in trace.shapes.values())
    falls_off = newsroom.stories[9].published + timedelta(days=7)
    assert broken(m, newsroom.database, trace, moment=falls_off) == []
    assert broken(m, newsroom.database, trace, moment=falls_off + timedelta(microseconds=1)) == ["query", "query"]


def ages(m: Any) -> Any:
    return m.Story.objects.annotate(age=Now() - F("published")).filter(age__lte=timedelta(days=3)).count()


def test_a_question_with_the_moment_somewhere_else_is_asked_again_at_every_moment(m: Any, newsroom: Any) -> None:
    _, trace = render(m, newsroom.database, ages)
    assert [shape.record()["opaque"] for shape in trace.shapes.values()] == [True]
    assert broken(m, newsroom.database, trace, moment=m.NOON + timedelta(hours=12)) == ["query"]


def test_each_page_has_its_own_part_of_what_was_loaded_together(m: Any, newsroom: Any) -> None:
    with entered(Scope(None, newsroom.database, READER, "en", "en", m.NOON)):
        stories = list(m.Story.objects.only("title"))
    traces = []
    for story in stories[:2]:
        scope = Scope(None, newsroom.database, READER, "en", "en", m.NOON, Trace())
        with entered(scope):
            note_row(scope.trace, story)  # as the renderer does with a page's subject
            assert [t.name for t in story.tags.all()] and story.weight >= 0 and story.slug
        traces.append(scope.trace)
    keys = [{key[2] for kind, key in trace.inputs if kind == "row" and key[0] == "news_story"} for trace in traces]
    assert keys == [{stories[0].pk}, {stories[1].pk}]
    newsroom.database.execute("UPDATE news_story SET weight = 77 WHERE slug = ?".replace(
        "?", "?" if newsroom.database.dialect == "sqlite" else "%s"), [stories[1].slug])  # fmt: skip
    assert [{*broken(m, newsroom.database, trace)} for trace in traces] == [set(), {"row"}]


def test_keys_that_are_no_numbers_survive_being_written_down(m: Any, scope: Any) -> None:
    import msgspec

    camera = m.Camera.objects.create(name="Leica")
    m.Photograph.objects.create(code="one", camera=camera)

    def page(m: Any) -> Any:
        return [p.camera.name for p in m.Photograph.objects.all()], len(m.Camera.objects.get().photographs.all())

    _, trace = render(m, scope.database, page)
    thawed: list[Any] = msgspec.msgpack.decode(msgspec.msgpack.encode([[k, list(key)] for k, key in trace.inputs]))
    rows = [tuple(key) for kind, key in thawed if kind == "row"]
    answers = answer_rows(Scope(None, scope.database, READER, "en", "en", m.NOON), rows)
    assert all(answers.values())


TABLES = {
    "news_story": ["title", "slug", "section_id", "editor_id", "weight", "status", "published", "expires"],
    "news_section": ["name", "position", "visible"],
    "news_tag": ["name"],
    "news_author": ["name"],
    "news_byline": ["author_id", "position"],
    "news_story_tags": ["tag_id"],
}
VALUES: dict[str, Any] = {
    "status": ["live", "draft"],
    "published": ["2026-02-01 00:00:00+00:00", "2026-03-01 11:00:00+00:00", "2026-09-09 00:00:00+00:00"],
    "expires": [None, "2026-01-01 00:00:00+00:00", "2027-01-01 00:00:00+00:00"],
    "visible": [False, True],
    "name": ["Tag 1", "Zebra", "Anton"],
    "title": ["Anew", "Story 3"],
    "slug": ["not-there", "story-3", "fresh"],
}


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_page_whose_trace_holds_would_come_out_the_same(m: Any, newsroom: Any, data: st.DataObject) -> None:
    """Exactness: whatever was edited behind the models' back, an unbroken trace means an unchanged page."""
    database = newsroom.database
    mark = "?" if database.dialect == "sqlite" else "%s"
    before = {page: render(m, database, page) for page in PAGES}
    database.execute("BEGIN")
    try:
        for _ in range(data.draw(st.integers(1, 3))):
            table = data.draw(st.sampled_from(sorted(TABLES)))
            key = data.draw(st.sampled_from([row[0] for row in database.fetch(f"SELECT id FROM {table} ORDER BY id")]))
            column = data.draw(st.sampled_from([*TABLES[table], "DELETE"]))
            database.execute("SAVEPOINT one")
            try:
                if column == "DELETE":
                    database.execute(f"DELETE FROM {table} WHERE id = {mark}", [key])
                else:
                    value = data.draw(st.sampled_from(VALUES.get(column, [1, 2, 3])))
                    database.execute(f"UPDATE {table} SET {column} = {mark} WHERE id = {mark}", [value, key])
                database.execute("RELEASE SAVEPOINT one")
            except DatabaseError:
                database.execute("ROLLBACK TO SAVEPOINT one")
        for page, (result, trace) in before.items():
            if not broken(m, database, trace):
                assert render(m, database, page)[0] == result, page.__name__
    finally:
        database.execute("ROLLBACK")
        database.changed()


def test_nothing_is_recorded_when_nobody_asks(m: Any, newsroom: Any) -> None:
    with entered(m.look(newsroom.database, EDITOR)) as scope:
        front(m)
    assert scope.trace is None


def test_a_field_that_sql_by_hand_left_out_is_a_read_of_each_row(m: Any, newsroom: Any) -> None:
    def page(m: Any) -> Any:
        return [tag.name for tag in m.Tag.objects.raw("SELECT id FROM news_tag ORDER BY id")]

    for slug in ("tag-0", "tag-4"):
        _, trace = render(m, newsroom.database, page)
        newsroom.database.execute(f"UPDATE news_tag SET name = 'New' WHERE slug = '{slug}'")
        newsroom.database.changed()
        assert broken(m, newsroom.database, trace) == ["row"]
