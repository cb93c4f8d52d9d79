"""New values of a row's fields in SQL: plain ones, and those that the database computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError, IntegrityError, ValidationError
from toolkit.models.expressions import Expression, Now, Q
from toolkit.models.fields import JSONField
from toolkit.models.fields.several import refuse_several
from toolkit.models.functions.clocks import midnight
from toolkit.models.guards import keeps_instants, kept, label_of
from toolkit.models.naming import names_in
from toolkit.models.nesting import lift_nested, nested_enough
from toolkit.models.outputs import KINDS, Typed, decimal_places, held_by, kind_of, named_kind
from toolkit.models.selection import own_slots
from toolkit.models.shapes import MOMENT, SLOT, Bind
from toolkit.models.sides import NUMBERS
from toolkit.models.subqueries import Subquery
from toolkit.models.unmanaged import bound_type
from toolkit.models.windows import refuse_windows
from toolkit.trace import Scope

if TYPE_CHECKING:
    from toolkit.models.compiler import Compiler


def assigned(scope: Scope, compiler: Compiler, field: Any, value: Any, lifted: list[Any]) -> Any:
    """SQL of a new value.

    Args:
        scope: The scope.
        compiler: Of the statement.
        field: What is set.
        value: A plain value, an expression, a condition, or a queryset whose first value it is.
        lifted: Takes the values.
    """
    import sqlalchemy as sa

    dialect = scope.database.dialect
    if hasattr(value, "lift_question"):
        value = Subquery(value)
    if isinstance(value, Now) and kind_of(field) in (datetime, None):
        return compiler.binds.add(Bind(MOMENT, None, field.db_writer(dialect)), field.sql_type())
    if isinstance(value, Expression | Q):
        joined = len(compiler.root.children)
        structure = lift_nested(value, lifted)
        compiler.binds.kept_in = label_of(field) if keeps_instants(field) else ""
        with nested_enough():
            refuse_windows(compiler, structure, "update()")
            computed = compiler.expression(structure, compiler.root, own_slots)
        compiler.binds.kept_in = ""
        if len(compiler.root.children) > joined:
            raise FieldError(
                f"update({field.name}=...): the value of another table's row cannot be taken",
                hint=f"Annotate it first: annotate(theirs=...).update({field.name}=F('theirs')).",
            )
        return _kept(dialect, field, computed)
    if value is None:
        return sa.null()
    if field.is_relation and hasattr(value, "_meta") and field.takes(value) and field.value_of(value) is None:
        raise IntegrityError(
            f"update({field.name}=...) refers to an unsaved {value._meta.object_name}", hint="Save it."
        )
    lifted.append(value)
    kind = bound_type(field, dialect, field.sql_type())
    return compiler.binds.add(Bind(SLOT, len(lifted) - 1, _value_of(field, dialect)), kind)


def _value_of(field: Any, dialect: str) -> Callable[[Any], Any]:
    """The field's own conversion to a driver's value, which names it where it refuses one."""
    convert = field.db_value_of(dialect)

    def value_of(value: Any) -> Any:
        try:
            return convert(value)
        except ValidationError as error:
            raise ValidationError(f"{label_of(field)}: {error.message}", code=error.code, hint=error.hint) from error

    return value_of


def refuse_other_tables(meta: Any, values: Mapping[Any, Any]) -> None:
    """Refuse values that are computed of a field which the model has in another of its tables.

    Args:
        meta: Of the model whose rows are written.
        values: What is to be set, by field.

    Raises:
        FieldError: There is one.
    """
    for field, value in values.items() if meta.parents else ():
        home = field.model._meta
        for name in names_in(value):
            other = meta.by_name.get(name)
            if other is not None and other.model is not field.model and other not in home.stand_ins:
                raise FieldError(
                    f"{field.name!r} of {meta.object_name} is in the table of {home.object_name}, and cannot be "
                    f"computed of {name!r}, which is in that of {other.model.__name__}",
                    hint="Load the rows, set the values in Python, and write them with bulk_update().",
                )


def _kept(dialect: str, field: Any, computed: Typed) -> Any:
    """SQL of a computed value as a field keeps values of its kind.

    SQLite would keep whatever it is given, text in a column of numbers too, and servers round where it does not.

    Raises:
        FieldError: The value is of another kind.
    """
    column, other = computed
    refuse_several(f"{field.model.__name__}.{field.name}", [column])
    kind, given = kind_of(held_by(field)), kind_of(held_by(other))
    documents = isinstance(field, JSONField) + isinstance(other, JSONField)
    if other is None or (None in (kind, given) and documents != 1):
        return kept(dialect, field, column) if given is str else column
    if (kind, given) == (datetime, date):
        return midnight(dialect, column)
    if kind is given or (kind in (float, Decimal) and given in NUMBERS):
        return kept(dialect, field, _rounded(dialect, column, field, other) if kind is Decimal else column)
    if kind not in KINDS and kind is not None:
        hint = f"Give the value itself, or say whose it is: Value(..., output_field={type(field).__name__}(...))."
    elif kind is int and given in NUMBERS:
        hint = "Say Cast(..., models.IntegerField()), which cuts fractions."
    else:
        hint = "Say Cast(...) around it."
    raise FieldError(
        f"{field.model.__name__}.{field.name} takes {named_kind(field)}, and the expression gives {named_kind(other)}",
        hint=hint,
    )


def _rounded(dialect: str, column: Any, field: Any, other: Any) -> Any:
    """A number with the decimal places of a field, on SQLite; servers see to it themselves."""
    import sqlalchemy as sa

    places, given = decimal_places(held_by(field)), decimal_places(other)
    if dialect != "sqlite" or places is None or (given is not None and given <= places):
        return column
    return sa.func.round(column, sa.literal_column(str(places)))
