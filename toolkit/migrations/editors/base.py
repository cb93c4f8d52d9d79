"""Changing tables: from what a model was to what it is. Each kind of database has an editor that knows how."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from toolkit.errors import MigrationError, Problems
from toolkit.migrations.editors.conversions import check_convertible
from toolkit.migrations.editors.journal import Journal, NoJournal
from toolkit.migrations.editors.keys import OWN, Follower, Source, check_key, keeps_values
from toolkit.migrations.editors.keys import TABLE as KEYS
from toolkit.migrations.editors.obstacles import check_obstacles
from toolkit.migrations.editors.pairing import KeyTable
from toolkit.migrations.editors.statements import create_statements, ddl, foreign_keys_of, table_of, tables_of
from toolkit.migrations.fields import describe_field, usable_default
from toolkit.migrations.tables.comparing import differences, read_table
from toolkit.models.fields import MISSING
from toolkit.models.schema import Schema


class Editor:
    """Makes, changes and drops tables through SQLAlchemy's DDL.

    Args:
        database: Where; in a transaction that somebody else opened, if tables can be changed in one.

    Attributes:
        journal: Notes how far it got, where tables are not changed in a transaction.
        place: Says which models have their tables here.
        mark: Stands for a value in SQL.
        lossy: The fields whose values may lose something in the change that is being made.
        remark: Is told what Python does between the statements, for those who read them.
    """

    mark = "%s"

    def __init__(self, database: Any) -> None:
        self.database = database
        self.place: Any = None
        self.journal: Journal = NoJournal()
        self.lossy: frozenset[str] = frozenset()
        self.remark: Callable[[str], object] = lambda text: None

    # what operations ask for

    def create(self, model: Any) -> None:
        """Make a table with its constraints and indexes. One that is there and is the same is taken over.

        Raises:
            Problems: There is one that differs.
        """
        self._check_possible(model)
        if self.journal.is_resuming or read_table(self.database, model._meta.table) is None:
            self._create_table(model)
            self._add_foreign_keys(model)
        elif problems := differences(self.database, [model]):
            raise Problems(problems, summary=f"the table {model._meta.table} is there already and differs")
        self._call_fields("after_create", model)

    def create_all(self, models: Sequence[Any]) -> None:
        """Make several tables, which may refer to each other in circles."""
        tables_of(models, self.database)
        for model in models:
            self._create_table(model)
        for model in models:
            self._add_foreign_keys(model)
            self._call_fields("after_create", model)

    def drop(self, model: Any) -> None:
        """Drop a table with everything in it."""
        self._call_fields("before_drop", model)
        self.execute(f"DROP TABLE {self.quote(model._meta.table)}")

    def rename(self, old: Any, new: Any) -> None:
        """Give a table or its columns other names; everything that is named after them follows."""
        changed = _moved_fields(old, new)
        self._call_fields("before_drop", old, only={before.name for before, _ in changed})
        old_table, new_table = table_of(old, self.database), table_of(new, self.database)
        self._free_items(old_table, new_table)
        self._rename_table(old, new)
        for before, after in zip(old._meta.local_fields, new._meta.local_fields, strict=True):
            if before.column != after.column:
                self._rename_column(new._meta.table, before.column, after.column)
        self._rename_items(old_table, new_table)
        self._call_fields("after_create", new, only={after.name for _, after in changed})

    def alter(self, old: Any, new: Any, *, fills: Mapping[str, Any], lossy: Collection[str] = ()) -> None:
        """Change columns, constraints and indexes of a table.

        Args:
            old: The model as it was.
            new: The model as it shall be; fields of one name are one field.
            fills: Field name to what rows get that have no value.
            lossy: Names of fields whose values may lose something on the way.

        Raises:
            MigrationError: Rows stand in the way.
        """
        self.lossy = frozenset(lossy)
        check_key(old, new)
        self._check_possible(new)
        gone, altered, _ = compared_fields(old, new)
        for before, after in altered:
            check_convertible(before, after)
        if not self.journal.is_resuming:
            converted = self.check_values(old, new, fills=fills)
            check_obstacles(self, old, new, fills=fills, converted=converted)
        touched = {field.name for field in gone} | {before.name for before, _ in altered}
        self._call_fields("before_drop", old, only=touched)
        self._alter_table(old, new, fills=fills)
        self._call_fields("after_create", new)

    def change_key(self, followers: Sequence[Follower], *, fill: Any = MISSING) -> None:
        """Let a primary key be another, with all that refers to it.

        Args:
            followers: The model itself, and those that refer to it.
            fill: Makes a new key for each row; without it keys are converted where they can be.

        Raises:
            MigrationError: Rows stand in the way.
        """
        old, new = followers[0].old, followers[0].new
        if fill is MISSING and keeps_values(old, new):
            self.move_keys(followers, mapped=False)
            return
        keys = KeyTable(self, old, new)
        keys.write(lambda: keys.fill(fill=fill))
        self.move_keys(followers)
        keys.drop()

    def move_keys(self, followers: Sequence[Follower], *, mapped: bool = True) -> None:
        """Put new keys in the place of old ones, in all tables that hold them.

        Args:
            followers: The tables.
            mapped: By the table of old and new keys; else the keys stay what they are.
        """
        for each in followers:
            self._check_possible(each.new)
        for each in followers:
            self._call_fields("before_drop", each.old)
        self._change_keys(followers, mapped=mapped)
        for each in followers:
            self._call_fields("after_create", each.new)

    def comment(self, model: Any) -> None:
        """Give a table the comment that its model has, where the database keeps such."""
        from sqlalchemy.schema import DropTableComment, SetTableComment

        if self.database.sqlalchemy_dialect.supports_comments:
            table = table_of(model, self.database)
            self.execute(ddl(self.database, SetTableComment(table) if table.comment else DropTableComment(table)))

    def rename_index(self, model: Any, old: str, new: str) -> None:
        """Give an index another name.

        Args:
            model: The model as it shall be, with the index under its new name.
            old: The name that the index has.
            new: The name that it shall have.
        """
        self.execute(f"ALTER INDEX {self.quote(old)} RENAME TO {self.quote(new)}")

    def replace_value(self, model: Any, column: str, old: str, new: str) -> None:
        """Put one text in the place of another, in all rows; nothing in a table that is yet to be made.

        Args:
            model: Whose rows; of an app without migrations its table may not be there.
            column: The column.
            old: The text that rows hold.
            new: The text that they shall hold.
        """
        table, name = self.quote(model._meta.table), self.quote(column)

        def replace() -> None:
            if model._meta.table in self.database.table_names():
                self.execute_aside(f"UPDATE {table} SET {name} = {self.mark} WHERE {name} = {self.mark}", (new, old))  # noqa: S608 - quoted
                self.settle()

        self.write_rows(replace)  # a step in any case: the table may have another name when this is continued

    def run_sql(self, statements: Sequence[str]) -> None:
        """Run somebody's SQL as it stands."""
        for statement in statements:
            self.execute(statement.replace("%", "%%"))
        self.settle()

    def settle(self) -> None:
        """Check what is deferred, where a table with checks waiting cannot be altered."""

    # how it is done

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run one statement that changes tables."""
        self.journal.change(lambda: self.database.execute(sql, parameters), sql=sql)

    def execute_aside(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement that is no step of its own: a part of one, or one that may be run again."""
        self.database.execute(sql, parameters)

    def write_rows(self, write: Callable[[], object]) -> None:
        """Run something that changes rows and no tables: whole or not at all."""
        self.journal.write(write)

    def quote(self, name: str) -> str:
        """A name as SQL wants it."""
        return str(self.database.sqlalchemy_dialect.identifier_preparer.quote_identifier(name))

    def count(self, table: str, condition: str = "") -> int:
        """How many rows a table has that meet a condition."""
        where = f" WHERE {condition}" if condition else ""
        return int(self.database.fetch(f"SELECT count(*) FROM {self.quote(table)}{where}")[0][0])  # noqa: S608 - quoted

    def check_values(self, old: Any, new: Any, *, fills: Mapping[str, Any]) -> Mapping[str, Sequence[Any]]:
        """See that every row gets a value in new columns and in those that may not be NULL any more.

        Returns:
            Column to its converted values, each before the key of its row, where they are looked at beforehand.

        Raises:
            MigrationError: There are rows, and nothing for them.
        """
        table, name = table_of(new, self.database), old._meta.table
        _, altered, made = compared_fields(old, new)
        for field in made:
            if not field.null and table.c[field.column].server_default is None:
                self.value_for(field, fills, rows=lambda: self.count(name))
        for before, after in altered:
            if before.null and not after.null and table.c[after.column].server_default is None:
                missing = f"{self.quote(before.column)} IS NULL"
                self.value_for(after, fills, rows=lambda missing=missing: self.count(name, missing))  # type: ignore[misc]  # mypy gives a default of a lambda no type
        return {}

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
        write = field.db_value_of(self.database.dialect)

        def stored(given: Any) -> Any:
            return None if given is None else write(given)

        return (lambda: stored(value())) if callable(value) else stored(value)

    def source_of(self, table: str, source: Source, *, mapped: bool) -> str:
        """The SQL of what a column gets: a part of the new key that stands for an old one, or what a column holds."""
        number, columns = source
        names = [f"{self.quote(table)}.{self.quote(column)}" for column in columns]
        if number == OWN or not mapped:
            return names[0]
        same = " AND ".join(f"k.old_{position} = {name}" for position, name in enumerate(names))
        return f"(SELECT k.new_{number} FROM {self.quote(KEYS)} k WHERE {same})"  # noqa: S608 - quoted

    def _refuse_lost(self, each: Follower) -> None:
        """Refuse references to rows that are not there: there is no new key for them.

        Raises:
            MigrationError: There are some.
        """
        table = each.old._meta.table
        for columns in sorted(each.held):
            present = " AND ".join(f"{self.quote(column)} IS NOT NULL" for column in columns)
            key = self.source_of(table, (0, columns), mapped=True)
            lost = self.count(table, f"{present} AND {key} IS NULL")
            if lost:
                raise MigrationError(
                    f"{table}: {', '.join(columns)} refers to rows that are not there, in {lost} rows",
                    hint="Mend or remove them before, perhaps in a RunPython.",
                )

    def _change_keys(self, followers: Sequence[Follower], *, mapped: bool) -> None:
        raise TypeError(f"{type(self).__name__} must define _change_keys()")

    def _check_possible(self, model: Any) -> None:
        """Refuse what this kind of database cannot keep.

        Raises:
            Problems: Each with what to do instead.
        """
        if problems := Schema([model], self.database.dialect, backend=self.database.spelling).problems():
            raise Problems(problems, summary=f"{self.database.dialect} cannot keep what the migration says")

    def _call_fields(self, hook: str, model: Any, *, only: set[str] | None = None) -> None:
        """Let fields that keep something beside their column (a spatial index) make or remove it."""
        for field in model._meta.local_fields:
            method = getattr(field, hook, None)
            if callable(method) and (only is None or field.name in only):
                method(self.database)

    def _create_table(self, model: Any) -> None:
        """Make a table and its indexes; its foreign keys come later, once every table is there."""
        for statement in create_statements(self.database, model, foreign_keys=False):
            self.execute(statement)

    def _add_foreign_keys(self, model: Any) -> None:
        for key in foreign_keys_of(table_of(model, self.database), self.database):
            self.execute(key.sql)

    def _free_items(self, old: Any, new: Any) -> None:
        """Before a rename: drop what cannot follow it."""

    def _rename_table(self, old: Any, new: Any) -> None:
        if old._meta.table != new._meta.table:
            self.execute(f"ALTER TABLE {self.quote(old._meta.table)} RENAME TO {self.quote(new._meta.table)}")

    def _rename_column(self, table: str, old: str, new: str) -> None:
        self.execute(f"ALTER TABLE {self.quote(table)} RENAME COLUMN {self.quote(old)} TO {self.quote(new)}")

    def _rename_items(self, old: Any, new: Any) -> None:
        """After a rename: give constraints and indexes the names that go with it."""
        raise TypeError(f"{type(self).__name__} must define _rename_items()")

    def _alter_table(self, old: Any, new: Any, *, fills: Mapping[str, Any]) -> None:
        raise TypeError(f"{type(self).__name__} must define _alter_table()")


def compared_fields(old: Any, new: Any) -> tuple[list[Any], list[tuple[Any, Any]], list[Any]]:
    """The fields that went, (old, new) pairs of those that stayed, and those that came."""
    before = {field.name: field for field in old._meta.local_fields}
    after = {field.name: field for field in new._meta.local_fields}
    gone = [field for name, field in before.items() if name not in after]
    stayed = [(field, after[name]) for name, field in before.items() if name in after]
    made = [field for name, field in after.items() if name not in before]
    changed = [pair for pair in stayed if _differs(*pair)]
    return gone, changed, made


def _differs(old: Any, new: Any) -> bool:
    """Whether a field says something else, or is of another kind since what it refers to is."""
    alike = describe_field(old.name, old) == describe_field(new.name, new)
    return not alike or str(old.sql_type()) != str(new.sql_type())


def _moved_fields(old: Any, new: Any) -> list[tuple[Any, Any]]:
    pairs = list(zip(old._meta.local_fields, new._meta.local_fields, strict=True))
    if old._meta.table != new._meta.table:
        return pairs
    return [(before, after) for before, after in pairs if before.column != after.column]
