"""Modules that a bundler makes one script of."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from toolkit.assets import Assets
from toolkit.errors import Problems, TemplateError

Write = Callable[[str, str], Path]
Read = Callable[[Assets, str], str]
Make = Callable[..., Assets]

MADE = {"js/app.js": {"bundle": "js/main.js"}}
JOIN = """
import pathlib, re, sys
entry = pathlib.Path(sys.argv[1])
text = entry.read_text()
for name in re.findall(r"(?:import|from) *[(]?['\\"]([./\\w]+)", text):
    other = entry.parent / name
    if not other.exists():
        sys.exit(f"{entry}:1: cannot find {name}")
    text += other.read_text()
print(re.sub(r"(?m)^import\\b[^;]*;", "", text))
"""
BUNDLER = shlex.join([sys.executable, "-c", JOIN, "{input}"])
"""Puts what a module imports behind it, one level deep: enough to see what a bundler is given and what it makes."""


@pytest.fixture
def modules(write: Write) -> None:
    write("js/main.js", "import { b } from './lib/b.js';\nb();\n")
    write("js/lib/b.js", "export const b = () => new URL('../../img/a b.png', import.meta.url);\n")
    write("img/a b.png", "picture")


@pytest.mark.usefixtures("modules")
def test_a_bundle_is_one_script_whose_files_are_found_from_its_own_place(
    write: Write, make_assets: Make, read: Read
) -> None:
    assets = make_assets(made=MADE, bundler=BUNDLER)
    picture = assets.asset("img/a b.png").removeprefix("/static/")
    assert f"new URL('../{picture}', import.meta.url)" in read(assets, "js/app.js")
    assert assets.closure("js/app.js") == ("img/a b.png", "js/app.js")
    before = assets.asset("js/app.js")
    again = make_assets(made=MADE, bundler=BUNDLER)
    assert again.asset("js/app.js") == before
    assert again.commands is not None and again.commands.runs == 0
    changed = write("js/lib/b.js", "export const b = () => 2;\n")
    assert again.asset("js/app.js") != before and again.commands.runs == 1
    assert changed in list(again.places("js/app.js"))


@pytest.mark.usefixtures("modules")
def test_what_a_bundle_lacks_is_told_where_it_is_asked_for(write: Write, make_assets: Make) -> None:
    main = write("js/main.js", "import { b } from './lib/b.js';\nimport('./lib/c.js');\n")
    with pytest.raises(TemplateError, match=r"main\.js:2: './lib/c\.js' refers to 'js/lib/c\.js', which is not there"):
        make_assets(made=MADE, bundler=BUNDLER).asset("js/app.js")
    main.write_text("")
    with pytest.raises(TemplateError, match=r"is to be the bundle of 'js/mian\.js', which is not there"):
        make_assets(made={"js/app.js": {"bundle": "js/mian.js"}}, bundler=BUNDLER).asset("js/app.js")
    fails = shlex.join([sys.executable, "-c", "import sys; sys.exit(sys.argv[1] + ':7:3: error: no')", "{input}"])
    with pytest.raises(
        TemplateError, match=r"static/js/main\.js:7: .* ended with 1: .*static/js/main\.js:7:3: error: no"
    ):
        make_assets(made=MADE, bundler=fails).asset("js/app.js")
    with pytest.raises(
        TemplateError, match=r"nosuch cannot be run: No such file.*pip install 'publishing-toolkit\[bundle\]'"
    ):
        make_assets(made=MADE, bundler="nosuch {input}").asset("js/app.js")


def test_an_asset_is_made_in_one_way(make_assets: Make) -> None:
    with pytest.raises(Problems, match="needs either 'run' or 'files' or 'bundle'"):
        make_assets(made={"a.js": {"bundle": "b.js", "files": ["c.js"]}})
    with pytest.raises(Problems, match=r"a\.css\" is to be a bundle of modules, and those are scripts"):
        make_assets(made={"a.css": {"bundle": "b.js"}})
    assets = make_assets(made={"a.js": {"bundle": "b.js"}, "b.js": {"bundle": "a.js"}}, bundler=BUNDLER)
    with pytest.raises(TemplateError, match=r"'a\.js' cannot be the bundle of 'b\.js', which is one itself"):
        assets.asset("a.js")


@pytest.mark.skipif(shutil.which("bun") is None, reason="Bun is not installed: it is the extra 'bundle'")
@pytest.mark.usefixtures("modules")
def test_bun_makes_the_same_bundle_each_time(write: Write, make_assets: Make, read: Read, tmp_path: Path) -> None:
    write(
        "js/main.js", "import { b } from './lib/b.js';\nconst c = await import('./lib/c.js');\nb(c, import.meta.url);\n"
    )
    write("js/lib/c.js", "import { b } from './b.js';\nexport const d = b;\n")
    bun = "bun build --target=browser --format=esm {input}"
    bundle = read(make_assets(made=MADE, bundler=bun), "js/app.js")
    assert "import " not in bundle and str(tmp_path) not in bundle and "../img/a%20b." in bundle
    shutil.rmtree(tmp_path / "kept")
    assert read(make_assets(made=MADE, bundler=bun), "js/app.js") == bundle
    write("js/lib/c.js", "export const d = ;\n")
    with pytest.raises(TemplateError, match=r"(?s)static/js/lib/c\.js:1: .*Unexpected ;"):
        make_assets(made=MADE, bundler=bun).asset("js/app.js")
