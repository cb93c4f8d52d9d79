"""Compressed answers, with the headers that caches need."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import brotli
import pytest


@pytest.fixture
def room(make_newsroom: Callable[..., Any]) -> Any:
    made = make_newsroom(settings='precompress = ["gz", "br"]\n')
    made.write("templates/about.html", "<p>About the ferry.</p>\n" * 40)
    made.write("static/site.css", "body { color: black }\n" * 40)
    made.write("static/a.png", b"\x89PNG" * 200)
    made.write("public/words.txt", "ferry " * 100)
    return made


@pytest.mark.parametrize("path", ["/about/", "/static/site.css", "/words.txt"])
def test_a_text_is_sent_as_it_is_taken(room: Any, path: str) -> None:
    plain = room.get(path)
    assert plain.headers["vary"] == "Accept-Encoding" and "content-encoding" not in plain.headers
    small = room.get(path, headers={"Accept-Encoding": "gzip, br"})
    assert small.headers["content-encoding"] == "br" and small.headers["vary"] == "Accept-Encoding"
    assert brotli.decompress(small.body) == plain.body
    zipped = room.get(path, headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(zipped.body) == plain.body
    assert zipped.headers["content-length"] == str(len(zipped.body))
    tags = {got.headers["etag"] for got in (plain, small, zipped)}
    assert len(tags) == 3 and all(not tag.startswith("W/") for tag in tags)
    assert room.get(path, method="HEAD", headers={"Accept-Encoding": "gzip"}).headers["etag"] == zipped.headers["etag"]


def test_a_client_that_has_it_gets_nothing_again(room: Any) -> None:
    asked = {"Accept-Encoding": "br"}
    etag = room.get("/about/", headers=asked).headers["etag"]
    again = room.get("/about/", headers={**asked, "If-None-Match": etag})
    assert (again.status, again.headers["vary"], again.headers["etag"]) == (304, "Accept-Encoding", etag)
    assert room.get("/about/", headers={"If-None-Match": etag}).status == 200


def test_parts_and_pictures_and_errors_are_sent_as_they_are(room: Any) -> None:
    asked = {"Accept-Encoding": "br"}
    part = room.get("/words.txt", headers={**asked, "Range": "bytes=0-4"})
    assert (part.status, part.body) == (206, b"ferry") and "content-encoding" not in part.headers
    assert "vary" not in room.get("/static/a.png", headers=asked).headers
    assert "content-encoding" not in room.get("/none/", headers=asked).headers


def test_nothing_is_compressed_unless_the_settings_say_so(newsroom: Any) -> None:
    assert "vary" not in newsroom.get("/", headers={"Accept-Encoding": "br"}).headers
