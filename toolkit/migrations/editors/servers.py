"""Changing tables: from what a model was to what it is. Servers with ALTER TABLE; SQLite has its own editor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from toolkit.errors import MigrationError, Problems
from toolkit.migrations.editors.conversions import Refusals, check_convertible, conversion, same_storage
from toolkit.migrations.editors.statements import Collected, ddl, items_of, renamed_items, table_of
from toolkit.migrations.fields import describe_field, usable_default
from toolkit.migrations.tables.comparing import differences, read_table
from toolkit.models.fields import MISSING


class Editor:
    """Makes, changes and drops tables through SQLAlchemy's and Alembic's DDL. PostgreSQL's way.

    Args:
        database: Where; in a transaction that somebody else opened.
    """

    def __init__(self, database: Any) -> None:
        self.database = database

    # what operations ask for

    def create(self, model: Any) -> None:
        """Make a table with its constraints and indexes. One that is there and is the same is taken over.

        Raises:
            Problems: There is one that differs.
        """
        if read_table(self.database, model._meta.table) is None:
            self._create_table(model)
        elif problems := differences(self.database, [model]):
            raise Problems(problems, summary=f"the table {model._meta.table} is there already and differs")
        self._call_fields("after_create", model)

    def create_all(self, models: Sequence[Any]) -> None:
        """Make several tables, which may refer to each other in circles."""
        for model in models:
            self._create_table(model, foreign_keys=False)
        for model in models:
            for item in items_of(table_of(model, self.database.dialect), self.database):
                if item.kind == "ForeignKeyConstraint":
                    self.execute(item.sql)
            self._call_fields("after_create", model)

    def drop(self, model: Any) -> None:
        """Drop a table with everything in it."""
        self._call_fields("before_drop", model)
        self.execute(f"DROP TABLE {self.quote(model._meta.table)}")

    def rename(self, old: Any, new: Any) -> None:
        """Give a table or its columns other names; everything that is named after them follows."""
        changed = _moved_fields(old, new)
        self._call_fields("before_drop", old, only={before.name for before, _ in changed})
        self._rename_table(old, new)
        for before, after in zip(old._meta.local_fields, new._meta.local_fields, strict=True):
            if before.column != after.column:
                self._rename_column(new._meta.table, before.column, after.column)
        self._rename_items(table_of(old, self.database.dialect), table_of(new, self.database.dialect))
        self._call_fields("after_create", new, only={after.name for _, after in changed})

    def alter(self, old: Any, new: Any, *, fills: Mapping[str, Any]) -> None:
        """Change columns, constraints and indexes of a table.

        Args:
            old: The model as it was.
            new: The model as it shall be; fields of one name are one field.
            fills: Field name to what rows get that have no value.

        Raises:
            MigrationError: Rows stand in the way.
        """
        check_key(old, new)
        gone, altered, _ = compared_fields(old, new)
        for before, after in altered:
            check_convertible(before, after)
        touched = {field.name for field in gone} | {before.name for before, _ in altered}
        self._call_fields("before_drop", old, only=touched)
        self._alter_table(old, new, fills=fills)
        self._call_fields("after_create", new)

    def run_sql(self, statements: Sequence[str]) -> None:
        """Run somebody's SQL as it stands."""
        for statement in statements:
            self.execute(statement.replace("%", "%%"))
        self.settle()

    def settle(self) -> None:
        """Check what is deferred: PostgreSQL alters no table that has checks waiting."""
        self.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self.execute("SET CONSTRAINTS ALL DEFERRED")

    # how it is done

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Run one statement."""
        return self.database.execute(sql, parameters)

    def quote(self, name: str) -> str:
        """A name as SQL wants it."""
        return str(self.database.sqlalchemy_dialect.identifier_preparer.quote_identifier(name))

    def count(self, table: str, condition: str = "") -> int:
        """How many rows a table has that meet a condition."""
        where = f" WHERE {condition}" if condition else ""
        return int(self.database.fetch(f"SELECT count(*) FROM {self.quote(table)}{where}")[0][0])  # noqa: S608 - quoted

    def value_for(self, field: Any, fills: Mapping[str, Any], *, rows: Callable[[], int]) -> Any:
        """What rows without a value get in a column: a stored value, or a function that makes one for each row.

        Args:
            field: The field.
            fills: What the operation says, by field name.
            rows: Counts the rows that need one.

        Raises:
            MigrationError: There are such rows, and nothing for them.
        """
        value = fills.get(field.name, MISSING)
        if value is MISSING:
            value = usable_default(field)
        if value is MISSING or (value is None and not field.null):
            number = rows()
            if number:
                raise MigrationError(
                    f"{field.model._meta.label}.{field.name}: {number} rows have no value for it",
                    hint="Write fill=... into the operation, give the field a default, or let it be null.",
                )
            return None
        write = field.db_writer(self.database.dialect)

        def stored(given: Any) -> Any:
            return given if given is None or write is None else write(field.to_python(given))

        return (lambda: stored(value())) if callable(value) else stored(value)

    def _call_fields(self, hook: str, model: Any, *, only: set[str] | None = None) -> None:
        """Let fields that keep something beside their column (a spatial index) make or remove it."""
        for field in model._meta.local_fields:
            method = getattr(field, hook, None)
            if callable(method) and (only is None or field.name in only):
                method(self.database)

    def _create_table(self, model: Any, *, foreign_keys: bool = True) -> None:
        from sqlalchemy.schema import CreateIndex, CreateTable

        table = table_of(model, self.database.dialect)
        made = CreateTable(table) if foreign_keys else CreateTable(table, include_foreign_key_constraints=[])
        self.execute(ddl(self.database, made))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            self.execute(ddl(self.database, CreateIndex(index)))

    def _rename_table(self, old: Any, new: Any) -> None:
        if old._meta.table != new._meta.table:
            self.execute(f"ALTER TABLE {self.quote(old._meta.table)} RENAME TO {self.quote(new._meta.table)}")

    def _rename_column(self, table: str, old: str, new: str) -> None:
        self.execute(f"ALTER TABLE {self.quote(table)} RENAME COLUMN {self.quote(old)} TO {self.quote(new)}")

    def _rename_items(self, old: Any, new: Any) -> None:
        for before, after in renamed_items(old, new, self.database):
            if before.is_index:
                self.execute(f"ALTER INDEX {self.quote(before.name)} RENAME TO {self.quote(after.name)}")
            else:
                self.execute(
                    f"ALTER TABLE {self.quote(new.name)} RENAME CONSTRAINT {self.quote(before.name)} "
                    f"TO {self.quote(after.name)}"
                )

    def _alter_table(self, old: Any, new: Any, *, fills: Mapping[str, Any]) -> None:
        dialect = self.database.dialect
        old_table, new_table = table_of(old, dialect), table_of(new, dialect)
        before, after = items_of(old_table, self.database), items_of(new_table, self.database)
        gone, altered, made = compared_fields(old, new)
        if not any(_must_convert(*pair) for pair in altered):  # a converted column takes what names it along
            same = {item.sql for item in before} & {item.sql for item in after}
            before = [item for item in before if item.sql not in same]
            after = [item for item in after if item.sql not in same]
        for item in before:
            self.execute(item.drop_sql)
        for old_field, new_field in altered:
            self._alter_column(new_table, old_table.c[old_field.column], old_field, new_field, fills)
        for field in made:
            self._add_column(new_table, field, fills)
        for field in gone:
            self._emit(partial(_drop_column, table=new_table.name, column=field.column))
        for item in after:
            self.execute(item.sql)

    def _emit(self, step: Callable[[Any], object]) -> None:
        """Run what Alembic's operations would run."""
        for statement in Collected(self.database).of(step):
            self.execute(statement)

    def _add_column(self, table: Any, field: Any, fills: Mapping[str, Any]) -> None:
        import sqlalchemy as sa

        plain = sa.Column(field.column, field.sql_type(), nullable=True)
        self._emit(lambda operations: operations.add_column(table.name, plain))
        value = self.value_for(field, fills, rows=lambda: self.count(table.name))
        if value is not None:
            self._fill(table.name, field, value)
        if not field.null:
            self._set_null(table.name, field, nullable=False)

    def _alter_column(self, table: Any, old_column: Any, old: Any, new: Any, fills: Mapping[str, Any]) -> None:
        if old.column != new.column:
            self._rename_column(table.name, old.column, new.column)
        if _must_convert(old, new):
            self._convert_column(table.name, old, new)
        elif self._kind(old) != self._kind(new):
            # an explicit cast would cut texts that are too long; without one they are refused
            using = f"{self.quote(new.column)}::{self._kind(new)}" if new.is_relation else None
            self._emit(
                lambda operations: operations.alter_column(
                    table.name,
                    new.column,
                    type_=new.sql_type(),
                    existing_type=old_column.type,
                    postgresql_using=using,
                )
            )
        if old.null and not new.null:
            self._fill_nulls(table.name, new, fills)
        if old.null != new.null or (_must_convert(old, new) and not new.null):
            self._set_null(table.name, new, nullable=new.null)

    def _kind(self, field: Any) -> str:
        return str(field.sql_type().compile(dialect=self.database.sqlalchemy_dialect))

    def _convert_column(self, table: str, old: Any, new: Any) -> None:
        """Put a column in the place of one of another kind, its values converted as the fields convert them.

        PostgreSQL's own casts know fewer pairs, and give other answers than SQLite would.
        """
        import sqlalchemy as sa

        scratch = sa.Column(f"toolkit_new_{new.column}", new.sql_type(), nullable=True)
        self._emit(lambda operations: operations.add_column(table, scratch))
        refusals = Refusals(new.model)
        convert = refusals.guarded(conversion(old, new, dialect=self.database.dialect), new)
        keys, where = self._key(new.model)
        column, name = self.quote(new.column), self.quote(table)
        stored = self.database.fetch(f"SELECT {keys}, {column} FROM {name} WHERE {column} IS NOT NULL")  # noqa: S608 - quoted
        rows = [(convert(value, key[0]), *key) for *key, value in stored]
        refusals.check()
        if rows:
            update = f"UPDATE {name} SET {self.quote(scratch.name)} = %s WHERE {where}"  # noqa: S608 - quoted
            self.database.executemany(update, rows)
            self.settle()
        self._emit(partial(_drop_column, table=table, column=new.column))
        self._rename_column(table, scratch.name, new.column)

    def _fill_nulls(self, table: str, field: Any, fills: Mapping[str, Any]) -> None:
        missing = f"{self.quote(field.column)} IS NULL"
        value = self.value_for(field, fills, rows=lambda: self.count(table, missing))
        if value is not None:
            self._fill(table, field, value, only_null=True)

    def _fill(self, table: str, field: Any, value: Any, *, only_null: bool = False) -> None:
        name, column = self.quote(table), self.quote(field.column)
        where = f" WHERE {column} IS NULL" if only_null else ""
        if callable(value):
            keys, is_row = self._key(field.model)
            found = self.database.fetch(f"SELECT {keys} FROM {name}{where}")  # noqa: S608 - quoted
            rows = [(value(), *key) for key in found]
            self.database.executemany(f"UPDATE {name} SET {column} = %s WHERE {is_row}", rows)  # noqa: S608 - quoted
        else:
            self.execute(f"UPDATE {name} SET {column} = %s{where}", (value,))  # noqa: S608 - quoted
        self.settle()

    def _key(self, model: Any) -> tuple[str, str]:
        """The columns of the primary key, and the condition that they have given values."""
        names = [self.quote(field.column) for field in model._meta.key]
        return ", ".join(names), " AND ".join(f"{name} = %s" for name in names)

    def _set_null(self, table: str, field: Any, *, nullable: bool) -> None:
        kind = field.sql_type()
        self._emit(
            lambda operations: operations.alter_column(table, field.column, nullable=nullable, existing_type=kind)
        )


def _must_convert(old: Any, new: Any) -> bool:
    return not same_storage(old, new)


def _drop_column(operations: Any, *, table: str, column: str) -> None:
    operations.drop_column(table, column)


def compared_fields(old: Any, new: Any) -> tuple[list[Any], list[tuple[Any, Any]], list[Any]]:
    """The fields that went, (old, new) pairs of those that stayed, and those that came."""
    before = {field.name: field for field in old._meta.local_fields}
    after = {field.name: field for field in new._meta.local_fields}
    gone = [field for name, field in before.items() if name not in after]
    stayed = [(field, after[name]) for name, field in before.items() if name in after]
    made = [field for name, field in after.items() if name not in before]
    changed = [pair for pair in stayed if _differs(*pair)]
    return gone, changed, made


def check_key(old: Any, new: Any) -> None:
    """Refuse to change a primary key: rows of other tables refer to it.

    Raises:
        MigrationError: It would change.
    """
    before, after = old._meta.pk, new._meta.pk
    kinds = [[str(field.sql_type()) for field in each._meta.key] for each in (old, new)]
    if before.columns != after.columns or kinds[0] != kinds[1]:
        raise MigrationError(
            f"{new._meta.label}: the primary key changes from {before.name} ({type(before).__name__}) to "
            f"{after.name} ({type(after).__name__}), and other tables may refer to it",
            hint="Make a new model, copy the rows with RunPython, and delete the old one.",
        )


def _differs(old: Any, new: Any) -> bool:
    return describe_field(old.name, old) != describe_field(new.name, new)


def _moved_fields(old: Any, new: Any) -> list[tuple[Any, Any]]:
    pairs = list(zip(old._meta.local_fields, new._meta.local_fields, strict=True))
    if old._meta.table != new._meta.table:
        return pairs
    return [(before, after) for before, after in pairs if before.column != after.column]
