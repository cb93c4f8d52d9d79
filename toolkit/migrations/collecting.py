"""The SQL that a migration would run, without running it on the site's database."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

from toolkit.errors import ToolkitError
from toolkit.migrations.editors.base import Editor
from toolkit.migrations.editors.sessions import editor_of
from toolkit.migrations.editors.sqlite import SqliteEditor
from toolkit.migrations.graph import LoadedMigration
from toolkit.migrations.operations.operation import Operation
from toolkit.migrations.operations.special import RunPython, RunSQL
from toolkit.migrations.state import ProjectState


def sql_of(
    database: Any, migration: LoadedMigration, *, before: ProjectState, backwards: bool = False, place: Any = None
) -> list[str]:
    """The statements of a migration, each operation with a comment before it.

    Nothing is read or written: for SQLite the tables are made in memory as they are before, for servers the
    statements are those for tables without rows.

    Args:
        database: Whose SQL it shall be.
        migration: The migration.
        before: The models before it.
        backwards: What undoes it.
        place: Says which models have their tables there; None for all.
    """
    acts: list[tuple[Operation, ProjectState, ProjectState]] = []
    state = before
    for operation in migration.operations:
        after = operation.change(migration.app, state)
        acts.append((operation, state, after))
        state = after
    lines: list[str] = []
    tables = {model.table for _, *states in acts for known in states for model in known.models.values()}
    editor = _editor(database, before if not backwards else state, lines, tables)
    editor.place = place
    editor.remark = lambda text: lines.append(f"-- ({text})")
    for operation, earlier, later in acts[::-1] if backwards else acts:
        lines.append(f"-- {'Undo: ' if backwards else ''}{operation.describe()}")
        _collect(operation, migration.app, editor, lines, (earlier, later), backwards=backwards)
    if database.dialect == "mysql" and not all(line.isascii() for line in lines):
        lines.insert(0, "SET NAMES utf8mb4;")  # whatever the client takes its text for
    return lines


def _collect(
    operation: Operation,
    app: str,
    editor: Editor,
    lines: list[str],
    states: tuple[ProjectState, ProjectState],
    *,
    backwards: bool,
) -> None:
    if not operation.concerns(app, editor.place, before=states[0], after=states[1]):
        lines.append("-- (in another database)")
        return
    if isinstance(operation, RunPython):
        lines.append("-- (Python, which is no SQL)")
        return
    if backwards and not operation.reversible:
        lines.append("-- (has no way back)")
        return
    start = len(lines)
    do = operation.revert if backwards else operation.apply
    try:
        do(app, editor, before=states[0], after=states[1])
    except ToolkitError as error:
        if not isinstance(operation, RunSQL):
            raise
        lines.append(f"-- ({error.message})")
    if len(lines) == start:
        lines.append("-- (nothing to do in the database)")


def _editor(database: Any, state: ProjectState, lines: list[str], tables: Collection[str]) -> Editor:
    if database.dialect == "sqlite":
        return _in_memory(database, state, lines)
    return type(editor_of(database))(_Unasked(database, lines, tables))


def _in_memory(database: Any, state: ProjectState, lines: list[str]) -> Editor:
    scratch = database.empty_twin()
    scratch.execute("PRAGMA foreign_keys = OFF")
    SqliteEditor(scratch).create_all(list(state.classes().values()))
    editor = _SqliteCollector(scratch)
    editor.lines = lines
    return editor


class _SqliteCollector(SqliteEditor):
    """Works on tables in memory, and keeps what it runs."""

    lines: list[str]

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        if "toolkit_probe" not in sql:
            self.lines.append(f"{_with_values(sql, parameters, 'sqlite')};")
        super().execute(sql, parameters)

    def execute_aside(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self.lines.append(f"{_with_values(sql, parameters, 'sqlite')};")
        super().execute_aside(sql, parameters)


class _Unasked:
    """A server that is not asked: it has tables, but no rows and no columns, and keeps what it is told."""

    def __init__(self, database: Any, lines: list[str], tables: Collection[str]) -> None:
        self.dialect, self.spelling = database.dialect, database.spelling
        self.sqlalchemy_dialect = database.sqlalchemy_dialect
        self.transaction: Any = None
        self.backend = self
        self._lines, self._tables = lines, tables

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Keep a statement."""
        text = _with_values(sql, parameters, self.dialect)
        has_body = self.dialect == "mysql" and _BODY.search(text)
        self._lines.append(f"DELIMITER $$\n{text}$$\nDELIMITER ;" if has_body else f"{text};")

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Keep a statement that would be run for each row."""
        self._lines.append(f"{sql.replace('%%', '%')};")

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """No rows; of counts, nothing."""
        counts = sql.lstrip().lower().startswith("select count(")
        return [(0,)] if counts else []

    def table_names(self) -> list[str]:
        """All that there are at any moment of the migration."""
        return list(self._tables)

    def keys_were_given(self, database: Any, table: str, column: str) -> None:
        """Nothing: there are no rows."""


_MARKS = {
    "sqlite": re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|(\?)"""),
    "postgresql": re.compile(r"%(s)|%%"),
    "mysql": re.compile(r"%(s)|%%"),
}
"""What stands for a value in a statement, and what is passed over on the way: texts, and doubled percent signs."""


_BODY = re.compile(r"\bCREATE\b.*\b(?:TRIGGER|PROCEDURE|FUNCTION|EVENT)\b.*\bBEGIN\b.*;", re.IGNORECASE | re.DOTALL)
"""A statement with others inside of it, at whose semicolons MariaDB's client would cut it."""


def _with_values(sql: str, parameters: Sequence[Any], dialect: str) -> str:
    """A statement as the client of a database takes it, with its values written out."""
    if dialect == "sqlite" and not parameters:
        return sql
    values = iter(parameters)

    def written(found: re.Match[str]) -> str:
        return _written(next(values), dialect) if found[1] else found[0].replace("%%", "%")

    return _MARKS[dialect].sub(written, sql)


def _written(value: Any, dialect: str) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool | int | float | Decimal):
        return str(value)
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'" if dialect == "postgresql" else f"X'{value.hex()}'"
    text = str(value).replace("'", "''")
    return "'" + (text.replace("\\", "\\\\").replace("\0", "\\0") if dialect == "mysql" else text) + "'"
