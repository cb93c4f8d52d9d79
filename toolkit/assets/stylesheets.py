"""The files a stylesheet refers to: ``url()``, ``@import`` and ``image-set()``.

Source: CSS Syntax Module Level 3 §4 (tokens), CSS Values 4 §4.5 (``url()``), CSS Images 4 §2.4
(``image-set()``). Comments, namespaces and other strings are left alone: ``content: "url(x.png)"`` refers to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from toolkit.assets.references import Reference
from toolkit.text.patterns import deferred

_STRING = r"""(?:"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*')"""
_COMMENT = r"(?>/\*[\s\S]*?(?:\*/|\Z))"
_IMPORT = rf"@import(?:\s|{_COMMENT})*+"
_TOKEN = deferred(
    rf"""
      (?P<comment>{_COMMENT})
    | @namespace\b(?P<namespace>(?:{_COMMENT}|{_STRING}|[^;{{}}"'/]|/)*+)
    | {_IMPORT}(?P<import>{_STRING})
    | (?:{_IMPORT})?url\(\s*+(?P<quoted>{_STRING})
    | (?:{_IMPORT})?url\(\s*+(?P<url>(?:[^\s"'()\\]|\\[0-9a-f]{{1,6}}\s?|\\[\s\S])*+)\s*+\)
    | (?P<string>{_STRING})
    | (?P<open>[\w-]*\()
    | (?P<close>\))
    """,
    re.IGNORECASE | re.VERBOSE,
)
_REFERRING = frozenset({"import", "quoted", "url"})
_PART = deferred(
    rf"""/\*[\s\S]*?\*/ | {_STRING} | url\(\s*+(?:[^\s"'()\\]|\\[\s\S])*+\s*+\) | \\[\s\S] | /\* | [(){{}}\[\]"']""",
    re.IGNORECASE | re.VERBOSE,
)
_CLOSES = {")": "(", "]": "[", "}": "{"}
_SOURCE_MAP = deferred(r"[#@]\s*sourceMappingURL=(?P<map>\S+?)\s*\*/")
_ESCAPE = deferred(r"\\(?:([0-9a-fA-F]{1,6})\s?|\n|([\s\S]))")


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
        elif kind in _REFERRING or (kind == "string" and functions and functions[-1].endswith("image-set(")):
            yield _reference(text, token.start(kind), token[kind], imported=token[0].startswith("@"))
            if kind == "quoted":  # its bracket is open: url("x.woff2" crossorigin(anonymous))
                functions.append("url(")


def is_closed(text: str) -> bool:
    """Whether each bracket, string and comment of a stylesheet is closed, so that another one can follow it."""
    opened: list[str] = []
    for part in _PART.findall(text):
        if part in ("(", "[", "{"):
            opened.append(part)
        elif part in _CLOSES:
            if not opened or opened.pop() != _CLOSES[part]:
                return False
        elif part in ("/*", '"', "'"):
            return False
    return not opened


def without_source_map(text: str) -> str:
    """A stylesheet without the name of its source map, which is not the map of what it stands in."""
    return re.sub(r"/\*[#@]\s*sourceMappingURL=[^*]*\*/\s*\Z", "", text)


def _reference(text: str, start: int, written: str, *, optional: bool = False, imported: bool = False) -> Reference:
    url = written[1:-1] if written[:1] in ("'", '"') else written
    line = text.count("\n", 0, start) + 1
    style = "plain" if optional else "css"
    return Reference(
        _ESCAPE.sub(_unescaped, url), line, start, start + len(written), style, optional, imported=imported
    )


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if code is None:
        return match[2] or ""
    number = int(code, 16)
    return chr(number) if 0 < number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"
