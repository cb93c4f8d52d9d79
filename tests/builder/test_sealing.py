"""The seal of a build: it holds while nothing changed, and never where a build would do something.

That it never holds where it must not is also asserted at each build of the press, whichever test makes it.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builder.conftest import NOON, in_child, tree
from toolkit.builder import Builder
from toolkit.builder.sealing import make_seal
from toolkit.seals import TooManyFiles, Tree, covers, find_seal, keep_seal, seal_path, survey
from toolkit.site import load_site
from toolkit.site.watching import loading
from toolkit.stamps import RACY_NS


@pytest.fixture
def sealed(press: Any, built_sealable: Path) -> Any:
    """A press whose last build has a seal."""
    press.built = built_sealable
    press.take_built()
    press.build()
    assert press.is_sealed()
    return press


def state(press: Any) -> Path:
    return seal_path(press.folder.parent / "state", str(press.out))


def remade(path: Path) -> None:
    """The same text in another file of the same name."""
    text = path.read_bytes()
    path.unlink()
    path.write_bytes(text)


EDITS: dict[str, Callable[[Any], Any]] = {
    "a row": lambda press: press.sql("UPDATE press_story SET title = 'Other' WHERE id = 1"),
    "a column": lambda press: press.sql("ALTER TABLE press_story ADD COLUMN more TEXT"),
    "a token": lambda press: press.sql("DELETE FROM toolkit_token WHERE name = 'press_tag'"),
    "a template": lambda press: press.replace("templates/story.html", "{%", " {%"),
    "a template that overrides": lambda press: press.write("templates/toolkit/sitemap.xml", "x"),
    "code": lambda press: press.replace("press/filters.py", '"!"', '"?"'),
    "code beside": lambda press: press.write("press/more.py", "X = 1"),
    "code that might be imported": lambda press: press.write("more.py", "X = 1"),
    "a package that might be imported": lambda press: press.write("more/__init__.py", "X = 1"),
    "a setting": lambda press: press.replace("toolkit.toml", "The Press", "The Mess"),
    "content": lambda press: press.write("content/notes/second.md", "---\ntitle: Second\n---\n"),
    "a catalog": lambda press: press.write("locale/fr/LC_MESSAGES/messages.po", ""),
    "an asset": lambda press: press.write("static/new.css", ""),
    "a public file": lambda press: press.write("public/humans.txt", "us"),
    "a data file": lambda press: press.write("data/extra.txt", "more"),
    "redirects": lambda press: press.write("redirects.csv", "from,to,status\n/a/,/,301\n"),
    "a file that is the same, made anew": lambda press: remade(press.folder / "toolkit.toml"),
    "a file of the output": lambda press: (press.out / "index.html").write_text("mine"),
    "no file in the output": lambda press: (press.out / "index.html").unlink(),
    "no output": lambda press: shutil.rmtree(press.out),
    "no manifest": lambda press: press.out.with_name("out.manifest.db").unlink(),
    "a build that was killed": lambda press: press.out.with_name("out.manifest.db-wal").write_bytes(b"x"),
    "no database": lambda press: (press.folder / "press.db").unlink(),
    "a damaged seal": lambda press: state(press).write_bytes(state(press).read_bytes()[:-1]),
}


@pytest.mark.parametrize("edit", EDITS)
def test_any_change_breaks_it(sealed: Any, edit: str) -> None:
    EDITS[edit](sealed)
    assert not sealed.is_sealed()


def test_what_the_site_does_not_read_breaks_nothing(sealed: Any) -> None:
    sealed.write("build.log", "10 pages")
    assert sealed.is_sealed()


def test_a_variable_breaks_it(sealed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHLVL", "17")
    assert sealed.is_sealed()
    monkeypatch.setenv("PRESS_OTHER", "1")
    assert not sealed.is_sealed()


def test_the_clock_breaks_it_when_a_page_changes(sealed: Any) -> None:
    """The press tells how long ago a story was published, to the minute."""
    assert sealed.is_sealed(moment=NOON + timedelta(seconds=59))
    assert not sealed.is_sealed(moment=NOON + timedelta(minutes=1))
    assert not sealed.is_sealed(moment=NOON - timedelta(seconds=1))


def test_a_row_that_is_due_breaks_it(sealed: Any) -> None:
    sealed.edit(lambda m: m.Story.objects.filter(slug="story-1").update(published=NOON + timedelta(seconds=20)))
    sealed.build()
    assert sealed.is_sealed(moment=NOON + timedelta(seconds=19))
    assert not sealed.is_sealed(moment=NOON + timedelta(seconds=20))


def test_young_files_prove_nothing(sealed: Any) -> None:
    def make(begun_ns: int) -> bool:
        with loading(sealed.folder) as loaded:
            site = load_site(sealed.folder).prepare()
        builder = Builder(site, output=sealed.out)
        return make_seal(builder, builder.build(), loaded=loaded, begun_ns=begun_ns) is not None

    sealed.write("data/young.txt", "")
    now = time.time_ns()
    assert in_child(make, now + 2 * RACY_NS)
    assert not in_child(make, now)


REFUSED = {
    "SQL by hand": "Story.objects.raw('SELECT * FROM press_story')[0].title",
    "the clock in the code": "str(__import__('datetime').datetime.now())",
    "chance in the code": "str(__import__('random').random())",
    "all variables": "str(len(list(__import__('os').environ)))",
    "a program": "__import__('subprocess').run(['true']).returncode",
    "a folder elsewhere": "str(__import__('os').listdir('/etc'))",
}


@pytest.mark.parametrize("read", REFUSED)
def test_what_nobody_can_prove_gets_no_seal(press: Any, read: str) -> None:
    press.make_sealable()
    press.replace("press/pages.py", 'return b"<p>plain</p>"', f"return str({REFUSED[read]})")
    press.build()
    assert not press.is_sealed()


def test_settings_said_in_code_get_no_seal(press: Any) -> None:
    press.make_sealable()
    press.replace("press/site.py", "apps=[app]", "apps=[app], settings={'title': 'The Press'}")
    press.build()
    assert not press.is_sealed()


def test_what_modules_read_while_they_are_imported_counts(press: Any) -> None:
    press.make_sealable()
    outside = press.folder.parent / "shared.txt"
    outside.write_text("x")
    press.write(
        "press/filters.py", (press.folder / "press/filters.py").read_text() + f"\nopen({str(outside)!r}).close()\n"
    )
    press.build()
    assert press.is_sealed()
    outside.write_text("other")
    assert not press.is_sealed()


def test_modules_that_write_content_are_not_looked_ahead_of(press: Any) -> None:
    press.take_built()
    with (press.folder / "press" / "site.py").open("a") as module:
        module.write(
            "from pathlib import Path\n"
            "_note = next((Path(__file__).parent.parent / 'content' / 'notes').glob('*.md'))\n"
            "_note.write_text(_note.read_text() + 'Written while it was imported.')\n"
        )
    press.build()
    assert any(b"Written while it was imported." in body for body in tree(press.out).values())


def test_a_file_elsewhere_that_a_page_reads_counts(press: Any) -> None:
    press.make_sealable()
    outside = press.folder.parent / "shared.txt"
    press.replace(
        "press/pages.py",
        'return b"<p>plain</p>"',
        f"return Path({str(outside)!r}).read_text() if Path({str(outside)!r}).exists() else 'none'",
    )
    press.build()
    assert press.is_sealed()
    outside.write_text("x")
    assert not press.is_sealed()
    press.build()
    assert press.is_sealed()


def test_a_damaged_seal_is_none(tmp_path: Path) -> None:
    place = tmp_path / "seals" / "one"
    assert find_seal(place) is None
    place.parent.mkdir()
    place.write_bytes(b"x" * 40)
    assert find_seal(place) is None
    keep_seal(place, None)
    assert not place.exists()


def test_links_are_followed_and_circles_are_not(tmp_path: Path) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "far.txt").write_text("1")
    (tmp_path / "in" / "sub" / "back").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "away").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "nowhere").symlink_to(tmp_path / "none")
    tree = Tree(str(tmp_path / "in"))
    before = survey([tree])[0]
    assert survey([tree])[0] == before
    (tmp_path / "out" / "far.txt").write_text("22")
    after = survey([tree])[0]
    assert after != before
    (tmp_path / "none").write_text("")
    assert survey([tree])[0] != after


def test_what_is_left_out_is_not_covered() -> None:
    trees = [Tree("/site", ("/site/.git",)), Tree("/one.txt")]
    assert covers(trees, "/site/a/b") and covers(trees, "/one.txt") and covers(trees, "/site")
    assert not covers(trees, "/site/.git/HEAD")
    assert not covers(trees, "/site/a/__pycache__/x")
    assert not covers(trees, "/sites/a")


def test_more_files_than_are_worth_a_look_are_given_up(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / str(number)).touch()
    survey([Tree(str(tmp_path))], most=3)
    with pytest.raises(TooManyFiles):
        survey([Tree(str(tmp_path))], most=2)


def test_a_folder_that_cannot_be_read_does_not_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Any) -> Any:
        raise PermissionError(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError):
        survey([Tree(str(tmp_path))])
