"""Changing tables on MariaDB and MySQL, which commit at every change of a table."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from toolkit.database.tokens.mysql import trigger_names
from toolkit.errors import DatabaseError, MigrationError
from toolkit.migrations.editors.base import compared_fields
from toolkit.migrations.editors.conversions import conversion, same_storage
from toolkit.migrations.editors.keys import Follower
from toolkit.migrations.editors.scripts import without_comments
from toolkit.migrations.editors.servers import VALUES, ServerEditor, rekeyed
from toolkit.migrations.editors.statements import Item, ddl, items_of, renamed_items, table_of
from toolkit.migrations.tables.definitions import parse_table
from toolkit.models.hidden import hidden_name


class MysqlEditor(ServerEditor):
    """MariaDB's and MySQL's way: a step at a time, each noted in the journal."""

    from_values = "UPDATE {table} JOIN {values} ON {same} SET {table}.{column} = {values}.{column}"
    drop_values = f"DROP TEMPORARY TABLE IF EXISTS {VALUES}"

    _away: frozenset[str] | set[str] = frozenset()
    """The computed columns that are not there while others are renamed."""

    def check_values(self, old: Any, new: Any, *, fills: Mapping[str, Any]) -> Mapping[str, Sequence[Any]]:
        """See beforehand what elsewhere is seen on the way: nothing can be taken back here."""
        super().check_values(old, new, fills=fills)
        found = {}
        for before, after in compared_fields(old, new)[1]:
            if not same_storage(before, after):
                lossy = after.name in self.lossy
                convert = conversion(before, after, dialect=self.database.dialect, lossy=lossy)
                found[after.column] = self._converted(new._meta.table, after, before.column, convert)
        return found

    def rename_index(self, model: Any, old: str, new: str) -> None:
        table = self.quote(model._meta.table)
        items = items_of(table_of(model, self.database), self.database)
        made = next((item for item in items if item.name == new and item.hidden), None)
        if made is None:
            self._rename_index(model._meta.table, old, new)
            return
        names = [hidden_name(old, number) for number in range(1, made.hidden + 1)]
        columns = ", ".join(f"DROP COLUMN {self.quote(name)}" for name in names)
        self.execute(f"ALTER TABLE {table} DROP INDEX {self.quote(old)}, {columns}")
        self.execute(made.sql)

    def run_sql(self, statements: Sequence[str]) -> None:
        for statement in statements:
            run = partial(self.database.execute, statement.replace("%", "%%"))
            said = without_comments(statement, "mysql")
            if _OF_SESSION.match(said):
                run()
            elif _COMMITTING.match(said):
                self.journal.change(run)
            else:
                self.write_rows(run)

    def rename(self, old: Any, new: Any) -> None:
        self._drop_token_triggers(old)
        super().rename(old, new)

    def _alter_table(self, old: Any, new: Any, *, fills: Mapping[str, Any]) -> None:
        self._drop_token_triggers(old)
        super()._alter_table(old, new, fills=fills)

    def _change_keys(self, followers: Sequence[Follower], *, mapped: bool) -> None:
        for each in followers:
            self._drop_token_triggers(each.old)
        super()._change_keys(followers, mapped=mapped)

    def _drop_token_triggers(self, model: Any) -> None:
        """They name the table, and its key, which nobody could write any more; the next build makes new ones."""
        for name in trigger_names(model._meta.table).values():
            self.execute_aside(f"DROP TRIGGER IF EXISTS {name}")

    def drop(self, model: Any) -> None:
        if not self.journal.is_resuming:
            self._refuse_referred(model)
        super().drop(model)

    def _refuse_referred(self, model: Any) -> None:
        table = model._meta.table
        found = self.database.fetch(
            "SELECT DISTINCT table_name FROM information_schema.referential_constraints "
            "WHERE constraint_schema = database() AND referenced_table_name = %s AND table_name <> %s",
            (table, table),
        )
        if found:
            raise MigrationError(
                f"the table {table} cannot be dropped: {', '.join(name for (name,) in found)} refers to it",
                hint="Remove the foreign keys before.",
            )

    def _changed_items(
        self,
        old_table: Any,
        new_table: Any,
        altered: Sequence[tuple[Any, Any]],
        remade: Sequence[tuple[Any, Any]],
    ) -> tuple[list[Item], list[Item]]:
        """Foreign keys go first and come last: each needs an index, which cannot be dropped under it."""
        dropped, added = super()._changed_items(old_table, new_table, altered, remade)
        touched = {column for item in dropped for column in item.columns}
        touched |= {before.column for before, _ in altered}
        kept = {item.sql for item in dropped}
        freed = [
            item
            for item in items_of(old_table, self.database)
            if item.is_foreign_key and item.columns & touched and item.sql not in kept
        ]
        again = {item.sql for item in freed}
        back = [item for item in items_of(new_table, self.database) if item.sql in again]
        dropped.sort(key=lambda item: not item.is_foreign_key)
        return [*freed, *dropped], [*added, *back]

    def _free_items(self, old: Any, new: Any) -> None:
        """Nothing here follows a column's new name in an expression, and foreign keys follow no new name at all."""
        for item in self._stuck(old, new)[0]:
            self.execute(item.drop_sql)
        for before, _ in self._computed(old, new):
            self._drop_column(old.name, before.name)

    def _rename_items(self, old: Any, new: Any) -> None:
        dropped, added = self._stuck(old, new)
        stuck = {item.name for item in dropped}
        for _, after in self._computed(old, new):
            self._define_column(new.name, after)
        for before, after in renamed_items(old, new, self.database):
            if before.kind in ("Index", "UniqueConstraint") and before.name not in stuck:
                self._rename_index(new.name, before.name, after.name)
        for item in added:
            self.execute(item.sql)

    def _rename_index(self, table: str, old: str, new: str) -> None:
        """One step; by a copy of the table where MariaDB still has statistics of an index that was called so.

        It gathers them in the background, and refuses a name that it has some for.
        """
        name, before, after = (self.quote(each) for each in (table, old, new))

        statement = f"ALTER TABLE {name} RENAME INDEX {before} TO {after}"

        def rename() -> None:
            try:
                self.database.execute(statement)
            except DatabaseError as error:
                if "innodb_index_stats" not in error.message:
                    raise
                self.database.execute(f"{statement}, ALGORITHM=COPY")

        self.journal.change(rename, sql=statement)

    def _rename_column(self, table: str, old: str, new: str) -> None:
        if old not in self._away:
            super()._rename_column(table, old, new)

    def _computed(self, old: Any, new: Any) -> list[tuple[Any, Any]]:
        """The computed columns before and after a rename that they speak of."""
        pairs = zip(old.columns, new.columns, strict=True)
        found = [
            (before, after)
            for before, after in pairs
            if before.computed is not None and self._spelled(before) != self._spelled(after)
        ]
        self._away = {before.name for before, _ in found}
        return found

    def _stuck(self, old: Any, new: Any) -> tuple[list[Item], list[Item]]:
        """What must be dropped before a rename and made again after it, foreign keys first and last."""
        computed = self._computed(old, new)
        before = _of_kinds(items_of(old, self.database), {column.name for column, _ in computed})
        after = _of_kinds(items_of(new, self.database), {column.name for _, column in computed})
        same = set() if old.name != new.name else {item.sql for item in before} & {item.sql for item in after}
        same -= {item.sql for item in before if item.columns & self._away}
        dropped = [item for item in before if item.sql not in same]
        return sorted(dropped, key=lambda item: not item.is_foreign_key), [i for i in after if i.sql not in same]

    def _exchange_columns(self, old: Any, new: Any, gone: Collection[str], scratch: Mapping[str, Any]) -> None:
        """In one statement, for a column that counts must be the key at once."""
        from sqlalchemy.schema import CreateTable

        spelled = parse_table(ddl(self.database, CreateTable(new))).columns
        keyed = rekeyed(old, new, {*gone, *scratch})
        steps = ["DROP PRIMARY KEY"] if keyed else []
        steps += [f"DROP COLUMN {self.quote(column)}" for column in sorted(gone)]
        steps += [f"CHANGE COLUMN {self.quote(made.name)} {spelled[column]}" for column, made in scratch.items()]
        staying = sorted(keyed - scratch.keys() - set(gone))
        steps += [f"MODIFY COLUMN {spelled[column]}" for column in staying]
        if keyed:
            steps.append(f"ADD PRIMARY KEY ({', '.join(self.quote(each.name) for each in new.primary_key.columns)})")
        if steps:
            self.execute(f"ALTER TABLE {self.quote(new.name)} {', '.join(steps)}")

    def _define_column(self, table: str, column: Any) -> None:
        self.execute(f"ALTER TABLE {self.quote(table)} ADD COLUMN {self._spelled(column)}")

    def _respell_column(self, table: str, old: Any, new: Any) -> None:
        before, after = self._spelled(old), self._spelled(new)
        if before.partition(" ")[2] != after.partition(" ")[2]:
            self.execute(f"ALTER TABLE {self.quote(table)} MODIFY COLUMN {after}")


def _of_kinds(items: Iterable[Item], columns: set[str]) -> list[Item]:
    """The items that follow no rename, and those of some columns."""
    return [item for item in items if item.kind in _STUCK or item.hidden or item.columns & columns]


_OF_SESSION = re.compile(
    r"SET\s+(?!STATEMENT\b)|USE\b|PREPARE\b|DEALLOCATE\b|SELECT\b.*\bINTO\s+@", re.IGNORECASE | re.DOTALL
)
"""What the connection keeps: no step, for whoever goes on has another connection."""

_COMMITTING = re.compile(
    r"(ALTER|ANALYZE|CREATE|DROP|EXECUTE|FLUSH|GRANT|LOCK|OPTIMIZE|RENAME|REPAIR|REVOKE|TRUNCATE|UNLOCK|/\*M?!)",
    re.IGNORECASE,
)
"""What begins with any of these cannot be in a transaction with the note of it. Source: MariaDB, "SQL statements that
cause an implicit commit". ``EXECUTE`` may be one of them."""

_STUCK = ("ForeignKeyConstraint", "CheckConstraint")
