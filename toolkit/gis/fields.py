"""Geometry as a field of a model: ``geometry = gis.PointField()``, a shapely geometry on each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, Unpack, overload

from toolkit.errors import DeclarationError, GeometryError, ValidationError
from toolkit.i18n import gettext_lazy
from toolkit.models.fields.base import Convert, Field, FieldOptions

from .columns import column_type, reader, writer
from .functions import register_functions
from .geopackage import GEOMETRY_TYPES, install, quote, uninstall
from .lookups import LOOKUPS
from .nearest import nearest
from .values import to_geometry, to_usable_geometry

_EMPTY = gettext_lazy("the geometry is empty")
_ALLOW_EMPTY = gettext_lazy("Set blank=True to allow it")
_OF_ANOTHER_TYPE = gettext_lazy("a %(found)s is not a %(wanted)s")

if TYPE_CHECKING:
    from shapely import (
        GeometryCollection,
        LineString,
        MultiLineString,
        MultiPoint,
        MultiPolygon,
        Point,
        Polygon,
    )
    from shapely.geometry.base import BaseGeometry

    from toolkit.models.lookups import LookupFunction

T = TypeVar("T")

# shapely's name of each type that GeoPackage names.
_SHAPELY_TYPES = {
    "POINT": "Point",
    "LINESTRING": "LineString",
    "POLYGON": "Polygon",
    "MULTIPOINT": "MultiPoint",
    "MULTILINESTRING": "MultiLineString",
    "MULTIPOLYGON": "MultiPolygon",
    "GEOMETRYCOLLECTION": "GeometryCollection",
}


class BaseGeometryField(Field[T]):
    """What all geometry fields share.

    Values are shapely geometries. A field also takes WKT, a GeoJSON object and, for a point, (longitude, latitude).

    Args:
        srid: Spatial reference of the column: 4326 for longitude and latitude in degrees.
        spatial_index: Keep an R-tree; without one a lookup reads every row.
    """

    lookups: ClassVar[Mapping[str, LookupFunction | None]] = LOOKUPS
    queryset_methods: ClassVar[Mapping[str, Callable[..., Any]]] = {"nearest": nearest}
    geometry_type: ClassVar[str] = "GEOMETRY"
    is_nested = True

    def __init__(
        self, *, null: bool = False, srid: int = 4326, spatial_index: bool = True, **options: Unpack[FieldOptions]
    ) -> None:
        super().__init__(null=null, **options)
        self.srid, self.spatial_index = srid, spatial_index

    def check(self) -> None:
        """Refuse what a geometry cannot be."""
        refused = [name for name in ("primary_key", "unique", "db_index", "translated") if getattr(self, name)]
        if refused:
            hint = "spatial_index=True, the default, makes the index of a geometry" if "db_index" in refused else None
            raise DeclarationError(f"{self.model.__name__}.{self.name}: a geometry cannot be {refused[0]}", hint=hint)
        if self.geometry_type not in GEOMETRY_TYPES:
            raise DeclarationError(f"{self.model.__name__}.{self.name}: no geometry type {self.geometry_type!r}")

    if not TYPE_CHECKING:  # what Field says of its types holds

        def __get__(self, instance: Any, owner: type[Any]) -> Any:
            if instance is None:
                return self
            try:
                return instance.__dict__[self.name]
            except KeyError:
                return instance.load_deferred(self)

        def __set__(self, instance: Any, value: Any) -> None:
            """Any accepted form becomes a geometry; what is none stays as it is, for ``clean`` to refuse by name."""
            with suppress(ValidationError):
                value = None if value is None else self.to_python(value)
            instance.__dict__[self.name] = value

    # values

    def to_python(self, value: Any) -> Any:
        geometry = to_geometry(value, srid=self.srid)
        self._check_type(geometry)
        return geometry

    def validate(self, value: Any) -> None:
        to_usable_geometry(value, srid=self.srid)
        if value.is_empty and not self.blank:
            raise ValidationError(_EMPTY, code="required", hint=_ALLOW_EMPTY)

    def _check_type(self, geometry: BaseGeometry) -> None:
        wanted = _SHAPELY_TYPES.get(self.geometry_type)
        found = "LineString" if geometry.geom_type == "LinearRing" else geometry.geom_type
        if wanted is not None and found != wanted:
            hint = f"Wrap it: shapely.{wanted}([geometry])" if wanted == f"Multi{found}" else None
            params = {"found": found, "wanted": wanted}
            raise ValidationError(_OF_ANOTHER_TYPE, code="geometry_type", params=params, hint=hint)

    # the database

    def sql_type(self) -> Any:
        return column_type(self.geometry_type, self.srid)

    def db_writer(self, dialect: str) -> Convert:
        store = writer(self.srid, dialect)

        def write(value: Any) -> Any:
            try:
                return store(self.to_python(value))
            except GeometryError as error:
                raise ValidationError(error.message, code="invalid_geometry", hint=error.hint) from error

        return write

    def db_reader(self, dialect: str) -> Convert:
        return reader(dialect)

    # what the column needs besides itself; called by the site and by migrations

    def prepare_database(self, database: Any) -> None:
        """Give each of a SQLite database's connections the functions that geometry needs; called once by the site."""
        database.on_connect(register_functions)

    def after_create(self, database: Any) -> None:
        """Make the column known and index it, once its table is there. Safe to repeat.

        SQLite's file becomes a GeoPackage with an R-tree; PostgreSQL gets a GiST index. Rebuilding a SQLite table
        drops the R-tree's triggers, so this has to be called after that, too.

        Args:
            database: The database (``toolkit.database.Database``).
        """
        table = self.model._meta.table
        if database.dialect == "sqlite":
            install(
                database.connection,
                table,
                self.column,
                geometry_type=self.geometry_type,
                srid=self.srid,
                spatial_index=self.spatial_index,
            )
        elif database.dialect == "postgresql" and self.spatial_index:
            name, on = quote(f"{table}_{self.column}_gist"), quote(table)
            database.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {on} USING gist ({quote(self.column)})")

    def before_drop(self, database: Any) -> None:
        """Take away what `after_create` made, while table and column are still there.

        Args:
            database: The database.
        """
        table = self.model._meta.table
        if database.dialect == "sqlite":
            uninstall(database.connection, table, self.column)
        elif database.dialect == "postgresql":
            database.execute(f"DROP INDEX IF EXISTS {quote(f'{table}_{self.column}_gist')}")


class GeometryOptions(FieldOptions, total=False):
    """The options of a geometry field besides ``null``; see `BaseGeometryField`."""

    srid: int
    spatial_index: bool


class GeometryField(BaseGeometryField[T]):
    """Any kind of geometry."""

    geometry_type = "GEOMETRY"

    @overload
    def __init__(
        self: GeometryField[BaseGeometry], *, null: Literal[False] = False, **options: Unpack[GeometryOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: GeometryField[BaseGeometry | None], *, null: Literal[True], **options: Unpack[GeometryOptions]
    ) -> None: ...
    def __init__(self, *, null: bool = False, **options: Unpack[GeometryOptions]) -> None:
        super().__init__(null=null, **options)


class PointField(BaseGeometryField[T]):
    """One position."""

    geometry_type = "POINT"

    @overload
    def __init__(
        self: PointField[Point], *, null: Literal[False] = False, **options: Unpack[GeometryOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: PointField[Point | None], *, null: Literal[True], **options: Unpack[GeometryOptions]
    ) -> None: ...
    def __init__(self, *, null: bool = False, **options: Unpack[GeometryOptions]) -> None:
        super().__init__(null=null, **options)


class LineStringField(BaseGeometryField[T]):
    """A line of two positions or more."""

    geometry_type = "LINESTRING"

    @overload
    def __init__(
        self: LineStringField[LineString], *, null: Literal[False] = False, **options: Unpack[GeometryOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: LineStringField[LineString | None], *, null: Literal[True], **options: Unpack[GeometryOptions]
    ) -> None: ...
    def __init__(self, *, null: bool = False, **options: Unpack[GeometryOptions]) -> None:
        super().__init__(null=null, **options)


class PolygonField(BaseGeometryField[T]):
    """An area, with or without holes."""

    geometry_type = "POLYGON"

    @overload
    def __init__(
        self: PolygonField[Polygon], *, null: Literal[False] = False, **options: Unpack[GeometryOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: PolygonField[Polygon | None], *, null: Literal[True], **options: Unpack[GeometryOptions]
    ) -> None: ...
    def __init__(self, *, null: bool = False, **options: Unpack[GeometryOptions]) -> None:
        super().__init__(null=null, **options)


class MultiPointField(BaseGeometryField[T]):
    """Several positions."""

    geometry_type = "MULTIPOINT"

    @overload
    def __init__(
        self: MultiPointField[MultiPoint], *, null: Literal[False] = False, **options: Unpack[GeometryOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: MultiPointField[MultiPoint | None], *, null: Literal[True], **options: Unpack[GeometryOptions]
    ) -> None: ...
    def __init__(self, *, null: bool = False, **options: Unpack[GeometryOptions]) -> None:
        super().__init__(null=null, **options)


class MultiLineStringField(BaseGeometryField[T]):
    """Several lines."""

    geometry_type = "MULTILINESTRING"

    @overload
    def __init__(
        self: MultiLineStringField[MultiLineString], *, null: Literal[False] = False, **options: Unpack[GeometryOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: MultiLineStringField[MultiLineString | None], *, null: Literal[True], **options: Unpack[GeometryOptions]
    ) -> None: ...
    def __init__(self, *, null: bool = False, **options: Unpack[GeometryOptions]) -> None:
        super().__init__(null=null, **options)


class MultiPolygonField(BaseGeometryField[T]):
    """Several areas."""

    geometry_type = "MULTIPOLYGON"

    @overload
    def __init__(
        self: MultiPolygonField[MultiPolygon], *, null: Literal[False] = False, **options: Unpack[GeometryOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: MultiPolygonField[MultiPolygon | None], *, null: Literal[True], **options: Unpack[GeometryOptions]
    ) -> None: ...
    def __init__(self, *, null: bool = False, **options: Unpack[GeometryOptions]) -> None:
        super().__init__(null=null, **options)


class GeometryCollectionField(BaseGeometryField[T]):
    """Geometries of several kinds."""

    geometry_type = "GEOMETRYCOLLECTION"

    @overload
    def __init__(
        self: GeometryCollectionField[GeometryCollection],
        *,
        null: Literal[False] = False,
        **options: Unpack[GeometryOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: GeometryCollectionField[GeometryCollection | None],
        *,
        null: Literal[True],
        **options: Unpack[GeometryOptions],
    ) -> None: ...
    def __init__(self, *, null: bool = False, **options: Unpack[GeometryOptions]) -> None:
        super().__init__(null=null, **options)
