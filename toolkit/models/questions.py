"""What a queryset says before it is asked: conditions, order, slice, and what each row is given as.

A queryset is immutable: each method gives a new one. It holds operations without their values, and the values;
the operations are the key under which the compiled SQL is found (see ``shapes``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, overload

from toolkit.errors import FieldError
from toolkit.models.compile import Query
from toolkit.models.expressions import PLAIN, Aggregate, Expression, Q, lift_condition

if TYPE_CHECKING:
    from toolkit.models.queryset import QuerySet

M = TypeVar("M", covariant=True)


class Question(Generic[M]):
    """A question to the database, as it is put together."""

    _is_queryset: ClassVar[bool] = True
    _is_manager: ClassVar[bool] = False
    _pristine_operations: tuple[Any, ...] = ()
    _pristine_values: tuple[Any, ...] = ()

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
        clone = object.__new__(self.__class__)
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
        clone: Any = self._with(("values", names))
        clone._gives = form
        found: QuerySet[Any] = clone
        return found

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

    def lift_subquery(self, values: list[Any]) -> Any:
        """For ``__in``: the question as part of another one; its values are appended."""
        offset = len(values)
        names = next((op[1] for op in reversed(self._operations) if op[0] == "values"), ("pk",))
        if self._start:
            raise FieldError("a subquery cannot have an offset", hint="Slice from the start, or use a list of keys.")
        values.extend(self._values)
        operations = tuple(op for op in self._operations if op[0] != "values")
        return (self.model, operations, offset, self._stop, names[0])
