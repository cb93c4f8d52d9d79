"""Which row a natural key means, and the primary keys of rows that are new."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from toolkit.errors import ValidationError
from toolkit.models import IntegerField, QuerySet
from toolkit.models.sqltext import quoted
from toolkit.serialization.records import from_plain, holder


class NaturalKeys:
    """The rows of all models by their natural keys: those that are there, and those about to be.

    Args:
        textual: The format has only text.
    """

    def __init__(self, *, textual: bool) -> None:
        self.textual = textual
        self._known: dict[Any, dict[tuple[Any, ...], Any]] = {}

    def of(self, model: Any) -> dict[tuple[Any, ...], Any]:
        """Natural key to primary key; read from the table when first needed."""
        if model not in self._known:
            self._known[model] = dict(_in_table(model))
        return self._known[model]

    def find(self, model: Any, given: Any) -> Any:
        """The primary key of a row, or None.

        Raises:
            ValidationError: Such a key the model's rows do not have.
        """
        names = model._meta.natural_key
        if not isinstance(given, list) or len(given) != len(names) or not names:
            told = f"({', '.join(names)})" if names else "none"
            raise ValidationError(f"{given!r:.80} is no natural key of {model._meta.label}, which has {told}")
        values = [self._part(model._meta.get_field(name), value) for name, value in zip(names, given, strict=True)]
        return self.of(model).get(tuple(values))

    def _part(self, field: Any, given: Any) -> Any:
        if field.is_relation and isinstance(given, list):
            return self.find(field.target, given)
        return from_plain(field, given, textual=self.textual)


def _in_table(model: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    names = [model._meta.get_field(name).attname for name in model._meta.natural_key]
    rows: QuerySet[Any] = QuerySet(model).unrestricted().order_by()
    for pk, *values in rows.values_list("pk", *names):
        yield tuple(values), pk


def new_keys(database: Any, model: Any, count: int, taken: Sequence[Any]) -> Iterator[Any]:
    """Primary keys for new rows, where whole numbers are; no other writer gets the same.

    Args:
        database: In a transaction.
        model: Whose rows.
        count: How many at most.
        taken: Keys that rows of the same file have.
    """
    meta = model._meta
    if not isinstance(holder(meta.pk), IntegerField) or meta.pk.is_relation:
        return
    wanted = count + len(taken)
    keys = database.backend.next_keys(database, meta.table, meta.pk.column, wanted)
    if not keys:  # a database that gives keys at the insert only: nobody else writes above the greatest one now
        table, column = quoted(database.dialect, meta.table), quoted(database.dialect, meta.pk.column)
        last = database.fetch(f"SELECT coalesce(max({column}), 0) FROM {table} FOR UPDATE")[0][0]  # noqa: S608
        keys = range(last + 1, last + 1 + wanted)
    known = set(taken)
    yield from (key for key in keys if key not in known)
