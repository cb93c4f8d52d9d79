"""Which part of an image is shown, in which sizes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import ImageError
from toolkit.images import Operations, Options, parse_focal
from toolkit.images.operations import Box, crop_box, layout, make_operations

sides = st.integers(1, 9000)
parts = st.floats(0, 1)


def test_widths_are_offered_up_to_that_of_the_image() -> None:
    operations = make_operations(widths=[1600, 400, 800, 400])
    assert layout(1000, 500, operations, Options())[1] == [(400, 200), (800, 400), (1000, 500)]
    assert layout(3000, 1500, operations, Options())[1] == [(400, 200), (800, 400), (1600, 800)]
    assert layout(300, 150, operations, Options())[1] == [(300, 150)]


def test_a_crop_keeps_the_focal_point_in_view_and_within_the_edges() -> None:
    assert crop_box(1000, 1000, ratio=(2, 1), focal=(0.5, 0.5)) == Box(0, 250, 1000, 750)
    assert crop_box(1000, 1000, ratio=(2, 1), focal=(0.5, 0.1)) == Box(0, 0, 1000, 500)
    assert crop_box(1000, 500, ratio=(1, 1), focal=(0.9, 0.5)) == Box(500, 0, 1000, 500)


def test_a_filled_box_is_exact_and_offered_twice_for_dense_screens() -> None:
    box, sizes = layout(1000, 1000, make_operations(fill="300x200"), Options())
    assert (box.width, box.height) == (1000, 667)
    assert sizes == [(300, 200), (600, 400)]
    assert layout(400, 400, make_operations(fill="300x200"), Options())[1] == [(300, 200), (400, 267)]


def test_a_fitted_image_stays_whole_within_the_box() -> None:
    box, sizes = layout(1000, 500, make_operations(fit="300x300"), Options())
    assert box == Box(0, 0, 1000, 500)
    assert sizes == [(300, 150), (600, 300)]


@given(sides, sides, st.integers(1, 50), st.integers(1, 50), parts, parts)
def test_a_crop_is_within_the_image_and_has_the_shape(
    width: int, height: int, across: int, down: int, x: float, y: float
) -> None:
    box = crop_box(width, height, ratio=(across, down), focal=(x, y))
    assert 0 <= box.left < box.right <= width
    assert 0 <= box.top < box.bottom <= height
    assert box.width == width or box.height == height
    assert abs(box.width - box.height * across / down) <= max(1, across / down)


@given(sides, sides, st.sampled_from(["scale", "crop", "fit", "fill"]), sides, sides, st.lists(sides, max_size=4))
def test_no_size_is_larger_than_what_is_shown(
    width: int, height: int, mode: str, across: int, down: int, widths: list[int]
) -> None:
    box, sizes = layout(width, height, Operations(tuple(widths), mode, (across, down)), Options())
    assert sizes == sorted(set(sizes))
    assert all(1 <= w <= box.width and 1 <= h <= max(1, box.height) for w, h in sizes)


@pytest.mark.parametrize(
    ("written", "point"),
    [("50% 30%", (0.5, 0.3)), ("0.25,.75", (0.25, 0.75)), ((0, 1), (0.0, 1.0)), ("", (0.5, 0.5)), (None, (0.5, 0.5))],
)
def test_focal_points_are_written_in_several_ways(written: Any, point: tuple[float, float]) -> None:
    assert parse_focal(written) == point


@pytest.mark.parametrize("written", ["middle", "50%", "120% 0%", (2, 0), [0.5], 7, ("a", "b")])
def test_what_is_no_focal_point_is_refused(written: Any) -> None:
    with pytest.raises(ImageError, match="is no focal point"):
        parse_focal(written)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"crop": "wide"}, "crop='wide' is no size"),
        ({"crop": "0x9"}, "crop='0x9' is no size"),
        ({"fit": (1, 99999)}, "is no size: two whole numbers from 1 to 16383"),
        ({"crop": "16x9", "fit": "2x2"}, "one of crop and fit, not both"),
        ({"widths": [0]}, "0 is no width"),
        ({"widths": [20000]}, "20000 is no width"),
        ({"widths": 400}, r"widths=400: a list is expected. Write widths=\[400, 800\]"),
        ({"formats": ["bmp"]}, "'bmp' is no format"),
        ({"formats": "webp"}, r"formats='webp': a list is expected. Write formats=\[\"webp\"\]"),
        ({"quality": 101}, "quality=101"),
        ({"filters": ["sepia"]}, "'sepia' is no filter"),
    ],
)
def test_what_cannot_be_meant_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ImageError, match=message):
        make_operations(**options)


def test_operations_are_the_same_after_they_were_kept_as_text() -> None:
    operations = make_operations(widths=[1, 2], crop="32x18", focal="10% 20%", formats=["jpg"], filters=["blur:8"])
    assert operations.size == (16, 9) and operations.formats == ("jpeg",)
    assert Operations.from_text(operations.text()) == operations
