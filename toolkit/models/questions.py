"""What a queryset says before it is asked: conditions, order, slice, and what each row is given as.

A queryset is immutable: each method gives a new one. It holds operations without their values, and the values;
the operations are the key under which the compiled SQL is found (see ``shapes``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, cast, overload

from toolkit.errors import FieldError
from toolkit.lazily import LazyModule
from toolkit.models.comparisons import PLAIN, lift_condition, shown
from toolkit.models.expressions import Expression, Q, as_expression, no_condition, refuse_class
from toolkit.models.fetching import FETCH_PEERS, FetchMode, known_mode
from toolkit.models.nesting import lift_nested
from toolkit.models.never_called import QUERYSET, refuse_never_called
from toolkit.models.query import Query
from toolkit.models.subqueries import Subquery
from toolkit.models.windows import has_window
from toolkit.trace import Scope, current

if TYPE_CHECKING:
    from toolkit.models import combining, elsewhere, locking
    from toolkit.models.prefetching import Prefetch
    from toolkit.models.queryset import QuerySet
    from toolkit.models.search import compiling
else:
    combining = LazyModule("toolkit.models.combining")
    compiling = LazyModule("toolkit.models.search.compiling")
    elsewhere = LazyModule("toolkit.models.elsewhere")
    locking = LazyModule("toolkit.models.locking")

M = TypeVar("M", covariant=True)

KNOWN_LOOKUPS = 10_000
"""Names of lookups that are remembered to begin well: a visitor may send any number of them."""

MOST_ROWS = 2**61
"""What a slice is bounded by, for visitors ask for any page: no table has as many, and sums of two fit in 64 bits."""

AFTER_SLICING = ("values", "annotate", "alias", "related", "only", "defer")
"""Operations that say what is given of each row: they may follow a slice."""


class Question(Generic[M]):
    """A question to the database, as it is put together."""

    _is_queryset: ClassVar[bool] = True
    _is_manager: ClassVar[bool] = False
    _pristine_operations: tuple[Any, ...] = ()
    _pristine_values: tuple[Any, ...] = ()
    _own_operations: tuple[Any, ...] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        refuse_never_called(cls, QUERYSET)

    def __init__(self, model: Any, *, using: str | None = None) -> None:
        self.model = model
        self._operations: tuple[Any, ...] = ()
        self._values: tuple[Any, ...] = ()
        self._start = 0
        self._stop: int | None = None
        self._gives = "instances"
        self._prefetch: tuple[Any, ...] = ()
        self._mode = FETCH_PEERS
        self._cache: list[Any] | None = None
        self._asked_by: Scope | None = None
        self._shared = False
        self._using = using or ""

    @property
    def _attributes(self) -> dict[str, Any]:
        """All that the question is made of, by the names of attributes."""
        return self.__dict__

    @property
    def _db(self) -> str | None:
        """The database that was named, for a manager's ``StoryQuerySet(self.model, using=self._db)``; as in Django."""
        return self._using or None

    def __getattr__(self, name: str) -> Any:
        """Questions that a field brings along, such as ``nearest`` of a geometry (``Field.queryset_methods``)."""
        model = self.__dict__.get("model") or getattr(type(self), "model", None)
        if model is not None and not name.startswith("_"):
            for field in model._meta.fields:
                method = field.queryset_methods.get(name)
                if method is not None:
                    return partial(method, self)
        owner = "" if model is None else f" of {model.__name__}"
        complaint = elsewhere.told(f"{type(self).__name__}{owner} has no {name!r}", name, elsewhere.QUERYSET)
        if model is not None and name in model._meta.by_name:
            complaint += f": it is many rows. Write get().{name} of one, or values_list({name!r}, flat=True)"
        raise AttributeError(complaint, name=name, obj=self)

    def _kept(self) -> list[Any] | None:
        """The answer, if whoever asks now got it: another page must be noted to have asked, with its own eyes."""
        if self._cache is None:
            return None
        scope, before = current.get(), self._asked_by
        if scope is before or scope is None or before is None:
            return self._cache
        same = scope.trace is before.trace and scope.database is before.database and scope.eyes == before.eyes
        return self._cache if same else None

    # making new ones

    def all(self) -> Self:
        """The same question, to be asked anew."""
        clone = object.__new__(self.__class__)
        clone.__dict__ = state = self.__dict__.copy()  # a third of the cost of update() on Python 3.13
        state["_cache"] = None
        state["_shared"] = False
        return clone

    _clone = all

    def _with(self, operation: Any, values: tuple[Any, ...] | None = None) -> Self:
        if self._is_sliced():
            self._refuse_sliced(operation[0])
        self._refuse_combined(operation[0])
        clone = self._clone()
        clone._operations = (*self._operations, operation)
        if values is not None:
            clone._values = values
        return clone

    def _refuse_sliced(self, operation: str) -> None:
        """Refuse what would change the rows of a slice: after ``values()``, what is computed may make groups."""
        if operation not in AFTER_SLICING:
            raise FieldError("a sliced queryset cannot be changed any more", hint="Filter and order first, then slice.")
        if operation != "values" and self._gives != "instances":
            raise FieldError(f"{operation}() cannot follow a slice of values()", hint=f"Say {operation}() before it.")

    def _is_sliced(self) -> bool:
        return self._stop is not None or bool(self._start)

    def _replaced(self, operations: tuple[Any, ...], values: tuple[Any, ...]) -> Self:
        """Another question of the same kind."""
        clone = self._clone()
        clone._operations, clone._values, clone._start, clone._stop = operations, values, 0, None
        return clone

    def _is_looking_around(self) -> bool:
        """Whether a further condition would change what its rows are: it has windows, or the first of each."""
        first_of_each = any(operation[0] == "distinct" and operation[1] for operation in self._operations)
        return first_of_each or has_window(self._operations)

    def _refuse_combined(self, operation: str) -> None:
        """Refuse what cannot follow ``union()`` and its kin."""
        if self._operations and self._operations[0][0] == "combined":
            combining.refuse_after(self._operations[0][1], operation)

    def using(self, alias: str) -> Self:
        """The same question, to a database that is named: one of the setting ``databases``, or ``"default"``.

        What comes of it is read further, and saved, there too.
        """
        clone = self._clone()
        clone._using = alias
        return clone

    def none(self) -> Self:
        """Nothing at all."""
        return self._with(("none",))

    def filter(self, /, *conditions: Q | Expression, **lookups: Any) -> Self:
        """Rows that meet all these conditions."""
        return self._filtered(conditions, lookups, negated=False)

    def complex_filter(self, condition: Q | Mapping[str, Any]) -> Self:
        """Rows that meet a condition, or lookups given as a mapping, as ``limit_choices_to`` takes them."""
        return self.filter(**condition) if isinstance(condition, Mapping) else self.filter(condition)

    def exclude(self, /, *conditions: Q | Expression, **lookups: Any) -> Self:
        """Rows that do not meet all these conditions."""
        return self._filtered(conditions, lookups, negated=True)

    def _filtered(self, conditions: Sequence[Q | Expression], lookups: Mapping[str, Any], *, negated: bool) -> Self:
        self._check_names(lookups)
        values = list(self._values)
        children = []
        for condition in conditions:
            if not isinstance(condition, Q | Expression):
                raise no_condition(condition)
            if not (isinstance(condition, Q) and condition.is_empty()):  # nothing is said, and nothing to turn round
                children.append(lift_nested(condition, values))
        for name, value in lookups.items():
            if value.__class__ in PLAIN and "__" not in name:
                children.append((name, "value", len(values)))
                values.append(value)
            else:
                children.append(lift_condition(name, value, values))
        if not children:
            return self.all()
        return self._with(("filter", ("(q)", "AND", negated, tuple(children))), tuple(values))

    def _check_names(self, lookups: Iterable[str]) -> None:
        """Fail early on a name that leads nowhere, once the model knows its relations."""
        meta = self.model._meta
        if not meta.resolved:
            return
        for name in lookups:
            if name not in meta.known_lookups:
                if len(meta.known_lookups) >= KNOWN_LOOKUPS:
                    meta.known_lookups.clear()
                first = name.partition("__")[0]
                if not any(first == alias for alias in self._annotated()):
                    meta.get_field(first, besides=self._annotated())
                    meta.known_lookups.add(name)

    def _annotated(self) -> Iterator[str]:
        for operation in self._operations:
            if operation[0] in ("annotate", "alias"):
                yield from (alias for alias, _ in operation[1])

    def search(self, text: str, *, language: str | None = None) -> Self:
        """Rows that have these words, the best first.

        All words are wanted, in any form of them; ``"in quotes"`` side by side; ``-word`` is not; ``one OR other`` at
        least one of two; ``prefix*`` whatever begins so. Every text of up to 1,000 words can be asked for; one without
        a word finds nothing.

        Args:
            text: As somebody typed it.
            language: In which language, where it is not that of the page.
        """
        values = list(self._values)
        operation = compiling.lift_search(self.model, text, language, values)
        return self._with(operation, tuple(values))

    def order_by(self, *names: str | Expression) -> Self:
        """In this order; ``-`` before a name for descending. The primary key breaks ties."""
        values = list(self._values)
        for wrong in (name for name in names if not isinstance(name, str | Expression | Q)):
            raise FieldError(f"order_by() takes names and expressions, not {wrong!r}", hint='Such as "-published".')
        items = tuple(name if isinstance(name, str) else lift_nested(name, values) for name in names)
        if "?" in items:
            raise FieldError("order_by('?') would give another page at every build", hint="Name a field.")
        return self._with(("order", items), tuple(values))

    def reverse(self) -> Self:
        """In the opposite order."""
        return self._with(("reverse",))

    def distinct(self, *names: str) -> Self:
        """Without duplicate rows; with names, the first row of each value of these fields, in the order asked for.

        Args:
            names: Fields, or paths to fields of single related objects.
        """
        _refuse_no_names("distinct", names)
        return self._with(("distinct", names))

    def annotate(self, /, *aggregates: Any, **annotations: Any) -> Self:
        """With further values on each row, computed by the database."""
        return self._computing("annotate", aggregates, annotations)

    def alias(self, /, *aggregates: Any, **annotations: Any) -> Self:
        """With further values to filter and order by, that are not given with the rows."""
        return self._computing("alias", aggregates, annotations)

    def _computing(self, kind: str, unnamed: Sequence[Any], named: Mapping[str, Any]) -> Self:
        for item in unnamed:
            if isinstance(item, type) or not hasattr(item, "default_alias"):
                written = f"F({item!r})" if isinstance(item, str) else shown(item)
                if isinstance(item, type):
                    written = f"{item.__name__}(...)"
                raise FieldError(f"{kind}({shown(item)}) needs a name", hint=f"Write {kind}(name={written}).")
        every = {**{item.default_alias: item for item in unnamed}, **named}
        for alias in every:
            if not alias.isidentifier() or alias.startswith("_"):
                plain = alias.lstrip("_")
                own = f"Names with '_' in front are a row's own; call it {plain!r}." if plain.isidentifier() else None
                raise FieldError(
                    f"{kind}(): {alias!r} cannot be the name of a value", hint=own or "Such as total=Sum(...)."
                )
        values = list(self._values)
        lifted = tuple((alias, _lifted(alias, item, values)) for alias, item in every.items())
        return self._with((kind, lifted), tuple(values))

    def select_related(self, *names: str | None) -> Self:
        """Load these single related objects in the same statement.

        Args:
            names: Relations, or paths of them; none for all that are always there, None for none any more.
        """
        self._refuse_values("select_related")
        _refuse_no_names("select_related", (name for name in names if name is not None))
        return self._with(("related", names))

    def prefetch_related(self, *lookups: str | Prefetch | None) -> Self:
        """Load these relations right after the rows, one statement each.

        Args:
            lookups: Relations, paths of them, or ``Prefetch`` objects; None for none any more.
        """
        self._refuse_combined("prefetch_related")
        clone = self._clone()
        if lookups != (None,):
            _refuse_no_names("prefetch_related", (each for each in lookups if not hasattr(each, "to_attr")))
        clone._prefetch = () if lookups == (None,) else (*self._prefetch, *lookups)
        return clone

    def fetch_mode(self, mode: FetchMode) -> Self:
        """What to do when a row is asked for something that was not loaded with it.

        Args:
            mode: ``models.FETCH_PEERS`` (how it is otherwise), ``models.FETCH_ONE`` or ``models.FETCH_RAISE``, which
                is ``models.RAISE``, too.
        """
        clone = self._clone()
        clone._mode = known_mode(mode)
        return clone

    def only(self, *names: str) -> Self:
        """Load these fields at once; others when they are asked for."""
        self._refuse_values("only")
        if None in names:
            raise FieldError("only(None) names no field", hint="Name fields, or use defer(None) to load all.")
        _refuse_no_names("only", names)
        return self._with(("only", names))

    def defer(self, *names: str | None) -> Self:
        """Load all but these fields at once; ``defer(None)`` loads all again."""
        self._refuse_values("defer")
        _refuse_no_names("defer", (name for name in names if name is not None))
        return self._with(("defer", names))

    def _refuse_values(self, method: str) -> None:
        if self._gives != "instances":
            raise FieldError(f"{method}() cannot follow values()", hint="Name the fields in values() itself.")

    def select_for_update(
        self, *, nowait: bool = False, skip_locked: bool = False, of: Iterable[str] = (), no_key: bool = False
    ) -> Self:
        """Lock the rows until the end of the transaction: others that would change or lock them wait.

        On SQLite a transaction is the only one that writes anyway.

        Args:
            nowait: Fail at once, with ``LockedError``, if another transaction holds one of the rows.
            skip_locked: Leave out rows that another transaction holds.
            of: Lock only these of the tables: ``"self"``, and relations of ``select_related``. PostgreSQL only.
            no_key: Let others refer to the rows meanwhile. PostgreSQL only.
        """
        return self._with(("lock", locking.make_lock(nowait=nowait, skip_locked=skip_locked, of=of, no_key=no_key)))

    def unrestricted(self) -> Self:
        """Without regard to what the viewer may see. Reviewers look for this word."""
        return self._with(("unrestricted",))

    def values(self, /, *names: str, **expressions: Any) -> QuerySet[dict[str, Any]]:
        """Rows as dicts.

        Args:
            names: Fields, paths to fields, annotations; all fields if none is named.
            expressions: Further values by name, computed by the database.
        """
        _refuse_no_names("values", names, hint="Give a value a name: values(total=...).")
        return self._giving("dicts", tuple(dict.fromkeys(names)), expressions)

    @overload
    def values_list(self, *names: Any) -> QuerySet[tuple[Any, ...]]: ...
    @overload
    def values_list(self, *names: Any, flat: bool = False, named: bool = False) -> QuerySet[Any]: ...
    def values_list(self, *names: Any, flat: bool = False, named: bool = False) -> QuerySet[Any]:
        """Rows as tuples.

        Args:
            names: Fields, paths to fields, annotations, or expressions.
            flat: Give the single value of each row.
            named: Give named tuples.
        """
        if flat and named:
            raise FieldError("values_list() is either flat or named")
        if flat and len(names) != 1:
            raise FieldError("values_list(flat=True) takes one name")
        expressions: dict[str, Any] = {}
        plain = [name if isinstance(name, str) else _add_unnamed(expressions, name) for name in names]
        return self._giving("flat" if flat else "named" if named else "tuples", tuple(plain), expressions)

    def _giving(self, form: str, names: tuple[str, ...], expressions: Mapping[str, Any]) -> QuerySet[Any]:
        clone: Any = self
        if expressions:
            clone = clone._computing("annotate", (), expressions)
            names = (*names, *(name for name in expressions if name not in names))
        clone = clone._with(("values", names))
        if clone._operations[0][0] == "combined":
            clone._operations = combining.giving_each(clone._operations[:-1], names)
        clone._gives = form
        found: QuerySet[Any] = clone
        return found

    # putting two together

    def __and__(self, other: Any) -> Self:
        return cast(Self, combining.merged(self, other, "AND"))

    def __or__(self, other: Any) -> Self:
        return cast(Self, combining.merged(self, other, "OR"))

    def __xor__(self, other: Any) -> Self:
        return cast(Self, combining.merged(self, other, "XOR"))

    def union(self, *others: Any, all: bool = False) -> Self:
        """The rows of this question and of the others, each once.

        Args:
            others: Questions that give the same columns.
            all: Keep duplicates.
        """
        return cast(Self, combining.combined(self, "union all" if all else "union", others))

    def intersection(self, *others: Any) -> Self:
        """The rows that this question and all the others give."""
        return cast(Self, combining.combined(self, "intersection", others))

    def difference(self, *others: Any) -> Self:
        """The rows of this question that none of the others gives."""
        return cast(Self, combining.combined(self, "difference", others))

    # slices

    def _sliced(self, index: slice) -> Self:
        for bound in (index.start, index.stop):
            if bound is not None and not hasattr(bound, "__index__"):
                raise FieldError(f"a queryset is sliced by whole numbers, not by {bound!r}")
        if (index.start or 0) < 0 or (index.stop or 0) < 0:
            raise FieldError("a queryset is sliced from 0 on", hint="Reverse the order instead.")
        clone = self._clone()
        start = min(index.start or 0, MOST_ROWS)
        stop = None if index.stop is None else min(index.stop, MOST_ROWS)
        end = None if stop is None else self._start + stop
        clone._start = self._start + start
        ends = [limit for limit in (self._stop, end) if limit is not None]
        clone._stop = max(min(ends), clone._start) if ends else None
        kept = self._kept()
        if kept is not None:
            clone._cache = kept[index]
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

    def lift_question(self, values: list[Any]) -> Any:
        """The whole question as part of another one: (model, operations, offset, start, stop).

        Its values are appended; the offset is where they begin, start and stop say where those of the slice are.
        """
        offset = len(values)
        query, own = self._query("instances")
        values.extend(own)
        return (self.model, self._operations, offset, query.start, query.stop)

    def lift_subquery(self, values: list[Any]) -> Any:
        """For ``__in``: the question as part of another one; its values are appended."""
        return self.lift_question(values)

    def lift_first(self, values: list[Any]) -> Any:
        """For other lookups: the first value of the question as part of another one."""
        return Subquery(self).lift(values)

    def gives_one(self) -> bool:
        """Whether it gives one row at most: it is a slice of one."""
        return self._stop is not None and self._stop - self._start <= 1


def _refuse_no_names(method: str, given: Iterable[Any], *, hint: str = "") -> None:
    """Refuse what is no text where names are wanted."""
    for wrong in given:
        if not isinstance(wrong, str):
            raise FieldError(f"{method}() takes names, not {wrong!r}", hint=hint)


def _lifted(alias: str, item: Any, values: list[Any]) -> Any:
    """The structure of an annotation."""
    if hasattr(item, "lift_first"):
        item = as_expression(item)
    refuse_class(item)
    if not isinstance(item, Expression | Q) and not hasattr(item, "lift"):
        hint = f"For a constant, write {alias}=Value({shown(item)})"
        hint += f"; for a field, {alias}=F({item!r})." if isinstance(item, str) else "."
        raise FieldError(f"{alias}={shown(item)} is not an expression", hint=hint)
    return lift_nested(item, values)


def _add_unnamed(expressions: dict[str, Any], item: Any) -> str:
    """A name for an expression in ``values_list``, as Django makes it: ``lower1``."""
    if not isinstance(item, Expression | Q):
        raise FieldError(f"values_list() takes names and expressions, not {item!r}", hint='Such as "title".')
    alias = getattr(item, "default_alias", None) or f"{type(item).__name__.lower()}{len(expressions) + 1}"
    expressions[alias] = item
    return str(alias)
