"""Distance between geometries on the earth (WGS 84), and boxes that surely hold what is near.

Lines are cut into pieces of a quarter degree at most and put into space (earth-centred coordinates), where
numpy finds the nearest pieces at once; the geodesic is then measured to the nearest place on them. The result
is never too small, and too large by less than 1 mm up to 1,000 km (tested against dense sampling).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .codec import Envelope
from .geodesy import EQUATOR_RADIUS, FLATTENING, MEAN_RADIUS, Position, geodesic
from .measures import D

if TYPE_CHECKING:
    import numpy
    from shapely.geometry.base import BaseGeometry

    Array = numpy.ndarray[Any, Any]

_PIECE_DEGREES = 0.25
_CANDIDATES = 4
_STEP = 0.02  # of a piece: 550 m at most
# One degree of latitude measures 110.57 to 111.70 km: dividing by the least gives a box that is never too
# small.
_LEAST_DEGREE_METRES = 110_500.0


def distance(one: BaseGeometry, other: BaseGeometry) -> float:
    """Metres between two geometries in longitude and latitude; 0 where they touch, NaN where one is empty."""
    if one.is_empty or other.is_empty:
        return math.nan
    if one.geom_type == other.geom_type == "Point":
        return geodesic((one.x, one.y), (other.x, other.y))
    if one.intersects(other):
        return 0.0
    # Two lines that do not meet are nearest at a corner of one of them.
    if other.geom_type == "Point":
        return _from_corners(other, one)
    if one.geom_type == "Point":
        return _from_corners(one, other)
    return min(_from_corners(one, other), _from_corners(other, one))


def planar_distance(one: BaseGeometry, other: BaseGeometry) -> float:
    """Distance in the units of a flat reference system, such as metres in 3857."""
    return float(one.distance(other)) if not (one.is_empty or other.is_empty) else math.nan


def _from_corners(corners: BaseGeometry, shape: BaseGeometry) -> float:
    """Least distance from the positions of one geometry to the whole of another."""
    import numpy
    import shapely

    starts, ends = _pieces(shape)
    origin, way = _space(starts), _space(ends) - _space(starts)
    positions = numpy.unique(shapely.get_coordinates(corners), axis=0)
    slack = _slack_metres(starts, ends)
    chords = [float(_chords(position, origin, way)[1].min()) for position in positions]
    best = math.inf
    for number in numpy.argsort(chords, kind="stable").tolist():
        if chords[number] - slack > best:
            break  # a geodesic is longer than its chord, and all that follow are farther
        share, apart = _chords(positions[number], origin, way)
        best = min(best, _measure(positions[number], starts, ends, share, apart))
    return best


def _chords(position: Array, origin: Array, way: Array) -> tuple[Array, Array]:
    """How far along each piece the place nearest in space is (0 to 1), and how many metres away, straight through."""
    import numpy

    here = _space(position[None, :])[0] - origin
    square = numpy.einsum("ij,ij->i", way, way)
    along = numpy.einsum("ij,ij->i", here, way)
    share = numpy.clip(numpy.divide(along, square, out=numpy.zeros_like(along), where=square > 0), 0.0, 1.0)
    return share, numpy.linalg.norm(here - share[:, None] * way, axis=1)


def _slack_metres(starts: Array, ends: Array) -> float:
    """How much nearer than its chord the longest piece may come: its sag, and its bend on the map.

    120 m for a piece of a quarter degree, and with the square of the length for shorter ones.
    """
    import numpy

    longest = float(numpy.abs(ends - starts).max(initial=0.0))
    return 0.01 + 120.0 * (longest / _PIECE_DEGREES) ** 2


def _measure(corner: Array, starts: Array, ends: Array, share: Array, apart: Array) -> float:
    import numpy

    few = min(_CANDIDATES, len(apart))
    here = (float(corner[0]), float(corner[1]))
    found = []
    for index in numpy.argpartition(apart, few - 1)[:few].tolist():
        start, way = starts[index], ends[index] - starts[index]
        found.append(_nearest_on_piece(here, start.tolist(), way.tolist(), float(share[index])))
    return min(found)


def _nearest_on_piece(here: Position, start: list[float], way: list[float], share: float) -> float:
    """Geodesic to a piece, with one parabola's step from the place that was nearest in space.

    The chord runs some metres beside the piece, which is straight on the map; the step takes out what that
    shifts.
    """

    def at(where: float) -> float:
        return geodesic(here, (start[0] + where * way[0], start[1] + where * way[1]))

    middle = at(share)
    if way == [0.0, 0.0]:
        return middle
    before, after = at(share - _STEP), at(share + _STEP)
    bend = before**2 - 2 * middle**2 + after**2
    if bend <= 0:
        return middle
    better = share + _STEP * (before**2 - after**2) / (2 * bend)
    return min(middle, at(min(1.0, max(0.0, better))))


def _pieces(geometry: BaseGeometry) -> tuple[Array, Array]:
    """Start and end of each straight piece; a point is a piece without length."""
    import numpy
    import shapely

    starts: list[Array] = []
    ends: list[Array] = []
    for part in _simple_parts(geometry):
        positions = shapely.get_coordinates(part)
        if part.geom_type == "Point":
            starts.append(positions)
            ends.append(positions)
        else:
            path = shapely.get_coordinates(shapely.segmentize(part, _PIECE_DEGREES))
            starts.append(path[:-1])
            ends.append(path[1:])
    return numpy.concatenate(starts), numpy.concatenate(ends)


def _simple_parts(geometry: BaseGeometry) -> list[BaseGeometry]:
    """Points and lines; polygons as their rings."""
    if geometry.is_empty:
        return []
    if geometry.geom_type == "Polygon":
        return [geometry.exterior, *geometry.interiors]
    if hasattr(geometry, "geoms"):
        return [simple for part in geometry.geoms for simple in _simple_parts(part)]
    return [geometry]


def _space(positions: Array) -> Array:
    """Earth-centred x, y, z in metres of positions on the ellipsoid."""
    import numpy

    lon, lat = numpy.radians(positions[:, 0]), numpy.radians(positions[:, 1])
    eccentricity2 = FLATTENING * (2 - FLATTENING)
    radius = EQUATOR_RADIUS / numpy.sqrt(1 - eccentricity2 * numpy.sin(lat) ** 2)
    flat = radius * numpy.cos(lat)
    space = [flat * numpy.cos(lon), flat * numpy.sin(lon), radius * (1 - eccentricity2) * numpy.sin(lat)]
    return numpy.column_stack(space)


def boxes_around(bounds: tuple[float, float, float, float], limit: D) -> list[Envelope]:
    """Boxes in degrees that hold every position so near to a box: two where they cross longitude 180.

    Args:
        bounds: minx, miny, maxx, maxy in degrees.
        limit: How far.
    """
    minx, miny, maxx, maxy = bounds
    rise = limit.m / _LEAST_DEGREE_METRES
    south, north = max(-90.0, miny - rise), min(90.0, maxy + rise)
    reach = _reach_degrees(max(abs(south), abs(north)), limit.m)
    west, east = minx - reach, maxx + reach
    if east - west >= 360:
        return [Envelope(-180.0, south, 180.0, north)]
    return [Envelope(low, south, high, north) for low, high in _spans(west, east)]


def _reach_degrees(latitude: float, metres: float) -> float:
    """Degrees of longitude that a distance spans at most, on a circle that reaches up to this latitude."""
    # sin(Δlon) = sin(angle) / cos(latitude of the centre); the farthest latitude gives a margin on top of it.
    if latitude >= 90:
        return 180.0
    share = math.sin(min(math.pi / 2, metres / MEAN_RADIUS * 1.01)) / math.cos(math.radians(latitude))
    return 180.0 if share >= 1 else math.degrees(math.asin(share))


def _spans(west: float, east: float) -> list[tuple[float, float]]:
    if west < -180:
        return [(-180.0, east), (west + 360, 180.0)]
    if east > 180:
        return [(west, 180.0), (-180.0, east - 360)]
    return [(west, east)]
