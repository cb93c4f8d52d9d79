"""Rings, the antimeridian and the poles (RFC 7946 §3.1.6, §3.1.9)."""

from __future__ import annotations

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from toolkit.gis.areas import area
from toolkit.gis.orient import orient, split_antimeridian

FIJI = [(177, -19), (-178, -19), (-178, -16), (177, -16), (177, -19)]
ANTARCTICA = [(-60, -63), (0, -70), (60, -66), (120, -66), (180, -72), (-120, -74), (-60, -63)]


def test_outer_rings_run_counter_clockwise_and_holes_clockwise() -> None:
    wrong = shapely.Polygon([(0, 0), (0, 4), (4, 4), (4, 0)], [[(1, 1), (2, 1), (2, 2), (1, 2)]])
    right = orient(wrong)
    assert right.exterior.is_ccw
    assert not right.interiors[0].is_ccw
    assert right.equals(wrong)


def test_parts_of_a_collection_are_wound_too() -> None:
    clockwise = (
        shapely.box(0, 0, 1, 1).reverse() if shapely.box(0, 0, 1, 1).exterior.is_ccw else shapely.box(0, 0, 1, 1)
    )
    both = orient(shapely.GeometryCollection([clockwise, shapely.Point(1, 1)]))
    assert both.geoms[0].exterior.is_ccw


def test_what_does_not_cross_is_returned_as_it_is() -> None:
    town = shapely.box(1, 1, 2, 2)
    assert split_antimeridian(town) is town
    world = shapely.Polygon([(-180, -90), (180, -90), (180, 90), (-180, 90)])
    assert split_antimeridian(world) is world
    assert split_antimeridian(shapely.Polygon()).is_empty


def test_a_polygon_that_jumps_over_180_is_cut_in_two() -> None:
    parts = split_antimeridian(shapely.Polygon(FIJI))
    assert parts.geom_type == "MultiPolygon"
    assert [part.bounds for part in parts.geoms] == [(-180, -19, -178, -16), (177, -19, 180, -16)]


def test_longitudes_that_run_on_mean_the_same_as_those_that_jump() -> None:
    running = shapely.Polygon([(x + 360 if x < 0 else x, y) for x, y in FIJI])
    assert split_antimeridian(running).equals(split_antimeridian(shapely.Polygon(FIJI)))
    westward = shapely.Polygon([(x - 360 if x > 0 else x, y) for x, y in FIJI])
    assert split_antimeridian(westward).equals(split_antimeridian(shapely.Polygon(FIJI)))


def test_a_hole_goes_with_its_part() -> None:
    hole = [(179, -18), (-179.5, -18), (-179.5, -17), (179, -17), (179, -18)]
    parts = split_antimeridian(shapely.Polygon(FIJI, [hole]))
    assert parts.is_valid
    assert parts.area == pytest.approx(5 * 3 - 1.5)
    small = [(-179, -18), (-178.5, -18), (-178.5, -17), (-179, -17), (-179, -18)]
    whole = split_antimeridian(shapely.Polygon(FIJI, [small]))
    assert whole.area == pytest.approx(15 - 0.5)


def test_a_line_over_180_is_cut_in_two() -> None:
    flight = split_antimeridian(shapely.LineString([(170, 50), (-160, 60)]))
    assert flight.geom_type == "MultiLineString"
    assert [line.bounds[::2] for line in flight.geoms] == [(-180, -160), (170, 180)]


def test_a_point_beyond_180_comes_back_inside() -> None:
    assert split_antimeridian(shapely.Point(190, 5)).equals(shapely.Point(-170, 5))
    both = split_antimeridian(shapely.MultiPoint([(190, 5), (10, 5)]))
    assert both.equals(shapely.MultiPoint([(-170, 5), (10, 5)]))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_ring_around_a_pole_is_closed_over_it(sign: int) -> None:
    ring = shapely.Polygon([(x, sign * -y) for x, y in ANTARCTICA])
    cap = split_antimeridian(ring)
    assert cap.is_valid
    assert cap.geom_type == "Polygon"
    assert cap.covers(shapely.Point(33, sign * 89.9))
    assert cap.bounds[0::2] == (-180, 180)
    assert 1.2e13 < area(cap) < 2.2e13


@given(st.floats(-179, 179), st.floats(-80, 70), st.floats(0.5, 60), st.floats(0.5, 9))
def test_cutting_keeps_the_area_and_stays_in_range(west: float, south: float, width: float, height: float) -> None:
    box = shapely.box(west, south, west + width, south + height)
    cut = split_antimeridian(box)
    assert cut.is_valid
    assert -180 <= cut.bounds[0] <= cut.bounds[2] <= 180
    assert cut.area == pytest.approx(box.area, rel=1e-9)
