"""Rows written to files and loaded again are the same rows; the same rows give the same bytes."""

from __future__ import annotations

import string
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tables import opened_with, resolved
from toolkit import models
from toolkit.content import Source, export_model
from toolkit.content.layout import make_layouts
from toolkit.content.stored import read_stored
from toolkit.errors import ContentError, Problems
from toolkit.trace import Scope, entered

from .conftest import SOURCES, Author, Desk, Link, Place, Section, Story, Tag, make_scope

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
LINE = TEXT.filter(bool)
SLUG = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=20)
MOMENT = st.datetimes(
    datetime(1000, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(9000, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5))]),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | LINE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
).filter(lambda value: isinstance(value, dict | list) and value)
STORY = st.fixed_dictionaries(
    {"title": LINE, "body": TEXT},
    optional={
        "published": MOMENT,
        "day": st.dates(date(1000, 1, 1)),
        "weight": st.integers(-(2**63), 2**63 - 1),
        "price": st.integers(-(10**6) + 1, 10**6 - 1).map(lambda cents: Decimal(cents).scaleb(-2)),
        "live": st.booleans(),
        "extra": JSON,
    },
)
SOME = settings(max_examples=60, suppress_health_check=list(HealthCheck))


@contextmanager
def two_newsrooms() -> Iterator[tuple[Desk, Desk]]:
    """Two empty databases that share a folder."""
    with tempfile.TemporaryDirectory() as folder:
        desks = Desk(Path(folder), make_scope()), Desk(Path(folder), make_scope())
        yield desks
        for desk in desks:
            desk.scope.database.close()


def said(desk: Desk, source: Source, sources: list[Source]) -> list[Any]:
    """The rows of a source's model as they would be written, without what the database chose."""
    layout = make_layouts([source, *sources], dialect="sqlite", locales=desk.locales)[0]
    rows = read_stored(desk.scope.database, layout)
    return [replace(row, pk=None, path=None, values={**row.values, "id": None}) for row in rows]


def check(before: Desk, after: Desk, sources: list[Source]) -> None:
    """Export from one, load into the other, and compare."""
    with entered(before.scope):
        texts = {}
        for source in sources:
            for path in export_model(before.scope, source, before.folder, sources=sources, locales=before.locales):
                texts[path] = (before.folder / path).read_bytes()
    with entered(after.scope):
        after.sources = sources
        after.load()
        for source in sources:
            assert said(after, source, sources) == said(before, source, sources)
            export_model(after.scope, source, after.folder, sources=sources, locales=after.locales)
    assert {path: (after.folder / path).read_bytes() for path in texts} == texts


@SOME
@given(
    stories=st.dictionaries(SLUG.map(str.lower), STORY, max_size=4),
    spanish=LINE,
    arabic=TEXT,
    suffix=st.sampled_from(["md", "yaml", "json"]),
)
def test_stories_survive(stories: dict[str, Any], spanish: str, arabic: str, suffix: str) -> None:
    with two_newsrooms() as (before, after):
        with entered(before.scope):
            section = Section.objects.create(name="News", slug="news")
            tags = [Tag.objects.create(name=name, slug=name) for name in ("food", "sea")]
            for slug, values in stories.items():
                story = Story.objects.create(slug=slug, section=section, **values)
                story.tags.set(tags[: len(slug) % 3])
                story.translate("es", title=spanish, slug=f"es-{slug}", body=arabic)
        pattern = "stories/*.md" if suffix == "md" else f"stories.{suffix}"
        check(before, after, [SOURCES["sections"], SOURCES["tags"], Source(pattern, Story)])


@SOME
@given(
    people=st.dictionaries(SLUG, st.tuples(LINE, TEXT, LINE), max_size=4),
    suffix=st.sampled_from(["csv", "yaml", "json", "geojson"]),
)
def test_lists_survive(people: dict[str, Any], suffix: str) -> None:
    with two_newsrooms() as (before, after):
        with entered(before.scope):
            for slug, (name, bio, translated) in people.items():
                if suffix == "geojson":
                    shape = {"type": "Point", "coordinates": [len(name) / 7, -0.1]}
                    place = Place.objects.create(slug=slug, name=name, shape=Place._meta.by_name["shape"].clean(shape))
                    place.translate("ar", name=translated)
                else:
                    Author.objects.create(slug=slug, name=name, bio=bio).translate("es", bio=translated)
        check(before, after, [Source(f"list.{suffix}", Place if suffix == "geojson" else Author)])


def test_a_file_reads_as_a_person_would_write_it(newsroom: Desk) -> None:
    newsroom.load()
    story = newsroom.story("storm")
    story.published, story.day = datetime(2026, 1, 2, 3, 4, tzinfo=UTC), date(2026, 1, 2)
    story.saved = datetime(2026, 1, 1, tzinfo=UTC)
    story.body = "One.\n\nTwo: three."
    story.save()
    story.translate("es", title="El temporal", body="Sopló.")
    export_model(newsroom.scope, SOURCES["stories"], newsroom.folder, sources=newsroom.sources, locales=["en", "es"])
    assert (newsroom.folder / "content/stories/storm.md").read_text(encoding="utf-8") == (
        "---\ntitle: The storm\nsection: news\npublished: 2026-01-02 03:04:00+00:00\nday: 2026-01-02\n"
        "saved: 2026-01-01 00:00:00+00:00\nauthors:\n- ines\ntags:\n- weather\n---\n\nOne.\n\nTwo: three.\n"
    )
    assert (newsroom.folder / "content/stories/storm.es.md").read_text(encoding="utf-8") == (
        "---\ntitle: El temporal\n---\n\nSopló.\n"
    )


def test_a_row_goes_back_to_its_file_and_an_adopted_one_is_known_to_the_next_load(newsroom: Desk) -> None:
    newsroom.write("content/stories/2026/2026-01-02-gale.md", "---\ntitle: Gale\nsection: sea\n---\n")
    newsroom.load()
    Story.objects.filter(slug="gale").update(title="A gale")
    Story.objects.create(title="By hand", slug="hand", section=Section.objects.get(slug="sea"))
    Story.objects.filter(slug="storm").delete()
    source = SOURCES["stories"]
    export = {"sources": newsroom.sources, "locales": newsroom.locales, "adopt": True}
    assert export_model(newsroom.scope, source, newsroom.folder, **export) == [
        "content/stories/2026/2026-01-02-gale.md",
        "content/stories/hand.md",
    ]
    assert not (newsroom.folder / "content/stories/storm.md").exists()
    pk = newsroom.story("hand").pk
    assert newsroom.counts() == (0, 0, 7, 0)
    newsroom.write("content/stories/hand.md", "---\ntitle: By file\nsection: sea\n---\n")
    assert newsroom.counts() == (0, 1, 6, 0)
    assert (newsroom.story("hand").pk, newsroom.story("hand").title) == (pk, "By file")


@pytest.mark.parametrize("pattern", ["content/new/*.md", "content/stories/*.md", "content/stories.yaml", "s/*.json"])
def test_rows_may_be_adopted_by_a_source_of_another_pattern(newsroom: Desk, pattern: str) -> None:
    newsroom.write("content/stories/2026/gale.md", "---\ntitle: Gale\nsection: sea\n---\n")
    newsroom.write("content/stories/2026/gale.es.md", "---\ntitle: Temporal\n---\n")
    newsroom.load()
    pks = dict(Story.objects.values_list("slug", "pk"))
    source = replace(SOURCES["stories"], pattern=pattern, date=None)
    newsroom.sources[-1] = source
    files = export_model(
        newsroom.scope, source, newsroom.folder, sources=newsroom.sources, locales=newsroom.locales, adopt=True
    )
    assert newsroom.counts() == (0, 0, 7, 0)
    assert dict(Story.objects.values_list("slug", "pk")) == pks
    left = [path.relative_to(newsroom.folder).as_posix() for path in newsroom.folder.rglob("*.*") if path.is_file()]
    assert sorted(left) == sorted(["content/sections.yaml", "content/authors/ines.md", "content/tags.csv", *files])


def test_several_sources_of_a_model_keep_their_own_rows(newsroom: Desk) -> None:
    archive = replace(SOURCES["stories"], pattern="archive/*.yaml", date=None)
    newsroom.sources.append(archive)
    newsroom.write("archive/old.yaml", "- {slug: old, title: Old, section: sea}\n")
    newsroom.load()
    Story.objects.create(title="By hand", slug="hand", section=Section.objects.get(slug="sea"))
    before = newsroom.dump()
    written = {
        source.pattern: export_model(
            newsroom.scope, source, newsroom.folder, sources=newsroom.sources, locales=newsroom.locales, adopt=True
        )
        for source in newsroom.sources
    }
    assert written["content/stories/**/*.md"] == ["content/stories/hand.md", "content/stories/storm.md"]
    assert written["archive/*.yaml"] == ["archive/old.yaml"]
    assert newsroom.counts() == (0, 0, 8, 0)
    assert newsroom.dump() == before


def test_names_that_a_file_system_cannot_tell_apart_get_numbers(desk: Desk) -> None:
    for code in ("a", "A", "a/b", "a b", "../x", "fr.es"):
        Link.objects.create(code=code, url=code)
    source = Source("links/**/*.md", Link, key="code", body="url")
    assert export_model(desk.scope, source, desk.folder) == [
        "links/A.md",
        "links/a-2.md",
        "links/a-b-2.md",
        "links/a-b.md",
        "links/fr-es.md",
        "links/x.md",
    ]


def test_what_a_kind_of_file_cannot_say_is_refused_and_nothing_is_written(desk: Desk) -> None:
    Author.objects.create(name="", slug="ines")
    Author.objects.create(name="Tom", slug="to m")
    with pytest.raises(Problems, match="2 problems") as caught:
        export_model(desk.scope, Source("people.csv", Author), desk.folder)
    assert [str(problem) for problem in caught.value.problems] == [
        "people.csv: Author 'ines' cannot be written: name: a value is required. Mend the row, or use YAML.",
        "people.csv: Author 'to m' cannot be written: slug: 'to m' is not a slug. Mend the row, or use YAML.",
    ]
    assert list(desk.folder.iterdir()) == []


def test_a_pattern_must_say_where_a_new_file_goes(desk: Desk) -> None:
    Author.objects.create(name="Tom", slug="tom")
    Author.objects.create(name="Ines", slug="ines")
    with pytest.raises(ContentError, match="does not say where a new file goes"):
        export_model(desk.scope, Source("people/*/*.md", Author), desk.folder)
    with pytest.raises(ContentError, match="has room for one row, and there are more"):
        export_model(desk.scope, Source("person.md", Author), desk.folder)


class Shelf(models.Model):
    """Has one box at least."""

    slug = models.SlugField(unique=True)
    facts = models.JSONField(null=True, blank=True)
    boxes = models.ManyToManyField("Box")


class Box(models.Model):
    slug = models.SlugField(unique=True)


@pytest.mark.parametrize("kind", ["csv", "json", "yaml"])
def test_what_would_be_read_as_something_else_is_refused(tmp_path: Path, kind: str) -> None:
    """The null of JSON is no value in a file, and a load wants a partner where the relation may not be left empty."""
    database = opened_with("sqlite://", resolved({"shop": [Shelf, Box]}))
    with entered(Scope(None, database)) as scope:
        box = Box.objects.create(slug="a")
        Shelf.objects.create(slug="empty")
        Shelf.objects.create(slug="null", facts=models.JSONNull()).boxes.add(box)
        with pytest.raises(Problems, match="2 problems") as caught:
            export_model(scope, Source(f"shelves/*.{kind}", Shelf), tmp_path, sources=[Source("boxes.csv", Box)])
    told = [problem.message for problem in caught.value.problems]
    assert sorted(told) == [
        "Shelf 'empty' cannot be written: boxes: a file names at least one Box, and it has none",
        "Shelf 'null' cannot be written: facts: the null of JSON would be read as no value",
    ]
    assert list(tmp_path.iterdir()) == []
    database.close()
