"""MariaDB's and MySQL's dialect of SQLAlchemy, with columns that mean the same as on other databases.

What is changed is mixed into the classes of the driver's own dialect.
"""

from __future__ import annotations

from functools import cache
from typing import Any

COLLATIONS = {True: "utf8mb4_nopad_bin", False: "utf8mb4_0900_bin"}
"""By whether the server is MariaDB: exact, and with trailing spaces that count."""

UUID_COLLATION = "ascii_nopad_bin"


@cache
def with_types(base: Any) -> Any:
    """A dialect of SQLAlchemy, changed."""
    made = {
        "type_compiler_cls": type("Types", (_Types, base.type_compiler_cls), {}),
        "ddl_compiler": type("Definitions", (_Definitions, base.ddl_compiler), {}),
        "statement_compiler": type("Statements", (_Statements, base.statement_compiler), {}),
        "supports_statement_cache": False,
    }
    return type("Dialect", (base,), made)


class _Types:
    """Text is exact and of any length, instants have microseconds, bytes any length."""

    dialect: Any

    def _exact(self) -> str:
        return f" CHARACTER SET utf8mb4 COLLATE {COLLATIONS[self.dialect.is_mariadb]}"

    def visit_VARCHAR(self, type_: Any, **options: Any) -> str:
        return str(super().visit_VARCHAR(type_, **options)) + ("" if type_.collation else self._exact())  # type: ignore[misc]  # of the driver

    def visit_TEXT(self, type_: Any, **options: Any) -> str:
        return "LONGTEXT" + ("" if type_.collation else self._exact())

    def visit_DATETIME(self, type_: Any, **options: Any) -> str:
        return "DATETIME(6)"

    def visit_TIME(self, type_: Any, **options: Any) -> str:
        return "TIME(6)"

    def visit_UUID(self, type_: Any, **options: Any) -> str:
        """MariaDB's own type gives other text back, and what a CHAR is depends on the session's mode: no computed
        column could be indexed that speaks of one."""
        return f"VARCHAR(32) CHARACTER SET ascii COLLATE {UUID_COLLATION}"

    def visit_large_binary(self, type_: Any, **options: Any) -> str:
        return "LONGBLOB"


class _Statements:
    """The table that is written comes after those that say which rows, whose keys are looked for in it.

    Source: MariaDB, "Index Hints: How to Force Query Plans", STRAIGHT_JOIN.
    """

    def update_tables_clause(self, update: Any, target: Any, others: Any, **options: Any) -> str:
        return self._joined([*others, target], options)

    def delete_extra_from_clause(self, delete: Any, target: Any, others: Any, hints: Any, **options: Any) -> str:
        return f"USING {self._joined([*others, target], {**options, 'fromhints': hints})}"

    def _joined(self, tables: list[Any], options: dict[str, Any]) -> str:
        return " STRAIGHT_JOIN ".join(each._compiler_dispatch(self, **{**options, "asfrom": True}) for each in tables)


class _Definitions:
    """An index over what is computed comes and goes with the columns that compute it, in one statement."""

    preparer: Any
    dialect: Any

    def visit_create_index(self, create: Any, **options: Any) -> str:
        index = create.element
        if not (hidden := index.info.get("hidden")):
            return str(super().visit_create_index(create, **options))  # type: ignore[misc]  # of the driver
        quote, types = self.preparer.quote, self.dialect.type_compiler_instance
        columns = [
            f"ADD COLUMN {quote(one.name)} {types.process(one.kind)} "
            f"GENERATED ALWAYS AS ({self._plain(one.text)}) VIRTUAL INVISIBLE"
            for one in hidden
        ]
        members = ", ".join(f"{quote(one.name)}{' DESC' * one.descending}" for one in hidden)
        kind = "UNIQUE INDEX" if index.unique else "INDEX"
        name, table = self.preparer.format_index(index), self.preparer.format_table(index.table)
        return f"ALTER TABLE {table} {', '.join(columns)}, ADD {kind} {name} ({members})"

    def visit_drop_index(self, drop: Any, **options: Any) -> str:
        index = drop.element
        if not (hidden := index.info.get("hidden")):
            return str(super().visit_drop_index(drop, **options))  # type: ignore[misc]  # of the driver
        name, table = self.preparer.format_index(index), self.preparer.format_table(index.table)
        columns = ", ".join(f"DROP COLUMN {self.preparer.quote(one.name)}" for one in hidden)
        return f"ALTER TABLE {table} DROP INDEX {name}, {columns}"

    def _plain(self, text: str) -> str:
        """SQL as it goes to the driver, for which a percent sign begins a parameter."""
        return text.replace("%", "%%") if self.preparer._double_percents else text
