"""Fingerprinted names, and what changes them."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from toolkit.assets import Assets
from toolkit.assets.stylesheets import iter_references
from toolkit.errors import TemplateError
from toolkit.templates import TemplateFolder, make_environment
from toolkit.trace import ABSENT, Scope, Trace, entered


@pytest.fixture
def static(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    write(folder / "img/a.png", b"A")
    write(folder / "css/site.css", b"body { background: url(../img/a.png) }")
    return folder


@pytest.fixture
def assets(static: Path) -> Assets:
    return Assets([("", static)])


def write(path: Path, body: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


def text_of(assets: Assets, path: str) -> str:
    body = assets.published(path)[1]
    assert isinstance(body, bytes)
    return body.decode()


def test_a_url_carries_the_fingerprint_of_the_content(assets: Assets, static: Path) -> None:
    before = assets.asset("img/a.png")
    assert before.startswith("/static/img/a.") and before.endswith(".png") and len(before) == 30
    write(static / "img/a.png", b"B")
    assert assets.asset("img/a.png") != before
    write(static / "img/a.png", b"A")
    assert assets.asset("img/a.png") == before


def test_an_edit_of_the_same_size_and_time_is_seen(assets: Assets, static: Path) -> None:
    path = static / "img/a.png"
    status, before = path.stat(), assets.asset("img/a.png")
    write(path, b"B")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert assets.asset("img/a.png") != before


def test_a_page_records_the_assets_it_names(assets: Assets, static: Path) -> None:
    trace = Trace()
    with entered(Scope(site=SimpleNamespace(), database=None, trace=trace)):
        assets.asset("css/site.css#x")
        with pytest.raises(TemplateError, match="no asset"):
            assets.asset("none.css")
    recorded = {item.key: item.digest for item in trace if item.kind == "asset"}
    assert recorded == {("css/site.css",): assets.digest_of("css/site.css"), ("none.css",): ABSENT}
    assert assets.digest_of("none.css") == ABSENT
    write(static / "img/a.png", b"B")
    assert assets.digest_of("css/site.css") != recorded[("css/site.css",)]


def test_a_stylesheet_refers_to_fingerprinted_names(assets: Assets, static: Path) -> None:
    name = assets.published("img/a.png")[0].rpartition("/")[2]
    assert text_of(assets, "css/site.css") == f'body {{ background: url("../img/{name}") }}'
    assert assets.published("img/a.png")[1] == static / "img/a.png"
    assert assets.published("css/site.css")[0].startswith("static/css/site.")
    assert assets.dependencies("css/site.css") == ("img/a.png",)
    assert assets.dependencies("img/a.png") == ()


def test_a_change_deep_below_renames_every_stylesheet_above_it(assets: Assets, static: Path) -> None:
    write(static / "top.css", b'@import "css/site.css";')
    before = assets.asset("top.css")
    assert assets.closure("top.css") == ("css/site.css", "img/a.png", "top.css")
    write(static / "img/a.png", b"B")
    assert assets.asset("top.css") != before


@pytest.mark.parametrize(
    ("css", "urls"),
    [
        ("a { b: url(x.png) }", ["x.png"]),
        ("a { b: url( 'x y.png' ) }", ["x y.png"]),
        ('a { b: URL("x\\"y.png") }', ['x"y.png']),
        (r"a { b: url(x\20 y\).png) }", ["x y).png"]),
        ("@import 'a.css' layer(base) screen; @IMPORT url(b.css);", ["a.css", "b.css"]),
        ("@import'a.css';@import/**/'b.css';@import/* url(no.css) */url(c.css)screen;", ["a.css", "b.css", "c.css"]),
        (
            "@font-face { src: url('a.woff2' crossorigin(anonymous)) format('no'), url(b.woff2) }",
            ["a.woff2", "b.woff2"],
        ),
        ("@namespace svg url(http://no.example/svg); @namespace 'no'; a { b: url(yes.png) }", ["yes.png"]),
        ("/* url(no.png) @import 'no.css' */", []),
        ('a { content: "url(no.png)"; b: url(yes.png) }', ["yes.png"]),
        ("a { b: image-set('1.png' 1x, url(2.png) 2x) 'no' }", ["1.png", "2.png"]),
        ("a { b: image-set('1.avif' type('image/avif')) }", ["1.avif"]),
        ("a { b: -webkit-image-set('1.png' 1x) }", ["1.png"]),
        ("a{b:c}/*# sourceMappingURL=site.css.map */", ["site.css.map"]),
        ("/* never closed url(x", []),
        ("a { b: url() }", [""]),
    ],
)
def test_references_are_found_as_css_reads_them(css: str, urls: list[str]) -> None:
    assert [reference.url for reference in iter_references(css)] == urls


@pytest.mark.parametrize(
    "url",
    ["data:image/png;base64,AA", "https://x.example/a.png", "//x.example/a.png", "#shape", "/other/a.png"],
)
def test_what_is_not_ours_is_left_as_it_is(assets: Assets, static: Path, url: str) -> None:
    css = f"a {{ b: url({url}) }}"
    write(static / "b.css", css.encode())
    assert text_of(assets, "b.css") == css
    assert assets.dependencies("b.css") == ()


def test_queries_fragments_and_absolute_paths_of_ours_are_kept_working(assets: Assets, static: Path) -> None:
    write(static / "b.css", b"a { b: url(img/a.png?#iefix); c: url(/static/img/a.png#x) }")
    name = assets.published("img/a.png")[0].removeprefix("static/")
    assert text_of(assets, "b.css") == f'a {{ b: url("{name}?#iefix"); c: url("{name}#x") }}'
    assert assets.asset("img/a.png#x") == f"/static/{name}#x"


def test_a_missing_reference_names_file_line_and_the_nearest_asset(assets: Assets, static: Path) -> None:
    path = write(static / "css/bad.css", b"a {}\nb { c: url(../img/aa.png) }")
    with pytest.raises(
        TemplateError, match=r"'\.\./img/aa\.png' refers to 'img/aa\.png', which is not there"
    ) as caught:
        assets.asset("css/bad.css")
    assert (caught.value.path, caught.value.line) == (path, 2)
    assert caught.value.hint == "Did you mean 'img/a.png'?"
    write(static / "img/aa.png", b"AA")
    assert assets.asset("css/bad.css")


def test_a_missing_source_map_is_no_error(assets: Assets, static: Path) -> None:
    write(static / "b.css", b"a{}/*# sourceMappingURL=b.css.map */")
    before = assets.asset("b.css")
    assert text_of(assets, "b.css") == "a{}/*# sourceMappingURL=b.css.map */"
    write(static / "b.css.map", b"{}")
    assert assets.asset("b.css") != before
    assert "sourceMappingURL=b.css." in text_of(assets, "b.css")


def test_stylesheets_that_import_each_other_are_refused(assets: Assets, static: Path) -> None:
    write(static / "a.css", b'@import "b.css";')
    write(static / "b.css", b'@import "a.css";')
    with pytest.raises(TemplateError, match=r"import each other: a\.css -> b\.css -> a\.css"):
        assets.asset("a.css")
    write(static / "b.css", b"")
    assets.asset("a.css")
    write(static / "b.css", b'@import "a.css";')
    with pytest.raises(TemplateError, match=r"import each other: b\.css -> a\.css -> b\.css"):
        assets.digest_of("b.css")


def test_references_never_lead_out_of_the_static_files(assets: Assets, static: Path) -> None:
    write(static / "a.css", b"a { b: url(../../secret) }")
    with pytest.raises(TemplateError, match=r"leads out of the static files"):
        assets.asset("a.css")
    for path in ("../secret", "/etc/passwd", "css/../../secret", ".hidden", "a/.git/x", "", "a\0", "a//b"):
        assert assets.digest_of(path) == ABSENT


def test_a_link_is_followed_within_the_static_files_and_nowhere_else(static: Path, tmp_path: Path) -> None:
    theme = tmp_path / "theme"
    write(theme / "theme.css", b"a {}")
    write(tmp_path / "secret.txt", b"key")
    write(static / "css/site.css", b"b {}")
    (static / "same.css").symlink_to("css/site.css")
    (static / "themed").symlink_to(theme)
    (static / "secret.txt").symlink_to("../secret.txt")
    (static / "out").symlink_to("..")
    assets = Assets([("", static), ("", theme)])
    assert text_of(assets, "same.css") == "b {}"
    assert text_of(assets, "themed/theme.css") == "a {}"
    assert assets.find("/static/secret.txt") is None
    assert assets.find("/static/out/secret.txt") is None
    assert not {"secret.txt", "out/secret.txt"} & set(assets.iter_paths())
    with pytest.raises(TemplateError) as caught:
        assets.asset("secret.txt")
    assert "secret.txt leads out of the folder of static files" in str(caught.value.hint)


def test_a_stylesheet_that_is_not_utf8_names_its_line(assets: Assets, static: Path) -> None:
    write(static / "a.css", b"a {}\nb { c: '\xff' }")
    with pytest.raises(TemplateError, match=r"a\.css:2: the stylesheet is not UTF-8\. Save it as UTF-8"):
        assets.asset("a.css")


def test_the_server_finds_an_asset_by_each_of_its_names(assets: Assets, static: Path) -> None:
    url = assets.asset("img/a.png")
    found = assets.find(url)
    assert found is not None
    assert (found.path, found.body, found.immutable) == ("img/a.png", static / "img/a.png", True)
    plain = assets.find("/static/img/a.png")
    assert plain is not None and not plain.immutable
    write(static / "img/a.png", b"B")
    older = assets.find(url)
    assert older is not None and not older.immutable
    for nothing in ("/static/img/b.png", "/other/img/a.png", "/static/", "/static/../x", "/static/img"):
        assert assets.find(nothing) is None
    stylesheet = assets.find(assets.asset("css/site.css"))
    assert stylesheet is not None and stylesheet.body == assets.published("css/site.css")[1]


def test_names_with_spaces_and_letters_of_all_scripts_make_valid_urls(assets: Assets, static: Path) -> None:
    write(static / "img/é ü.png", b"x")
    write(static / "a.css", "a { b: url('img/é ü.png'); c: url(img/%C3%A9%20%C3%BC.png) }".encode())
    url = assets.asset("img/é ü.png")
    assert url.startswith("/static/img/%C3%A9%20%C3%BC.") and url.isascii()
    assert text_of(assets, "a.css").count(url.removeprefix("/static/")) == 2
    assert assets.published("img/é ü.png")[0].startswith("static/img/é ü.")


@pytest.mark.parametrize(
    ("path", "start", "end"),
    [("LICENSE", "LICENSE.", ""), ("js/a.min.js", "js/a.min.", ".js"), ("a.b/c", "a.b/c.", "")],
)
def test_the_fingerprint_stands_before_the_last_suffix(
    assets: Assets, static: Path, path: str, start: str, end: str
) -> None:
    write(static / path, b"x")
    url = assets.asset(path).removeprefix("/static/")
    assert url.startswith(start) and url.endswith(end)
    found = assets.find("/static/" + url)
    assert found is not None and found.path == path


def test_the_sites_file_wins_and_apps_may_stand_under_a_prefix(tmp_path: Path) -> None:
    site, app, desk = tmp_path / "site", tmp_path / "app", tmp_path / "desk"
    write(app / "a.css", b"app")
    write(desk / "a.css", b"desk")
    assets = Assets([("", site), ("", app), ("admin", desk)], url_prefix="https://cdn.example/s")
    assert list(assets.iter_paths()) == ["a.css", "admin/a.css"]
    before = assets.asset("a.css")
    assert before.startswith("https://cdn.example/s/a.")
    write(site / "a.css", b"site")
    assert assets.asset("a.css") != before
    assert assets.published("admin/a.css")[0].startswith("s/admin/a.")


def test_a_build_publishes_one_state_of_the_assets(assets: Assets, static: Path) -> None:
    assets.freeze()
    before = assets.asset("css/site.css")
    write(static / "img/a.png", b"B")
    assert assets.asset("css/site.css") == before
    assets.thaw()
    assert assets.asset("css/site.css") != before


def test_a_missing_asset_is_reported_at_the_templates_line(assets: Assets, tmp_path: Path) -> None:
    page = write(tmp_path / "templates/page.html", b"\n<img src=\"{{ asset('img/b.png') }}\">")
    environment = make_environment([TemplateFolder(page.parent)], globals={"asset": assets.asset})
    with pytest.raises(TemplateError, match=r"there is no asset 'img/b\.png'") as caught:
        environment.render("page.html", url="/news/")
    error = caught.value
    assert (error.path, error.line, error.url) == (str(page), 2, "/news/")
    assert error.hint == "Did you mean 'img/a.png'?"


def test_what_others_find_among_files_is_found_once_while_nothing_may_change(assets: Assets) -> None:
    found = iter(range(4))
    assert [assets.kept("a", lambda: next(found)) for _ in range(2)] == [0, 1]
    with assets.frozen():
        assert [assets.kept("a", lambda: next(found)) for _ in range(3)] == [2, 2, 2]
    assert assets.kept("a", lambda: next(found)) == 3
