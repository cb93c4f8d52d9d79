"""``toolkit routes``: every route with its paths, and where it is declared."""

from __future__ import annotations

from typing import Any

import click

from toolkit.cli.failing import letter
from toolkit.cli.invocation import invocation, json_option, site_options
from toolkit.cli.sites import open_site
from toolkit.pages.routes import Route


@click.command()
@click.argument("words", nargs=-1, metavar="[WORD]...")
@json_option
@site_options
def routes(words: tuple[str, ...]) -> None:
    """List every route with its paths, and where it is declared.

    With words, those whose name, kind or path has all of them.
    """
    asked = invocation()
    site = open_site()
    found = [_data(site, route) for route in site.routes]
    found = [one for one in found if all(word in f"{one['name']} {one['kind']} {one['path']}" for word in words)]
    if asked.as_json:
        asked.output.data(found)
        return
    asked.output.table(
        ("name", "kind", "path", "other locales", "each", "template", "declared at"),
        [
            (
                one["name"],
                one["kind"] if one["kind"] != "view" else f"view {' '.join(one['methods'])}",
                one["path"],
                " ".join(path for path in one["paths"].values() if path != one["path"]),
                one["each"] or "",
                one["template"] or "",
                letter(one["declared_at"]),
            )
            for one in found
        ],
    )


def _data(site: Any, route: Route) -> dict[str, Any]:
    locales = site.route_locales(route)
    paths = {locale: f"{site.locale_prefix(locale)}{route.path}" for locale in locales}
    return {
        "name": route.id,
        "kind": route.kind,
        "path": route.path,
        "paths": paths,
        "each": _each(route),
        "template": route.template,
        "methods": list(route.methods) if route.kind == "view" else [],
        "published": route.is_static,
        "declared_at": route.where,
    }


def _each(route: Route) -> str | None:
    if route.each is None:
        return None
    return route.model.__name__ if route.model is not None else f"{getattr(route.each, '__name__', 'objects')}()"
