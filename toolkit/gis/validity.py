"""What is wrong with a geometry, and where."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from toolkit.errors import GeometryError

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

LONGITUDE_FIRST = "Longitude first: (longitude, latitude), as GeoJSON, WKT and shapely have it"
_PLACE = re.compile(r"^(?P<reason>.*?)\[(?P<x>\S+) (?P<y>\S+)\]$")
# Rings that touch longitude 180 come back from other programs with the last digits off.
_SLACK = 1e-9


def find_problem(geometry: BaseGeometry, *, srid: int = 4326) -> GeometryError | None:
    """The first thing that makes a geometry unusable, or None.

    Args:
        geometry: Also an empty one, which is usable.
        srid: With 4326, longitudes must lie in ±180 and latitudes in ±90.

    Returns:
        An error with the reason, the position and the next step, not raised.
    """
    if geometry.is_empty:
        return None
    return find_infinite(geometry) or (_out_of_range(geometry) if srid == 4326 else None) or _invalid(geometry)


def require_valid(geometry: BaseGeometry, *, srid: int = 4326) -> None:
    """Raise what `find_problem` finds.

    Raises:
        GeometryError: With the reason, the position and the next step.
    """
    problem = find_problem(geometry, srid=srid)
    if problem is not None:
        raise problem


def find_infinite(geometry: BaseGeometry) -> GeometryError | None:
    """The first position that is infinite or not a number, or None. Such a geometry has no box, and is in no index."""
    import numpy
    import shapely

    positions = shapely.get_coordinates(geometry)
    finite = numpy.isfinite(positions)
    if finite.all():
        return None
    x, y = positions[~finite.all(axis=1)][0].tolist()
    return GeometryError(f"{geometry.geom_type} has the position ({x}, {y}), which is no finite number")


def _out_of_range(geometry: BaseGeometry) -> GeometryError | None:
    import numpy
    import shapely

    positions = shapely.get_coordinates(geometry)
    beyond = (numpy.abs(positions) > (180 + _SLACK, 90 + _SLACK)).any(axis=1)
    if not beyond.any():
        return None
    x, y = positions[beyond][0].tolist()
    if abs(y) > 90:
        return GeometryError(f"({x:g}, {y:g}): latitude {y:g} is not between -90 and 90", hint=LONGITUDE_FIRST)
    hint = "A shape that crosses longitude 180 is cut there: toolkit.gis.split_antimeridian(geometry)"
    if abs(x) > 540:
        hint = "The numbers look like metres: toolkit.gis.transform(geometry, 3857, 4326)"
    return GeometryError(f"({x:g}, {y:g}): longitude {x:g} is not between -180 and 180", hint=hint)


def _invalid(geometry: BaseGeometry) -> GeometryError | None:
    import shapely

    if geometry.is_valid:
        return None
    reason = shapely.is_valid_reason(geometry)
    found = _PLACE.match(reason)
    place = f" at ({found['x']}, {found['y']})" if found else ""
    what = (found["reason"] if found else reason).strip().lower()
    return GeometryError(
        f"{geometry.geom_type} is invalid: {what}{place}",
        hint="Mend it in the map editor, or accept shapely.make_valid(geometry)",
    )
