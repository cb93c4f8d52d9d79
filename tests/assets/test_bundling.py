"""Stylesheets in the place of their imports, and files in a row."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.assets import Assets
from toolkit.errors import TemplateError

Write = Callable[[str, str], Path]
Read = Callable[[Assets, str], str]


def flat(text: str) -> str:
    return " ".join(text.split())


def test_an_import_becomes_what_it_imports(write: Write, make_assets: Callable[..., Assets], read: Read) -> None:
    write("css/site.css", '@import "parts/a.css"; b { c: d }')
    write("css/parts/a.css", '@charset "utf-8"; a { b: url(../../img/x.png) }')
    write("img/x.png", "x")
    assets = make_assets(bundles=True)
    name = assets.published("img/x.png")[0].removeprefix("static/")
    assert flat(read(assets, "css/site.css")) == f'a {{ b: url("../{name}") }} b {{ c: d }}'
    assert assets.closure("css/site.css") == ("css/site.css", "img/x.png")
    before = assets.asset("css/site.css")
    write("css/parts/a.css", "a { }")
    assert assets.asset("css/site.css") != before
    assert any(path.name == "a.css" for path in assets.places("css/site.css"))


@pytest.mark.parametrize(
    ("statement", "wrapped"),
    [
        ('@import "a.css" screen and (min-width: 1px);', "@media screen and (min-width: 1px) { a{} }"),
        ("@import url(a.css) layer(base) print;", "@layer base { @media print { a{} } }"),
        ("@import url('a.css') layer;", "@layer { a{} }"),
        ("@import 'a.css' supports(display: grid) print;", "@supports (display: grid) { @media print { a{} } }"),
        ("@import 'a.css' supports(not (display: grid));", "@supports not (display: grid) { a{} }"),
    ],
)
def test_conditions_of_an_import_are_kept(
    write: Write, make_assets: Callable[..., Assets], read: Read, statement: str, wrapped: str
) -> None:
    write("a.css", "a{}")
    write("site.css", statement)
    assert flat(read(make_assets(bundles=True), "site.css")) == wrapped


def test_no_rule_comes_before_an_import_that_stays(
    write: Write, make_assets: Callable[..., Assets], read: Read
) -> None:
    write("a.css", "a{}")
    write("b.css", "b{}")
    write("site.css", '@import "a.css"; @import "https://x.example/x.css"; @import "b.css";')
    assets = make_assets(bundles=True)
    name = assets.published("a.css")[0].removeprefix("static/")
    assert flat(read(assets, "site.css")) == f'@import "{name}"; @import "https://x.example/x.css"; b{{}}'


def test_bundles_refuse_circles_and_what_is_not_there(write: Write, make_assets: Callable[..., Assets]) -> None:
    write("a.css", '@import "b.css";')
    write("b.css", '\n@import "a.css";')
    assets = make_assets(bundles=True)
    with pytest.raises(TemplateError, match=r"import each other: a\.css -> b\.css -> a\.css"):
        assets.asset("a.css")
    write("b.css", '\n@import "c.css";')
    with pytest.raises(TemplateError, match=r"b\.css:2: 'c\.css' refers to 'c\.css'"):
        assets.asset("a.css")


def test_files_in_a_row_are_one_asset(write: Write, make_assets: Callable[..., Assets], read: Read) -> None:
    write("js/a.js", "var a = 1")
    write("js/b.js", "(function () {})()")
    made: dict[str, Any] = {"all.js": {"files": ["js/a.js", "js/b.js"]}}
    assets = make_assets(made=made)
    assert read(assets, "all.js") == "var a = 1\n;\n(function () {})()\n"
    assert "all.js" in assets.iter_paths()
    before = assets.asset("all.js")
    write("js/b.js", "1")
    assert assets.asset("all.js") != before


def test_modules_cannot_stand_in_a_row(write: Write, make_assets: Callable[..., Assets]) -> None:
    write("a.js", "export const a = 1")
    assets = make_assets(made={"all.js": {"files": ["a.js", "none.js"]}})
    with pytest.raises(TemplateError, match=r"'all\.js' cannot be made of the module 'a\.js'"):
        assets.asset("all.js")
    write("a.js", "1")
    with pytest.raises(TemplateError, match=r"is to be made of 'none\.js', which is not there"):
        assets.asset("all.js")


@pytest.mark.parametrize("written", ["b {", "b { c: d } /* open", 'b { c: "open', "b {}} c {}", "b { c: (d }"])
def test_what_is_not_closed_stays_where_it_can_swallow_nothing(
    write: Write, make_assets: Callable[..., Assets], read: Read, written: str
) -> None:
    write("a.css", '@import "b.css" print;\na {}')
    write("b.css", written)
    assert read(make_assets(bundles=True), "a.css").startswith('@import "b.')


def test_an_import_that_browsers_do_not_read_is_not_put_in(
    write: Write, make_assets: Callable[..., Assets], read: Read
) -> None:
    write("a.css", '@layer x, y;@import"b.css"/**/;a {}@import "c.css";')
    write("b.css", "b {}\n/*# sourceMappingURL=b.css.map */")
    write("c.css", "c {}")
    assert re.fullmatch(r'@layer x, y;b \{\}\na \{\}@import "c\.\w+\.css";', read(make_assets(bundles=True), "a.css"))
