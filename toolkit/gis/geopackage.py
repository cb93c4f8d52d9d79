"""A SQLite file that is a GeoPackage: QGIS and GDAL open the site's own database.

The tables, the R-tree and its triggers are those of OGC 12-128r19 (GeoPackage 1.4): §1.1.1 (file), §1.1.2
(spatial reference systems), §1.1.3 (contents), §2.1.5 (geometry columns), Annex F.3 (R-tree). The triggers
are 1.4's because those of 1.3 break on ``INSERT … ON CONFLICT DO UPDATE``. Nothing here commits.

GDAL and QGIS open a file called ``site.gpkg`` by its name; of any other name they want to be told: ``GPKG:site.db``.
GDAL before 3.7 warns that version 1.4 may be supported in part only, and reads and writes it well (tested with 3.6).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from toolkit.errors import GeometryError

from .codec import envelope
from .functions import register_functions

APPLICATION_ID = 0x47504B47  # "GPKG"
USER_VERSION = 10400

GEOMETRY_TYPES = (
    "GEOMETRY",
    "POINT",
    "LINESTRING",
    "POLYGON",
    "MULTIPOINT",
    "MULTILINESTRING",
    "MULTIPOLYGON",
    "GEOMETRYCOLLECTION",
)

_TABLES = """
CREATE TABLE IF NOT EXISTS gpkg_spatial_ref_sys (
  srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE IF NOT EXISTS gpkg_contents (
  table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE IF NOT EXISTS gpkg_geometry_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
  srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
CREATE TABLE IF NOT EXISTS gpkg_extensions (
  table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL,
  scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name))
"""

_WGS84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],'
    'AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],'
    'UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],'
    'AUTHORITY["EPSG","4326"]]'
)
_WEB_MERCATOR = (
    'PROJCS["WGS 84 / Pseudo-Mercator",GEOGCS["WGS 84",DATUM["WGS_1984",'
    'SPHEROID["WGS 84",6378137,298.257223563,'
    'AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],'
    'UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4326"]],'
    'PROJECTION["Mercator_1SP"],PARAMETER["central_meridian",0],PARAMETER["scale_factor",1],'
    'PARAMETER["false_easting",0],PARAMETER["false_northing",0],UNIT["metre",1,AUTHORITY["EPSG","9001"]],'
    'AXIS["Easting",EAST],AXIS["Northing",NORTH],EXTENSION["PROJ4",'
    '"+proj=merc +a=6378137 +b=6378137 +lat_ts=0 '
    '+lon_0=0 +x_0=0 +y_0=0 +k=1 +units=m +nadgrids=@null +wktext +no_defs"],AUTHORITY["EPSG","3857"]]'
)
_SYSTEMS = (
    (
        "Undefined Cartesian SRS",
        -1,
        "NONE",
        -1,
        "undefined",
        "undefined Cartesian coordinate reference system",
    ),
    (
        "Undefined geographic SRS",
        0,
        "NONE",
        0,
        "undefined",
        "undefined geographic coordinate reference system",
    ),
    ("WGS 84 / Pseudo-Mercator", 3857, "EPSG", 3857, _WEB_MERCATOR, "Web Mercator, in metres"),
    ("WGS 84 geodetic", 4326, "EPSG", 4326, _WGS84, "longitude and latitude, in degrees"),
)

# {t}able, {c}olumn, {i}d and {r}tree are quoted identifiers; {box} is the envelope of NEW.
_TRIGGERS = {
    "insert": """AFTER INSERT ON {t} WHEN (NEW.{c} NOTNULL AND NOT ST_IsEmpty(NEW.{c}))
BEGIN INSERT OR REPLACE INTO {r} VALUES (NEW.{i}, {box}); END""",
    "update2": """AFTER UPDATE OF {c} ON {t} WHEN OLD.{i} = NEW.{i} AND (NEW.{c} ISNULL OR
    ST_IsEmpty(NEW.{c}))
BEGIN DELETE FROM {r} WHERE id = OLD.{i}; END""",
    "update4": """AFTER UPDATE ON {t} WHEN OLD.{i} != NEW.{i} AND (NEW.{c} ISNULL OR ST_IsEmpty(NEW.{c}))
BEGIN DELETE FROM {r} WHERE id IN (OLD.{i}, NEW.{i}); END""",
    "update5": """AFTER UPDATE ON {t} WHEN OLD.{i} != NEW.{i} AND (NEW.{c} NOTNULL AND NOT
    ST_IsEmpty(NEW.{c}))
BEGIN DELETE FROM {r} WHERE id = OLD.{i}; INSERT OR REPLACE INTO {r} VALUES (NEW.{i}, {box}); END""",
    "update6": """AFTER UPDATE OF {c} ON {t} WHEN OLD.{i} = NEW.{i}
AND (NEW.{c} NOTNULL AND NOT ST_IsEmpty(NEW.{c})) AND (OLD.{c} NOTNULL AND NOT ST_IsEmpty(OLD.{c}))
BEGIN UPDATE {r} SET minx = ST_MinX(NEW.{c}), maxx = ST_MaxX(NEW.{c}), miny = ST_MinY(NEW.{c}),
maxy = ST_MaxY(NEW.{c}) WHERE id = NEW.{i}; END""",
    "update7": """AFTER UPDATE OF {c} ON {t} WHEN OLD.{i} = NEW.{i}
AND (NEW.{c} NOTNULL AND NOT ST_IsEmpty(NEW.{c})) AND (OLD.{c} ISNULL OR ST_IsEmpty(OLD.{c}))
BEGIN INSERT INTO {r} VALUES (NEW.{i}, {box}); END""",
    "delete": "AFTER DELETE ON {t} WHEN OLD.{c} NOT NULL BEGIN DELETE FROM {r} WHERE id = OLD.{i}; END",
}
_FILL = """INSERT INTO {r} SELECT {i}, ST_MinX({c}), ST_MaxX({c}), ST_MinY({c}), ST_MaxY({c}) FROM {t}
WHERE {c} NOTNULL AND NOT ST_IsEmpty({c})"""
_MISSED = """SELECT count(*) FROM {t} LEFT JOIN {r} ON {r}.id = {t}.{i}
WHERE {t}.{c} NOTNULL AND NOT ST_IsEmpty({t}.{c})
AND NOT coalesce(minx <= ST_MinX({t}.{c}) AND maxx >= ST_MaxX({t}.{c})
AND miny <= ST_MinY({t}.{c}) AND maxy >= ST_MaxY({t}.{c}), 0)"""
# Triggers of GeoPackage 1.3 and older, which another program may have left.
_FORMER_TRIGGERS = ("update1", "update3")


def index_name(table: str, column: str) -> str:
    """Name of the R-tree of a geometry column."""
    return f"rtree_{table}_{column}"


def quote(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def prepare(connection: sqlite3.Connection) -> None:
    """Make a SQLite file a GeoPackage: its mark, its tables and four spatial reference systems.

    Raises:
        GeometryError: The file carries another program's application id.
    """
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    if mark not in (0, APPLICATION_ID):
        raise GeometryError(
            f"the database carries the application id {mark:#x}, a GeoPackage {APPLICATION_ID:#x}",
            hint="Use another file for geometry, or clear the mark with PRAGMA application_id = 0",
        )
    if not mark:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {USER_VERSION}")
    for statement in _TABLES.split(";"):
        connection.execute(statement)
    connection.executemany("INSERT OR IGNORE INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", _SYSTEMS)


def install(
    connection: sqlite3.Connection,
    table: str,
    column: str,
    *,
    geometry_type: str = "GEOMETRY",
    srid: int = 4326,
    spatial_index: bool = True,
    last_change: datetime | None = None,
) -> None:
    """Register a geometry column, and build its R-tree. Doing it again changes nothing that is right.

    GeoPackage knows one geometry column a table: the first is registered, others are indexed alone. An index
    whose triggers were lost (a table rebuilt by a migration loses them) is filled again.

    Args:
        connection: Its transaction is used and left open.
        table: A table that exists, with a whole-number primary key.
        geometry_type: One of ``GEOMETRY_TYPES``.
        srid: Spatial reference of the column.
        spatial_index: Keep an R-tree. Without one, lookups read every row.
        last_change: What the contents table says of the last change (default: now); a build hands its moment.

    Raises:
        GeometryError: The table cannot carry geometry as asked.
    """
    if geometry_type not in GEOMETRY_TYPES:
        raise GeometryError(f"{geometry_type!r} is not a geometry type", hint=f"One of {', '.join(GEOMETRY_TYPES)}")
    spot = _spot(connection, table, column)
    prepare(connection)
    _register_column(connection, spot, geometry_type, srid, last_change or datetime.now(UTC))
    if spatial_index:
        register_functions(connection)
        _install_index(connection, spot)
    else:
        _drop_index(connection, table, column)


def uninstall(connection: sqlite3.Connection, table: str, column: str) -> None:
    """Forget a geometry column: its R-tree, triggers and registration. The table itself stays as it is."""
    _drop_index(connection, table, column)
    if _exists(connection, "gpkg_geometry_columns"):
        connection.execute(
            "DELETE FROM gpkg_geometry_columns WHERE table_name = ? AND column_name = ?", (table, column)
        )
        connection.execute("DELETE FROM gpkg_contents WHERE table_name = ?", (table,))


def rebuild(connection: sqlite3.Connection, table: str, column: str) -> None:
    """Fill the R-tree of a column from its table."""
    register_functions(connection)
    _fill(connection, _spot(connection, table, column))


def check(connection: sqlite3.Connection) -> list[GeometryError]:
    """Every spatial index that does not hold what its table holds, with the way to mend it.

    Somebody may have dropped triggers, or written with ``PRAGMA recursive_triggers`` or ``trusted_schema``
    off.
    """
    if not _exists(connection, "gpkg_extensions"):
        return []
    register_functions(connection)
    indexes = connection.execute(
        "SELECT table_name, column_name FROM gpkg_extensions WHERE extension_name = 'gpkg_rtree_index' ORDER BY 1, 2"
    ).fetchall()
    return [problem for table, column in indexes for problem in _check_index(connection, table, column)]


@dataclass(frozen=True, slots=True)
class _Spot:
    """A geometry column and the key of its table."""

    table: str
    column: str
    key: str

    @property
    def names(self) -> dict[str, str]:
        """What the trigger templates want."""
        c = quote(self.column)
        box = f"ST_MinX(NEW.{c}), ST_MaxX(NEW.{c}), ST_MinY(NEW.{c}), ST_MaxY(NEW.{c})"
        index = quote(index_name(self.table, self.column))
        return {"t": quote(self.table), "c": c, "i": quote(self.key), "r": index, "box": box}

    def trigger(self, name: str) -> str:
        return f"{index_name(self.table, self.column)}_{name}"


def _spot(connection: sqlite3.Connection, table: str, column: str) -> _Spot:
    columns = connection.execute(f"PRAGMA table_info({quote(table)})").fetchall()
    if not columns:
        raise GeometryError(f"there is no table {table!r} to install geometry in")
    if column not in [name for _, name, *_ in columns]:
        raise GeometryError(f"table {table!r} has no column {column!r}")
    keys = [(name, kind) for _, name, kind, _, _, key in columns if key]
    if len(keys) != 1 or keys[0][1].upper() != "INTEGER":
        raise GeometryError(
            f"table {table!r} has the primary key {keys or None}; a GeoPackage needs one INTEGER PRIMARY KEY",
            hint="Keep the automatic key of the model that has the geometry, and make the other key unique",
        )
    return _Spot(table, column, keys[0][0])


def _register_column(
    connection: sqlite3.Connection, spot: _Spot, geometry_type: str, srid: int, last_change: datetime
) -> None:
    known = connection.execute("SELECT 1 FROM gpkg_spatial_ref_sys WHERE srs_id = ?", (srid,)).fetchone()
    if known is None:
        connection.execute(
            "INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, 'EPSG', ?, 'undefined', NULL)",
            (f"EPSG:{srid}", srid, srid),
        )
    other = connection.execute(
        "SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?", (spot.table,)
    ).fetchone()
    if other and other[0] != spot.column:
        return  # one a table is all GeoPackage knows: QGIS shows the first, the toolkit uses both
    stamp = last_change.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, last_change, srs_id)"
        " VALUES (?, 'features', ?, ?, ?) ON CONFLICT (table_name) DO UPDATE SET srs_id = excluded.srs_id",
        (spot.table, spot.table, stamp, srid),
    )
    connection.execute(  # 2: Z and M are optional
        "INSERT INTO gpkg_geometry_columns VALUES (?, ?, ?, ?, 2, 2) ON CONFLICT (table_name, column_name)"
        " DO UPDATE SET geometry_type_name = excluded.geometry_type_name, srs_id = excluded.srs_id",
        (spot.table, spot.column, geometry_type, srid),
    )


def _install_index(connection: sqlite3.Connection, spot: _Spot) -> None:
    wanted = dict(_trigger_sql(spot))
    present = _triggers(connection, spot)
    if present == wanted and _exists(connection, index_name(spot.table, spot.column)):
        return
    for name in present:
        connection.execute(f"DROP TRIGGER {quote(name)}")
    _create_index(connection, spot)
    for statement in wanted.values():
        connection.execute(statement)
    _fill(connection, spot)
    connection.execute(
        "INSERT OR IGNORE INTO gpkg_extensions VALUES (?, ?, 'gpkg_rtree_index',"
        " 'http://www.geopackage.org/spec140/#extension_rtree', 'write-only')",
        (spot.table, spot.column),
    )


def _create_index(connection: sqlite3.Connection, spot: _Spot) -> None:
    statement = f"CREATE VIRTUAL TABLE IF NOT EXISTS {spot.names['r']} USING rtree(id, minx, maxx, miny, maxy)"
    try:
        connection.execute(statement)
    except sqlite3.OperationalError as error:
        if "no such module" not in str(error):
            raise
        raise GeometryError(
            f"this Python's SQLite {sqlite3.sqlite_version} was built without R*Tree",
            hint=f"Set spatial_index=False on {spot.table}.{spot.column}, or use a Python whose SQLite has it",
        ) from error


def _trigger_sql(spot: _Spot) -> Iterator[tuple[str, str]]:
    for name, body in _TRIGGERS.items():
        full = spot.trigger(name)
        yield full, f"CREATE TRIGGER {quote(full)} {body.format(**spot.names)}"


def _triggers(connection: sqlite3.Connection, spot: _Spot) -> dict[str, str]:
    names = [spot.trigger(name) for name in (*_TRIGGERS, *_FORMER_TRIGGERS)]
    marks = ", ".join("?" * len(names))
    found = connection.execute(
        f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name IN ({marks})",  # noqa: S608 (marks)
        names,
    )
    return dict(found.fetchall())


def _fill(connection: sqlite3.Connection, spot: _Spot) -> None:
    names = spot.names
    connection.execute(f"DELETE FROM {names['r']}")  # noqa: S608 (quoted names)
    connection.execute(_FILL.format(**names))


def _drop_index(connection: sqlite3.Connection, table: str, column: str) -> None:
    spot = _Spot(table, column, "")
    for name in _triggers(connection, spot):
        connection.execute(f"DROP TRIGGER {quote(name)}")
    connection.execute(f"DROP TABLE IF EXISTS {spot.names['r']}")
    if _exists(connection, "gpkg_extensions"):
        connection.execute(
            "DELETE FROM gpkg_extensions WHERE table_name = ? AND column_name = ?"
            " AND extension_name = 'gpkg_rtree_index'",
            (table, column),
        )


def _check_index(connection: sqlite3.Connection, table: str, column: str) -> Iterator[GeometryError]:
    spot = _spot(connection, table, column)
    if _triggers(connection, spot).keys() != dict(_trigger_sql(spot)).keys():
        yield GeometryError(f"the spatial index of {table}.{column} has lost triggers", hint=_mend(table, column))
    # The R-tree keeps 32-bit floats, rounded outwards: it must contain the box, it need not equal it.
    bad = _unreadable(connection, spot)
    yield from bad
    if bad:
        return
    (wrong,) = connection.execute(_MISSED.format(**spot.names)).fetchone()
    if wrong:
        message = f"the spatial index of {table}.{column} misses {wrong} row{'s' * (wrong != 1)}"
        yield GeometryError(message, hint=_mend(table, column))


def _unreadable(connection: sqlite3.Connection, spot: _Spot) -> list[GeometryError]:
    """The rows whose value is no GeoPackage geometry: another program wrote its own kind."""
    problems = []
    rows = connection.execute("SELECT {i}, {c} FROM {t} WHERE {c} NOTNULL".format(**spot.names))  # noqa: S608 - quoted
    for key, blob in rows:
        try:
            envelope(blob)
        except GeometryError as error:
            place = f"{spot.table}.{spot.column} of the row with {spot.key} {key!r}"
            problems.append(GeometryError(f"{place} is no geometry: {error}", hint="Write it again"))
    return problems


def _mend(table: str, column: str) -> str:
    return f"Run toolkit.gis.geopackage.rebuild(connection, {table!r}, {column!r})"


def _exists(connection: sqlite3.Connection, name: str) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone() is not None
