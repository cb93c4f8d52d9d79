"""Models that a test declares for itself, and databases with their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.servers import opened_apart
from toolkit.migrations import create_tables
from toolkit.models.resolve import resolve_models
from toolkit.models.schema import Schema


def resolved(declared: Mapping[str, Sequence[Any]]) -> list[Any]:
    """The models of apps, by label, with those that are made for them: tables between, translations."""
    found, problems = resolve_models({label: list(models) for label, models in declared.items()})
    assert not problems, problems
    return found


def opened_with(url: str, models: Sequence[Any]) -> Any:
    """A database at a URL, in a place of its own, with the tables of models. ``drop`` takes it away."""
    database = opened_apart(url)
    database.schema = Schema(models, database.dialect)
    create_tables(database, models)
    return database
