"""Functions of SQL, as expressions: those that the toolkit brings, and yours."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.errors import FieldError
from toolkit.models.casts import read_as
from toolkit.models.comparisons import Structure
from toolkit.models.expressions import Expression, F, as_expression
from toolkit.models.fields.base import Field
from toolkit.models.outputs import Computed, Output, Typed, like
from toolkit.models.rawsql import refuse_unsteady

if TYPE_CHECKING:
    from toolkit.models.context import Context

_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*\.)?[A-Za-z_][A-Za-z0-9_]*")


class Function(Expression):
    """A function of SQL: subclass it and say how it is built.

    ``build`` gets the compiled arguments and a context: its ``dialect``; its ``fields``, those of the arguments; its
    ``options``; and its ``bind``, which gives bound parameters for the values of ``self.values``, in their order.

    Args:
        arguments: Names of fields, expressions, or plain values.
        values: Values that the function needs as bound parameters.
        options: What is part of the question rather than a value of it, such as a time zone: hashable.
        output_field: The field that reads the result, instead of the function's own.

    Attributes:
        output_field: The field that reads the result; by default the first argument's, where all are alike.
    """

    output_field: ClassVar[Field[Any] | None] = None

    def __init__(
        self,
        *arguments: Any,
        values: tuple[Any, ...] = (),
        options: tuple[Any, ...] = (),
        output_field: Field[Any] | None = None,
    ) -> None:
        self.arguments = [F(item) if isinstance(item, str) else as_expression(item) for item in arguments]
        self.values, self.options = values, options
        self.chosen_output = output_field

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.arguments))})"

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        """The SQLAlchemy expression."""
        named = getattr(cls, "function", "")
        way = f": return sqlalchemy.func.{named.lower()}(*arguments)" if isinstance(named, str) and named else ""
        raise TypeError(f"{cls.__name__} must define build(){way}")

    @classmethod
    def reader(cls, dialect: str) -> Callable[[Any], Any] | None:
        """A function from what the driver gives to the Python value, where no field has it."""
        return None

    @classmethod
    def output(cls, context: Any) -> Field[Any] | None:
        """The field that reads the result, and whose lookups may follow."""
        if cls.output_field is not None:
            return cls.output_field
        if cls.reader.__func__ is not Function.reader.__func__:  # type: ignore[attr-defined]  # class methods have one
            return Computed(cls.reader)
        kinds = {type(field) for field in context.fields}
        return like(context.fields[0]) if len(kinds) == 1 else None

    @classmethod
    def result(cls, context: Any, built: Any) -> Field[Any] | None:
        """The same, where the field has to know what was built."""
        return cls.output(context)

    @classmethod
    def read_as(cls, context: Any, built: Any, output: Output) -> Typed:
        """SQL of the result, and the field that was given to read it.

        What a function gives that says nothing about it, only the database knows.
        """
        silent = cls.output_field is None and cls.output.__func__ is Function.output.__func__  # type: ignore[attr-defined]  # class methods have one
        field = None if silent else cls.result(context, built)
        return read_as(context.dialect, (built, field), output)

    def lift(self, values: list[Any]) -> Structure:
        inner = tuple(argument.lift(values) for argument in self.arguments)
        values.extend(self.values)
        start, count = len(values) - len(self.values), len(self.values)
        return (type(self), inner, self.options, start, count, Output.of(self.chosen_output))

    @classmethod
    def compile(cls, context: Context, structure: Structure) -> Typed:
        _, inner, options, start, count, output = structure
        arguments = [context.expression(item) for item in inner]
        return context.call(cls, arguments, options, range(start, start + count), output)


class Func(Function):
    """A function of the database by its name: ``Func("name", function="SOUNDEX")``.

    Nobody knows what it reads, so its answer counts as made of every table, as that of ``RawSQL``.

    Args:
        expressions: Names of fields, expressions, or plain values. ``Value("x")`` is a text.
        function: Its name; with that of its schema where it has one, as in ``stats.rank``.
        output_field: The field that reads the result; by default the first argument's, where all are alike.

    Attributes:
        function: The same, for subclasses.

    Raises:
        FieldError: That is no name, or one of a function that asks for the clock or for chance.
    """

    function: ClassVar[str] = ""

    def __init__(self, *expressions: Any, function: str = "", output_field: Field[Any] | None = None) -> None:
        self.name = function or self.function
        if not _NAME.fullmatch(self.name):
            raise FieldError(
                f"{self.name!r} is no name of a function",
                hint="Write it alone, as in Func('name', function='SOUNDEX'); anything more is work for RawSQL.",
            )
        refuse_unsteady(f"{self.name}()", told=f"Func(function={self.name!r})")
        super().__init__(*expressions, options=(self.name,), output_field=output_field)

    def __repr__(self) -> str:
        return f"Func({', '.join([*map(repr, self.arguments), f'function={self.name!r}'])})"

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        *schema, name = context.options[0].split(".")
        return sa.sql.functions.Function(name, *arguments, packagenames=tuple(schema))

    @classmethod
    def compile(cls, context: Context, structure: Structure) -> Typed:
        context.compiler.binds.depend_on_all(context.compiler.schema)
        return super().compile(context, structure)


class Transform(Function):
    """A function of one field that may stand in a path: ``Lower("title")``, ``title__lower``.

    ``Field.register_transform`` gives a kind of field the name.

    Attributes:
        lookup_name: What stands in the path.
    """

    lookup_name: ClassVar[str] = ""
