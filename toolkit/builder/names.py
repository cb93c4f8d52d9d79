"""What the things of a build are called, kept in its manifest: to tell of them needs neither the site nor its code.

The manifest itself knows tables, columns and keys; people know models, routes and slugs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from toolkit.text.parts import join_parts


def shown_key(key: Any) -> str:
    """A row's key in a trace, as people name it: of a composite one the values, with ``|`` between them."""
    return join_parts(map(str, key)) if isinstance(key, tuple | list) else str(key)


class ModelName(msgspec.Struct, frozen=True):
    """A model.

    Args:
        name: Its class.
        title: In words, as messages call it.
        table: Its table, as traces call it.
        key: The column of its primary key, if that is a number or a text in the main database; else empty.
        slug: The column of its field ``slug`` beside that key; else empty.
        numbered: Whether the key is a number.
        hidden: Nobody declared it, such as the table of a many-to-many relation.
    """

    name: str
    title: str
    table: str
    key: str
    slug: str
    numbered: bool
    hidden: bool

    @property
    def word(self) -> str:
        """As it is named on the command line."""
        return self.name.lower()


class RouteName(msgspec.Struct, frozen=True):
    """A route.

    Args:
        kind: ``page``, ``listing``, ``feed`` and so on.
        model: The class of its subjects, or empty.
        where: ``file:line`` of its declaration; the file is below the site's folder, or absolute.
    """

    kind: str
    model: str
    where: str


class Names(msgspec.Struct, frozen=True):
    """All names of a build.

    Args:
        base_url: What the URLs of its pages began with.
        models: Its models.
        tables: Table, as traces call it, to the class of the model whose rows it holds.
        routes: Route id to route.
    """

    base_url: str
    models: tuple[ModelName, ...]
    tables: Mapping[str, str]
    routes: Mapping[str, RouteName]


def views_at(site: Any, path: str) -> list[str]:
    """The views that answer a path: each with where it is declared."""
    return [
        f"{route.id} ({route.where})"
        for route in site.routes
        if route.kind == "view"
        and any(site.pattern(route, locale).match(unquote(path)) is not None for locale in site.route_locales(route))
    ]
