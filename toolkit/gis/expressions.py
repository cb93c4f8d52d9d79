"""Functions of geometry in queries: ``annotate(far=Distance("geometry", harbour))``.

On SQLite they are the toolkit's own functions, on PostgreSQL PostGIS's; in 4326 both measure over the ellipsoid.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from toolkit.models.calls import Function
from toolkit.models.expressions import Expression
from toolkit.models.fields import TextField
from toolkit.models.lookups import LookupContext

from .columns import reader, writer
from .geojson import dumps, geometry_object
from .measures import A, D
from .values import to_usable_geometry

Reader = Callable[[Any], Any] | None


class Distance(Function):
    """How far each row's geometry is from another; a `D` on the rows, NULL where there is none.

    Args:
        field: The geometry field, or an expression.
        geometry: The other geometry, in any form that a field takes.
    """

    def __init__(self, field: str | Expression, geometry: Any) -> None:
        super().__init__(field, values=(geometry,))

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        srid = srid_of(context)
        value = context.bind(partial(_stored, srid=srid, dialect=context.dialect))
        if context.dialect != "postgresql":
            return sa.func.gis_distance(arguments[0], value)
        geometry = sa.func.ST_GeomFromEWKB(sa.func.decode(value, sa.literal_column("'hex'")))
        if srid == 4326:
            return sa.func.ST_Distance(sa.func.geography(arguments[0]), sa.func.geography(geometry))
        return sa.func.ST_Distance(arguments[0], geometry)

    @classmethod
    def reader(cls, dialect: str) -> Reader:
        return D.of


class _OfOne(Function):
    """A function of one geometry."""

    sqlite = ""
    postgis = ""
    measures = False

    def __init__(self, field: str | Expression) -> None:
        super().__init__(field)

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        if context.dialect != "postgresql":
            return getattr(sa.func, cls.sqlite)(arguments[0])
        geodetic = cls.measures and srid_of(context) == 4326
        return getattr(sa.func, cls.postgis)(sa.func.geography(arguments[0]) if geodetic else arguments[0])


class Area(_OfOne):
    """The area of polygons; an `A` on the rows."""

    sqlite, postgis, measures = "gis_area", "ST_Area", True

    @classmethod
    def reader(cls, dialect: str) -> Reader:
        return A.of


class Length(_OfOne):
    """The length of lines; a `D` on the rows, 0 for areas."""

    sqlite, postgis, measures = "gis_length", "ST_Length", True

    @classmethod
    def reader(cls, dialect: str) -> Reader:
        return D.of


class Perimeter(_OfOne):
    """The length of the rings of polygons; a `D` on the rows."""

    sqlite, postgis, measures = "gis_perimeter", "ST_Perimeter", True

    @classmethod
    def reader(cls, dialect: str) -> Reader:
        return D.of


class Centroid(_OfOne):
    """The centre of gravity in the plane of the reference; a shapely point on the rows."""

    sqlite, postgis = "gis_centroid", "ST_Centroid"

    @classmethod
    def reader(cls, dialect: str) -> Reader:
        return reader(dialect)


class Envelope(_OfOne):
    """The smallest box around; a shapely polygon (a point or line, where it has no area)."""

    sqlite, postgis = "gis_envelope", "ST_Envelope"

    @classmethod
    def reader(cls, dialect: str) -> Reader:
        read = reader(dialect)
        return lambda value: read(value).envelope  # whose corners come in one order from all databases


class _Text(TextField[str]):
    """Well-known text as shapely writes it: PostGIS leaves out spaces."""

    def db_reader(self, dialect: str) -> Reader | None:
        return _as_shapely_writes if dialect == "postgresql" else None


def _as_shapely_writes(text: str) -> str:
    import shapely

    return str(shapely.from_wkt(text).wkt)


class AsWKT(_OfOne):
    """Well-known text."""

    output_field: ClassVar[Any] = _Text()
    sqlite = "ST_AsText"

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        """With all digits: PostGIS leaves out those behind the 15th."""
        import sqlalchemy as sa

        if context.dialect != "postgresql":
            return super().build(context, *arguments)
        return sa.func.ST_AsText(arguments[0], sa.literal_column("20"))


class AsGeoJSON(_OfOne):
    """A GeoJSON geometry object, as a dict on the rows."""

    sqlite = "gis_geojson"

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        """From PostGIS the geometry itself: its GeoJSON has other digits, and rings as they are wound."""
        return arguments[0] if context.dialect == "postgresql" else super().build(context, *arguments)

    @classmethod
    def reader(cls, dialect: str) -> Reader:
        if dialect != "postgresql":
            return json.loads
        read = reader(dialect)
        return lambda value: json.loads(dumps(geometry_object(read(value))))


class GeometryType(_OfOne):
    """shapely's name of the type: ``Point``, ``MultiPolygon``, …"""

    sqlite, postgis = "ST_GeometryType", "ST_GeometryType"

    @classmethod
    def reader(cls, dialect: str) -> Reader:
        return _without_prefix


def _without_prefix(name: str) -> str:
    """PostGIS says ``ST_Point``."""
    return name.removeprefix("ST_")


def srid_of(context: LookupContext) -> int:
    """Spatial reference of the column that a function is of."""
    return int(getattr(context.field, "srid", 4326))


def _stored(value: Any, *, srid: int, dialect: str) -> Any:
    return writer(srid, dialect)(to_usable_geometry(value, srid=srid))
