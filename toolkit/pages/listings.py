"""Listings: the items of one page of many, and the way to its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.errors import DeclarationError
from toolkit.pages.patterns import numbered


def split_result(result: Any) -> tuple[Any, dict[str, Any]]:
    """(items, further names for the template) of what a listing's function gave: items alone, or both."""
    if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], Mapping):
        return result[0], dict(result[1])
    return result, {}


def count_items(result: Any) -> int:
    """How many items a listing's function gave."""
    if isinstance(result, list | tuple):
        return len(result)
    if hasattr(result, "count"):
        return int(result.count())
    raise DeclarationError(
        f"a listing's function must return a queryset or a list, not {type(result).__name__}",
        hint="Return Story.objects.filter(...) or a list of items.",
    )


def count_pages(result: Any, per_page: int) -> int:
    """How many pages the items fill; 0 for no items."""
    return -(-count_items(split_result(result)[0]) // per_page)


@dataclass(frozen=True)
class Listing:
    """One page of a listing, as its template sees it.

    Args:
        items: The items of this page.
        number: Which page, from 1.
        pages: How many pages.
        total: How many items on all pages.
        base_url: The URL of the first page.
    """

    items: list[Any]
    number: int
    pages: int
    total: int
    base_url: str

    @property
    def previous_url(self) -> str | None:
        """The page before, or None."""
        return numbered(self.base_url, self.number - 1) if self.number > 1 else None

    @property
    def next_url(self) -> str | None:
        """The page after, or None."""
        return numbered(self.base_url, self.number + 1) if self.number < self.pages else None

    @property
    def page_urls(self) -> list[tuple[int, str, bool]]:
        """(number, URL, whether it is this one) of every page."""
        return [(n, numbered(self.base_url, n), n == self.number) for n in range(1, self.pages + 1)]


def make_listing(result: Any, *, number: int, per_page: int, base_url: str) -> Listing | None:
    """The listing of one page, or None if there is no such page.

    Args:
        result: What the route's function gave.
        number: Which page, from 1.
        per_page: Items on each.
        base_url: The URL of the first.
    """
    total = count_items(result)
    pages = max(-(-total // per_page), 1)
    if not 1 <= number <= pages:
        return None
    items = list(result[(number - 1) * per_page : number * per_page])
    return Listing(items, number, pages, total, base_url)
