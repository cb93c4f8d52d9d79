"""The texts of a PDF, as far as its fonts keep letters as such.

Source: ISO 32000-2 §7.3.4 (strings), §7.4.4 (FlateDecode), §9.4.3 (operators that show text).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\n?endstream", re.DOTALL)
_TOKEN = re.compile(
    rb"\((?P<text>(?:\\.|[^\\()]|\((?:\\.|[^\\()])*\))*)\)|<(?P<hex>[0-9A-Fa-f\s]+)>|(?P<number>-?\d+(?:\.\d*)?)|(?P<word>[A-Za-z'\"*]+)",
    re.DOTALL,
)
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_MOST_BYTES = 1 << 28
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|\r?\n|(.))", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b" ", b"f": b" "}
_GAP = -180
"""Thousandths of the size of the font: what moves the next letters on by so much is a space."""


def texts_of_pdf(body: bytes) -> bytes:
    """All texts of a PDF, in UTF-8.

    Args:
        body: The file.
    """
    parts = [_STREAM.sub(b"", body), *map(_inflated, _STREAM.findall(body))]
    return "\n".join("".join(_texts(part)) for part in parts).encode("utf-8", "replace")


def _inflated(stream: bytes) -> bytes:
    """A stream, if it is no picture or font."""
    try:
        found = zlib.decompressobj().decompress(stream, _MOST_BYTES)
    except zlib.error:
        found = stream
    return b"" if _BINARY.search(found, 0, 1024) else found


def _texts(part: bytes) -> Iterator[str]:
    """The strings of a part; what stands between them says whether a word goes on."""
    for token in _TOKEN.finditer(part):
        if token["text"] is not None:
            yield _string(_ESCAPE.sub(_unescaped, token["text"]))
        elif token["hex"] is not None:
            digits = b"".join(token["hex"].split())
            yield _string(bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode()))
        elif token["number"] is not None:
            yield " " if float(token["number"]) < _GAP else ""
        else:
            yield " "


def _string(raw: bytes) -> str:
    if raw.startswith((b"\xfe\xff", b"\xff\xfe")):
        return raw.decode("utf-16", "replace")
    return raw.decode("cp1252", "replace")


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return bytes([int(found[1], 8) & 255])
    return _LETTERS.get(found[2], found[2]) if found[2] else b""
