"""SQL functions that a SQLite connection needs to write and read geometry columns.

The triggers of GeoPackage's R-tree call ``ST_MinX`` and its kin, which SQLite does not have: every connection
that *writes* a table with a spatial index must have them. The toolkit registers them on each of its own.
Programs that bring their own (QGIS, GDAL, SpatiaLite) need nothing. Those that have none (the sqlite3 shell,
Datasette's write API) can read everything and delete rows, and are refused at an insert or update with
"no such function: ST_IsEmpty": nothing is written, so the index can never be wrong. Hand them
`register_functions` to let them write, in Datasette from its ``prepare_connection`` hook.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from .codec import decode, envelope, read_header


def register_functions(connection: sqlite3.Connection) -> None:
    """Give a connection the functions that GeoPackage's triggers call, and a few to read with.

    ``ST_MinX ST_MaxX ST_MinY ST_MaxY ST_IsEmpty ST_SRID`` read the blob's header alone; ``ST_AsText`` and
    ``ST_GeometryType`` decode it. All answer NULL for NULL. Registering again is harmless.
    """
    if _are_registered(connection):
        return  # SQLite refuses to replace a function while a statement is being read
    for name, function in _FUNCTIONS.items():
        connection.create_function(name, 1, function, deterministic=True)


def _are_registered(connection: sqlite3.Connection) -> bool:
    marks = ", ".join("?" * len(_FUNCTIONS))
    ask = f"SELECT count(DISTINCT name) FROM pragma_function_list WHERE name IN ({marks})"  # noqa: S608
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


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "ST_MinX": _edge(0),
    "ST_MinY": _edge(1),
    "ST_MaxX": _edge(2),
    "ST_MaxY": _edge(3),
    "ST_IsEmpty": _is_empty,
    "ST_SRID": _srid,
    "ST_AsText": _text,
    "ST_GeometryType": _type,
}
