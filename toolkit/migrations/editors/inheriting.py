"""Rows that get a row in the table of a parent, and rows that leave theirs.

A child's row has no key of its own: its key is that of its parent's row. So a model with rows that begins to inherit
gets rows in the tables of its ancestors, under its old keys where those are free there, and all that refers to it
follows where they are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from toolkit.errors import MigrationError, Problems
from toolkit.migrations.editors.conversions import Refusals, conversion, held_by, same_storage
from toolkit.migrations.editors.keys import TABLE as KEYS
from toolkit.migrations.editors.keys import Pair, new_keys
from toolkit.migrations.editors.statements import table_of
from toolkit.models import IntegerField

HIDDEN = ("_", "Translation")
"""How the names of tables between and of translations go on behind that of their model."""


class Lineage:
    """The tables of a model's ancestors, and the rows that it has there.

    Args:
        editor: Of the database.
        models: All models by label, while both the child's and the ancestors' columns are there.
        child: The label of the child.
        parent: The label of its parent.
    """

    def __init__(self, editor: Any, models: Mapping[str, Any], *, child: str, parent: str) -> None:
        self._editor, self._models = editor, models
        self.child = models[child]
        self.tables = list(_ancestors(models[parent]))[::-1]
        self._dialect = editor.database.dialect

    @property
    def root(self) -> Any:
        """The ancestor that has the key."""
        return self.tables[0]

    # keys

    def pairs(self, new: Any, *, adopt: bool) -> list[Pair]:
        """The key of each row of the child, and the one that it gets: the same, if that is free.

        Args:
            new: The child as it shall be.
            adopt: A row of the parent with the same key is the row's own.

        Raises:
            Problems: Keys that are taken, and nothing that makes others.
        """
        taken = set() if adopt else set(self._keys_of(self.root))
        fresh = self._fresh(taken)
        problems, found = [], []
        own = self._keys_of(self.child)
        pairs = list(new_keys(self.child, new, own, dialect=self._dialect, fresh=fresh))
        wanted = {key for _, key in pairs}
        fresh = self._fresh(taken | wanted)
        for old, key in pairs:
            if key in taken and fresh is None:
                problems.append(MigrationError(f"{self.child._meta.table}, row {old}: {self.root._meta.table} has one"))
            found.append(((old,), (fresh() if key in taken and fresh is not None else key,)))
        if problems:
            raise Problems(
                problems[:20],
                summary=f"{new._meta.label}: rows of its parent have the same keys; nothing was changed. Give the rows "
                "other keys in a RunPython before",
            )
        return found

    def _keys_of(self, model: Any) -> list[Any]:
        key, table = (self._editor.quote(name) for name in (model._meta.pk.column, model._meta.table))
        return [found for (found,) in self._editor.database.fetch(f"SELECT {key} FROM {table} ORDER BY {key}")]  # noqa: S608 - quoted

    def _fresh(self, taken: set[Any]) -> Callable[[], Any] | None:
        """What makes keys that the root has not, if anything does."""
        held = held_by(self.root._meta.pk)
        if isinstance(held, IntegerField):
            numbers = count(max((key for key in taken if isinstance(key, int)), default=0) + 1)
            return lambda: next(numbers)
        default = self.root._meta.pk.default
        if not callable(default):
            return None
        write = held.db_value_of(self._dialect)
        return lambda: write(held.to_python(default()))

    # rows

    def make_rows(self, fills: Mapping[str, Any], *, adopt: bool) -> None:
        """Give each row of the child its rows in the ancestors' tables.

        Args:
            fills: Field name to what rows get that have no value.
            adopt: Rows that are there are the child's, and get its values.

        Raises:
            MigrationError: There is no value for a column.
        """
        for model in self.tables:
            self._editor.write_rows(lambda model=model: self._make_rows(model, fills, adopt=adopt))
        counting = self.root._meta.pk
        self._editor.write_rows(
            lambda: self._editor.database.backend.keys_were_given(
                self._editor.database, self.root._meta.table, counting.column
            )
        )

    def _make_rows(self, model: Any, fills: Mapping[str, Any], *, adopt: bool) -> None:
        shared = [field for field in _plain(model) if field.name in self._own(self.child)]
        others = [field for field in _plain(model) if field not in shared and not self._fills_itself(field, fills)]
        rows = self._rows_of_child([field.name for field in shared], model)
        there = set(self._keys_of(model)) if adopt else set()
        new = [row for row in rows if row[0] not in there]
        given = [self._editor.value_for(field, fills, rows=lambda: len(new)) for field in others]
        quote = self._editor.quote
        names = [quote(field.column) for field in (model._meta.pk, *shared, *others)]
        marks = ", ".join([self._editor.mark] * len(names))
        table = quote(model._meta.table)
        if new:
            self._editor.database.executemany(
                f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})",  # noqa: S608 - quoted
                [
                    (*self._whole(row, shared, fills), *(each() if callable(each) else each for each in given))
                    for row in new
                ],
            )
        old = [row for row in rows if row[0] in there]
        if old and shared:
            listed = ", ".join(f"{quote(field.column)} = {self._editor.mark}" for field in shared)
            self._editor.database.executemany(
                f"UPDATE {table} SET {listed} WHERE {names[0]} = {self._editor.mark}",  # noqa: S608 - quoted
                [(*self._whole(row, shared, fills)[1:], row[0]) for row in old],
            )
        self._editor.settle()

    def _whole(self, row: Sequence[Any], fields: Sequence[Any], fills: Mapping[str, Any]) -> list[Any]:
        """A row with something in the place of each NULL that the ancestor does not take."""
        found = [row[0]]
        for field, value in zip(fields, row[1:], strict=True):
            if value is None and not field.null:
                made = self._editor.value_for(field, fills, rows=lambda: 1)
                value = made() if callable(made) else made
            found.append(value)
        return found

    def _fills_itself(self, field: Any, fills: Mapping[str, Any]) -> bool:
        column = table_of(field.model, self._dialect).c[field.column]
        return column.server_default is not None and field.name not in fills

    def _rows_of_child(self, names: Sequence[str], model: Any) -> list[tuple[Any, ...]]:
        """The new key of each row of the child, and what its fields say, as the ancestor stores it."""
        fields = [(self._own(self.child)[name], model._meta.by_name[name]) for name in names]
        return self._read(self.child, fields, model, side="new")

    def fetch_down(self, child: Any) -> None:
        """Give the child's columns what the ancestors' of the same names say.

        Args:
            child: The child as it is meanwhile: those columns may be NULL.
        """
        for model in self.tables:
            own = self._own(child)
            fields = [(field, own[field.name]) for field in _plain(model) if field.name in own]
            if fields:
                self._editor.write_rows(lambda model=model, fields=fields: self._fetch_down(model, child, fields))

    def _fetch_down(self, model: Any, child: Any, fields: Sequence[tuple[Any, Any]]) -> None:
        quote = self._editor.quote
        rows = self._read(model, fields, child, side="old")
        listed = ", ".join(f"{quote(own.column)} = {self._editor.mark}" for _, own in fields)
        if rows:
            self._editor.database.executemany(
                f"UPDATE {quote(child._meta.table)} SET {listed} "  # noqa: S608 - quoted
                f"WHERE {quote(child._meta.pk.column)} = {self._editor.mark}",
                [(*values, key) for key, *values in rows],
            )
        self._editor.settle()

    def _read(self, source: Any, fields: Sequence[tuple[Any, Any]], target: Any, *, side: str) -> list[tuple[Any, ...]]:
        """Rows of one table as another stores them, each behind its key there; only those whose keys are moved."""
        quote = self._editor.quote
        columns = "".join(f", s.{quote(old.column)}" for old, _ in fields)
        found = self._editor.database.fetch(
            f"SELECT k.{side}_0{columns} FROM {quote(source._meta.table)} s JOIN {quote(KEYS)} k "  # noqa: S608 - quoted
            f"ON k.old_0 = s.{quote(source._meta.pk.column)} ORDER BY k.old_0"
        )
        refusals = Refusals(target)
        convert = [_converter(refusals, old, new, self._dialect) for old, new in fields]
        rows = [
            (key, *(each(value, key) for each, value in zip(convert, values, strict=True))) for key, *values in found
        ]
        refusals.check()
        return rows

    def _own(self, child: Any) -> dict[str, Any]:
        return {field.name: field for field in _plain(child)}

    # tables between, and translations

    def move_hidden(self, *, up: bool) -> None:
        """Copy what stands in the tables between and of translations that the child and an ancestor both have."""
        for own, theirs in self._twins():
            source, target = (own, theirs) if up else (theirs, own)
            self._editor.write_rows(
                lambda source=source, target=target: self._copy_hidden(source, target, side="new" if up else "old")
            )

    def _twins(self) -> Iterator[tuple[Any, Any]]:
        """(the child's, an ancestor's) hidden tables of one purpose."""
        for model in self.tables:
            for own, suffix in self._hidden_of(self.child):
                theirs = next((one for one, other in self._hidden_of(model) if other == suffix), None)
                if theirs is not None:
                    yield own, theirs

    def _hidden_of(self, model: Any) -> Iterator[tuple[Any, str]]:
        meta = model._meta
        for other in self._models.values():
            suffix = other._meta.object_name.removeprefix(meta.object_name)
            named = other._meta.app_label == meta.app_label and other._meta.object_name == meta.object_name + suffix
            if named and suffix.startswith(HIDDEN) and _keys_to(other, model):
                yield other, suffix

    def _copy_hidden(self, source: Any, target: Any, *, side: str) -> None:
        quote, execute = self._editor.quote, self._editor.database.execute
        members = {self.child, *self.tables}
        owners = list(zip(_keys_to(source, *members), _keys_to(target, *members), strict=False))
        plain = {field.name: field for field in _plain(target)}
        others = [(field, plain[field.name]) for field in _plain(source) if field.name in plain]
        paired = {field for pair in owners for field in pair}
        rest = [(old, new) for old, new in others if old not in paired and new not in paired]
        same = [pair for pair in rest if pair[0].is_relation or pair[0].name == "locale"]
        values = [pair for pair in rest if pair not in same]
        table = quote(target._meta.table)
        joins = " ".join(
            f"JOIN {quote(KEYS)} k{number} ON k{number}.old_0 = s.{quote(old.column)}"
            for number, (old, _) in enumerate(owners)
        )
        read = [f"k{number}.{side}_0" for number in range(len(owners))]
        read += [f"s.{quote(old.column)}" for old, _ in (*same, *values)]
        written = [quote(new.column) for _, new in (*owners, *same, *values)]
        match = " AND ".join(
            f"{table}.{name} = {value}"
            for name, value in zip(written, read, strict=True)
            if name not in {quote(new.column) for _, new in values}
        )
        if not values:
            first = written[0]
            execute(f"DELETE FROM {table} WHERE {first} IN (SELECT {side}_0 FROM {quote(KEYS)})")  # noqa: S608 - quoted
        for _, new in values:
            value = read[written.index(quote(new.column))]
            found = f"FROM {quote(source._meta.table)} s {joins} WHERE {match}"
            execute(
                f"UPDATE {table} SET {quote(new.column)} = (SELECT {value} {found}) "  # noqa: S608 - quoted
                f"WHERE EXISTS (SELECT 1 {found})"
            )
        execute(
            f"INSERT INTO {table} ({', '.join(written)}) SELECT {', '.join(read)} FROM {quote(source._meta.table)} s "  # noqa: S608 - quoted
            f"{joins} WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE {match})"
        )
        self._editor.settle()

    # leaving

    def check_free(self) -> None:
        """Refuse to delete rows of ancestors that others refer to.

        Raises:
            MigrationError: There are some.
        """
        ours = {self.child, *self.tables, *(other for model in self.tables for other, _ in self._hidden_of(model))}
        quote = self._editor.quote
        keys = f"SELECT {quote(self.child._meta.pk.column)} FROM {quote(self.child._meta.table)}"  # noqa: S608 - quoted
        for other in self._models.values():
            for field in _keys_to(other, *self.tables) if other not in ours and not other._meta.proxy else ():
                number = self._editor.count(other._meta.table, f"{quote(field.column)} IN ({keys})")
                if number:
                    raise MigrationError(
                        f"{number} rows of {other._meta.table} refer by {field.column} to rows of "
                        f"{field.target._meta.table} that go, for they are there for {self.child._meta.label} alone",
                        hint="Remove those references before, or say adopt=True in the operation: the rows then stay.",
                    )

    def delete_rows(self) -> None:
        """Delete the rows of ancestors that the child had there."""

        def delete() -> None:
            quote, execute = self._editor.quote, self._editor.database.execute
            members = f"IN (SELECT old_0 FROM {quote(KEYS)})"  # noqa: S608 - a constant
            for model in self.tables[::-1]:
                for hidden, _ in self._hidden_of(model):
                    for field in _keys_to(hidden, model):
                        execute(f"DELETE FROM {quote(hidden._meta.table)} WHERE {quote(field.column)} {members}")  # noqa: S608 - quoted
                table, key = quote(model._meta.table), quote(model._meta.pk.column)
                execute(f"DELETE FROM {table} WHERE {key} {members}")  # noqa: S608 - quoted
            self._editor.settle()

        self._editor.write_rows(delete)


def _ancestors(model: Any) -> Iterator[Any]:
    """A model, its parent, and so on.

    Raises:
        MigrationError: One has several parents.
    """
    while True:
        yield model
        parents = list(model._meta.parents)
        if not parents:
            return
        if len(parents) > 1:
            raise MigrationError(
                f"{model._meta.label} has several parents, and rows cannot be made in the tables of all by themselves",
                hint="Make a new model, and copy the rows with RunPython.",
            )
        model = parents[0]


def _plain(model: Any) -> list[Any]:
    """The fields of a table that hold values of their own, its key apart."""
    return [field for field in model._meta.local_fields if not field.primary_key and not field.is_generated]


def _keys_to(model: Any, *targets: Any) -> list[Any]:
    """The foreign keys of a model to some others, in their order."""
    return [field for field in model._meta.local_fields if field.is_relation and field.target in targets]


def _converter(refusals: Refusals, old: Any, new: Any, dialect: str) -> Callable[[Any, Any], Any]:
    if not same_storage(old, new):
        return refusals.guarded(conversion(old, new, dialect=dialect), new)
    read, write = held_by(old).db_reader(dialect), held_by(new).db_writer(dialect)

    def kept(value: Any, row: Any) -> Any:
        if value is None:
            return None
        value = value if read is None else read(value)
        return value if write is None else write(value)

    return kept
