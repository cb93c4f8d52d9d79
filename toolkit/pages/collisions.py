"""Pages that want one file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from toolkit.errors import Collision, Problems, ToolkitError
from toolkit.pages.patterns import folded_path, output_path
from toolkit.pages.routes import Page, Route


def check_collisions(pages: Iterable[Page], routes: Mapping[str, Route]) -> None:
    """Refuse two pages for one file.

    Raises:
        Problems: Every pair of pages that want one file, or files that some file systems take for the same.
    """
    taken: dict[str, Page] = {}
    folders: dict[str, Page] = {}
    problems: list[ToolkitError] = []
    for page in pages:
        path = output_path(page.url)
        folded = folded_path(path)
        parent = folded.rpartition("/")[0]
        while parent and parent not in folders:
            folders[parent] = page
            parent = parent.rpartition("/")[0]
        other = taken.setdefault(folded, page)
        if other is page:
            continue
        same = output_path(other.url) == path
        how = f"both are published at {page.url}" if same else f"{other.url} and {page.url} differ only by case or form"
        first, second = routes[other.route], routes[page.route]
        problems.append(
            Collision(
                f"{_named(first, other)} ({first.where}) and {_named(second, page)} ({second.where}): {how}",
                hint="Change a path or a slug.",
            )
        )
    for path in sorted(taken.keys() & folders.keys()):
        file, below = taken[path], folders[path]
        first, second = routes[file.route], routes[below.route]
        problems.append(
            Collision(
                f"{_named(first, file)} ({first.where}) is the file {file.url}, and {_named(second, below)} "
                f"({second.where}) at {below.url} needs a folder of that name",
                hint="Change a path or a slug.",
            )
        )
    if problems:
        raise Problems(problems)


def _named(route: Route, page: Page) -> str:
    return f"page {route.name!r}" + (f" of {page.key!r}" if page.key is not None else "")
