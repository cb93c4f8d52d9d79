"""Names follow contents, through modules, drawings, manifests and circles."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from toolkit.assets import Assets
from toolkit.assets.tags import script, stylesheet
from toolkit.errors import TemplateError

Write = Callable[[str, str], Path]
Read = Callable[[Assets, str], str]


def name_of(assets: Assets, path: str) -> str:
    return assets.published(path)[0].rpartition("/")[2]


@pytest.fixture
def site(write: Write, make_assets: Callable[..., Assets]) -> Assets:
    write("js/app.js", "import { b } from './lib/b.js';\nconst u = new URL('pic.svg', import.meta.url);\n")
    write("js/lib/b.js", "export const b = () => import('../lazy.js');\n")
    write("js/lazy.js", "export default 1;\n")
    write("js/pic.svg", '<svg xmlns="http://www.w3.org/2000/svg"><image href="dot.png"/></svg>')
    write("js/dot.png", "dot")
    return make_assets()


def test_modules_refer_to_the_names_of_modules(site: Assets, read: Read) -> None:
    assert read(site, "js/app.js") == (
        f"import {{ b }} from './lib/{name_of(site, 'js/lib/b.js')}';\n"
        f"const u = new URL('{name_of(site, 'js/pic.svg')}', import.meta.url);\n"
    )
    assert read(site, "js/lib/b.js") == f"export const b = () => import('../{name_of(site, 'js/lazy.js')}');\n"
    assert f'href="{name_of(site, "js/dot.png")}"' in read(site, "js/pic.svg")
    assert site.closure("js/app.js") == ("js/app.js", "js/dot.png", "js/lazy.js", "js/lib/b.js", "js/pic.svg")
    assert site.modules("js/app.js") == ["js/app.js", "js/lib/b.js"]


@pytest.mark.parametrize(
    ("changed", "renamed"),
    [
        ("js/app.js", {"js/app.js"}),
        ("js/lazy.js", {"js/app.js", "js/lib/b.js", "js/lazy.js"}),
        ("js/dot.png", {"js/app.js", "js/pic.svg", "js/dot.png"}),
    ],
)
def test_a_change_renames_what_refers_to_it_and_nothing_else(
    site: Assets, write: Write, tmp_path: Path, changed: str, renamed: set[str]
) -> None:
    names = {path: site.asset(path) for path in site.iter_paths()}
    before = (tmp_path / "static" / changed).read_text()
    write(changed, before + "\n")
    assert {path for path, name in names.items() if site.asset(path) != name} == renamed
    write(changed, before)
    assert {path: site.asset(path) for path in site.iter_paths()} == names


def test_modules_may_import_each_other(write: Write, make_assets: Callable[..., Assets], read: Read) -> None:
    write("a.js", "import './b.js'; export const a = 1")
    write("b.js", "import './c.js'; import './leaf.js'")
    write("c.js", "import './a.js'; import './c.js'")
    write("leaf.js", "export {}")
    assets = make_assets()
    names = {path: name_of(assets, path) for path in ("a.js", "b.js", "c.js", "leaf.js")}
    assert len(set(names.values())) == 4
    assert read(assets, "c.js") == f"import './{names['a.js']}'; import './{names['c.js']}'"
    assert {path: name_of(make_assets(), path) for path in ("c.js", "leaf.js", "b.js", "a.js")} == names
    write("leaf.js", "export { }")
    assert all(name_of(assets, path) != name for path, name in names.items())
    write("leaf.js", "export {}")
    write("c.js", "import './a.js'; import './c.js';")
    again = {path: name_of(assets, path) for path in names}
    assert {path for path in names if again[path] != names[path]} == {"a.js", "b.js", "c.js"}


def test_a_missing_module_names_file_line_and_the_nearest(site: Assets, write: Write) -> None:
    path = write("js/bad.js", "\nimport './lib/bb.js'")
    with pytest.raises(TemplateError, match=r"'\./lib/bb\.js' refers to 'js/lib/bb\.js', which is not there") as error:
        site.asset("js/bad.js")
    assert (error.value.path, error.value.line) == (path, 2)
    assert str(error.value.hint).startswith("Did you mean 'js/lib/b.js'")
    write("js/lib/bb.js", "")
    assert site.asset("js/bad.js")


def test_packages_and_other_hosts_are_left_alone(write: Write, make_assets: Callable[..., Assets], read: Read) -> None:
    script = "import 'lit'; import 'lit/x.js'; import 'https://x.example/a.js'; import '/elsewhere/a.js'"
    write("a.js", script)
    assert read(make_assets(), "a.js") == script


def test_a_web_manifest_names_its_icons(write: Write, make_assets: Callable[..., Assets], read: Read) -> None:
    write("icons/a.png", "a")
    text = '{"start_url": "/", "icons": [{"src": "icons/a.png", "sizes": "1x1"}, {"src": "https://x.example/b.png"}]}'
    write("site.webmanifest", text)
    assets = make_assets()
    assert read(assets, "site.webmanifest") == text.replace("icons/a.png", f"icons/{name_of(assets, 'icons/a.png')}")
    write("site.webmanifest", '{"icons": [\n{"src": "icons/b.png"}]}')
    with pytest.raises(TemplateError, match=r"site\.webmanifest:2: 'icons/b\.png' refers to"):
        assets.asset("site.webmanifest")


@pytest.mark.parametrize(
    ("inside", "followed"),
    [
        ('<use href="other.svg#x"/>', True),
        ("<image xlink:href='other.svg'/>", True),
        ('<style>a { fill: url("other.svg#g") }</style>', True),
        ('<rect fill="url(other.svg#g)"/>', True),
        ('<use href="#x"/><rect fill="url(#g)"/>', False),
        ('<a href="other.svg"><text>words</text></a>', False),
        ('<!-- <use href="none.svg"/> -->', False),
        ('<image href="data:image/png;base64,AA"/>', False),
    ],
)
def test_a_drawing_refers_to_files_and_not_where_it_leads_readers(
    write: Write, make_assets: Callable[..., Assets], read: Read, inside: str, followed: bool
) -> None:
    write("other.svg", "<svg/>")
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg">{inside}</svg>'
    write("a.svg", drawing)
    assets = make_assets()
    assert assets.dependencies("a.svg") == (("other.svg",) if followed else ())
    assert re.sub(r"\.[0-9a-f]{12}\.", ".", read(assets, "a.svg")) == drawing


def test_source_maps_follow_their_scripts(write: Write, make_assets: Callable[..., Assets], read: Read) -> None:
    write("a.js", "f()\n//# sourceMappingURL=a.js.map\n")
    assets = make_assets()
    assert read(assets, "a.js").endswith("=a.js.map\n")
    write("a.js.map", "{}")
    assert read(assets, "a.js") == f"f()\n//# sourceMappingURL={name_of(assets, 'a.js.map')}\n"


def test_integrity_is_that_of_what_is_published(site: Assets, read: Read) -> None:
    for path in ("js/app.js", "js/dot.png"):
        expected = base64.b64encode(hashlib.sha384(read(site, path).encode()).digest()).decode()
        assert site.integrity(path) == f"sha384-{expected}"


def test_a_scripts_tag_has_loaded_at_once_what_its_module_imports_and_not_what_it_may_load_later(site: Assets) -> None:
    tags = str(script(site, "js/app.js", module=True, integrity=False)).splitlines()
    assert tags == [
        f'<link rel="modulepreload" href="{site.asset("js/lib/b.js")}">',
        f'<script type="module" src="{site.asset("js/app.js")}"></script>',
    ]
    url, integrity = site.asset("js/lazy.js"), site.integrity("js/lazy.js")
    assert str(script(site, "js/lazy.js", defer=True, data_x='"')) == (
        f'<script src="{url}" integrity="{integrity}" defer data-x="&#34;"></script>'
    )
    with pytest.raises(TemplateError, match=r"there is no asset 'none\.css'"):
        stylesheet(site, "none.css")
