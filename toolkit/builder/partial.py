"""What a build of a segment leaves as it is, and what it makes along so that no link breaks.

A page outside of the segment is made along if it links to one inside that is new at its URL, or gone; and, once the
segment is rendered, if a page inside links to it and it is not there yet. Whatever else changed outside is remembered
as stale, so that the next build of everything makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from toolkit.builder.records import Identity, PageRecord
from toolkit.builder.selections import Has
from toolkit.pages.routes import Page


class Left(msgspec.Struct):
    """What a build leaves as it is although it is not what it should be.

    Attributes:
        records: Pages whose files stay, stale or gone.
        absent: Pages that have no file at their URL, with the reason why they would be rendered.
    """

    records: list[PageRecord] = msgspec.field(default_factory=list)
    absent: dict[Identity, tuple[Page, str]] = msgspec.field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.records or self.absent)

    @property
    def standing(self) -> dict[str, str | None]:
        """URL at which a page should be, to the one where its file is; None if it has none."""
        urls = {record.identity: record.url for record in self.records}
        return {page.url: urls.get(identity) for identity, (page, _) in self.absent.items()}

    def take(self, identity: Identity) -> tuple[Page, str] | None:
        """An absent page that is made after all."""
        found = self.absent.pop(identity, None)
        if found is not None:
            self.records = [record for record in self.records if record.identity != identity]
        return found


class Outside(msgspec.Struct, frozen=True):
    """A stale page outside of the segment.

    Args:
        page: The page.
        record: How it was last built, if ever.
        reason: Why it is stale.
    """

    page: Page
    record: PageRecord | None
    reason: str

    @property
    def is_absent(self) -> bool:
        """Whether there is no file at its URL."""
        return self.record is None or self.record.url != self.page.url


def leave(
    outside: list[Outside],
    stale: list[tuple[Page, str]],
    gone: list[PageRecord],
    moved: set[Identity],
    has: Has,
    broken_links: Callable[[PageRecord], set[Identity]],
) -> Left:
    """Divide what is stale outside of a segment into what is made along, and what is left.

    Args:
        outside: Stale pages outside.
        stale: What the build renders; those made along are added.
        gone: Pages that are no more, in the segment or not; those that are left are taken out.
        moved: Pages of the segment that are new at their URL.
        has: Tells what is in the segment.
        broken_links: The pages whose URL a recorded page read, and which may have another now.
    """
    going, staying = divide_gone(gone, has)
    moved = moved | {record.identity for record in going}
    waiting = list(outside)
    while True:
        pulled = [one for one in waiting if one.record is not None and broken_links(one.record) & moved]
        # what is no more and links to what goes cannot be made again: it goes too
        follows = [record for record in staying if broken_links(record) & moved]
        if not pulled and not follows:
            break
        stale += [(one.page, one.reason) for one in pulled]
        going += follows
        moved |= {one.page.identity for one in pulled if one.is_absent} | {record.identity for record in follows}
        waiting = [one for one in waiting if one not in pulled]
        staying = [record for record in staying if record not in follows]
    gone[:] = going
    left = Left([*(one.record for one in waiting if one.record is not None), *staying])
    left.absent = {one.page.identity: (one.page, one.reason) for one in waiting if one.is_absent}
    return left


def divide_gone(records: Iterable[PageRecord], has: Has) -> tuple[list[PageRecord], list[PageRecord]]:
    """(inside, outside) of pages that are no more, by what they were."""
    inside: list[PageRecord] = []
    outside: list[PageRecord] = []
    for record in records:
        route, key, locale, number = record.identity
        (inside if has(Page(route, key, locale, number, record.url)) else outside).append(record)
    return inside, outside


def newly_linked(left: Left, links: Iterable[Identity]) -> list[tuple[Page, str]]:
    """Absent pages that somebody links to now: they are left no longer."""
    found = (left.take(identity) for identity in dict.fromkeys(links))
    return [(page, "a page that was built links to it") for page, _ in filter(None, found)]
