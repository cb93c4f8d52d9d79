"""Compressed texts: the same bytes each time, for those who take them."""

from __future__ import annotations

import gzip

import brotli
import pytest

from toolkit.http.compression import choose, compress, compressed_files, is_compressed, is_text_path, is_text_type

TEXT = b"<p>The ferry leaves at noon.</p>\n" * 40


def test_a_compressed_text_is_the_text_and_the_same_each_time() -> None:
    assert gzip.decompress(compress(TEXT, "gz")) == TEXT == brotli.decompress(compress(TEXT, "br"))
    assert compress(TEXT, "gz") == compress(TEXT, "gz") and compress(TEXT, "br") == compress(TEXT, "br")
    assert compress(TEXT, "gz")[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"


def test_files_stand_beside_texts_that_get_smaller() -> None:
    found = dict(compressed_files("a/index.html", TEXT, ["br", "gz"]))
    assert sorted(found) == ["a/index.html.br", "a/index.html.gz"]
    assert not list(compressed_files("a.html", b"short", ["gz"]))
    assert not list(compressed_files("a.png", TEXT, ["gz"]))
    assert not list(compressed_files("a.txt", bytes(range(256)) * 1, ["gz"]))
    assert is_compressed("a.html.gz", {"a.html"}) and not is_compressed("a.gz", {"a.html"})
    assert is_text_path("x/a.SVG") and not is_text_path("x.y/LICENSE") and is_text_type("text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("gzip, deflate, br", "br"),
        ("gzip;q=1.0, br;q=0.5", "gz"),
        ("*", "br"),
        ("*;q=0.1, br;q=0", "gz"),
        ("GZIP", "gz"),
        ("", ""),
        ("identity", ""),
        ("gzip;q=0", ""),
        ("gzip;q=0.2, identity;q=0.8", ""),
        ("br;q=nonsense, gzip;q=0.3", "gz"),
        ("deflate, zstd", ""),
    ],
)
def test_clients_get_what_they_take(accepted: str, chosen: str) -> None:
    assert choose(accepted, ["br", "gz"]) == chosen
