"""The files a stylesheet refers to: finding and rewriting ``url()``, ``@import`` and ``image-set()``.

Source: CSS Syntax Module Level 3 §4 (tokens), CSS Values 4 §4.5 (``url()``), CSS Images 4 §2.4
(``image-set()``). Comments and other strings are left alone: ``content: "url(x.png)"`` refers to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_STRING = r"""(?:"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*')"""
_TOKEN = re.compile(
    rf"""
      (?P<comment>/\*[\s\S]*?(?:\*/|\Z))
    | @import\s+(?P<import>{_STRING})
    | url\(\s*(?P<url>{_STRING}|(?:[^\s"'()\\]|\\[0-9a-f]{{1,6}}\s?|\\[\s\S])*)\s*\)
    | (?P<string>{_STRING})
    | (?P<open>[\w-]*\()
    | (?P<close>\))
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SOURCE_MAP = re.compile(r"[#@]\s*sourceMappingURL=(?P<map>\S+?)\s*\*/")
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?|\n|([\s\S]))")


@dataclass(frozen=True, slots=True)
class Reference:
    """A place in a stylesheet that names a file.

    Args:
        url: What it names, unescaped and without quotes.
        line: Line in the stylesheet, from 1.
        start: Where the written URL begins in the text.
        end: Where it ends.
        optional: Whether the file may be missing (a source map, which only a debugger asks for).
    """

    url: str
    line: int
    start: int
    end: int
    optional: bool = False


def iter_references(text: str) -> Iterator[Reference]:
    """Everything a stylesheet refers to, in order; fragments and ``data:`` URLs included."""
    functions: list[str] = []
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup or ""
        if kind == "open":
            functions.append(token["open"].lower())
        elif kind == "close":
            del functions[-1:]
        elif kind == "comment":
            source_map = _SOURCE_MAP.search(token[0])
            if source_map:
                yield _reference(text, token.start() + source_map.start("map"), source_map["map"], optional=True)
        elif kind != "string" or (functions and functions[-1].endswith("image-set(")):
            yield _reference(text, token.start(kind), token[kind])


def rewrite_references(text: str, replace: Callable[[Reference], str | None]) -> str:
    """The stylesheet with other URLs.

    Args:
        text: The stylesheet.
        replace: The new URL of a reference, or None to leave it as it is.
    """
    pieces: list[str] = []
    done = 0
    for reference in iter_references(text):
        url = replace(reference)
        if url is not None:
            pieces += [text[done : reference.start], url if reference.optional else _quoted(url)]
            done = reference.end
    return "".join([*pieces, text[done:]])


def _reference(text: str, start: int, written: str, *, optional: bool = False) -> Reference:
    url = written[1:-1] if written[:1] in ("'", '"') else written
    line = text.count("\n", 0, start) + 1
    return Reference(_ESCAPE.sub(_unescaped, url), line, start, start + len(written), optional)


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if code is None:
        return match[2] or ""
    number = int(code, 16)
    return chr(number) if 0 < number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"


def _quoted(url: str) -> str:
    return '"' + url.replace("\\", "\\\\").replace('"', '\\"') + '"'
