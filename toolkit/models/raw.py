"""Instances from SQL that was written by hand: ``Story.objects.raw("SELECT ... WHERE weight > %s", [3])``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from toolkit.database.raw import Values, ask, positional
from toolkit.errors import FieldError, did_you_mean
from toolkit.lazily import LazyModule
from toolkit.models.batches import note_row
from toolkit.models.fetching import FETCH_PEERS, FetchMode, known_mode, link, spread
from toolkit.models.given import refuse_nameless
from toolkit.models.loader import UNREADABLE, unreadable
from toolkit.models.routing import scope_using
from toolkit.models.scopes import current_scope
from toolkit.models.sqltext import CHUNK_KEYS
from toolkit.models.streaming import refuse_chunk
from toolkit.trace import Scope

if TYPE_CHECKING:
    from toolkit.models import prefetching
    from toolkit.models.prefetching import Prefetch
else:
    prefetching = LazyModule("toolkit.models.prefetching")

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
        if not isinstance(sql, str):
            raise FieldError(f"raw() of {model.__name__} takes a text of SQL, not {sql!r:.200}")
        refuse_nameless("raw", "translations", translations)
        self.model, self.sql, self.values = model, sql, values
        self._translations = dict(translations or {})
        self._unrestricted = unrestricted
        self._using = ""
        self._prefetch: tuple[Any, ...] = ()
        self._mode = FETCH_PEERS
        self._names: list[str] = []
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

    def using(self, alias: str) -> Self:
        """The same statement, for a database that is named. See ``QuerySet.using``."""
        return self._with(_using=alias)

    def prefetch_related(self, *lookups: str | Prefetch | None) -> Self:
        """Load these relations right after the rows. See ``QuerySet.prefetch_related``."""
        return self._with(_prefetch=() if lookups == (None,) else (*self._prefetch, *lookups))

    def fetch_mode(self, mode: FetchMode) -> Self:
        """What to do when a row is asked for something that was not loaded with it. See ``QuerySet.fetch_mode``."""
        return self._with(_mode=known_mode(mode))

    def _with(self, **state: Any) -> Self:
        made = object.__new__(type(self))
        made.__dict__ = {**self.__dict__, **state, "_cache": None, "_asked_by": None}
        return made

    @property
    def columns(self) -> list[str]:
        """The names of the columns, as the answer has them; of those with a translation, the column of the field."""
        self._fetch()
        return self._names

    def iterator(self, chunk_size: int = 2000) -> Iterator[M]:
        """The rows in chunks, so that not all of the instances are in memory at once, nor kept here.

        PostgreSQL keeps the rows, as they were at the start, until they are wanted; elsewhere they are in memory.

        Args:
            chunk_size: Rows made instances at a time; they are each other's peers.
        """
        refuse_chunk(chunk_size)
        scope = self._scope()
        self._refuse_writing(scope.database)
        if scope.trace is None and scope.database.backend.streams_beside:
            text, taken = positional(self.sql, self.values, scope.database)
            with scope.database.open_stream(text, taken) as stream:
                reading = self._reading(scope, stream.names)
                for rows in stream.chunks(chunk_size):
                    yield from self._load(scope, reading, rows)
            return
        names, rows = ask(scope.database, self.sql, self.values)
        reading = self._reading(scope, names)
        for start in range(0, len(rows), chunk_size):
            yield from self._load(scope, reading, rows[start : start + chunk_size])

    def _scope(self) -> Scope:
        return scope_using(self._using, self.model) if self._using else current_scope().of(self.model)

    def _fetch(self) -> list[M]:
        scope = current_scope()
        if self._cache is None or self._asked_by is not scope:
            here = self._scope()
            self._refuse_writing(here.database)
            names, rows = ask(here.database, self.sql, self.values)
            reading = self._reading(here, names)
            self._names = reading.names
            self._cache, self._asked_by = self._load(here, reading, rows), scope
        return self._cache

    def _reading(self, scope: Scope, names: Sequence[str]) -> _Reading:
        place = self._using if self._using != self.model._meta.database else ""
        return _Reading(scope, self.model, names, self._translations, self.sql, place)

    def _load(self, scope: Scope, reading: _Reading, rows: Sequence[Any]) -> list[Any]:
        """Rows that were loaded together, as instances."""
        found = reading.instances(rows)
        if not self._unrestricted and self.model._meta.hides(scope.sight):
            found = _visible(self.model, found, self._using)
        link(found)
        if scope.trace is not None:  # so that what is loaded later counts as read of each
            for instance in found:
                note_row(scope.trace, instance)
        spread(self._mode, found)
        if self._prefetch:
            prefetching.prefetch(found, self._prefetch)
        return found

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
        self, scope: Scope, model: Any, names: Sequence[str], translations: Mapping[str, str], sql: str, place: str
    ) -> None:
        self.model, self.place = model, place
        meta = model._meta
        dialect = scope.database.dialect
        for name in translations.values():
            meta.get_field(name)
        by_column = {field.column: field for field in meta.fields}
        by_column |= {column: meta.get_field(name) for column, name in translations.items()}
        self.columns = [(name, by_column.get(name)) for name in names]
        for name, field in self.columns:
            if field is None and prefetching.is_taken(model, name):
                raise FieldError(
                    f"raw(): the column {name!r} would hide {model.__name__}.{name}",
                    hint=f"Give it another name: SELECT ... AS {name.strip('_')}_value.",
                )
        self.names = [name if field is None else field.column for name, field in self.columns]
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
        if self.place:
            values["_database"] = self.place
        instance.__dict__ = values
        key = [row[index] for index in self.key]
        instance._row = tuple(key * len(self.mask))[: len(self.mask)]
        return instance


def _visible(model: Any, found: Sequence[Any], using: str) -> list[Any]:
    """The instances whose rows the viewer may see; asked of the database, as a read of the page at hand."""
    keys = list(dict.fromkeys(instance.pk for instance in found))
    seen: set[Any] = set()
    for start in range(0, len(keys), CHUNK_KEYS):
        rows = model._meta.plain_manager.__get__(None, model).using(using)
        chosen = rows.filter(pk__in=keys[start : start + CHUNK_KEYS])
        seen.update(chosen.order_by("pk").values_list("pk", flat=True))
    return [instance for instance in found if instance.pk in seen]
