"""The same questions put to SQLite and to PostGIS give the same answers.

Runs where TOOLKIT_TEST_POSTGIS names a database that may be written, such as
``postgresql://user:password@localhost/scratch``; its tables called ``town_*`` are dropped.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import shapely
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from tests.gis.conftest import declare, geometry_fields
from toolkit.database.connections import Database
from toolkit.gis import Area, AsGeoJSON, AsWKT, D, Distance, Envelope, Length, Perimeter, nearest
from toolkit.gis.matching import PREDICATES
from toolkit.models.resolve import resolve_models
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered

URL = os.environ.get("TOOLKIT_TEST_POSTGIS", "")
pytestmark = pytest.mark.skipif(not URL, reason="TOOLKIT_TEST_POSTGIS names no PostGIS database")

World = SimpleNamespace


@pytest.fixture
def postgis() -> Iterator[World]:
    models = declare()
    everything, _ = resolve_models({"town": list(models.values())})
    database: Any = Database(URL)
    database.schema = Schema(everything, "postgresql")
    with database.atomic():
        for table in reversed(database.schema.metadata.sorted_tables):
            database.execute(f"DROP TABLE IF EXISTS {table.name} CASCADE")
        for table in database.schema.metadata.sorted_tables:
            database.execute(str(CreateTable(table).compile(dialect=postgresql.dialect())))
        for field in geometry_fields(everything):
            field.after_create(database)
    with entered(Scope(site=None, database=database)):
        yield SimpleNamespace(database=database, **models)
    database.close()


def test_the_index_is_made_and_dropped(postgis: World) -> None:
    ask = "SELECT indexname FROM pg_indexes WHERE indexname = 'town_place_geometry_gist'"
    assert postgis.database.fetch(ask)
    with postgis.database.atomic():
        postgis.Place._meta.get_field("geometry").before_drop(postgis.database)
    assert not postgis.database.fetch(ask)


def shapes(seed: int, count: int) -> list[Any]:
    chance = random.Random(seed)
    found: list[Any] = []
    for _ in range(count):
        x, y = chance.randint(0, 8) / 2, chance.randint(0, 8) / 2
        kinds = [
            shapely.Point(x, y),
            shapely.LineString([(x, y), (x + 1.5, y + 0.5)]),
            shapely.box(x, y, x + 1, y + 1.5),
            shapely.Point(x, y).buffer(1, quad_segs=2),
        ]
        found.append(chance.choice(kinds))
    return found


def fill(world: World) -> None:
    rows = [world.Place(name=f"{i:03}", geometry=shape) for i, shape in enumerate(shapes(1, 150))]
    world.Place.objects.bulk_create([*rows, world.Place(name="nowhere")])


def both(world: World, postgis: World, ask: Any) -> tuple[Any, Any]:
    first = {}
    for name, site in (("sqlite", world), ("postgis", postgis)):
        with entered(Scope(site=None, database=site.database)):
            fill(site)
            first[name] = ask(site.Place.objects)
    return first["sqlite"], first["postgis"]


def test_all_predicates_agree(world: World, postgis: World) -> None:
    def ask(places: Any) -> list[Any]:
        values = shapes(2, 8)
        return [
            (lookup, value.wkt, [p.name for p in places.filter(**{f"geometry__{lookup}": value}).order_by("name")])
            for lookup in (*PREDICATES, "disjoint", "bbox")
            for value in values
        ]

    found, expected = both(world, postgis, ask)
    assert found == expected


def test_exclusion_agrees(world: World, postgis: World) -> None:
    box = shapely.box(0, 0, 2, 2)
    found, expected = both(
        world, postgis, lambda places: [p.name for p in places.exclude(geometry__within=box).order_by("name")]
    )
    assert found == expected


def test_distances_agree_to_a_centimetre_or_so(world: World, postgis: World) -> None:
    def ask(places: Any) -> list[Any]:
        return [(p.name, p.distance.m) for p in nearest(places.all(), (2.3, 1.2))]

    found, expected = both(world, postgis, ask)
    distances = dict(expected)
    assert len(found) == len(expected) == 150
    for name, metres in found:
        # PostGIS takes edges for geodesics, the toolkit for straight lines on the map (RFC 7946): 1.6 degrees of
        # edge apart by some metres.
        assert metres == pytest.approx(distances[name], abs=60, rel=1e-3), name


def test_the_nearest_few_agree(world: World, postgis: World) -> None:
    found, expected = both(
        world,
        postgis,
        lambda places: [p.name for p in nearest(places.filter(geometry__dwithin=((2, 1), 3e5)), (2, 1))[:5]],
    )
    assert len(found) == 5
    assert sorted(found) == sorted(expected)


def test_point_distances_agree_exactly(world: World, postgis: World) -> None:
    def ask(places: Any) -> list[Any]:
        rows = places.filter(geometry__isempty=False).annotate(away=Distance("geometry", (2.3, 1.2)))
        return [(p.name, p.away.m) for p in rows.order_by("name") if p.geometry.geom_type == "Point"]

    found, expected = both(world, postgis, ask)
    assert found
    for (name, metres), (other, wanted) in zip(found, expected, strict=True):
        assert name == other
        assert metres == pytest.approx(wanted, abs=0.001)


def test_dwithin_agrees(world: World, postgis: World) -> None:
    def ask(places: Any) -> list[Any]:
        return [
            [p.name for p in places.filter(geometry__dwithin=((2.3, 1.2), D(km=km))).order_by("name")]
            for km in (1, 30, 77, 200, 400)
        ]

    found, expected = both(world, postgis, ask)
    assert found == expected


def test_measures_agree(world: World, postgis: World) -> None:
    def ask(places: Any) -> list[Any]:
        measures = {"area": Area("geometry"), "length": Length("geometry"), "rim": Perimeter("geometry")}
        rows = places.filter(geometry__isempty=False).annotate(**measures)
        return [(p.area.sq_m, p.length.m, p.rim.m) for p in rows.order_by("name")]

    found, expected = both(world, postgis, ask)
    for here, there in zip(found, expected, strict=True):
        assert here == pytest.approx(there, rel=1e-3)


def test_texts_and_boxes_are_written_alike(world: World, postgis: World) -> None:
    def ask(places: Any) -> list[Any]:
        made = {"text": AsWKT("geometry"), "json": AsGeoJSON("geometry"), "box": Envelope("geometry")}
        rows = places.annotate(**made).order_by("name").values_list("text", "json", "box")
        return [(text, json, box and box.wkt) for text, json, box in rows]

    found, expected = both(world, postgis, ask)
    assert found == expected
