"""Spatial lookups: ``Place.objects.filter(geometry__within=district)``, the same on SQLite and PostGIS.

On SQLite a lookup becomes ``key IN (…)`` over one aggregate (`matching`): the R-tree gives the candidates, shapely
compares them all at once. It joins with any other condition, LIMIT or COUNT, and can be negated.

======================== ============================================== =========================================
lookup                   value                                          the row's geometry
======================== ============================================== =========================================
``intersects``           geometry                                       shares a point with it
``disjoint``             geometry                                       shares none
``within``               geometry                                       lies in it, not only on its edge
``covered_by``           geometry                                       lies in it or on its edge
``contains``, ``covers`` geometry                                       the other way round
``touches``              geometry                                       meets its edge only
``crosses, overlaps``    geometry                                       DE-9IM, as in OGC 06-103r4 §6.1.15
``equals``, ``exact``    geometry                                       is the same set of points
``bbox``                 (west, south, east, north) or geometry         has a box that meets the box
``dwithin``              (geometry, D(km=5))                            is so near; also ``distance_lte``
``distance_lt, _gt, …``  (geometry, D(km=5))                            compares the distance
``isvalid, isempty``     bool                                           is so
======================== ============================================== =========================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from toolkit.errors import FieldError
from toolkit.models.lookups import LookupContext, LookupFunction

from .columns import writer
from .distances import boxes_around
from .geopackage import index_name
from .measures import D
from .values import split_distance, to_box, to_metres, to_usable_geometry

Convert = Callable[[Any], Any]


def _relation(predicate: str, function: str) -> LookupFunction:
    """A lookup that compares two geometries.

    Args:
        predicate: Its name in `matching`.
        function: PostGIS's name.
    """

    def build(context: LookupContext) -> Any:
        value = partial(_stored, srid=_srid(context), dialect=context.dialect)
        if context.dialect == "postgresql":
            return _postgis(function, context.column, context.bind(value))
        return _matching(context, predicate, value)

    return build


def disjoint(context: LookupContext) -> Any:
    """``shape__disjoint``: they share no point; NULL is disjoint from nothing."""
    import sqlalchemy as sa

    value = partial(_stored, srid=_srid(context), dialect=context.dialect)
    if context.dialect == "postgresql":
        return _postgis("ST_Disjoint", context.column, context.bind(value))
    return sa.and_(context.column.is_not(None), sa.not_(_matching(context, "intersects", value)))


def bbox(context: LookupContext) -> Any:
    """``shape__bbox``: its box meets a box ``(west, south, east, north)``, or that of a geometry."""
    import sqlalchemy as sa

    value = partial(_stored_box, srid=_srid(context), dialect=context.dialect)
    if context.dialect == "postgresql":
        # The box of two boxes over longitude 180 is the whole world: the index takes it, the parts decide.
        box = context.bind(value)
        meets = context.column.op("&&", is_comparison=True)(_geometry(box))
        return sa.and_(meets, _postgis("ST_Intersects", sa.func.ST_Envelope(context.column), context.bind(value)))
    return _matching(context, "bbox", value, boxes="gis_part_boxes")


def _near(predicate: str, operator: str) -> LookupFunction:
    def build(context: LookupContext) -> Any:
        place = partial(_stored_place, srid=_srid(context), dialect=context.dialect, lookup=operator)
        limit = partial(_limit, lookup=operator)
        if context.dialect != "postgresql":
            return _matching(context, predicate, place, limit=limit)
        return _postgis_near(context, place, limit, strict=predicate == "distance_lt")

    return build


def _postgis_near(context: LookupContext, place: Convert, limit: Convert, *, strict: bool) -> Any:
    """``ST_DWithin``, behind the boxes around: an index on geometry serves no question about geography."""
    import sqlalchemy as sa

    if strict:
        near = _compared(context, "<", place, limit)
    else:
        near = sa.func.ST_DWithin(*_measurable(context, context.bind(place)), context.bind(limit))
    if _srid(context) != 4326:
        return near
    around = context.bind(_stored_surroundings)
    return sa.and_(context.column.op("&&", is_comparison=True)(_geometry(around)), near)


def _far(operator: str) -> LookupFunction:
    """``distance_gt`` and ``distance_gte``: every row has to be measured."""

    def build(context: LookupContext) -> Any:
        name = "distance_gt" if operator == ">" else "distance_gte"
        place = partial(_stored_place, srid=_srid(context), dialect=context.dialect, lookup=name)
        return _compared(context, operator, place, partial(_limit, lookup=name))

    return build


def _compared(context: LookupContext, operator: str, place: Convert, limit: Convert) -> Any:
    import sqlalchemy as sa

    if context.dialect == "postgresql":
        apart = sa.func.ST_Distance(*_measurable(context, context.bind(place)))
    else:
        _require_functions(context)
        apart = sa.func.gis_distance(context.column, context.bind(place))
    return apart.op(operator, is_comparison=True)(context.bind(limit))


def _flag(sqlite: str, postgis: str) -> LookupFunction:
    def build(context: LookupContext) -> Any:
        import sqlalchemy as sa

        if context.dialect == "postgresql":
            return getattr(sa.func, postgis)(context.column) == sa.cast(context.bind(bool), sa.Boolean)
        _require_functions(context)
        return getattr(sa.func, sqlite)(context.column) == context.bind(_as_bit)

    return build


def _as_bit(value: Any) -> int:
    return int(bool(value))


LOOKUPS: Mapping[str, LookupFunction | None] = {
    "intersects": _relation("intersects", "ST_Intersects"),
    "within": _relation("within", "ST_Within"),
    "contains": _relation("contains", "ST_Contains"),
    "covers": _relation("covers", "ST_Covers"),
    "covered_by": _relation("covered_by", "ST_CoveredBy"),
    "coveredby": _relation("covered_by", "ST_CoveredBy"),
    "touches": _relation("touches", "ST_Touches"),
    "crosses": _relation("crosses", "ST_Crosses"),
    "overlaps": _relation("overlaps", "ST_Overlaps"),
    "equals": _relation("equals", "ST_Equals"),
    "exact": _relation("equals", "ST_Equals"),
    "disjoint": disjoint,
    "bbox": bbox,
    "bboverlaps": bbox,
    "dwithin": _near("distance_lte", "dwithin"),
    "distance_lte": _near("distance_lte", "distance_lte"),
    "distance_lt": _near("distance_lt", "distance_lt"),
    "distance_gt": _far(">"),
    "distance_gte": _far(">="),
    "isvalid": _flag("gis_is_valid", "ST_IsValid"),
    "isempty": _flag("ST_IsEmpty", "ST_IsEmpty"),
    **dict.fromkeys(("gt", "gte", "lt", "lte", "in", "range")),  # geometries have no order
}
"""By name, for `GeometryField.lookups`; Django's spellings ``coveredby`` and ``bboverlaps`` are understood too."""


def _matching(
    context: LookupContext, predicate: str, value: Convert, *, limit: Convert | None = None, boxes: str = "gis_boxes"
) -> Any:
    """``key IN (SELECT value FROM json_each((SELECT gis_matches(…) FROM value, boxes, R-tree, table)))``."""
    import sqlalchemy as sa

    _require_functions(context)
    asked = [context.bind(value).label("shape")]
    if limit is not None:
        asked.append(context.bind(limit).label("metres"))
    question = sa.select(*asked).subquery()
    rows = sa.table(context.table_name, sa.column(context.pk.name), sa.column(context.column.name)).alias()
    key, blob = rows.c[context.pk.name], rows.c[context.column.name]
    call = sa.func.gis_matches(sa.literal_column(f"'{predicate}'"), key, blob, *question.c)
    candidates = sa.select(call).select_from(_candidates(context, question, rows, boxes))
    found = sa.func.json_each(candidates.scalar_subquery()).table_valued("value")
    return context.pk.in_(sa.select(found.c.value))


def _candidates(context: LookupContext, question: Any, rows: Any, boxes: str) -> Any:
    """The rows whose box meets one of the value's; all rows, where the column has no index."""
    import sqlalchemy as sa

    if not getattr(context.field, "spatial_index", False):
        return question.join(rows, sa.true())
    wanted = sa.func.json_each(getattr(sa.func, boxes)(*question.c)).table_valued("value")
    edges = ("minx", "miny", "maxx", "maxy")
    index = sa.table(index_name(context.table_name, context.column.name), *map(sa.column, ("id", *edges))).alias()
    minx, miny, maxx, maxy = (
        sa.func.json_extract(wanted.c.value, sa.literal_column(f"'$[{number}]'")) for number in range(4)
    )
    meets = sa.and_(index.c.minx <= maxx, index.c.maxx >= minx, index.c.miny <= maxy, index.c.maxy >= miny)
    # Outer joins hold SQLite's planner to this order; with inner ones it walks the whole index before it has the
    # boxes (500 ms in place of 1 for 100,000 points). A box without rows gives a row of NULLs, which counts for none.
    ordered = question.outerjoin(wanted, sa.true()).outerjoin(index, meets)
    return ordered.outerjoin(rows, rows.c[context.pk.name] == index.c.id)


def _require_functions(context: LookupContext) -> None:
    if context.dialect != "sqlite":
        raise FieldError(
            f"spatial lookups are not available on {context.dialect}", hint="Use SQLite, or PostgreSQL with PostGIS"
        )


def _srid(context: LookupContext) -> int:
    return int(getattr(context.field, "srid", 4326))


def _stored(value: Any, *, srid: int, dialect: str) -> Any:
    return writer(srid, dialect)(to_usable_geometry(value, srid=srid))


def _stored_box(value: Any, *, srid: int, dialect: str) -> Any:
    return writer(srid, dialect)(to_box(value, srid=srid))


def _stored_place(value: Any, *, srid: int, dialect: str, lookup: str) -> Any:
    return _stored(split_distance(value, lookup)[0], srid=srid, dialect=dialect)


def _stored_surroundings(value: Any) -> Any:
    """The boxes that hold everything so near to a place, for PostGIS; in 4326."""
    import shapely

    place, apart = split_distance(value, "dwithin")
    geometry = to_usable_geometry(place)
    boxes = [] if geometry.is_empty else boxes_around(geometry.bounds, D(m=max(to_metres(apart), 0.0)))
    return writer(4326, "postgresql")(shapely.MultiPolygon([shapely.box(*box) for box in boxes]))


def _limit(value: Any, *, lookup: str) -> float:
    return to_metres(split_distance(value, lookup)[1])


def _geometry(bound: Any) -> Any:
    """A parameter that PostGIS shall read as a geometry, not as text or geography."""
    import sqlalchemy as sa

    return sa.func.ST_GeomFromEWKB(sa.func.decode(bound, sa.literal_column("'hex'")))


def _postgis(function: str, column: Any, bound: Any) -> Any:
    import sqlalchemy as sa

    return getattr(sa.func, function)(column, _geometry(bound))


def _measurable(context: LookupContext, bound: Any) -> tuple[Any, Any]:
    """Column and value as PostGIS measures them: over the ellipsoid in 4326, else in the reference's units."""
    import sqlalchemy as sa

    if _srid(context) != 4326:
        return context.column, _geometry(bound)
    return sa.func.geography(context.column), sa.func.geography(_geometry(bound))
