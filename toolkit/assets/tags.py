"""The HTML that brings an asset into a page: ``<link rel="stylesheet">``, ``<script>``, with their integrity."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from toolkit.assets.library import Assets
from toolkit.errors import TemplateError

_ATTRIBUTE = re.compile(r"[a-z][a-z0-9-]*")


def stylesheet(assets: Assets, path: str, *, integrity: bool = True, **attributes: Any) -> Markup:
    """``<link rel="stylesheet">`` for a stylesheet.

    Args:
        assets: The static files.
        path: Of the stylesheet, such as ``css/site.css``.
        integrity: Let browsers apply exactly this content.
        attributes: Further ones, such as ``media="print"``.

    Raises:
        TemplateError: There is no such asset.
    """
    given = {"rel": "stylesheet", "href": assets.asset(path), **_integrity(assets, path, integrity)}
    return Markup(f"<link{_written(given | _named(attributes))}>")  # noqa: S704 - every value is escaped


def script(
    assets: Assets, path: str, *, module: bool = False, preload: bool = True, integrity: bool = True, **attributes: Any
) -> Markup:
    """``<script>`` for a script; for a module, with what it imports loaded at once.

    Args:
        assets: The static files.
        path: Of the script, such as ``js/menu.js``.
        module: It is a module: it may import others, and waits until the page is there.
        preload: Of a module, have the browser load what it imports right away, at any depth: one round trip for all.
        integrity: Let browsers run exactly this content.
        attributes: Further ones, such as ``defer=true``.

    Raises:
        TemplateError: There is no such asset.
    """
    given = {"src": assets.asset(path), **_integrity(assets, path, integrity)}
    lines = []
    if module:
        given = {"type": "module", **given}
        for one in assets.modules(path)[1:] if preload else ():
            link = {"rel": "modulepreload", "href": assets.asset(one), **_integrity(assets, one, integrity)}
            lines.append(f"<link{_written(link)}>")
    lines.append(f"<script{_written(given | _named(attributes))}></script>")
    return Markup("\n".join(lines))  # noqa: S704 - as above


def _integrity(assets: Assets, path: str, wanted: bool) -> dict[str, str]:
    return {"integrity": assets.integrity(path)} if wanted else {}


def _named(attributes: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, value in attributes.items():
        attribute = name.rstrip("_").replace("_", "-")
        if not _ATTRIBUTE.fullmatch(attribute):
            raise TemplateError(f"there is no attribute {name!r}")
        if value is not None and value is not False:
            found[attribute] = value
    return found


def _written(attributes: Mapping[str, Any]) -> str:
    return "".join(f" {name}" if value is True else f' {name}="{escape(value)}"' for name, value in attributes.items())
