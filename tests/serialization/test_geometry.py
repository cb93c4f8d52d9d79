"""Places on the map, in every format, on the databases that keep them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely

from tests.migrations.conftest import fresh_database
from tests.serialization.world import FORMATS
from toolkit import gis, models
from toolkit.errors import Problems
from toolkit.migrations import create_tables
from toolkit.models.resolve import resolve_models
from toolkit.models.schema import Schema
from toolkit.serialization import Loaded, dump, format_of, load
from toolkit.trace import Scope, entered


class Spot(models.Model):
    name = models.CharField(max_length=20, translated=True)
    point = gis.PointField()
    area = gis.GeometryField(null=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def spots(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scope]:
    resolved, problems = resolve_models({"atlas": [Spot]})
    assert not problems, problems
    with fresh_database(request.param, tmp_path) as database:
        if database.dialect == "postgresql" and not database.fetch("SELECT 1 FROM pg_type WHERE typname = 'geometry'"):
            pytest.skip("the server of TOOLKIT_TEST_DATABASES has no PostGIS in this database")
        database.schema = Schema(resolved, database.dialect)
        for field in Spot._meta.fields:
            if hasattr(field, "prepare_database"):
                field.prepare_database(database)
        create_tables(database, resolved)
        with entered(Scope(None, database)) as scope:
            yield scope


def test_what_is_wrong_with_a_geometry_is_told_with_its_place(spots: Scope) -> None:
    wrong = {
        '"POINT (nan 1)"': "Point has the position (nan, 1.0), which is no finite number",
        '"LINESTRING (0 0, 1 1)"': "a LineString is not a Point",
        '{"type": "Point", "coordinates": [[1, 2]]}': "the geometry.coordinates is [[1, 2]], and must be a position: "
        "[longitude, latitude]",
    }
    record = '{"model": "atlas.Spot", "fields": {"name": "Quay", "point": %s}}\n'
    with pytest.raises(Problems, match="found") as caught:
        load(spots, format_of("jsonl"), io.BytesIO("".join(record % each for each in wrong).encode()), path="a.jsonl")
    assert [str(each) for each in caught.value.problems] == [
        f"a.jsonl:{line}:point: {told}" for line, told in enumerate(wrong.values(), 1)
    ]
    load(spots, format_of("jsonl"), io.BytesIO((record % '{"type": "Point", "coordinates": [1, 2]}').encode()))
    assert Spot.objects.get().point == shapely.Point(1, 2)


def test_geometries_come_back_to_the_last_digit(spots: Scope) -> None:
    ring = shapely.Polygon([(0.1, 0.2), (1 / 3, 2.5), (-7.25, 1e-9)])
    spot = Spot.objects.create(name="Quay", point=shapely.Point(-3.123456789012345, 43.4), area=ring)
    spot.translate("es", name="Muelle")
    Spot.objects.create(name="Nowhere", point=shapely.Point(0, 0), area=shapely.GeometryCollection([ring]))
    for kind in FORMATS:
        out = io.StringIO(newline="")
        dump(spots, format_of(kind), out)
        assert load(spots, format_of(kind), io.BytesIO(out.getvalue().encode())) == Loaded(unchanged=2)
        before: list[Any] = [shapely.to_wkb(one.area) for one in Spot.objects.order_by("pk")]
        for one in Spot.objects.all():
            one.delete()
        assert load(spots, format_of(kind), io.BytesIO(out.getvalue().encode())) == Loaded(added=2)
        assert [shapely.to_wkb(one.area) for one in Spot.objects.order_by("pk")] == before
