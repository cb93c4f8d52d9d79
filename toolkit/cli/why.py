"""``toolkit why``: what a page is made of, and why it was last rendered."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click

from toolkit.builder.manifest import Manifest, PageRecord
from toolkit.builder.reasons import describe
from toolkit.cli.invocation import Invocation, invocation, json_option, site_options
from toolkit.cli.manifests import Input, find_page, inputs_of, open_manifest
from toolkit.cli.sites import open_site

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
    "setting": "settings",
    "environment": "variables",
    "outside": "asked outside",
    "url": "URLs of pages",
    "plan": "lists of pages",
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
    site = open_site()
    with open_manifest(site, output) as manifest:
        page = find_page(site, manifest, url)
        groups = _groups(site, manifest, page)
    if asked.as_json:
        asked.output.data(_data(page, groups))
        return
    _tell(asked, site, page, groups, limit=None if everything else SHOWN)


def _groups(site: Any, manifest: Manifest, page: PageRecord) -> dict[str, list[str]]:
    """Kind to what was read of it, in words."""
    read: list[Input] = inputs_of(manifest, page.inputs)
    shapes = manifest.shapes() if any(kind == "query" for kind, _ in read) else {}
    found: dict[str, dict[str, None]] = {kind: {} for kind in TITLES}
    for kind, key in read:
        text = describe(site, shapes, kind, key)
        found.setdefault(kind, {})[text.removeprefix(f"{kind} ")] = None
    return {kind: sorted(texts, key=_natural) for kind, texts in found.items() if texts}


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


def _tell(asked: Invocation, site: Any, page: PageRecord, groups: dict[str, list[str]], *, limit: int | None) -> None:
    say = asked.output.say
    route_id, key, locale, number = page.identity
    route = site.routes_by_id.get(route_id)
    of = f" of {route.model.__name__} {key}" if route is not None and route.model is not None else ""
    counted = f", page {number}" if number > 1 else ""
    say(unquote(page.url), style="green")
    say(f"  is          {route.kind if route else 'page'} {route_id}{of} in {locale}{counted}")
    if route is not None:
        say(f"  declared    {route.where.replace(f'{Path.cwd()}/', '')}")
    say(f"  file        {page.path}, {page.size:,} bytes")
    say(f"  rendered    because {_sentence(page.reason)}")
    for kind, texts in groups.items():
        shown = texts if limit is None else texts[:limit]
        say(f"  {TITLES.get(kind, kind)} ({len(texts)})")
        for text in shown:
            say(f"    {text}")
        if len(texts) > len(shown):
            say(f"    ... and {len(texts) - len(shown)} more; see them with --all")


def _sentence(reason: str) -> str:
    return "it was new" if reason == "new" else reason or "nobody knows"
