"""Which row a natural key means, and the primary keys of rows that are new."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Any

from toolkit.errors import ToolkitError, ValidationError
from toolkit.models import IntegerField, Q, QuerySet
from toolkit.models.sqltext import CHUNK_KEYS, quoted
from toolkit.serialization.records import from_plain, holder
from toolkit.serialization.spool import Shared, Spool

ASKED_AT_ONCE = 100
"""Keys of several values in one question."""

REMEMBERED = 50_000
"""Rows of the database whose natural keys are kept at hand."""

KEYS_AHEAD = 1_000

Told = tuple[Any, ...]


class NaturalKeys:
    """The rows of all models by their natural keys: those in the file, and those in the database.

    Args:
        spool: Knows those in the file.
        dialect: The database's.
        textual: The format has only text.
    """

    def __init__(self, spool: Spool, *, dialect: str, textual: bool) -> None:
        self._spool, self._dialect, self._textual = spool, dialect, textual
        self._there: dict[tuple[Any, str], Any] = {}

    def read(self, model: Any, given: Any) -> Told | None:
        """The values of a natural key; None if it names, in a part of it, a row that is not there (yet).

        Raises:
            ValidationError: Such a key the model's rows do not have.
        """
        names = model._meta.natural_key
        if not isinstance(given, list) or len(given) != len(names) or not names:
            told = f"({', '.join(names)})" if names else "none"
            raise ValidationError(f"{given!r:.80} is no natural key of {model._meta.label}, which has {told}")
        values = []
        for name, part in zip(names, given, strict=True):
            field = model._meta.get_field(name)
            if field.is_relation and isinstance(part, list):
                value = self.find(field.target, part)
                if value is None:
                    return None
            else:
                value = from_plain(field, part, textual=self._textual)
                if value is not None:
                    field.db_value_of(self._dialect)(value)
            values.append(value)
        return tuple(values)

    def find(self, model: Any, given: Any) -> Any:
        """The primary key of the row that a natural key means, or None.

        Raises:
            ValidationError: Such a key the model's rows do not have, or several have this one.
        """
        told = self.read(model, given)
        found = None if told is None else self.find_all(model, [told])[0]
        if isinstance(found, Shared):
            raise shared(model, given, found)
        return found

    def note(self, model: Any, told: Told, pk: Any) -> None:
        """Note that a row of the file has a natural key."""
        self._spool.note_natural(model, self._spelt(model, told), pk)

    def look_up(self, model: Any, given: Iterable[Any]) -> None:
        """Ask for many rows at once, so that ``find`` has them at hand."""
        told = []
        for each in given:
            try:
                told.append(self.read(model, each))
            except ToolkitError:
                continue  # it is told where the row is
        self.find_all(model, [one for one in told if one is not None])

    def find_all(self, model: Any, told: Sequence[Told]) -> list[Any]:
        """The primary keys of the rows with these natural keys; None for no row, ``Shared`` for several."""
        spelt = [self._spelt(model, one) for one in told]
        found = [self._spool.find_natural(model, one) for one in spelt]
        wanted = {
            text: one
            for text, one, pk in zip(spelt, told, found, strict=True)
            if pk is None and (model, text) not in self._there
        }
        if wanted:
            self._ask(model, wanted)
        return [self._there.get((model, text)) if pk is None else pk for text, pk in zip(spelt, found, strict=True)]

    def _ask(self, model: Any, wanted: dict[str, Told]) -> None:
        if len(self._there) > REMEMBERED:
            self._there.clear()
        self._there |= {(model, text): None for text in wanted}
        names = [model._meta.get_field(name).attname for name in model._meta.natural_key]
        for rows in _questions(model, names, list(wanted.values())):
            for pk, *values in rows.values_list("pk", *names):
                place = (model, self._spelt(model, tuple(values)))
                before = self._there.get(place)
                self._there[place] = pk if before in (None, pk) else Shared(before, pk)

    def _spelt(self, model: Any, told: Told) -> str:
        """A natural key as the database has it: what is equal there is one text."""
        fields = [model._meta.get_field(name) for name in model._meta.natural_key]
        return repr(
            [
                None if value is None else field.db_value_of(self._dialect)(value)
                for field, value in zip(fields, told, strict=True)
            ]
        )


def shared(model: Any, given: Sequence[Any], by: Shared) -> ValidationError:
    """The error of a natural key that several rows have."""
    told = (
        f"{model._meta.label}: the rows {by.one!r:.40} and {by.other!r:.40} have one natural key, {list(given)!r:.80}"
    )
    return ValidationError(told, hint="Give the key of the one that is meant, or change the other.")


def rows_with(model: Any, names: Sequence[str], told: Sequence[Told]) -> Iterator[Any]:
    """The rows that have one of these combinations of values.

    Args:
        model: Whose rows.
        names: The attributes that are told.
        told: The values of each row.
    """
    for rows in _questions(model, names, told):
        yield from rows


def _questions(model: Any, names: Sequence[str], told: Sequence[Told]) -> Iterator[QuerySet[Any]]:
    size = CHUNK_KEYS if len(names) == 1 else ASKED_AT_ONCE
    for start in range(0, len(told), size):
        yield QuerySet(model).unrestricted().filter(_any_of(names, told[start : start + size])).order_by()


def _any_of(names: Sequence[str], told: Sequence[Told]) -> Q:
    if len(names) == 1 and all(value is not None for (value,) in told):
        return Q(**{f"{names[0]}__in": [value for (value,) in told]})
    return reduce(or_, [Q(**_equal(names, one)) for one in told])


def _equal(names: Sequence[str], told: Told) -> dict[str, Any]:
    pairs = zip(names, told, strict=True)
    return {(f"{name}__isnull" if value is None else name): (True if value is None else value) for name, value in pairs}


def new_keys(database: Any, model: Any, *, is_taken: Callable[[Any], bool]) -> Iterator[Any]:
    """Primary keys for new rows, where whole numbers are; no other writer gets the same.

    Args:
        database: In a transaction.
        model: Whose rows.
        is_taken: Whether a row of the same file has a key.
    """
    meta = model._meta
    if not isinstance(holder(meta.pk), IntegerField) or meta.pk.is_relation:
        return
    last: int | None = None
    while True:
        keys = database.backend.next_keys(database, meta.table, meta.pk.column, KEYS_AHEAD)
        if not keys:  # a database that gives keys at the insert only: nobody else writes above the greatest one now
            table, column = quoted(database.dialect, meta.table), quoted(database.dialect, meta.pk.column)
            greatest = database.fetch(f"SELECT coalesce(max({column}), 0) FROM {table} FOR UPDATE")[0][0]  # noqa: S608 - quoted
            first = max(greatest, database.backend.last_key(database, meta.table)) + 1
            keys = range(first, first + KEYS_AHEAD)
        if last is not None and keys[0] <= last:  # it was asked before the rows with those were written
            keys = range(last + 1, last + 1 + KEYS_AHEAD)
        last = keys[-1]
        yield from (key for key in keys if not is_taken(key))
