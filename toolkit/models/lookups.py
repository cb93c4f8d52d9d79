"""What may stand behind a field in a filter: ``title__icontains``, ``published__lte``.

A lookup turns a column and bound values into an SQL condition. It asks the context for its parameters; each has a
function that makes the driver's value from what the user gave. A field has lookups of its own in ``Field.lookups``,
beside the common ones below; both are of this one kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from toolkit.errors import FieldError, did_you_mean


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
    """

    column: Any
    field: Any
    dialect: str
    table: Any
    table_name: str
    pk: Any
    bind: Callable[..., Any]
    bind_each: Callable[..., list[Any]]

    def write(self) -> Callable[[Any], Any] | None:
        """The field's own conversion to a driver's value."""
        return self.field.db_writer(self.dialect) if self.field is not None else None


class Lookup(Protocol):
    """Builds the condition. See ``Exact`` and its neighbours for examples."""

    def __call__(self, context: LookupContext) -> Any: ...


def _comparison(operator: str) -> Lookup:
    def build(context: LookupContext) -> Any:
        return context.column.op(operator, is_comparison=True)(context.bind(context.write()))

    return build


def exact(context: LookupContext) -> Any:
    return context.column == context.bind(context.write())


def iexact(context: LookupContext) -> Any:
    return _folded(context) == context.bind(_fold_value)


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
        return sa.and_(
            sa.func.length(context.column) >= sa.func.length(context.bind(str)), tail == context.bind(str)
        )
    return context.column.like(context.bind(lambda value: f"%{_escape(value)}"), escape="\\")


def _folded_like(before: str, after: str) -> Lookup:
    def build(context: LookupContext) -> Any:
        def pattern(value: Any) -> str:
            return f"{before}{_escape(_fold_value(value))}{after}"

        return _folded(context).like(context.bind(pattern), escape="\\")

    return build


def _folded(context: LookupContext) -> Any:
    import sqlalchemy as sa

    return (sa.func.toolkit_fold if context.dialect == "sqlite" else sa.func.lower)(context.column)


def _fold_value(value: Any) -> str:
    return str(value).casefold()


def _escape(value: Any) -> str:
    """The value with the wildcards of LIKE made plain."""
    return str(value).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


_SQLITE_PARTS = {"year": "%Y", "month": "%m", "day": "%d", "hour": "%H", "minute": "%M"}


def date_part(column: Any, part: str, dialect: str) -> Any:
    """A part of a date or instant (in UTC) as a whole number."""
    import sqlalchemy as sa

    if dialect == "sqlite":
        return sa.cast(sa.func.strftime(_SQLITE_PARTS[part], column), sa.Integer)
    return sa.extract(part, column)


COMMON: Mapping[str, Lookup] = {
    "exact": exact,
    "iexact": iexact,
    "contains": contains,
    "icontains": _folded_like("%", "%"),
    "startswith": startswith,
    "istartswith": _folded_like("", "%"),
    "endswith": endswith,
    "iendswith": _folded_like("%", ""),
    "gt": _comparison(">"),
    "gte": _comparison(">="),
    "lt": _comparison("<"),
    "lte": _comparison("<="),
    "in": one_of,
    "range": in_range,
}
"""Lookups of every field. ``isnull`` is the compiler's own: its value is part of the shape."""

DATE_PARTS = tuple(_SQLITE_PARTS)


def find_lookup(field: Any, name: str) -> Lookup | None:
    """The lookup of this name for this field, its own before the common ones."""
    own = field.lookups.get(name) if field is not None else None
    return own or COMMON.get(name)


def refuse_lookup(where: str, name: str, field: Any) -> FieldError:
    """The error for a lookup that does not exist, with the nearest names."""

    known = [*COMMON, "isnull", *(field.lookups if field is not None else ()), *DATE_PARTS]
    return FieldError(f"{where}: there is no lookup {name!r}", hint=did_you_mean(name, known))
