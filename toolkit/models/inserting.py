"""Inserting rows with values that the database computes: ``Story(slug=Lower(Value("Flood"))).save()``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError
from toolkit.lazily import LazyModule
from toolkit.models.assigning import assigned
from toolkit.models.expressions import Expression, Q
from toolkit.models.mentioned import names_in
from toolkit.models.nesting import nested_enough
from toolkit.trace import Scope

if TYPE_CHECKING:
    from toolkit.models import compiler as compiling
else:
    compiling = LazyModule("toolkit.models.compiler")


def computed_fields(instance: Any, fields: Sequence[Any]) -> list[Any]:
    """The fields whose value an instance leaves to an expression."""
    values = instance.__dict__
    return [field for field in fields if isinstance(values.get(field.attname), Expression | Q)]


def computed_insert(scope: Scope, level: Any, instance: Any, fields: Sequence[Any]) -> tuple[str, list[Any]]:
    """``INSERT`` of the row of one table: the text and its parameters.

    The expressions stay on the instance: whoever runs the statement takes them off, so that what came of them is read.

    Args:
        scope: Gives the database and the moment.
        level: The model whose table it is.
        instance: The row.
        fields: What is written.

    Raises:
        FieldError: An expression asks for a field of the row, which is not there yet.
    """
    import sqlalchemy as sa

    compiler = compiling.Compiler(scope.database, level, scope.sight)
    values: list[Any] = []
    made = {}
    computed = computed_fields(instance, fields)
    for field in fields:
        value = instance.__dict__.get(field.attname)
        if field in computed:
            _refuse_names(level, field, value)
        made[field.column] = assigned(scope, compiler, field, value, values)
    table = scope.database.schema.table(level)
    statement = compiler.statement(sa.insert(table).values(made).inline())
    return statement.sql, statement.bind(values, scope, ())


def _refuse_names(level: Any, field: Any, value: Any) -> None:
    with nested_enough():
        named = sorted(names_in(value.lift([])))
    if named:
        raise FieldError(
            f"{level.__name__}.{field.name} cannot be made of {', '.join(named)}: the row is not there yet",
            hint="Give values, or save the row first and update() it.",
        )
