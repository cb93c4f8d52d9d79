"""The locator map: an SVG of the site's own geometry, drawn when the page is rendered.

It needs no script and no other host, takes its colours from the page's style sheet (light and dark), and
comes out the same, byte for byte, from the same features.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from markupsafe import Markup, escape

from toolkit.errors import GeometryError
from toolkit.gis.features import Feature
from toolkit.gis.measures import D

from .drawing import RADIUS, Drawn, draw_name, draw_scale, draw_shape, flat_parts
from .labels import Board, Box, Placed, Request, place_all
from .layers import Reader, Shape, collect_shapes
from .projection import Frame, fit

_RIGHT_TO_LEFT = ("ar", "he", "fa", "ur", "yi", "ps", "ckb", "sd")
_MOST_NAMES = 6
_ORDER_OF_NAMES = ("focus", "landmark", "area", "line", "street", "water", "land")


def locator_map(
    features: Iterable[Any],
    *,
    title: str = "",
    description: str = "",
    focus: Any = None,
    around: D | None = None,
    width: int = 640,
    height: int = 400,
    padding: int = 24,
    labels: bool = True,
    scale_bar: bool = True,
    locale: str = "en",
    kind: Reader = "kind",
    label: Reader = "name",
    geometry: str = "",
) -> Markup:
    """A map as an SVG element.

    Args:
        features: Features, geometries, or objects such as the rows of a query; drawn by their kind (`KINDS`).
        title: What the map shows, for those who cannot see it; by default the names it is about.
        description: The same at length.
        focus: What the map is about, one thing or several; drawn on top and always named.
        around: Show so much around the focus; without it the map shows all features.
        width: Of the picture, in pixels; it scales with the page.
        height: The same.
        padding: Pixels left free at each side.
        labels: Write names.
        scale_bar: Draw a scale, where one holds for the whole picture.
        locale: Language of the names and of the scale.
        kind: Property, attribute or function that gives a feature's kind.
        label: The same for its name, in the reader's language.
        geometry: The attribute that holds the geometry, when there are several.

    Raises:
        GeometryError: There is nothing to show, or no room.
    """
    frame = _frame(width, height, padding)
    readers: dict[str, Any] = {"kind": kind, "label": label, "geometry": geometry}
    focused = [replace(shape, kind="focus") for shape in collect_shapes(_several(focus), **readers)]
    others = [shape for shape in collect_shapes(features, **readers) if not _is_same(shape, focused)]
    shapes = [*others, *focused]
    title = title or _name_all(focused or shapes)
    if not shapes:
        raise GeometryError("a map has nothing to show", hint="Draw it only where there is a place")
    near = around if focused else None
    view = [shape.geometry for shape in (focused if near is not None else shapes)]
    projection = fit(view, frame, around=near)
    drawn = [Drawn(shape, projection.draw(shape.geometry)) for shape in shapes]
    rtl = locale.replace("_", "-").split("-")[0] in _RIGHT_TO_LEFT
    names = _names(drawn, frame, prefer="left" if rtl else "right") if labels else []
    scale = draw_scale(projection, locale, rtl=rtl) if scale_bar else []
    body = "".join([*map(draw_shape, drawn), *scale, *map(draw_name, names)])
    return _svg(body, frame, title=title, description=description, locale=locale)


def _name_all(shapes: Sequence[Shape]) -> str:
    names = [shape.label for shape in shapes if shape.label]
    return ", ".join(names[:_MOST_NAMES]) + (" …" if len(names) > _MOST_NAMES else "")


def _frame(width: int, height: int, padding: int) -> Frame:
    if min(width, height) - 2 * padding < 16:
        raise GeometryError(f"a map of {width} by {height} pixels has no room inside a padding of {padding}")
    return Frame(width, height, padding)


def _several(focus: Any) -> Iterable[Any]:
    if focus is None:
        return []
    single = isinstance(focus, Feature) or hasattr(focus, "geom_type") or not isinstance(focus, Iterable)
    return [focus] if single else focus


def _is_same(shape: Shape, focused: Sequence[Shape]) -> bool:
    return any(shape.label == other.label and shape.geometry == other.geometry for other in focused)


def _svg(body: str, frame: Frame, *, title: str, description: str, locale: str) -> Markup:
    told = f"<desc>{escape(description)}</desc>" if description else ""
    # Ids must be unique on the page and the same at every build: they come from the picture itself.
    name = "map-" + hashlib.blake2b(f"{title}\0{description}\0{body}".encode(), digest_size=4).hexdigest()
    told = told.replace("<desc>", f'<desc id="{name}-desc">')
    by = f"{name}-title {name}-desc" if description else f"{name}-title"
    lang = locale.replace("_", "-")
    # The direction is said: a page in Arabic would hand down its own, and turn the anchors of all names around.
    return Markup(  # noqa: S704 (every text in it is escaped where it is put in)
        f'<svg class="map" xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{by}" direction="ltr"'
        f' lang="{escape(lang)}" viewBox="0 0 {frame.width} {frame.height}"'
        f' width="{frame.width}" height="{frame.height}">'
        f'<title id="{name}-title">{escape(title)}</title>{told}'
        f'<rect class="map-ground" width="{frame.width}" height="{frame.height}" fill="#e9eef0"/>{body}</svg>'
    )


def _names(drawn: Sequence[Drawn], frame: Frame, *, prefer: str) -> list[Placed]:
    asked = [request for each in drawn if each.shape.label and not each.geometry.is_empty for request in _request(each)]
    asked.sort(key=lambda request: _ORDER_OF_NAMES.index(request.kind))
    dots = [part for each in drawn for part in flat_parts(each.geometry) if part.geom_type == "Point"]
    taken = [Box(dot.x - 5, dot.y - 5, dot.x + 5, dot.y + 5) for dot in dots]
    board = Board(Box(4, 4, frame.width - 4, frame.height - 4), taken)
    return place_all(asked, board, prefer=prefer)


def _request(drawn: Drawn) -> list[Request]:
    """One name a shape, at its mark, in its middle or on its longest line."""
    kind, label = drawn.shape.kind, drawn.shape.label
    parts = flat_parts(drawn.geometry)
    largest = max(parts, key=lambda part: (part.area, part.length))
    if largest.geom_type == "Point":
        return [Request(label, largest.x, largest.y, RADIUS.get(kind, 4.5), kind, kind == "focus")]
    if largest.geom_type == "Polygon":
        spot = largest.representative_point()
    else:
        spot = largest.interpolate(0.5, normalized=True)
    return [Request(label, spot.x, spot.y, 0.0, kind, kind == "focus")]
