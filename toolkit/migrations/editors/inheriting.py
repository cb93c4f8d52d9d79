"""Rows that get a row in the table of a parent, and rows that leave theirs.

A child's row has no key of its own: its key is that of its parent's row. So a model with rows that begins to inherit
gets rows in the tables of its ancestors, under its old keys where those are free there, and all that refers to it
follows where they are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

from toolkit.errors import MigrationError, Problems
from toolkit.migrations.editors.carriage import Carriage
from toolkit.migrations.editors.conversions import SHOWN_PROBLEMS, Refusals, held_by
from toolkit.migrations.editors.keys import TABLE as KEYS
from toolkit.migrations.editors.pairing import NUMBER, KeyTable, are_foreign
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

    def pair(self, keys: KeyTable, *, adopt: bool) -> None:
        """Pair the key of each row of the child with the one that it gets: the same, if that is free.

        Args:
            keys: The table of the pairs.
            adopt: A row of the parent with the same key is the row's own.

        Raises:
            Problems: Keys that are taken, or that the parent cannot have, and nothing that makes others.
        """
        refusals = Refusals(keys.new)
        link = keys.new._meta.pk
        if are_foreign(self.child._meta.pk, link):
            self._pair_anew(keys, refusals)
            return
        part = keys.part(self.child._meta.pk, link, refusals=refusals)
        if adopt or part.make is not None:
            keys.insert([part.sql])
        else:
            self._pair_free(keys, part.sql)
        if part.make is not None:
            keys.make(0, part.make, refusals)
        if not adopt:
            self._replace_taken(keys, refusals)
        keys.check()

    def _pair_anew(self, keys: KeyTable, refusals: Refusals) -> None:
        """Keys that the root has not, for those of the child say nothing there."""
        if self._counts:
            keys.insert([f"{self._greatest(self.root)} + {NUMBER.format(keys.own())}"])
            return
        keys.insert(["NULL"])
        fresh = self._fresh()
        make = fresh if fresh is not None else keys.part(self.child._meta.pk, keys.new._meta.pk, refusals=refusals).make
        if make is not None:
            keys.make(0, make, refusals)

    def _pair_free(self, keys: KeyTable, own: str) -> None:
        """Each row keeps its key where the root has none such; the others get numbers behind all, or none yet."""
        table, column = (self._editor.quote(name) for name in (self.root._meta.table, self.root._meta.pk.column))
        order = "CASE WHEN r.taken IS NULL THEN 1 ELSE 0 END, "
        other = "NULL"
        if self._counts:
            other = f"{self._greatest(self.root, self.child)} + {NUMBER.format(order + keys.own())}"
        keys.insert(
            [f"CASE WHEN r.taken IS NULL THEN {own} ELSE {other} END"],
            joined=f"LEFT JOIN (SELECT {column} AS taken FROM {table}) r ON r.taken = {own}",  # noqa: S608 - quoted
            order=order,
        )

    def _replace_taken(self, keys: KeyTable, refusals: Refusals) -> None:
        """Give rows whose keys the root has another."""
        table, column = (self._editor.quote(name) for name in (self.root._meta.table, self.root._meta.pk.column))
        taken = f"(new_0 IS NULL OR new_0 IN (SELECT {column} FROM {table}))"  # noqa: S608 - quoted
        fresh = self._fresh()
        if fresh is not None:
            keys.make(0, fresh, refusals, where=taken)
            return
        rows = self._editor.database.fetch(
            f"SELECT old_0 FROM {keys.name} WHERE {taken} ORDER BY old_0 LIMIT {SHOWN_PROBLEMS}"  # noqa: S608 - quoted
        )
        if rows:
            raise Problems(
                [
                    MigrationError(f"{self.child._meta.table}, row {old}: {self.root._meta.table} has one")
                    for (old,) in rows
                ],
                summary=f"{keys.new._meta.label}: rows of its parent have the same keys. Give the "
                "rows other keys in a RunPython before",
            )

    @property
    def _counts(self) -> bool:
        """Whether keys of the root are numbers."""
        return isinstance(held_by(self.root._meta.pk), IntegerField)

    def _greatest(self, *models: Any) -> str:
        """The greatest number that is a key of some models, as SQL."""
        quote = self._editor.quote
        each = [f"SELECT max({quote(one._meta.pk.column)}) AS x FROM {quote(one._meta.table)}" for one in models]  # noqa: S608 - quoted
        return f"(SELECT coalesce(max(g.x), 0) FROM ({' UNION ALL '.join(each)}) g)"  # noqa: S608 - quoted

    def _fresh(self) -> Callable[[Any, Any], Any] | None:
        """What makes keys that the root has not, if anything does."""
        held, quote = held_by(self.root._meta.pk), self._editor.quote
        if self._counts:
            found = self._editor.database.fetch(
                f"SELECT max(x) FROM (SELECT max({quote(self.root._meta.pk.column)}) AS x FROM "  # noqa: S608 - quoted
                f"{quote(self.root._meta.table)} UNION ALL SELECT max(new_0) FROM {quote(KEYS)}) g"
            )
            numbers = count((found[0][0] or 0 if found else 0) + 1)
            return lambda _, __: next(numbers)
        default = self.root._meta.pk.default
        if not callable(default):
            return None
        write = held.db_value_of(self._dialect)
        return lambda _, __: write(held.to_python(default()))

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

    def check_values(self, fills: Mapping[str, Any]) -> None:
        """See that there is a value for every column of the ancestors, where rows are made in all.

        Raises:
            MigrationError: There are rows, and nothing for them.
        """
        for model in self.tables:
            self._given(model, fills)

    def _make_rows(self, model: Any, fills: Mapping[str, Any], *, adopt: bool) -> None:
        table, key = self._editor.quote(model._meta.table), self._editor.quote(model._meta.pk.column)
        own = self._editor.quote(self.child._meta.pk.column)
        absent = f"NOT EXISTS (SELECT 1 FROM {table} t WHERE t.{key} = k.new_0)"  # noqa: S608 - quoted
        new = f"{own} IN (SELECT k.old_0 FROM {self._editor.quote(KEYS)} k WHERE {absent})"  # noqa: S608 - quoted
        given = self._given(model, fills, new=new if adopt else "")
        carriage = Carriage(self._editor, self.child, model, self._shared(model), side="new")
        if adopt:
            carriage.update(given)
        carriage.insert(given)
        self._editor.settle()

    def _given(self, model: Any, fills: Mapping[str, Any], *, new: str = "") -> dict[Any, Any]:
        """What rows get, by the ancestor's field, where the child has no such field, or NULL in it.

        Args:
            model: The ancestor.
            fills: What the operation says.
            new: The condition that a row of the child has none there; without it none has.
        """
        shared = {theirs: own for own, theirs in self._shared(model)}
        given = {}
        for field in _plain(model):
            own = shared.get(field)
            if own is None and not self._fills_itself(field, fills):
                missing = new
            elif own is not None and own.null and not field.null:
                missing = f"{self._editor.quote(own.column)} IS NULL"
            else:
                continue
            given[field] = self._editor.value_for(
                field, fills, rows=lambda missing=missing: self._editor.count(self.child._meta.table, missing)
            )
        return given

    def _shared(self, model: Any) -> list[tuple[Any, Any]]:
        """(the child's, an ancestor's) fields of one name."""
        own = self._own(self.child)
        return [(own[field.name], field) for field in _plain(model) if field.name in own]

    def _fills_itself(self, field: Any, fills: Mapping[str, Any]) -> bool:
        column = table_of(field.model, self._editor.database).c[field.column]
        return column.server_default is not None and field.name not in fills

    def fetch_down(self, child: Any) -> None:
        """Give the child's columns what the ancestors' of the same names say.

        Args:
            child: The child as it is meanwhile: those columns may be NULL.
        """
        for model in self.tables:
            own = self._own(child)
            fields = [(field, own[field.name]) for field in _plain(model) if field.name in own]
            if fields:
                carriage = Carriage(self._editor, model, child, fields, side="old")
                self._editor.write_rows(lambda carriage=carriage: carriage.update({}))
                self._editor.settle()

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
