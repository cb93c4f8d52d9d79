"""Changing tables on PostgreSQL, through Alembic's operations."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from toolkit.migrations.editors.servers import VALUES, ServerEditor, plain_column, rekeyed
from toolkit.migrations.editors.statements import Collected, Item, items_of, renamed_items

PRIMARY_KEY = "PrimaryKeyConstraint"


class PostgresqlEditor(ServerEditor):
    """PostgreSQL's way: everything in one transaction."""

    from_values = "UPDATE {table} SET {column} = {values}.{column} FROM {values} WHERE {same}"
    drop_values = f"DROP TABLE IF EXISTS pg_temp.{VALUES}"

    def settle(self) -> None:
        """Check what is deferred: PostgreSQL alters no table that has checks waiting."""
        if self.database.transaction is not None:
            self.database.execute("SET CONSTRAINTS ALL IMMEDIATE")
            self.database.execute("SET CONSTRAINTS ALL DEFERRED")

    def _rename_items(self, old: Any, new: Any) -> None:
        for before, after in renamed_items(old, new, self.database):
            if before.is_index:
                self.execute(f"ALTER INDEX {self.quote(before.name)} RENAME TO {self.quote(after.name)}")
            else:
                self.execute(
                    f"ALTER TABLE {self.quote(new.name)} RENAME CONSTRAINT {self.quote(before.name)} "
                    f"TO {self.quote(after.name)}"
                )

    def _exchange_columns(self, old: Any, new: Any, gone: Collection[str], scratch: Mapping[str, Any]) -> None:
        keyed = rekeyed(old, new, {*gone, *scratch})
        if keyed:
            self.execute(self._key_of(old).drop_sql)
        for column in sorted(gone):
            self._drop_column(new.name, column)
        for column, made in scratch.items():
            self._rename_column(new.name, made.name, column)
            loose = plain_column(new.c[column], nullable=True, default=False)
            self._respell_column(new.name, loose, plain_column(new.c[column]))
        for column in sorted(keyed - scratch.keys() - set(gone)):
            self._respell_column(new.name, plain_column(old.c[column]), plain_column(new.c[column]))
        if keyed:
            self.execute(self._key_of(new).sql)
        counting = new.autoincrement_column
        if counting is not None and counting.name in scratch:
            self._add_sequence(new.name, counting)

    def _key_of(self, table: Any) -> Item:
        items = items_of(table, self.database, primary_key=True)
        return next(item for item in items if item.kind == PRIMARY_KEY)

    def _add_sequence(self, table: str, column: Any) -> None:
        """Let new rows get numbers behind those that there are."""
        name, where = f"{table}_{column.name}_seq"[:63], f"{self.quote(table)}.{self.quote(column.name)}"
        kind = self._type_text(column.type)
        self.execute(f"CREATE SEQUENCE {self.quote(name)} AS {kind} OWNED BY {where}")
        regclass = self.quote(name).replace("'", "''")
        self.execute(
            f"ALTER TABLE {self.quote(table)} ALTER COLUMN {self.quote(column.name)} SET DEFAULT nextval('{regclass}')"
        )
        self.write_rows(lambda: self.database.backend.keys_were_given(self.database, table, column.name))

    def _define_column(self, table: str, column: Any) -> None:
        self._emit(lambda operations: operations.add_column(table, column))

    def _respell_column(self, table: str, old: Any, new: Any) -> None:
        change = partial(_change, table=table, column=new.name, existing_type=old.type)
        kind = self._type_text(new.type)
        if self._type_text(old.type) != kind:
            # an explicit cast would cut texts that are too long; without one they are refused
            using = f"{self.quote(new.name)}::{kind}" if new.foreign_keys or old.foreign_keys else None
            self._emit(partial(change, type_=new.type, postgresql_using=using))
        if self._default(old) != self._default(new):
            self._emit(partial(change, server_default=new.server_default))
        if old.comment != new.comment:
            self._emit(partial(change, comment=new.comment, existing_comment=old.comment))
        if old.nullable != new.nullable:
            self._emit(partial(change, nullable=new.nullable))

    def _type_text(self, kind: Any) -> str:
        return str(kind.compile(dialect=self.database.sqlalchemy_dialect))

    def _default(self, column: Any) -> str | None:
        compiler = self.database.sqlalchemy_dialect.ddl_compiler(self.database.sqlalchemy_dialect, None)
        found: str | None = compiler.get_column_default_string(column)
        return found

    def _emit(self, step: Callable[[Any], object]) -> None:
        """Run what Alembic's operations would run."""
        for statement in Collected(self.database).of(step):
            self.execute(statement)


def _change(operations: Any, *, table: str, column: str, **changes: Any) -> None:
    operations.alter_column(table, column, **changes)
