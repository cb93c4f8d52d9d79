"""Smaller texts that mean the same: stylesheets, scripts, pages."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.assets.making import keep, read_kept
from toolkit.assets.sources import SCRIPTS, STYLESHEETS, kind_of
from toolkit.errors import SettingError, TemplateError
from toolkit.lazily import LazyModule
from toolkit.seals import installed_version
from toolkit.trace import digest

if TYPE_CHECKING:
    from toolkit.assets import condensing, squeezing
else:
    condensing = LazyModule("toolkit.assets.condensing")
    squeezing = LazyModule("toolkit.assets.squeezing")


_LIBRARIES = {"css": "lightningcss"}
_CONDENSING = 1
"""Part of what names depend on: to be raised when scripts are condensed otherwise than before."""
_LONG = 20_000
_MADE_SMALL = re.compile(r"\.min\.(?:css|m?js)\Z|sourceMappingURL=", re.IGNORECASE)


class Minifier:
    """Makes texts smaller.

    Args:
        kinds: Which: ``css``, ``js``, ``html``.
        browsers: Those that stylesheets are written for, as Browserslist names them; none means those of today.
        store: Where long scripts are kept once they were made smaller.
    """

    def __init__(
        self, kinds: tuple[str, ...] = (), *, browsers: tuple[str, ...] = (), store: Path | None = None
    ) -> None:
        self.kinds = frozenset(kinds)
        self.browsers = browsers
        self.store = store

    @property
    def versions(self) -> str:
        """Stands for what is done to texts, by which libraries."""
        css = (
            f"css lightningcss {installed_version('lightningcss')} {self.browsers or ''}" if "css" in self.kinds else ""
        )
        js = f"js {_CONDENSING}" if "js" in self.kinds else ""
        return ", ".join(filter(None, (css, js)))

    def asset(self, path: str, file: Path, text: str) -> str:
        """A stylesheet or script made smaller; other texts, and those that were made small already, as they are.

        Raises:
            TemplateError: It cannot be read.
        """
        kind = kind_of(path)
        if _MADE_SMALL.search(path) or "sourceMappingURL=" in text[-400:]:
            return text
        if kind in STYLESHEETS and "css" in self.kinds:
            return self._small_css(file, text)
        if kind in SCRIPTS and "js" in self.kinds:
            return self._small_script(text)
        return text

    def page(self, text: str) -> str:
        """A page of HTML made smaller, if pages are."""
        return squeezing.squeeze(text) if "html" in self.kinds else text

    def _small_css(self, file: Path, text: str) -> str:
        try:
            small: str = load("css", "lightningcss").process_stylesheet(
                text, filename=str(file), browsers_list=list(self.browsers) or None
            )
        except ValueError as error:
            if "browsers_list" in str(error):
                told = str(error).partition(": ")[2]
                raise SettingError(
                    f"css_browsers = {list(self.browsers)!r}: {told}", hint="Write css_browsers = ['safari >= 14']."
                ) from error
            place = re.search(r":(\d+):\d+\s*$", str(error))
            raise TemplateError(
                f"the stylesheet cannot be read: {error}",
                path=file,
                line=int(place[1]) + 1 if place else None,  # lightningcss counts lines from 0
                hint="Mend it. A file named *.min.css is left as it is.",
            ) from error
        return small

    def _small_script(self, text: str) -> str:
        """A script condensed: a long one takes half a second, so it is kept by its content."""
        if self.store is None or len(text) < _LONG:
            return condensing.condense(text)
        place = self.store / f"{digest(['condensed', _CONDENSING, text]).hex()}.js"
        kept = read_kept(place)
        if kept is not None:
            return kept.decode()
        small = condensing.condense(text)
        with suppress(TemplateError):  # what cannot be kept is made again
            keep(place, small.encode())
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
