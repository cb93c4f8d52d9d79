"""The test of the manual is only worth as much as its comparison."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import following
from .following import Block, blocks, commands, follow, is_as_shown


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("", "\n"),
        ("3 pages in … s", "3 pages in 0.19 s\n"),
        ("first\n…\nlast", "first\nlast\n"),
        ("first\n…\nlast", "first\none\ntwo\nlast\n"),
        ("a (b) [c]", "a (b) [c]\n"),
    ],
)
def test_an_output_is_as_shown(shown: str, printed: str) -> None:
    assert is_as_shown(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("", "text"),
        ("3 pages", "3 pages\nand more"),
        ("3 pages in … s", "3 pages\nin 1 s"),
        ("first\n…\nlast", "first\none"),
    ],
)
def test_an_output_is_not_as_shown(shown: str, printed: str) -> None:
    assert not is_as_shown(shown, printed)


def test_blocks_have_a_language_a_title_and_flags(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text('Text\n\n```python title="a/b.py"\nx = 1\n```\n\n````console fails\n$ ls\n```\n````\n', "utf-8")
    assert list(blocks(page)) == [
        Block("python", "a/b.py", frozenset(), "x = 1\n", "page.md:3"),
        Block("console", "", frozenset({"fails"}), "$ ls\n```\n", "page.md:7"),
    ]


def test_a_console_block_is_commands_with_what_they_print() -> None:
    block = Block("console", "", frozenset(), "$ one\nsaid\nmore\n$ two\n", "page.md:1")
    assert list(commands(block)) == [("one", "said\nmore"), ("two", "")]


def test_what_an_hour_changes_is_built_before_the_next_edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "build").mkdir()
    hours, ran = iter([1, 1, 1, 2]), []
    monkeypatch.setattr(following, "_hour", lambda: next(hours))
    monkeypatch.setattr(following, "run", lambda command, *_: (ran.append(command), (0, "done"))[1])
    follow(
        Block("console", "", frozenset(), "$ toolkit build\ndone\n$ ls\ndone\n", "x.md:1"), tmp_path, temporary=tmp_path
    )
    assert ran == ["toolkit build", "ls", "toolkit build"]
