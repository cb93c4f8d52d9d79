"""Lazy questions to the database: ``Story.objects.filter(section__slug="town").order_by("-published")[:20]``.

A queryset is immutable: each method gives a new one. It holds operations without their values, and the values;
the operations are the key under which the compiled SQL is found (see ``shapes``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, ClassVar, Generic, Self, TypeVar, cast, overload

from toolkit.errors import FieldError, IntegrityError, did_you_mean
from toolkit.models.batches import ask_keyed, find_relation, load_forward, load_many, note_row
from toolkit.models.compile import Query
from toolkit.models.deleting import delete_rows
from toolkit.models.expressions import PLAIN, Aggregate, Expression, Q, lift_condition
from toolkit.models.relations import ForeignKey
from toolkit.models.scopes import current_scope, find_shape
from toolkit.models.writing import bulk_insert, update_rows
from toolkit.trace import Scope, current

M = TypeVar("M", covariant=True)
R = TypeVar("R")

REPR_ITEMS = 20
GET_LIMIT = 2
IN_BULK_KEYS = 10_000


class ManagerDescriptor:
    """``objects``: gives the model class the root of its querysets.

    Args:
        queryset: The QuerySet class.
    """

    def __init__(self, queryset: type[QuerySet[Any]]) -> None:
        self.queryset = queryset
        self._roots: dict[type, QuerySet[Any]] = {}

    def __get__(self, instance: Any, owner: type[Any]) -> QuerySet[Any]:
        if instance is not None:
            raise AttributeError(f"objects belongs to the class {owner.__name__}, not to its rows")
        root = self._roots.get(owner)
        if root is None:
            root = self.queryset(owner).get_queryset()._clone()
            root._shared = True
            self._roots[owner] = root
        return root


class QuerySet(Generic[M]):
    """A question to the database, asked when its answer is needed.

    Subclass it to add questions of your own, and give the model ``objects = MyQuerySet.as_manager()``.
    """

    _is_queryset: ClassVar[bool] = True

    def __init__(self, model: Any) -> None:
        self.model = model
        self._operations: tuple[Any, ...] = ()
        self._values: tuple[Any, ...] = ()
        self._start = 0
        self._stop: int | None = None
        self._gives = "instances"
        self._prefetch: tuple[str, ...] = ()
        self._cache: list[Any] | None = None
        self._shared = False

    @classmethod
    def as_manager(cls) -> Self:
        """What to assign to ``objects`` in a model, so that it has this class's questions."""
        return cast(Self, ManagerDescriptor(cls))

    def get_queryset(self) -> Self:
        """Where every question of the manager starts; override it to narrow it."""
        return self

    def __getattr__(self, name: str) -> Any:
        """Questions that a field brings along, such as ``nearest`` of a geometry (``Field.queryset_methods``)."""
        model = self.__dict__.get("model")
        if model is not None and not name.startswith("_"):
            for field in model._meta.fields:
                method = field.queryset_methods.get(name)
                if method is not None:
                    return partial(method, self)
        owner = "" if model is None else f" of {model.__name__}"
        raise AttributeError(f"{type(self).__name__}{owner} has no {name!r}")

    # making new ones

    def _clone(self) -> Self:
        clone = self.__class__.__new__(self.__class__)
        clone.__dict__.update(self.__dict__)
        clone._cache = None
        clone._shared = False
        return clone

    def _with(self, operation: Any, values: tuple[Any, ...] | None = None) -> Self:
        if self._stop is not None or self._start:
            raise FieldError("a sliced queryset cannot be changed any more", hint="Filter and order first, then slice.")
        clone = self._clone()
        clone._operations = (*self._operations, operation)
        if values is not None:
            clone._values = values
        return clone

    def all(self) -> Self:
        """The same question, to be asked anew."""
        return self._clone()

    def none(self) -> Self:
        """Nothing at all."""
        return self._with(("none",))

    def filter(self, *conditions: Q, **lookups: Any) -> Self:
        """Rows that meet all these conditions."""
        return self._filtered(conditions, lookups, negated=False)

    def exclude(self, *conditions: Q, **lookups: Any) -> Self:
        """Rows that do not meet all these conditions."""
        return self._filtered(conditions, lookups, negated=True)

    def _filtered(self, conditions: Sequence[Q], lookups: Mapping[str, Any], *, negated: bool) -> Self:
        self._check_names(lookups)
        values = list(self._values)
        children = []
        for condition in conditions:
            if not isinstance(condition, Q):
                raise FieldError(f"filter() takes Q objects and name=value, not {condition!r}")
            children.append(condition.lift(values))
        for name, value in lookups.items():
            if value.__class__ in PLAIN and "__" not in name:
                children.append((name, "value", len(values)))
                values.append(value)
            else:
                children.append(lift_condition(name, value, values))
        return self._with(("filter", ("q", "AND", negated, tuple(children))), tuple(values))

    def _check_names(self, lookups: Iterable[str]) -> None:
        """Fail early on a name that leads nowhere, once the model knows its relations."""
        meta = self.model._meta
        if not meta.resolved:
            return
        for name in lookups:
            if name not in meta.known_lookups:
                first = name.partition("__")[0]
                if not any(first == alias for alias in self._annotated()):
                    meta.get_field(first)
                    meta.known_lookups.add(name)

    def _annotated(self) -> Iterator[str]:
        for operation in self._operations:
            if operation[0] == "annotate":
                yield from (alias for alias, _ in operation[1])

    def order_by(self, *names: str | Expression) -> Self:
        """In this order; ``-`` before a name for descending. The primary key breaks ties."""
        values = list(self._values)
        items = tuple(name if isinstance(name, str) else name.lift(values) for name in names)
        if "?" in items:
            raise FieldError("order_by('?') would give another page at every build", hint="Name a field.")
        return self._with(("order", items), tuple(values))

    def reverse(self) -> Self:
        """In the opposite order."""
        return self._with(("reverse",))

    def distinct(self) -> Self:
        """Without duplicate rows."""
        return self._with(("distinct",))

    def annotate(self, *aggregates: Aggregate, **annotations: Expression) -> Self:
        """With further values on each row, computed by the database."""
        named = {**{item.default_alias: item for item in aggregates}, **annotations}
        values = list(self._values)
        lifted = tuple((alias, item.lift(values)) for alias, item in named.items())
        return self._with(("annotate", lifted), tuple(values))

    def select_related(self, *names: str) -> Self:
        """Load these single related objects in the same statement."""
        return self._with(("related", names))

    def prefetch_related(self, *names: str) -> Self:
        """Load these relations right after the rows, one statement each."""
        clone = self._clone()
        clone._prefetch = (*self._prefetch, *names)
        return clone

    def only(self, *names: str) -> Self:
        """Load these fields at once; others when they are asked for."""
        return self._with(("only", names))

    def defer(self, *names: str) -> Self:
        """Load all but these fields at once."""
        return self._with(("defer", names))

    def unrestricted(self) -> Self:
        """Without regard to what the viewer may see. Reviewers look for this word."""
        return self._with(("unrestricted",))

    def values(self, *names: str) -> QuerySet[dict[str, Any]]:
        """Rows as dicts."""
        return self._giving("dicts", names)

    @overload
    def values_list(self, *names: str) -> QuerySet[tuple[Any, ...]]: ...
    @overload
    def values_list(self, *names: str, flat: bool) -> QuerySet[Any]: ...
    def values_list(self, *names: str, flat: bool = False) -> QuerySet[Any]:
        """Rows as tuples; with ``flat``, the single value of each."""
        if flat and len(names) != 1:
            raise FieldError("values_list(flat=True) takes one name")
        return self._giving("flat" if flat else "tuples", names)

    def _giving(self, form: str, names: tuple[str, ...]) -> QuerySet[Any]:
        clone: QuerySet[Any] = self._with(("values", names))
        clone._gives = form
        return clone

    def dates(self, name: str, kind: str) -> list[date]:
        """The distinct years, months or days of a date field, as dates, oldest first.

        Args:
            name: A date or datetime field; instants are taken in UTC.
            kind: ``"year"``, ``"month"`` or ``"day"``.
        """
        lengths = {"year": 1, "month": 2, "day": 3}
        if kind not in lengths:
            raise FieldError(f"dates() knows no {kind!r}", hint=did_you_mean(kind, lengths))
        found = {value.timetuple()[: lengths[kind]] for value in self.order_by().values_list(name, flat=True) if value}
        return [date(*(*parts, 1, 1)[:3]) for parts in sorted(found)]

    def _sliced(self, index: slice) -> Self:
        if index.step is not None or (index.start or 0) < 0 or (index.stop or 0) < 0:
            raise FieldError("a queryset is sliced with a start and a stop, from 0", hint="Reverse the order instead.")
        clone = self._clone()
        start, stop = index.start or 0, index.stop
        end = None if stop is None else self._start + stop
        clone._start = self._start + start
        ends = [limit for limit in (self._stop, end) if limit is not None]
        clone._stop = max(min(ends), clone._start) if ends else None
        if self._cache is not None:
            clone._cache = self._cache[index]
        return clone

    @overload
    def __getitem__(self, index: int) -> M: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._sliced(index)
        if index < 0:
            raise FieldError("a queryset has no negative index", hint="Use reverse(), last() or a list.")
        if self._cache is not None:
            return self._cache[index]
        found = list(self._sliced(slice(index, index + 1)))
        if not found:
            raise IndexError(f"no row {index} in {self!r}")
        return found[0]

    # asking

    def _query(self, form: str, totals: tuple[tuple[str, Any], ...] = ()) -> tuple[Query, tuple[Any, ...]]:
        """The question without its values, and the values."""
        values = self._values
        start = stop = None
        if self._stop is not None:
            stop = len(values)
            values = (*values, self._stop - self._start)
        if self._start:
            start = len(values)
            values = (*values, self._start)
        return Query(self.model, self._operations, form, start, stop, totals), values

    def _ask(self, form: str, totals: tuple[tuple[str, Any], ...] = (), extra: tuple[Any, ...] = ()) -> Any:
        scope = current_scope()
        query, values = self._query(form, totals)
        values = (*values, *extra)
        shape = find_shape(scope, query)
        rows = scope.database.fetch(shape.statement.sql, shape.statement.bind(values, scope, ()))
        if scope.trace is not None:
            shape.note(scope, values, rows)
        return shape.load(rows)

    def _fetch(self) -> list[Any]:
        if self._cache is not None:
            return self._cache
        found = self._evaluate()
        if not self._shared:
            self._cache = found
        return found

    def _evaluate(self) -> list[Any]:
        scope = current_scope()
        found: list[Any] = self._ask("instances")
        if self._gives == "instances":
            if scope.trace is not None:
                _note_instances(scope, found)
            for name in self._prefetch:
                _prefetch(found, name.split("__"))
            return found
        if self._gives == "dicts":
            names = self._value_names(scope)
            return [dict(zip(names, row, strict=True)) for row in found]
        return [row[0] for row in found] if self._gives == "flat" else found

    def _value_names(self, scope: Scope) -> tuple[str, ...]:
        return find_shape(scope, self._query("instances")[0]).names

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
        shown = list(self[:REPR_ITEMS] if self._cache is None and self._stop is None else self._fetch()[:REPR_ITEMS])
        return f"<{type(self).__name__} {shown!r}>"

    def iterator(self, *, chunk_size: int = 2000) -> Iterator[M]:
        """The rows in chunks, so that not all of them are in memory at once.

        Which rows, and in which order, is asked once, at the start: a row that is written meanwhile is given neither
        twice nor in the wrong place.

        Args:
            chunk_size: Rows loaded at a time; they are each other's peers.
        """
        if self._gives != "instances":
            yield from self._evaluate()
            return
        scope = current_scope()
        query, values = self._query("instances")
        shape = find_shape(scope, query)
        keys = scope.database.fetch(shape.identity.sql, shape.identity.bind(values, scope, ()))
        if scope.trace is not None:
            shape.note_answer(scope, values, [list(row) for row in keys])
        for start in range(0, len(keys), chunk_size):
            yield from self._by_keys(scope, [row[0] for row in keys[start : start + chunk_size]])

    def _by_keys(self, scope: Scope, keys: Sequence[Any]) -> list[Any]:
        """The rows with these keys, in this order; without those that no longer meet the question."""
        _, groups = ask_keyed(scope, self.model, self._operations, "pk", self._values, keys)
        found = [item for key in keys for item in groups.get(key, ())]
        for item in found:
            item._peers = found
        if scope.trace is not None:
            _note_instances(scope, found)
        for name in self._prefetch:
            _prefetch(found, name.split("__"))
        return found

    def get(self, *conditions: Q, **lookups: Any) -> M:
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
        asked = ", ".join([*map(repr, conditions), *(f"{name}={value!r}" for name, value in lookups.items())])
        told = f"{self.model.__name__} with {asked}" if asked else self.model.__name__
        if not rows:
            raise self.model.DoesNotExist(f"there is no {told}")
        raise self.model.MultipleObjectsReturned(f"there is more than one {told}")

    def _look_up(self, lookups: dict[str, Any]) -> list[Any] | None:
        """At most two rows by plain values, on the shortest way; None if the question is not so plain.

        The shape is found by the names, and no queryset is made: half of the time of a lookup by key went there.
        """
        scope = current_scope()
        database = scope.database
        values = (*lookups.values(),)
        for value in values:
            if value.__class__ not in PLAIN:
                return None
        key = (self.model, tuple(lookups), scope.sight)
        found = database.lookups.get(key)
        if found is None:
            found = self._lookup_shape(scope, key, lookups)
            if found is None:
                return None
        sql, bind, load, shape = found
        rows = database.execute(sql, bind(values, scope, ())).fetchall()
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

    def latest(self, *names: str) -> M:
        """The row with the greatest value; ``Meta.get_latest_by`` if no field is named."""
        return self._extreme(names, latest=True)

    def earliest(self, *names: str) -> M:
        """The row with the smallest value; ``Meta.get_latest_by`` if no field is named."""
        return self._extreme(names, latest=False)

    def _extreme(self, names: tuple[str, ...], *, latest: bool) -> M:
        default = self.model._meta.get_latest_by
        names = names or ((default,) if default else ())
        if not names:
            raise FieldError(f"latest() of {self.model.__name__} needs a field", hint="Set Meta.get_latest_by.")
        ordered = self.order_by(*names)
        found = ordered.last() if latest else ordered.first()
        if found is None:
            raise self.model.DoesNotExist(f"there is no {self.model.__name__}")
        return found

    def count(self) -> int:
        """How many rows."""
        if self._cache is not None:
            return len(self._cache)
        return int(self._ask("count"))

    def exists(self) -> bool:
        """Whether there is any row."""
        if self._cache is not None:
            return bool(self._cache)
        return bool(self._ask("exists"))

    def in_bulk(self, keys: Iterable[Any]) -> dict[Any, M]:
        """Primary key to row, for the keys that there are."""
        wanted = list(keys)
        found: dict[Any, M] = {}
        for start in range(0, len(wanted), IN_BULK_KEYS):
            found |= {cast(Any, row).pk: row for row in self.filter(pk__in=wanted[start : start + IN_BULK_KEYS])}
        return found

    def aggregate(self, *aggregates: Aggregate, **named: Aggregate) -> dict[str, Any]:
        """Totals over all rows of the question."""
        every = {**{item.default_alias: item for item in aggregates}, **named}
        _, values = self._query("aggregate")
        collected = list(values)
        totals = tuple((alias, item.lift(collected)) for alias, item in every.items())
        row = self._ask("aggregate", totals, tuple(collected[len(values) :]))[0]
        return dict(zip(every, row, strict=True))

    def lift_subquery(self, values: list[Any]) -> Any:
        """For ``__in``: the question as part of another one; its values are appended."""
        offset = len(values)
        names = next((op[1] for op in reversed(self._operations) if op[0] == "values"), ("pk",))
        if self._start:
            raise FieldError("a subquery cannot have an offset", hint="Slice from the start, or use a list of keys.")
        values.extend(self._values)
        operations = tuple(op for op in self._operations if op[0] != "values")
        return (self.model, operations, offset, self._stop, names[0])

    # writing

    def create(self, **values: Any) -> M:
        """Make a row, save it, and give it."""
        created = self.model(**values)
        created.save(force_insert=True)
        return cast(M, created)

    def get_or_create(self, defaults: Mapping[str, Any] | None = None, **lookups: Any) -> tuple[M, bool]:
        """The row that meets the lookups, or a new one; and whether it is new."""
        with current_scope().database.atomic():
            found = self.filter(**lookups).first()
            if found is not None:
                return found, False
            plain = {name: value for name, value in lookups.items() if "__" not in name}
            given = {name: value() if callable(value) else value for name, value in (defaults or {}).items()}
            return self._create_or_get({**plain, **given}, lookups)

    def _create_or_get(self, values: Mapping[str, Any], lookups: Mapping[str, Any]) -> tuple[M, bool]:
        """Make the row, unless another writer made it just now."""
        try:
            with current_scope().database.atomic():
                return self.create(**values), True
        except IntegrityError:
            found = self.filter(**lookups).first()
            if found is None:
                raise
            return found, False

    def update_or_create(self, defaults: Mapping[str, Any] | None = None, **lookups: Any) -> tuple[M, bool]:
        """The row that meets the lookups, with these values, or a new one; and whether it is new."""
        scope = current_scope()
        with scope.database.atomic():
            found, created = self.get_or_create(defaults, **lookups)
            if not created:
                for name, value in (defaults or {}).items():
                    setattr(found, name, value)
                cast(Any, found).save()
            return found, created

    def update(self, **values: Any) -> int:
        """Change all rows of the question in one statement, and say how many."""
        return update_rows(current_scope(), self, values)

    def delete(self) -> dict[str, int]:
        """Delete all rows of the question, and what depends on them; how many went, by model."""
        return delete_rows(current_scope(), self)

    def bulk_create(self, rows: Iterable[R], *, batch_size: int = 5000) -> list[R]:
        """Insert many rows with few statements; keys the database gives are set on them.

        Args:
            rows: Unsaved instances.
            batch_size: Rows in one statement.
        """
        return bulk_insert(current_scope(), self.model, list(rows), batch_size=batch_size)


def _note_instances(scope: Scope, instances: Iterable[Any]) -> None:
    """Record the rows of a result. Objects selected along are recorded when the page comes to them."""
    for instance in instances:
        note_row(scope.trace, instance)


def _prefetch(instances: list[Any], path: Sequence[str]) -> None:
    """Load a relation of all instances, and then what the rest of the path names."""
    if not instances:
        return
    name, *rest = path
    meta = instances[0]._meta
    found: list[Any] = []
    key = meta.by_name.get(name)
    if isinstance(key, ForeignKey):
        load_forward(instances[0], key)
        found = [value for item in instances if (value := item.__dict__.get(name)) is not None]
    else:
        relation = find_relation(type(instances[0]), name)
        if relation is None:
            raise FieldError(
                f"prefetch_related({name!r}): {meta.object_name} has no such relation",
                hint=did_you_mean(name, meta.names()),
            )
        for item in instances:
            found += load_many(item, relation)
    if rest:
        _prefetch(found, rest)
