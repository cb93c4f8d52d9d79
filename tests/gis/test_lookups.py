"""Spatial lookups: the same answers as shapely, from the index, in one statement with everything else."""

from __future__ import annotations

import math
import random
from types import SimpleNamespace
from typing import Any

import numpy
import pytest
import shapely
from shapely import affinity

from toolkit.errors import FieldError, ValidationError
from toolkit.gis.codec import encode
from toolkit.gis.distances import distance
from toolkit.gis.matching import PREDICATES, match
from toolkit.gis.measures import D
from toolkit.models import Q

World = SimpleNamespace


def random_shape(chance: random.Random) -> Any:
    """Points, lines, polygons and collections on a coarse grid, so that many touch and many are equal."""

    def spot() -> tuple[float, float]:
        return chance.randint(0, 8) / 2, chance.randint(0, 8) / 2

    kind = chance.randrange(6)
    if kind == 0:
        return shapely.Point(spot())
    if kind == 1:
        start, end = spot(), spot()
        return shapely.LineString([start, end]) if start != end else shapely.Point(start)
    if kind == 2:
        x, y = spot()
        return shapely.box(x, y, x + chance.randint(1, 4) / 2, y + chance.randint(1, 4) / 2)
    if kind == 3:
        return shapely.MultiPoint([spot(), spot()])
    if kind == 4:
        return shapely.Point(spot()).buffer(chance.choice([0.5, 1.0, 2.0]), quad_segs=2)
    return affinity.translate(shapely.box(0, 0, 3, 3).difference(shapely.box(1, 1, 2, 2)), *spot())


def fill(world: World, count: int = 120, seed: int = 1) -> list[Any]:
    chance = random.Random(seed)
    shapes = [random_shape(chance) for _ in range(count)]
    world.Place.objects.bulk_create([world.Place(name=f"{i}", geometry=shape) for i, shape in enumerate(shapes)])
    world.Place.objects.bulk_create([world.Place(name="nowhere"), world.Place(name="empty", geometry=shapely.Point())])
    return list(world.Place.objects.order_by("id"))


def keys(rows: Any) -> list[int]:
    return sorted(row.pk for row in rows)


@pytest.mark.parametrize("lookup", [*PREDICATES, "disjoint"])
def test_a_lookup_answers_as_shapely_does(world: World, lookup: str) -> None:
    places = fill(world)
    chance = random.Random(2)
    method = "equals" if lookup == "equals" else lookup
    for _ in range(12):
        value = random_shape(chance)
        expected = [p.pk for p in places if p.geometry is not None and getattr(p.geometry, method)(value)]
        assert keys(world.Place.objects.filter(**{f"geometry__{lookup}": value})) == expected


def test_bbox_compares_boxes_exactly(world: World) -> None:
    places = fill(world)
    for west, south in ((0, 0), (1.5, 2.5), (3, 3)):
        box = (west, south, west + 1, south + 0.5)
        expected = [
            p.pk
            for p in places
            if p.geometry is not None
            and not p.geometry.is_empty
            and shapely.box(*p.geometry.bounds).intersects(shapely.box(*box))
        ]
        assert keys(world.Place.objects.filter(geometry__bbox=box)) == expected
        assert keys(world.Place.objects.filter(geometry__bboverlaps=shapely.box(*box))) == expected


def test_the_index_s_rounding_loses_nothing_and_adds_nothing(world: World) -> None:
    """The R-tree keeps 32-bit floats: 0.1 is stored as a box from 0.0999… to 0.1000…"""
    world.Place.objects.create(name="tenth", geometry=shapely.Point(0.1, 0.1))
    assert world.Place.objects.filter(geometry__bbox=(0.1, 0.1, 1, 1)).count() == 1
    assert world.Place.objects.filter(geometry__bbox=(0.1 + 1e-12, 0.1, 1, 1)).count() == 0
    assert world.Place.objects.filter(geometry__intersects=shapely.Point(0.1, 0.1)).count() == 1


def test_a_box_over_longitude_180_holds_both_sides(world: World) -> None:
    for lon in (-179.5, 179.5, 0):
        world.Place.objects.create(name=str(lon), geometry=(lon, 0))
    found = world.Place.objects.filter(geometry__bbox=(170, -10, -170, 10)).order_by("name")
    assert [place.name for place in found] == ["-179.5", "179.5"]


@pytest.mark.parametrize("metres", [0, 1_000, 60_000, 140_000, 400_000])
def test_dwithin_measures_over_the_earth(world: World, metres: float) -> None:
    places = fill(world)
    here = shapely.Point(2.2, 1.7)
    expected = [p.pk for p in places if p.geometry is not None and distance(p.geometry, here) <= metres]
    assert keys(world.Place.objects.filter(geometry__dwithin=(here, D(m=metres)))) == expected
    assert keys(world.Place.objects.filter(geometry__distance_lte=(here, metres))) == expected
    far = [p.pk for p in places if p.geometry is not None and distance(p.geometry, here) > metres]
    assert keys(world.Place.objects.filter(geometry__distance_gt=(here, D(m=metres)))) == far


def test_dwithin_decides_to_the_metre_although_the_sphere_goes_first(world: World) -> None:
    north = world.Place.objects.create(name="north", geometry=(10, 51))
    apart = distance(shapely.Point(10, 50), north.geometry)
    for lookup, limit, count in (
        ("dwithin", apart + 0.01, 1),
        ("dwithin", apart - 0.01, 0),
        ("distance_lte", apart, 1),
        ("distance_lt", apart, 0),
        ("distance_gte", apart, 1),
    ):
        found = world.Place.objects.filter(**{f"geometry__{lookup}": ((10, 50), limit)})
        assert found.count() == count, (lookup, limit)


def test_dwithin_crosses_longitude_180_and_reaches_the_pole(world: World) -> None:
    world.Place.objects.create(name="east", geometry=(179.9, 0))
    world.Place.objects.create(name="pole", geometry=(40, 89.95))
    assert world.Place.objects.filter(geometry__dwithin=((-179.9, 0), D(km=30))).count() == 1
    assert world.Place.objects.filter(geometry__dwithin=((-140, 89.95), D(km=12))).count() == 1


def test_a_flat_reference_measures_in_its_own_units(world: World) -> None:
    world.Tile.objects.create(shape=shapely.Point(0, 1000))
    assert world.Tile.objects.filter(shape__dwithin=(shapely.Point(0, 0), 1000)).count() == 1
    assert world.Tile.objects.filter(shape__dwithin=(shapely.Point(0, 0), D(m=999))).count() == 0


def test_lookups_combine_with_everything_else(world: World) -> None:
    places = fill(world)
    box = shapely.box(0, 0, 2, 2)
    inside = [p for p in places if p.geometry is not None and p.geometry.intersects(box)]
    found = world.Place.objects.filter(geometry__intersects=box)
    assert found.count() == len(inside)
    assert found.exists()
    assert [p.pk for p in found.order_by("-id")[:3]] == sorted((p.pk for p in inside), reverse=True)[:3]
    assert keys(found.filter(name__startswith="1")) == [p.pk for p in inside if p.name.startswith("1")]
    either = world.Place.objects.filter(Q(geometry__intersects=box) | Q(name="nowhere"))
    assert len(either) == len(inside) + 1
    assert found.filter(geometry__within=shapely.box(0, 0, 1, 1)).count() <= len(inside)


def test_excluding_keeps_the_rows_without_a_place(world: World) -> None:
    places = fill(world)
    box = shapely.box(0, 0, 2, 2)
    outside = [p.pk for p in places if p.geometry is None or not p.geometry.intersects(box)]
    assert keys(world.Place.objects.exclude(geometry__intersects=box)) == outside
    assert keys(world.Place.objects.filter(~Q(geometry__intersects=box))) == outside


def test_lookups_go_through_relations(world: World) -> None:
    old = world.District.objects.create(name="old", area=shapely.box(0, 0, 1, 1))
    new = world.District.objects.create(name="new", area=shapely.box(5, 5, 6, 6))
    for district, spot in ((old, (0.5, 0.5)), (new, (5.5, 5.5)), (new, (50, 50))):
        world.Place.objects.create(name=district.name, geometry=spot, district=district)
    assert world.Place.objects.filter(district__area__contains=(0.5, 0.5)).get().name == "old"
    found = world.District.objects.filter(places__geometry__within=shapely.box(5, 5, 6, 6))
    assert [district.name for district in found] == ["new"]


def test_update_and_delete_take_lookups(world: World) -> None:
    fill(world)
    box = shapely.box(0, 0, 2, 2)
    inside = world.Place.objects.filter(geometry__intersects=box).count()
    world.Place.objects.filter(geometry__intersects=box).update(name="inside")
    assert world.Place.objects.filter(name="inside").count() == inside
    world.Place.objects.filter(geometry__intersects=box).delete()
    assert world.Place.objects.filter(geometry__intersects=box).count() == 0


def test_a_column_without_index_answers_the_same(world: World) -> None:
    for x in range(10):
        world.Mark.objects.create(spot=(x, 0))
    assert world.Mark.objects.filter(spot__within=shapely.box(0.5, -1, 3.5, 1)).count() == 3
    assert world.Mark.objects.filter(spot__bbox=(0.5, -1, 3.5, 1)).count() == 3
    assert world.Mark.objects.filter(spot__dwithin=((0, 0), D(km=120))).count() == 2


def test_validity_and_emptiness_are_lookups(world: World) -> None:
    bow = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    world.Place.objects.create(name="bow", geometry=bow)
    world.Place.objects.create(name="empty", geometry=shapely.Point())
    world.Place.objects.create(name="nowhere")
    assert world.Place.objects.filter(geometry__isvalid=False).get().name == "bow"
    assert world.Place.objects.filter(geometry__isempty=True).get().name == "empty"
    assert world.Place.objects.filter(geometry__isnull=True).get().name == "nowhere"


def test_the_index_is_asked_once_for_the_whole_statement(world: World) -> None:
    fill(world)
    found = world.Place.objects.filter(geometry__intersects=shapely.box(0, 0, 1, 1)).order_by("name")
    with world.database.counted() as seen:
        list(found)
    assert len(seen) == 1
    marks = seen[0].count("?")
    blob = b"GP\0\x11\xe6\x10\0\0\x01\x07\0\0\0\0\0\0\0"
    plan = world.database.fetch(f"EXPLAIN QUERY PLAN {seen[0]}", [blob] * marks)
    told = "\n".join(row[3] for row in plan)
    assert "VIRTUAL TABLE INDEX 2:" in told, told
    assert "CORRELATED" not in told
    assert "SCAN town_place" not in told, told


def test_values_are_taken_in_every_form(world: World) -> None:
    world.Place.objects.create(name="here", geometry=(1, 1))
    for value in (
        "POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0))",
        {"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]]},
        shapely.set_srid(shapely.box(0, 0, 222639, 222685), 3857),
        "SRID=3857;POLYGON ((0 0, 222639 0, 222639 222685, 0 222685, 0 0))",
    ):
        assert world.Place.objects.filter(geometry__within=value).count() == 1


@pytest.mark.parametrize(
    "lookup, value, error, complaint",
    [
        ("within", "POLYGON ((0 0", ValidationError, "is no WKT"),
        ("within", 7, ValidationError, "is no geometry. Give a shapely geometry"),
        ("within", (50.1, 111.2), ValidationError, "latitude 111.2 .* Longitude first"),
        ("within", shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]), ValidationError, "self-intersection"),
        ("dwithin", (1, 2, 3), FieldError, r"dwithin takes \(geometry, D\(km=5\)\)"),
        ("dwithin", ((1, 2), "5 km"), FieldError, "'5 km' is no distance"),
        ("bbox", (0, 5, 1, 2), ValidationError, "south above its north"),
        ("bbox", (0, "a", 1, 2), ValidationError, "is no box"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(
    world: World, lookup: str, value: Any, error: type[Exception], complaint: str
) -> None:
    with pytest.raises(error, match=complaint):
        list(world.Place.objects.filter(**{f"geometry__{lookup}": value}))


def test_an_unknown_lookup_is_refused_with_the_nearest(world: World) -> None:
    with pytest.raises(FieldError, match=r"there is no lookup 'intersect'.*'intersects'"):
        list(world.Place.objects.filter(geometry__intersect=shapely.Point(1, 1)))


def test_all_predicates_agree_with_shapely_on_500_random_pairs() -> None:
    chance = random.Random(7)
    pairs = [(random_shape(chance), random_shape(chance)) for _ in range(500)]
    for predicate in PREDICATES:
        for row, value in pairs:
            found = match(predicate, [encode(row, 4326)], encode(value, 4326))
            assert bool(found[0]) == getattr(row, predicate)(value), (predicate, row.wkt, value.wkt)


def test_a_negative_distance_finds_nothing(world: World) -> None:
    world.Place.objects.create(name="here", geometry=(1, 1))
    assert world.Place.objects.filter(geometry__dwithin=((1, 1), -1)).count() == 0
    with pytest.raises(FieldError, match="nan is no distance"):
        world.Place.objects.filter(geometry__dwithin=((1, 1), math.nan)).count()


def test_an_invalid_polygon_in_the_table_breaks_no_query(world: World) -> None:
    bow = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    world.Place.objects.create(name="bow", geometry=bow)
    for lookup in PREDICATES:
        world.Place.objects.filter(**{f"geometry__{lookup}": shapely.box(0, 0, 1, 2)}).count()
    assert world.Place.objects.filter(geometry__intersects=shapely.box(0, 0, 1, 2)).count() == 1


def test_many_hits_are_refined_as_an_array(world: World) -> None:
    spots = numpy.random.default_rng(3).uniform(0, 10, (3000, 2)).tolist()
    world.Place.objects.bulk_create([world.Place(name="x", geometry=tuple(spot)) for spot in spots])
    circle = shapely.Point(5, 5).buffer(3, quad_segs=50)
    expected = int(shapely.contains(circle, shapely.points(spots)).sum())
    assert world.Place.objects.filter(geometry__within=circle).count() == expected
