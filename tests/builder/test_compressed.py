"""Compressed files beside texts: made when the text changed, removed along with it."""

from __future__ import annotations

import gzip
from typing import Any

import brotli
import pytest

KINDS = 'precompress = ["gz", "br"]\n'


@pytest.fixture
def packed(press: Any) -> Any:
    """A press that compresses, built."""
    press.write("toolkit.toml", KINDS + (press.folder / "toolkit.toml").read_text())
    press.write("public/long.txt", "a long text " * 50)
    press.build()
    return press


def test_each_text_has_its_compressed_files(packed: Any) -> None:
    for name in ("index.html", "feed.xml", "sitemap.xml", "index.json", "long.txt"):
        body = (packed.out / name).read_bytes()
        if len(body) >= 256:
            assert gzip.decompress((packed.out / f"{name}.gz").read_bytes()) == body
            assert brotli.decompress((packed.out / f"{name}.br").read_bytes()) == body
    assert (packed.out / "long.txt.gz").exists() and (packed.out / "index.html.gz").exists()


def test_they_follow_their_texts(packed: Any) -> None:
    assert packed.build().count("written") == 0
    packed.sql("UPDATE press_story SET body = 'Other words.' WHERE slug = 'story-1'")
    report = packed.same()
    written = {event.subject for event in report.events if event.kind == "written"}
    assert "sport/story-1/index.html.gz" in written and "town/story-2/index.html.gz" not in written
    packed.sql("UPDATE press_story SET status = 'draft' WHERE slug = 'story-1'")
    packed.same()
    assert not (packed.out / "sport/story-1").exists()


def test_a_lost_or_damaged_one_is_put_back(packed: Any) -> None:
    (packed.out / "index.html.gz").unlink()
    (packed.out / "long.txt.br").write_bytes(b"damaged")
    packed.same()
    assert gzip.decompress((packed.out / "index.html.gz").read_bytes()) == (packed.out / "index.html").read_bytes()


def test_the_setting_turns_them_on_and_off(packed: Any) -> None:
    text = (packed.folder / "toolkit.toml").read_text()
    packed.write("toolkit.toml", text.replace(KINDS, ""))
    packed.same()
    assert not list(packed.out.rglob("*.gz"))
    packed.write("toolkit.toml", text)
    packed.same()
    assert list(packed.out.rglob("*.gz"))
