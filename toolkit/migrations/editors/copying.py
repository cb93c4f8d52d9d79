"""Copying the rows of a SQLite table into the table that takes its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from toolkit.errors import DatabaseError
from toolkit.migrations.editors.base import Editor
from toolkit.migrations.editors.conversions import Refusals, conversion, same_storage
from toolkit.migrations.editors.statements import table_of
from toolkit.migrations.tables.definitions import TableSQL, quote


def copied_columns(database: Any, old: Any, new: Any, *, parts: TableSQL, actual: TableSQL) -> list[str]:
    """The columns that no model knows and that are copied as they are.

    Generated columns are left out, they make themselves. The rowid is copied where it is no column: full-text
    tables refer to it.
    """
    known = {field.column for field in (*old._meta.local_fields, *new._meta.local_fields)}
    rows = database.fetch(f"PRAGMA table_xinfo({quote(old._meta.table)})")
    stored = [name for _, name, _, _, _, _, hidden in rows if hidden == 0]
    others = [name for name in stored if name not in known and name in parts.columns]
    return [*others, *(["rowid"] if _has_hidden_rowid(rows, actual) else [])]


def _has_hidden_rowid(rows: list[Any], actual: TableSQL) -> bool:
    if "WITHOUT" in actual.suffix.upper() or any(row[1].casefold() == "rowid" for row in rows):
        return False
    keys = [row for row in rows if row[5]]
    return not (len(keys) == 1 and keys[0][2].upper() == "INTEGER")


class Copy:
    """One copy, with the conversions and fillings that the change of the model asks for.

    Args:
        editor: Of the database.
        old: The model whose table is read.
        new: The model whose table is written.
        fills: Field name to what rows get that have no value.
        sources: The SQL of what fields get, by name, where it is not what they had.
    """

    def __init__(
        self,
        editor: Editor,
        old: Any,
        new: Any,
        *,
        fills: Mapping[str, Any],
        sources: Mapping[str, str] | None = None,
    ) -> None:
        self._editor, self._old, self._new, self._fills = editor, old, new, fills
        self._sources = sources or {}
        self._refusals = Refusals(new)
        self._functions = 0
        self._table_made = table_of(new, editor.database)

    def run(self, scratch: str, *, columns: list[str]) -> None:
        """Copy all rows.

        Args:
            scratch: The table to fill.
            columns: Columns that no model knows, copied as they are.

        Raises:
            Problems: Values that the new fields refuse, each with its row.
        """
        expressions = {quote(name): (quote(name) if name != "rowid" else name) for name in columns}
        parameters: list[Any] = []
        for field in self._new._meta.local_fields:
            if not self._makes_itself(field):
                expression, values = self._expression(field)
                expressions[quote(field.column)] = expression
                parameters += values
        names, sources = ", ".join(expressions), ", ".join(expressions.values())
        statement = f"INSERT INTO {quote(scratch)} ({names}) SELECT {sources} FROM {quote(self._table)}"  # noqa: S608 - quoted
        try:
            self._editor.execute(statement, parameters)
        except DatabaseError:
            self._refusals.check()  # a value that was refused tells more than the constraint that it breaks
            raise
        self._refusals.check()

    @property
    def _table(self) -> str:
        return str(self._old._meta.table)

    def _makes_itself(self, field: Any) -> bool:
        """Whether the database gives a column its values: by an expression, or new rows by a default."""
        column = self._table_made.c[field.column]
        is_new = field.name not in self._old._meta.by_name and field.name not in self._fills
        return column.computed is not None or (is_new and column.server_default is not None)

    def _expression(self, field: Any) -> tuple[str, list[Any]]:
        """The SQL that gives a column's value, and its parameters."""
        if field.name in self._sources:
            return self._sources[field.name], []
        before = self._old._meta.by_name.get(field.name)
        if before is None:
            return self._made(field, "")
        source = quote(before.column)
        if not same_storage(before, field):
            source = self._converted(before, field, source)
        if before.null and not field.null:
            return self._made(field, source)
        return source, []

    def _made(self, field: Any, source: str) -> tuple[str, list[Any]]:
        """A value for rows that have none, or where ``source`` is NULL."""
        default = self._default(field) if source else None
        if default is not None:
            return f"coalesce({source}, {default})", []
        condition = f"{quote(self._old._meta.by_name[field.name].column)} IS NULL" if source else ""
        value = self._editor.value_for(field, self._fills, rows=lambda: self._editor.count(self._table, condition))
        if callable(value):
            made, values = f"{self._register(value, 0)}()", []
        else:
            made, values = "?", [value]
        return (f"coalesce({source}, {made})" if source else made), values

    def _default(self, field: Any) -> str | None:
        """What the database would give, as SQL, if nothing else is said."""
        column = self._table_made.c[field.column]
        if field.name in self._fills or column.server_default is None:
            return None
        dialect = self._editor.database.sqlalchemy_dialect
        return f"({dialect.ddl_compiler(dialect, None).get_column_default_string(column)})"

    def _converted(self, old: Any, new: Any, source: str) -> str:
        plain = conversion(old, new, dialect="sqlite", lossy=new.name in self._editor.lossy)
        convert = self._refusals.guarded(plain, new)
        return f"{self._register(convert, 2)}({source}, {quote(self._old._meta.key[0].column)})"

    def _register(self, function: Callable[..., Any], arguments: int) -> str:
        self._functions += 1
        name = f"toolkit_migrate_{self._functions}"
        self._editor.remark(f"{name} is a function in Python, which only the toolkit has")
        self._editor.database.connection.create_function(name, arguments, function)
        return name
