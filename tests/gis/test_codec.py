"""The GeoPackage binary, as written here and as others write it."""

from __future__ import annotations

import struct

import numpy
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import wkt

from toolkit.errors import GeometryError
from toolkit.gis.codec import decode, decode_many, encode, envelope, read_header

SHAPES = [
    "POINT (1.5 2.5)",
    "POINT Z (1 2 3)",
    "LINESTRING (0 0, 1 2, -3 4)",
    "LINESTRING ZM (0 0 1 2, 1 2 3 4)",
    "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 1 2, 2 2, 2 1, 1 1))",
    "MULTIPOINT ((0 0), (5 6))",
    "MULTILINESTRING ((0 0, 1 1), (2 2, 3 0))",
    "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))",
    "GEOMETRYCOLLECTION (POINT (9 9), LINESTRING (0 0, 1 1))",
]
EMPTY = ["POINT EMPTY", "LINESTRING EMPTY", "POLYGON EMPTY", "MULTIPOINT EMPTY", "GEOMETRYCOLLECTION EMPTY"]

coordinates = st.floats(-1e7, 1e7, allow_nan=False)
positions = st.tuples(coordinates, coordinates)


@pytest.mark.parametrize("text", SHAPES + EMPTY)
def test_what_was_encoded_is_decoded_unchanged(text: str) -> None:
    shape = wkt.loads(text)
    blob = encode(shape, 4326)
    assert shapely.equals_identical(decode(blob), shape)
    assert read_header(blob).srid == 4326
    assert read_header(blob).empty == shape.is_empty


@given(st.lists(positions, min_size=2, max_size=30), st.sampled_from([4326, 3857, -1, 0, 25832]))
def test_any_line_keeps_its_bits_and_its_box(path: list[tuple[float, float]], srid: int) -> None:
    line = shapely.LineString(path)
    blob = encode(line, srid)
    assert shapely.equals_identical(decode(blob), line)
    assert envelope(blob) == line.bounds
    assert read_header(blob).srid == srid


@pytest.mark.parametrize("text", SHAPES)
@pytest.mark.parametrize("order", [0, 1])
def test_both_byte_orders_are_read(text: str, order: int) -> None:
    shape = wkt.loads(text)
    sign = "<" if order else ">"
    head = struct.pack(sign + "2sBBi", b"GP", 0, order, 4326)
    blob = head + shapely.to_wkb(shape, byte_order=order, flavor="iso")
    assert shapely.equals_identical(decode(blob), shape)
    assert envelope(blob) == pytest.approx(shape.bounds)


@pytest.mark.parametrize("kind, extra", [(1, 0), (2, 2), (3, 2), (4, 4)])
def test_every_kind_of_envelope_is_read(kind: int, extra: int) -> None:
    line = shapely.LineString([(0, 1), (2, 5)])
    head = struct.pack(f"<2sBBi{4 + extra}d", b"GP", 0, 1 | kind << 1, 4326, 0, 2, 1, 5, *[7.0] * extra)
    blob = head + shapely.to_wkb(line, byte_order=1)
    assert envelope(blob) == (0, 1, 2, 5)
    assert decode(blob) == line


def test_an_envelope_of_nan_means_empty() -> None:
    nan = float("nan")
    head = struct.pack("<2sBBi4d", b"GP", 0, 1 | 1 << 1 | 0x10, 4326, nan, nan, nan, nan)
    blob = head + shapely.to_wkb(shapely.Polygon(), byte_order=1)
    assert envelope(blob) is None
    assert decode(blob).is_empty


def test_points_carry_no_envelope() -> None:
    assert len(encode(shapely.Point(1, 2), 4326)) == 8 + 21


def test_many_blobs_are_decoded_at_once_with_gaps() -> None:
    found = decode_many([encode(shapely.Point(1, 2), 4326), None, encode(wkt.loads(SHAPES[4]), 4326)])
    assert isinstance(found, numpy.ndarray)
    assert found[0] == shapely.Point(1, 2)
    assert found[1] is None
    assert found[2].area == 15


def test_a_bad_blob_among_many_is_named() -> None:
    good = encode(shapely.Point(1, 2), 4326)
    with pytest.raises(GeometryError, match="value 2 of 3 is not a geometry"):
        decode_many([good, good, good[:-4]])


@pytest.mark.parametrize(
    "blob, complaint",
    [
        (b"", "too short"),
        (b"GP\0", "too short"),
        (b"\x01\x01\0\0\0" + b"\0" * 16, "begins with b'GP'"),
        (b"GP\x05\x01" + b"\0" * 25, "version 5 is unknown"),
        (b"GP\0\x21" + b"\0" * 25, "extended"),
        (b"GP\0\x0b" + b"\0" * 60, "flags 0x0b"),
        (b"GP\0\x01\xe6\x10\0\0\x01\x63\0\0\0", "not a geometry"),
        (b"GP\0\x01\xe6\x10\0\0" + struct.pack("<BII2d", 1, 8, 1, 0, 0), "not a geometry: Nonlinear"),
    ],
)
def test_bytes_that_are_no_geometry_say_why(blob: bytes, complaint: str) -> None:
    with pytest.raises(GeometryError, match=complaint):
        decode(blob)


@pytest.mark.parametrize("cut", [9, 12, 15, 20, 30])
def test_a_blob_cut_short_is_refused_by_the_envelope_reader(cut: int) -> None:
    head = struct.pack("<2sBBi", b"GP", 0, 1, 4326)
    blob = head + shapely.to_wkb(shapely.LineString([(0, 0), (1, 1)]), byte_order=1)
    with pytest.raises(GeometryError, match="cut short"):
        envelope(blob[:cut])


def test_a_damaged_count_does_not_ask_for_memory() -> None:
    blob = struct.pack("<2sBBiBII", b"GP", 0, 1, 4326, 1, 2, 0xFFFFFFFF)
    with pytest.raises(GeometryError, match="promises 4294967295 positions"):
        envelope(blob)


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_infinite_coordinates_are_refused(number: float) -> None:
    with numpy.errstate(invalid="ignore"):
        line = shapely.LineString([(0, 0), (number, 1)])
    for geometry in (shapely.Point(number, number), line):
        with pytest.raises(GeometryError, match=r"has the position .* which is no finite number"):
            encode(geometry, 4326)


@given(st.binary(max_size=80), st.integers(0, 255))
def test_whatever_bytes_are_read_the_error_is_one_of_ours(body: bytes, flags: int) -> None:
    blob = b"GP\0" + bytes([flags]) + body
    for read in (decode, envelope, read_header):
        try:
            read(blob)
        except GeometryError:
            continue
