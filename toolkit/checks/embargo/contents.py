"""What can be read in a file by whoever looks: through compression, escapes, tags and the metadata of images."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from toolkit.checks.embargo.packing import encoded, unpacked
from toolkit.checks.embargo.words import BREAK

_DEPTH = 4
_ESCAPE = re.compile(
    r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([nrtbf\"'/\\])|u\{0{0,4}([0-9a-fA-F]{1,5})\}|00([0-9a-fA-F]{4})\s?)"
)
"""As JSON, JavaScript and, with six digits, CSS write letters."""
_FOLD = re.compile(r"\r?\n[ \t]")
"""Where a line of a calendar or a card goes on. Source: RFC 5545 §3.1."""
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "b": " ", "f": " "}
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_INLINE = re.compile(
    r"</?(?:b|i|em|strong|span|mark|small|u|s|sub|sup|wbr|code|abbr|q|cite|bdi|bdo)(?:\s[^<>]*)?/?>", re.IGNORECASE
)
_PHRASE = re.compile(r"</?(?:a|br|img|time|label|font|kbd|var|samp|dfn|del|ins)(?:\s[^<>]*)?/?>", re.IGNORECASE)
_ANY_TAG = re.compile(r"<[^<>]*>")
_SYNTAX = re.compile(r"</?[A-Za-z][\w:-]*|\s[\w:-]+\s*=\s*(?=[\"'])|/?>|<!--|-->|<!\[CDATA\[|\]\]>")
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a]")
_PRINTED = re.compile(r"[^\x00-\x1f\x7f\ufffd]{4,}")
_MARKED = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
"""What a text begins with that says how many bytes a letter takes."""
_WIDE = {
    "utf-16-le": re.compile(rb"(?:[^\0][\x00-\x06]|\0[\x01-\x06]){4,}", re.DOTALL),
    "utf-16-be": re.compile(rb"(?:[\x00-\x06][^\0]|[\x01-\x06]\0){4,}", re.DOTALL),
    "utf-32-le": re.compile(rb"(?:[^\0][\x00-\x06]\0\0){4,}", re.DOTALL),
    "utf-32-be": re.compile(rb"(?:\0\0[\x00-\x06][^\0]){4,}", re.DOTALL),
}
"""Runs of letters of the alphabets from Latin to Arabic, where nothing says how many bytes each takes."""
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")


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
    for name, packed in unpacked(path, body):
        yield from contents_of(name, packed, f"{inside}/{name}" if inside else name, depth + 1)
    for name, packed in encoded(body):
        yield from contents_of(name, packed, f"{inside}{name}", depth + 1)


# texts


def texts_of(body: bytes) -> Iterator[str]:
    """The texts that somebody reads in a piece of content, each with its escapes undone."""
    wide = next((name for marks, name in _MARKED if body.startswith(marks)), None)
    if wide is not None:
        yield from _readings(body.decode(wide, "replace"))
    elif _BINARY.search(body, 0, 4096):
        yield from _printed(body)
    else:
        text = body.decode("utf-8", "replace")
        yield from _readings(text)
        if text.startswith("BEGIN:V"):
            yield from _readings(_FOLD.sub("", text))
        if "\ufffd" in text:
            yield from _readings(body.decode("cp1252", "replace"))


def _printed(body: bytes) -> Iterator[str]:
    """Runs of text in binary files, such as the metadata of images; also where each letter takes two bytes, or four."""
    texts = [_PRINTED.findall(body.decode("utf-8", "replace"))]
    for name, letters in _WIDE.items():
        runs = (found[0].decode(name, "replace") for found in letters.finditer(body))
        texts.append([text for run in runs for text in _PRINTED.findall(run)])
    for runs_of_text in texts:
        if runs_of_text:
            yield from _readings(f" {BREAK} ".join(runs_of_text))


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
    return chr(int(found[1] or found[2] or found[4] or found[5], 16))


def _joined(found: re.Match[str]) -> str:
    """Two halves of a character, as JSON writes those beyond U+FFFF."""
    return found[0].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
