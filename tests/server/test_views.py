"""Views: what they get, what they may give, and what is refused on their behalf."""

from __future__ import annotations

import json
from typing import Any

import pytest

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_a_template_has_the_names_that_pages_have(newsroom: Any) -> None:
    got = newsroom.get("/search/?q=flo%3Cb%3E")
    assert b'<html lang="en">' in got.body
    assert b'<form action="/search/">flo&lt;b&gt;:' in got.body


def test_a_view_sees_what_its_viewer_may_see(newsroom: Any) -> None:
    newsroom.story("floodgate", status="draft")
    assert b":Flood;" in newsroom.get("/search/?q=flood").body
    assert b"Floodgate" not in newsroom.get("/search/?q=flood").body


def test_a_view_speaks_the_language_of_its_path(newsroom: Any) -> None:
    assert b'<html lang="es">' in newsroom.get("/es/search/?q=x").body
    assert json.loads(newsroom.get("/es/api/1/").body)["locale"] == "es"


def test_data_is_json(newsroom: Any) -> None:
    got = newsroom.get("/api/1/")
    assert json.loads(got.body) == {"number": 1, "title": "Flood", "locale": "en"}
    assert got.headers["content-type"] == "application/json"
    assert got.headers["cache-control"] == "private, no-cache"


def test_an_answer_that_did_not_change_is_not_sent_again(newsroom: Any) -> None:
    etag = newsroom.get("/api/1/").headers["etag"]
    assert newsroom.get("/api/1/", headers={"If-None-Match": etag}).status == 304


def test_a_form_is_posted(newsroom: Any) -> None:
    got = newsroom.get("/api/7/", method="POST", body=b"name=In%C3%A9s", headers=FORM)
    assert json.loads(got.body) == {"number": 7, "form": "Inés", "locale": "en"}


@pytest.mark.parametrize("path", ["/api/99/", "/gone/", "/api/x/", "/api/99999999999999999999/"])
def test_what_is_not_there_is_the_sites_404(newsroom: Any, path: str) -> None:
    got = newsroom.get(path)
    assert (got.status, b"No such page" in got.body) == (404, True)


@pytest.mark.parametrize(
    ("path", "allowed"), [("/api/1/", "GET, HEAD, OPTIONS, POST"), ("/search/", "GET, HEAD, OPTIONS")]
)
def test_methods_that_a_view_does_not_name_are_refused(newsroom: Any, path: str, allowed: str) -> None:
    got = newsroom.get(path, method="DELETE")
    assert (got.status, got.headers["allow"]) == (405, allowed)


def test_a_method_that_a_view_itself_refuses_says_which_it_takes(newsroom: Any) -> None:
    got = newsroom.get("/only/")
    assert (got.status, got.headers["allow"]) == (405, "POST")
    assert newsroom.get("/only/", method="POST").body == b"posted"


def test_too_large_a_body_is_refused(newsroom: Any) -> None:
    headers = {**FORM, "Content-Length": str(32 * 1024 * 1024)}
    assert newsroom.get("/api/1/", method="POST", body=b"x", headers=headers).status == 413


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_what_another_site_sends_is_refused(newsroom: Any, headers: dict[str, str]) -> None:
    assert newsroom.get("/api/1/", method="POST", headers=headers).status == 403


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}])
def test_what_the_own_site_sends_is_taken(newsroom: Any, headers: dict[str, str]) -> None:
    assert newsroom.get("/api/1/", method="POST", headers=headers).status == 200


@pytest.mark.parametrize(("host", "status"), [("bay.example", 200), ("localhost:8000", 200), ("evil.example", 400)])
def test_a_host_is_taken_only_from_the_sites_own(newsroom: Any, host: str, status: int) -> None:
    assert newsroom.get("/text/", host=host).status == status


def test_a_redirect_that_a_reader_chose_stays_here(newsroom: Any) -> None:
    assert newsroom.get("/out/?to=/town/").headers["location"] == "/town/"
    for target in ("//evil.example", "https://evil.example", "javascript:alert(1)", "/a%0d%0aSet-Cookie:a=b"):
        got = newsroom.get(f"/out/?to={target}")
        assert (got.status, "location" in got.headers, "set-cookie" in got.headers) == (400, False, False)


def test_a_stream_may_ask_the_database(newsroom: Any) -> None:
    assert newsroom.get("/stream/").body == b"Flood"


def test_a_file_is_sent_with_its_name(newsroom: Any) -> None:
    newsroom.write("letters.txt", "abc")
    got = newsroom.get("/file/", headers={"Range": "bytes=1-1"})
    assert (got.status, got.body) == (206, b"b")
    assert got.headers["content-disposition"] == "attachment; filename=letters.txt"
    (newsroom.folder / "letters.txt").unlink()
    assert newsroom.get("/file/").status == 404


@pytest.mark.parametrize("path", ["/nothing/", "/wrong/"])
def test_a_failing_view_tells_readers_nothing(newsroom: Any, path: str) -> None:
    got = newsroom.get(path)
    assert (got.status, got.body) == (500, b"<!doctype html><title>Broken</title>Something broke")


def test_a_view_may_write(make_newsroom: Any) -> None:
    newsroom = make_newsroom(
        pages="""
        @app.view("/count/", methods=["POST"])
        def count(request):
            from toolkit.models import F
            Section.objects.create(name="New", slug="new")
            return str(Section.objects.count())
        """
    )
    assert newsroom.get("/new/").status == 404
    assert newsroom.get("/count/", method="POST").body == b"1"
    assert newsroom.get("/new/").status == 200
