"""What the server answers, for every kind of URL. ``wsgiref.validate`` stands around it all."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from toolkit.trace import digest_bytes


def test_a_page_is_what_the_renderer_gives(newsroom: Any) -> None:
    got = newsroom.get("/town/flood/")
    assert (got.status, got.body) == (200, newsroom.site.render("story", slug="flood").body)
    assert got.headers["content-type"] == "text/html; charset=utf-8"
    assert got.headers["content-length"] == str(len(got.body))


def test_the_etag_is_the_digest_that_the_builder_keeps(newsroom: Any) -> None:
    got = newsroom.get("/town/flood/")
    assert got.headers["etag"] == f'"{digest_bytes(got.body).hex()}"'
    assert got.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("form", ["{0}", "W/{0}", '"other", {0}', "*"])
def test_who_has_the_page_gets_no_body(newsroom: Any, form: str) -> None:
    etag = newsroom.get("/").headers["etag"]
    got = newsroom.get("/", headers={"If-None-Match": form.format(etag)})
    assert (got.status, got.body, got.headers["etag"]) == (304, b"", etag)
    assert "content-type" not in got.headers


def test_who_has_another_version_gets_the_page(newsroom: Any) -> None:
    assert newsroom.get("/", headers={"If-None-Match": '"0123"'}).status == 200


@pytest.mark.parametrize("path", ["/", "/data.json", "/favicon.svg", "/sitemap.xml", "/search/?q=a", "/nowhere/"])
def test_head_is_get_without_the_body(newsroom: Any, path: str) -> None:
    get, head = newsroom.get(path), newsroom.get(path, method="HEAD")
    got, told = ({name: name == "date" or value for name, value in each.headers.items()} for each in (get, head))
    assert (head.status, head.body, told) == (get.status, b"", got)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_page_is_only_read(newsroom: Any, method: str) -> None:
    got = newsroom.get("/about/", method=method)
    assert (got.status, got.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_options_says_what_may_be_done(newsroom: Any) -> None:
    assert newsroom.get("/about/", method="OPTIONS").headers["allow"] == "GET, HEAD, OPTIONS"
    assert newsroom.get("/api/1/", method="OPTIONS").headers["allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/town", "/town/"),
        ("/town/flood?a=1&b=%C3%A9", "/town/flood/?a=1&b=%C3%A9"),
        ("/town/index.html", "/town/"),
        ("/index.html", "/"),
        ("/es/about", "/es/about/"),
        ("/search?q=x", "/search/?q=x"),
    ],
)
def test_paths_that_static_hosts_would_mend_are_redirected(newsroom: Any, path: str, target: str) -> None:
    got = newsroom.get(path)
    assert (got.status, got.headers["location"]) == (308, target)


@pytest.mark.parametrize(
    "path", ["/town.html", "/town/flood/flood/", "/town/page/0/", "/town/page/1/", "/town/page/9/", "/TOWN/", "/index"]
)
def test_other_spellings_are_not_found(newsroom: Any, path: str) -> None:
    assert newsroom.get(path).status == 404


def test_listings_have_their_further_pages(newsroom: Any) -> None:
    for number in range(4):
        newsroom.story(f"more-{number}")
    assert b"<p>Flood</p>" in newsroom.get("/town/page/1/").body
    assert newsroom.get("/town/page/1").headers["location"] == "/town/page/1/"
    assert newsroom.get("/town/page/2/").status == 404


def test_not_found_is_the_page_that_the_build_publishes(newsroom: Any) -> None:
    lost, built = newsroom.get("/nowhere/"), newsroom.get("/404.html")
    assert (lost.status, built.status) == (404, 200)
    assert lost.body == built.body == newsroom.site.render("error_404").body


def test_not_found_speaks_the_language_of_the_path(newsroom: Any) -> None:
    assert b"No such page (es)" in newsroom.get("/es/nowhere/").body
    assert b"No such page (en)" in newsroom.get("/esteban/").body


def test_a_failing_page_is_the_sites_own_500(newsroom: Any) -> None:
    got = newsroom.get("/broken/")
    assert (got.status, got.body) == (500, b"<!doctype html><title>Broken</title>Something broke")
    assert b"wordz" not in got.body


def test_a_failing_error_page_still_answers(newsroom: Any) -> None:
    newsroom.write("templates/500.html", "{{ nonsense }}")
    got = newsroom.get("/broken/")
    assert (got.status, b"Internal Server Error" in got.body) == (500, True)


def test_an_unreachable_database_is_a_503_and_not_a_crash(newsroom: Any) -> None:
    newsroom.site.database.close()
    newsroom.write("site.db", b"this is no database, but long enough to be looked at" * 40)
    got = newsroom.get("/")
    assert (got.status, b"Service Unavailable" in got.body) == (503, True)


def test_a_connection_that_broke_is_opened_again(newsroom: Any) -> None:
    newsroom.get("/")
    newsroom.site.database.connection.close()
    assert newsroom.get("/").status == 500
    assert newsroom.get("/").status == 200


def test_what_readers_may_not_see_is_not_there(newsroom: Any) -> None:
    newsroom.story("draft", status="draft")
    newsroom.story("tomorrow", days=1)
    assert [newsroom.get(f"/town/{slug}/").status for slug in ("draft", "tomorrow")] == [404, 404]
    assert b"Tomorrow" not in newsroom.get("/").body


def test_a_preview_shows_drafts_and_lets_nobody_keep_them(make_newsroom: Any) -> None:
    newsroom = make_newsroom(preview=True)
    newsroom.story("draft", status="draft")
    got = newsroom.get("/town/draft/")
    assert got.status == 200
    assert got.headers["cache-control"] == "private, no-cache"
    assert b'<script src="/_toolkit/reload.js" defer>' in got.body


def test_readers_pages_carry_no_script(newsroom: Any) -> None:
    assert b"_toolkit" not in newsroom.get("/").body
    assert newsroom.get("/_toolkit/reload.js").status == 404


def test_paths_in_any_script_are_found(newsroom: Any) -> None:
    newsroom.story("año-café", title="Año")
    assert newsroom.get("/town/a%C3%B1o-caf%C3%A9/").status == 200
    decomposed = newsroom.get("/town/an%CC%83o-cafe%CC%81/")
    assert (decomposed.status, decomposed.headers["location"]) == (308, "/town/a%C3%B1o-caf%C3%A9/")


@pytest.mark.parametrize("path", ["/%ff%fe", "/a%00b", "/town/%0d%0aSet-Cookie:%20a=b", "/%7f"])
def test_paths_that_are_no_text_are_refused(newsroom: Any, path: str) -> None:
    got = newsroom.get(path)
    assert (got.status, "set-cookie" in got.headers) == (400, False)


@pytest.mark.parametrize("path", ["//evil.example", "//evil.example/..", "/\\evil.example", "///town", "//town"])
def test_no_redirect_leads_to_another_site(newsroom: Any, path: str) -> None:
    got = newsroom.get(path)
    assert got.status == 404 or got.headers["location"] == "/town/"


def test_a_redirect_cannot_be_split_by_the_query(newsroom: Any) -> None:
    environ_query = "/town?x=1\r\nSet-Cookie: a=b"
    got = newsroom.get(environ_query)
    assert got.headers["location"] == "/town/?x=1Set-Cookie:%20a=b"


def test_everything_says_not_to_sniff(newsroom: Any) -> None:
    for path in ("/", "/favicon.svg", "/nowhere/", "/search/", "/town"):
        headers = newsroom.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "strict-origin-when-cross-origin"


def test_types_follow_the_ending(newsroom: Any) -> None:
    assert newsroom.get("/data.json").headers["content-type"] == "application/json; charset=utf-8"
    assert newsroom.get("/robots.txt").headers["content-type"] == "text/plain; charset=utf-8"
    assert newsroom.get("/sitemap.xml").headers["content-type"].startswith("application/xml")


def test_parts_of_a_split_sitemap_are_served(newsroom: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("toolkit.pages.render")
    parts = (("/sitemap-1.xml", b"<urlset/>"),)
    monkeypatch.setitem(module._RENDERERS, "sitemap", lambda scope, work: (b"<index/>", "application/xml", parts))
    got = newsroom.get("/sitemap-1.xml")
    assert (got.status, got.body) == (200, b"<urlset/>")
    assert newsroom.get("/sitemap-2.xml").status == 404


def test_a_moved_page_is_found_by_its_old_url(newsroom: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = {"/town/old/": "/town/flood/"}
    monkeypatch.setattr(newsroom.site, "find_redirect", lambda plan, path: moved.get(path), raising=False)
    got = newsroom.get("/town/old/?a=1")
    assert (got.status, got.headers["location"]) == (301, "/town/flood/?a=1")
    assert newsroom.get("/town/old").status == 301


def test_below_a_mount_point_redirects_stay_below_it(newsroom: Any) -> None:
    from toolkit.server.client import make_environ

    seen: list[Any] = []
    environ = make_environ("/town")
    environ["SCRIPT_NAME"] = "/bay"
    list(newsroom.application(environ, lambda status, headers: seen.append(dict(headers))))
    assert seen[0]["Location"] == "/bay/town/"


def test_pages_are_the_same_whatever_the_request_says(newsroom: Any) -> None:
    plain = newsroom.get("/")
    dressed = newsroom.get("/?a=1", headers={"Cookie": "a=b", "Accept-Language": "es"}, host="evil.example")
    assert plain.body == dressed.body
