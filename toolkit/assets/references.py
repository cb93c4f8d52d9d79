"""References from one asset to others: where they stand, what they name, how another name is written there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

import msgspec

from toolkit.text import escape_attribute


class Reference(msgspec.Struct, frozen=True):
    """A place in a text that names a file.

    Args:
        url: What it names, unescaped and without quotes.
        line: Line in the text, from 1.
        start: Where what is replaced begins in the text.
        end: Where it ends.
        style: How a name is written there: ``css``, ``attribute``, ``script``, ``json`` or ``plain``.
        optional: Whether the file may be missing (a source map, which only a debugger asks for).
        bare: Whether ``lit`` and ``x.js`` name a package here rather than a file beside this one.
        imported: Whether what refers cannot do without it from the start: an ``@import``, whose rules could stand in
            its place, or an ``import`` at the top of a module.
        later: Whether it is an ``import()``, which may come later.
    """

    url: str
    line: int
    start: int
    end: int
    style: str = "css"
    optional: bool = False
    bare: bool = False
    imported: bool = False
    later: bool = False


def rewrite(text: str, references: Iterable[Reference], replace: Callable[[Reference], str | None]) -> str:
    """The text with other names.

    Args:
        text: The text.
        references: Its references, in order.
        replace: The new URL of a reference, or None to leave it as it is.
    """
    pieces: list[str] = []
    done = 0
    for reference in references:
        url = replace(reference)
        if url is not None:
            pieces += [text[done : reference.start], written(url, reference.style)]
            done = reference.end
    return "".join([*pieces, text[done:]])


def reached(path: str, follow: Callable[[str], Iterable[str]]) -> set[str]:
    """An asset and all that is reached from it.

    Args:
        path: Of the asset.
        follow: What an asset leads to itself.
    """
    found: set[str] = set()
    waiting = [path]
    while waiting:
        here = waiting.pop()
        if here not in found:
            found.add(here)
            waiting += follow(here)
    return found


def written(url: str, style: str) -> str:
    """A URL as it is written in a place of this style."""
    if style == "css":
        return '"' + url.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if style == "attribute":
        return escape_attribute(url)
    if style == "json":
        return json.dumps(url, ensure_ascii=False)[1:-1]
    if style == "script":
        return url.replace("\\", "\\\\").replace('"', '\\"').replace("'", "\\'").replace("`", "\\`")
    return url
