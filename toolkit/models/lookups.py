"""What may stand behind a field in a filter: ``title__icontains``, ``published__lte``.

A lookup turns a column and bound values into an SQL condition. It asks the context for its parameters; each has a
function that makes the driver's value from what the user gave. A kind of field has its lookups in ``Field.lookups``;
those below, which all kinds share, are registered there like any other.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from toolkit.database.backends.mysql_dialect import UUID_COLLATION
from toolkit.errors import FieldError, ImpossibleValue, ValidationError
from toolkit.models.functions.casing import exactly_compared
from toolkit.models.generated import made_by
from toolkit.models.never_called import LOOKUP, refuse_never_called
from toolkit.models.unmanaged import as_text


@dataclass(frozen=True)
class LookupContext:
    """Where a lookup stands.

    Args:
        column: SQLAlchemy expression on the left.
        field: The field of that column, or None for an expression without one.
        dialect: ``"sqlite"``, ``"postgresql"`` or ``"mysql"``.
        node: The place of the column's table in the statement.
        table_name: The name of that table in the database.
        bind: ``bind(convert, kind)`` gives the bound parameter for the user's value, passed through ``convert`` when
            the statement is run; call it as often as the value is needed, in whatever form. ``kind`` is SQLAlchemy's
            type of it, by default the field's.
        bind_each: The same for the items of a list, as a list of parameters (``in``, ``range``).
        listed: The list is a long one, and is bound as a whole: ``bind`` gives it as JSON text.
        fields: For a function: the fields of its arguments.
        options: For a function: what is part of the question rather than a value of it.
        constant: ``constant(value, kind)`` gives a bound parameter for a value that is part of the question.
        right: SQL of the other side, where that is an expression rather than a value. ``bind`` gives it then, as it is;
            a lookup that needs another form of it makes that in SQL.
    """

    column: Any
    field: Any
    dialect: str
    node: Any
    table_name: str
    bind: Callable[..., Any]
    bind_each: Callable[..., list[Any]]
    listed: bool = False
    fields: tuple[Any, ...] = ()
    options: tuple[Any, ...] = ()
    constant: Callable[..., Any] | None = None
    right: Any = None

    @property
    def table(self) -> Any:
        """The SQLAlchemy table or alias that the column is of. It is joined for who asks: a key needs no table."""
        return self.node.table

    @property
    def pk(self) -> Any:
        """The SQLAlchemy column of that table's primary key."""
        return self.node.pk

    def write(self) -> Callable[[Any], Any] | None:
        """The field's own conversion to a driver's value; a value that it cannot be compared with is refused."""
        return value_of(self.field, self.dialect) if self.field is not None else None


def value_of(field: Any, dialect: str) -> Callable[[Any], Any] | None:
    """From a value that a question gives to the driver's: ``"2026-11-03"`` for a date, an instance for its key.

    The function raises ``FieldError`` for a value that the field cannot hold.
    """
    if not hasattr(field, "compared_value_of"):
        found: Callable[[Any], Any] | None = field.db_writer(dialect)
        return found
    convert, native = field.compared_value_of(dialect), field.native
    expected = field.target if field.is_relation else field.model

    def value(given: Any) -> Any:
        try:
            if given.__class__ is not native and hasattr(given, "_meta") and not isinstance(given, type):
                given = _key(given, expected, field)
            return convert(given)
        except ValidationError as error:
            several = isinstance(given, list | tuple | set | frozenset)
            hint = error.hint or ("For any of several values, put __in behind the name." if several else None)
            raise ImpossibleValue(f"{_named(field)} cannot be compared: {error.message}", hint=hint) from error

    return made_by(value, value_of, field, dialect)


def _key(instance: Any, expected: Any, field: Any) -> Any:
    """The key that an instance stands for; where a reference is the key of its own model, that of a row of it, too."""
    if field.is_relation and field.primary_key and isinstance(instance, field.model._meta.concrete_model):
        return getattr(instance, field.attname)
    if expected is not None and not isinstance(instance, expected._meta.concrete_model):
        child, kind = expected.__name__, type(instance).__name__
        is_parent = issubclass(expected, instance._meta.concrete_model)
        raise FieldError(
            f"{_named(field)} cannot be compared with {instance!r}: it is no {child}",
            hint=f"Not every {kind} is one. Give the one that it is: {child}.objects.get(pk={instance.pk!r})."
            if is_parent
            else None,
        )
    key = field.value_of(instance) if field.is_relation else getattr(instance, field.attname, instance.pk)
    if key is None:
        kind = type(instance).__name__
        raise FieldError(f"{_named(field)} cannot be compared with an unsaved {kind}", hint="Save it first.")
    return key


def _named(field: Any) -> str:
    if field.model is not None:
        return f"{field.model.__name__}.{field.name}"
    source = getattr(field, "source", None)
    return type(field).__name__ if source is None else f"{_named(source)}__{field.part}"


class LookupFunction(Protocol):
    """Builds the condition. See ``exact`` and its neighbours for examples."""

    def __call__(self, context: LookupContext) -> Any: ...


class Lookup:
    """A lookup as a class: give it a name, say how it is built, and register it with a kind of field.

    ::

        @models.CharField.register_lookup
        class SoundsLike(models.Lookup):
            lookup_name = "sounds_like"

            @classmethod
            def build(cls, context):
                import sqlalchemy as sa

                return sa.func.soundex(context.column) == sa.func.soundex(context.bind(context.write()))

    Attributes:
        lookup_name: What stands behind the field.
        takes_expressions: An expression may stand on the right: ``context.bind`` gives its SQL, as it is.
    """

    lookup_name: ClassVar[str] = ""
    takes_expressions: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        refuse_never_called(cls, LOOKUP)

    @classmethod
    def build(cls, context: LookupContext) -> Any:
        """SQLAlchemy's condition."""
        raise TypeError(f"{cls.__name__} must define build()")


def open_to_expressions(lookup: LookupFunction) -> LookupFunction:
    """Let expressions stand on the right of a lookup; usable as a decorator."""
    lookup.takes_expressions = True  # type: ignore[attr-defined]  # functions have what is set on them
    return lookup


def takes_expressions(lookup: Any) -> bool:
    """Whether an expression may stand on the right of a lookup."""
    owner = getattr(lookup, "__self__", lookup)  # a Lookup's build() belongs to its class
    return bool(getattr(owner, "takes_expressions", False))


def _comparison(compare: Callable[[Any, Any], Any]) -> LookupFunction:
    @open_to_expressions
    def build(context: LookupContext) -> Any:
        return compare(context.column, context.bind(context.write()))

    return build


@open_to_expressions
def exact(context: LookupContext) -> Any:
    """``title=`` and ``title__exact``: the same value."""
    return context.column == context.bind(context.write())


@open_to_expressions
def one_of(context: LookupContext) -> Any:
    """``title__in``: one of these values."""
    if context.listed:
        return as_text(context.column, context.field, context.dialect).in_(listed_values(context))
    return context.column.in_(context.bind_each(context.write()))


def listed_values(context: LookupContext) -> Any:
    """A SELECT of the items of a long list, which is one parameter: databases take only so many."""
    import sqlalchemy as sa

    write, kind = context.write(), context.field.compared_type()

    def as_json(items: Any) -> str:
        return json.dumps([item if write is None else write(item) for item in items], default=str)

    bound = context.bind(as_json, sa.Text())
    if context.dialect == "sqlite":
        return sa.select(sa.func.json_each(bound).table_valued("value").c.value)
    if context.dialect == "mysql":
        return _mysql_list(bound, kind, context)
    items = sa.func.jsonb_array_elements_text(sa.cast(bound, _jsonb())).table_valued("value")
    return sa.select(sa.cast(items.c.value, kind))


def _jsonb() -> Any:
    from sqlalchemy.dialects.postgresql import JSONB

    return JSONB()


LONGEST_COMPARED = 500
"""Characters of the longest text that MariaDB keeps in a table of its own, rather than read the list for each row."""


def _mysql_list(bound: Any, kind: Any, context: LookupContext) -> Any:
    """Source: MariaDB, "JSON_TABLE"."""
    import sqlalchemy as sa

    number = isinstance(kind, sa.Integer)
    column = "BIGINT" if number else "LONGTEXT CHARACTER SET utf8mb4"
    rows = sa.text(f"JSON_TABLE(:{bound.key}, '$[*]' COLUMNS (item {column} PATH '$')) AS listed").bindparams(bound)
    item: Any = sa.literal_column("listed.item")
    if isinstance(kind, sa.Uuid):  # which is text there
        item = sa.collate(sa.literal_column("LEFT(CONVERT(listed.item USING ascii), 32)"), UUID_COLLATION)
    elif not number and not isinstance(kind, sa.String):
        item = sa.cast(item, kind)
    elif not number and _is_own_column(context) and 0 < (kind.length or 0) < LONGEST_COMPARED:
        item = exactly_compared(sa.func.left(item, kind.length + 1))  # what is longer is no value of the column
    return sa.select(item).select_from(rows)


def _is_own_column(context: LookupContext) -> bool:
    """Whether a column is compared as it is, and is one that the toolkit made."""
    import sqlalchemy as sa

    return isinstance(context.column, sa.Column) and context.field.model._meta.managed


@open_to_expressions
def in_range(context: LookupContext) -> Any:
    """``rank__range``: from one value to another, both included."""
    low, high = context.bind_each(context.write())
    return context.column.between(low, high)


OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "exact": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}

COMMON: Mapping[str, LookupFunction | None] = {
    "exact": exact,
    "gt": _comparison(operator.gt),
    "gte": _comparison(operator.ge),
    "lt": _comparison(operator.lt),
    "lte": _comparison(operator.le),
    "in": one_of,
    "range": in_range,
}
"""Lookups of every field. ``isnull`` is the compiler's own: its value is part of the shape."""
