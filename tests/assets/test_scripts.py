"""What scripts refer to, and what only looks as if they did."""

from __future__ import annotations

import pytest

from toolkit.assets.scripts import is_module, iter_script_references


@pytest.mark.parametrize(
    ("script", "urls"),
    [
        ('import "./a.js";', ["./a.js"]),
        ("import a from './a.js'", ["./a.js"]),
        ('import a, { b as c, "d e" as f } from "./a.js";', ["./a.js"]),
        ('import * as a from "./a.js"; import{b}from"./b.js"', ["./a.js", "./b.js"]),
        ('import data from "./a.json" with { type: "json" };', ["./a.json"]),
        ('import defer * as a from "./a.js"', ["./a.js"]),
        ('export * from "./a.js"; export * as n from "./b.js"; export { x, y as z } from "./c.js"',
         ["./a.js", "./b.js", "./c.js"]),
        ("export { x }; const from = 1; f('./no.js')", []),
        ("export default './no.js'; export const a = './no.js'", []),
        ("const m = await import('./a.js'); import(`./b.js`); import('./c.js', { with: {} })",
         ["./a.js", "./b.js", "./c.js"]),
        ("import(`./${name}.js`); import('./a' + '.js'); import(name)", []),
        ("new URL('./a.png', import.meta.url); new Worker(new URL(\"w.js\", import.meta.url))", ["./a.png", "w.js"]),
        ("new URL('./a.png', base); new URL('./b.png')", []),
        ("import.meta.url; obj.import('./no.js'); obj?.export; x.new", []),
        ("// import './no.js'\n/* import './no.js' */ '\"import \\'./no.js\\''", []),
        ("`import './no.js' ${ import('./yes.js') } import './no.js' ${`${import('./deep.js')}`}`",
         ["./yes.js", "./deep.js"]),
        ("const r = /import \"/; import './a.js'", ["./a.js"]),
        ("const r = /[/\"]'/.test(x) / 2; import './a.js'", ["./a.js"]),
        ("a = b / c; d = '/'; import './a.js'", ["./a.js"]),
        ("if (x) /'/.test(y); import './a.js'", ["./a.js"]),
        ("f(x) / 2 / '3'; import './a.js'", ["./a.js"]),
        ("function f() {} /'/.test(y); import './a.js'", ["./a.js"]),
        ("x = { a: 1 } / 2; y = '/'; import './a.js'", ["./a.js"]),
        ("return /'/; import './a.js'", ["./a.js"]),
        ("x++ / 2; y = '/'; import './a.js'", ["./a.js"]),
        ("class A { #p = 1; import() {} static import = './no.js' }", []),
        ("import './\\u0061.js'", ["./a.js"]),
        ("x()\n//# sourceMappingURL=a.js.map\n", ["a.js.map"]),
        ("x()\n/*# sourceMappingURL=a.js.map */", ["a.js.map"]),
        ("x = '//# sourceMappingURL=no.js.map'", []),
        ("import.meta.resolve('./a.js'); import.meta.resolve(name); import.meta.url", ["./a.js"]),
        ("importScripts('a.js', \"./b.js\"); importScripts(name); self.importScripts('no.js')", ["a.js", "./b.js"]),
        ("x = function () {} / 2; y = '/'; import './a.js'", ["./a.js"]),
        ("import lit from 'lit'; import 'https://x.example/a.js'", ["lit", "https://x.example/a.js"]),
        ("'never closed import './no.js'", []),
    ],
)  # fmt: skip
def test_references_are_found_as_the_language_reads_them(script: str, urls: list[str]) -> None:
    found = list(iter_script_references(script))
    assert [reference.url for reference in found] == urls
    for reference in found:
        if reference.style == "script" and "\\" not in script:
            assert script[reference.start : reference.end] == reference.url


def test_lines_are_counted() -> None:
    assert [one.line for one in iter_script_references("\n\nimport './a.js'\n\nimport\n'./b.js'")] == [3, 6]


@pytest.mark.parametrize(
    ("script", "module"),
    [("import './a.js'", True), ("export default 1", True), ("f(); import('./a.js')", False), ("import.meta", True),
     ("function f() { return import('./a') }", False), ("x.export = 1", False), ("var a = 'export'", False)],
)  # fmt: skip
def test_a_module_is_known_by_what_it_imports_and_exports(script: str, module: bool) -> None:
    assert is_module(script) is module
