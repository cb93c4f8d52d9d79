"""The files a stylesheet refers to: ``url()``, ``@import`` and ``image-set()``.

Source: CSS Syntax Module Level 3 §4 (tokens), CSS Values 4 §4.5 (``url()``), CSS Images 4 §2.4
(``image-set()``). Comments and other strings are left alone: ``content: "url(x.png)"`` refers to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from toolkit.assets.references import Reference

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
_IMPORTING = re.compile(r"@import\s+\Z", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?|\n|([\s\S]))")


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
            yield _reference(text, token.start(kind), token[kind], imported=kind == "import" or _imports(text, token))


def _imports(text: str, token: re.Match[str]) -> bool:
    """Whether a ``url()`` is that of an ``@import``."""
    return _IMPORTING.search(text, max(0, token.start() - 40), token.start()) is not None


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
