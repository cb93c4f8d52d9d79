"""The redirects that people wrote down: in the site's CSV file, and in what functions of its apps give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from toolkit.errors import Problems, RouteError, ToolkitError
from toolkit.lazily import LazyModule
from toolkit.trace import READER, digest, digest_bytes, entered

if TYPE_CHECKING:
    from toolkit.apps import DeclaredRedirects
    from toolkit.site import redirects
    from toolkit.site.redirects import Redirect, RedirectList
else:
    redirects = LazyModule("toolkit.site.redirects")


class SiteRedirects:
    """The redirects of a site.

    Args:
        site: A prepared site. Its file of redirects need not exist.
    """

    def __init__(self, site: Any) -> None:
        self.site = site
        self.path = site.folder / site.settings.peek("redirects")
        self.functions: list[DeclaredRedirects] = [one for app in site.apps for one in app.redirect_functions]
        self._known: tuple[bytes, RedirectList] | None = None

    def read(self, moment: datetime | None = None) -> RedirectList:
        """What they are now.

        Args:
            moment: For which functions are asked; now by default. Rows that readers do not see redirect nobody.

        Raises:
            RouteError: A function gives no rows.
            Problems: Every row that cannot stand, every path that is redirected twice, and every loop.
        """
        body, rows = self._body(), self._rows(moment)
        value = _digest(body, rows)
        if self._known is None or self._known[0] != value:
            self._known = (value, redirects.RedirectList(self._parsed(body, rows)))
        return self._known[1]

    def digest(self, moment: datetime | None = None) -> bytes:
        """Stands for all that they are made of."""
        return _digest(self._body(), self._rows(moment))

    def _body(self) -> bytes:
        return self.path.read_bytes() if self.path.is_file() else b""

    def _rows(self, moment: datetime | None) -> list[list[Any]]:
        """What each function gives, to readers."""
        if not self.functions:
            return []
        with entered(self.site.scope(viewer=READER, moment=moment)):
            return [_given(one) for one in self.functions]

    def _parsed(self, body: bytes, rows: list[list[Any]]) -> list[Redirect]:
        found = redirects.parse_redirects(body, self.path)
        known = {(one.source, one.query): one for one in found}
        problems: list[ToolkitError] = []
        for declared, given in zip(self.functions, rows, strict=True):
            for one, wrong in _redirects(declared, given):
                twin = known.setdefault((one.source, one.query), one)
                if not wrong and twin is not one:
                    wrong = f"{one.source} is redirected twice, first in {twin.where}"
                if wrong:
                    problems.append(RouteError(f"{declared.label}: {wrong}", path=declared.path, line=declared.line))
                else:
                    found.append(one)
        problems += redirects.loop_problems(found)
        if problems:
            raise Problems(problems, summary="there are redirects that cannot stand")
        return found


def _given(declared: DeclaredRedirects) -> list[Any]:
    rows = declared.function()
    if isinstance(rows, str) or not isinstance(rows, Iterable):
        raise RouteError(
            f"{declared.label} gave {rows!r}, and no rows",
            path=declared.path,
            line=declared.line,
            hint="Return a queryset or a list of (from, to, status), or yield them.",
        )
    return list(rows)


def _digest(body: bytes, rows: list[list[Any]]) -> bytes:
    return digest([digest_bytes(body), [[_cells(row) for row in given] for given in rows]])


def _redirects(declared: DeclaredRedirects, rows: list[Any]) -> Iterator[tuple[Redirect, str]]:
    """The redirects that a function gave, each with what is wrong with it."""
    for row in rows:
        cells = _cells(row)
        if cells is None:
            yield redirects.Redirect("", ""), f"{row!r} is no redirect: give (from, to) or (from, to, status)"
        else:
            yield redirects.parse_row(dict(zip(redirects.COLUMNS, cells, strict=False)), declared.label)


def _cells(row: Any) -> list[str] | None:
    """From, to and status as texts; None for what is no row."""
    if isinstance(row, Mapping):
        row = [row.get(name) for name in redirects.COLUMNS] if set(row) <= set(redirects.COLUMNS) else None
    if not isinstance(row, list | tuple) or not 2 <= len(row) <= len(redirects.COLUMNS):
        return None
    return ["" if cell is None else str(cell) for cell in row]
