"""Asking the database what a question says: rows, and one row of them."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from toolkit.database.raw import Values
from toolkit.errors import FieldError
from toolkit.lazily import LazyModule
from toolkit.models.batches import ask_keyed, note_row
from toolkit.models.comparisons import PLAIN, shown
from toolkit.models.constraints import UniqueConstraint
from toolkit.models.expressions import Q
from toolkit.models.fetching import FETCH_PEERS, link, spread
from toolkit.models.given import refuse_one
from toolkit.models.questions import Question
from toolkit.models.routing import scope_using
from toolkit.models.scopes import current_scope, find_shape
from toolkit.trace import Scope, current

if TYPE_CHECKING:
    from toolkit.models import explaining, locking, paging, prefetching, raw, streaming
    from toolkit.models.raw import RawQuerySet
else:
    explaining = LazyModule("toolkit.models.explaining")
    paging = LazyModule("toolkit.models.paging")
    prefetching = LazyModule("toolkit.models.prefetching")
    raw = LazyModule("toolkit.models.raw")
    streaming = LazyModule("toolkit.models.streaming")
    locking = LazyModule("toolkit.models.locking")


M = TypeVar("M", covariant=True)

REPR_ITEMS = 20
GET_LIMIT = 2
IN_BULK_KEYS = 10_000

_NOTHING: dict[str, list[Any]] = {"instances": [], "exists": [], "count": [(0,)]}
"""The rows of the answers to ``none()``, by the form of the question."""


class Answers(Question[M]):
    """A question that can be asked, and keeps its answer."""

    def _scope(self, *, writing: bool = False) -> Scope:
        """The current scope, for the database that this question is asked of."""
        if self._using:
            return scope_using(self._using, self.model, writing=writing)
        scope = current_scope()
        if scope.routed and any(operation[0] == "lock" for operation in self._operations):
            return scope.at(scope.of(self.model, writing=True).database, pinned=True)  # where the rows will be written
        return scope.of(self.model, writing=writing)

    def _of_writer(self) -> Self:
        """The same question, of the database that is written: another may not have the row yet."""
        if self._using or not current_scope().routed:
            return self
        clone = self._clone()
        clone._using = self._scope(writing=True).database.alias
        return clone

    def _ask(self, form: str, totals: tuple[tuple[str, Any], ...] = (), extra: tuple[Any, ...] = ()) -> Any:
        scope = self._scope()
        query, values = self._query(form, totals)
        values = (*values, *extra)
        shape = find_shape(scope, query)
        if shape.locks:
            locking.refuse_lock_outside(scope.of(self.model).database)
        if form in _NOTHING and self._is_nothing():
            return shape.load(_NOTHING[form])
        rows = None
        if scope.trace is not None and scope.database.in_snapshot:
            rows = paging.known_rows(scope, query, shape, values)
        if rows is None:
            database = scope.of(self.model).database
            rows = shape.ask(database, shape.statement.sql, shape.statement.bind(values, scope, ()))
        if scope.trace is not None:
            shape.note(scope, values, rows)
        return shape.load(rows)

    def _is_nothing(self) -> bool:
        """Whether ``none()`` was said, or one of an empty list is wanted, so that the answer is known."""
        return any(
            operation[0] == "none" or (operation[0] == "filter" and _meets_nothing(operation[1]))
            for operation in self._operations
        )

    def _fetch(self) -> list[Any]:
        kept = self._kept()
        if kept is not None:
            return kept
        found = self._evaluate()
        if not self._shared:
            self._cache, self._asked_by = found, current.get()
        return found

    def _evaluate(self) -> list[Any]:
        scope = self._scope()
        return self._given(scope, self._ask("instances"))

    def _given(self, scope: Scope, found: list[Any]) -> list[Any]:
        """Loaded rows in the form that is wanted."""
        if self._gives == "instances":
            return self._completed(scope, found)
        if self._gives == "dicts":
            names = self._value_names(scope)
            return [dict(zip(names, row, strict=True)) for row in found]
        if self._gives == "named":
            row_class = _row_class(self._value_names(scope))
            return [row_class._make(row) for row in found]
        return [row[0] for row in found] if self._gives == "flat" else found

    def _completed(self, scope: Scope, found: list[Any]) -> list[Any]:
        """Instances with what was asked for along with them."""
        if scope.trace is not None:
            _note_instances(scope, found)
        if self._mode is not FETCH_PEERS:
            spread(self._mode, found)
        if self._prefetch:
            prefetching.prefetch(found, self._prefetch)
        return found

    def _value_names(self, scope: Scope) -> tuple[str, ...]:
        return find_shape(scope, self._query("instances")[0]).names

    def __reduce__(self) -> tuple[Any, ...]:
        """As a pickle: with its rows, which are asked for first, as in Django."""
        if self._shared:
            managers = self.model._meta.managers
            name = next((name for name in managers if getattr(self.model, name) is self), "objects")
            return (getattr, (self.model, name))
        self._fetch()
        return (_restored, (type(self), {**self.__dict__, "_asked_by": None}))

    def __iter__(self) -> Iterator[M]:
        return iter(self._fetch())

    def __len__(self) -> int:
        return len(self._fetch())

    def __bool__(self) -> bool:
        return bool(self._fetch())

    def __contains__(self, item: object) -> bool:
        return item in self._fetch()

    def __repr__(self) -> str:
        if current.get() is None:
            return f"<{type(self).__name__} of {self.model.__name__}>"
        shown = list(self[:REPR_ITEMS] if self._kept() is None and self._stop is None else self._fetch()[:REPR_ITEMS])
        return f"<{type(self).__name__} {shown!r}>"

    def iterator(self, chunk_size: int = 2000) -> Iterator[M]:
        """The rows in chunks, so that not all of them are in memory at once.

        Which rows, and in which order, is asked once, at the start: a row that is written meanwhile is given neither
        twice nor in the wrong place. PostgreSQL keeps their keys until they are wanted; elsewhere they are in memory,
        whole numbers in 8 bytes each. What is given by ``values()``, by a union or by a window cannot be asked for by
        its keys: PostgreSQL keeps it, as it was at the start, and elsewhere all of it is loaded.

        Args:
            chunk_size: Rows loaded at a time; they are each other's peers.
        """
        streaming.refuse_chunk(chunk_size)
        scope = self._scope()
        query, values = self._query("instances")
        shape = find_shape(scope, query)
        database = scope.of(self.model).database
        if shape.locks:
            locking.refuse_lock_outside(database)
        if self._is_nothing():
            return
        combined = bool(self._operations) and self._operations[0][0] == "combined"
        if self._gives == "instances" and not combined and not self._is_looking_around():
            for keys in streaming.iter_keys(scope, shape, values, chunk_size):
                yield from self._by_keys(scope, keys)
        elif scope.trace is None and database.backend.streams_beside and not shape.locks:
            for rows in shape.stream(database, shape.statement.bind(values, scope, ()), size=chunk_size):
                yield from self._given(scope, shape.load(rows))
        else:
            yield from self._evaluate()

    def _by_keys(self, scope: Scope, keys: Sequence[Any]) -> list[Any]:
        """The rows with these keys, in this order; without those that no longer meet the question."""
        _, groups = ask_keyed(scope, self.model, self._operations, "pk", self._values, keys)
        found = [item for key in keys for item in groups.get(key, ())]
        link(found)
        return self._completed(scope, found)

    def raw(
        self, sql: str, params: Values | None = None, translations: Mapping[str, str] | None = None
    ) -> RawQuerySet[M]:
        """Instances from SQL that is written by hand.

        Args:
            sql: It selects the primary key, and whatever else is wanted; ``%s`` or ``%(name)s`` stand for values.
            params: A list or a mapping; only ever sent as bound parameters.
            translations: Column of the answer to name of the field that it is for.

        Raises:
            FieldError: The queryset has conditions, which a statement by hand would not meet. Those of the manager
                itself are none of them, as in Django: the statement stands alone.
        """
        said, own = self._operations, self._own_operations
        said = said[len(own) :] if said[: len(own)] == own else said
        others = [operation[0] for operation in said if operation[0] != "unrestricted"]
        if others or self._stop is not None or self._start:
            raise FieldError(
                f"{self.model.__name__}: raw() takes no notice of {others[0] if others else 'a slice'}() before it",
                hint="Write the condition into the SQL.",
            )
        unrestricted = any(operation[0] == "unrestricted" for operation in self._operations)
        made: RawQuerySet[M] = raw.RawQuerySet(self.model, sql, params, translations, unrestricted=unrestricted)
        return made.using(self._using).prefetch_related(*self._prefetch).fetch_mode(self._mode)

    def get(self, /, *conditions: Q, **lookups: Any) -> M:
        """The one row that meets the conditions.

        Raises:
            DoesNotExist: There is none.
            MultipleObjectsReturned: There are several.
        """
        rows = None
        if self._shared and not conditions and not self._operations:
            rows = self._look_up(lookups)
        if rows is None:
            found = self._filtered(conditions, lookups, negated=False) if conditions or lookups else self
            rows = list(found[:GET_LIMIT] if found._stop is None else found)
        if len(rows) == 1:
            found_row: M = rows[0]
            return found_row
        asked = ", ".join([*map(repr, conditions), *(f"{name}={shown(value)}" for name, value in lookups.items())])
        told = f"{self.model.__name__} with {asked}" if asked else self.model.__name__
        if not rows:
            raise self.model.DoesNotExist(f"there is no {told}")
        raise self.model.MultipleObjectsReturned(f"there is more than one {told}")

    def _look_up(self, lookups: dict[str, Any]) -> list[Any] | None:
        """At most two rows by plain values, on the shortest way; None if the question is not so plain.

        The shape is found by the names, and no queryset is made: half of the time of a lookup by key went there.
        """
        scope = current.get() or current_scope()
        if scope.routed or self._using:  # asked here, not in a call: this is the way of lookups by key
            scope = self._scope()
        database = scope.database
        values = tuple(lookups.values())
        for value in values:
            if value.__class__ not in PLAIN:
                return None
        key = (self.model, *lookups, scope.sight)
        found = database.lookups.get(key)
        if found is None:
            found = self._lookup_shape(scope, key, lookups)
            if found is None:
                return None
        sql, bind, load, shape = found
        rows = shape.ask(database, sql, bind(values, scope, ()))
        if scope.trace is not None:
            shape.note(scope, values, rows)
        loaded: list[Any] = load(rows)
        if scope.trace is not None:
            _note_instances(scope, loaded)
        return loaded

    def _lookup_shape(self, scope: Scope, key: Any, lookups: dict[str, Any]) -> Any:
        """(SQL, binder, loader, shape) of a lookup by a key or another unique field; None for any other."""
        fields = [self.model._meta.get_field(name) for name in lookups if "__" not in name]
        unique = any(getattr(field, "unique", False) or getattr(field, "primary_key", False) for field in fields)
        if not unique or len(fields) < len(lookups) or any(getattr(field, "translated", False) for field in fields):
            return None
        shape = find_shape(scope, self._filtered((), lookups, negated=False).order_by()._query("instances")[0])
        found = (shape.statement.sql, shape.statement.bind, shape.load, shape)
        scope.database.lookups[key] = found
        return found

    def first(self) -> M | None:
        """The first row, or None."""
        return next(iter(self[:1]), None)

    def last(self) -> M | None:
        """The last row, or None."""
        return next(iter(self.reverse()[:1]), None)

    def latest(self, *names: Any) -> M:
        """The row with the greatest value; ``Meta.get_latest_by`` if no field is named.

        Args:
            names: Fields, or expressions; of several, the next decides between equals. ``-`` turns one round.
        """
        return self._extreme(names, latest=True)

    def earliest(self, *names: Any) -> M:
        """The row with the smallest value; ``Meta.get_latest_by`` if no field is named."""
        return self._extreme(names, latest=False)

    def _extreme(self, names: tuple[Any, ...], *, latest: bool) -> M:
        default = self.model._meta.get_latest_by or ()
        names = names or ((default,) if isinstance(default, str) else tuple(default))
        if not names:
            asked = "latest" if latest else "earliest"
            raise FieldError(f"{asked}() of {self.model.__name__} needs a field", hint="Set Meta.get_latest_by.")
        ordered = self.order_by(*names)
        found = ordered.last() if latest else ordered.first()
        if found is None:
            raise self.model.DoesNotExist(f"there is no {self.model.__name__}")
        return found

    def in_bulk(self, keys: Iterable[Any] | None = None, *, field_name: str = "pk") -> dict[Any, M]:
        """Key to row, for the keys that there are. After ``values()`` the rows are values.

        Args:
            keys: Which; None for all rows.
            field_name: What the rows are known by: the primary key, or another unique field.
        """
        self._check_bulk(field_name)
        if keys is None:
            return dict(self._keyed(field_name))
        refuse_one("in_bulk", "keys", keys)
        wanted = list(keys)
        found: dict[Any, M] = {}
        for start in range(0, len(wanted), IN_BULK_KEYS):
            chunk = self.filter(**{f"{field_name}__in": wanted[start : start + IN_BULK_KEYS]})
            found |= dict(chunk._keyed(field_name))
        return found

    def _keyed(self, name: str) -> Iterable[tuple[Any, M]]:
        """Rows with what they are known by. Beside values it is asked for, and taken off again."""
        if self._gives == "instances":
            return ((getattr(row, name), row) for row in self)
        scope = self._scope()
        found: list[Any] = list(self.values_list(name, *self._value_names(scope)))
        return zip((row[0] for row in found), self._given(scope, [row[1:] for row in found]), strict=True)

    def _check_bulk(self, name: str) -> None:
        field = self.model._meta.get_field(name)
        alone = any(operation[0] == "distinct" and operation[1] == (name,) for operation in self._operations)
        if not (alone or _tells_apart(self.model, field)):
            raise FieldError(
                f"in_bulk(field_name={name!r}): two rows of {self.model.__name__} may share a value",
                hint="Name a unique field.",
            )

    @property
    def db(self) -> str:
        """The alias of the database that would be asked."""
        return str(self._scope().database.alias)

    @property
    def query(self) -> str:
        """The SQL that would be asked, for reading; its values stand in a comment behind it."""
        scope = self._scope()
        query, values = self._query("instances")
        statement = find_shape(scope, query).statement
        bound = statement.bind(values, scope, ())
        return f"{statement.sql}\n-- {', '.join(map(repr, bound))}" if bound else statement.sql

    def explain(self, *, format: str | None = None, analyze: bool = False) -> str:
        """How the database would find the rows, in its own words.

        Args:
            format: ``"text"``, ``"json"``, ``"xml"`` or ``"yaml"``, as far as the database has it.
            analyze: Run the statement, and tell what it took.
        """
        scope = self._scope()
        query, values = self._query("instances")
        statement = find_shape(scope, query).statement
        prefix = explaining.explain_prefix(scope.database.dialect, format=format, analyze=analyze)
        rows = scope.database.ask(f"{prefix} {statement.sql}", statement.bind(values, scope, ()))
        return explaining.explained(scope.database.dialect, rows)

    @overload
    def __getitem__(self, index: int) -> M: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            sliced = self._sliced(slice(index.start, index.stop))
            return sliced if index.step is None else list(sliced)[:: index.step]
        if not isinstance(index, int):
            raise TypeError(f"a queryset is indexed with a number or a slice, not with {index!r}")
        if index < 0:
            raise FieldError("a queryset has no negative index", hint="Use reverse(), last() or a list.")
        kept = self._kept()
        if kept is not None:
            return kept[index]
        found = list(self._sliced(slice(index, index + 1)))
        if not found:
            raise IndexError(f"a queryset of {self.model.__name__} has no row {index}")
        return found[0]


def _note_instances(scope: Scope, instances: Iterable[Any]) -> None:
    """Record the rows of a result. Objects selected along are recorded when the page comes to them."""
    for instance in instances:
        note_row(scope.trace, instance)


@lru_cache(maxsize=512)
def _row_class(names: tuple[str, ...]) -> Any:
    """The named tuple of ``values_list(named=True)``, which can be pickled though no module has it."""

    def reduce(row: Any) -> tuple[Any, ...]:
        return (_restored_row, (names, tuple(row)))

    return type("Row", (_plain_row_class(names),), {"__slots__": (), "__reduce__": reduce})


def _plain_row_class(names: Sequence[str]) -> Any:
    try:
        return namedtuple("Row", names)
    except ValueError as error:
        raise FieldError(f"values_list(named=True): {error}", hint="Give each a name: name=F(...).") from error


def _restored_row(names: tuple[str, ...], values: tuple[Any, ...]) -> Any:
    """A named tuple as it was pickled."""
    return _row_class(names)._make(values)


def _restored(kind: Any, state: dict[str, Any]) -> Any:
    """A queryset as it was pickled."""
    made = object.__new__(kind)  # a manager's own __new__ makes a declaration
    made.__dict__.update(state)
    if made._gives == "instances":
        link(made._cache)
        spread(made._mode, made._cache)
    return made


def _tells_apart(model: Any, field: Any) -> bool:
    """Whether no two rows share a value of a field; a relation to many is none."""
    known = getattr(field, "primary_key", False) or getattr(field, "unique", False)
    return field is model._meta.pk or known or is_unique(model, field)


def is_unique(model: Any, field: Any) -> bool:
    """Whether a constraint of the model's says that no two rows share a value of a field."""
    return any(
        isinstance(item, UniqueConstraint) and list(item.fields) == [field.name] and item.condition is None
        for item in model._meta.constraints
    )


def _meets_nothing(condition: Any) -> bool:
    """Whether a condition is that one of an empty list is met, and perhaps others."""
    if condition[0] == "(q)":
        _, connector, negated, children = condition
        return connector == "AND" and not negated and any(map(_meets_nothing, children))
    return len(condition) == 4 and condition[1] == "list" and condition[3] == 0
