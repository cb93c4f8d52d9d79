"""Distances, areas and their units."""

from __future__ import annotations

import math
import pickle

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import GeometryError
from toolkit.gis.areas import area
from toolkit.gis.distances import boxes_around, distance
from toolkit.gis.geodesy import geodesic, haversine, length
from toolkit.gis.measures import A, D

# (longitude, latitude) pairs and metres, from GeographicLib's documentation and GeographicLib 2.1.
KNOWN = [
    ((-73.8, 40.6), (-0.5, 51.6), 5551759.400),  # New York to London
    ((174.81, -41.32), (-5.50, 40.96), 19959679.267),  # Wellington to Salamanca: 0.4 degrees from antipodal
    ((0, 0), (180, 0), 20003931.4586),  # exactly antipodal: over the pole
    ((0, 0), (179.5, 0), 19980861.9089),  # along the equator and away from it
    ((0, 0), (1, 0), 111319.4908),
    ((10, 90), (77, 90), 0.0),
    ((0, 90), (0, -90), 20003931.4586),
    ((179.9, 10), (-179.9, 10), 21927.8725),  # over longitude 180
]


@pytest.mark.parametrize("start, end, metres", KNOWN)
def test_geodesics_agree_with_geographiclib(
    start: tuple[float, float], end: tuple[float, float], metres: float
) -> None:
    assert geodesic(start, end) == pytest.approx(metres, abs=0.001)
    assert geodesic(end, start) == pytest.approx(geodesic(start, end), abs=0.001)


lonlat = st.tuples(st.floats(-180, 180), st.floats(-90, 90))


@given(lonlat, lonlat)
def test_haversine_stays_within_six_tenths_of_a_percent(start: tuple[float, float], end: tuple[float, float]) -> None:
    assert haversine(start, end) == pytest.approx(geodesic(start, end), rel=0.006, abs=0.001)


def test_a_degree_of_longitude_shrinks_towards_the_pole() -> None:
    assert geodesic((0, 60), (1, 60)) < 0.51 * geodesic((0, 0), (1, 0))


def test_length_adds_up_segments_and_rings() -> None:
    line = shapely.LineString([(0, 0), (1, 0), (2, 0)])
    assert length(line) == pytest.approx(2 * 111319.4908, abs=0.01)
    assert length(shapely.box(0, 0, 1, 1)) == pytest.approx(443770.917, abs=1)
    both = shapely.GeometryCollection([line, shapely.Point(3, 3), shapely.box(0, 0, 1, 1)])
    assert length(both) == pytest.approx(length(line) + length(shapely.box(0, 0, 1, 1)))
    assert length(shapely.Point(1, 1)) == 0


def test_the_whole_earth_has_the_ellipsoid_s_area() -> None:
    assert area(shapely.box(-180, -90, 180, 90)) == pytest.approx(510_065_621_724_088, rel=1e-12)


def test_areas_know_holes_parts_and_latitudes() -> None:
    whole, hole = shapely.box(10, 50, 11, 51), shapely.box(10.4, 50.4, 10.6, 50.6)
    assert area(whole.difference(hole)) == pytest.approx(area(whole) - area(hole), rel=1e-12)
    assert area(shapely.MultiPolygon([whole, shapely.box(0, 0, 1, 1)])) == pytest.approx(
        area(whole) + area(shapely.box(0, 0, 1, 1))
    )
    assert area(shapely.box(1, 51, 1.01, 51.01)) == pytest.approx(780853.80113, abs=0.01)  # GeographicLib
    assert area(shapely.LineString([(0, 0), (1, 1)])) == 0


def test_a_point_is_measured_to_the_nearest_place_on_a_line() -> None:
    equator = shapely.LineString([(-10, 0), (10, 0)])
    assert distance(shapely.Point(3, 1), equator) == pytest.approx(geodesic((3, 1), (3, 0)), abs=0.001)
    assert distance(equator, shapely.Point(12, 0)) == pytest.approx(geodesic((12, 0), (10, 0)), abs=0.001)


@pytest.mark.parametrize("seed", range(12))
def test_distance_to_a_line_agrees_with_dense_sampling(seed: int) -> None:
    import random

    chance = random.Random(seed)
    lon, lat = chance.uniform(-150, 150), chance.uniform(-60, 60)
    spread, away = chance.choice([0.01, 0.1, 1.0]), chance.choice([0.01, 0.1, 1.0])
    line = shapely.LineString([(lon + chance.gauss(0, spread), lat + chance.gauss(0, spread)) for _ in range(5)])
    point = shapely.Point(lon + chance.gauss(0, away), lat + chance.gauss(0, away))
    dense = shapely.get_coordinates(shapely.segmentize(line, line.length / 4000)).tolist()
    sampled = min(geodesic((point.x, point.y), (x, y)) for x, y in dense)
    found = distance(point, line)
    step = geodesic((lon, lat), (lon, lat + line.length / 4000))
    assert found <= sampled + 0.001
    assert sampled - found <= step


def test_distance_is_zero_inside_and_nan_for_nothing() -> None:
    town = shapely.box(0, 0, 1, 1)
    assert distance(town, shapely.Point(0.5, 0.5)) == 0
    assert math.isnan(distance(town, shapely.Point()))


def test_distance_goes_over_longitude_180() -> None:
    west, east = shapely.box(-180, -1, -179.9, 1), shapely.Point(179.9, 0)
    assert distance(west, east) == pytest.approx(geodesic((180, 0), (179.9, 0)), abs=0.01)


def test_two_polygons_are_measured_corner_to_side() -> None:
    one, other = shapely.box(0, 0, 1, 1), shapely.Polygon([(1.5, 0.5), (2, 0), (2, 1)])
    assert distance(one, other) == pytest.approx(geodesic((1, 0.5), (1.5, 0.5)), abs=0.01)
    assert distance(other, one) == distance(one, other)


@given(lonlat, st.floats(1, 3_000_000), st.floats(0, 360))
def test_the_box_around_holds_everything_near(centre: tuple[float, float], metres: float, bearing: float) -> None:
    from toolkit.gis.geodesy import _destination

    lon, lat = _destination(centre, math.radians(bearing), metres / 6_400_000)
    lon = math.remainder(lon, 360)
    if geodesic(centre, (lon, lat)) > metres:
        return
    boxes = boxes_around((centre[0], centre[1], centre[0], centre[1]), D(m=metres))
    assert any(box.minx <= lon <= box.maxx and box.miny <= lat <= box.maxy for box in boxes)


def test_a_box_around_a_place_near_180_comes_in_two() -> None:
    boxes = boxes_around((179.9, 0, 179.9, 0), D(km=50))
    assert [round(box.minx) for box in boxes] == [179, -180]


def test_units_convert_compare_and_add() -> None:
    assert D(km=5) == D(m=5000)
    assert D(mi=1).km == pytest.approx(1.609344)
    assert D(nmi=1) > D(mi=1) > D(km=1)
    assert D(km=1) + D(m=500) == D(km=1.5)
    assert (2 * D(ft=3)).yd == pytest.approx(2)
    assert (D(km=3) / 2).m == 1500
    assert A(ha=1) == A(sq_m=10000)
    assert A(acre=640).sq_mi == pytest.approx(1)
    assert repr(D(km=1)) == "D(m=1000.0)"
    assert pickle.loads(pickle.dumps(D(km=2))) == D(km=2)
    assert D(m=1) != A(sq_m=1)
    assert len({D(km=1), D(m=1000)}) == 1


@pytest.mark.parametrize(
    "units, complaint",
    [
        ({}, "takes one unit, not none"),
        ({"km": 1, "m": 2}, "takes one unit, not km, m"),
        ({"kms": 1}, "'kms' is not a unit of D. Did you mean 'km'"),
        ({"km": float("nan")}, "not a finite number"),
        ({"km": "5"}, "not a finite number"),
    ],
)
def test_a_measure_that_says_nothing_is_refused(units: dict[str, float], complaint: str) -> None:
    with pytest.raises(GeometryError, match=complaint):
        D(**units)


def test_a_measure_does_not_change() -> None:
    with pytest.raises(AttributeError, match="does not change"):
        D(km=1).standard = 5
    with pytest.raises(AttributeError, match="no unit 'furlong'"):
        _ = D(km=1).furlong
