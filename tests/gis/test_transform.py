"""Between WGS 84 and Web Mercator."""

from __future__ import annotations

import numpy
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import GeometryError
from toolkit.gis.transform import LIMIT_LATITUDE, from_web_mercator, to_web_mercator, transform


def test_known_positions_agree_with_epsg() -> None:
    # EPSG Guidance Note 7-2, method 1024: 24°22'54.433"N, 100°20'00"W is E -11169055.58, N 2800000.00.
    found = to_web_mercator(numpy.array([[-100 - 20 / 60, 24 + 22 / 60 + 54.433 / 3600], [180, LIMIT_LATITUDE]]))
    assert found[0] == pytest.approx([-11169055.58, 2800000.00], abs=0.01)
    assert found[1] == pytest.approx([20037508.342789244, 20037508.342789244], abs=1e-6)


@given(st.floats(-180, 180), st.floats(-89.99, 89.99))
def test_there_and_back_is_the_identity(lon: float, lat: float) -> None:
    back = from_web_mercator(to_web_mercator(numpy.array([[lon, lat]])))
    assert back[0] == pytest.approx([lon, lat], abs=1e-9)


def test_geometries_keep_their_kind_and_height() -> None:
    shape = shapely.LineString([(0, 0, 5), (1, 1, 6)])
    moved = transform(shape, 4326, 3857)
    assert moved.geom_type == "LineString"
    assert [z for _, _, z in moved.coords] == [5, 6]
    assert transform(moved, 3857, 4326).equals_exact(shape, 1e-9)
    assert transform(shape, 4326, 4326) is shape


def test_the_poles_stay_finite() -> None:
    assert numpy.isfinite(to_web_mercator(numpy.array([[0.0, 90.0], [0.0, -90.0]]))).all()


def test_other_systems_ask_for_pyproj() -> None:
    try:
        import pyproj  # noqa: F401
    except ImportError:
        with pytest.raises(GeometryError, match="SRID 4326 to 25832 needs pyproj"):
            transform(shapely.Point(9, 48), 4326, 25832)
