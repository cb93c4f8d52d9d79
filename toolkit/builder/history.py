"""Every URL that a page ever had, kept in the site's database, so that old ones lead to the new."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping

from toolkit.database import Database, install_tokens, read_tokens
from toolkit.errors import DatabaseError
from toolkit.pages.patterns import fits_file_systems, folded_path, output_path
from toolkit.pages.plan import Plan
from toolkit.site.history import TABLE, read_history
from toolkit.trace import digest

URL_TYPES = {"mysql": "VARCHAR(2000) CHARACTER SET ascii COLLATE ascii_bin"}
"""Where an index takes 3,072 bytes; URLs are ASCII, and told apart by their case."""

CREATE = f"""CREATE TABLE IF NOT EXISTS {TABLE} (
    url {{url}} PRIMARY KEY, route VARCHAR(200) NOT NULL, subject TEXT NOT NULL, locale VARCHAR(35) NOT NULL
)"""


def current_urls(plan: Plan) -> dict[str, tuple[str, str, str]]:
    """URL to (route, subject, locale) of every page that is the first of its listing."""
    found = {}
    for route, locale in plan.routes():
        if route.kind not in ("page", "listing", "feed"):
            continue
        for item in plan.unit(route, locale).planned:
            found[item.url] = (route.id, json.dumps(item.key), locale)
    return found


def find_redirects(
    history: Mapping[str, tuple[str, str, str]], current: Mapping[str, tuple[str, str, str]]
) -> dict[str, str]:
    """Old URL to the one that the same page has now."""
    now = {identity: url for url, identity in current.items()}
    return {url: now[identity] for url, identity in sorted(history.items()) if url not in current and identity in now}


def free_redirects(redirects: Mapping[str, str], paths: Iterable[str]) -> dict[str, str]:
    """The redirects that can be files: of HTML pages, where no other file is, nor one that some system takes for it.

    Args:
        redirects: Old URL to new.
        paths: Files that the site publishes.
    """
    if not redirects:
        return {}
    files = {folded_path(path) for path in paths}
    folders = {parent for path in files for parent in _parents(path)}
    found = {}
    for url, target in sorted(redirects.items()):
        path = folded_path(output_path(url))
        if (
            not path.endswith(".html")
            or not fits_file_systems(path)
            or path in files
            or path in folders
            or not files.isdisjoint(_parents(path))
        ):
            continue
        found[url] = target
        files.add(path)
        folders.update(_parents(path))
    return found


def _parents(path: str) -> list[str]:
    """The folders above a file: ``a/b`` and ``a`` for ``a/b/c``."""
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def history_state(database: Database) -> str:
    """Stands for the whole history: another build of the same site, to another folder, may add to it."""
    token = read_tokens(database, [TABLE]).get(TABLE)
    return token or digest(sorted(read_history(database).items())).hex()


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
        database.execute(CREATE.format(url=URL_TYPES.get(database.dialect, "VARCHAR(2000)")))
        with database.atomic():
            database.executemany(f"DELETE FROM {TABLE} WHERE url = {mark}", [(url,) for url in fresh])  # noqa: S608 - a constant
            database.executemany(
                f"INSERT INTO {TABLE} (url, route, subject, locale) VALUES ({mark}, {mark}, {mark}, {mark})",  # noqa: S608 - a constant
                [(url, *identity) for url, identity in fresh.items()],
            )
        install_tokens(database, [TABLE])
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
