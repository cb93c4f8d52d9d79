"""Changing tables on SQLite, which can add and rename columns and little else.

Everything else is a rebuild, by the twelve steps of https://sqlite.org/lang_altertable.html ("Making Other Kinds Of
Table Schema Changes"): a new table, the rows copied, the old one dropped, the new one renamed, indexes and triggers
made again. Alembic's batch mode and sqlite-utils' ``transform`` drop triggers and generated columns on the way, so
this is done here, from the text that SQLite keeps of the table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.database.tokens.keeping import BUCKETS, TOKENS
from toolkit.errors import DatabaseError, MigrationError
from toolkit.gis.functions import register_functions
from toolkit.migrations.editors.base import Editor, compared_fields
from toolkit.migrations.editors.conversions import same_storage
from toolkit.migrations.editors.copying import Copy, copied_columns
from toolkit.migrations.editors.keys import Follower
from toolkit.migrations.editors.statements import create_statements, ddl, indexes_of, table_of, tables_of
from toolkit.migrations.tables.definitions import TableSQL, constraint_key, parse_table, quote


class SqliteEditor(Editor):
    """SQLite's way. The connection must have foreign keys off: dropping a table would delete what refers to it."""

    mark = "?"

    def __init__(self, database: Any) -> None:
        super().__init__(database)
        # ALTER TABLE reads every trigger of the file, and GeoPackage's call functions of ours.
        register_functions(database.connection)

    def rename_index(self, model: Any, old: str, new: str) -> None:
        made = _indexes(table_of(model, self.database), self.database)
        self.execute(f"DROP INDEX {quote(old)}")
        self.execute(made[new])

    def run_sql(self, statements: Sequence[str]) -> None:
        for statement in statements:
            self.execute(statement)

    def settle(self) -> None:
        """Foreign keys are checked once, before the migration is committed."""

    def quote(self, name: str) -> str:
        return quote(name)

    def create_all(self, models: Sequence[Any]) -> None:
        tables_of(models, self.database)
        for model in models:
            self.create(model)

    def drop(self, model: Any) -> None:
        super().drop(model)
        self._forget_token(model._meta.table)

    def rename(self, old: Any, new: Any) -> None:
        moved = old._meta.table != new._meta.table
        if moved:
            self._drop_token_triggers(old._meta.table)
        super().rename(old, new)
        self._forget_token(new._meta.table)

    def _rename_items(self, old: Any, new: Any) -> None:
        """Indexes get their new names; constraints are known by what they say, and keep the names in their text."""
        before, after = _indexes(old, self.database), _indexes(new, self.database)
        for name in before.keys() - after.keys():
            self.execute(f"DROP INDEX IF EXISTS {quote(name)}")
        for name in sorted(after.keys() - before.keys()):
            self.execute(after[name])

    def _alter_table(self, old: Any, new: Any, *, fills: Mapping[str, Any]) -> None:
        if not self._add_simply(old, new, fills):
            self._rebuild(old, new, fills=fills)
        self._forget_token(new._meta.table)

    # without a rebuild

    def _add_simply(self, old: Any, new: Any, fills: Mapping[str, Any]) -> bool:
        """Do it with ADD COLUMN and CREATE INDEX, if that is all it takes."""
        gone, altered, made = compared_fields(old, new)
        table = table_of(new, self.database)
        plain = [field for field in made if field.name not in fills]
        if gone or plain != made or not all(_needs_nothing(field, table.c[field.column]) for field in made):
            return False
        if not all(same_storage(before, after) for before, after in altered):
            return False  # the column may be called the same, and the values in it be none of the new kind
        before, after = self._model_parts(old), self._model_parts(new)
        columns = {name: text for name, text in after.columns.items() if name in before.columns}
        if columns != before.columns or not _only_carried_keys_added(before, after, made):
            return False
        for field in made:
            text = after.columns[field.column] + _inline_reference(table.c[field.column])
            self.execute(f"ALTER TABLE {quote(new._meta.table)} ADD COLUMN {text}")
        self._exchange_indexes(old, new)
        return True

    def _exchange_indexes(self, old: Any, new: Any) -> None:
        before, after = (_indexes(table_of(model, self.database), self.database) for model in (old, new))
        for name in sorted(before.keys() - after.keys()):
            self.execute(f"DROP INDEX IF EXISTS {quote(name)}")
        for name, sql in after.items():
            if before.get(name) != sql:
                self.execute(f"DROP INDEX IF EXISTS {quote(name)}")
                self.execute(sql)

    # the twelve steps; the first, the second and the last (foreign keys, the transaction) are the executor's

    def _change_keys(self, followers: Sequence[Follower], *, mapped: bool) -> None:
        for models in ([each.old for each in followers], [each.new for each in followers]):
            tables_of(models, self.database)  # made together: one by one each would make those that it refers to again
        for each in followers:
            if mapped:
                self._refuse_lost(each)
            table = each.old._meta.table
            sources = {name: self.source_of(table, source, mapped=mapped) for name, source in each.made.items()}
            self._rebuild(each.old, each.new, fills={}, sources=sources, counts_on=not mapped)
            self._forget_token(each.new._meta.table)

    def _rebuild(
        self,
        old: Any,
        new: Any,
        *,
        fills: Mapping[str, Any],
        sources: Mapping[str, str] | None = None,
        counts_on: bool = True,
    ) -> None:
        """Make a table anew.

        Args:
            old: The model as it was.
            new: The model as it shall be.
            fills: Field name to what rows get that have no value.
            sources: The SQL of what fields get, by name, where it is not what they had.
            counts_on: Keys go on behind those that the old table gave.
        """
        table = new._meta.table
        kept = self._kept_statements(old)
        parts, actual = self._new_parts(old, new)
        sound = self._is_sound(table)
        scratch = f"toolkit_new_{table}"
        self.execute(parts.create(scratch))
        copied = copied_columns(self.database, old, new, parts=parts, actual=actual)
        if _is_rowid(new, self.database):
            copied = [name for name in copied if name != "rowid"]  # the key is the rowid from now on
        Copy(self, old, new, fills=fills, sources=sources).run(scratch, columns=copied)
        last = self.database.backend.last_key(self.database, table) if counts_on else 0
        self.execute(f"DROP TABLE {quote(table)}")
        self._rename_scratch(scratch, table)
        self._count_from(table, last)
        for statement in kept:
            self.execute(statement)
        for statement in _indexes(table_of(new, self.database), self.database).values():
            self.execute(statement)
        if sound:
            self._check_sound(old, new)

    def _count_from(self, table: str, last: int) -> None:
        """Let the counter of a table that was made anew know the keys that the old one gave to rows that are gone."""
        counts = "AUTOINCREMENT" in self._sql_of(table).upper()
        if counts and self.database.backend.last_key(self.database, table) < last:
            self.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
            self.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, last))

    def _create_table(self, model: Any) -> None:
        """Foreign keys stand in the statement that makes the table; they may name tables that come later."""
        for statement in create_statements(self.database, model, foreign_keys=True):
            self.execute(statement)

    def _add_foreign_keys(self, model: Any) -> None:
        """They are there."""

    def _rename_table(self, old: Any, new: Any) -> None:
        """By way of a third name, where only the case differs: SQLite takes both for one, and refuses."""
        before, after = old._meta.table, new._meta.table
        if before != after and before.lower() == after.lower():
            between = f"toolkit_new_{after}"
            self.execute(f"ALTER TABLE {quote(before)} RENAME TO {quote(between)}")
            self.execute(f"ALTER TABLE {quote(between)} RENAME TO {quote(after)}")
        else:
            super()._rename_table(old, new)

    def _rename_scratch(self, scratch: str, table: str) -> None:
        """The legacy mode leaves views and other tables' triggers and foreign keys alone: they name the table right."""
        self.execute("PRAGMA legacy_alter_table = ON")
        try:
            self.execute(f"ALTER TABLE {quote(scratch)} RENAME TO {quote(table)}")
        finally:
            self.execute("PRAGMA legacy_alter_table = OFF")

    def _kept_statements(self, old: Any) -> list[str]:
        """What makes again the indexes and triggers of a table, the indexes of its model apart."""
        own = _indexes(table_of(old, self.database), self.database)
        found = self.database.fetch(
            "SELECT name, sql FROM sqlite_master WHERE tbl_name = ? COLLATE NOCASE "
            "AND type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY rowid",
            (old._meta.table,),
        )
        return [sql for name, sql in found if name not in own]

    def _new_parts(self, old: Any, new: Any) -> tuple[TableSQL, TableSQL]:
        """The new table's parts, with what others added to the old one; and the old one's as they are."""
        actual = parse_table(self._sql_of(old._meta.table))
        before, after = self._model_parts(old), self._model_parts(new)
        ours = {name.casefold() for name in (*before.columns, *after.columns)}
        columns = {name: text for name, text in actual.columns.items() if name.casefold() not in ours}
        known = {constraint_key(text) for text in (*before.constraints, *after.constraints)}
        added = [text for text in actual.constraints if constraint_key(text) not in known]
        constraints = [text for text in added if not constraint_key(text).upper().startswith("PRIMARYKEY")]
        parts = TableSQL({**after.columns, **columns}, [*after.constraints, *constraints], actual.suffix)
        return parts, actual

    def _model_parts(self, model: Any) -> TableSQL:
        from sqlalchemy.schema import CreateTable

        return parse_table(ddl(self.database, CreateTable(table_of(model, self.database))))

    def _sql_of(self, table: str) -> str:
        found = self.database.fetch(
            "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE", (table,)
        )
        if not found:
            raise MigrationError(
                f"the table {table} is not there, and a migration wants to change it",
                hint="Was it dropped by hand? Restore it from a backup, or reverse to before it was made.",
            )
        return str(found[0][0])

    # what a removed column may break

    def _is_sound(self, table: str) -> bool:
        """Whether every view and trigger of the file can be read: SQLite checks all of them before a rename."""
        return self._complaint(table) is None

    def _complaint(self, table: str) -> str | None:
        self.execute("SAVEPOINT toolkit_probe")
        try:
            self.execute(f"ALTER TABLE {quote(table)} RENAME TO {quote(f'toolkit_probe_{table}')}")
        except DatabaseError as error:
            return re.sub(r" \(in: .*", "", error.message, flags=re.DOTALL)
        finally:
            self.execute("ROLLBACK TO toolkit_probe")
            self.execute("RELEASE toolkit_probe")
        return None

    def _check_sound(self, old: Any, new: Any) -> None:
        complaint = self._complaint(new._meta.table)
        if complaint is not None:
            gone = ", ".join(field.name for field in compared_fields(old, new)[0]) or "a field"
            raise MigrationError(
                f"{new._meta.label}: something in the database still uses {gone}: {complaint}",
                hint="Drop it before, and make it again after, with migrations.RunSQL.",
            )

    # tokens: a table that was changed is not the table that its token stands for

    def _forget_token(self, table: str) -> None:
        if self._exists(TOKENS):
            self.execute(f"DELETE FROM {TOKENS} WHERE name = ?", (table,))  # noqa: S608 - a constant
        if self._exists(BUCKETS):
            self.execute(f"UPDATE {BUCKETS} SET token = '' WHERE name = ?", (table,))  # noqa: S608 - as above

    def _drop_token_triggers(self, table: str) -> None:
        """They name the table in a literal, which a rename does not change; the next build makes new ones."""
        for event in ("insert", "update", "delete"):
            self.execute(f"DROP TRIGGER IF EXISTS {quote(f'toolkit_changed_{table}_{event}')}")
        self._forget_token(table)

    def _exists(self, name: str) -> bool:
        return bool(self.database.fetch("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)))


def _indexes(table: Any, database: Any) -> dict[str, str]:
    """Index name to the statement that makes it."""
    return {item.name: item.sql for item in indexes_of(table, database)}


def _only_carried_keys_added(before: TableSQL, after: TableSQL, made: Sequence[Any]) -> bool:
    """Whether the constraints differ by the foreign keys of new columns only, which ADD COLUMN can carry."""
    old = {constraint_key(text) for text in before.constraints}
    new = {constraint_key(text) for text in after.constraints}
    carried = sum(1 for field in made if field.is_relation)
    return old <= new and all(key.startswith("FOREIGNKEY") for key in new - old) and len(new - old) == carried


def _inline_reference(column: Any) -> str:
    """What a column says of its foreign key, if it has one, where no constraint of the table can be added."""
    for key in column.foreign_keys:
        target, _, name = key.target_fullname.rpartition(".")
        rule = f" ON DELETE {key.ondelete}" if key.ondelete else ""
        return f" REFERENCES {quote(target)} ({quote(name)}){rule} DEFERRABLE INITIALLY DEFERRED"
    return ""


def _is_rowid(model: Any, database: Any) -> bool:
    """Whether SQLite takes the key of a table for its rowid."""
    key = table_of(model, database).primary_key.columns
    return len(key) == 1 and str(next(iter(key)).type).upper() == "INTEGER"


def _needs_nothing(field: Any, column: Any) -> bool:
    """Whether NULL is what rows have in a new column: ADD COLUMN cannot do more for the rows that are there."""
    return bool(field.null and column.server_default is None and field.get_default() is None)
