"""A load takes as much memory as what tells its rows, and ends in the same whatever is in memory at a time."""

from __future__ import annotations

import pickle
import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from toolkit.content import saving
from toolkit.content.spool import Content, Head, Spool
from toolkit.models.fields.base import DATABASE_DEFAULT
from toolkit.trace import entered

from .conftest import Desk, Story, make_scope


def head() -> Head:
    return Head(0, "k", None, (), (), [], [], (), ())


def packed(content: Content) -> bytes:
    return pickle.dumps(tuple(content))


def test_what_rows_say_comes_back_in_the_order_asked() -> None:
    spool = Spool()
    said = [Content([number, "ü" * 9000, b"\0", Decimal("1.10")], (1,), {"es": [None, "o"]}) for number in range(5)]
    heads = spool.add([head()] * 5, map(packed, said))
    assert spool.read(heads[::-1]) == said[::-1]
    assert spool.read([]) == []
    spool.close()


def test_a_value_that_the_database_makes_is_itself_again() -> None:
    spool = Spool()
    said = Content([DATABASE_DEFAULT, datetime(2026, 1, 2, tzinfo=UTC)], (), {})
    (one,) = spool.add([head()], [packed(said)])
    (found,) = spool.read([one])
    assert found.values[0] is DATABASE_DEFAULT
    assert found.values[1] == said.values[1]
    spool.close()


def test_texts_wait_on_disk_until_they_are_written(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "ROWS", 10)
    desk.use("sections", "stories")
    desk.write("content/sections.yaml", "- {slug: news, name: News}\n")
    text = "All that was said. " * 2_500
    for number in range(100):
        desk.write(f"content/stories/s{number}.md", f"---\ntitle: T\nsection: news\n---\n{text}{number}\n")
    tracemalloc.start()
    try:
        assert desk.load(workers=0).added == 101
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100 * len(text) / 2


def write_stories(desk: Desk, names: list[str], *, turn: int) -> None:
    """As many stories as names, each called after one that is so many places further, in two languages."""
    for number in range(len(names)):
        name, other = names[(number + turn) % len(names)], names[number - turn]
        desk.write(
            f"content/stories/s{number}.md",
            f"---\nslug: {name}\ntitle: {{en: E{number}, es: S{number}}}\nsection: news\ntags: [{other}]\n---\n",
        )
        desk.write(f"content/stories/s{number}.ar.md", f"---\nslug: {other}-ar\ntitle: A{number}\n---\n")


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_rows_and_keys_do_not_depend_on_how_many_are_in_memory(
    desk: Desk, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "ROWS", rows)
    names = ["a", "b", "c", "d", "e"]
    desk.use("sections", "tags", "stories")
    desk.write("content/sections.yaml", "- {slug: news, name: News}\n")
    desk.write("content/tags.csv", "slug,name\n" + "".join(f"{name},{name}\n" for name in names))
    write_stories(desk, names, turn=0)
    assert desk.counts() == (11, 0, 0, 0)
    assert [(story.pk, story.slug) for story in Story.objects.order_by("pk")] == list(enumerate(names, 1))
    write_stories(desk, names, turn=1)  # every story takes another's slug, and its translation's too
    desk.write("content/stories/s5.md", "---\nslug: f\ntitle: New\nsection: news\n---\n")
    assert desk.counts() == (1, 5, 6, 0)
    found = {story.pk: story.slug for story in Story.objects.order_by("pk")}
    assert found == {1: "b", 2: "c", 3: "d", 4: "e", 5: "a", 6: "f"}
    rows_of = desk.scope.database.fetch
    slugs = rows_of("SELECT source_id, slug FROM news_story_translation WHERE locale = 'ar' ORDER BY source_id")
    assert [tuple(row) for row in slugs] == [(1, "e-ar"), (2, "a-ar"), (3, "b-ar"), (4, "c-ar"), (5, "d-ar")]
    clean = Desk(desk.folder, make_scope(), desk.sources)
    try:
        with entered(clean.scope):
            clean.load()
            assert clean.dump()["Story"] == desk.dump()["Story"]
    finally:
        clean.scope.database.close()


@pytest.mark.parametrize("rows", [1, 3, 100])
def test_every_row_that_the_database_refuses_is_told(desk: Desk, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "ROWS", rows)
    desk.use("links")
    urls = ["a", "b", "a", "c", "b", "d"]
    lines = ",\n".join(f'{{"code": "{number}", "url": "{url}"}}' for number, url in enumerate(urls))
    desk.write("content/links.json", f"[\n{lines}\n]\n")
    assert [problem.partition(": ")[0] for problem in desk.problems()] == [
        "content/links.json:4:22",
        "content/links.json:6:22",
    ]
    assert desk.scope.database.fetch("SELECT count(*) FROM news_link")[0][0] == 0
