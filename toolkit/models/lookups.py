"""What may stand behind a field in a filter: ``title__icontains``, ``published__lte``.

A lookup turns a column and bound values into an SQL condition. It asks the context for its parameters; each has a
function that makes the driver's value from what the user gave. A field has lookups of its own in ``Field.lookups``,
beside the common ones below; both are of this one kind.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from toolkit.errors import FieldError, ValidationError, did_you_mean
from toolkit.models.folding import folded


@dataclass(frozen=True)
class LookupContext:
    """Where a lookup stands.

    Args:
        column: SQLAlchemy expression on the left.
        field: The field of that column, or None for an expression without one.
        dialect: ``"sqlite"``, ``"postgresql"`` or ``"mysql"``.
        table: The SQLAlchemy table or alias that the column is of; None for an expression.
        table_name: The name of that table in the database.
        pk: The SQLAlchemy column of that table's primary key.
        bind: ``bind(convert)`` gives the bound parameter for the user's value, passed through ``convert`` when the
            statement is run; call it as often as the value is needed, in whatever form.
        bind_each: The same for the items of a list, as a list of parameters (``in``, ``range``).
        fields: For a function: the fields of its arguments.
        options: For a function: what is part of the question rather than a value of it.
        constant: ``constant(value, kind)`` gives a bound parameter for a value that is part of the question.
    """

    column: Any
    field: Any
    dialect: str
    table: Any
    table_name: str
    pk: Any
    bind: Callable[..., Any]
    bind_each: Callable[..., list[Any]]
    fields: tuple[Any, ...] = ()
    options: tuple[Any, ...] = ()
    constant: Callable[..., Any] | None = None

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
            raise FieldError(f"{_named(field)} cannot be compared: {error.message}", hint=error.hint) from error

    return value


def _key(instance: Any, expected: Any, field: Any) -> Any:
    """The key that an instance stands for."""
    if expected is not None and not isinstance(instance, expected._meta.concrete_model):
        raise FieldError(f"{_named(field)} cannot be compared with {instance!r}: it is no {expected.__name__}")
    key = field.value_of(instance) if field.is_relation else getattr(instance, field.attname, instance.pk)
    if key is None:
        kind = type(instance).__name__
        raise FieldError(f"{_named(field)} cannot be compared with an unsaved {kind}", hint="Save it first.")
    return key


def _named(field: Any) -> str:
    return f"{field.model.__name__}.{field.name}" if field.model is not None else type(field).__name__


class Lookup(Protocol):
    """Builds the condition. See ``Exact`` and its neighbours for examples."""

    def __call__(self, context: LookupContext) -> Any: ...


def _comparison(compare: Callable[[Any, Any], Any]) -> Lookup:
    def build(context: LookupContext) -> Any:
        return compare(context.column, context.bind(context.write()))

    return build


def exact(context: LookupContext) -> Any:
    return context.column == context.bind(context.write())


def iexact(context: LookupContext) -> Any:
    return _folded(context) == _folded_value(context, str)


def one_of(context: LookupContext) -> Any:
    return context.column.in_(context.bind_each(context.write()))


def in_range(context: LookupContext) -> Any:
    low, high = context.bind_each(context.write())
    return context.column.between(low, high)


def contains(context: LookupContext) -> Any:
    import sqlalchemy as sa

    if context.dialect == "sqlite":
        return sa.func.instr(context.column, context.bind(str)) > 0
    return context.column.like(context.bind(lambda value: f"%{_escape(value)}%"), escape="\\")


def startswith(context: LookupContext) -> Any:
    import sqlalchemy as sa

    if context.dialect == "sqlite":
        value = context.bind(str)
        return sa.func.substr(context.column, 1, sa.func.length(value)) == context.bind(str)
    return context.column.like(context.bind(lambda value: f"{_escape(value)}%"), escape="\\")


def endswith(context: LookupContext) -> Any:
    import sqlalchemy as sa

    if context.dialect == "sqlite":
        length = sa.func.length(context.bind(str))
        tail = sa.func.substr(context.column, sa.func.length(context.column) - length + 1)
        return sa.and_(sa.func.length(context.column) >= sa.func.length(context.bind(str)), tail == context.bind(str))
    return context.column.like(context.bind(lambda value: f"%{_escape(value)}"), escape="\\")


def _folded_like(before: str, after: str) -> Lookup:
    def build(context: LookupContext) -> Any:
        return _folded(context).like(
            _folded_value(context, lambda value: f"{before}{_escape(value)}{after}"), escape="\\"
        )

    return build


def _folded(context: LookupContext) -> Any:
    """The column without regard to case."""
    return folded(context.column, context.dialect)


def _folded_value(context: LookupContext, convert: Callable[[Any], str]) -> Any:
    if context.dialect == "sqlite":
        return context.bind(lambda value: convert(str(value).casefold()))
    return folded(context.bind(convert), context.dialect)


def regex(context: LookupContext) -> Any:
    import sqlalchemy as sa

    if context.dialect == "sqlite":
        return sa.func.toolkit_matches(context.column, context.bind(str)).is_(sa.true())
    return context.column.regexp_match(context.bind(str))


def iregex(context: LookupContext) -> Any:
    import sqlalchemy as sa

    if context.dialect == "sqlite":
        return sa.func.toolkit_matches(context.column, context.bind(lambda value: f"(?i){value}")).is_(sa.true())
    return context.column.regexp_match(context.bind(str), flags="i")


def _escape(value: Any) -> str:
    """The value with the wildcards of LIKE made plain."""
    return str(value).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


COMMON: Mapping[str, Lookup] = {
    "exact": exact,
    "iexact": iexact,
    "contains": contains,
    "icontains": _folded_like("%", "%"),
    "startswith": startswith,
    "istartswith": _folded_like("", "%"),
    "endswith": endswith,
    "iendswith": _folded_like("%", ""),
    "gt": _comparison(operator.gt),
    "gte": _comparison(operator.ge),
    "lt": _comparison(operator.lt),
    "lte": _comparison(operator.le),
    "in": one_of,
    "range": in_range,
    "regex": regex,
    "iregex": iregex,
}
"""Lookups of every field. ``isnull`` is the compiler's own: its value is part of the shape."""


def find_lookup(field: Any, name: str) -> Lookup | None:
    """The lookup of this name for this field, its own before the common ones."""
    if field is None:
        return COMMON.get(name)
    return field.lookups.get(name) or (None if field.is_several else COMMON.get(name))


def refuse_lookup(where: str, name: str, field: Any) -> FieldError:
    """The error for a lookup that does not exist, with the nearest names."""
    common = () if field is not None and field.is_several else COMMON
    known = [*common, "isnull", *(field.lookups if field is not None else ())]
    known += field.known_transforms() if field is not None else []
    if field is not None and field.is_relation:
        first = name.partition("__")[0]
        target = field.target._meta
        hint = did_you_mean(first, target.names()) or did_you_mean(first, known)
        return FieldError(f"{target.object_name} has no field {first!r} (in {where!r})", hint=hint)
    return FieldError(f"{where}: there is no lookup {name!r}", hint=did_you_mean(name, known))
