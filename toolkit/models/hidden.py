"""Columns under an index, where a database indexes columns alone.

MariaDB indexes no expression and no part of a table. What an index computes becomes a column there: computed
whenever it is read (VIRTUAL), so that the index alone keeps it, and left out of ``SELECT *`` (INVISIBLE). Of rows that
a condition leaves out it is NULL, and NULL agrees with nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec

from toolkit.errors import DeclarationError
from toolkit.models.ddl import as_text, literal_condition, literal_expression, output_field
from toolkit.models.expressions import Expression, F, Ordered
from toolkit.models.fields import CharField, TextField
from toolkit.models.naming import names_in

HIDEABLE = frozenset({"partial_indexes", "expression_indexes"})
"""Abilities of other databases that such columns stand in for."""

LONGEST_NAME = 60
GROWTH = 3
"""How many characters one becomes at most in another case: ``ΐ`` in upper case has three."""


class HiddenColumn(msgspec.Struct, frozen=True):
    """One member of an index.

    Args:
        name: The column's name.
        kind: SQLAlchemy's type.
        text: SQL of what it computes.
        descending: Whether the index has it in descending order.
    """

    name: str
    kind: Any
    text: str
    descending: bool = False


def hidden_name(index: str, number: int) -> str:
    """The name of an index's column: the index's own with a number, or a shorter one with a digest."""
    name = f"{index}_{number}"
    if len(name) <= LONGEST_NAME:
        return name
    mark = hashlib.blake2b(index.encode(), digest_size=4).hexdigest()
    return f"{index[:45]}_{mark}_{number}"


def needs_hidden(item: Any, *, unique: bool) -> bool:
    """Whether a constraint or index computes something. An index that only helps to find rows may have all of them."""
    return bool(item.expressions) or (unique and item.condition is not None)


def build_hidden(schema: Any, model: Any, table: Any, item: Any, *, unique: bool) -> None:
    """Add the index, which brings its columns along, to SQLAlchemy's table."""
    import sqlalchemy as sa

    columns = hidden_columns(schema, model, item, unique=unique)
    members = [as_text(f"({column.text})") for column in columns]
    sa.Index(item.name, *members, unique=unique, _table=table, info={"hidden": columns})


def hidden_columns(schema: Any, model: Any, item: Any, *, unique: bool) -> list[HiddenColumn]:
    """The columns that a constraint or an index needs.

    Raises:
        DeclarationError: A text has no bound, and no index could keep it.
    """
    condition = literal_condition(schema, model, item.condition) if unique and item.condition is not None else ""
    found = []
    for number, expression in enumerate([*map(F, item.fields), *item.expressions], 1):
        plain = expression.inner if isinstance(expression, Ordered) else expression
        descending = isinstance(expression, Ordered) and expression.descending
        text = literal_expression(schema, model, plain)
        text = f"CASE WHEN ({condition}) THEN ({text}) END" if condition else text
        kind = _kind(schema, model, item, plain)
        found.append(HiddenColumn(hidden_name(item.name, number), kind, text, descending))
    return found


def hidden_problems(schema: Any, model: Any, item: Any, *, unique: bool) -> Iterator[DeclarationError]:
    """What stands in the way of such columns."""
    try:
        hidden_columns(schema, model, item, unique=unique)
    except DeclarationError as problem:
        yield problem


def _kind(schema: Any, model: Any, item: Any, expression: Expression) -> Any:
    """The type of the column that keeps an expression's values."""
    import sqlalchemy as sa

    field = output_field(schema, model, expression)
    longest = schema.spelling.indexed_text_length
    where = f"{model._meta.label}.Meta: {schema.spelling.__name__} cannot keep {type(item).__name__} {item.name!r}"
    if field is None:
        raise DeclarationError(
            f"{where}: it is not known what {expression!r} gives", hint="Give it output_field=..., or use Cast()."
        )
    if not isinstance(field, CharField | TextField):
        return field.sql_type()
    length = field.max_length if isinstance(field, CharField) else None
    length = length or _computed_length(model, expression)
    if length is None or longest is None:
        raise DeclarationError(
            f"{where}: the text of {expression!r} has no bound",
            hint=f"Use fields with a max_length, or Cast(..., CharField(max_length={longest})).",
        )
    return sa.String(min(length, longest))


def _computed_length(model: Any, expression: Expression) -> int | None:
    """Characters that a text made of columns may have; None if one of these has no bound."""
    fields = [model._meta.get_field(name.partition("__")[0]) for name in names_in(expression)]
    lengths = [
        one.max_length if isinstance(one, CharField) else None
        for one in fields
        if isinstance(one, CharField | TextField)
    ]
    if not lengths or None in lengths:
        return None
    return GROWTH * sum(length for length in lengths if length is not None)
