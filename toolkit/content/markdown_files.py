"""Markdown files: front matter in YAML (``---``), TOML (``+++``) or JSON (``{``), and a body.

The body begins after the front matter and one empty line, and ends before the file's last line break: so any text
can be written to a file and read back as it was. Line breaks are ``\\n`` whatever the editor wrote.
"""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath
from typing import Any

from toolkit.content.json_files import parse_json, place_at
from toolkit.content.place import Document, Place, content_error
from toolkit.content.toml_files import parse_toml
from toolkit.content.yaml_files import parse_yaml
from toolkit.errors import ContentError

_FENCES = {"---": re.compile(r"^---[ \t]*$", re.MULTILINE), "+++": re.compile(r"^\+\+\+[ \t]*$", re.MULTILINE)}
_DATED = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})-(?=.)")


class MarkdownDocument:
    """One Markdown file.

    Args:
        matter: Its front matter.
        body: The text below it.
        body_line: Line on which the body begins, from 1.
        body_name: The field that takes the body.
    """

    def __init__(self, matter: Document, body: str, *, body_line: int, body_name: str | None) -> None:
        self.matter, self.body, self.body_line = matter, body, body_line
        self._body_name = body_name
        self.rows = [dict(matter.rows[0])]
        if body_name is not None and (body or body_name not in self.rows[0]):
            self.rows[0][body_name] = body

    def locate(self, row: int, path: tuple[Any, ...] = (), *, key: bool = False) -> Place:
        if path and path[0] == self._body_name and self._body_name not in self.matter.rows[0]:
            return Place(self.body_line)
        return self.matter.locate(row, path, key=key)

    def text_of(self, row: int, path: tuple[Any, ...]) -> str | None:
        return self.matter.text_of(row, path)


def parse_markdown(text: str, *, path: str, body: str | None = None) -> MarkdownDocument:
    """Read a Markdown file.

    Args:
        text: The whole file.
        path: Its path, for errors.
        body: The field that takes the text below the front matter.

    Raises:
        ContentError: The front matter does not end or cannot be read, or it gives the body a second time.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    matter, rest, line = _split(text, path)
    if line > 1 and rest.startswith("\n"):
        rest, line = rest[1:], line + 1
    rest = rest.removesuffix("\n")
    if rest and body is not None and body in matter.rows[0]:
        place = matter.locate(0, (body,), key=True)
        told = f"{body!r} is given twice: here, and as the text from line {line}"
        raise content_error(told, path, place, "Remove one of them.")
    return MarkdownDocument(matter, rest, body_line=line, body_name=body)


def _split(text: str, path: str) -> tuple[Document, str, int]:
    """The front matter, the rest, and the line on which the rest begins."""
    fence = text[:3]
    first = _FENCES[fence].match(text) if fence in _FENCES else None
    if first is not None:
        begin = first.end() + 1
        end = _FENCES[fence].search(text, begin)
        if end is None:
            hint = f"Close it with a line of {fence!r}."
            raise content_error("the front matter does not end", path, Place(1), hint)
        inner = text[begin : end.start()]
        parse: Any = _yaml if fence == "---" else parse_toml
        line = 3 + inner.count("\n") if inner else 3
        return parse(inner, path=path, first_line=2), text[end.end() + 1 :], line
    if fence.startswith("{") and re.match(r"\{\s*[\"}]", text):
        return _split_json(text, path)
    return _yaml("", path=path, first_line=1), text, 1


def _yaml(text: str, *, path: str, first_line: int) -> Document:
    try:
        return parse_yaml(text, path=path, first_line=first_line, single=True)
    except ContentError:
        # Tabs at the ends of lines mean nothing to their writers, but YAML refuses them.
        stripped = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
        if "\t" not in text or stripped == text:
            raise
        return parse_yaml(stripped, path=path, first_line=first_line, single=True)


def _split_json(text: str, path: str) -> tuple[Document, str, int]:
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError as error:
        told = f"the front matter cannot be read: {error.msg}"
        raise content_error(told, path, Place(error.lineno, error.colno)) from None
    except (ValueError, RecursionError) as error:  # thousands of digits, or of brackets
        raise content_error(f"the front matter cannot be read: {error}", path, Place(1)) from None
    rest = text[end:]
    blank = re.match(r"[ \t]*(\n|$)", rest)
    if blank is None:
        hint = "Begin the text on a line of its own."
        raise content_error("there is text behind the front matter", path, place_at(text, end), hint)
    line = text.count("\n", 0, end) + 2
    return parse_json(text[:end], path=path, single=True), rest[blank.end() :], line


def name_of(path: str, *, dated: bool = False) -> str:
    """A file's name without folder, suffix and leading date; of ``name/index.md`` the folder's.

    Args:
        path: The file.
        dated: Leave the date where it is.
    """
    pure = PurePosixPath(path)
    stem = pure.parent.name if pure.stem == "index" and pure.parent.name else pure.stem
    return stem if dated else _DATED.sub("", stem, count=1)


def date_of(path: str) -> str | None:
    """The date in front of a file's name, as YYYY-MM-DD."""
    pure = PurePosixPath(path)
    stem = pure.parent.name if pure.stem == "index" and pure.parent.name else pure.stem
    found = _DATED.match(stem)
    return f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}" if found else None
