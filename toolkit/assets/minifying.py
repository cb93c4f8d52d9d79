"""Smaller texts that mean the same: stylesheets, scripts, pages."""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from toolkit.assets.sources import SCRIPTS, STYLESHEETS, kind_of
from toolkit.assets.squeezing import squeeze
from toolkit.errors import TemplateError

_LIBRARIES = {"css": "lightningcss", "js": "rjsmin"}
_MADE_SMALL = re.compile(r"\.min\.(?:css|m?js)\Z|sourceMappingURL=", re.IGNORECASE)


class Minifier:
    """Makes texts smaller.

    Args:
        kinds: Which: ``css``, ``js``, ``html``.
    """

    def __init__(self, kinds: tuple[str, ...] = ()) -> None:
        self.kinds = frozenset(kinds)

    @property
    def versions(self) -> str:
        """Stands for what is done to texts, by which libraries."""
        return ", ".join(
            f"{kind} {_LIBRARIES[kind]} {_version(_LIBRARIES[kind])}" for kind in sorted(self.kinds & _LIBRARIES.keys())
        )

    def asset(self, path: str, file: Path, text: str) -> str:
        """A stylesheet or script made smaller; other texts, and those that were made small already, as they are.

        Raises:
            TemplateError: It cannot be read.
        """
        kind = kind_of(path)
        if _MADE_SMALL.search(path) or "sourceMappingURL=" in text[-400:]:
            return text
        if kind in STYLESHEETS and "css" in self.kinds:
            return _small_css(file, text)
        if kind in SCRIPTS and "js" in self.kinds:
            small: str = load("js", "rjsmin").jsmin(text, keep_bang_comments=True)
            return small
        return text

    def page(self, text: str) -> str:
        """A page of HTML made smaller, if pages are."""
        return squeeze(text) if "html" in self.kinds else text


def _small_css(file: Path, text: str) -> str:
    try:
        small: str = load("css", "lightningcss").process_stylesheet(text, filename=str(file))
    except ValueError as error:
        line = re.search(r":(\d+):(\d+)\s*$|line (\d+)", str(error))
        number = int(line[1] or line[3]) if line else None
        raise TemplateError(f"the stylesheet cannot be read: {error}", path=file, line=number) from error
    return small


def load(kind: str, module: str) -> Any:
    """A library that makes texts smaller.

    Raises:
        TemplateError: It is not installed.
    """
    try:
        return __import__(module)
    except ImportError as error:
        raise TemplateError(
            f"{kind} cannot be made smaller: {_LIBRARIES[kind]} is not installed",
            hint="pip install 'publishing-toolkit[minify]', or leave it out of the setting 'minify'.",
        ) from error


@cache
def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""
