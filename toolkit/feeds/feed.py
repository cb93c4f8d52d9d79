"""The declaration of a feed: what a page function returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from toolkit.errors import FeedError, Problems, ToolkitError
from toolkit.feeds.entry import Entry, Person


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed, as a page function declares it; the pipeline adds URLs, ids and the language.

    ::

        @app.feed("/<slug>/feed.xml", each=Section.objects.all())
        def section_feed(section):
            return Feed(title=section.name, items=section.stories.all(), limit=30)

    Args:
        title: Plain text.
        items: Model instances or ``Entry`` objects, newest first. Instances become entries by
            convention (``title``, ``summary``, ``body``, ``published``, ``updated``, ``authors``, ``tags``)
            or by ``entry``.
        description: Plain text.
        link: URL of the page it is the feed of; by default the page of the feed's subject, or the home page.
        entry: Makes an ``Entry`` of an item, where the conventions do not fit.
        language: Language tag; by default the locale of the page.
        copyright: Plain text.
        limit: Publish so many items at most; None publishes all.
        full_content: Whole stories; False leaves summaries only.
        authors: Whose publication it is.
        updated: What an empty feed says as its date.
        icon: URL of a small square image.
        logo: URL of an image for the head.
        ttl_minutes: How long readers may wait before they ask again (RSS).
        hubs: WebSub hubs, absolute URLs.
        stylesheet_url: Where browsers find how to show the feed.
    """

    title: str
    items: Iterable[Any]
    _: KW_ONLY
    description: str = ""
    link: str | None = None
    entry: Callable[[Any], Entry] | None = None
    language: str | None = None
    copyright: str = ""
    limit: int | None = None
    full_content: bool = True
    authors: tuple[Person, ...] = ()
    updated: datetime | None = None
    icon: str = ""
    logo: str = ""
    ttl_minutes: int | None = None
    hubs: tuple[str, ...] = ()
    stylesheet_url: str = ""

    def entries(self, convert: Callable[[Any], Entry]) -> list[Entry]:
        """The feed's entries, in the order of ``items``.

        Args:
            convert: Makes an ``Entry`` of an instance; not asked where the feed has its own ``entry``, nor
                for items that are entries.

        Raises:
            FeedError: A conversion returned something else.
            Problems: Several items could not be converted.
        """
        problems: list[ToolkitError] = []
        entries: list[Entry] = []
        for item in self.iter_items():
            try:
                entries.append(self._entry(item, self.entry or convert))
            except ToolkitError as error:
                problems.append(error)
        if len(problems) == 1:
            raise problems[0]
        if problems:
            raise Problems(problems, summary=f"{len(problems)} items of the feed {self.title!r} cannot be entries")
        return entries

    def iter_items(self) -> Iterator[Any]:
        """The items within ``limit``. A query is sliced, so that it loads no more rows than it must."""
        if self.limit is None:
            return iter(self.items)
        if hasattr(self.items, "__getitem__"):
            return iter(self.items[: self.limit])
        return islice(self.items, self.limit)

    def _entry(self, item: Any, convert: Callable[[Any], Entry]) -> Entry:
        entry = item if isinstance(item, Entry) else convert(item)
        if not isinstance(entry, Entry):
            raise FeedError(
                f"the feed {self.title!r} made {type(entry).__name__} {entry!r} of {item!r}",
                hint="entry= must return a toolkit.feeds.Entry.",
            )
        return entry if self.full_content else replace(entry, content="")
