"""Geometry fields: what they accept, refuse, store and give back."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import shapely
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.schema import CreateTable

from toolkit import models
from toolkit.errors import DeclarationError, FieldError, ValidationError
from toolkit.gis import (
    Area,
    AsGeoJSON,
    AsWKT,
    Centroid,
    D,
    Distance,
    Envelope,
    GeometryType,
    Length,
    Perimeter,
    fields,
    nearest,
)
from toolkit.gis.geodesy import geodesic
from toolkit.gis.geojson import geojson
from toolkit.models.lookups import LookupContext
from toolkit.models.nodes import Node
from toolkit.trace import Trace, current

World = SimpleNamespace


@pytest.mark.parametrize(
    "value",
    [
        shapely.Point(1, 2),
        "POINT (1 2)",
        "SRID=4326;POINT(1 2)",
        {"type": "Point", "coordinates": [1, 2]},
        '{"type": "Point", "coordinates": [1, 2]}',
        (1, 2),
        [1.0, 2.0],
    ],
)
def test_a_point_is_taken_in_every_form_and_is_a_geometry_at_once(world: World, value: Any) -> None:
    mark = world.Mark(spot=value)
    assert mark.spot == shapely.Point(1, 2)
    mark.save()
    assert world.Mark.objects.get(pk=mark.pk).spot == shapely.Point(1, 2)


@pytest.mark.parametrize(
    "value, complaint",
    [
        ("POINT (1", "is no WKT"),
        ("POINT (1 2)\0 ", "is no WKT: it has a null character"),
        ("CIRCULARSTRING (0 0, 1 1, 2 0)", "is no WKT: Nonlinear geometry types"),
        ("POINT (1 nan)", "which is no finite number"),
        ({"type": "Point", "coordinates": [1]}, "must be a position"),
        ("{", "is no GeoJSON"),
        ((48.1, 111.5), "latitude 111.5 is not between -90 and 90"),
        ((190, 10), "longitude 190"),
        ((1, 2, 3, 4), "is no position"),
        (shapely.LineString([(0, 0), (1, 1)]), "a LineString is not a Point"),
        (shapely.Point(), "the geometry is empty"),
        (object(), "is no geometry"),
        (None, "a value is required"),
    ],
)
def test_what_is_no_usable_point_is_refused_by_the_field_s_name(world: World, value: Any, complaint: str) -> None:
    mark = world.Mark(spot=value)
    with pytest.raises(ValidationError, match=complaint) as caught:
        mark.full_clean()
    assert list(caught.value.errors) == ["spot"]


def test_an_invalid_polygon_is_refused_with_the_place(world: World) -> None:
    district = world.District(name="bow", area=shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]))
    with pytest.raises(ValidationError, match=r"self-intersection at \(1, 1\)"):
        district.full_clean()


def test_a_single_polygon_for_a_multi_field_is_told_how_to_wrap_it() -> None:
    field = fields.MultiPolygonField()
    with pytest.raises(ValidationError, match=r"not a MultiPolygon. Wrap it: shapely\.MultiPolygon\(\[geometry\]\)"):
        field.to_python(shapely.box(0, 0, 1, 1))


def test_saving_without_cleaning_still_refuses_the_wrong_type(world: World) -> None:
    with pytest.raises(ValidationError, match="a Polygon is not a Point"):
        world.Mark(spot=shapely.box(0, 0, 1, 1)).save()


def test_no_place_is_none(world: World) -> None:
    place = world.Place.objects.create(name="nowhere")
    assert world.Place.objects.get(pk=place.pk).geometry is None


def test_a_place_left_out_is_loaded_when_asked_for(world: World) -> None:
    world.Place.objects.create(name="here", geometry=(1, 2))
    assert world.Place.objects.defer("geometry").get().geometry == shapely.Point(1, 2)
    assert world.Place.objects.values_list("geometry", flat=True)[0] == shapely.Point(1, 2)


def test_saving_gives_the_row_s_key_and_not_the_index_s(world: World) -> None:
    for number in range(1, 60):
        assert world.Place.objects.create(name="x", geometry=(number, 1)).pk == number


@pytest.mark.parametrize("option", ["primary_key", "unique", "db_index", "translated"])
def test_options_that_make_no_sense_are_refused(option: str) -> None:
    with pytest.raises(DeclarationError, match=f"Bad.spot: a geometry cannot be {option}"):
        type("Bad", (models.Model,), {"__module__": __name__, "spot": fields.PointField(**{option: True})})  # type: ignore[call-overload]


def test_the_column_is_geopackage_s_postgis_s_or_a_blob(world: World) -> None:
    table = world.database.schema.table(world.Mark)
    assert "spot POINT NOT NULL" in str(CreateTable(table).compile(dialect=sqlite.dialect()))
    assert "spot geometry(POINT,4326) NOT NULL" in str(CreateTable(table).compile(dialect=postgresql.dialect()))
    assert "spot BLOB(4294967295) NOT NULL" in str(CreateTable(table).compile(dialect=mysql.dialect()))


def test_installing_twice_changes_nothing(world: World) -> None:
    before = world.database.fetch("SELECT * FROM sqlite_master")
    world.Place._meta.get_field("geometry").after_create(world.database)
    assert world.database.fetch("SELECT * FROM sqlite_master") == before


def test_dropping_takes_the_index_along_and_leaves_the_rows(world: World) -> None:
    world.Place.objects.create(name="here", geometry=(1, 2))
    field = world.Place._meta.get_field("geometry")
    field.before_drop(world.database)
    assert not world.database.fetch("SELECT name FROM sqlite_master WHERE name LIKE 'rtree_town_place%'")
    assert world.Place.objects.get().geometry == shapely.Point(1, 2)
    field.after_create(world.database)
    assert world.Place.objects.filter(geometry__bbox=(0, 0, 3, 3)).count() == 1


def test_migrations_write_the_options_that_the_column_depends_on() -> None:
    from toolkit.migrations.fields import describe_field

    field = fields.PointField(srid=3857, spatial_index=False, null=True, help_text="somewhere")
    described = describe_field("spot", field)
    assert described.kind == "toolkit.gis.PointField"
    assert dict(described.options) == {"null": True, "srid": 3857, "spatial_index": False}
    assert described.build().srid == 3857


def test_the_queryset_of_a_model_with_geometry_knows_nearest(world: World) -> None:
    for name, spot in (("far", (3, 0)), ("near", (1, 0))):
        world.Place.objects.create(name=name, geometry=spot)
    assert [place.name for place in world.Place.objects.nearest((0, 0))[:5]] == ["near", "far"]
    assert [place.name for place in world.Place.objects.exclude(name="near").nearest((0, 0))] == ["far"]


def test_nearest_orders_by_distance_and_says_it(world: World) -> None:
    for name, spot in (("far", (3, 0)), ("near", (1, 0)), ("middle", (2, 0))):
        world.Place.objects.create(name=name, geometry=spot)
    world.Place.objects.create(name="nowhere")
    world.Place.objects.create(name="empty", geometry=shapely.Point())
    found = list(nearest(world.Place.objects.exclude(name="middle"), (0, 0)))
    assert [place.name for place in found] == ["near", "far"]
    assert found[0].distance == D(m=geodesic((0, 0), (1, 0)))
    assert found[0].distance.km == pytest.approx(111.319, abs=0.001)
    assert [p.name for p in nearest(world.Place.objects.all(), (0, 0), within=D(km=150))] == ["near"]
    assert nearest(world.Place.objects.all(), (0, 0))[:2][1].name == "middle"


def test_nearest_measures_to_lines_and_areas(world: World) -> None:
    world.Place.objects.create(name="street", geometry=shapely.LineString([(1, -5), (1, 5)]))
    world.Place.objects.create(name="square", geometry=shapely.box(-1, -1, 0.5, 1))
    found = list(nearest(world.Place.objects.all(), (0.6, 0)))
    assert [place.name for place in found] == ["square", "street"]
    assert found[0].distance.m == pytest.approx(geodesic((0.6, 0), (0.5, 0)), abs=0.01)


def test_the_nearest_of_many_are_found_around_and_are_those_of_all(world: World) -> None:
    chance = random.Random(4)
    spots = [(chance.uniform(-3, 3), chance.uniform(-3, 3)) for _ in range(2_100)]
    world.Place.objects.bulk_create([world.Place(name="x", geometry=spot) for spot in spots])
    everything = [place.pk for place in world.Place.objects.nearest((0.1, 0.2))]
    near = world.Place.objects.nearest((0.1, 0.2))
    with world.database.counted() as seen:
        assert [place.pk for place in near[:5]] == everything[:5]
    assert "gis_matches" in seen[-1]
    assert [place.pk for place in near[7:12]] == everything[7:12]
    assert near[3].pk == everything[3]
    assert near.first().pk == everything[0]
    assert [place.pk for place in near[2_090:2_200]] == everything[2_090:]
    assert [place.pk for place in near.filter(pk__in=everything[10:])[:3]] == everything[10:13]
    farthest = near.order_by("-distance")[:3]
    assert [place.pk for place in farthest] == everything[::-1][:3]
    assert [place.pk for place in near.reverse()[:3]] == everything[::-1][:3]
    assert list(near.values_list("pk", flat=True)[:4]) == everything[:4]
    assert near.count() == 2_100


def test_a_trace_of_nearest_holds_every_question_it_asked(world: World) -> None:
    world.Place.objects.bulk_create([world.Place(name="x", geometry=(i % 90, i % 80)) for i in range(2_100)])
    scope = current.get()
    assert scope is not None
    scope.trace = Trace()
    assert len(world.Place.objects.nearest((0.5, 0.5))[:5]) == 5
    kinds = [kind for kind, _ in scope.trace.inputs]
    assert kinds.count("query") >= 2


def test_nearest_wants_one_geometry_field(world: World) -> None:
    from toolkit.gis.nearest import _only_field

    class Two(models.Model):
        a = fields.PointField()
        b = fields.PointField()

    class Plain(models.Model):
        name = models.CharField(max_length=5)

    with pytest.raises(FieldError, match=r"several geometry fields \(a, b\)"):
        _only_field(Two)
    with pytest.raises(FieldError, match="Plain has no geometry field"):
        _only_field(Plain)


def test_functions_measure_and_shape(world: World) -> None:
    world.Place.objects.create(name="square", geometry=shapely.box(10, 50, 11, 51))
    place = world.Place.objects.annotate(
        area=Area("geometry"),
        rim=Perimeter("geometry"),
        none=Length("geometry"),
        json=AsGeoJSON("geometry"),
        middle=Centroid("geometry"),
        box=Envelope("geometry"),
        text=AsWKT("geometry"),
        kind=GeometryType("geometry"),
        away=Distance("geometry", (10.5, 50.5)),
    ).get()
    assert place.area.sq_km == pytest.approx(7871.6, rel=0.01)
    assert place.rim.km == pytest.approx(364, rel=0.01)
    assert place.none == D(m=0)
    assert place.json["type"] == "Polygon"
    assert place.middle == shapely.Point(10.5, 50.5)
    assert place.box.bounds == (10, 50, 11, 51)
    assert place.text.startswith("POLYGON")
    assert place.kind == "Polygon"
    assert place.away == D(m=0)


def test_rows_become_geojson_through_their_only_geometry_field(world: World) -> None:
    world.Place.objects.create(name="here", geometry=(1, 2))
    assert '"coordinates":[1,2]},"properties":{"name":"here"}' in geojson(world.Place.objects.all(), ["name"])


class TestPostGIS:
    """SQL for PostgreSQL, as text."""

    def sql(self, lookup: str, *, srid: int = 4326) -> str:
        import sqlalchemy as sa

        field = fields.GeometryField(srid=srid)
        field.name = field.column = "geometry"
        table = sa.table("place", sa.column("id"), sa.column("geometry"))

        def bind(convert: Any) -> Any:
            return sa.bindparam(None, None, type_=field.sql_type())

        context = LookupContext(table.c.geometry, field, "postgresql", Node(None, table, None), "place", bind, list)
        return str(field.lookups[lookup](context).compile(dialect=postgresql.dialect()))

    @pytest.mark.parametrize(
        "lookup, expected",
        [
            ("intersects", "ST_Intersects(place.geometry, ST_GeomFromEWKB(decode(%(param_1)s, 'hex')))"),
            ("covered_by", "ST_CoveredBy(place.geometry, ST_GeomFromEWKB(decode(%(param_1)s, 'hex')))"),
            ("disjoint", "ST_Disjoint(place.geometry, ST_GeomFromEWKB(decode(%(param_1)s, 'hex')))"),
            (
                "dwithin",
                "(place.geometry && ST_GeomFromEWKB(decode(%(param_1)s, 'hex'))) AND "
                "ST_DWithin(geography(place.geometry), geography(ST_GeomFromEWKB(decode(%(param_2)s, 'hex'))), "
                "%(param_3)s)",
            ),
            (
                "distance_gt",
                "ST_Distance(geography(place.geometry), geography(ST_GeomFromEWKB(decode(%(param_1)s, 'hex')))) "
                "> %(param_2)s",
            ),
            ("isempty", "ST_IsEmpty(place.geometry) = CAST(%(param_1)s AS BOOLEAN)"),
        ],
    )
    def test_lookups_are_postgis_functions(self, lookup: str, expected: str) -> None:
        assert self.sql(lookup) == expected

    def test_boxes_use_the_index_operator(self) -> None:
        assert self.sql("bbox").startswith("(place.geometry && ST_GeomFromEWKB")

    def test_a_flat_reference_is_not_measured_as_geography(self) -> None:
        assert "geography" not in self.sql("dwithin", srid=3857)

    def test_values_travel_as_hexadecimal_ewkb(self) -> None:
        field = fields.PointField()
        write, read = field.db_writer("postgresql"), field.db_reader("postgresql")
        assert write is not None and read is not None
        assert write((1, 2)).startswith("0101000020E6100000")
        assert read(write((1, 2))) == shapely.Point(1, 2)
        assert shapely.get_srid(read(write((1, 2)))) == 0


def test_mysql_stores_geometry_and_says_that_it_has_no_lookups() -> None:
    import sqlalchemy as sa

    field = fields.PointField()
    table = sa.table("place", sa.column("id"), sa.column("geometry"))
    context = LookupContext(table.c.geometry, field, "mysql", Node(None, table, None), "place", lambda convert: 1, list)
    with pytest.raises(FieldError, match="spatial lookups are not available on mysql"):
        field.lookups["within"](context)


def test_last_change_of_the_contents_is_a_moment(world: World) -> None:
    ((stamp,),) = world.database.fetch("SELECT last_change FROM gpkg_contents WHERE table_name = 'town_place'")
    assert datetime.fromisoformat(stamp).tzinfo == UTC
