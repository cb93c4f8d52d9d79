"""Two builds compared: with manifests as pages, without as files."""

from __future__ import annotations

import importlib
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from toolkit.builder import Builder
from toolkit.builder.tables import bring_up
from toolkit.diff.compare import Difference, compare, merged
from toolkit.diff.pages import write_page
from toolkit.diff.trees import Tree, TreeFile
from toolkit.errors import BuildError
from toolkit.testing import temporary_site

MODELS = """
class Story(models.Model):
    title = models.CharField(max_length=80)
    slug = models.CharField(max_length=80)
"""
PAGES = """
@app.page("/", template="page.html")
def home(): return {"text": "home"}

@app.page("/<slug>/", each=Story.objects.all(), template="page.html")
def story(story): return {"text": story.title}
"""
FILES = {
    "templates/page.html": '<!doctype html><link rel=stylesheet href="{{ asset("s.css") }}"><p>{{ text }}</p>',
    "static/s.css": "p { color: red }",
}


@pytest.fixture
def builds(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A build, and one after a story came, one went, one was edited, and one moved."""
    with temporary_site(tmp_path / "site", FILES, models=MODELS, pages=PAGES) as site:
        bring_up(site)
        story = importlib.import_module("press.models").Story
        for title in ("Gone", "Kept", "Edited three times", "Moved"):
            story.objects.create(title=title, slug=title.split()[0].lower())
        Builder(site, workers=1).build()
        shutil.copytree(site.folder / "build", tmp_path / "old")
        shutil.copyfile(site.folder / "build.manifest.db", tmp_path / "old.manifest.db")
        story.objects.filter(slug="edited").update(title="Edited four times")
        story.objects.filter(slug="moved").update(slug="moved-on")
        story.objects.filter(slug="gone").delete()
        story.objects.create(title="New", slug="new")
        Builder(site, workers=1).build()
        yield tmp_path / "old", site.folder / "build"


def differences(old: Path, new: Path, **options: Any) -> dict[str, Difference]:
    left, right = Tree(old), Tree(new)
    try:
        return {one.url: one for one in compare(left, right, **options)}
    finally:
        left.close()
        right.close()


def test_pages_that_came_went_moved_and_changed(builds: tuple[Path, Path]) -> None:
    found = differences(*builds)
    assert {url: (one.kind, one.route) for url, one in found.items()} == {
        "/edited/": ("changed", "press:story"),
        "/gone/": ("removed", "press:story"),
        "/moved-on/": ("moved", "press:story"),
        "/new/": ("added", "press:story"),
    }
    moved = found["/moved-on/"]
    assert (moved.was, moved.redirects, moved.changes) == ("moved/index.html", True, ())
    (change,) = found["/edited/"].changes
    assert (change.old, change.new) == (("Edited three times",), ("Edited four times",))


def test_without_manifests_files_are_compared(builds: tuple[Path, Path], tmp_path: Path) -> None:
    old, new = tmp_path / "a", tmp_path / "b"
    shutil.copytree(builds[0], old)
    shutil.copytree(builds[1], new)
    found = differences(old, new)
    assert {url: one.kind for url, one in found.items()} == {
        "/edited/": "changed",
        "/gone/": "removed",
        "/moved-on/": "added",
        "/moved/": "changed",
        "/new/": "added",
    }
    assert found["/edited/"].is_page


def test_equal_builds_have_no_differences(builds: tuple[Path, Path]) -> None:
    assert differences(builds[1], builds[1]) == {}


def test_texts_may_be_left_out(builds: tuple[Path, Path]) -> None:
    assert differences(*builds, texts=False)["/edited/"].changes == ()


def test_a_page_shows_what_was_and_what_is(builds: tuple[Path, Path], tmp_path: Path) -> None:
    left, right = Tree(builds[0]), Tree(builds[1])
    write_page(compare(left, right), tmp_path / "diff.html")
    left.close()
    right.close()
    text = (tmp_path / "diff.html").read_text("utf-8")
    assert "Edited <del>three</del><ins>four</ins> times" in text
    assert "/moved-on/ (was /moved/)" in text


def test_text_of_pages_cannot_break_out_of_the_page(tmp_path: Path) -> None:
    for name, text in (("old", "a"), ("new", "&lt;script&gt;alert(1)&lt;/script&gt;")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.html").write_text(f"<p>{text}")
    write_page(compare(Tree(tmp_path / "old"), Tree(tmp_path / "new")), tmp_path / "diff.html")
    assert "<script>" not in (tmp_path / "diff.html").read_text("utf-8")


def test_a_manifest_of_another_version_is_left_alone(builds: tuple[Path, Path]) -> None:
    place = builds[0].with_name("old.manifest.db")
    with closing(sqlite3.connect(place)) as connection, connection:
        connection.execute("UPDATE meta SET value = 'of tomorrow' WHERE name = 'format'")
    before = place.read_bytes()
    assert differences(*builds)["/edited/"].kind == "changed"
    assert place.read_bytes() == before


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"there is no folder .*none"):
        Tree(tmp_path / "none")


def test_files_are_walked_in_the_order_in_which_manifests_have_them(tmp_path: Path) -> None:
    names = ["a.html", "a/b.html", "a-b/c.html", "ab.html", "a/b/c.html", "z"]
    for name in names:
        (tmp_path / "t" / name).parent.mkdir(parents=True, exist_ok=True)
        if not (tmp_path / "t" / name).is_dir():
            (tmp_path / "t" / name).write_text(name)
    found = [file.path for file in Tree(tmp_path / "t").files()]
    assert found == sorted(found)


def test_lists_are_merged_as_they_come() -> None:
    def files(*paths: str) -> Iterator[TreeFile]:
        return (TreeFile(path, 1, b"", "") for path in paths)

    pairs = [(a and a.path, b and b.path) for a, b in merged(files("a", "c"), files("b", "c", "d"))]
    assert pairs == [("a", None), (None, "b"), ("c", "c"), (None, "d")]
