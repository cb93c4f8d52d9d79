"""The column types of geometry, per dialect: GeoPackage blobs on SQLite, PostGIS on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from toolkit.errors import DatabaseError

from .codec import decode, encode
from .validity import find_infinite

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

POSTGIS_HINT = "CREATE EXTENSION postgis, in this database"


@cache
def _types() -> tuple[type[Any], type[Any]]:
    """The two SQLAlchemy types; made once, when SQLAlchemy is needed anyway."""
    import sqlalchemy as sa

    class Geometry(sa.types.UserDefinedType[Any]):
        """What GeoPackage calls the column: ``POINT``, ``GEOMETRY``, …"""

        cache_ok = True

        def __init__(self, kind: str = "GEOMETRY", srid: int = 4326) -> None:
            self.kind, self.srid = kind, srid

        def get_col_spec(self, **options: Any) -> str:
            return self.kind

        def compare_against_backend(self, dialect: Any, found: Any) -> bool:
            """Alembic asks whether the type changed. SQLite takes POINT for a kind of INT: its word is no evidence."""
            return False

    class PostGISGeometry(Geometry):
        """``geometry(POINT,4326)``."""

        cache_ok = True

        def get_col_spec(self, **options: Any) -> str:
            return f"geometry({self.kind},{self.srid})"

    return Geometry, PostGISGeometry


def column_type(kind: str, srid: int) -> Any:
    """The SQLAlchemy type of a geometry column, with its variants for the dialects.

    Args:
        kind: GeoPackage's name of the geometry type, in capitals.
        srid: Spatial reference of the column.
    """
    import sqlalchemy as sa

    plain, postgis = _types()
    blob = sa.LargeBinary(length=2**32 - 1)
    return plain(kind, srid).with_variant(postgis(kind, srid), "postgresql").with_variant(blob, "mysql", "mariadb")


def writer(srid: int, dialect: str) -> Callable[[BaseGeometry], Any]:
    """A function from a geometry to what the driver takes."""
    if dialect == "postgresql":
        return lambda geometry: _ewkb(geometry, srid)
    return lambda geometry: encode(geometry, srid)


def reader(dialect: str) -> Callable[[Any], BaseGeometry]:
    """A function from what the driver gives to a geometry."""
    return _from_ewkb if dialect == "postgresql" else decode


def _ewkb(geometry: BaseGeometry, srid: int) -> str:
    """Extended well-known binary in hexadecimal, PostGIS's own text form."""
    import shapely

    problem = find_infinite(geometry)
    if problem is not None:
        raise problem
    return str(shapely.to_wkb(shapely.set_srid(geometry, srid), hex=True, include_srid=True, flavor="extended"))


def _from_ewkb(value: Any) -> BaseGeometry:
    import shapely

    try:
        geometry = shapely.from_wkb(value if isinstance(value, str) else bytes(value))
    except (shapely.errors.ShapelyError, NotImplementedError) as error:  # the latter of curves
        raise DatabaseError(f"the database gave {value!r:.60}, which is no geometry", hint=POSTGIS_HINT) from error
    return shapely.set_srid(geometry, 0)
