"""Listings: the items of one page of many, and the way to its neighbours.

A listing's items come newest first. In a *stable* one the pages beside the first are numbered from the oldest and hold
always the same items: of 45 items, twenty a page, ``page/1/`` holds the twenty oldest, and the listing's own URL the
25 newest. A new item changes the first page alone; when that holds twice as many as a page, its older half becomes a
page of its own. Otherwise the pages are numbered from the first, and a new item moves something on each.

A page reads no more than it shows, for what it reads it depends on: the number of all items, above all, is counted
when the template asks for it. The number of pages is not counted: of it a page reads that the last one is there, and
none after it. So a page that shows it stays as it is until a page comes or goes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from toolkit.errors import DeclarationError, FieldError
from toolkit.pages.routes import Route


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


def count_pages(result: Any, route: Route) -> int:
    """How many pages the items fill; 0 for no items."""
    return pages_for(count_items(split_result(result)[0]), route)


def pages_for(total: int, route: Route) -> int:
    """How many pages some items fill; 0 for no items."""
    if route.stable:
        return max(total // route.per_page, min(total, 1))
    return -(-total // route.per_page)


class Listing:
    """One page of a listing, as its template sees it.

    Args:
        result: All items: what the route's function gave.
        route: The listing's route.
        number: Which page: 1 for the one at the listing's own URL.
        url_of: The URL of a page by its number, or None.
        pages_of: How many pages there are, as the plan has it.

    Attributes:
        items: The items of this page.
        is_first: Whether it is the page at the listing's own URL, with the first items.
    """

    def __init__(
        self,
        result: Any,
        route: Route,
        *,
        number: int,
        url_of: Callable[[int], str | None],
        pages_of: Callable[[], int],
    ) -> None:
        self._result, self._route, self._number = result, route, number
        self._url_of, self._pages_of = url_of, pages_of
        self.is_first = number == 1
        self.items: list[Any] = self._find_items()

    def __repr__(self) -> str:
        return f"<Listing {self._route.name} {self._number}>"

    def _find_items(self) -> list[Any]:
        size, number = self._route.per_page, self._number
        if not self._route.stable:
            return list(self._result[(number - 1) * size : number * size])
        if self.is_first:
            return list(self._result[: self.total - (self.pages - 1) * size])
        return self._from_oldest((number - 2) * size, (number - 1) * size)

    def _from_oldest(self, start: int, stop: int) -> list[Any]:
        """The items with these numbers, as counted from the last; in their order."""
        if not isinstance(self._result, list | tuple):
            try:
                turned = self._result.reverse()
            except FieldError:  # what was sliced or united cannot be turned round
                pass
            else:
                return list(turned[start:stop])[::-1]
        return list(self._result[self.total - stop : self.total - start])

    @cached_property
    def total(self) -> int:
        """How many items on all pages."""
        return count_items(self._result)

    @cached_property
    def pages(self) -> int:
        """How many pages."""
        if "total" in self.__dict__ or isinstance(self._result, list | tuple):
            return max(pages_for(self.total, self._route), 1)
        found = max(self._pages_of(), 1)
        for number in (found, found + 1):  # reading of both says all of it
            self._url_of(number)
        return found

    @property
    def number(self) -> int:
        """The number of this page: the one in its URL. Of the first, 1, or in a stable listing that of the newest."""
        if self.is_first:
            return self.pages if self._route.stable else 1
        return self._route.shown(self._number)

    @property
    def first_url(self) -> str:
        """The listing's own URL: of the page with the first items."""
        return str(self._url_of(1))

    @property
    def previous_url(self) -> str | None:
        """The page before, with newer items, or None."""
        if self.is_first:
            return None
        if self._route.stable:
            return self._url_of(self._number + 1) or self.first_url
        return self._url_of(self._number - 1)

    @property
    def next_url(self) -> str | None:
        """The page after, with older items, or None."""
        if not self._route.stable:
            return self._url_of(self._number + 1)
        if self.is_first:
            return self._url_of(self.pages) if self.pages > 1 else None
        return self._url_of(self._number - 1) if self._number > 2 else None

    @property
    def page_urls(self) -> list[tuple[int, str, bool]]:
        """(number, URL, whether it is this one) of every page, in the order of the items."""
        if self._route.stable:
            numbers = [1, *range(self.pages, 1, -1)]
        else:
            numbers = list(range(1, self.pages + 1))
        return [(self._shown(number), str(self._url_of(number)), number == self._number) for number in numbers]

    def _shown(self, number: int) -> int:
        if number == 1:
            return self.pages if self._route.stable else 1
        return self._route.shown(number)
