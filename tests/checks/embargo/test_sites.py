"""Sites that forget an embargo, and sites that have nothing to hide."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from toolkit.builder import Builder
from toolkit.checks.built import Built
from toolkit.checks.embargo import Embargo, check_embargo
from toolkit.server.shown import Shown
from toolkit.testing import temporary_site

from .conftest import FILES, MODELS, NOON, PAGES, SECRET, SETTINGS, plant, story_of

LATER = "2999-01-01T00:00:00+00:00"


def test_a_view_that_forgets_the_embargo_is_found(tmp_path: Path) -> None:
    pages = PAGES.replace("Story.objects.filter(title", "Story.objects.unrestricted().filter(title")
    with temporary_site(tmp_path, FILES, models=MODELS, pages=pages, settings=SETTINGS) as site:
        story = story_of(site)
        story.objects.create(title="Minister to resign", slug="resigns", body="x", published=LATER)
        story.objects.create(title="Minister to resign late", slug="late", body=SECRET, published=LATER)
        output = Path(Builder(site, workers=1).build().output)
        embargo = Embargo(http=True, workers=1)
        found = [one for one in check_embargo(Built(site, output), embargo) if one.id == "embargo.http"]
        assert {one.url for one in found} == {"/search/", "/es/search/"}
        assert "of the title of Story 2" in found[0].message


@pytest.mark.parametrize("leak", [None, "asset", "rendition"])
def test_files_of_hidden_pages_are_asked_for(tmp_path: Path, leak: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = FILES["templates/story.html"] + '{{ image(story.slug ~ ".png", alt="") }}{{ asset(story.slug ~ ".txt") }}'
    with temporary_site(
        tmp_path, {**FILES, "templates/story.html": shown}, models=MODELS, pages=PAGES, settings=SETTINGS
    ) as site:
        for slug, colour, when in (("quiet", "red", "2026-01-01T00:00:00+00:00"), ("loud", "blue", LATER)):
            story_of(site).objects.create(title=slug, slug=slug, published=when)
            (tmp_path / "static").mkdir(exist_ok=True)
            Image.new("RGB", (40, 30), colour).save(tmp_path / "static" / f"{slug}.png")
            (tmp_path / "static" / f"{slug}.txt").write_text(colour)
        output = Path(Builder(site, workers=1).build().output)
        if leak:  # as if the server had no rule
            monkeypatch.setattr(Shown, "has", lambda _, use, name, environ: use[0] == leak)
            monkeypatch.setattr(Shown, "cache_of", lambda *_: "public" if leak == "asset" else None)
        found = list(check_embargo(Built(site, output), Embargo(http=True, workers=1)))
        folders = {None: set(), "asset": {"/static/loud"}, "rendition": {"/renditions/loud-40"}}[leak]
        assert {one.url.partition(".")[0] for one in found if one.url} == folders
        assert {one.message for one in found} == (
            {"the server gives a file that only hidden pages use"} if leak else set()
        )


@pytest.mark.parametrize("asset", ["{{ image(story.slug ~ '.png', alt='') }}", "{{ asset(story.slug ~ '.png') }}"])
def test_a_copy_of_what_hidden_pages_alone_show_is_found(tmp_path: Path, asset: str) -> None:
    """Whoever puts a photograph into the folder public as well publishes it, under whatever name."""
    shown = {**FILES, "templates/story.html": FILES["templates/story.html"] + asset}
    with temporary_site(tmp_path, shown, models=MODELS, pages=PAGES, settings=SETTINGS) as site:
        (tmp_path / "static").mkdir()
        (tmp_path / "public").mkdir()
        for slug, colour, when in (("quiet", "red", "2026-01-01T00:00:00+00:00"), ("loud", "blue", LATER)):
            story_of(site).objects.create(title=slug, slug=slug, published=when)
            Image.new("RGB", (40, 30), colour).save(tmp_path / "static" / f"{slug}.png")
        output = Path(Builder(site, workers=1).build().output)
        assert list(check_embargo(Built(site, output), Embargo(workers=1))) == []
        for slug in ("quiet", "loud"):
            (tmp_path / "public" / f"copy-of-{len(slug)}.png").write_bytes(
                (tmp_path / f"static/{slug}.png").read_bytes()
            )
        output = Path(Builder(site, workers=1).build().output)
        (found,) = check_embargo(Built(site, output), Embargo(workers=1))
        assert (found.id, found.path) == ("embargo.file", str(output / "copy-of-4.png"))
        assert found.message == "it is the file loud.png, which only hidden rows use"


def test_a_list_that_forgets_the_embargo_is_found_in_every_kind_of_output(tmp_path: Path) -> None:
    pages = PAGES.replace("Story.objects.all()", "Story.objects.unrestricted()")
    with temporary_site(tmp_path, FILES, models=MODELS, pages=pages, settings=SETTINGS) as site:
        plant(story_of(site))
        output = Path(Builder(site, workers=1, moment=NOON).build().output)
        found = list(check_embargo(Built(site, output), Embargo(workers=1)))
        paths = {Path(one.path).relative_to(output).as_posix() for one in found if one.path}
        assert {"index.html", "es/index.html", "feed.xml", "sitemap.xml"} <= paths
        assert "stories/minister-resigns/index.html" in paths


def test_rows_whose_words_are_all_public_are_named_in_the_certificate(tmp_path: Path) -> None:
    with temporary_site(tmp_path, FILES, models=MODELS, pages=PAGES, settings=SETTINGS) as site:
        story = story_of(site)
        for slug, when in (("day-1", "2026-01-01"), ("day-2", "2999-01-01")):
            story.objects.create(title="A quiet day", slug=slug, published=f"{when}T00:00:00+00:00")
        embargo = Embargo(workers=1)
        output = Path(Builder(site, workers=1).build().output)
        assert list(check_embargo(Built(site, output), embargo)) == []
        assert embargo.certificate["hidden"]["rows_without_fingerprint"] == ["Story 2"]


def test_without_hidden_rows_there_is_nothing_to_leak(tmp_path: Path) -> None:
    with temporary_site(tmp_path, FILES, models=MODELS, pages=PAGES, settings=SETTINGS) as site:
        embargo = Embargo(workers=1)
        output = Path(Builder(site, workers=1).build().output)
        assert list(check_embargo(Built(site, output), embargo)) == []
        assert embargo.certificate["hidden"]["rows"] == {}
