"""First migrations whose tables are there already, and that are only noted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from toolkit.errors import MigrationError, Problems
from toolkit.migrations.executor import Executor, Step
from toolkit.migrations.operations.models import CreateModel
from toolkit.migrations.tables.comparing import read_table
from toolkit.migrations.tables.information import TableInfo


def noted_where_there(executor: Executor, steps: Iterable[Step]) -> list[Step]:
    """The steps of a plan; an app's first whose tables are all there is only noted.

    Args:
        executor: Of the database.
        steps: From its ``plan``.

    Raises:
        Problems: Some of a migration's tables are there and others not, or they lack columns. Nothing was done.
    """
    begun = {(one.app, one.name) for one in executor.interrupted()}  # their tables are there, and not all of them
    found: list[Step] = []
    problems: list[MigrationError] = []
    for step in steps:
        models = _made_first(executor, step) if step.migration.key not in begun else []
        there = {model: table for model in models if (table := read_table(executor.database, model._meta.table))}
        if there:
            problems += _missing(step, models, there)
        found.append(replace(step, faked=bool(there)))
    if problems:
        raise Problems(problems, summary="first migrations cannot be noted as done; nothing was changed")
    return found


def _made_first(executor: Executor, step: Step) -> list[Any]:
    """The models whose tables a step makes, if it is its app's first."""
    migration = step.migration
    made = [one.name for one in migration.operations if isinstance(one, CreateModel)]
    if step.backwards or not made or any(key[0] == migration.app for key in migration.dependencies):
        return []
    graph = executor.graph
    state = migration.change(graph.state(executor.start, upto=graph.before(migration.key) - {migration.key}))
    models = [state.get(migration.app, name) for name in made]
    labels = [model.label for model in models if executor.place.has(model) and not model.is_proxy]
    classes = state.classes(labels)
    return [classes[label] for label in labels]


def _missing(step: Step, models: Iterable[Any], there: Mapping[Any, TableInfo]) -> Iterator[MigrationError]:
    """What is not there of the tables that a migration makes."""
    hint = f"Mend the tables; or, if they are right as they are: toolkit migrations apply {step.migration} --fake."
    for model in models:
        table = model._meta.table
        columns = [field.column for field in model._meta.local_fields]
        lost = [name for name in columns if model in there and name not in there[model].columns]
        if model not in there:
            told = f"{step.migration} makes the table {table}, which is not there, while {_named(there)} is"
            yield MigrationError(told, path=step.migration.path, hint=hint)
        elif lost:
            told = (
                f"{step.migration} makes the table {table} with {', '.join(lost)}, and the one that is there has none"
            )
            yield MigrationError(told, path=step.migration.path, hint=hint)


def _named(there: Iterable[Any]) -> str:
    return next(str(model._meta.table) for model in there)
