"""The interactive map: Leaflet, shipped with the toolkit, over the site's own geometry.

No tiles and no other host; no inline script or style, so a strict Content-Security-Policy holds. Without
script the reader has the locator map, and on paper too. With it, the map and each thing on it are reached
with the keyboard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from markupsafe import Markup, escape

from toolkit.errors import GeometryError
from toolkit.gis.features import Feature
from toolkit.gis.geojson import PRECISION, dumps_for_script, feature_object
from toolkit.i18n.messages import gettext, gettext_noop

from .layers import Reader, Shape, collect_shapes
from .locator import locator_map

STYLE_SHEETS = ("gis/leaflet.css", "gis/map.css")
SCRIPTS = ("gis/leaflet.js", "gis/map.js")

WORDS: Mapping[str, str] = {
    "map": gettext_noop("Map"),
    "zoom_in": gettext_noop("Zoom in"),
    "zoom_out": gettext_noop("Zoom out"),
    "close": gettext_noop("Close"),
    "keys": gettext_noop("Arrow keys move the map, plus and minus zoom, Tab goes from place to place"),
}
"""What the map says to its reader, translated by the catalogs at hand; ``words`` says it otherwise."""


def interactive_map(
    features: Iterable[Any],
    *,
    title: str = "",
    description: str = "",
    height: int = 480,
    fallback: Markup | None = None,
    asset: Callable[[str], str] | None = None,
    words: Mapping[str, str] | None = None,
    locale: str = "en",
    kind: Reader = "kind",
    label: Reader = "name",
    url: Reader = "url",
    text: Reader = "description",
    geometry: str = "",
    precision: int = PRECISION,
) -> Markup:
    """A map that the reader can move, as HTML.

    Args:
        features: Features, geometries, or objects such as the rows of a query; drawn by their kind.
        title: What the map shows, for those who cannot see it.
        description: The same at length.
        height: Of the map, in pixels.
        fallback: What stands there without script (default: the locator map of the same features).
        asset: Gives the URL of a static file; with it, the map brings its style sheets and scripts along.
            Without,
            put `map_assets` into the page once.
        words: What to say instead of ``WORDS``.
        locale: Language of the map.
        kind: Property, attribute or function that gives a feature's kind.
        label: The same for its name.
        url: The same for the page that its name leads to.
        text: The same for the sentence under the name.
        geometry: The attribute that holds the geometry, when there are several.
        precision: Decimals of a degree.

    Raises:
        GeometryError: There is nothing to show, or a word is unknown.
    """
    shapes = collect_shapes(features, kind=kind, label=label, url=url, text=text, geometry=geometry)
    picture = fallback or locator_map(shapes, title=title, description=description, locale=locale)
    said = _words(words or {})
    if title:
        said["map"] = title
    data = {
        "type": "FeatureCollection",
        "words": said,
        "features": [_member(shape, precision) for shape in shapes],
    }
    lang = locale.replace("_", "-")
    head = map_assets(asset) if asset is not None else Markup()
    return head + Markup(  # noqa: S704 (the picture is Markup; the JSON cannot end its element)
        f'<div class="map-interactive" data-gis-map data-height="{int(height)}" lang="{escape(lang)}">'
        f'<div class="map-fallback">{picture}</div>'
        f'<script type="application/json">{dumps_for_script(data)}</script></div>'
    )


def map_assets(asset: Callable[[str], str]) -> Markup:
    """The style sheets and scripts that interactive maps need, once a page.

    Args:
        asset: Gives the URL of a static file, such as ``gis/map.css``.
    """
    sheets = [Markup('<link rel="stylesheet" href="{}">').format(asset(path)) for path in STYLE_SHEETS]
    scripts = [Markup('<script src="{}" defer></script>').format(asset(path)) for path in SCRIPTS]
    return Markup().join([*sheets, *scripts])


def _words(words: Mapping[str, str]) -> dict[str, str]:
    unknown = sorted(set(words) - set(WORDS))
    if unknown:
        raise GeometryError(f"the map has no word {unknown[0]!r}", hint=f"It has: {', '.join(WORDS)}")
    said = {name: gettext(word) for name, word in WORDS.items()}
    return {**said, **{name: str(word) for name, word in words.items()}}


def _member(shape: Shape, precision: int) -> dict[str, Any]:
    said = {"kind": shape.kind, "label": shape.label, "url": shape.url, "text": shape.text}
    known = {name: value for name, value in said.items() if value}
    return feature_object(Feature(shape.geometry, known), precision=precision)
