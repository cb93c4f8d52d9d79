"""Rows that stand in the way of a change, found before anything is done, and named.

A database says that there is a duplicate; whoever has to mend it needs the rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from toolkit.errors import MigrationError, Problems, ToolkitError
from toolkit.migrations.editors.conversions import same_storage, shortest
from toolkit.migrations.editors.statements import table_of

SHOWN_GROUPS = 10
SHOWN_ROWS = 5
ASKED_AT_ONCE = 200

ROW = "toolkit_row"
"""What the key of a row is called, beside the columns as they shall be."""

ALIAS = "toolkit_rows"

_ORDER = re.compile(r"( (ASC|DESC))?( NULLS (FIRST|LAST))?$")
"""What stands behind a member of an index, and does not make two rows differ."""


def check_obstacles(
    editor: Any, old: Any, new: Any, *, fills: Mapping[str, Any], converted: Mapping[str, Sequence[Any]]
) -> None:
    """Refuse a change that rows do not allow.

    Args:
        editor: Of the database.
        old: The model as it was.
        new: The model as it shall be.
        fills: Field name to what rows get that have no value.
        converted: Column to its values as they shall be, each before the key of its row.

    Raises:
        Problems: Each with the rows, by their keys.
    """
    search = _Search(editor, old, new, fills)
    problems = [*search.long_texts(), *search.duplicates(), *search.broken_checks(), *search.orphans()]
    for column, values in converted.items():
        problems += [*search.converted_duplicates(column, values), *search.converted_orphans(column, values)]
    if problems:
        raise Problems(
            problems,
            summary=f"{new._meta.label}: rows stand in the way. Mend them, or do it in a RunPython before",
        )


class _Search:
    """Looks through a table as it shall be: its columns under their new names, with what rows get that have no value.

    What Python makes for each row, and what databases compute anew, is not seen.
    """

    def __init__(self, editor: Any, old: Any, new: Any, fills: Mapping[str, Any]) -> None:
        self._editor, self._old, self._new, self._fills = editor, old, new, fills
        self._before, self._after = table_of(old, editor.database), table_of(new, editor.database)
        self._table = old._meta.table
        self._as_before: set[str] = set()
        self._values: list[Any] = []
        sources = dict(self._sources())
        self._seen = set(sources)
        sources[ROW] = editor.quote(old._meta.key[0].column)
        listed = ", ".join(f"{source} AS {editor.quote(column)}" for column, source in sources.items())
        self._name = f"(SELECT {listed} FROM {editor.quote(self._table)}) {ALIAS}"  # noqa: S608 - quoted

    def _sources(self) -> Iterator[tuple[str, str]]:
        """Each column that can be seen, with the SQL of what it shall hold."""
        known = {field.name: field for field in self._old._meta.local_fields}
        fields = [(field, self._after.c[field.column]) for field in self._new._meta.local_fields]
        for field, column in sorted(fields, key=lambda pair: pair[1].computed is not None):
            old = known.get(field.name)
            source = "" if old is None else self._editor.quote(old.column)
            stays = old is not None and self._stays(old, field)
            if old is not None and stays and (field.null or not old.null):
                self._as_before |= {field.column} if old.column == field.column else set()
                yield field.column, source
            elif (stays or old is None) and column.computed is None:
                made = self._made(field, column)
                if made is not None:
                    yield field.column, f"coalesce({source}, {made})" if source else made

    def _stays(self, old: Any, new: Any) -> bool:
        """Whether a column that is there keeps its values; a computed one, what it is computed from."""
        before, after = _computed(self._before.c[old.column]), _computed(self._after.c[new.column])
        if after is None:
            return before is None and same_storage(old, new)
        return before == after and not self._speaks_of_others(after, self._as_before)

    def _made(self, field: Any, column: Any) -> str | None:
        """The SQL of what rows get that have no value, unless each gets one of its own."""
        dialect = self._editor.database.sqlalchemy_dialect
        if column.server_default is not None and field.name not in self._fills:
            default = dialect.ddl_compiler(dialect, None).get_column_default_string(column)
            return f"({self._escaped(default)})"
        value = self._editor.value_for(field, self._fills, rows=lambda: 0)
        if callable(value):
            return None
        self._values.append(value)
        # PostgreSQL takes what it is told no kind of for a text
        return f"CAST(%s AS {column.type.compile(dialect)})" if dialect.name == "postgresql" else self._editor.mark

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
            key, name = self._editor.quote(self._old._meta.key[0].column), self._editor.quote(self._table)
            sql = f"SELECT {key}, {length} FROM {name} WHERE {length} > {limit} ORDER BY 1 LIMIT 20"  # noqa: S608 - quoted
            for row, found in self._editor.database.fetch(sql):
                yield self._problem(f"row {row}, {field.name}: {found} characters, {limit} are allowed")

    def duplicates(self) -> Iterator[ToolkitError]:
        """Rows that agree where no two may."""
        known = set(self._uniques(self._before))
        for terms, where, columns in self._uniques(self._after):
            if (terms, where, columns) in known and columns <= self._as_before:
                continue
            if columns <= self._seen and self._is_seen(" ".join((*terms, where))):
                yield from self._same(terms, where, "all have" if columns <= self._as_before else "would all have")

    def broken_checks(self) -> Iterator[ToolkitError]:
        """Rows that do not meet a condition that all must meet."""
        known = self._checks(self._before)
        for text in self._checks(self._after):
            if (text in known and not self._speaks_of_others(text, self._as_before)) or not self._is_seen(text):
                continue
            rows = self._fetch(f"SELECT {ROW} FROM {self._name} WHERE NOT ({self._escaped(text)}) ORDER BY 1")  # noqa: S608 - a declared condition
            if rows:
                yield self._problem(f"{_rows(rows)} {_do_not(rows)} meet the condition {text}")

    def orphans(self) -> Iterator[ToolkitError]:
        """Rows that refer to rows that are not there."""
        known = set(self._keys(self._before))
        for key in self._keys(self._after):
            columns, target, others = key
            if (key in known and self._as_before.issuperset(columns)) or not self._seen.issuperset(columns):
                continue
            if not self._is_there(target):
                continue
            present = " AND ".join(f"{ALIAS}.{self._editor.quote(column)} IS NOT NULL" for column in columns)
            same = " AND ".join(
                f"other.{self._editor.quote(other)} = {ALIAS}.{self._editor.quote(column)}"
                for column, other in zip(columns, others, strict=True)
            )
            rows = self._fetch(
                f"SELECT {ROW} FROM {self._name} WHERE {present} "  # noqa: S608 - quoted
                f"AND NOT EXISTS (SELECT 1 FROM {self._editor.quote(target)} other WHERE {same}) ORDER BY 1"
            )
            if rows:
                verb = "refers" if self._as_before.issuperset(columns) else "would refer"
                yield self._problem(
                    f"{_rows(rows)}: {', '.join(columns)} {verb} to rows of {target} that are not there"
                )

    def converted_duplicates(self, column: str, values: Sequence[Any]) -> Iterator[ToolkitError]:
        """Rows that would agree once a column is converted, where no two may."""
        if not any(columns == {column} and not where for _, where, columns in self._uniques(self._after)):
            return
        rows: dict[Any, list[Any]] = {}
        for value, *key in values:
            rows.setdefault(value, []).append(key)
        found = [(value, keys) for value, keys in rows.items() if value is not None and len(keys) > 1]
        for value, keys in found[:SHOWN_GROUPS]:
            yield self._problem(f"{_rows(keys)} would all have {column} = {value!r}, which must be unique")

    def converted_orphans(self, column: str, values: Sequence[Any]) -> Iterator[ToolkitError]:
        """Rows that would refer to rows that are not there, once a column is converted."""
        for columns, target, others in self._keys(self._after):
            if columns != (column,) or not self._is_there(target):
                continue
            lost = set(self._lost({value for value, *_ in values if value is not None}, target, others[0]))
            rows = [key for value, *key in values if value in lost]
            if rows:
                yield self._problem(f"{_rows(rows)}: {column} would refer to rows of {target} that are not there")

    def _lost(self, values: Iterable[Any], target: str, key: str) -> Iterator[Any]:
        """The values that no row of a table has; the database compares, which may take A for a."""
        table, name, asked = self._editor.quote(target), self._editor.quote(key), iter(values)
        while some := list(islice(asked, ASKED_AT_ONCE)):
            sql = " UNION ALL ".join(
                f"SELECT {number} FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE {name} = {self._editor.mark})"  # noqa: S608 - quoted
                for number in range(len(some))
            )
            yield from (some[number] for (number,) in self._editor.database.fetch(sql, tuple(some)))

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
                terms = tuple(_ORDER.sub("", self._text(item)) for item in index.expressions)
                yield terms, "" if where is None else self._text(where), frozenset(c.name for c in index.columns)

    def _checks(self, table: Any) -> set[str]:
        import sqlalchemy as sa

        return {self._text(item.sqltext) for item in table.constraints if isinstance(item, sa.CheckConstraint)}

    def _keys(self, table: Any) -> Iterator[tuple[tuple[str, ...], str, tuple[str, ...]]]:
        for constraint in sorted(table.foreign_key_constraints, key=lambda one: one._creation_order):
            targets = [element.column for element in constraint.elements]
            own = tuple(column.name for column in constraint.columns)
            yield own, targets[0].table.name, tuple(target.name for target in targets)

    def _text(self, item: Any) -> str:
        dialect = self._editor.database.sqlalchemy_dialect
        compiled = item.compile(dialect=dialect, compile_kwargs={"literal_binds": True, "include_table": False})
        return str(compiled).replace("%%", "%")

    def _is_seen(self, text: str) -> bool:
        """Whether all columns that SQL names can be seen."""
        return not self._speaks_of_others(text, self._seen)

    def _speaks_of_others(self, text: str, columns: set[str]) -> bool:
        return bool(set(re.findall(r"\w+", text)) & {column.name for column in self._after.columns} - columns)

    # what rows say

    def _same(self, terms: Sequence[str], where: str, verb: str) -> Iterator[ToolkitError]:
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
                f"SELECT {ROW} FROM {self._name} WHERE {present} AND {equal} ORDER BY 1",  # noqa: S608 - quoted
                values,
            )
            said = ", ".join(
                f"{term.strip('`').strip(chr(34))} = {value!r}" for term, value in zip(terms, values, strict=True)
            )
            yield self._problem(f"{_rows(rows)} {verb} {said}, which must be unique")

    def _is_there(self, table: str) -> bool:
        return bool(self._editor.database.has_table(table))

    def _escaped(self, text: str) -> str:
        return text if self._editor.mark == "?" else text.replace("%", "%%")

    def _fetch(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        return list(self._editor.database.fetch(sql, (*self._values, *values)))

    def _problem(self, message: str) -> ToolkitError:
        return MigrationError(f"{self._table}, {message}")


def _computed(column: Any) -> str | None:
    return None if column.computed is None else str(column.computed.sqltext)


def _rows(rows: Sequence[Any]) -> str:
    shown = ", ".join(str(row[0]) for row in rows[:SHOWN_ROWS])
    more = f" and {len(rows) - SHOWN_ROWS} more" if len(rows) > SHOWN_ROWS else ""
    return f"row{'s' if len(rows) > 1 else ''} {shown}{more}"


def _do_not(rows: Sequence[Any]) -> str:
    return "does not" if len(rows) == 1 else "do not"
