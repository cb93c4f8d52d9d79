"""How aggregates are computed, so that SQLite, PostgreSQL and MariaDB give the same and no digit is lost.

- Sums of whole numbers are exact, or refused by the database beyond 64 bits; sums of decimal numbers are exact, or
  refused on SQLite where a number of so many digits cannot be kept.
- What has an order has a whole one: the primary key decides between equals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

import msgspec

from toolkit.errors import FieldError
from toolkit.models.fields import FloatField, IntegerField, JSONField
from toolkit.models.fields.several import columns_of
from toolkit.models.guards import finite
from toolkit.models.outputs import Typed, Whole, boolean, decimal_places, kept_kind, kind_of, like

FLOAT: FloatField[Any] = FloatField(null=True)


class Place(msgspec.Struct, frozen=True):
    """Where an aggregate stands.

    Args:
        dialect: ``"sqlite"``, ``"postgresql"`` or ``"mysql"``.
        field: The field of what is aggregated; None if it is not known.
        distinct: Each value counts once.
        options: What else the aggregate was told.
        call: What is done with each function of the database, such as putting it over a window.
        bind: ``bind(number)`` gives the bound parameter of a value of the aggregate's own.
        order: (column, descending) pairs of a whole order.
        ordered: The same as SQLAlchemy writes it in ORDER BY.
        met: The condition on what is taken, where NULL is a value like others; otherwise None.
    """

    dialect: str
    field: Any
    distinct: bool
    options: tuple[Any, ...]
    call: Callable[[Any], Any]
    bind: Callable[[int], Any]
    order: Sequence[tuple[Any, bool]] = ()
    ordered: Sequence[Any] = ()
    met: Any = None

    def each(self, column: Any) -> Any:
        """A column, or each of its values once."""
        return column.distinct() if self.distinct else column


def is_json(field: Any) -> bool:
    """Whether a field's values are JSON."""
    return isinstance(field, JSONField)


def refuse_other(name: str, field: Any, kinds: Sequence[type], told: str) -> None:
    """Refuse values of a kind that the aggregate means nothing of.

    Raises:
        FieldError: They are of another kind.
    """
    kind = kind_of(field)
    if is_json(field) or (kind is not None and kind not in kinds):
        found = "JSON" if is_json(field) or kind is None else kind.__name__
        raise FieldError(f"{name}() takes {told}, not {found}", hint="Say Cast(...) around it.")


# numbers


def summed_kind(name: str, field: Any) -> type | None:
    """The kind of value that is added up: of a field whose values have a class of their own (money), that of the field
    that it was made of, which reads sums as it reads columns. A mean of whole numbers is none that their field reads.

    Raises:
        FieldError: Values of a kind that have no sum.
    """
    kind = kept_kind(field)
    if kind not in (Decimal, float, timedelta) and not (kind is int and name == "Sum"):
        refuse_other(name, field, (int, float, Decimal, timedelta), "numbers or lengths of time")
        kind = kind_of(field)
    return kind


def sum_of(place: Place, column: Any) -> Typed:
    """All added up."""
    import sqlalchemy as sa

    field = place.field
    kind, places = summed_kind("Sum", field), decimal_places(field)
    if kind is Decimal and places is not None and place.dialect == "sqlite":
        total = place.call(sa.func.sum(place.each(in_units(column, places))))
        return sa.func.toolkit_decimal(total, sa.literal_column(str(places)), type_=sa.Numeric()), like(field)
    total = place.call(sa.func.sum(place.each(column)))
    if kind is int and place.dialect == "mysql":
        return (total, Whole(null=True)) if kind_of(field) is int else (_mysql_whole(total), like(field))
    if kind is timedelta and place.dialect == "mysql":
        return total, like(field)  # a cast would cut it at 64 bits
    if kind is int or (kind is timedelta and place.dialect != "postgresql"):
        return total if place.dialect == "sqlite" else sa.cast(total, sa.BigInteger()), like(field)
    if kind is float and place.dialect == "mysql":
        part = place.call(sa.func.sum(place.each(column.op("*", precedence=8)(sa.literal_column("1e-20")))))
        return mysql_finite(place, column, total, sa.func.abs(part) > sa.literal_column(f"{MOST}e288")), like(field)
    return finite(total) if kind is float and place.dialect == "sqlite" else total, like(field)


def _mysql_whole(total: Any) -> Any:
    """A sum of MariaDB's, a decimal number, as the whole number of 64 bits that a field reads; an error beyond.

    A cast alone would give the largest one there.
    """
    import sqlalchemy as sa

    found: Any = sa.cast(total, sa.BigInteger())
    within = total.between(sa.literal_column("-9223372036854775808"), sa.literal_column("9223372036854775807"))
    return sa.case((within, found), else_=found.op("*", precedence=8)(sa.literal_column("2")))


def in_units(column: Any, places: int | None) -> Any:
    """A decimal number of SQLite's, which is a float, as a whole number of the smallest unit."""
    import sqlalchemy as sa

    step: Any = sa.literal_column(f"1e{places}")
    return sa.cast(sa.func.round(column.op("*", precedence=8)(step)), sa.BigInteger())


MOST = "1.79769313486231"
"""The digits of the largest float, from which on a result of MariaDB's is taken for one that is larger."""


def mysql_finite(place: Place, column: Any, found: Any, is_larger: Any) -> Any:
    """A float of MariaDB's, whose aggregates give the largest one, or nothing, in place of what is larger."""
    import sqlalchemy as sa

    count: Any = place.call(sa.func.count(column))
    error = sa.func.exp(sa.func.least(count, sa.literal_column("1")).op("*", precedence=8)(sa.literal_column("800")))
    return sa.type_coerce(sa.case((is_larger, error), else_=found), sa.Double())


def bits_of(place: Place, column: Any, name: str, function: str) -> Typed:
    """Bits of whole numbers of 64 bits with a sign."""
    import sqlalchemy as sa

    refuse_other(name, place.field, (int,), "whole numbers")
    called = f"toolkit_{function}" if place.dialect == "sqlite" else function
    if place.distinct:
        raise FieldError(f"{name}(distinct=True): SQL has no such aggregate", hint="Leave out distinct.")
    found = place.call(getattr(sa.func, called)(column, type_=sa.BigInteger()))
    if place.dialect == "mysql":  # whose bits have no sign, and are there of no rows too
        some: Any = place.call(sa.func.count(column))
        found = sa.case((some > sa.literal_column("0"), sa.cast(found, sa.BigInteger())))
    return found, IntegerField[Any](null=True)


# the first and the last, and truth


def extreme_of(place: Place, column: Any, name: str, function: str) -> Typed:
    """The smallest or the largest, also of what PostgreSQL orders and has no such aggregate of."""
    import sqlalchemy as sa

    kind, field = kind_of(place.field), place.field
    if is_json(field) or kind is bytes:
        raise FieldError(f"{name}() of {'JSON' if is_json(field) else 'bytes'}: they have no common order")
    if kind is bool:
        return truth_of(place, column, name, function)[0], like(field)
    if kind is UUID and place.dialect == "postgresql":
        found = place.call(getattr(sa.func, function)(sa.cast(column, sa.Text())))
        return sa.cast(found, sa.Uuid()), like(field)
    return place.call(getattr(sa.func, function)(place.each(column))), field


def truth_of(place: Place, column: Any, name: str, function: str) -> Typed:
    """Whether all are true (``min``), or any (``max``)."""
    import sqlalchemy as sa

    refuse_other(name, place.field, (bool,), "conditions and fields of truth")
    if place.dialect == "postgresql":
        return place.call(getattr(sa.func, "bool_and" if function == "min" else "bool_or")(column)), boolean()
    return place.call(getattr(sa.func, function)(column, type_=sa.Boolean())), boolean()


# in an order


def text_of(place: Place, column: Any) -> Typed:
    """Texts joined into one."""
    import sqlalchemy as sa

    refuse_other("StringAgg", place.field, (str,), "text")
    kind = sa.Text()
    if place.dialect == "sqlite":
        delimiter: Any = sa.type_coerce(place.bind(0), kind)
        found = sa.func.toolkit_string_agg(_plan(place), delimiter, column, *_keys(place), type_=kind)
        return place.call(found), like(place.field)
    if place.dialect == "mysql":
        return place.call(_group_concat()(place.each(column), place.bind(0), place.ordered)), like(place.field)
    delimiter = sa.cast(place.bind(0), kind)
    if place.distinct:
        return place.call(_of_distinct()("string_agg", column, down=place.order[0][1], rest=(delimiter,))), like(
            place.field
        )
    return place.call(_in_order(place, sa.func.string_agg(place.each(column), delimiter, type_=kind))), like(
        place.field
    )


def json_of(place: Place, column: Any) -> Typed:
    """All values as a list."""
    import sqlalchemy as sa

    kind = None if is_json(place.field) else kind_of(place.field)
    refuse_other(
        "JSONArrayAgg",
        None if is_json(place.field) else place.field,
        (str, int, float, bool),
        "text, numbers, truth or JSON",
    )
    if place.distinct and kind is None:
        raise FieldError("JSONArrayAgg(distinct=True) of JSON: SQL cannot tell it apart", hint="Leave out distinct.")
    field = _List(kind)
    empty: Any = sa.literal_column("'[]'::jsonb" if place.dialect == "postgresql" else "'[]'", field.sql_type())
    found = _LISTS[place.dialect](place, column, kind, field.sql_type())
    return (sa.func.coalesce(found, empty, type_=field.sql_type()) if place.options[0] else found), field


class _List(JSONField[Any]):
    """A list of values of one kind: a whole number may be what is left of a float, or of truth."""

    def __init__(self, kind: type | None) -> None:
        super().__init__(null=True)
        self.kind = kind

    def load(self, text: Any) -> Any:
        found = super().load(text)
        read = self.kind if self.kind in (float, bool) else None
        return found if read is None else [None if item is None else read(item) for item in found]


def _sqlite_list(place: Place, column: Any, kind: type | None, sql_type: Any) -> Any:
    import sqlalchemy as sa

    is_text: Any = sa.literal_column("1" if kind is None else "0")
    call = place.call(sa.func.toolkit_json_agg(_plan(place), is_text, column, *_keys(place), type_=sql_type))
    return call if place.met is None else call.filter(place.met)


def _postgresql_list(place: Place, column: Any, kind: type | None, sql_type: Any) -> Any:
    import sqlalchemy as sa

    if place.distinct:
        down = place.order[0][1]
        return place.call(_of_distinct()("jsonb_agg", column, down=down, met=place.met, kind=sql_type))
    call = place.call(_in_order(place, sa.func.jsonb_agg(place.each(column), type_=sql_type)))
    return call if place.met is None else call.filter(place.met)


def _mysql_list(place: Place, column: Any, kind: type | None, sql_type: Any) -> Any:
    """Its own aggregate of JSON cannot leave rows out, takes truth for numbers and JSON for text."""
    import sqlalchemy as sa

    null: Any = sa.literal_column("'null'")
    if kind is bool:
        text: Any = sa.case((column, sa.literal_column("'true'")), else_=sa.literal_column("'false'"))
        text = sa.case((column.is_(None), null), else_=text)
    elif kind is str:
        text = sa.func.coalesce(sa.cast(sa.func.json_quote(column), sa.CHAR()), null)
    else:
        text = sa.func.coalesce(sa.cast(column, sa.Text() if kind is None else sa.CHAR()), null)
    if place.met is not None:
        text = sa.case((place.met, text))
    joined = place.call(_group_concat()(place.each(text), sa.literal_column("','"), place.ordered))
    return sa.func.concat(sa.literal_column("'['"), joined, sa.literal_column("']'"), type_=sql_type)


_LISTS: dict[str, Callable[[Place, Any, type | None, Any], Any]] = {
    "sqlite": _sqlite_list,
    "postgresql": _postgresql_list,
    "mysql": _mysql_list,
}


def _in_order(place: Place, function: Any) -> Any:
    return function.aggregate_order_by(*place.ordered)


def _plan(place: Place) -> Any:
    """What SQLite's aggregates in Python must know: whether each value counts once, and the direction of each key."""
    import sqlalchemy as sa

    directions = "".join("-" if down else "+" for _, down in place.order)
    return sa.literal_column(f"'{'d' if place.distinct else ''}{directions}'")


def _keys(place: Place) -> list[Any]:
    return [each for column, _ in place.order for each in columns_of(column)]


@cache
def _group_concat() -> Any:
    """MariaDB's ``GROUP_CONCAT``, with what stands between and an order."""
    from sqlalchemy.ext.compiler import compiles
    from sqlalchemy.sql.functions import FunctionElement
    from sqlalchemy.types import Text

    class GroupConcat(FunctionElement[Any]):
        name = "group_concat"
        inherit_cache = False
        type = Text()

        def __init__(self, column: Any, delimiter: Any, order: Sequence[Any]) -> None:
            super().__init__(column, delimiter, *order)

    @compiles(GroupConcat)
    def write(element: Any, compiler: Any, **options: Any) -> str:
        options["within_aggregate_function"] = True
        column, delimiter, *order = (compiler.process(each, **options) for each in element.clauses)
        return f"group_concat({column} ORDER BY {', '.join(order)} SEPARATOR {delimiter})"

    return GroupConcat


@cache
def _of_distinct() -> Any:
    """PostgreSQL's aggregates of distinct values in their order.

    ``string_agg(DISTINCT a ORDER BY a)`` wants to see that both are one expression, and takes two with a parameter
    for different ones; so the distinct values are collected first, and then ordered.
    """
    from sqlalchemy.ext.compiler import compiles
    from sqlalchemy.sql.functions import FunctionElement
    from sqlalchemy.types import Text

    class OfDistinct(FunctionElement[Any]):
        name = "of_distinct"
        inherit_cache = False

        def __init__(
            self, function: str, column: Any, *, down: bool, rest: Sequence[Any] = (), met: Any = None, kind: Any = None
        ) -> None:
            super().__init__(column, *([] if met is None else [met]), *rest)
            self.function, self.down, self.filtered = function, down, met is not None
            self.type = kind or Text()

    @compiles(OfDistinct)
    def write(element: Any, compiler: Any, **options: Any) -> str:
        column, *rest = (compiler.process(each, **options) for each in element.clauses)
        met = f" FILTER (WHERE {rest.pop(0)})" if element.filtered else ""
        arguments, order = ", ".join(["one", *rest]), "DESC NULLS LAST" if element.down else "ASC NULLS FIRST"
        values = f"unnest(array_agg(DISTINCT {column}){met})"
        return f"(SELECT {element.function}({arguments} ORDER BY one {order}) FROM {values} AS one)"  # noqa: S608 - written by the compiler

    return OfDistinct
