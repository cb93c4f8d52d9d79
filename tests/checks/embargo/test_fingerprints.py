"""Any five words of a hidden text are found, however they are cut, spelled and packed; words that are free are not."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from html import escape
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.checks.embargo.contents import contents_of, texts_of
from toolkit.checks.embargo.fingerprints import Fingerprints
from toolkit.checks.embargo.hidden import Text
from toolkit.checks.embargo.words import words_of

WORDS = ["Minister", "ñandú", "ferry", "Straße", "naïve", "harbour", "Œuvre", "كتاب", "tide", "İzmir", "über", "winter"]

words = st.lists(st.sampled_from(WORDS), min_size=12, max_size=30)
ENCODERS: dict[str, Callable[[str], str]] = {
    "html": escape,
    "json": json.dumps,
    "json as it is": lambda text: json.dumps(text, ensure_ascii=False),
    "url": quote,
    "tags": lambda text: text.replace(" ", " <b>", 1),
    "lines": lambda text: text.replace(" ", "\n", 2),
    "numbers": lambda text: "".join(f"&#x{ord(mark):x};" for mark in text),
    "element": lambda text: f"<p title='x'>{text}</p>",
}
encoders = st.lists(st.sampled_from(sorted(ENCODERS)), max_size=3)


def is_found(fingerprints: Fingerprints, body: bytes, name: str = "a.txt") -> bool:
    return any(
        True
        for content in contents_of(name, body)
        for text in texts_of(content.body)
        for _ in fingerprints.find(words_of(text))
    )


def fingerprints_of(*values: str) -> Fingerprints:
    made = Fingerprints(Text("Story 1", "body", value) for value in values)
    made.finish()
    return made


@given(words, st.data(), encoders, st.booleans())
def test_any_five_words_are_found_however_they_are_written(
    secret: list[str], data: st.DataObject, how: list[str], capitals: bool
) -> None:
    start = data.draw(st.integers(0, len(secret) - 5))
    end = data.draw(st.integers(start + 5, len(secret)))
    leak = " ".join(secret[start:end])
    leak = leak.upper() if capitals else leak
    for name in how:
        leak = ENCODERS[name](leak)
    assert is_found(fingerprints_of(" ".join(secret)), f"before {leak} after".encode())


@given(words, st.sampled_from(["gzip", "twice", "data"]))
def test_any_packing_is_opened(secret: list[str], how: str) -> None:
    body = " ".join(secret).encode()
    packed = gzip.compress(body) if how != "data" else b"url(data:text/plain;base64," + base64.b64encode(body) + b")"
    packed = gzip.compress(packed) if how == "twice" else packed
    assert is_found(fingerprints_of(" ".join(secret)), packed)


@given(words, words)
def test_words_that_are_public_are_never_told(secret: list[str], public: list[str]) -> None:
    made = Fingerprints([Text("Story 1", "body", " ".join(secret))])
    made.drop(words_of(" ".join(public)))
    made.finish()
    assert not is_found(made, " ".join(public).encode())


@pytest.mark.parametrize(
    ("value", "leak"),
    [
        ("長い夜のあとに港の灯りが消えるだろう", "<b>のあとに港の灯りが消え</b>"),
        ("ครม.จะลาออกในวันจันทร์หน้าตามข่าว", "ลาออกในวันจันทร์"),
        ("다리는 내년 봄까지 닫힌다고 한다", "다리는 내년 봄까지 닫힌다고 한다"),
    ],
)
def test_scripts_without_spaces_are_read_sign_by_sign(value: str, leak: str) -> None:
    assert is_found(fingerprints_of(value), leak.encode())
    assert not is_found(fingerprints_of(value), leak[:4].encode())


def test_values_that_say_nothing_have_no_fingerprint() -> None:
    made = fingerprints_of("live", "2026-03-01", "12 7 2026 11 9", "a b", "")
    assert len(made) == 0
    assert made.rows_without() == ["Story 1"]
