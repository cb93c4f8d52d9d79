"""Times that files and tables say without an offset: the clock on the newsroom's wall."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from toolkit.content.loading import load_sources
from toolkit.errors import Problems
from toolkit.serialization import import_rows, read_table
from toolkit.site import Site, load_site
from toolkit.testing import forget_modules, temporary_site

MODELS = """
class Story(models.Model):
    slug = models.SlugField(unique=True)
    published = models.DateTimeField(null=True)
    day = models.DateField(null=True)
    body = models.MarkdownField(blank=True)
"""
PAGES = """
app.source("content/*.md", model=Story)
app.source("content/*.csv", model=Story)
"""
NOON = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
"""Noon in Madrid, where clocks are two hours ahead in summer."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    settings = 'timezone = "Europe/Madrid"\n'
    with temporary_site(tmp_path, models=MODELS, pages=PAGES, settings=settings) as made:
        yield made


def load(site: Site, **files: str) -> dict[str, Any]:
    """Load files (``a_md="…"``), and give what is published when."""
    for name, text in files.items():
        path = site.folder / "content" / name.replace("_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    with site:
        load_sources(site.scope(), [source for app in site.apps for source in app.sources], site.folder)
        return {story.slug: story.published for story in story_of(site).objects.all()}


def story_of(site: Site) -> Any:
    return next(model for model in site.models if model.__name__ == "Story")


@pytest.mark.parametrize(
    "text",
    [
        "---\npublished: 2026-07-01 12:00\n---\n",
        "---\npublished: 2026-07-01 12:00:00\n---\n",
        "---\npublished: '2026-07-01T12:00'\n---\n",
        "+++\npublished = 2026-07-01T12:00:00\n+++\n",
        '{"published": "2026-07-01 12:00"}\n',
        "---\npublished: 2026-07-01 10:00Z\n---\n",
        "---\npublished: 2026-07-01T06:00:00-04:00\n---\n",
    ],
)
def test_it_is_noon_in_the_sites_time_zone(site: Site, text: str) -> None:
    assert load(site, a_md=text) == {"a": NOON}


def test_winter_has_another_offset(site: Site) -> None:
    assert load(site, a_md="---\npublished: 2026-01-01 12:00\n---\n")["a"].hour == 11


def test_a_day_is_its_first_moment_there_and_a_date_is_a_date(site: Site) -> None:
    found = load(site, a_md="---\npublished: 2026-07-01\nday: 2026-07-01\n---\n")
    assert found == {"a": datetime(2026, 6, 30, 22, tzinfo=UTC)}
    with site:
        assert story_of(site).objects.get().day == date(2026, 7, 1)


def test_lines_of_a_table_too(site: Site) -> None:
    assert load(site, a_csv="slug,published\nb,2026-07-01 12:00\n") == {"b": NOON}


def test_a_time_that_is_twice_or_never_there_is_refused(site: Site) -> None:
    with pytest.raises(Problems) as caught:
        load(
            site,
            twice_md="---\nslug: twice\npublished: 2026-10-25 02:30\n---\n",
            never_md="---\nslug: never\npublished: 2026-03-29 02:30\n---\n",
        )
    told = {str(problem).partition(": ")[2] for problem in caught.value.problems}
    hint = "Write it as YYYY-MM-DD HH:MM with an offset, such as 2026-11-03 21:05+00:00."
    assert told == {
        f"published: '2026-10-25 02:30:00' is twice in Europe/Madrid, where clocks are put back then. {hint}",
        f"published: '2026-03-29 02:30:00' is never in Europe/Madrid, where clocks are put forward then. {hint}",
    }
    assert load(
        site,
        twice_md="---\npublished: 2026-10-25 02:30+01:00\n---\n",
        never_md="---\npublished: 2026-03-29 03:30\n---\n",
    ) == {"twice": datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "never": datetime(2026, 3, 29, 1, 30, tzinfo=UTC)}


def test_another_time_zone_reads_the_files_again(site: Site) -> None:
    assert load(site, a_md="---\npublished: 2026-07-01 12:00\n---\n") == {"a": NOON}
    settings = site.folder / "toolkit.toml"
    settings.write_text(settings.read_text().replace("Europe/Madrid", "America/New_York"))
    site.databases.close()
    forget_modules(site.folder)
    moved = load_site(site.folder).prepare()
    assert load(moved) == {"a": datetime(2026, 7, 1, 16, 0, tzinfo=UTC)}
    moved.databases.close()


def test_a_table_that_is_imported_is_read_the_same_way(site: Site) -> None:
    rows = "slug,published\na,2026-07-01 12:00\nb,2026-07-01T10:00:00+00:00\nc,\n"
    with site:
        import_rows(site.scope(), story_of(site), read_table(io.BytesIO(rows.encode()), "csv"), textual=True)
        assert dict(story_of(site).objects.values_list("slug", "published")) == {"a": NOON, "b": NOON, "c": None}
        with pytest.raises(Problems, match="is twice in Europe/Madrid"):
            table = read_table(io.BytesIO(b"slug,published\nd,2026-10-25 02:30\n"), "csv")
            import_rows(site.scope(), story_of(site), table, textual=True)
