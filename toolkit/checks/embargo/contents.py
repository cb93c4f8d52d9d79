"""What can be read in a file by whoever looks: through compression, escapes, tags and the metadata of images."""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import importlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from toolkit.checks.embargo.words import BREAK

MOST_BYTES = 1 << 30
"""What a compressed file may unfold to."""

_DEPTH = 4
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([nrtbf\"'/\\]))")
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "b": " ", "f": " "}
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_INLINE = re.compile(
    r"</?(?:b|i|em|strong|span|mark|small|u|s|sub|sup|wbr|code|abbr|q|cite|bdi|bdo)(?:\s[^<>]*)?/?>", re.IGNORECASE
)
_PHRASE = re.compile(r"</?(?:a|br|img|time|label|font|kbd|var|samp|dfn|del|ins)(?:\s[^<>]*)?/?>", re.IGNORECASE)
_ANY_TAG = re.compile(r"<[^<>]*>")
_SYNTAX = re.compile(r"</?[A-Za-z][\w:-]*|\s[\w:-]+\s*=\s*(?=[\"'])|/?>|<!--|-->|<!\[CDATA\[|\]\]>")
_DATA_URL = re.compile(r"data:[\w.+/-]*(?:;[\w=.+-]+)*;base64,([A-Za-z0-9+/=_-]+)")
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a]")
_PRINTED = re.compile(r"[^\x00-\x1f\x7f\ufffd]{4,}")
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")


class Unreadable(Exception):
    """A file that cannot be looked into.

    Args:
        why: What is missing or wrong.
    """


class Content(NamedTuple):
    """Something that is in a file: the file itself, or what is packed in it.

    Args:
        body: Its bytes.
        inside: Where in the file; empty for the file itself.
    """

    body: bytes
    inside: str


def contents_of(path: str, body: bytes, inside: str = "", depth: int = 0) -> Iterator[Content]:
    """A file, and everything that is packed in it.

    Args:
        path: Its name, whose ending says how it is packed where its bytes do not.
        body: Its bytes.
        inside: Where it was found.
        depth: How deep.

    Raises:
        Unreadable: It cannot be unpacked.
    """
    yield Content(body, inside)
    if depth == _DEPTH:
        return
    for name, packed in _unpacked(path, body):
        yield from contents_of(name, packed, f"{inside}/{name}" if inside else name, depth + 1)
    if b";base64," in body:
        for number, found in enumerate(_DATA_URL.finditer(body.decode("utf-8", "replace"))):
            try:
                embedded = base64.b64decode(found[1].replace("-", "+").replace("_", "/"), validate=True)
            except binascii.Error:
                continue
            yield from contents_of(f"data-{number}", embedded, f"{inside}data URL {number + 1}", depth + 1)


def _unpacked(path: str, body: bytes) -> Iterator[tuple[str, bytes]]:
    if body.startswith(b"\x1f\x8b"):
        yield path.removesuffix(".gz"), _limited(lambda: gzip.GzipFile(fileobj=io.BytesIO(body)).read(MOST_BYTES), path)
    elif path.endswith(".br"):
        yield path.removesuffix(".br"), _brotli(path, body)
    elif body.startswith(b"PK\x03\x04"):
        yield from _zipped(path, body)
    elif body.startswith(b"\x89PNG"):
        yield from _png_texts(body)


def _limited(read: object, path: str) -> bytes:
    try:
        found: bytes = read()  # type: ignore[operator]
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"{path} cannot be unpacked: {error}") from error
    return found


def _brotli(path: str, body: bytes) -> bytes:
    try:
        brotli = importlib.import_module("brotli")
    except ImportError:
        raise Unreadable(f"{path} is compressed with brotli, and the library brotli is not installed") from None
    try:
        found: bytes = brotli.decompress(body)
    except brotli.error as error:
        raise Unreadable(f"{path} cannot be unpacked: {error}") from error
    return found


def _zipped(path: str, body: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            left = MOST_BYTES
            for member in archive.infolist():
                left -= member.file_size
                if left < 0:
                    raise Unreadable(f"{path} unfolds to more than {MOST_BYTES:,} bytes")
                yield member.filename, archive.read(member) + b"\n" + member.filename.encode() + b"\n" + member.comment
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error, OSError) as error:
        raise Unreadable(f"{path} cannot be unpacked: {error}") from error


def _png_texts(body: bytes) -> Iterator[tuple[str, bytes]]:
    """The compressed texts of a PNG. Source: PNG, "zTXt" and "iTXt"."""
    place = 8
    while place + 8 <= len(body):
        size, kind = int.from_bytes(body[place : place + 4]), body[place + 4 : place + 8]
        chunk = body[place + 8 : place + 8 + size]
        place += size + 12
        if kind == b"zTXt":
            packed = chunk.partition(b"\0")[2][1:]
        elif kind == b"iTXt" and chunk.partition(b"\0")[2][:1] == b"\1":
            packed = chunk.partition(b"\0")[2][2:].split(b"\0", 2)[-1]
        else:
            continue
        try:
            yield kind.decode(), zlib.decompress(packed)
        except zlib.error:
            continue


# texts


def texts_of(body: bytes) -> Iterator[str]:
    """The texts that somebody reads in a piece of content, each with its escapes undone."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        yield from _readings(body.decode("utf-16", "replace"))
    elif _BINARY.search(body, 0, 4096):
        yield from _printed(body)
    else:
        yield from _readings(body.decode("utf-8", "replace"))


def _printed(body: bytes) -> Iterator[str]:
    """Runs of text in binary files, such as the metadata of images; also where each letter takes two bytes."""
    for one in (body, body.replace(b"\0", b"") if b"\0" in body else b""):
        text = f" {BREAK} ".join(_PRINTED.findall(one.decode("utf-8", "replace")))
        if text:
            yield from _readings(text)


def _readings(text: str) -> Iterator[str]:
    """A text as it is read with its markup, and without."""
    plain = undo_escapes(text)
    yield from without_markup(plain)
    if plain is not text and "\\" in text:
        yield from without_markup(text)


def without_markup(text: str) -> Iterator[str]:
    """What stands between the tags of a text; and if it has any, what stands in their attributes and in comments."""
    if "<" not in text:
        yield text
        return
    yield _SYNTAX.sub(f" {BREAK} ", text)
    shown = _INLINE.sub("", _COMMENT.sub(BREAK, _CDATA.sub(" ", text)))
    yield _ANY_TAG.sub(f" {BREAK} ", _PHRASE.sub(" ", shown))


def undo_escapes(text: str) -> str:
    """A text without the escapes of HTML, JSON and URLs, however often they were applied."""
    for _ in range(_DEPTH):
        before = text
        if "&" in text:
            text = html.unescape(text)
        if "\\" in text:
            text = _SURROGATES.sub(_joined, _ESCAPE.sub(_unescaped, text))
        if "%" in text:
            text = unquote(text, errors="replace")
        if text == before:
            break
    return text


def _unescaped(found: re.Match[str]) -> str:
    if found[3]:
        return _LETTERS.get(found[3], found[3])
    return chr(int(found[1] or found[2], 16))


def _joined(found: re.Match[str]) -> str:
    """Two halves of a character, as JSON writes those beyond U+FFFF."""
    return found[0].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
