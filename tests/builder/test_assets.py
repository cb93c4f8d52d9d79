"""Assets of a build: a change renames what refers to it, and renders exactly the pages that use it."""

from __future__ import annotations

from typing import Any

SCRIPT = '{% block body %}{{ script("js/app.js", module=true) }}'


def test_a_module_deep_below_renders_the_pages_that_load_it(press: Any) -> None:
    press.take_built()
    press.write("static/js/app.js", "import './lib/deep.js';")
    press.write("static/js/lib/deep.js", "export const a = 1;")
    press.replace("templates/stats.html", "{% block body %}", SCRIPT)
    press.build()
    press.write("static/js/lib/deep.js", "export const a = 2;")
    report = press.same()
    assert [event.subject for event in report.events if event.kind == "rendered"] == ["/stats/", "/es/stats/"]
    assert "modulepreload" in press.read("stats/index.html") and "sha384-" in press.read("stats/index.html")


def test_smaller_pages_say_the_same_and_follow_the_setting(press: Any) -> None:
    press.take_built()
    text = (press.folder / "toolkit.toml").read_text()
    before = press.read("index.html")
    press.write("toolkit.toml", 'minify = ["html", "css", "js"]\n' + text)
    press.same()
    assert len(press.read("index.html")) < len(before)
    assert "Story 1" in press.read("index.html")
    press.write("toolkit.toml", text)
    press.same()
    assert press.read("index.html") == before
