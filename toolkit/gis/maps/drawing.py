"""The elements of a drawn map: paths, dots, names and the scale, as SVG text with one decimal.

Each carries a class for the style sheet, and presentation attributes for readers without one (a feed's): any
CSS rule wins over those.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import escape

from toolkit.errors import GeometryError

from .labels import Placed
from .layers import Shape
from .projection import Projection

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_PLAIN_STYLE = {
    "land": 'fill="#f1ede4" stroke="none"',
    "water": 'fill="#bcd7e3" stroke="none"',
    "area": 'fill="#d9c9a8" fill-opacity="0.6" stroke="#9a8458"',
    "street": 'fill="none" stroke="#c9c1b1" stroke-width="2"',
    "line": 'fill="none" stroke="#7a5c99" stroke-width="2.5"',
    "landmark": 'fill="#5b5b5b" stroke="#ffffff"',
    "focus": 'fill="#b3261e" stroke="#ffffff" stroke-width="2"',
}
_LINE_STYLE = {
    "water": 'fill="none" stroke="#bcd7e3" stroke-width="2"',
    "focus": 'fill="none" stroke="#b3261e" stroke-width="4"',
    "landmark": 'fill="none" stroke="#5b5b5b" stroke-width="2"',
}
RADIUS = {"landmark": 4.5, "focus": 7.5}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A shape with its geometry in pixels."""

    shape: Shape
    geometry: BaseGeometry


def draw_shape(drawn: Drawn) -> str:
    """A geometry as SVG: paths for its lines and areas, a mark for each of its points."""
    kind = drawn.shape.kind
    parts: list[str] = []
    paths = "".join(_path(part) for part in flat_parts(drawn.geometry) if part.geom_type != "Point")
    if paths:
        filled = any(part.geom_type == "Polygon" for part in flat_parts(drawn.geometry))
        style = _PLAIN_STYLE[kind] if filled else _LINE_STYLE.get(kind, _PLAIN_STYLE[kind])
        shape = "" if filled else " map-open"
        parts.append(f'<path class="map-{kind}{shape}" {style} fill-rule="evenodd" d="{paths}"/>')
    for part in flat_parts(drawn.geometry):
        if part.geom_type == "Point":
            parts.append(_dot(part, kind))
    return "".join(parts)


def _dot(point: BaseGeometry, kind: str) -> str:
    radius = RADIUS.get(kind, RADIUS["landmark"])
    style = _PLAIN_STYLE["focus" if kind == "focus" else "landmark"]
    return f'<circle class="map-{kind} map-dot" {style} cx="{_n(point.x)}" cy="{_n(point.y)}" r="{_n(radius)}"/>'


def _path(part: BaseGeometry) -> str:
    import shapely

    if part.geom_type == "Polygon":
        return "".join(
            _run(shapely.get_coordinates(ring).tolist(), closed=True) for ring in (part.exterior, *part.interiors)
        )
    return _run(shapely.get_coordinates(part).tolist(), closed=False)


def _run(positions: list[list[float]], *, closed: bool) -> str:
    """Path data with one decimal, positions that fall together written once."""
    steps: list[str] = []
    for x, y in positions[:-1] if closed else positions:
        step = f"{_n(x)} {_n(y)}"
        if not steps or steps[-1] != step:
            steps.append(step)
    if len(steps) < (3 if closed else 2):
        return ""
    return "M" + "L".join(steps) + ("Z" if closed else "")


def _n(value: float) -> str:
    """A number with one decimal at most."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def flat_parts(geometry: BaseGeometry) -> list[BaseGeometry]:
    """The points, lines and areas that a geometry is made of."""
    if geometry.is_empty:
        return []
    if hasattr(geometry, "geoms"):
        return [flat for part in geometry.geoms for flat in flat_parts(part)]
    return [geometry]


def draw_name(placed: Placed) -> str:
    """A label as SVG, at the place that was found for it."""
    direction = ' direction="rtl"' if placed.direction == "rtl" else ""
    return (
        f'<text class="map-label map-label-{placed.request.kind}" x="{_n(placed.x)}" y="{_n(placed.y)}"'
        f' text-anchor="{placed.anchor}"{direction} font-family="sans-serif" font-size="13" fill="#222222"'
        f' stroke="#ffffff" stroke-width="3" stroke-linejoin="round" paint-order="stroke">'
        f"{escape(placed.request.text)}</text>"
    )


def draw_scale(projection: Projection, locale: str, *, rtl: bool) -> list[str]:
    """A bar of 1, 2 or 5 times a power of ten, at most a quarter of the picture."""
    if not projection.is_even:
        return []
    metres = _round_down(projection.metres_a_pixel * projection.frame.width / 4)
    length = metres / projection.metres_a_pixel
    frame = projection.frame
    left = frame.width - 16 - length if rtl else 16.0
    middle = left + length / 2
    direction = ' direction="rtl"' if rtl else ""
    return [
        f'<path class="map-scale" fill="none" stroke="#222222" d="M{_n(left)} {_n(frame.height - 18.0)}v6'
        f'h{_n(length)}v-6"/>',
        f'<text class="map-scale-text" x="{_n(middle)}" y="{_n(frame.height - 18.0)}" text-anchor="middle"'
        f'{direction} font-family="sans-serif" font-size="11" fill="#222222">'
        f"{escape(_distance_text(metres, locale))}</text>",
    ]


def _round_down(metres: float) -> float:
    power = 10.0 ** math.floor(math.log10(metres))
    return next(step * power for step in (5, 2, 1) if step * power <= metres)


def _distance_text(metres: float, locale: str) -> str:
    from babel import Locale, UnknownLocaleError
    from babel.units import format_unit

    unit, value = ("length-kilometer", metres / 1000) if metres >= 1000 else ("length-meter", metres)
    number = int(value) if value == int(value) else value
    try:
        return str(format_unit(number, unit, "short", locale=Locale.parse(locale.replace("-", "_"))))
    except (UnknownLocaleError, ValueError) as error:
        raise GeometryError(f"the map's locale {locale!r} is not known: {error}") from error
