"""The map drawn at build time."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest
import shapely
from lxml import etree

from toolkit.errors import GeometryError
from toolkit.gis.features import Feature
from toolkit.gis.maps.locator import locator_map
from toolkit.gis.measures import D

SVG = "{http://www.w3.org/2000/svg}"


@dataclass
class Place:
    name: str
    geometry: Any
    kind: str = "landmark"


TOWN = [
    Place("Island", shapely.Point(-4.1, 50.3).buffer(0.05), "area"),
    Place("Bay", shapely.box(-4.09, 50.29, -4.0, 50.31), "water"),
    Place("High Street", shapely.LineString([(-4.12, 50.29), (-4.1, 50.31)]), "street"),
    Place("Tram", shapely.LineString([(-4.13, 50.3), (-4.11, 50.32)]), "line"),
    Place("Town Hall", shapely.Point(-4.11, 50.305)),
    Place("Lighthouse", shapely.Point(-4.08, 50.27)),
    Place("Gauges", shapely.MultiPoint([(-4.09, 50.33), (-4.12, 50.28)])),
]


def parsed(svg: str) -> Any:
    return etree.fromstring(svg)


def texts(svg: str) -> list[str]:
    return [text.text for text in parsed(svg).iter(f"{SVG}text") if "map-label" in text.get("class")]


def test_the_map_is_well_formed_and_named_for_those_who_cannot_see_it() -> None:
    root = parsed(locator_map(TOWN, title="Where <it> was", description='The "old" town & quay'))
    assert root.get("role") == "img"
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert title.text == "Where <it> was"
    assert description.text == 'The "old" town & quay'


def test_the_same_features_give_the_same_bytes_in_any_process() -> None:
    code = (
        "import shapely; from toolkit.gis.maps.locator import locator_map;"
        "from toolkit.gis.features import Feature;"
        "said = lambda i: {'name': f'P{i}', 'kind': 'landmark'};"
        "fs = [Feature(shapely.Point(i / 7, 50 + i / 9), said(i)) for i in range(9)];"
        "print(locator_map(fs, title='T', focus=fs[3]))"
    )
    outputs = set()
    for seed in ("0", "1"):
        environment = {
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": ":".join(sys.path),
            "TZ": "Asia/Tokyo",
            "LC_ALL": "C",
        }
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
        outputs.add(run.stdout)
    assert len(outputs) == 1


def test_kinds_are_drawn_from_the_ground_up_and_the_focus_on_top() -> None:
    root = parsed(locator_map(TOWN, title="T", focus=TOWN[4]))
    drawn = [(each.get("class") or "").split()[0] for each in root if each.tag in (f"{SVG}path", f"{SVG}circle")]
    kinds = [name for name in dict.fromkeys(drawn) if name != "map-scale"]
    assert kinds == ["map-water", "map-area", "map-street", "map-line", "map-landmark", "map-focus"]


def test_a_small_area_lies_above_a_large_one() -> None:
    small, large = (
        Place("Quay", shapely.box(0, 0, 1, 1), "area"),
        Place("Island", shapely.box(-5, -5, 5, 5), "area"),
    )
    one, other = locator_map([small, large], title="T"), locator_map([large, small], title="T")
    assert one == other


def test_several_things_may_be_the_focus_and_give_the_map_its_name() -> None:
    root = parsed(locator_map(TOWN, focus=TOWN[4:6]))
    assert root.find(f"{SVG}title").text == "Town Hall, Lighthouse"
    assert len(root.findall(f"{SVG}circle[@class='map-focus map-dot']")) == 2


def test_the_focus_is_always_named_and_no_other_names_overlap() -> None:
    crowd = [Place(f"Place number {i}", shapely.Point(i / 1000, 50)) for i in range(40)]
    svg = locator_map(crowd, title="T", focus=crowd[20])
    assert "Place number 20" in texts(svg)
    assert 1 < len(texts(svg)) < 40


def test_around_shows_the_surroundings_of_the_focus_only() -> None:
    svg = locator_map(TOWN, title="T", focus=TOWN[5], around=D(m=500))
    assert texts(svg) == ["Lighthouse", "Island"]
    assert "500 m" in svg or "200 m" in svg


def test_shapes_are_clipped_to_the_picture() -> None:
    coast = Place("Coast", shapely.Point(0, 0).buffer(60, quad_segs=5000), "land")
    svg = locator_map([coast, TOWN[4]], title="T", focus=TOWN[4], around=D(km=1))
    numbers = [float(number) for number in re.findall(r"[ML](-?[\d.]+) ", svg)]
    assert numbers and -9 <= min(numbers) <= max(numbers) <= 649
    assert len(svg) < 3000


def test_detail_that_cannot_be_seen_is_left_out() -> None:
    ring = shapely.Point(0, 0).buffer(1, quad_segs=20000)
    assert len(locator_map([Place("Round", ring, "area")], title="T")) < 6000


def test_arabic_names_are_anchored_where_they_begin() -> None:
    place = Place("مكتبة الخليج", shapely.Point(1, 1))
    (text,) = [
        each
        for each in parsed(locator_map([place], title="T", locale="ar")).iter(f"{SVG}text")
        if each.text == place.name
    ]
    assert text.get("direction") == "rtl"
    assert text.get("text-anchor") == "start"
    circle = parsed(locator_map([place], title="T", locale="ar")).find(f"{SVG}circle")
    assert float(text.get("x")) < float(circle.get("cx"))


def test_a_page_in_arabic_does_not_turn_latin_names_around() -> None:
    svg = locator_map([Place("Monte Breixo", shapely.Point(1, 1))], title="T", locale="ar")
    root = parsed(svg)
    (text,) = [each for each in root.iter(f"{SVG}text") if each.text == "Monte Breixo"]
    assert root.get("direction") == "ltr"
    assert text.get("direction") is None
    assert text.get("text-anchor") == "end"


def test_the_scale_speaks_the_page_s_language() -> None:
    assert "km<" in locator_map(TOWN, title="T", locale="en")
    assert "كم" in locator_map(TOWN, title="T", locale="ar")
    assert "км" in locator_map(TOWN, title="T", locale="ru")
    with pytest.raises(GeometryError, match="locale 'xx-nowhere' is not known"):
        locator_map(TOWN, title="T", locale="xx-nowhere")


def test_a_map_of_a_continent_has_no_scale_that_would_lie() -> None:
    wide = [Place("A", shapely.Point(0, 10)), Place("B", shapely.Point(30, 65))]
    assert "map-scale" not in locator_map(wide, title="T")
    assert "map-scale" not in locator_map(TOWN, title="T", scale_bar=False)


def test_islands_on_both_sides_of_180_stand_side_by_side() -> None:
    fiji = [Place("West", shapely.Point(178, -17)), Place("East", shapely.Point(-179, -17))]
    west, east = [float(c.get("cx")) for c in parsed(locator_map(fiji, title="T")).iter(f"{SVG}circle")]
    assert 0 < west < east < 640
    assert east - west > 300
    near = parsed(locator_map(fiji, title="T", focus=fiji[1], around=D(km=400)))
    assert len(list(near.iter(f"{SVG}circle"))) == 2


def test_nothing_to_show_and_no_room_are_refused() -> None:
    with pytest.raises(GeometryError, match="a map has nothing to show"):
        locator_map([Place("Nowhere", None)], title="T", geometry="geometry")
    with pytest.raises(GeometryError, match="no room inside a padding of 24"):
        locator_map(TOWN, title="T", width=40, height=40)


def test_geometries_features_and_other_attributes_are_taken() -> None:
    assert "<circle" in locator_map([shapely.Point(1, 2)], title="T")
    feature = Feature(shapely.Point(1, 2), {"titel": "Rathaus", "art": "street"})
    assert texts(locator_map([feature], title="T", label="titel", kind="art")) == ["Rathaus"]
    assert texts(locator_map(TOWN[4:5], title="T", label=lambda place: place.name.upper())) == ["TOWN HALL"]
    assert texts(locator_map(TOWN, title="T", labels=False)) == []


def test_poles_do_not_run_off_the_picture() -> None:
    svg = locator_map([Place("Ice", shapely.box(-180, -90, 180, -60), "land")], title="T")
    assert "nan" not in svg and "inf" not in svg
