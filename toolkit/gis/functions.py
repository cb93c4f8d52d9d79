"""SQL functions that a SQLite connection needs to write and read geometry columns.

The triggers of GeoPackage's R-tree call ``ST_MinX`` and its kin, which SQLite does not have: every connection
that *writes* a table with a spatial index must have them. The toolkit registers them on each of its own.
Programs that bring their own (QGIS, GDAL, SpatiaLite) need nothing. Those that have none (the sqlite3 shell,
Datasette's write API) can read everything and delete rows, and are refused at an insert or update with
"no such function: ST_IsEmpty": nothing is written, so the index can never be wrong. Hand them
`register_functions` to let them write, in Datasette from its ``prepare_connection`` hook.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from typing import Any

from .areas import area
from .codec import decode, envelope, read_header
from .geodesy import length
from .geojson import dumps, geometry_object
from .matching import Matches, apart, as_stored, boxes, is_valid, part_boxes


def register_functions(connection: Any) -> None:
    """Give a SQLite connection the functions that GeoPackage's triggers call, and a few to read with.

    A connection of another database is left alone, so that this can be any `Database`'s ``on_connect`` hook.

    ``ST_MinX ST_MaxX ST_MinY ST_MaxY ST_IsEmpty ST_SRID`` read the blob's header alone; ``ST_AsText`` and
    ``ST_GeometryType`` decode it. All answer NULL for NULL. Those called ``gis_`` serve the lookups.
    Registering again is harmless.
    """
    if not isinstance(connection, sqlite3.Connection) or _are_registered(connection):
        return  # SQLite refuses to replace a function while a statement is being read
    for name, function in _FUNCTIONS.items():
        connection.create_function(name, 1, function, deterministic=True)
    connection.create_function("gis_boxes", -1, boxes, deterministic=True)
    connection.create_function("gis_distance", 2, apart, deterministic=True)
    connection.create_aggregate("gis_matches", -1, Matches)  # type: ignore[arg-type]  # its step takes 4 or 5


def _are_registered(connection: sqlite3.Connection) -> bool:
    marks = ", ".join("?" * len(_FUNCTIONS))
    ask = f"SELECT count(DISTINCT name) FROM pragma_function_list WHERE name IN ({marks})"  # noqa: S608 - placeholders
    names = [name.lower() for name in _FUNCTIONS]
    return bool(connection.execute(ask, names).fetchall()[0][0] == len(names))


def _edge(index: int) -> Callable[[bytes | None], float | None]:
    def edge(blob: bytes | None) -> float | None:
        box = envelope(blob) if blob is not None else None
        return box[index] if box else None

    return edge


def _is_empty(blob: bytes | None) -> int | None:
    return None if blob is None else int(envelope(blob) is None)


def _srid(blob: bytes | None) -> int | None:
    return None if blob is None else read_header(blob).srid


def _text(blob: bytes | None) -> str | None:
    return None if blob is None else str(decode(blob).wkt)


def _type(blob: bytes | None) -> str | None:
    return None if blob is None else str(decode(blob).geom_type)


def _geojson(blob: bytes | None) -> str | None:
    return None if blob is None else dumps(geometry_object(decode(blob)))


def _measured(geodetic: Callable[[Any], float], flat: str, dimension: int) -> Callable[[bytes | None], float | None]:
    """A measure of the parts of one dimension: metres in 4326, the reference's own units in others.

    Args:
        geodetic: What measures a part over the earth.
        flat: shapely's attribute of a part.
        dimension: 1 for lines, 2 for areas; PostGIS, too, gives an area no length and a line no perimeter.
    """

    def measured(blob: bytes | None) -> float | None:
        if blob is None:
            return None
        is_geodetic = read_header(blob).srid == 4326
        parts = _parts(decode(blob), dimension)
        return math.fsum(geodetic(part) if is_geodetic else float(getattr(part, flat)) for part in parts)

    return measured


def _parts(geometry: Any, dimension: int) -> list[Any]:
    import shapely

    if hasattr(geometry, "geoms"):
        return [part for each in geometry.geoms for part in _parts(each, dimension)]
    return [geometry] if shapely.get_dimensions(geometry) == dimension else []


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "ST_MinX": _edge(0),
    "ST_MinY": _edge(1),
    "ST_MaxX": _edge(2),
    "ST_MaxY": _edge(3),
    "ST_IsEmpty": _is_empty,
    "ST_SRID": _srid,
    "ST_AsText": _text,
    "ST_GeometryType": _type,
    "gis_part_boxes": part_boxes,
    "gis_is_valid": is_valid,
    "gis_area": _measured(area, "area", 2),
    "gis_length": _measured(length, "length", 1),
    "gis_perimeter": _measured(length, "length", 2),
    "gis_centroid": as_stored(lambda geometry: geometry.centroid),
    "gis_envelope": as_stored(lambda geometry: geometry.envelope),
    "gis_geojson": _geojson,
}
