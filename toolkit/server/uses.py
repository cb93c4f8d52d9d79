"""Which files a page uses: those that a build would publish for its sake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from toolkit.errors import ImageError, TemplateError
from toolkit.trace import ABSENT, Trace

Use = tuple[str, str]
"""``asset`` and the path of a static file, or ``rendition`` and a file name."""

ASSET = "asset"
RENDITION = "rendition"


def uses_of(site: Any, trace: Trace) -> frozenset[Use]:
    """The files that a page needs beside it.

    Images of file fields are left out: they are public with their rows.
    """
    return frozenset(_uses(site, trace))


def _uses(site: Any, trace: Trace) -> Iterator[Use]:
    for (kind, key), value in trace.inputs.items():
        if value == ABSENT:
            continue
        if kind == "asset":
            with suppress(TemplateError):  # it broke since; the page says so when it is next asked for
                yield from ((ASSET, name) for name in site.assets.closure(key[0]))
        elif kind == "image" and key[0] != "stored":
            with suppress(ImageError):
                yield from ((RENDITION, one.name) for one in site.images.renditions(key))
