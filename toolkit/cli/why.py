"""``toolkit why``: what a page is made of, and why it was last rendered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click

from toolkit.builder.names import shown_key, views_at
from toolkit.builder.reasons import PROVING, describe
from toolkit.builder.records import PageRecord
from toolkit.cli.invocation import Invocation, invocation, json_option, site_options
from toolkit.cli.last_build import Input, LastBuild, last_build
from toolkit.cli.sites import open_site
from toolkit.trace import SUMMED

SHOWN = 12
"""Inputs of one kind that are listed without ``--all``."""

TITLES = {
    "row": "rows",
    "query": "queries",
    "template": "templates",
    "message": "messages",
    "asset": "assets",
    "file": "files",
    "stored": "stored files",
    "image": "images",
    "folder": "folders",
    "link": "links in the file system",
    "setting": "settings",
    "environment": "variables",
    "outside": "asked outside",
    "imported": "asked outside at import",
    "url": "URLs of pages",
    "plan": "lists of pages",
    "subject": "read to find which pages its route has",
    "clock": "the clock",
    "code": "code",
}


@click.command()
@click.argument("url")
@click.option("--output", "-o", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Of this build.")
@click.option("--all", "everything", is_flag=True, help="List every input.")
@json_option
@site_options
def why(url: str, output: Path | None, everything: bool) -> None:
    """Say what a page is made of, and why it was last rendered.

    URL is the page's path, its whole URL, or its file in the output folder. The answer comes from the last build.
    """
    asked = invocation()
    with last_build(output) as build:
        page = _find(build, url)
        groups = _groups(build, page)
    if asked.as_json:
        asked.output.data(_data(page, groups))
        return
    _tell(asked, build, page, groups, limit=None if everything else SHOWN)


def _find(build: LastBuild, url: str) -> PageRecord:
    """The page that somebody named.

    Raises:
        NotFound: There is none; says what is there instead, or what may have been meant.
    """
    page = build.find_page(url)
    if page is None:
        path = build.url_path(url)
        raise build.no_page(path, _views(path))
    return page


def _views(path: str) -> Iterator[str]:
    """The views that answer a path; the site is opened when they are asked for."""
    yield from views_at(open_site(), path)


def _groups(build: LastBuild, page: PageRecord) -> dict[str, list[str]]:
    """Kind to what was read of it, in words."""
    read: list[Input] = build.inputs_of(page.inputs)
    given = [item for item in _subject_inputs(build, page, read) if item not in read]
    shapes = build.manifest.shapes() if any(kind == "query" for kind, _ in read + given) else {}
    found: dict[str, dict[str, None]] = {kind: {} for kind in TITLES}
    for kind, key in read:
        text = describe(build.names, shapes, kind, key)
        if kind != "subject":
            found.setdefault(kind, {})[text.removeprefix(f"{kind} ")] = None
    for kind, key in given:
        found["subject"][describe(build.names, shapes, kind, key)] = None
    return {kind: sorted(texts, key=_natural) for kind, texts in found.items() if texts}


def _subject_inputs(build: LastBuild, page: PageRecord, read: list[Input]) -> list[Input]:
    """What was read to find the subjects of a function, and their pages: the page depends on what came of it."""
    if not any(kind == "subject" for kind, _ in read):
        return []
    route, _, locale, _ = page.identity
    numbers = build.manifest.unit_inputs().get((route, locale), ())
    return [item for item in build.inputs_of(numbers) if item[0] in SUMMED]


def _natural(text: str) -> list[Any]:
    """Sorts "Author 10" after "Author 9"."""
    return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"([0-9]+)", text))]


def _data(page: PageRecord, groups: dict[str, list[str]]) -> dict[str, Any]:
    route, key, locale, number = page.identity
    return {
        "url": page.url,
        "route": route,
        "subject": key,
        "locale": locale,
        "number": number,
        "file": page.path,
        "size": page.size,
        "content_type": page.content_type,
        "digest": page.digest.hex(),
        "reason": page.reason,
        "inputs": groups,
    }


def _tell(
    asked: Invocation, build: LastBuild, page: PageRecord, groups: dict[str, list[str]], *, limit: int | None
) -> None:
    say = asked.output.say
    route_id, key, locale, number = page.identity
    route = build.names.routes.get(route_id)
    of = f" of {route.model} {shown_key(key)}" if route is not None and route.model else ""
    counted = f", page {number}" if number > 1 else ""
    say(unquote(page.url), style="green")
    say(f"  is          {route.kind if route else 'page'} {route_id}{of} in {locale}{counted}")
    if route is not None:
        say(f"  declared    {str(build.folder / route.where).replace(f'{Path.cwd()}/', '')}")
    say(f"  file        {page.path}, {page.size:,} bytes")
    say(f"  rendered    {_sentence(page.reason)}")
    for kind, texts in groups.items():
        shown = texts if limit is None else texts[:limit]
        say(f"  {TITLES.get(kind, kind)} ({len(texts)})")
        for text in shown:
            say(f"    {text}")
        if len(texts) > len(shown):
            say(f"    ... and {len(texts) - len(shown)} more; see them with --all")


def _sentence(reason: str) -> str:
    if not reason:
        return "nobody knows why"
    if reason == PROVING:
        return reason
    return f"because {'it was new' if reason == 'new' else reason}"
