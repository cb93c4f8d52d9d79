"""Changing tables on servers: a column, a constraint or an index at a time, with ALTER TABLE.

What a column is, its constraints and its indexes are read off SQLAlchemy's table, which the models' schema makes:
whatever a field says that ends in the table (a type, a default, a comment, an expression) is compared as SQL, and no
option of a field is known here by name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from toolkit.migrations.editors.base import Editor, compared_fields
from toolkit.migrations.editors.conversions import Refusals, conversion, same_storage
from toolkit.migrations.editors.keys import Follower
from toolkit.migrations.editors.statements import Item, items_of, table_of, tables_of

VALUES = "toolkit_values"
"""The temporary table of values on their way into rows."""


class ServerEditor(Editor):
    """What PostgreSQL and MariaDB have in common.

    Attributes:
        from_values: Writes what a temporary table has into the rows that it names.
        drop_values: Drops that table, if it is there.
    """

    from_values: ClassVar[str]
    drop_values: ClassVar[str]

    def _alter_table(self, old: Any, new: Any, *, fills: Mapping[str, Any]) -> None:
        old_table, new_table = (table_of(model, self.database) for model in (old, new))
        gone, altered, made = compared_fields(old, new)
        remade = self._remade(old, new, gone=gone, altered=altered)
        dropped, added = self._changed_items(old_table, new_table, altered, remade)
        for item in dropped:
            self.execute(item.drop_sql)
        for before, _ in remade:
            self._drop_column(new_table.name, before.column)
        for field in sorted(gone, key=lambda field: not is_generated(old_table.c[field.column])):
            if is_generated(old_table.c[field.column]):  # the others go last: they are what is computed from
                self._drop_column(new_table.name, field.column)
        for before, after in altered:
            if (before, after) not in remade:
                self._alter_column(old_table, new_table, before, after, fills)
        for field in sorted(
            (*made, *(after for _, after in remade)), key=lambda one: is_generated(new_table.c[one.column])
        ):
            self._add_column(new_table, field, fills)
        for field in gone:
            if not is_generated(old_table.c[field.column]):
                self._drop_column(new_table.name, field.column)
        for item in added:
            self.execute(item.sql)

    def _change_keys(self, followers: Sequence[Follower], *, mapped: bool) -> None:
        """Drop what holds the columns, put new ones in their place, and make again what held them."""
        before = tables_of([each.old for each in followers], self.database)
        after = tables_of([each.new for each in followers], self.database)
        tables = list(zip(followers, before, after, strict=True))
        items = [self._items_on(each, old, new) for each, old, new in tables]
        for wanted in (True, False):  # foreign keys first: each needs the index of what it refers to
            for dropped, _ in items:
                for item in dropped:
                    if item.is_foreign_key is wanted:
                        self.execute(item.drop_sql)
        for each, old, new in tables:
            self._change_columns(each, old, new, mapped=mapped)
        for wanted in (False, True):
            for _, added in items:
                for item in added:
                    if item.is_foreign_key is wanted:
                        self.execute(item.sql)

    def _items_on(self, each: Follower, old: Any, new: Any) -> tuple[list[Item], list[Item]]:
        """The constraints and indexes that hold the columns of a key: as they are, and as they shall be."""
        columns = each.gone | {each.new._meta.by_name[name].column for name in each.made}
        columns |= rekeyed(old, new, columns)
        before, after = items_of(old, self.database), items_of(new, self.database)
        same = {item.sql for item in before} & {item.sql for item in after}
        touched = [
            [item for item in items if item.sql not in same or item.columns & columns] for items in (before, after)
        ]
        return touched[0], touched[1]

    def _change_columns(self, each: Follower, old: Any, new: Any, *, mapped: bool) -> None:
        """Put columns with new keys in the place of those with the old."""
        name_of = self.quote(new.name)
        scratch = {}
        for name in sorted(each.made):
            column = new.c[each.new._meta.by_name[name].column]
            scratch[column.name] = plain_column(column, name=f"toolkit_new_{column.name}", nullable=True, default=False)
            self._define_column(new.name, scratch[column.name])
        sources = [
            (scratch[each.new._meta.by_name[name].column].name, self.source_of(new.name, source, mapped=mapped))
            for name, source in sorted(each.made.items())
        ]

        def write() -> None:
            if mapped:
                self._refuse_lost(each)
            listed = ", ".join(f"{self.quote(column)} = {value}" for column, value in sources)
            self.database.execute(f"UPDATE {name_of} SET {listed}")  # noqa: S608 - quoted
            self.settle()

        if sources:
            self.write_rows(write)
        self._exchange_columns(old, new, each.gone, scratch)

    def _exchange_columns(self, old: Any, new: Any, gone: Collection[str], scratch: Mapping[str, Any]) -> None:
        """Drop columns, and give others their places, in the primary key too.

        Args:
            old: The table as it is.
            new: As it shall be.
            gone: The columns that go.
            scratch: What columns that come are called until then.
        """
        raise TypeError(f"{type(self).__name__} must define _exchange_columns()")

    def _remade(
        self, old: Any, new: Any, *, gone: Sequence[Any], altered: Sequence[tuple[Any, Any]]
    ) -> list[tuple[Any, Any]]:
        """The columns that are dropped before others change and made again after: nothing of them is lost.

        They are computed, or shall be: by other expressions than before, or from columns that change.
        """
        before, after = (table_of(model, self.database) for model in (old, new))
        changed = {field.column for field in gone} | {
            one.column
            for one, other in altered
            if self._spelled(before.c[one.column]) != self._spelled(after.c[other.column])
        }
        later = {field.name: field for field in new._meta.local_fields}
        found = []
        for field in old._meta.local_fields:
            if field.name not in later:
                continue
            was, becomes = before.c[field.column], after.c[later[field.name].column]
            if not is_generated(was) and not is_generated(becomes):
                continue
            if self._spelled(was) != self._spelled(becomes) or names_any(was, changed):
                found.append((field, later[field.name]))
        return found

    def _changed_items(
        self,
        old_table: Any,
        new_table: Any,
        altered: Sequence[tuple[Any, Any]],
        remade: Sequence[tuple[Any, Any]],
    ) -> tuple[list[Item], list[Item]]:
        """The constraints and indexes to drop before columns change, and those to make afterwards."""
        before, after = items_of(old_table, self.database), items_of(new_table, self.database)
        touched = {old.column for old, new in altered if not same_storage(old, new)} | {old.column for old, _ in remade}
        same = {item.sql for item in before if not item.columns & touched} & {item.sql for item in after}
        return [item for item in before if item.sql not in same], [item for item in after if item.sql not in same]

    def _alter_column(self, old_table: Any, new_table: Any, old: Any, new: Any, fills: Mapping[str, Any]) -> None:
        if old.column != new.column:
            self._rename_column(new_table.name, old.column, new.column)
        before, after = old_table.c[old.column], new_table.c[new.column]
        if not same_storage(old, new):
            self._convert_column(new_table, old, new)
            before = plain_column(after, nullable=True, default=False)
        if old.null and not new.null:
            self._fill(after, new, fills, everywhere=False)
        self._respell_column(new_table.name, before, after)

    def _add_column(self, table: Any, field: Any, fills: Mapping[str, Any]) -> None:
        """Add a column and fill it; one that may not be NULL may be until then."""
        column = table.c[field.column]
        if column.server_default is not None and field.name not in fills:
            self._define_column(table.name, plain_column(column))
            return
        loose = plain_column(column, nullable=True, default=False)
        self._define_column(table.name, loose)
        self._fill(column, field, fills, everywhere=True)
        self._respell_column(table.name, loose, column)

    def _convert_column(self, table: Any, old: Any, new: Any) -> None:
        """Put a column in the place of one of another kind, its values converted as the fields convert them.

        The casts of databases know fewer pairs, and each gives other answers.
        """
        scratch = plain_column(table.c[new.column], name=f"toolkit_new_{new.column}", nullable=True, default=False)
        convert = conversion(old, new, dialect=self.database.dialect, lossy=new.name in self.lossy)
        self._define_column(table.name, scratch)
        self.write_rows(lambda: self._write_converted(table.name, new, scratch.name, convert))
        self._drop_column(table.name, new.column)
        self._rename_column(table.name, scratch.name, new.column)

    def _converted(self, table: str, new: Any, column: str, convert: Any) -> list[tuple[Any, ...]]:
        """For each row with a value: the converted value, and the row's key."""
        refusals = Refusals(new.model)
        guarded = refusals.guarded(convert, new)
        keys, name = self._key(new.model), self.quote(table)
        stored = self.database.fetch(
            f"SELECT {keys}, {self.quote(column)} FROM {name} WHERE {self.quote(column)} IS NOT NULL"  # noqa: S608 - quoted
        )
        rows = [(guarded(value, key[0]), *key) for *key, value in stored]
        refusals.check()
        return rows

    def _write_converted(self, table: str, new: Any, scratch: str, convert: Any) -> None:
        self.remark(f"Python writes the converted values of {new.column} into {scratch}")
        self._write_each(new.model, scratch, self._converted(table, new, new.column, convert))
        self.settle()

    def _write_each(self, model: Any, column: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Give rows values of their own, by way of a table: one statement for each took MariaDB many times as long.

        Args:
            model: Whose rows.
            column: The column.
            rows: Each value before the key of its row.
        """
        if not rows:
            return
        keys = [self.quote(field.column) for field in model._meta.key]
        table, name, values = self.quote(model._meta.table), self.quote(column), self.quote(VALUES)
        columns, marks = ", ".join([name, *keys]), ", ".join(["%s"] * (len(keys) + 1))
        same = " AND ".join(f"{table}.{key} = {values}.{key}" for key in keys)
        self.database.execute(self.drop_values)  # MariaDB keeps that of a migration that failed here
        self.database.execute(f"CREATE TEMPORARY TABLE {values} AS SELECT {columns} FROM {table} WHERE 1 = 0")  # noqa: S608 - quoted
        self.database.executemany(f"INSERT INTO {values} ({columns}) VALUES ({marks})", rows)  # noqa: S608 - quoted
        self.database.execute(self.from_values.format(table=table, column=name, values=values, same=same))
        self.database.execute(self.drop_values)

    def _key(self, model: Any) -> str:
        """The columns of the primary key."""
        return ", ".join(self.quote(field.column) for field in model._meta.key)

    def _fill(self, column: Any, field: Any, fills: Mapping[str, Any], *, everywhere: bool) -> None:
        """Give the rows whose column is NULL a value, if there is one to give."""
        if everywhere and field.null and field.name not in fills and field.get_default() is None:
            return
        self.write_rows(lambda: self._write_fill(column, field, fills))

    def _write_fill(self, column: Any, field: Any, fills: Mapping[str, Any]) -> None:
        table, name = self.quote(column.table.name), self.quote(column.name)
        missing = f"{name} IS NULL"
        if column.server_default is not None and field.name not in fills:
            self.database.execute(f"UPDATE {table} SET {name} = DEFAULT WHERE {missing}")  # noqa: S608 - quoted
            self.settle()
            return
        value = self.value_for(field, fills, rows=lambda: self.count(column.table.name, missing))
        if callable(value):
            self.remark(f"Python gives each row a {column.name} of its own")
            found = self.database.fetch(f"SELECT {self._key(field.model)} FROM {table} WHERE {missing}")  # noqa: S608 - quoted
            self._write_each(field.model, column.name, [(value(), *key) for key in found])
        elif value is not None:
            self.database.execute(f"UPDATE {table} SET {name} = %s WHERE {missing}", (value,))  # noqa: S608 - quoted
        self.settle()

    def _drop_column(self, table: str, column: str) -> None:
        self.execute(f"ALTER TABLE {self.quote(table)} DROP COLUMN {self.quote(column)}")

    def _define_column(self, table: str, column: Any) -> None:
        """Add a column."""
        raise TypeError(f"{type(self).__name__} must define _define_column()")

    def _respell_column(self, table: str, old: Any, new: Any) -> None:
        """Make a column what another says: its type, default, comment, and whether it may be NULL."""
        raise TypeError(f"{type(self).__name__} must define _respell_column()")

    def _spelled(self, column: Any) -> str:
        """A column's definition."""
        from sqlalchemy.schema import CreateColumn

        return str(CreateColumn(plain_column(column)).compile(dialect=self.database.sqlalchemy_dialect)).strip()


def plain_column(column: Any, *, name: str | None = None, nullable: bool | None = None, default: bool = True) -> Any:
    """A column of SQLAlchemy's without its table, constraints and indexes.

    Args:
        column: The column.
        name: Another name.
        nullable: Whether it may be NULL, instead of what the column says.
        default: Keep its default.
    """
    import sqlalchemy as sa

    makers = [part._copy() for part in (column.computed, column.identity) if part is not None]
    return sa.Column(
        name or column.name,
        column.type,
        *makers,
        nullable=column.nullable if nullable is None else nullable,
        server_default=column.server_default if default and not makers else None,
        comment=column.comment,
    )


def rekeyed(old: Any, new: Any, touched: Collection[str]) -> set[str]:
    """The columns of a primary key that has to be made anew: as it is, and as it shall be."""
    before, after = ([column.name for column in table.primary_key.columns] for table in (old, new))
    return {*before, *after} if before != after or set(before) & set(touched) else set()


def is_generated(column: Any) -> bool:
    """Whether a column of SQLAlchemy's makes its values from others."""
    return column.computed is not None


def names_any(column: Any, names: Collection[str]) -> bool:
    """Whether the expression of a computed column speaks of columns of these names."""
    if column.computed is None:
        return False
    return bool(set(re.findall(r"\w+", str(column.computed.sqltext))) & set(names))
