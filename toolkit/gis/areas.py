"""Area and centre of polygons on the earth (WGS 84).

An edge is straight in longitude and latitude, as RFC 7946 §3.1.1 has it and as shapely's predicates see it,
so that area agrees with `contains`. Under that reading the result is exact to 1 part in 10⁹; a geodesic edge
of 100 km would enclose some 0.001 % more or less. Poles need no special care: an edge along latitude 90 adds
nothing but its strip.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .geodesy import EQUATOR_RADIUS, FLATTENING

if TYPE_CHECKING:
    import numpy
    from shapely.geometry.base import BaseGeometry

_ECCENTRICITY2 = FLATTENING * (2 - FLATTENING)
_ECCENTRICITY = math.sqrt(_ECCENTRICITY2)
_LONGEST_DEGREES = 5.0  # an edge is cut so that eight nodes integrate it to rounding


def area(geometry: BaseGeometry) -> float:
    """Area in square metres of polygons; 0 for points and lines.

    Args:
        geometry: Longitude and latitude in degrees.
    """
    import shapely

    total = 0.0
    for part in shapely.get_parts(geometry):
        if part.geom_type == "Polygon":
            rings = [part.exterior, *part.interiors]
            sizes = [abs(_ring_area(shapely.get_coordinates(ring))) for ring in rings]
            total += sizes[0] - math.fsum(sizes[1:]) if sizes else 0.0
        elif hasattr(part, "geoms"):
            total += area(part)
    return total


def _ring_area(positions: numpy.ndarray[Any, Any]) -> float:
    """Signed: the integral of (area between equator and edge) along the ring."""
    import numpy

    if len(positions) < 4:
        return 0.0
    path = _cut(numpy.radians(positions))
    start, end = path[:-1], path[1:]
    nodes, weights = numpy.polynomial.legendre.leggauss(8)
    share = (nodes + 1) / 2
    latitudes = start[:, 1, None] + (end - start)[:, 1, None] * share
    heights = (_zone(latitudes) * weights / 2).sum(axis=1)
    return float(math.fsum((heights * (end - start)[:, 0]).tolist()))


def _cut(path: numpy.ndarray[Any, Any]) -> numpy.ndarray[Any, Any]:
    """The same ring with more positions where latitudes lie far apart."""
    import numpy

    steps = numpy.abs(numpy.diff(path[:, 1])) / math.radians(_LONGEST_DEGREES)
    if not len(steps) or steps.max() <= 1:
        return path
    places = numpy.concatenate(
        [index + numpy.arange(math.ceil(max(count, 1))) / math.ceil(max(count, 1)) for index, count in enumerate(steps)]
        + [numpy.array([len(steps)])]
    )
    indexes = numpy.arange(len(path))
    return numpy.column_stack([numpy.interp(places, indexes, path[:, 0]), numpy.interp(places, indexes, path[:, 1])])


def _zone(latitude: numpy.ndarray[Any, Any]) -> numpy.ndarray[Any, Any]:
    """Square metres from the equator to a latitude, for each radian of longitude (Snyder 1987, eq. 3-12)."""
    import numpy

    sine = numpy.sin(latitude)
    inner = sine / (1 - _ECCENTRICITY2 * sine**2) + numpy.arctanh(_ECCENTRICITY * sine) / _ECCENTRICITY
    zone: numpy.ndarray[Any, Any] = EQUATOR_RADIUS**2 * (1 - _ECCENTRICITY2) / 2 * inner
    return zone
