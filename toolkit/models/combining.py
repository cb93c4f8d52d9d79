"""Two questions made one: ``a & b`` and ``a | b`` of their conditions, ``union()`` and its kin of their answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from toolkit.errors import FieldError
from toolkit.lazily import LazyModule
from toolkit.models.fields.several import columns_of
from toolkit.models.limits import refuse_many_combined
from toolkit.models.windows import has_window

if TYPE_CHECKING:
    from toolkit.models import paths
else:
    paths = LazyModule("toolkit.models.paths")


CONDITIONS = ("filter", "either", "none")
"""Operations that say which rows."""

AFTER_COMBINING = ("order", "reverse", "values")
"""Operations that may follow ``union()``; slices, count() and exists() do too."""

ORDERS = ("order", "reverse")

LOADING = ("only", "defer", "related")
"""Operations that say what is loaded; after combining, those of the first question hold."""

KEPT = (*ORDERS, *LOADING, "distinct", "unrestricted")
"""Operations that a question keeps when what it says of rows becomes a condition on their keys."""

_METHODS = {
    "filter": "filter() or exclude()",
    "related": "select_related()",
    "either": "& or |",
}


def refuse_after(kind: str, operation: str) -> None:
    """Refuse what cannot follow ``union()``, ``intersection()`` or ``difference()``.

    Raises:
        FieldError: The operation is not among ``AFTER_COMBINING``.
    """
    if operation not in AFTER_COMBINING:
        first, called = kind.partition(" ")[0], _METHODS.get(operation, f"{operation}()")
        raise FieldError(
            f"{called} cannot follow {first}()",
            hint=f"Say it of each part, before {first}(); after it come order_by, values, slices, count and exists.",
        )


# of answers


def combined(first: Any, kind: str, others: Sequence[Any]) -> Any:
    """The question for the combined answers of several questions.

    Args:
        first: It gives the model and the names.
        kind: ``"union"``, ``"union all"``, ``"intersection"`` or ``"difference"``.
        others: The other questions.
    """
    values: list[Any] = []
    parts = []
    for each in (first, *others):
        if not getattr(each, "_is_queryset", False):
            raise FieldError(f"{kind.partition(' ')[0]}() takes querysets, not {each!r}")
        if not _is_alike(first, each):
            raise FieldError(
                f"{kind.partition(' ')[0]}(): {_told(first)} and {_told(each)} are not the same kind of rows",
                hint="Give each the same columns with values_list().",
            )
        parts.append(each.lift_question(values))
    loading = tuple(operation for operation in first._operations if operation[0] in LOADING)
    return first._replaced((("combined", kind, tuple(parts)), *loading), tuple(values))


def _is_alike(first: Any, other: Any) -> bool:
    """Whether the rows of two questions are of one kind: values, or instances of one table, such as a proxy's."""
    if "instances" not in (first._gives, other._gives):
        return True
    same = first.model._meta.concrete_model is other.model._meta.concrete_model
    return same and first._gives == other._gives


def _told(question: Any) -> str:
    return f"{question.model.__name__} {'objects' if question._gives == 'instances' else 'values'}"


def giving_each(operations: tuple[Any, ...], names: tuple[str, ...]) -> tuple[Any, ...]:
    """The operations with ``values()`` said of each part, as duplicates are told apart by what is given."""
    (_, kind, parts), *rest = operations
    told = tuple((model, _giving_part(inner, names), *where) for model, inner, *where in parts)
    rest = [operation for operation in rest if operation[0] not in LOADING]
    return (("combined", kind, told), *rest, ("values", names))


def _giving_part(operations: tuple[Any, ...], names: tuple[str, ...]) -> tuple[Any, ...]:
    if operations and operations[0][0] == "combined":
        return giving_each(operations, names)
    if any(operation[0] == "values" for operation in operations):
        return operations
    return (*operations, ("values", names))


# of conditions


def merged(first: Any, other: Any, connector: str) -> Any:
    """The question for the rows that meet the conditions of both (AND), of either (OR) or of just one (XOR)."""
    _refuse_foreign(first, other)
    if connector != "AND":
        first, other = _unsliced(first), _unsliced(other)
    first, other = (_by_keys(each) if _stands_alone(each) else each for each in (first, other))
    _refuse_unlike(first, other)
    if _is_none(first) or _is_none(other):
        return _with_none(first, other, connector)
    offset = len(first._values)
    sides = ((_side(first), 0), (_side(other), offset))
    rest = [operation for operation in first._operations if operation[0] not in CONDITIONS]
    orders = [("shifted", offset, item) for item in other._operations if item[0] in ORDERS]
    if any(item[2][0] == "order" for item in orders):
        rest = [operation for operation in rest if operation[0] not in ORDERS] + orders
    return first._replaced((*rest, ("either", connector, sides)), (*first._values, *other._values))


def _side(question: Any) -> tuple[Any, ...]:
    """What one side says of rows, and the annotations that it says it with."""
    return tuple(item for item in question._operations if item[0] in (*CONDITIONS, "annotate", "alias"))


def _is_none(question: Any) -> bool:
    return any(operation[0] == "none" for operation in question._operations)


def _with_none(first: Any, other: Any, connector: str) -> Any:
    if connector == "AND":
        return (first if _is_none(first) else other).all()
    return (other if _is_none(first) else first).all()


def _unsliced(question: Any) -> Any:
    """The same rows as a condition, if it is a slice."""
    return question if not question._start and question._stop is None else _by_keys(question)


def _stands_alone(question: Any) -> bool:
    """Whether a question says more of rows than conditions on them: it looks at others, or at what was found."""
    return has_window(question._operations) or any(operation[0] == "search" for operation in question._operations)


def _by_keys(question: Any) -> Any:
    """The same rows, as a condition on their keys."""
    if question._gives != "instances":
        raise FieldError("values cannot be combined with & or | here", hint="Combine first, then say values().")
    kept = [operation for operation in question._operations if operation[0] in KEPT]
    if any(operation[0] in ("annotate", "alias") for operation in question._operations):
        kept = [operation for operation in kept if operation[0] not in ORDERS]  # by what is not there any more
    return question._replaced(tuple(kept), question._values).filter(pk__in=question)


def _refuse_foreign(first: Any, other: Any) -> None:
    """Refuse what is no question about the same model.

    Raises:
        FieldError: It is none.
    """
    if not getattr(other, "_is_queryset", False):
        raise FieldError(f"& and | combine querysets, not {other!r}")
    if first.model is not other.model:
        raise FieldError(
            f"querysets of {first.model.__name__} and {other.model.__name__} cannot be combined with & or |",
            hint="Use union() with values_list().",
        )


def _refuse_unlike(first: Any, other: Any) -> None:
    """Refuse to merge what cannot be one question.

    Raises:
        FieldError: Sliced, grouped, combined, or told apart in other ways.
    """
    for question in (first, other):
        kinds = [operation[0] for operation in question._operations]
        if question._start or question._stop is not None:
            raise FieldError("a sliced queryset cannot be combined with &", hint="Combine first, then slice.")
        if kinds and kinds[0] == "combined":
            refuse_after(question._operations[0][1], "either")
        if "values" in kinds and "annotate" in kinds[kinds.index("values") :]:
            raise FieldError("groups cannot be combined with & or |", hint="Combine first, then make groups.")
    for name in ("distinct", "unrestricted", "values"):
        one, two = ([item for item in each._operations if item[0] == name] for each in (first, other))
        if one != two:
            raise FieldError(
                f"only one of the two querysets has this {name}()", hint=f"Say {name}() of both or of neither."
            )


# the compiler's part

_JOINS = {"union": "union", "union all": "union_all", "intersection": "intersect", "difference": "except_"}


class Column(msgspec.Struct, frozen=True):
    """One column of a part.

    Args:
        name: What the queryset calls it.
        label: What the derived table calls it.
        column: SQLAlchemy's.
        field: What reads it.
        is_extra: Whether it is no field of the model.
    """

    name: str
    label: str
    column: Any
    field: Any
    is_extra: bool = True


def combined_table(compiler: Any, operation: Any, values: Any) -> tuple[Any, list[Column], bool]:
    """The combined answers as a derived table, whose columns are named like the model's.

    Args:
        compiler: Of the whole question.
        operation: ``("combined", kind, parts)``.
        values: Where the values are.

    Returns:
        The table; its columns that are no field of the model; whether the rows are values.
    """
    import sqlalchemy as sa

    _, kind, parts = operation
    refuse_many_combined(compiler.model, kind.partition(" ")[0], len(parts), compiler.schema.spelling)
    inners = [compiler.nested(part, values) for part in parts]
    every = [_columns_of(inner) for inner, _ in inners]
    _refuse_unequal(kind, every)
    selects = []
    for (inner, shifted), part, columns in zip(inners, parts, every, strict=True):
        chosen = [own.column.label(first.label) for own, first in zip(columns, every[0], strict=True)]
        selects.append(inner.part(chosen, part, shifted, wrapped=True))
    table = getattr(sa, _JOINS[kind])(*selects).subquery(f"t{next(compiler.binds.aliases)}")
    extras = [replace(item, column=table.c[item.label]) for item in every[0] if item.is_extra]
    return table, extras, inners[0][0].selection.values is not None


def _columns_of(inner: Any) -> list[Column]:
    """What a part gives: its values, or all fields of its instances and their annotations."""
    names = inner.selection.values
    if names is not None:
        typed = [(name, *inner.value_column(name)) for name in names]
        for name, column, _ in typed:
            if len(columns_of(column)) > 1:
                raise FieldError(
                    f"values({name!r}) of {inner.model.__name__} is several columns, and cannot be combined",
                    hint="Name its fields in values_list().",
                )
        return [Column(name, f"v{n}", column, field) for n, (name, column, field) in enumerate(typed)]
    columns = []
    for field in inner.model._meta.concrete_model._meta.local_fields:
        column = paths.own_column(inner, inner.root, field)
        columns.append(Column(field.name, field.column, column, field, is_extra=False))
    extras = [(alias, *inner.annotations[alias]) for alias in inner.selection.annotated]
    return columns + [Column(alias, f"a_{n}", column, field) for n, (alias, column, field) in enumerate(extras)]


def _refuse_unequal(kind: str, every: list[list[Column]]) -> None:
    """Refuse parts that have not the same columns.

    Raises:
        FieldError: One has more or fewer, or other annotations.
    """
    first = every[0]
    for columns in every[1:]:
        if len(columns) != len(first):
            raise FieldError(
                f"{kind.partition(' ')[0]}(): one part gives {len(first)} columns, another {len(columns)}",
                hint="Give each the same columns and annotations.",
            )
