"""Models with geometry on a SQLite database in memory, inside a scope."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.schema import CreateTable

from toolkit import models
from toolkit.database.connections import Database
from toolkit.gis import fields
from toolkit.models.resolve import resolve_models
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered


def declare() -> dict[str, Any]:
    """Fresh model classes: resolving changes them."""

    class District(models.Model):
        name = models.CharField(max_length=40)
        area = fields.PolygonField(null=True, blank=True)

    class Place(models.Model):
        name = models.CharField(max_length=40)
        geometry = fields.GeometryField(null=True, blank=True)
        district = models.ForeignKey(District, on_delete=models.CASCADE, null=True, related_name="places")

    class Mark(models.Model):
        spot = fields.PointField(spatial_index=False)

    class Tile(models.Model):
        shape = fields.GeometryField(srid=3857)

    return {model.__name__: model for model in (District, Place, Mark, Tile)}


@pytest.fixture
def world() -> Iterator[SimpleNamespace]:
    """The models, by name, and the database; the scope is entered."""
    found = declare()
    everything, problems = resolve_models({"town": list(found.values())})
    assert not problems
    database: Any = Database("sqlite://")
    database.schema = Schema(everything, "sqlite")
    for field in geometry_fields(everything):
        field.prepare_database(database)
    with database.atomic():
        for table in database.schema.metadata.sorted_tables:
            database.execute(str(CreateTable(table).compile(dialect=_dialect())))
        for field in geometry_fields(everything):
            field.after_create(database)
    with entered(Scope(site=None, database=database)):
        yield SimpleNamespace(database=database, **found)
    database.close()


def geometry_fields(everything: list[Any]) -> list[Any]:
    """The fields that need something besides their column."""
    return [field for model in everything for field in model._meta.fields if hasattr(field, "after_create")]


def _dialect() -> Any:
    from sqlalchemy.dialects import sqlite

    return sqlite.dialect()
