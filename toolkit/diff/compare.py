"""Comparing two builds, file by file, without holding either."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from toolkit.diff.blocks import Change, block_changes, page_blocks
from toolkit.diff.trees import Tree, TreeFile, url_path


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs at one place.

    Args:
        kind: ``added``, ``removed``, ``changed`` or ``moved``.
        path: The file, in the new build; in the old one, if it is gone.
        was: Where it was, if it moved.
        route: The page's route, where a manifest tells.
        is_page: Whether it is a page, rather than an asset or another file.
        old_size: Bytes before; 0 if it was not there.
        new_size: Bytes now; 0 if it is gone.
        changes: What changed in a page's text; empty if nothing that is read did.
        redirects: Whether the place where it was leads to the new one.
    """

    kind: str
    path: str
    was: str = ""
    route: str = ""
    is_page: bool = False
    old_size: int = 0
    new_size: int = 0
    changes: tuple[Change, ...] = ()
    redirects: bool = False

    @property
    def url(self) -> str:
        """The URL path."""
        return url_path(self.path)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        found: dict[str, Any] = {
            "kind": self.kind,
            "url": self.url,
            "path": self.path,
            "route": self.route,
            "page": self.is_page,
            "old_size": self.old_size,
            "new_size": self.new_size,
        }
        if self.kind == "moved":
            found |= {"was": url_path(self.was), "redirects": self.redirects}
        if self.changes:
            found["changes"] = [{"old": change.old, "new": change.new} for change in self.changes]
        return found


def compare(old: Tree, new: Tree, *, texts: bool = True) -> Iterator[Difference]:
    """Every difference, in the order of the paths.

    Args:
        old: A build.
        new: Another.
        texts: Compare the texts of changed pages too.
    """
    moved = old.moved_pages(new)
    arrivals = {there: here for here, there in moved.items()}
    leads = new.redirects()
    for before, now in merged(old.files(), new.files()):
        if now is not None and now.path in arrivals:
            yield _moved(old, new, arrivals[now.path], now, leads, texts=texts)
        elif now is not None and now.owner == "redirect" and (before is None or before.owner != "redirect"):
            if before is not None and before.path not in moved:
                yield Difference("removed", before.path, is_page=True, old_size=before.size)
        elif before is not None and before.path in moved and now is None:
            continue
        elif before is None and now is not None:
            yield Difference("added", now.path, route=now.route, is_page=_is_page(now), new_size=now.size)
        elif before is not None and now is None:
            yield Difference("removed", before.path, route=before.route, is_page=_is_page(before), old_size=before.size)
        elif before is not None and now is not None and _differ(old, new, before, now):
            yield _changed(old, new, before, now, texts=texts)


def merged(old: Iterator[TreeFile], new: Iterator[TreeFile]) -> Iterator[tuple[TreeFile | None, TreeFile | None]]:
    """Two lists in the order of their paths, side by side."""
    left, right = next(old, None), next(new, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left.path < right.path):
            yield left, None
            left = next(old, None)
        elif left is None or right.path < left.path:
            yield None, right
            right = next(new, None)
        else:
            yield left, right
            left, right = next(old, None), next(new, None)


def _differ(old: Tree, new: Tree, before: TreeFile, now: TreeFile) -> bool:
    return before.size != now.size or old.digest_of(before) != new.digest_of(now)


def _is_page(file: TreeFile) -> bool:
    return file.owner in ("", "page") and file.is_html


def _changed(old: Tree, new: Tree, before: TreeFile, now: TreeFile, *, texts: bool) -> Difference:
    changes = _texts(old, new, before.path, now.path) if texts and now.is_html else ()
    return Difference("changed", now.path, "", now.route, _is_page(now), before.size, now.size, changes)


def _moved(old: Tree, new: Tree, was: str, now: TreeFile, leads: dict[str, str], *, texts: bool) -> Difference:
    body = old.read(was)
    changes = _texts(old, new, was, now.path) if texts and now.is_html else ()
    redirects = bool(now.page_url) and leads.get(was) == now.page_url
    return Difference("moved", now.path, was, now.route, True, len(body), now.size, changes, redirects)


def _texts(old: Tree, new: Tree, before: str, now: str) -> tuple[Change, ...]:
    return tuple(block_changes(page_blocks(old.read(before)), page_blocks(new.read(now))))
