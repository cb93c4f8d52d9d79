"""Reading the URL history, which the builder writes and both edges redirect by."""

from __future__ import annotations

from typing import Any

TABLE = "toolkit_url"


def read_history(database: Any) -> dict[str, tuple[str, str, str]]:
    """URL to (route id, subject as JSON, locale), for every URL that was ever published."""
    if not database.has_table(TABLE):  # asked first: an error would end the snapshot on some databases
        return {}
    rows = database.fetch(f"SELECT url, route, subject, locale FROM {TABLE}")  # noqa: S608 - a constant
    return {url: (route, subject, locale) for url, route, subject, locale in rows}


def find_history(database: Any, url: str) -> tuple[str, str, str] | None:
    """(route id, subject as JSON, locale) of the page that once was at a URL, or None."""
    if not database.has_table(TABLE):
        return None
    mark = "?" if database.dialect == "sqlite" else "%s"
    rows = database.fetch(f"SELECT route, subject, locale FROM {TABLE} WHERE url = {mark}", (url,))  # noqa: S608 - a constant
    return tuple(rows[0]) if rows else None
