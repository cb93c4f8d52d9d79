"""The primary key of each row, and those of the rows that it refers to, whatever their order in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from toolkit.errors import ToolkitError
from toolkit.models.fields import DATABASE_DEFAULT
from toolkit.serialization.keys import NaturalKeys, new_keys, shared
from toolkit.serialization.records import KEEP_ONE, contradiction, tells_itself
from toolkit.serialization.spool import REFUSED, Row, Shared, Spool

Tell = Callable[..., None]
"""Notes a problem: (place, told, column=, hint=)."""


class Settler:
    """Gives rows their keys.

    Args:
        database: In a transaction.
        spool: The rows.
        naturals: Which row a natural key means.
        problem: Notes a problem.
        not_there: Notes a reference to a row that is not there: (place, name, target, given).
    """

    def __init__(
        self, database: Any, spool: Spool, naturals: NaturalKeys, problem: Tell, not_there: Callable[..., None]
    ) -> None:
        self._database, self._spool, self._naturals = database, spool, naturals
        self._problem, self._not_there = problem, not_there
        self._keys: dict[Any, Iterator[Any]] = {}
        self._given = 0

    def note(self, model: Any, row: Row, *, told_by: Sequence[Any] | None = None) -> None:
        """Note the key of a row that has one, and tell of a second row with the same.

        Args:
            model: The row's.
            row: The row.
            told_by: Its natural key, where the record has no other.
        """
        if row.pk is None:
            return
        before = self._spool.note_key(model, self._spelt(model, row.pk), row.place.number)
        if before is not None:
            shown = row.pk if told_by is None else list(told_by)
            self._refuse(row, f"{model._meta.label} {shown!r:.60} stands twice: record {before} is it too")
        elif self._tells(model):
            natural = self._natural_of(model, row)
            if natural is not None:
                self._naturals.note(model, natural, row.pk)

    def has(self, model: Any, pk: Any) -> bool:
        """Whether a record has a key."""
        return self._spool.has_key(model, self._spelt(model, pk))

    def _refuse(self, row: Row, told: str, **more: Any) -> None:
        """Note a problem with a row, which is not written then."""
        row.state = REFUSED
        self._problem(row.place, told, **more)

    def settle(self, models: Sequence[Any]) -> None:
        """Give every row its key; what cannot be found is told."""
        left = self._spool.count_open()
        while left:
            given = self._given
            for model in models:
                for rows in self._spool.chunks(model, only_open=True):
                    self._settle_chunk(model, rows)
            before, left = left, self._spool.count_open()
            if left == before and self._given == given:  # rows that were given keys may be found next time
                break
        for model in models if left else ():
            for rows in self._spool.chunks(model, only_open=True):
                for row in rows:
                    self._tell_open(model, row)
                self._spool.keep(rows)

    def _settle_chunk(self, model: Any, rows: Sequence[Row]) -> None:
        self._look_up(model, rows)
        changed = [row for row in rows if self._find_targets(model, row)]
        keyless = [row for row in rows if row.pk is None and not self._waits_for_itself(model, row)]
        known = self._known(model, keyless)
        for row in keyless:
            self._give_key(model, row, known)
        self._spool.keep(dict.fromkeys([*changed, *keyless]))

    def _look_up(self, model: Any, rows: Iterable[Row]) -> None:
        """Ask for all that the rows refer to at once."""
        wanted: dict[str, list[Any]] = {}
        for row in rows:
            for name, given in row.waiting.items():
                wanted.setdefault(name, []).append(given)
        for name, every in wanted.items():
            self._naturals.look_up(model._meta.get_field(name).target, every)

    def _find_targets(self, model: Any, row: Row) -> bool:
        """Find what the row refers to; whether anything was found."""
        before = len(row.waiting)
        for name, given in list(row.waiting.items()):
            key = model._meta.get_field(name)
            try:
                found = self._naturals.find(key.target, given)
            except ToolkitError as error:
                self._refuse(row, error.message, column=name, hint=error.hint)
                row.values[key.attname] = None
                del row.waiting[name]
                continue
            if found is not None:
                known = row.values.get(key.attname)
                if known not in (None, found):
                    self._refuse(row, contradiction(key, known, found), column=name, hint=KEEP_ONE)
                row.values[key.attname] = found
                del row.waiting[name]
        return len(row.waiting) < before

    def _waits_for_itself(self, model: Any, row: Row) -> bool:
        return not row.waiting.keys().isdisjoint(model._meta.natural_key)

    def _known(self, model: Any, rows: Sequence[Row]) -> dict[Row, Any]:
        """The rows that are there, or were given a key, by their natural keys."""
        if not self._tells(model):
            return {}
        told = {row: natural for row in rows if (natural := self._natural_of(model, row)) is not None}
        return dict(zip(told, self._naturals.find_all(model, list(told.values())), strict=True))

    def _give_key(self, model: Any, row: Row, known: dict[Row, Any]) -> None:
        """The key of the row that is there, or a new one."""
        meta = model._meta
        natural = self._natural_of(model, row) if self._tells(model) else None
        found = known.get(row)
        if found is None and natural is not None:  # another of this chunk may be the same row
            found = self._naturals.find_all(model, [natural])[0]
        if isinstance(found, Shared):
            error = shared(model, natural or (), found)
            self._give_up(row, error.message, error.hint)
            return
        if found is None and len(meta.key) == 1:
            default = meta.pk.get_default()
            is_given = default is not None and default != "" and default is not DATABASE_DEFAULT
            found = default if is_given else next(self._new_keys(model), None)
        if found is None:
            self._give_up(row, f"{meta.label}: the record has no key", "Give it a pk.")
            return
        row.pk = row.values[meta.pk.attname] = found
        self._given += 1
        self.note(model, row, told_by=natural)

    def _give_up(self, row: Row, told: str, hint: str | None) -> None:
        """Refuse a row that gets no key."""
        self._refuse(row, told, hint=hint)
        row.waiting.clear()
        row.pk = ()  # there is nothing to wait for

    def _new_keys(self, model: Any) -> Iterator[Any]:
        if model not in self._keys:
            self._keys[model] = new_keys(
                self._database, model, is_taken=lambda key: self._spool.has_key(model, self._spelt(model, key))
            )
        return self._keys[model]

    def _tells(self, model: Any) -> bool:
        return tells_itself(model, self._database.schema)

    def _natural_of(self, model: Any, row: Row) -> tuple[Any, ...] | None:
        names = [model._meta.get_field(name).attname for name in model._meta.natural_key]
        return tuple(row.values[name] for name in names) if all(name in row.values for name in names) else None

    def _spelt(self, model: Any, pk: Any) -> str:
        """A key as the database has it."""
        parts = model._meta.key
        values = pk if len(parts) > 1 else (pk,)
        dialect = self._database.dialect
        return repr([part.db_value_of(dialect)(value) for part, value in zip(parts, values, strict=True)])

    def _tell_open(self, model: Any, row: Row) -> None:
        for name, given in row.waiting.items():
            self._not_there(row.place, name, model._meta.get_field(name).target, given)
        row.state = REFUSED
