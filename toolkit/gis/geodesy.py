"""Distances on the earth (WGS 84) without pyproj.

Positions are (longitude, latitude) in degrees, results in metres. Accuracy, as tested:

- `geodesic`: within 1 mm of Karney's algorithm everywhere, nearly antipodal points included.
- `haversine`: within 0.6 % of it, a tenth of the time.
- `length`: the sum of geodesics between positions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Position = tuple[float, float]

EQUATOR_RADIUS = 6378137.0
FLATTENING = 1 / 298.257223563
POLE_RADIUS = EQUATOR_RADIUS * (1 - FLATTENING)
MEAN_RADIUS = (2 * EQUATOR_RADIUS + POLE_RADIUS) / 3
_SECOND_ECCENTRICITY2 = (EQUATOR_RADIUS**2 - POLE_RADIUS**2) / POLE_RADIUS**2
_CLOSE = 1e-12  # radians of longitude: 6 micrometres
_GOLDEN = (math.sqrt(5) - 1) / 2


def haversine(start: Position, end: Position) -> float:
    """Great-circle distance on a sphere of the earth's mean radius, in metres."""
    lon1, lat1, lon2, lat2 = map(math.radians, (*start, *end))
    chord = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * MEAN_RADIUS * math.asin(math.sqrt(min(1.0, chord)))


def geodesic(start: Position, end: Position) -> float:
    """Shortest distance over the WGS 84 ellipsoid, in metres.

    Vincenty's inverse formula (Survey Review XXIII, 1975); near antipodes, where it does not converge, the
    shortest way over a point in the middle (`_around`).
    """
    distance = _vincenty(start, end)
    return _around(start, end) if distance is None else distance


def _vincenty(start: Position, end: Position) -> float | None:
    difference = math.radians(math.remainder(end[0] - start[0], 360.0))
    u1 = math.atan((1 - FLATTENING) * math.tan(math.radians(start[1])))
    u2 = math.atan((1 - FLATTENING) * math.tan(math.radians(end[1])))
    sin_u1, cos_u1, sin_u2, cos_u2 = math.sin(u1), math.cos(u1), math.sin(u2), math.cos(u2)
    lam = difference
    for _ in range(60):
        sin_lam, cos_lam = math.sin(lam), math.cos(lam)
        sin_sigma = math.hypot(cos_u2 * sin_lam, cos_u1 * sin_u2 - sin_u1 * cos_u2 * cos_lam)
        if sin_sigma == 0:
            return 0.0 if sin_u1 * sin_u2 + cos_u1 * cos_u2 * cos_lam > 0 else None
        cos_sigma = sin_u1 * sin_u2 + cos_u1 * cos_u2 * cos_lam
        sigma = math.atan2(sin_sigma, cos_sigma)
        sin_alpha = cos_u1 * cos_u2 * sin_lam / sin_sigma
        cos2_alpha = 1 - sin_alpha * sin_alpha
        cos_2m = cos_sigma - 2 * sin_u1 * sin_u2 / cos2_alpha if cos2_alpha > 1e-15 else 0.0  # along the equator
        c = FLATTENING / 16 * cos2_alpha * (4 + FLATTENING * (4 - 3 * cos2_alpha))
        before = lam
        swing = sigma + c * sin_sigma * (cos_2m + c * cos_sigma * (2 * cos_2m**2 - 1))
        lam = difference + (1 - c) * FLATTENING * sin_alpha * swing
        if abs(lam) > math.pi:
            return None
        if abs(lam - before) < _CLOSE:
            return _vincenty_length(cos2_alpha, sigma, sin_sigma, cos_sigma, cos_2m)
    return None


def _vincenty_length(cos2_alpha: float, sigma: float, sin_sigma: float, cos_sigma: float, cos_2m: float) -> float:
    u = cos2_alpha * _SECOND_ECCENTRICITY2
    a = 1 + u / 16384 * (4096 + u * (-768 + u * (320 - 175 * u)))
    b = u / 1024 * (256 + u * (-128 + u * (74 - 47 * u)))
    inner = cos_sigma * (2 * cos_2m**2 - 1) - b / 6 * cos_2m * (4 * sin_sigma**2 - 3) * (4 * cos_2m**2 - 3)
    return POLE_RADIUS * a * (sigma - b * sin_sigma * (cos_2m + b / 4 * inner))


def _around(start: Position, end: Position) -> float:
    """Distance of nearly antipodal points.

    Every way between them crosses the circle a quarter of the earth away from the start, and the shortest one
    somewhere: the least of (start to crossing) + (crossing to end) is their distance, and both halves are
        easy.
    """

    def via(azimuth: float) -> float:
        middle = _destination(start, azimuth, math.pi / 2)
        return (_vincenty(start, middle) or 0.0) + (_vincenty(middle, end) or 0.0)

    step = 2 * math.pi / 72
    best = min(range(72), key=lambda index: via(index * step))
    low, high = (best - 1) * step, (best + 1) * step
    for _ in range(60):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if via(left) < via(right):
            high = right
        else:
            low = left
    return via((low + high) / 2)


def _destination(start: Position, azimuth: float, angle: float) -> Position:
    """Where a great circle leads on a sphere; azimuth and angle in radians."""
    lon, lat = math.radians(start[0]), math.radians(start[1])
    sin_lat = math.sin(lat) * math.cos(angle) + math.cos(lat) * math.sin(angle) * math.cos(azimuth)
    end_lat = math.asin(max(-1.0, min(1.0, sin_lat)))
    y = math.sin(azimuth) * math.sin(angle) * math.cos(lat)
    x = math.cos(angle) - math.sin(lat) * sin_lat
    return math.degrees(lon + math.atan2(y, x)), math.degrees(end_lat)


def length(geometry: BaseGeometry) -> float:
    """Length in metres of lines, or of the rings of polygons; 0 for points."""
    import shapely

    if geometry.geom_type == "GeometryCollection":
        return math.fsum(length(part) for part in geometry.geoms)
    lines = shapely.get_parts(geometry.boundary if geometry.geom_type.endswith("Polygon") else geometry)
    return math.fsum(_path(shapely.get_coordinates(line).tolist()) for line in lines if line.geom_type != "Point")


def _path(positions: Iterable[list[float]]) -> float:
    return math.fsum(geodesic((a[0], a[1]), (b[0], b[1])) for a, b in pairwise(positions))
