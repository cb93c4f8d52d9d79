"""Assets that commands make: once, and again when what they read changed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.assets import Assets, read_made
from toolkit.errors import Problems, TemplateError

Write = Callable[[str, str], Path]
UPPER = "import sys; sys.stdout.write(open(sys.argv[1]).read().upper())"
COPY = "import sys, shutil; shutil.copy(sys.argv[1], sys.argv[2])"


def made(script: str, *words: str, **options: Any) -> dict[str, Any]:
    return {"site.css": {"run": [sys.executable, "-c", script, *words], "inputs": ["scss/**/*.scss"], **options}}


@pytest.fixture
def sheet(write: Write) -> Path:
    return write("/scss/site.scss", "a { b: c }")


def test_a_command_makes_an_asset_once(
    sheet: Path, write: Write, make_assets: Callable[..., Assets], read: Callable[[Assets, str], str]
) -> None:
    declared = made(UPPER, "{input}", input="scss/site.scss")
    assets = make_assets(made=declared)
    assert read(assets, "site.css") == "A { B: C }"
    before = assets.asset("site.css")
    again = make_assets(made=declared)
    assert again.asset("site.css") == before
    assert assets.commands is not None and again.commands is not None
    assert (assets.commands.runs, again.commands.runs) == (1, 0)
    write("/scss/deep/part.scss", "x")
    sheet.write_text("a { b: d }")
    assert again.asset("site.css") != before and again.commands.runs == 1
    assert sheet in list(again.places("site.css"))


def test_what_is_made_has_its_references_followed(
    write: Write, make_assets: Callable[..., Assets], read: Callable[[Assets, str], str]
) -> None:
    write("/scss/site.scss", "a { b: url(x.png) }")
    write("x.png", "x")
    assets = make_assets(made=made(COPY, "{input}", "{output}", input="scss/site.scss"))
    assert 'url("x.' in read(assets, "site.css")
    assert assets.dependencies("site.css") == ("x.png",)


@pytest.mark.parametrize(
    ("script", "words", "message"),
    [
        ("import sys; sys.exit('line 3: no such colour')", (), "ended with 1: line 3: no such colour"),
        ("pass", ("{output}",), r"wrote no \{output\}"),
        ("import time; time.sleep(9)", (), "took more than 1 s"),
    ],
)
def test_a_command_that_fails_is_told(
    sheet: Path, make_assets: Callable[..., Assets], script: str, words: tuple[str, ...], message: str
) -> None:
    with pytest.raises(TemplateError, match=rf"the asset 'site\.css' was not made: .*{message}"):
        make_assets(made=made(script, *words, timeout=1)).asset("site.css")


def test_a_command_that_is_not_there_is_told(sheet: Path, make_assets: Callable[..., Assets]) -> None:
    declared = {"site.css": {"run": "no-such-sass {input}", "input": "scss/site.scss"}}
    with pytest.raises(TemplateError, match="no-such-sass cannot be run: No such file or directory"):
        make_assets(made=declared).asset("site.css")


def test_a_damaged_result_is_made_again(sheet: Path, make_assets: Callable[..., Assets], tmp_path: Path) -> None:
    declared = made(UPPER, "{input}", input="scss/site.scss")
    before = make_assets(made=declared).asset("site.css")
    (kept,) = (tmp_path / "kept").iterdir()
    kept.write_bytes(kept.read_bytes()[:-1])
    assert make_assets(made=declared).asset("site.css") == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "needs either 'run' or 'files'"),
        ({"run": "x", "files": ["y"]}, "needs either 'run' or 'files'"),
        ({"run": "x"}, "says nothing of what the command reads"),
        ({"run": "x", "inputs": ["../secret"]}, "inputs are below the site's folder"),
        ({"files": "a.js"}, "files = 'a.js' is of the wrong kind"),
        ({"fils": ["a.js"]}, "there is no option 'fils'. Did you mean 'files'"),
    ],
)
def test_what_cannot_be_meant_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(Problems, match=message):
        read_made({"a.css": options})
