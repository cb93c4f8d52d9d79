"""The right side of a comparison, where it is an expression rather than a value.

``expires__gt=F("published")``, ``title__icontains=F("section__name")``, ``weight__in=[F("position"), 3]``,
``published__gte=Now() - timedelta(days=7)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError
from toolkit.models.expressions import Moment, Now
from toolkit.models.fields import DateField, DateTimeField, JSONField
from toolkit.models.fields.base import Convert
from toolkit.models.fields.several import columns_of, parts_of, refuse_several
from toolkit.models.functions.casing import exactly_compared
from toolkit.models.functions.clocks import midnight
from toolkit.models.outputs import Typed, held_by, kind_of, named_kind
from toolkit.models.subqueries import Subquery

if TYPE_CHECKING:
    from toolkit.models.context import Context

NUMBERS = (int, float, Decimal)


def right_side(context: Context, structure: Any, field: Any) -> Typed:
    """SQL of an expression that a field is compared with, and the field that reads it.

    A moment that is compared with a column itself is noted with the column: then it is known when the answer changes.
    """
    if structure[0] is Subquery:
        return Subquery.compile(context, structure, field)
    if structure[0] not in (Now, Moment) or not _is_column(field):
        return context.expression(structure)
    later = structure[1] if structure[0] is Moment else 0
    binds = context.compiler.binds
    binds.clock.add((field.model._meta.table, field.column, later))
    return binds.moment(later or None), DateTimeField[Any](null=True)


def _is_column(field: Any) -> bool:
    return isinstance(field, DateField | DateTimeField) and field.model is not None


def side(context: Context, where: str, structure: Any, left: Typed, *, as_text: bool = False) -> tuple[Any, Any]:
    """(left, right) of a comparison with an expression, as values that all databases compare alike.

    Args:
        context: Where the comparison stands.
        where: The name of what is compared.
        structure: The expression.
        left: The column, and its field.
        as_text: Whether both are searched as text.

    Raises:
        FieldError: They are of kinds that cannot be compared.
    """

    column, field = left
    right, other = right_side(context, structure, field)
    if len(columns_of(column)) != len(columns_of(right)):
        refuse_several(where, (column, right))
    kinds = kind_of(field), kind_of(other)
    if as_text:
        if isinstance(other, JSONField) or kinds[1] not in (str, None, int):
            raise _unlike(where, "str", named_kind(other))
        return column, right if kinds[1] is str else _spelt(context.dialect, right)
    if None not in (field, other) and isinstance(field, JSONField) != isinstance(other, JSONField):
        raise _unlike(where, named_kind(field), named_kind(other))
    if None in kinds or kinds[0] == kinds[1] or set(kinds) <= {*NUMBERS}:
        return column, right
    if set(kinds) == {date, datetime}:
        if kinds[0] is date:
            return midnight(context.dialect, column), right
        return column, midnight(context.dialect, right)
    raise _unlike(where, named_kind(field), named_kind(other))


def refuse_unlike(where: str, field: Any, names: Sequence[str], others: Sequence[Any]) -> None:
    """Refuse a list of a kind that a field cannot be searched in: SQLite and MariaDB would find nothing, or anything.

    Args:
        where: The name of what is searched.
        field: Its field.
        names: What a queryset gives.
        others: The fields of its columns.

    Raises:
        FieldError: They cannot be compared.
    """
    parts = parts_of(field)
    if len(parts) != len(others):
        given = ", ".join(map(repr, names)) + (f", {len(others)} columns" if len(others) != len(names) else "")
        wanted = "one value" if len(parts) == 1 else f"{len(parts)} values ({', '.join(part.name for part in parts)})"
        raise FieldError(
            f"{where}: a queryset inside a condition gives {wanted}, not {given}",
            hint="Name one field in values()." if len(parts) == 1 else "Say values('pk') of the same model.",
        )
    for part, other in zip(parts, others, strict=True):
        left, right = kind_of(held_by(part)), kind_of(held_by(other))
        unlike = None not in (left, right) and left != right and not {left, right} <= {*NUMBERS}
        if unlike or (None not in (part, other) and isinstance(part, JSONField) != isinstance(other, JSONField)):
            named = f" ({other.model.__name__}.{other.name})" if getattr(other, "model", None) is not None else ""
            raise FieldError(
                f"{where}: {named_kind(part)} cannot be searched among {named_kind(other)}{named}",
                hint="Name a field of the same kind in values(), such as values('pk').",
            )


def _spelt(dialect: str, value: Any) -> Any:
    """A whole number, or what the database alone knows the kind of, as text."""
    import sqlalchemy as sa

    if dialect == "mysql":
        return exactly_compared(sa.cast(value, sa.CHAR()))
    return sa.cast(value, sa.Text())


def _unlike(where: str, left: str, right: str) -> FieldError:
    return FieldError(f"{where}: {left} cannot be compared with {right}", hint="Say Cast(..., output_field) first.")


def sides(context: Context, where: str, items: Any, left: Typed, write: Convert) -> tuple[Any, list[Any]]:
    """(left, items) of an ``in`` or ``range`` with expressions among its values.

    Args:
        context: Where the comparison stands.
        where: The name of what is compared.
        items: What ``lift_condition`` gave.
        left: The column, and its field.
        write: From a plain value to the driver's.
    """
    column, field = left
    kind = field.compared_type() if field is not None and not field.is_relation else None
    found = []
    for structure in items:
        if structure[0] == "(v)":
            found.append(context.bind(structure[1], write, kind))
        else:
            same, right = side(context, where, structure, left)
            if same is not column:
                raise _unlike(where, "date", "datetime")
            found.append(right)
    return column, found
