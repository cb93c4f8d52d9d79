"""The manual as readers get it: valid, without dead links, and true to the code."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import html5lib
import pytest

from toolkit.builder import Builder
from toolkit.checks import CHECKS
from toolkit.cli.main import COMMANDS
from toolkit.models import __all__ as MODEL_NAMES
from toolkit.models.meta import META_OPTIONS
from toolkit.settings import BUDGETS, TABLE
from toolkit.site import load_site
from toolkit.templates import FILTERS

from .following import CONTENT, DOCS, blocks, chapters, run

REFERENCE = CONTENT / "reference"


@pytest.fixture(scope="module")
def manual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manual, built once into a folder of the test's."""
    folder = tmp_path_factory.mktemp("manual")
    ignored = shutil.ignore_patterns("*.db*", ".toolkit", "__pycache__", "tools", ".build.lock")
    shutil.copytree(DOCS, folder / "docs", ignore=ignored)
    status, printed = run(f"toolkit build docs --output {folder / 'out'}", folder)
    assert status == 0, printed
    return folder


def _pages(manual: Path) -> Iterator[Path]:
    yield from sorted((manual / "out").rglob("*.html"))


def test_every_page_is_valid_html(manual: Path) -> None:
    parser = html5lib.HTMLParser(strict=True)
    for page in _pages(manual):
        parser.parse(page.read_text("utf-8"))


def test_a_block_is_titled_by_all_words_of_its_title(manual: Path) -> None:
    page = (manual / "out/how-to/ask-for-rows/index.html").read_text("utf-8")
    assert "<figcaption><code>newsroom/models.py, at the end</code></figcaption>" in page


def test_the_manual_passes_its_own_checks(manual: Path) -> None:
    status, printed = run("toolkit check docs --strict", manual)
    assert status == 0, printed


def test_every_id_is_there_once_and_every_link_leads_somewhere(manual: Path) -> None:
    out = manual / "out"
    ids = {page: re.findall(r'\bid="([^"]+)"', page.read_text("utf-8")) for page in _pages(manual)}
    for page, found in ids.items():
        assert len(found) == len(set(found)), page
        for href in re.findall(r'<a [^>]*href="([^"]+)"', page.read_text("utf-8")):
            if href.startswith(("https://", "http://")):
                continue
            path, _, fragment = href.partition("#")
            target = page if not path else out / path.strip("/") / "index.html"
            assert target in ids, f"{page}: {href}"
            assert not fragment or fragment in ids[target], f"{page}: {href}"


def test_no_page_asks_another_host_for_anything(manual: Path) -> None:
    for page in _pages(manual):
        asked = re.findall(
            r'<(?:script|img|iframe)[^>]+src="([^"]+)"|<link rel="(?:stylesheet|icon)" href="([^"]+)"',
            page.read_text("utf-8"),
        )
        assert all((src or href).startswith("/") for src, href in asked), page


@pytest.mark.parametrize(("argument", "status", "told"), [("--help", 0, "--check"), ("--chek", 2, "unrecognized")])
def test_whoever_asks_how_the_reference_is_written_changes_nothing(tmp_path, argument, status, told) -> None:
    shutil.copytree(DOCS / "tools", tmp_path / "tools")
    chapter = tmp_path / "content" / "reference" / "settings.md"
    chapter.parent.mkdir(parents=True)
    chapter.write_text("<!-- generated: settings -->\nold\n<!-- end -->\n")
    before = chapter.read_text()
    done = subprocess.run(
        [sys.executable, "-m", "tools.reference", argument], cwd=tmp_path, text=True, capture_output=True, check=False
    )
    assert (done.returncode, chapter.read_text()) == (status, before)
    assert told in done.stdout + done.stderr


def test_the_reference_is_as_the_code_is() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.reference", "--check"], cwd=DOCS, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _headings(chapter: str) -> str:
    text = (REFERENCE / f"{chapter}.md").read_text("utf-8")
    return "\n".join(re.findall(r"^#{2,4} (.*)$", text, re.M))


@pytest.mark.parametrize(
    ("chapter", "names"),
    [
        ("settings", [f"`{row.name}`" for row in TABLE]),
        ("commands", [f"`toolkit {name}`" for name in COMMANDS]),
        ("checks", [f"`{name}`" for name in CHECKS]),
        ("templates", [f"`{name}`" for name in FILTERS]),
        ("fields", [f"`{name}`" for name in MODEL_NAMES if name.endswith("Field") and name != "Field"]),
    ],
)
def test_everything_has_its_heading(chapter: str, names: list[str]) -> None:
    headings = _headings(chapter)
    assert [name for name in names if name not in headings] == []


def test_every_public_name_of_models_is_named() -> None:
    text = "\n".join(path.read_text("utf-8") for path in REFERENCE.glob("*.md"))
    assert [name for name in MODEL_NAMES if not re.search(rf"\b{name}\b", text)] == []


def test_every_meta_option_is_named() -> None:
    text = (REFERENCE / "fields.md").read_text("utf-8")
    assert [name for name in META_OPTIONS if f"`{name}`" not in text] == []


def test_every_setting_in_an_example_exists() -> None:
    known = {row.name for row in TABLE} | set(BUDGETS)
    for part in ("tutorial", "how-to"):
        for chapter in chapters(part):
            for block in blocks(chapter):
                if block.language == "toml":
                    plain = re.split(r"^\[", block.body, flags=re.M)[0]  # tables have options of their own
                    assert set(re.findall(r"^(\w+) =", plain, re.M)) <= known, block.where


def test_the_manual_is_built_with_nothing_to_do_the_second_time(manual: Path) -> None:
    site = load_site(manual / "docs", settings={"output": str(manual / "again")})
    Builder(site, workers=1).build()
    report = Builder(site, workers=1).build()
    assert [event for event in report.events if event.kind in ("rendered", "written")] == []
