"""Functions that choose among values, and that turn values of one kind into another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError
from toolkit.models.calls import Function
from toolkit.models.casts import cast
from toolkit.models.comparisons import Structure
from toolkit.models.fields.base import Field
from toolkit.models.fields.numbers import DecimalField
from toolkit.models.outputs import (
    Typed,
    alike,
    common,
    common_of,
    kind_of,
    like,
)

if TYPE_CHECKING:
    from toolkit.models.context import Context


class _Several(Function):
    """A function of at least two values of one kind."""

    def __init__(self, *expressions: Any, output_field: Field[Any] | None = None) -> None:
        if len(expressions) < 2:
            raise FieldError(f"{type(self).__name__}() takes at least two expressions")
        super().__init__(*expressions, output_field=output_field)

    @classmethod
    def output(cls, context: Any) -> Any:
        return common_of(f"{cls.__name__}()", context.fields)


def _alike(context: Any, arguments: Sequence[Any]) -> list[Any]:
    return alike(common(context.fields), arguments, context.fields)


class Coalesce(_Several):
    """The first of several values that is not NULL."""

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        return sa.func.coalesce(*_alike(context, arguments))


class NullIf(_Several):
    """The first value, or NULL if it equals the second."""

    def __init__(self, expression1: Any, expression2: Any, *, output_field: Field[Any] | None = None) -> None:
        super().__init__(expression1, expression2, output_field=output_field)

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        return sa.func.nullif(*arguments)

    @classmethod
    def output(cls, context: Any) -> Any:
        super().output(context)
        return like(context.fields[0])


def _extreme(context: Any, values: Sequence[Any], on_sqlite: str, elsewhere: str) -> Any:
    """PostgreSQL's passes over NULL; the others give NULL if any argument is."""
    import sqlalchemy as sa

    arguments = _alike(context, values)
    if context.dialect == "postgresql":
        arguments = _of_known_type(context, arguments)
    if all(kind_of(field) is str for field in context.fields) and context.dialect == "postgresql":
        arguments = [sa.collate(argument, "C") for argument in arguments]  # as the other databases order
    found = getattr(sa.func, on_sqlite if context.dialect == "sqlite" else elsewhere)(*arguments)
    if context.dialect != "postgresql":
        return found
    return sa.case((sa.and_(*(argument.is_not(None) for argument in arguments)), found))


def _of_known_type(context: Any, arguments: Sequence[Any]) -> list[Any]:
    """Values such as None, of which PostgreSQL is told the type: alone beside ``IS NOT NULL`` they have none."""
    import sqlalchemy as sa

    field = common(context.fields)
    kind = sa.Text() if field is None else field.sql_type()
    return [
        sa.cast(argument, kind) if own is None and isinstance(argument, sa.BindParameter) else argument
        for argument, own in zip(arguments, context.fields, strict=True)
    ]


class Greatest(_Several):
    """The largest of several values; NULL if any of them is NULL."""

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        return _extreme(context, arguments, "max", "greatest")


class Least(_Several):
    """The smallest of several values; NULL if any of them is NULL."""

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        return _extreme(context, arguments, "min", "least")


_COLLATION = re.compile(r"[A-Za-z0-9_.@-]{1,64}")


class Collate(Function):
    """A text in another collation, which decides what it equals and what it comes before.

    Args:
        expression: The text.
        collation: Its name in this database: ``"NOCASE"`` on SQLite, ``"de-x-icu"`` on PostgreSQL,
            ``"utf8mb4_unicode_520_ci"`` on MariaDB. Names of others are errors there.
    """

    def __init__(self, expression: Any, collation: str) -> None:
        if not isinstance(collation, str) or not _COLLATION.fullmatch(collation):
            raise FieldError(f"Collate(): {collation!r:.200} is no name of a collation", hint='Such as "NOCASE".')
        super().__init__(expression, options=(collation,))

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        if kind_of(context.fields[0]) not in (str, None):
            raise FieldError("Collate() takes text", hint="Say Cast(..., TextField()).")
        return sa.collate(arguments[0], context.options[0])


class Cast(Function):
    """A value as one of another kind, with one meaning on every database.

    Fractions are cut where whole numbers are wanted, as Python's ``int`` does, and rounded to a decimal field's places,
    half away from zero. Text that is no number becomes NULL, text that is longer than ``max_length`` is cut. Of JSON
    numbers become numbers and text becomes text; what is of another kind becomes NULL.

    Args:
        expression: What to convert.
        output_field: The field of the result. Kinds that databases would convert differently are refused.
    """

    def __init__(self, expression: Any, output_field: Field[Any]) -> None:
        if not isinstance(output_field, Field):
            raise FieldError(f"Cast(): {output_field!r} is no field", hint="Such as models.IntegerField().")
        if isinstance(output_field, DecimalField) and not output_field.max_digits:
            hint = "Such as max_digits=8, decimal_places=2."
            raise FieldError("Cast(): the DecimalField does not say how many digits it has", hint=hint)
        super().__init__(expression, output_field=output_field)

    @classmethod
    def compile(cls, context: Context, structure: Structure) -> Typed:
        inner, output = structure[1][0], structure[5]
        value, source = context.expression(inner)
        return cast(context.dialect, value, source, output.field), output.field
