"""Between WGS 84 (4326) and Web Mercator (3857), exact and without pyproj.

The formulas of EPSG method 1024, "Popular Visualisation Pseudo Mercator": spherical, on the equator's radius.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from toolkit.errors import GeometryError

from .geodesy import EQUATOR_RADIUS

if TYPE_CHECKING:
    import numpy
    from shapely.geometry.base import BaseGeometry

    Array = numpy.ndarray[Any, Any]

Way = Callable[["Array"], "Array"]

WGS84 = 4326
WEB_MERCATOR = 3857
LIMIT_LATITUDE = math.degrees(2 * math.atan(math.exp(math.pi)) - math.pi / 2)
"""85.0511…: where Web Mercator's square ends."""


def to_web_mercator(positions: Array) -> Array:
    """Metres east and north of positions in degrees.

    Args:
        positions: Array of shape (n, 2): longitude, latitude.

    Returns:
        Array of shape (n, 2). Latitudes beyond 89.9999 are infinite in this projection: they are held there.
    """
    import numpy

    latitude = numpy.radians(numpy.clip(positions[:, 1], -89.9999, 89.9999))
    y = EQUATOR_RADIUS * numpy.arctanh(numpy.sin(latitude))
    return numpy.column_stack([EQUATOR_RADIUS * numpy.radians(positions[:, 0]), y])


def from_web_mercator(positions: Array) -> Array:
    """Longitude and latitude in degrees of positions in metres; shape (n, 2) both."""
    import numpy

    latitude = numpy.degrees(numpy.arctan(numpy.sinh(positions[:, 1] / EQUATOR_RADIUS)))
    return numpy.column_stack([numpy.degrees(positions[:, 0] / EQUATOR_RADIUS), latitude])


def transform(geometry: BaseGeometry, source: int, target: int) -> BaseGeometry:
    """The geometry in another spatial reference. Z is kept as it is.

    Args:
        geometry: In the source reference.
        source: SRID it is in.
        target: SRID it shall be in.

    Raises:
        GeometryError: Neither 4326 nor 3857: those need pyproj.
    """
    import shapely

    if source == target:
        return geometry
    ways = {(WGS84, WEB_MERCATOR): to_web_mercator, (WEB_MERCATOR, WGS84): from_web_mercator}
    way = ways.get((source, target)) or _pyproj_way(source, target)
    return shapely.transform(geometry, partial(_flat_way, way), include_z=bool(geometry.has_z))


def _flat_way(way: Way, positions: Array) -> Array:
    """A way for longitude and latitude, on positions that may have a height, which stays."""
    import numpy

    return numpy.column_stack([way(positions[:, :2]), positions[:, 2:]])


def _pyproj_way(source: int, target: int) -> Way:
    """A function on positions, through pyproj where it is installed."""
    try:
        import pyproj  # type: ignore[import-not-found, unused-ignore]  # an extra
    except ImportError as error:
        raise GeometryError(
            f"SRID {source} to {target} needs pyproj, which is not installed",
            hint="pip install pyproj, or keep geometry in 4326",
        ) from error
    import numpy

    try:
        transformer = pyproj.Transformer.from_crs(source, target, always_xy=True)
    except pyproj.exceptions.CRSError as error:
        raise GeometryError(f"SRID {source} to {target} is no known transformation: {error}") from error
    return lambda positions: numpy.column_stack(transformer.transform(positions[:, 0], positions[:, 1]))
