"""GeoJSON, read strictly and written the same every time (RFC 7946)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import GeometryError, Problems
from toolkit.gis.features import Feature
from toolkit.gis.geojson import dumps_for_script, geojson, geometry_object, parse, parse_geometry
from toolkit.gis.validity import find_problem, require_valid


@dataclass
class Section:
    name: str


@dataclass
class Place:
    name: str
    geometry: Any
    section: Section | None = None


def feature(geometry: Any, **extra: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": {}, **extra}


def collection(*features: Any) -> str:
    return json.dumps({"type": "FeatureCollection", "features": list(features)})


POINT = {"type": "Point", "coordinates": [1, 2]}


def test_collections_features_and_bare_geometries_are_read() -> None:
    (found,) = parse(collection(feature(POINT, id="harbour")))
    assert found == Feature(shapely.Point(1, 2), {}, "harbour")
    assert parse(feature(None))[0].geometry is None
    assert parse(json.dumps(POINT).encode())[0].geometry == shapely.Point(1, 2)


def test_all_kinds_of_geometry_are_read() -> None:
    for shape in (
        shapely.MultiPoint([(0, 0), (1, 1)]),
        shapely.LineString([(0, 0), (1, 1)]),
        shapely.MultiLineString([[(0, 0), (1, 1)], [(2, 2), (3, 3)]]),
        shapely.box(0, 0, 1, 1),
        shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(2, 2, 3, 3)]),
        shapely.GeometryCollection([shapely.Point(1, 2), shapely.LineString([(0, 0), (1, 1)])]),
        shapely.Polygon(),
        shapely.Point(),
        shapely.GeometryCollection(),
        shapely.Point(1, 2, 3),
    ):
        assert parse_geometry(geometry_object(shape)).equals(shape) or shape.is_empty


@pytest.mark.parametrize(
    "geometry, complaint",
    [
        (
            {"type": "Pont", "coordinates": [1, 2]},
            r"features\[0\].geometry.type is 'Pont'. Did you mean 'Point'",
        ),
        ({"type": "Point"}, r"features\[0\].geometry.coordinates is missing"),
        ({"type": "Point", "coordinates": [1]}, "must be a position"),
        ({"type": "Point", "coordinates": [1, "2"]}, r"coordinates\[1\] is '2', and must be a finite number"),
        ({"type": "LineString", "coordinates": [[0, 0], 7]}, r"coordinates\[1\] is 7"),
        ({"type": "LineString", "coordinates": [[0, 0]]}, "features.0..geometry"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1]]]}, "a ring of 3 positions"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}, "not closed: it begins at"),
        ({"type": "GeometryCollection"}, "geometries is missing"),
        ({"type": "GeometryCollection", "geometries": [{"type": "X"}]}, r"geometries\[0\].type is 'X'"),
        ("POINT (1 2)", "is text, and must be an object"),
    ],
)
def test_a_wrong_geometry_names_the_feature_and_the_member(geometry: Any, complaint: str) -> None:
    with pytest.raises(Problems, match=complaint):
        parse(collection(feature(geometry)))


def test_all_wrong_features_are_reported_together_with_the_file() -> None:
    text = collection(feature(POINT), {"type": "Featur"}, feature({"type": "Point", "coordinates": []}), feature(7), 5)
    with pytest.raises(Problems, match="3 problems") as caught:
        parse(text, path="places.geojson")
    assert [str(problem).split(",")[0] for problem in caught.value.problems] == [
        "places.geojson: features[1].type is 'Featur'",
        "places.geojson: features[3].geometry is a number",
        "places.geojson: features[4].type is a number",
    ]


@pytest.mark.parametrize(
    "text, complaint",
    [
        ('{"type": "FeatureCollection",\n "features": [}', "x.json:2:15: no JSON"),
        (b"\xff\xfe{", "no JSON|not UTF-8"),
        ("[]", "GeoJSON is an object, not an array"),
        ('{"type": "FeatureColection"}', "Did you mean 'FeatureCollection'"),
        ('{"type": "FeatureCollection"}', "features is missing"),
        (
            '{"type": "FeatureCollection", "features": [],'
            ' "crs": {"type": "name", "properties": {"name": "EPSG:25832"}}}',
            "crs is 'EPSG:25832'; GeoJSON is in longitude and latitude",
        ),
    ],
)
def test_what_is_no_geojson_is_refused(text: Any, complaint: str) -> None:
    with pytest.raises(GeometryError, match=complaint):
        parse(text, path="x.json")


def test_features_refuse_what_the_standard_refuses() -> None:
    with pytest.raises(Problems, match="properties is an array"):
        parse(collection({"type": "Feature", "geometry": None, "properties": []}))
    with pytest.raises(Problems, match="geometry is missing"):
        parse(collection({"type": "Feature", "properties": {}}))
    with pytest.raises(Problems, match="id is an array"):
        parse(collection(feature(None, id=[1])))


def test_objects_are_written_with_the_named_properties() -> None:
    place = Place("Harbour", shapely.Point(1.23456789, -0.00000001), Section("Town"))
    text = geojson([place, Place("Pier", None)], ["name", "section.name"], geometry="geometry")
    assert text == (
        '{"type":"FeatureCollection","features":['
        '{"type":"Feature","geometry":{"type":"Point","coordinates":[1.234568,0]},'
        '"properties":{"name":"Harbour","section.name":"Town"}},'
        '{"type":"Feature","geometry":null,"properties":{"name":"Pier","section.name":null}}]}'
    )


def test_properties_can_be_renamed_and_computed() -> None:
    place = Place("Harbour", shapely.Point(1, 2))
    text = geojson([place], {"title": "name", "url": lambda place: f"/{place.name.lower()}/"}, geometry="geometry")
    assert json.loads(text)["features"][0]["properties"] == {"title": "Harbour", "url": "/harbour/"}


def test_values_that_json_knows_are_written_and_others_refused() -> None:
    said = {
        "d": date(2026, 1, 2),
        "t": datetime(2026, 1, 2, tzinfo=UTC),
        "n": Decimal("1.5"),
        "l": [1, None],
        "m": {"a": True},
    }
    written = json.loads(geojson([Feature(shapely.Point(1, 2), said)]))["features"][0]["properties"]
    assert written == {
        "d": "2026-01-02",
        "t": "2026-01-02T00:00:00+00:00",
        "n": 1.5,
        "l": [1, None],
        "m": {"a": True},
    }
    with pytest.raises(GeometryError, match=r"property 'section' is Section .* Name one of its attributes"):
        geojson([Feature(None, {"section": Section("Town")})])
    with pytest.raises(GeometryError, match="property 'x' is nan"):
        geojson([Feature(None, {"x": float("nan")})])


def test_an_object_without_one_geometry_is_refused() -> None:
    with pytest.raises(GeometryError, match="needs one geometry, and Section has none"):
        geojson([Section("Town")])
    with pytest.raises(GeometryError, match=r"Place\.name is 'Harbour', not a shapely geometry"):
        geojson([Place("Harbour", None)], geometry="name")


def test_outer_rings_are_written_counter_clockwise() -> None:
    clockwise = shapely.Polygon([(0, 0), (0, 1), (1, 1), (1, 0)])
    assert geometry_object(clockwise)["coordinates"] in (
        [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]],
        [[[1, 0], [1, 1], [0, 1], [0, 0], [1, 0]]],
    )


@given(
    st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=2, max_size=8),
    st.integers(0, 9),
)
def test_writing_then_reading_moves_nothing_by_more_than_the_precision(
    path: list[tuple[float, float]], precision: int
) -> None:
    line = shapely.LineString(path)
    back = parse_geometry(geometry_object(line, precision=precision))
    assert back.equals_exact(line, 0.75 * 10.0**-precision)
    assert geojson([line]) == geojson([line])


def test_json_inside_a_script_element_cannot_end_it() -> None:
    text = dumps_for_script({"name": "</script><!-- & -->"})
    assert "<" not in text and ">" not in text and "&" not in text
    assert json.loads(text) == {"name": "</script><!-- & -->"}


@pytest.mark.parametrize(
    "shape, complaint",
    [
        (shapely.Point(48.1, 111.6), "latitude 111.6 is not between -90 and 90. Longitude first"),
        (shapely.Point(190, 11), "longitude 190 is not between -180 and 180. .*split_antimeridian"),
        (shapely.Point(1280000, 80), "look like metres"),
        (shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]), r"invalid: self-intersection at \(1, 1\)"),
        (shapely.Point(float("inf"), 1), "no finite number"),
    ],
)
def test_unusable_geometries_say_what_and_where(shape: Any, complaint: str) -> None:
    with pytest.raises(GeometryError, match=complaint):
        require_valid(shape)


def test_usable_geometries_have_no_problem() -> None:
    assert find_problem(shapely.box(-180, -90, 180, 90)) is None
    assert find_problem(shapely.Polygon()) is None
    assert find_problem(shapely.Point(1e6, 1e6), srid=3857) is None


numbers = st.one_of(st.integers(), st.floats(), st.just(10**400), st.just(-0.0))
names = st.sampled_from(["type", "coordinates", "geometry", "geometries", "properties", "features", "crs", "id", "x"])
types = st.sampled_from(
    [
        "Point",
        "LineString",
        "Polygon",
        "MultiPoint",
        "MultiPolygon",
        "GeometryCollection",
        "Feature",
        "FeatureCollection",
    ]
)
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, types, st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
    max_leaves=25,
)


@given(types, st.dictionaries(names, anything, max_size=5))
def test_whatever_is_read_the_error_is_one_of_ours(kind: str, members: dict[str, Any]) -> None:
    document = {**members, "type": kind}
    try:
        found = parse(document)
    except (GeometryError, Problems):
        return
    assert all(isinstance(each, Feature) for each in found)


@given(st.binary(max_size=60))
def test_whatever_bytes_are_read_the_error_is_one_of_ours(body: bytes) -> None:
    with pytest.raises(GeometryError, match=r"\w"):
        parse(body + b"]")


def test_arrays_nested_too_deeply_are_refused() -> None:
    with pytest.raises(GeometryError, match="nested too deeply"):
        parse("[" * 200_000)
