"""Instances from SQL that was written by hand: ``Story.objects.raw("SELECT ... WHERE weight > %s", [3])``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar, overload

from toolkit.database.raw import Values, ask, positional
from toolkit.errors import FieldError, did_you_mean
from toolkit.models.batches import note_row
from toolkit.models.fetching import linked
from toolkit.models.loader import UNREADABLE, unreadable
from toolkit.models.scopes import current_scope
from toolkit.models.sqltext import CHUNK_KEYS
from toolkit.trace import Scope

M = TypeVar("M", covariant=True)


class RawQuerySet(Generic[M]):
    """The rows of a statement as instances of a model. It is asked when it is first iterated, once.

    Columns go by their names to the model's columns. Those that the statement leaves out are loaded when touched;
    those that no field has become attributes. What the viewer may not see is left out.

    Args:
        model: The model.
        sql: The statement, with ``%s`` or ``%(name)s`` for values.
        values: A list or a mapping.
        translations: Column of the answer to name of the field that it is for.
        unrestricted: Give rows that the viewer may not see, too.
    """

    def __init__(
        self,
        model: Any,
        sql: str,
        values: Values | None = None,
        translations: Mapping[str, str] | None = None,
        *,
        unrestricted: bool = False,
    ) -> None:
        self.model, self.sql, self.values = model, sql, values
        self._translations = dict(translations or {})
        self._unrestricted = unrestricted
        self._cache: list[M] | None = None
        self._asked_by: Scope | None = None

    def __repr__(self) -> str:
        return f"<RawQuerySet of {self.model.__name__}: {' '.join(self.sql.split())[:200]}>"

    def __iter__(self) -> Iterator[M]:
        return iter(self._fetch())

    def __len__(self) -> int:
        return len(self._fetch())

    def __bool__(self) -> bool:
        return bool(self._fetch())

    @overload
    def __getitem__(self, index: int) -> M: ...
    @overload
    def __getitem__(self, index: slice) -> list[M]: ...
    def __getitem__(self, index: int | slice) -> M | list[M]:
        return self._fetch()[index]

    def _fetch(self) -> list[M]:
        scope = current_scope()
        if self._cache is None or self._asked_by is not scope:
            here = scope.of(self.model)
            self._refuse_writing(here.database)
            names, rows = ask(here.database, self.sql, self.values)
            found = _Reading(here, self.model, names, self._translations, self.sql).instances(rows)
            if not self._unrestricted and self.model._meta.hides(scope.sight):
                found = _visible(self.model, found)
            peers = linked(found) if len(found) > 1 else None
            for instance in found:
                instance._peers = peers
                if scope.trace is not None:  # so that what is loaded later counts as read of each
                    note_row(scope.trace, instance)
            self._cache, self._asked_by = found, scope
        return self._cache

    def _refuse_writing(self, database: Any) -> None:
        """Refuse a statement that changes rows, before it does.

        Raises:
            FieldError: It is no question.
        """
        word = _FIRST_WORD.match(self.sql)
        kind = word[1].upper() if word else ""
        if kind == "WITH" and database.dialect != "mysql":  # where nothing else than a question may follow
            text, taken = positional(self.sql, self.values, database)
            asks = not database.backend.written_tables(database, text, taken)
        else:
            asks = kind in ("SELECT", "WITH", "VALUES", "TABLE")
        if not asks:
            raise FieldError(
                f"raw() asks, and {' '.join(self.sql.split())[:200]!r} is no question",
                hint="Use filter().update() and its kin, or database.execute().",
            )


_FIRST_WORD = re.compile(r"(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*(\w+)", re.DOTALL)
"""Of a statement, behind comments and brackets."""


class _Reading:
    """How the columns of an answer become an instance."""

    def __init__(
        self, scope: Scope, model: Any, names: Sequence[str], translations: Mapping[str, str], sql: str
    ) -> None:
        self.model = model
        meta = model._meta
        dialect = scope.database.dialect
        for name in translations.values():
            meta.get_field(name)
        by_column = {field.column: field for field in meta.fields}
        by_column |= {column: meta.get_field(name) for column, name in translations.items()}
        self.columns = [(name, by_column.get(name)) for name in names]
        self.readers = [field.db_reader(dialect) if field is not None else None for _, field in self.columns]
        places = {field: index for index, (_, field) in enumerate(self.columns) if field is not None}
        missing = [field.column for field in meta.key if field not in places]
        if missing:
            raise FieldError(
                f"raw() for {model.__name__} needs the primary key {', '.join(map(repr, missing))} "
                f"among the columns of {' '.join(sql.split())[:200]!r}",
                hint=did_you_mean(missing[0], names) or "Select it.",
            )
        self.key = [places[field] for field in meta.key]
        levels = [level._meta.pk for level in meta.levels] if meta.parents else meta.key
        self.mask = tuple(meta.mask_name(field) for field in levels)

    def instances(self, rows: Sequence[Any]) -> list[Any]:
        return [self._instance(row) for row in rows]

    def _instance(self, row: Any) -> Any:
        model = self.model
        instance = model.__new__(model)
        values: dict[str, Any] = {"_mask": self.mask}
        for (name, field), read, value in zip(self.columns, self.readers, row, strict=True):
            try:
                found = value if read is None or value is None else read(value)
            except UNREADABLE as error:
                raise unreadable(repr(name), value, error, type(field).__name__) from error
            values[field.attname if field is not None else name] = found
        instance.__dict__ = values
        key = [row[index] for index in self.key]
        instance._row = tuple(key * len(self.mask))[: len(self.mask)]
        return instance


def _visible(model: Any, found: Sequence[Any]) -> list[Any]:
    """The instances whose rows the viewer may see; asked of the database, as a read of the page at hand."""
    keys = list(dict.fromkeys(instance.pk for instance in found))
    seen: set[Any] = set()
    for start in range(0, len(keys), CHUNK_KEYS):
        chosen = model._meta.plain_manager.__get__(None, model).filter(pk__in=keys[start : start + CHUNK_KEYS])
        seen.update(chosen.order_by("pk").values_list("pk", flat=True))
    return [instance for instance in found if instance.pk in seen]
