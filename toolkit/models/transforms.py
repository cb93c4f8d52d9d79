"""Transforms in a path: ``published__year``, ``title__lower``, and how they are applied to a column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError
from toolkit.models.lookups import LookupContext
from toolkit.models.outputs import held_by
from toolkit.models.shapes import CONSTANT, Bind

if TYPE_CHECKING:
    from toolkit.models.compiler import Compiler
    from toolkit.models.nodes import Node
    from toolkit.models.outputs import Typed


def function_context(
    compiler: Compiler,
    node: Node,
    arguments: Sequence[Typed],
    options: tuple[Any, ...],
    bind: Callable[..., Any],
    bind_each: Callable[..., list[Any]],
) -> LookupContext:
    """What a function is told of the place where it stands."""
    column, field = arguments[0] if arguments else (None, None)

    def constant(value: Any, kind: Any = None) -> Any:
        return compiler.binds.add(Bind(CONSTANT, value), kind)

    return LookupContext(
        column,
        field,
        compiler.dialect,
        node,
        node.model._meta.table,
        bind,
        bind_each,
        fields=tuple(field for _, field in arguments),
        options=options,
        constant=constant,
    )


def transformed(
    compiler: Compiler, node: Node, column: Any, field: Any, rest: Sequence[str], *, lookups: bool = False
) -> tuple[Any, Any, tuple[str, ...]]:
    """(column, field, what is left) once the transforms at the head of the rest of a path are applied.

    Args:
        compiler: The compiler of the statement.
        node: The table that the column is of.
        column: SQLAlchemy's expression.
        field: Its field; gives the transforms.
        rest: What stands behind the field in the path.
        lookups: The last name may be a lookup, and is one rather than a transform.
    """
    for number, name in enumerate(rest):
        if field is None or (lookups and number == len(rest) - 1 and _is_lookup(field, name)):
            return column, field, tuple(rest[number:])
        transform = field.find_transform(name)
        if transform is None:
            return column, field, tuple(rest[number:])
        column, field = apply_transform(compiler, node, transform, (column, held_by(field)))
    return column, field, ()


def _is_lookup(field: Any, name: str) -> bool:
    return name == "isnull" or field.find_lookup(name) is not None


def apply_transform(compiler: Compiler, node: Node, transform: Any, typed: Typed) -> Typed:
    """(column, field) of a transform of a column.

    Args:
        compiler: The compiler of the statement.
        node: The table that the column is of.
        transform: What ``Field.find_transform`` gave: a class, or any object with its ``build`` and ``output``.
        typed: The column and its field.
    """

    def bind(*arguments: Any) -> Any:
        raise FieldError(f"{transform!r} takes values, and cannot stand in a path")

    context = function_context(compiler, node, [typed], (), bind, bind)
    built = transform.build(context, typed[0])
    result = getattr(transform, "result", None)
    return built, transform.output(context) if result is None else result(context, built)
