"""Files that are published as they are: read when they changed, and by no other build."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from toolkit import stamps
from toolkit.builder import Builder
from toolkit.testing import temporary_site

MODELS = """
class Story(models.Model):
    slug = models.SlugField(unique=True)
    file = models.FileField(upload_to="files", blank=True)
"""
PAGES = """
@app.page("/<slug>/", each=Story.objects.all(), template="story.html")
def story(story):
    return {}
"""
FILES = {
    "templates/story.html": "{{ story.slug }} {{ asset('pier.bin') }} {{ asset('notes.txt') }} {{ story.file.url }}",
    "static/pier.bin": "an asset",
    "static/notes.txt": "a text among the assets\n" * 20,
    "public/chart.bin": "a public file",
    "public/long.txt": "a public text\n" * 40,
    "media/files/a.bin": "an upload",
}
PUBLISHED = {"static/pier.bin", "static/notes.txt", "public/chart.bin", "public/long.txt", "media/files/a.bin"}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(stamps, "RACY_NS", 0)  # what was written a moment ago may be believed
    with temporary_site(tmp_path, FILES, models=MODELS, pages=PAGES, settings='precompress = ["gz"]\n') as made:
        story = next(model for model in made.models if model.__name__ == "Story")
        story.objects.create(slug="one", file="files/a.bin")
        yield made


@pytest.fixture
def build(site: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[], set[str]]:
    """Builds as a new process would; gives the published files that were read."""

    def run() -> set[str]:
        for name in ("digests", "assets", "storages", "images", "environment"):
            site.__dict__.pop(name, None)
        seen: set[str] = set()
        with monkeypatch.context() as patch:
            for owner, name in ((stamps.FileDigests, "read"), (Path, "read_bytes")):
                patch.setattr(owner, name, _noted(getattr(owner, name), seen))
            Builder(site, workers=1).build()
        names = {os.path.relpath(path, site.folder) for path in seen}
        return names & PUBLISHED

    return run


def _noted(read: Any, seen: set[str]) -> Any:
    def noted(self: Any, *args: Any) -> Any:
        seen.add(os.fspath(args[0] if args else self))
        return read(self, *args)

    return noted


def test_what_is_as_it_was_is_not_read_again(build: Any, site: Any) -> None:
    assert build() == PUBLISHED
    build()  # what the first build wrote is looked at for the first time
    assert build() == set()
    (site.folder / "templates/story.html").write_text("other {{ asset('pier.bin') }} {{ story.file.url }}")
    assert build() == set()


@pytest.mark.parametrize("name", ["static/pier.bin", "public/chart.bin", "media/files/a.bin"])
def test_a_change_of_the_same_size_and_time_is_seen(build: Any, site: Any, name: str) -> None:
    build()
    build()
    place = site.folder / name
    status = place.stat()
    place.write_bytes(place.read_bytes().upper())
    os.utime(place, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert build() == {name}
    assert any(path.read_bytes() == place.read_bytes() for path in (site.folder / "build").rglob("*.bin"))


def test_a_lost_or_damaged_file_of_digests_costs_a_reading_and_nothing_else(build: Any, site: Any) -> None:
    build()
    build()
    place = site.digests.place
    whole = place.read_bytes()
    for spoilt in (whole[:-3], whole[:40] + b"\xff" + whole[41:], b"", b"\x00" * 64):
        place.write_bytes(spoilt)
        assert build() == PUBLISHED
        assert place.read_bytes() == whole
    place.unlink()
    assert build() == PUBLISHED


def test_a_folder_that_cannot_be_written_keeps_nothing_and_stops_nothing(build: Any, site: Any) -> None:
    site.digests.place.mkdir(parents=True)
    assert build() == PUBLISHED
    assert build() == PUBLISHED
    assert [path.name for path in site.state_folder.iterdir() if path.name.startswith(".digests")] == []


def test_files_that_are_gone_are_forgotten(build: Any, site: Any) -> None:
    build()
    build()
    (site.folder / "public/chart.bin").unlink()
    (site.folder / "public/other.bin").write_text("new")
    build()
    build()
    kept = {os.path.relpath(path, site.folder) for path in stamps.KeptDigests(site.digests.place)._known}
    assert "public/other.bin" in kept
    assert "public/chart.bin" not in kept
