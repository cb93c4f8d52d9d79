"""Functions of text. Lengths and positions are in characters (Unicode code points), and the first position is 1."""

from __future__ import annotations

from typing import Any, ClassVar

from toolkit.errors import FieldError
from toolkit.models.calls import Function, Transform
from toolkit.models.casts import cast
from toolkit.models.expressions import Expression, Value
from toolkit.models.fields import CharField, IntegerField, JSONField, TextField
from toolkit.models.fields.base import Field
from toolkit.models.functions.casing import cased, exactly_compared
from toolkit.models.outputs import kind_of, like, refuse_own_kind


def check_text(name: str, fields: Any) -> None:
    """Refuse arguments that are no text.

    Raises:
        FieldError: One is not.
    """
    for field in fields:
        kind, json = kind_of(field), isinstance(field, JSONField)
        if json or kind not in (None, str):
            told = "JSON" if json or kind is None else kind.__name__
            raise FieldError(f"{name}() takes text, not {told}", hint="Say Cast(..., TextField()) around it.")


def _text_field(context: Any) -> Any:
    """The field that reads a changed text: one like that of the text, so that its transforms may follow."""
    field = context.fields[0] if context.fields else None
    plain = isinstance(field, CharField | TextField) and field.db_reader(context.dialect) is None
    return like(field) if plain else TextField(null=True)


def _count(number: Any, least: int) -> Any:
    """A number of characters, or a position; what is smaller counts as the least."""
    import sqlalchemy as sa

    smallest: Any = sa.literal_column(str(least))
    largest: Any = sa.literal_column(str(2**31 - 1))
    fitting = sa.case((number < smallest, smallest), (number > largest, largest), else_=number)
    return sa.cast(fitting, sa.Integer())


def _check_count(function: str, name: str, value: Any, least: int) -> Any:
    """A count as it was given: a field's name, an expression, or a number that must make sense."""
    if isinstance(value, Expression | str):
        return value
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise FieldError(f"{function}(..., {name}={value!r}): the {name} is a whole number from {least} on")
    return value


class _TextFunction(Function):
    """A function whose first ``texts`` arguments are text, and the others counts."""

    texts: ClassVar[int] = 1

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        check_text(cls.__name__, context.fields[: cls.texts])
        return cls.on(context.dialect, *arguments)

    @classmethod
    def on(cls, dialect: str, *arguments: Any) -> Any:
        """SQL on a database."""
        return call(cls.__name__.lower(), *arguments)

    @classmethod
    def output(cls, context: Any) -> Any:
        return cls.output_field if cls.output_field is not None else _text_field(context)


class TextTransform(_TextFunction, Transform):
    """The same, of a text alone."""

    def __init__(self, expression: Any, *, output_field: Field[Any] | None = None) -> None:
        super().__init__(expression, output_field=output_field)


def call(name: str, *arguments: Any) -> Any:
    """A function that gives a text, called by its name."""
    import sqlalchemy as sa

    return getattr(sa.func, name)(*arguments, type_=sa.String())


class Lower(TextTransform):
    """Text in lower case, in every script."""

    lookup_name = "lower"

    @classmethod
    def on(cls, dialect: str, *arguments: Any) -> Any:
        return cased(arguments[0], dialect, "lower")


class Upper(TextTransform):
    """Text in upper case, in every script; that of ß is SS."""

    lookup_name = "upper"

    @classmethod
    def on(cls, dialect: str, *arguments: Any) -> Any:
        return cased(arguments[0], dialect, "upper")


class Length(TextTransform):
    """How many characters a text has."""

    lookup_name = "length"
    output_field = IntegerField()

    @classmethod
    def on(cls, dialect: str, *arguments: Any) -> Any:
        import sqlalchemy as sa

        return sa.func.char_length(*arguments) if dialect == "mysql" else sa.func.length(*arguments)


class Trim(TextTransform):
    """Text without the spaces at both ends."""

    lookup_name = "trim"


class LTrim(TextTransform):
    """Text without the spaces before it."""

    lookup_name = "ltrim"


class RTrim(TextTransform):
    """Text without the spaces behind it."""

    lookup_name = "rtrim"


class Reverse(TextTransform):
    """Text with its characters in the opposite order."""

    lookup_name = "reverse"

    @classmethod
    def on(cls, dialect: str, *arguments: Any) -> Any:
        return call("toolkit_reverse" if dialect == "sqlite" else "reverse", *arguments)


class Concat(Function):
    """Texts joined; NULL counts as an empty one. Whole numbers, dates and decimal fields are written as text."""

    def __init__(self, *expressions: Any, output_field: Field[Any] | None = None) -> None:
        if len(expressions) < 2:
            raise FieldError("Concat() takes at least two expressions")
        super().__init__(*expressions, output_field=output_field)

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        joined: Any = None
        empty: Any = sa.literal_column("''")
        for argument, field in zip(arguments, context.fields, strict=True):
            refuse_own_kind("Concat()", field)
            known = kind_of(field) not in (None, str)
            text = (
                cast(context.dialect, argument, field, TextField(), "a conversion by Concat()") if known else argument
            )
            part = sa.func.coalesce(sa.type_coerce(text, sa.Text()), empty, type_=sa.Text())
            joined = part if joined is None else joined.concat(part)
        return joined

    @classmethod
    def output(cls, context: Any) -> Any:
        return TextField(null=True)


class Substr(_TextFunction):
    """A part of a text.

    Args:
        expression: The text.
        pos: The position of its first character; 1 is that of the text.
        length: How many characters; without it, all that follow.
    """

    def __init__(
        self, expression: Any, pos: Any, length: Any = None, *, output_field: Field[Any] | None = None
    ) -> None:
        counts = [_check_count("Substr", "pos", pos, 1)]
        if length is not None:
            counts.append(_check_count("Substr", "length", length, 0))
        super().__init__(expression, *counts, output_field=output_field)

    @classmethod
    def on(cls, dialect: str, *arguments: Any) -> Any:
        text, position, *length = arguments
        return call("substr", text, _count(position, 1), *(_count(item, 0) for item in length))


class _End(_TextFunction):
    """A number of characters at an end of a text.

    Args:
        expression: The text.
        length: How many characters, at most.
    """

    def __init__(self, expression: Any, length: Any, *, output_field: Field[Any] | None = None) -> None:
        counted = _check_count(type(self).__name__, "length", length, 0)
        super().__init__(expression, counted, output_field=output_field)


class Left(_End):
    """The first so many characters of a text."""

    @classmethod
    def on(cls, dialect: str, *arguments: Any) -> Any:
        import sqlalchemy as sa

        return call("substr", arguments[0], sa.literal_column("1"), _count(arguments[1], 0))


class Right(_End):
    """The last so many characters of a text."""

    @classmethod
    def on(cls, dialect: str, *arguments: Any) -> Any:
        name = "toolkit_right" if dialect == "sqlite" else "right"
        return call(name, arguments[0], _count(arguments[1], 0))


class Repeat(_TextFunction):
    """A text so many times.

    Args:
        expression: The text.
        number: How many times; none below 1.
    """

    def __init__(self, expression: Any, number: Any, *, output_field: Field[Any] | None = None) -> None:
        super().__init__(expression, _check_count("Repeat", "number", number, 0), output_field=output_field)

    @classmethod
    def on(cls, dialect: str, *arguments: Any) -> Any:
        name = "toolkit_repeat" if dialect == "sqlite" else "repeat"
        return call(name, arguments[0], _count(arguments[1], 0))

    @classmethod
    def output(cls, context: Any) -> Any:
        return TextField(null=True)


class Replace(_TextFunction):
    """A text with each of its parts that equal another text replaced, with regard to case.

    Args:
        expression: The text.
        text: What to replace.
        replacement: What to put in its place; nothing if not given.
    """

    texts: ClassVar[int] = 3

    def __init__(
        self, expression: Any, text: Any, replacement: Any = None, *, output_field: Field[Any] | None = None
    ) -> None:
        replacement = Value("") if replacement is None else replacement
        super().__init__(expression, text, replacement, output_field=output_field)

    @classmethod
    def on(cls, dialect: str, *arguments: Any) -> Any:
        import sqlalchemy as sa

        found, replacement = super().on(dialect, *arguments), arguments[2]
        if dialect == "postgresql" or isinstance(replacement, sa.BindParameter):
            return found
        # where there is nothing to replace, MariaDB does not look at it, and SQLite not for an empty text
        return sa.case((replacement.is_not(None), found), else_=sa.null())


class _Pad(_TextFunction):
    """A text of exactly so many characters.

    Args:
        expression: The text; cut at its end if it has more.
        length: How many characters.
        fill_text: What to fill up with, as often as needed; spaces if not given.
    """

    def __init__(
        self, expression: Any, length: Any, fill_text: Any = None, *, output_field: Field[Any] | None = None
    ) -> None:
        fill_text = Value(" ") if fill_text is None else fill_text
        counted = _check_count(type(self).__name__, "length", length, 0)
        super().__init__(expression, counted, fill_text, output_field=output_field)

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        check_text(cls.__name__, (context.fields[0], context.fields[2]))
        return cls.on(context.dialect, *arguments)

    @classmethod
    def on(cls, dialect: str, *arguments: Any) -> Any:
        import sqlalchemy as sa

        text, length, fill = arguments
        length, name = _count(length, 0), cls.__name__.lower()
        padded = call(f"toolkit_{name}" if dialect == "sqlite" else name, text, length, fill)
        if dialect != "mysql":
            return padded
        cut = call("left", text, length)  # MariaDB gives NULL where there is nothing to fill up with
        return sa.case((fill == sa.literal_column("''"), cut), else_=padded)

    @classmethod
    def output(cls, context: Any) -> Any:
        return TextField(null=True)


class LPad(_Pad):
    """A text filled up on its left, or cut, to so many characters."""


class RPad(_Pad):
    """A text filled up on its right, or cut, to so many characters."""


class StrIndex(_TextFunction):
    """The position of a text in another one, with regard to case; 0 if it is not there.

    Args:
        string: Where to search.
        substring: What to search for.
    """

    texts: ClassVar[int] = 2
    output_field = IntegerField()

    def __init__(self, string: Any, substring: Any, *, output_field: Field[Any] | None = None) -> None:
        super().__init__(string, substring, output_field=output_field)

    @classmethod
    def on(cls, dialect: str, *arguments: Any) -> Any:
        import sqlalchemy as sa

        if dialect == "postgresql":
            return sa.func.strpos(*arguments)
        found: Any = sa.func.instr(*arguments)
        empty = arguments[1] == sa.literal_column("''")
        return sa.case((sa.and_(empty, arguments[0].is_not(None)), sa.literal_column("1")), else_=found)


class Ord(TextTransform):
    """The number (Unicode code point) of a text's first character; 0 of an empty text."""

    lookup_name = "ord"
    output_field = IntegerField()

    @classmethod
    def on(cls, dialect: str, *arguments: Any) -> Any:
        import sqlalchemy as sa

        (text,) = arguments
        if dialect == "postgresql":
            return sa.func.ascii(text)
        zero: Any = sa.literal_column("0")
        if dialect == "sqlite":
            number: Any = sa.func.unicode(text)
        else:
            first = sa.func.left(text, sa.literal_column("1"))
            units = sa.func.hex(sa.func.convert(first.op("USING")(sa.literal_column("utf32"))))
            number = sa.cast(sa.func.conv(units, sa.literal_column("16"), sa.literal_column("10")), sa.BigInteger())
        return sa.case((text == sa.literal_column("''"), zero), else_=number)


class Chr(TextTransform):
    """The character of a number (Unicode code point); NULL where there is none."""

    lookup_name = "chr"
    texts: ClassVar[int] = 0

    @classmethod
    def on(cls, dialect: str, *arguments: Any) -> Any:
        import sqlalchemy as sa

        (number,) = arguments
        if dialect == "sqlite":
            return call("toolkit_chr", number)
        if dialect == "postgresql":
            found = call("chr", sa.cast(number, sa.Integer()))
        else:
            unit = sa.func.char(number.op("USING")(sa.literal_column("utf32")))
            found = exactly_compared(sa.func.convert(unit.op("USING")(sa.literal_column("utf8mb4"))))
        bounds: list[Any] = [sa.literal_column(bound) for bound in ("1", "55295", "57344", "1114111")]
        known = sa.or_(number.between(*bounds[:2]), number.between(*bounds[2:]))
        return sa.case((known, found))

    @classmethod
    def output(cls, context: Any) -> Any:
        kind = kind_of(context.fields[0])
        if kind not in (None, int):
            raise FieldError(f"Chr() takes a whole number, not {kind.__name__}", hint="Say Cast(..., IntegerField()).")
        return TextField(null=True)
