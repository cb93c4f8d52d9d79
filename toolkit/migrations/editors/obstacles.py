"""Rows that stand in the way of a change, found before anything is done, and named.

A database says that there is a duplicate; whoever has to mend it needs the rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from toolkit.errors import MigrationError, Problems, ToolkitError
from toolkit.migrations.editors.conversions import same_storage, shortest
from toolkit.migrations.editors.statements import table_of
from toolkit.migrations.fields import usable_default
from toolkit.models.fields import MISSING

SHOWN_GROUPS = 10
SHOWN_ROWS = 5


def check_obstacles(editor: Any, old: Any, new: Any, *, fills: Mapping[str, Any]) -> None:
    """Refuse a change that rows do not allow.

    Args:
        editor: Of the database.
        old: The model as it was.
        new: The model as it shall be.
        fills: Field name to what rows get that have no value.

    Raises:
        Problems: Each with the rows, by their keys.
    """
    search = _Search(editor, old, new, fills)
    problems = [*search.long_texts(), *search.duplicates(), *search.broken_checks(), *search.orphans()]
    if problems:
        raise Problems(
            problems,
            summary=f"{new._meta.label}: rows stand in the way. Mend them, or do it in a RunPython before",
        )


class _Search:
    """Looks through a table as it is, for what its columns that stay must meet from now on."""

    def __init__(self, editor: Any, old: Any, new: Any, fills: Mapping[str, Any]) -> None:
        self._editor, self._old, self._new, self._fills = editor, old, new, fills
        self._before, self._after = table_of(old, editor.database), table_of(new, editor.database)
        self._table = old._meta.table
        self._name = editor.quote(self._table)
        self._key = editor.quote(old._meta.key[0].column)
        known = {field.name: field for field in old._meta.local_fields}
        self._staying = {
            field.column
            for field in new._meta.local_fields
            if field.name in known
            and known[field.name].column == field.column
            and same_storage(known[field.name], field)
        }

    def long_texts(self) -> Iterator[ToolkitError]:
        """Texts that do not fit a length that is shorter now."""
        before = {field.name: field for field in self._old._meta.local_fields}
        function = "length" if self._editor.mark == "?" else "char_length"
        for field in self._new._meta.local_fields:
            old = before.get(field.name)
            limit = None if old is None or not same_storage(old, field) else shortest(old, field)
            if old is None or limit is None:
                continue
            length = f"{function}({self._editor.quote(old.column)})"
            sql = f"SELECT {self._key}, {length} FROM {self._name} WHERE {length} > {limit} ORDER BY 1 LIMIT 20"  # noqa: S608 - quoted
            for row, found in self._fetch(sql):
                yield self._problem(f"row {row}, {field.name}: {found} characters, {limit} are allowed")

    def duplicates(self) -> Iterator[ToolkitError]:
        """Rows that agree where no two may any more."""
        known = set(self._uniques(self._before))
        for terms, where, columns in self._uniques(self._after):
            if (terms, where, columns) in known:
                continue
            if columns <= self._staying and self._speaks_of_staying(" ".join((*terms, where))):
                yield from self._same(terms, where)
            elif len(columns) == 1 and not where:
                yield from self._one_for_all(next(iter(columns)))

    def broken_checks(self) -> Iterator[ToolkitError]:
        """Rows that do not meet a condition that all must meet from now on."""
        known = self._checks(self._before)
        for text in self._checks(self._after) - known:
            if self._speaks_of_staying(text):
                rows = self._fetch(
                    f"SELECT {self._key} FROM {self._name} WHERE NOT ({self._escaped(text)}) ORDER BY 1"  # noqa: S608 - a declared condition
                )
                if rows:
                    yield self._problem(f"{_rows(rows)} {_do_not(rows)} meet the condition {text}")

    def orphans(self) -> Iterator[ToolkitError]:
        """Rows that refer to rows that are not there."""
        known = set(self._keys(self._before))
        for column, target, other in set(self._keys(self._after)) - known:
            if column not in self._staying or not self._is_there(target):
                continue
            own, table, key = (self._editor.quote(name) for name in (column, target, other))
            rows = self._fetch(
                f"SELECT {self._key} FROM {self._name} WHERE {own} IS NOT NULL "  # noqa: S608 - quoted
                f"AND NOT EXISTS (SELECT 1 FROM {table} other WHERE other.{key} = {self._name}.{own}) ORDER BY 1"
            )
            if rows:
                yield self._problem(f"{_rows(rows)}: {column} refers to rows of {target} that are not there")

    # what tables say

    def _uniques(self, table: Any) -> Iterator[tuple[tuple[str, ...], str, frozenset[str]]]:
        import sqlalchemy as sa

        for constraint in table.constraints:
            if isinstance(constraint, sa.UniqueConstraint):
                names = [column.name for column in constraint.columns]
                yield tuple(self._editor.quote(name) for name in names), "", frozenset(names)
        for index in table.indexes:
            if index.unique:
                where = index.dialect_options[self._editor.database.dialect].get("where")
                terms = tuple(re.sub(r" (ASC|DESC)$", "", self._text(item)) for item in index.expressions)
                yield terms, "" if where is None else self._text(where), frozenset(c.name for c in index.columns)

    def _checks(self, table: Any) -> set[str]:
        import sqlalchemy as sa

        return {self._text(item.sqltext) for item in table.constraints if isinstance(item, sa.CheckConstraint)}

    def _keys(self, table: Any) -> Iterator[tuple[str, str, str]]:
        for constraint in table.foreign_key_constraints:
            if len(constraint.elements) == 1:
                target = constraint.elements[0].column
                yield constraint.columns[0].name, target.table.name, target.name

    def _text(self, item: Any) -> str:
        dialect = self._editor.database.sqlalchemy_dialect
        compiled = item.compile(dialect=dialect, compile_kwargs={"literal_binds": True, "include_table": False})
        return str(compiled).replace("%%", "%")

    def _speaks_of_staying(self, text: str) -> bool:
        """Whether SQL names no column that comes or changes."""
        words = set(re.findall(r"\w+", text))
        others = {column.name for column in self._after.columns} - self._staying
        return not words & others

    # what rows say

    def _same(self, terms: Sequence[str], where: str) -> Iterator[ToolkitError]:
        listed = ", ".join(self._escaped(term) for term in terms)
        present = " AND ".join(f"{self._escaped(term)} IS NOT NULL" for term in terms)
        present += f" AND ({self._escaped(where)})" if where else ""
        groups = self._fetch(
            f"SELECT {listed} FROM {self._name} WHERE {present} GROUP BY {listed} HAVING count(*) > 1 "  # noqa: S608 - quoted
            f"ORDER BY {listed} LIMIT {SHOWN_GROUPS}"
        )
        for values in groups:
            equal = " AND ".join(f"{self._escaped(term)} = {self._editor.mark}" for term in terms)
            rows = self._fetch(
                f"SELECT {self._key} FROM {self._name} WHERE {present} AND {equal} ORDER BY 1",  # noqa: S608 - quoted
                values,
            )
            said = ", ".join(
                f"{term.strip('`').strip(chr(34))} = {value!r}" for term, value in zip(terms, values, strict=True)
            )
            yield self._problem(f"{_rows(rows)} all have {said}, which must be unique")

    def _one_for_all(self, column: str) -> Iterator[ToolkitError]:
        field = next(one for one in self._new._meta.local_fields if one.column == column)
        if field.name in {one.name for one in self._old._meta.local_fields}:
            return
        value = self._fills.get(field.name, MISSING)
        if value is MISSING and self._after.c[column].server_default is not None:
            value = "the database's default"
        value = usable_default(field) if value is MISSING else value
        if callable(value) or value is None or value is MISSING:
            return
        if (number := self._editor.count(self._table)) > 1:
            yield self._problem(f"{field.name} must be unique, and all {number} rows would get {value!r}")

    def _is_there(self, table: str) -> bool:
        return bool(self._editor.database.has_table(table))

    def _escaped(self, text: str) -> str:
        return text if self._editor.mark == "?" else text.replace("%", "%%")

    def _fetch(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        return list(self._editor.database.fetch(sql, tuple(values)))

    def _problem(self, message: str) -> ToolkitError:
        return MigrationError(f"{self._table}, {message}")


def _rows(rows: Sequence[Any]) -> str:
    shown = ", ".join(str(row[0]) for row in rows[:SHOWN_ROWS])
    more = f" and {len(rows) - SHOWN_ROWS} more" if len(rows) > SHOWN_ROWS else ""
    return f"row{'s' if len(rows) > 1 else ''} {shown}{more}"


def _do_not(rows: Sequence[Any]) -> str:
    return "does not" if len(rows) == 1 else "do not"
