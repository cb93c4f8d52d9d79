"""Every URL that a page ever had, kept in the site's database, so that old ones lead to the new."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping

from toolkit.database import Database
from toolkit.errors import DatabaseError
from toolkit.pages.plan import Plan
from toolkit.site.history import TABLE, read_history

CREATE = f"""CREATE TABLE IF NOT EXISTS {TABLE} (
    url VARCHAR(2000) PRIMARY KEY, route VARCHAR(200) NOT NULL, subject TEXT NOT NULL, locale VARCHAR(35) NOT NULL
)"""


def current_urls(plan: Plan) -> dict[str, tuple[str, str, str]]:
    """URL to (route, subject, locale) of every page that has a subject and is the first of its listing."""
    found = {}
    for route, locale in plan.routes():
        if route.each is None or route.kind not in ("page", "listing", "feed"):
            continue
        for item in plan.unit(route, locale).planned:
            found[item.url] = (route.id, json.dumps(item.key, default=str), locale)
    return found


def find_redirects(history: Mapping[str, tuple[str, str, str]], current: Mapping[str, tuple[str, str, str]]) -> dict[str, str]:
    """Old URL to the one that the same page has now."""
    now = {identity: url for url, identity in current.items()}
    return {url: now[identity] for url, identity in sorted(history.items()) if url not in current and identity in now}


def remember(database: Database, current: Mapping[str, tuple[str, str, str]]) -> list[str]:
    """Write down URLs that are not in the history yet.

    Returns:
        Notices: why it could not be written.
    """
    try:
        known = read_history(database)
        fresh = {url: identity for url, identity in current.items() if known.get(url) != identity}
        if not fresh:
            return []
        mark = "?" if database.dialect == "sqlite" else "%s"
        with database.atomic():
            database.execute(CREATE)
            database.executemany(f"DELETE FROM {TABLE} WHERE url = {mark}", [(url,) for url in fresh])  # noqa: S608
            database.executemany(
                f"INSERT INTO {TABLE} (url, route, subject, locale) VALUES ({mark}, {mark}, {mark}, {mark})",  # noqa: S608
                [(url, *identity) for url, identity in fresh.items()],
            )
    except DatabaseError as error:
        return [f"the URLs of this build could not be remembered for redirects: {error}"]
    return []


def redirect_page(target: str) -> bytes:
    """The file at an old URL, for hosts that know no other redirect."""
    url = html.escape(target, quote=True)
    return (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8"><title>Moved</title>'
        f'<link rel="canonical" href="{url}"><meta name="robots" content="noindex">'
        f'<meta http-equiv="refresh" content="0; url={url}"></head>'
        f'<body><p><a href="{url}">{url}</a></p></body></html>\n'
    ).encode()


