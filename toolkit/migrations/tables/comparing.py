"""How tables that are there differ from their models.

Nothing is guessed about how a database spells a type: the table that a model asks for is made in a scratch place
(a database in memory, temporary tables), and both are read by the same eyes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from toolkit.errors import MigrationError
from toolkit.migrations.editors.statements import tables_of
from toolkit.migrations.tables import mysql, postgresql, sqlite
from toolkit.migrations.tables.information import Column, TableInfo


class Reader(Protocol):
    """A module that reads the tables of one kind of database."""

    def present(self, database: Any, tables: Iterable[str]) -> set[str]:
        """Those of some tables that are there."""

    def read(self, database: Any, tables: Iterable[str]) -> dict[str, TableInfo]:
        """What those of some tables are like that are there."""

    def expected(self, database: Any, models: Sequence[Any]) -> dict[Any, TableInfo]:
        """What the tables of some models look like when they are made now."""


READERS: dict[str, Reader] = {"sqlite": sqlite, "postgresql": postgresql, "mysql": mysql}


def reader_of(database: Any) -> Reader:
    """Who reads the tables of a database.

    Raises:
        MigrationError: Nobody.
    """
    try:
        return READERS[database.dialect]
    except KeyError:
        raise MigrationError(
            f"migrations do not know {database.dialect} yet", hint=f"Use one of: {', '.join(READERS)}."
        ) from None


def read_table(database: Any, table: str) -> TableInfo | None:
    """The table of this name as it is, or None when there is none."""
    return reader_of(database).read(database, [table]).get(table)


def differences(database: Any, models: Iterable[Any]) -> list[MigrationError]:
    """How the tables that are there differ from their models; missing tables are not told."""
    models = list(models)
    found = reader_of(database).read(database, {model._meta.table for model in models})
    actual = {model: found[model._meta.table] for model in models if model._meta.table in found}
    tables_of(list(actual), database)
    expected = reader_of(database).expected(database, list(actual)) if actual else {}
    return [problem for model, info in actual.items() for problem in _compared(model, info, expected[model])]


def missing_tables(database: Any, models: Iterable[Any]) -> list[Any]:
    """The models whose tables are not there."""
    models = list(models)
    present = reader_of(database).present(database, {model._meta.table for model in models})
    return [model for model in models if model._meta.table not in present]


def _compared(model: Any, actual: TableInfo, expected: TableInfo) -> Iterator[MigrationError]:
    table = model._meta.table
    for name, column in expected.columns.items():
        found = actual.columns.get(name)
        if found is None:
            yield _problem(table, name, f"the table has no column {name!r}, and {model._meta.label} does")
        elif found.kind != column.kind:
            yield _problem(table, name, f"the column is {found.kind}, and {model._meta.label} wants {column.kind}")
        elif found.null != column.null:
            yield _problem(table, name, f"the column {_allows(found)} NULL, and {model._meta.label} {_wants(column)}")
        else:
            yield from _compared_extras(model, name, found, column)
    for name, found in actual.columns.items():
        if name not in expected.columns and not found.optional:
            message = f"the table has a column {name!r} that needs a value, and {model._meta.label} does not know it"
            yield _problem(table, name, message)
    for text in sorted(expected.constraints - actual.constraints):
        yield _problem(table, None, f"the table lacks the constraint {text}")
    for text in sorted(actual.constraints - expected.constraints):
        yield _problem(table, None, f"the table has the constraint {text}, which {model._meta.label} does not know")
    if actual.comment != expected.comment:
        yield _problem(
            table, None, f"the comment is {actual.comment!r}, and {model._meta.label} wants {expected.comment!r}"
        )
    for name, text in expected.indexes.items():
        if actual.indexes.get(name) != text:
            state = "lacks the index" if name not in actual.indexes else "has another index called"
            yield _problem(table, None, f"the table {state} {name}")


def _compared_extras(model: Any, name: str, actual: Column, expected: Column) -> Iterator[MigrationError]:
    for what in ("default", "generated", "comment"):
        found, wanted = getattr(actual, what), getattr(expected, what)
        if found != wanted:
            message = f"its {what} is {found or 'none'}, and {model._meta.label} wants {wanted or 'none'}"
            yield _problem(model._meta.table, name, message)


def _problem(table: str, column: str | None, message: str) -> MigrationError:
    return MigrationError(
        message,
        path=table,
        column=column,
        hint="Mend the table; or take the change back, begin migrations with the tables as they are ('toolkit "
        "migrations make APP', then 'apply'), and make it again.",
    )


def _allows(column: Column) -> str:
    return "allows" if column.null else "refuses"


def _wants(column: Column) -> str:
    return "wants it" if column.null else "does not"
