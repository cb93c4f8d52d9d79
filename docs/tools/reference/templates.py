"""Template names, filters, tags, and what Django's are here."""

from __future__ import annotations

import inspect
from functools import cached_property
from typing import Any

from toolkit.assets.tags import script, stylesheet
from toolkit.gis import interactive_map, locator_map
from toolkit.images import Images
from toolkit.pages.context import Alternate, PageView
from toolkit.pages.listings import Listing
from toolkit.pages.urls import url_for
from toolkit.templates import EQUIVALENTS, FILTERS
from toolkit.templates.filters import markdown

from .docstrings import arguments, read_doc, table
from .signatures import describe, signature

GLOBALS = {
    "D": "a distance: `D(km=5)`",
    "_": 'a message in the page’s language: `_("Read more")`',
    "asset": "the URL of a file in `static/`, with a fingerprint of its content",
    "cycler": "Jinja's: values in turn",
    "dict": "Jinja's",
    "gettext": "the same as `_`",
    "integrity": "the attribute `integrity` for an asset",
    "script": "`<script>` for an asset; below",
    "stylesheet": '`<link rel="stylesheet">` for an asset; below',
    "image": "an image in the sizes and formats that browsers want; below",
    "interactive_map": "a map that readers can move; below",
    "joiner": "Jinja's: nothing at first, then a separator",
    "lipsum": "Jinja's; random, so never in a page that is built",
    "locale_name": 'a language’s own name for itself: `locale_name("es")`',
    "locator_map": "a map as SVG; below",
    "namespace": "Jinja's: assignable from inside a loop",
    "ngettext": 'a message with a number: `ngettext("%(num)s story", "%(num)s stories", n)`',
    "now": "the moment of the rendering, as finely as the page shows it: `now('year').year` and `now('day')|date` are "
    "asked again when the next year or day begins in the site's time zone, `now()` each minute",
    "npgettext": "the same with a context",
    "pgettext": "a message with a context that tells it from the same words elsewhere",
    "range": "Jinja's",
    "url_for": "the URL of a page; below",
}


def template_globals() -> str:
    """The functions of every template, in a line each."""
    from manual.site import site

    names = sorted(site.prepare().environment.globals)
    missing = [name for name in names if name not in GLOBALS]
    if missing:
        raise LookupError(f"tools/reference/templates.py says nothing of the names {', '.join(missing)}")
    return table(["function", "what it gives"], [[f"`{name}`", GLOBALS[name]] for name in names])


def page_names() -> str:
    """What ``page`` has."""
    return table(["name", "what it is"], [[f"`page.{name}`", said] for name, said in _properties(PageView)])


def listing_names() -> str:
    """What ``listing`` has."""
    rows = [[f"`listing.{name}`", said] for name, said in read_doc(Listing).items["Attributes"]]
    return table(["name", "what it is"], rows + [[f"`listing.{name}`", said] for name, said in _properties(Listing)])


def alternate_names() -> str:
    """What each of ``page.alternates`` has."""
    return table(["name", "what it is"], [[f"`{name}`", said] for name, said in read_doc(Alternate).items["Args"]])


def _properties(kind: Any) -> list[tuple[str, str]]:
    found = []
    for name, member in vars(kind).items():
        if not name.startswith("_") and isinstance(member, property | cached_property):
            function = member.fget if isinstance(member, property) else member.func
            found.append((name, read_doc(function).summary))
    return found


def template_functions() -> str:
    """The functions that need more than a line."""
    functions = {
        "url_for": url_for,
        "image": Images.picture,
        "script": script,
        "stylesheet": stylesheet,
        "locator_map": locator_map,
        "interactive_map": interactive_map,
    }
    return "\n\n".join(describe(name, function) for name, function in functions.items())


def filters() -> str:
    """A heading for each filter."""
    return "\n\n".join(_filter(name, function) for name, function in sorted(FILTERS.items()))


def _filter(name: str, function: Any) -> str:
    doc = read_doc(markdown if name == "markdown" else function)
    given = signature(function, skip=(next(iter(inspect.signature(function).parameters)),))
    parts = [f"### `{name}`", doc.text, f"Takes: `{given}`" if given else "", arguments(doc)]
    return "\n\n".join(part for part in parts if part)


def equivalents(kind: str) -> str:
    """Django's tags, or filters, and what to write here."""
    rows = [
        [f"`{one.django}`", f"`{one.here}`" if one.here else "", one.note] for one in EQUIVALENTS if one.kind == kind
    ]
    return table(["Django", "here", "note"], rows)
