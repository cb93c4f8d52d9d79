"""Rings wound as RFC 7946 wants them, and shapes cut at longitude 180.

RFC 7946 §3.1.6: outer rings counter-clockwise, holes clockwise. §3.1.9: what crosses the antimeridian is cut
there.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy
    from shapely.geometry.base import BaseGeometry

    Array = numpy.ndarray[Any, Any]


def orient(geometry: BaseGeometry) -> BaseGeometry:
    """The same geometry, its outer rings counter-clockwise and its holes clockwise."""
    import shapely

    return shapely.orient_polygons(geometry)


def split_antimeridian(geometry: BaseGeometry) -> BaseGeometry:
    """The geometry cut at longitude 180, all of it between -180 and 180.

    Both spellings of a crossing are understood: longitudes that run on (170, 190) and longitudes that jump
    (170, -170), where an edge of more than 180 and less than 360 degrees is taken to go the short way round.
    A ring around a pole is closed over the nearer pole.

    Args:
        geometry: Longitude and latitude in degrees; without Z or M (they are dropped where it is cut).

    Returns:
        The geometry itself when it does not cross; else of the Multi type, parts from west to east.
    """
    import shapely

    if geometry.is_empty or not _crosses(geometry):
        return geometry
    parts = [cut for part in _flat_parts(geometry) for cut in _cut_part(part)]
    parts.sort(key=lambda part: part.bounds)
    if _crosses_pole(geometry):  # the way to the pole and back is no border
        parts = _flat_parts(shapely.union_all(parts))
    kinds = {part.geom_type for part in parts}
    multi = {
        "Point": shapely.MultiPoint,
        "LineString": shapely.MultiLineString,
        "Polygon": shapely.MultiPolygon,
    }
    if len(parts) == 1 and not hasattr(geometry, "geoms"):
        return parts[0]
    return multi[kinds.pop()](parts) if len(kinds) == 1 else shapely.GeometryCollection(parts)


def _crosses(geometry: BaseGeometry) -> bool:
    minx, _, maxx, _ = geometry.bounds
    return minx < -180 or maxx > 180 or any(_jumps(path) for path in _paths(geometry))


def _crosses_pole(geometry: BaseGeometry) -> bool:
    """Whether a ring goes once around the earth."""
    return any((path[0] == path[-1]).all() and _turns(_unwrap(path)) for path in _paths(geometry))


def _turns(run: Array) -> bool:
    return bool(abs(run[-1, 0] - run[0, 0]) > 180)


def _jumps(path: Array) -> bool:
    import numpy

    steps = numpy.abs(numpy.diff(path[:, 0]))
    return bool(((steps > 180) & (steps < 360)).any())


def _paths(geometry: BaseGeometry) -> list[Array]:
    import shapely

    rings = [
        ring
        for part in _flat_parts(geometry)
        for ring in ([part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part])
    ]
    return [shapely.get_coordinates(ring) for ring in rings]


def _flat_parts(geometry: BaseGeometry) -> list[BaseGeometry]:
    if not hasattr(geometry, "geoms"):
        return [geometry]
    return [flat for part in geometry.geoms for flat in _flat_parts(part)]


def _cut_part(part: BaseGeometry) -> list[BaseGeometry]:
    import shapely

    if part.geom_type == "Polygon":
        return _windows(_unwrapped_polygon(part))
    path = _unwrap(shapely.get_coordinates(part))
    return _windows(shapely.Point(path[0]) if len(path) == 1 else shapely.LineString(path))


def _unwrap(path: Array) -> Array:
    """Longitudes that run on instead of jumping."""
    import numpy

    steps = numpy.diff(path[:, 0])
    turns = numpy.where((numpy.abs(steps) > 180) & (numpy.abs(steps) < 360), -360.0 * numpy.sign(steps), 0.0)
    run = path.copy()
    run[1:, 0] += numpy.cumsum(turns)
    return run


def _unwrapped_polygon(polygon: BaseGeometry) -> BaseGeometry:
    import shapely

    shell = shapely.Polygon(_closed_over_pole(_unwrap(shapely.get_coordinates(polygon.exterior))))
    holes = []
    for ring in polygon.interiors:
        path = _unwrap(shapely.get_coordinates(ring))
        shifts = (0.0, 360.0, -360.0)
        inside = [s for s in shifts if shell.covers(shapely.LinearRing(_moved(path, s)))]
        holes.append(_moved(path, inside[0] if inside else 0.0))
    whole = shapely.Polygon(shell.exterior, holes)
    return whole if whole.is_valid else shapely.make_valid(whole)


def _moved(path: Array, east: float) -> Array:
    """The same path so many degrees farther east."""
    import numpy

    moved: Array = path + numpy.array([east, 0.0])
    return moved


def _closed_over_pole(path: Array) -> Array:
    """A ring that went once around the earth, led over the nearer pole to its beginning."""
    import numpy

    if not _turns(path):
        return path
    pole = math.copysign(90.0, float(path[:, 1].mean()))
    return numpy.concatenate([path, [[path[-1, 0], pole], [path[0, 0], pole], path[0]]])


def _windows(geometry: BaseGeometry) -> list[BaseGeometry]:
    """What lies in each turn of 360 degrees, moved into the first."""
    import shapely

    minx, _, maxx, _ = geometry.bounds
    first, last = math.floor((minx + 180) / 360), math.ceil((maxx + 180) / 360)
    found: list[BaseGeometry] = []
    for turn in range(first, max(last, first + 1)):
        window = shapely.box(360 * turn - 180, -90, 360 * turn + 180, 90)
        piece = geometry.intersection(window)
        moved = shapely.transform(piece, partial(_moved, east=-360.0 * turn))
        found += [flat for flat in _flat_parts(moved) if not flat.is_empty and _same_dimension(flat, geometry)]
    return found


def _same_dimension(piece: BaseGeometry, whole: BaseGeometry) -> bool:
    """False for the point or line that a window's edge touches of a line or polygon."""
    import shapely

    return bool(shapely.get_dimensions(piece) == shapely.get_dimensions(whole))
