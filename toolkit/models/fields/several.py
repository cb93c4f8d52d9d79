"""Names that stand for several columns at once: a composite key, a reference to a row of any model.

Such a name has no column; its value is a tuple of those of its parts, which are fields of the model.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.errors import DeclarationError, FieldError, ImpossibleValue, ValidationError, did_you_mean
from toolkit.models.fields.base import Convert, Field, options_of
from toolkit.models.lookups import value_of

if TYPE_CHECKING:
    from toolkit.models.lookups import LookupContext, LookupFunction


def columns_of(column: Any) -> list[Any]:
    """The columns of what may be several at once."""
    import sqlalchemy as sa

    return list(column.clauses) if isinstance(column, sa.Tuple) else [column]


def parts_of(field: Any) -> list[Any]:
    """The fields of what ``columns_of`` gives, in the same order."""
    return list(field.parts) if field is not None and field.is_several else [field]


def as_one(columns: Sequence[Any]) -> Any:
    """Columns as one value that can be compared."""
    import sqlalchemy as sa

    return columns[0] if len(columns) == 1 else sa.tuple_(*columns)


def refuse_several(told: str, columns: Iterable[Any]) -> None:
    """Refuse several columns where one value is wanted: PostgreSQL would take them for a record, others for nothing.

    Raises:
        FieldError: One of these is several.
    """
    if any(len(columns_of(column)) > 1 for column in columns):
        raise FieldError(
            f"{told} takes single values, and was given several columns, such as a composite key",
            hint="Name one of its fields.",
        )


def is_null(column: Any) -> Any:
    """Whether there is no value, or no whole one."""
    import sqlalchemy as sa

    return sa.or_(*(each.is_(None) for each in columns_of(column)))


def is_not_null(column: Any) -> Any:
    """Whether there is a whole value."""
    import sqlalchemy as sa

    return sa.and_(*(each.is_not(None) for each in columns_of(column)))


def together(dialect: str, columns: Sequence[Any]) -> Any:
    """One value that is the same where columns have the same values, and only there; none of them is NULL."""
    import sqlalchemy as sa

    if dialect == "postgresql":
        return sa.func.row(*columns)
    quoted: list[Any] = [sa.func.quote(column, type_=sa.Text()) for column in columns]  # text ends where a quote does
    if dialect == "sqlite":
        return functools.reduce(operator.add, quoted)
    return sa.func.concat(*quoted, type_=sa.Text())


def one_of_rows(columns: Sequence[Any], rows: Sequence[Sequence[Any]], dialect: str) -> Any:
    """Whether columns have together the values of one of some rows."""
    import sqlalchemy as sa

    together = sa.tuple_(*columns)
    if dialect != "sqlite":
        return together.in_([sa.tuple_(*row) for row in rows])
    # SQLite takes a list of rows as VALUES only
    names: list[Any] = [sa.column(f"c{number}") for number in range(len(columns))]
    return together.in_(sa.values(*names, name="given").data([tuple(row) for row in rows]).scalar_values())


def by_parts(item: Any, named: Mapping[str, Sequence[str]]) -> Any:
    """A constraint or an index over single fields, where it was given a name that stands for several.

    Args:
        item: The constraint or index.
        named: Such names, and those of their fields.
    """
    made = item
    for attribute in ("fields", "include"):
        given = getattr(item, attribute, None) or ()
        if named.keys() & {name.removeprefix("-") for name in given}:
            made = copy(item) if made is item else made
            signed = ((name[: name.startswith("-")], name.removeprefix("-")) for name in given)
            found = [f"{sign}{part}" for sign, name in signed for part in named.get(name, (name,))]
            setattr(made, attribute, found if isinstance(given, list) else tuple(found))
    return made


class Several(Field[Any]):
    """A name for several fields of the model, whose values are one: an amount and its currency.

    It has no column. Subclass it, and say with ``split`` and ``joined`` how values are taken apart and put together.

    Args:
        names: The names of the fields.
    """

    is_several: ClassVar[bool] = True
    concrete: ClassVar[bool] = False
    lookups: ClassVar[Mapping[str, LookupFunction | None]]

    def __init__(self, names: Sequence[str], **options: Any) -> None:
        super().__init__(**options)
        self.names = tuple(names)

    def contribute(self, model: type[Any], name: str) -> None:
        super().contribute(model, name)
        fields = vars(model)["_meta"].by_name
        for each in self.names:
            if each not in fields:
                raise DeclarationError(
                    f"{model.__name__}.{name}: there is no field {each!r}", hint=did_you_mean(each, fields)
                )

    def check(self) -> None:
        for option, default in options_of(Field):
            given = self._option(option)
            if option not in ("null", "blank", "editable", "verbose_name", "help_text") and given and given != default:
                raise DeclarationError(
                    f"{self.model.__name__}.{self.name}: {option} means nothing to a name for several columns",
                    hint=f"Give it to one of its fields: {', '.join(self.names)}.",
                )

    @cached_property
    def parts(self) -> tuple[Any, ...]:
        """The fields, in order."""
        return tuple(self.model._meta.get_field(name) for name in self.names)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(part.column for part in self.parts)

    def split(self, value: Any) -> tuple[Any, ...]:
        """The values of the parts.

        Raises:
            ValidationError: It is no value of that kind.
        """
        if hasattr(value, "_meta"):
            value = value.pk
        if not isinstance(value, tuple | list) or len(value) != len(self.names):
            raise ValidationError(
                f"{value!r} is not a tuple of {len(self.names)} values", code="invalid", hint=f"Give {self._shown}."
            )
        return tuple(value)

    def joined(self, values: tuple[Any, ...]) -> Any:
        """The value that those of the parts make, none of which is None."""
        return values

    def settle(self, instance: Any) -> None:
        """Take what was not known when the value was set; called before the row is written."""

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self
        values = tuple(getattr(instance, part.attname) for part in self.parts)
        return None if None in values else self.joined(values)

    def __set__(self, instance: Any, value: Any) -> None:
        values = (None,) * len(self.names) if value is None else self.split(value)
        for part, each in zip(self.parts, values, strict=True):
            setattr(instance, part.attname, each)

    @property
    def _shown(self) -> str:
        return f"({', '.join(self.names)})"

    def to_python(self, value: Any) -> tuple[Any, ...]:
        return tuple(part.to_python(each) for part, each in zip(self.parts, self.split(value), strict=True))

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.types.NULLTYPE

    def compared_type(self) -> Any:
        return self.sql_type()

    def db_writer(self, dialect: str) -> Convert:
        writers = [part.db_writer(dialect) for part in self.parts]

        def write(value: Any) -> tuple[Any, ...]:
            given = zip(writers, value, strict=True)
            return tuple(each if writer is None or each is None else writer(each) for writer, each in given)

        return write

    def db_reader(self, dialect: str) -> Convert:
        readers = [part.db_reader(dialect) for part in self.parts]

        def read(value: Any) -> Any:
            given = zip(readers, value, strict=True)
            return self.joined(tuple(each if reader is None else reader(each) for reader, each in given))

        return read

    def db_value_of(self, dialect: str) -> Callable[[Any], Any]:
        writers = [part.db_value_of(dialect) for part in self.parts]
        return lambda value: tuple(write(each) for write, each in zip(writers, self.split(value), strict=True))

    def part_value(self, dialect: str, index: int) -> Callable[[Any], Any]:
        """From what a question compares with to the driver's value of one part."""
        convert = value_of(self.parts[index], dialect)

        def value(given: Any) -> Any:
            each = self.split(given)[index]
            return each if convert is None else convert(each)

        return value


def _part(context: LookupContext, index: int) -> Callable[[Any], Any]:
    """From what a question compares with to the driver's value of one part."""
    field = context.field
    convert = field.part_value(context.dialect, index)

    def value(given: Any) -> Any:
        try:
            return convert(given)
        except ValidationError as error:
            where = f"{field.model.__name__}.{field.name}"
            raise ImpossibleValue(f"{where} cannot be compared: {error.message}", hint=error.hint) from error

    return value


def _exact(context: LookupContext) -> Any:
    import sqlalchemy as sa

    return sa.and_(
        *(column == context.bind(_part(context, index)) for index, column in enumerate(columns_of(context.column)))
    )


def _one_of(context: LookupContext) -> Any:
    columns = columns_of(context.column)
    values = [context.bind_each(_part(context, index)) for index in range(len(columns))]
    return one_of_rows(columns, list(zip(*values, strict=True)), context.dialect)


def _compared(columns: Sequence[Any], values: Sequence[Any], strictly: str, loosely: str) -> Any:
    """Comparison part by part, as tuples are compared."""
    import sqlalchemy as sa

    cases = []
    for index, column in enumerate(columns):
        operator = loosely if index == len(columns) - 1 else strictly
        equal = [columns[before] == values[before] for before in range(index)]
        cases.append(sa.and_(*equal, column.op(operator)(values[index])))
    return sa.or_(*cases)


def _ordered(strictly: str, loosely: str) -> LookupFunction:
    def build(context: LookupContext) -> Any:
        columns = columns_of(context.column)
        values = [context.bind(_part(context, index)) for index in range(len(columns))]
        return _compared(columns, values, strictly, loosely)

    return build


def _between(context: LookupContext) -> Any:
    import sqlalchemy as sa

    columns = columns_of(context.column)
    values = [context.bind_each(_part(context, index)) for index in range(len(columns))]
    least, most = zip(*values, strict=True)
    return sa.and_(_compared(columns, least, ">", ">="), _compared(columns, most, "<", "<="))


LOOKUPS: Mapping[str, LookupFunction | None] = {
    "exact": _exact,
    "in": _one_of,
    "gt": _ordered(">", ">"),
    "gte": _ordered(">", ">="),
    "lt": _ordered("<", "<"),
    "lte": _ordered("<", "<="),
    "range": _between,
}
"""What several columns can be compared by."""


Several.lookups = LOOKUPS


class CompositePrimaryKey(Several):
    """A primary key of several fields: ``pk = models.CompositePrimaryKey("tenant", "number")``.

    ``pk`` is a tuple then, in instances and in questions: ``get(pk=(1, 7))``, ``filter(pk__in=[(1, 7), (1, 8)])``.

    Args:
        names: The names of two or more fields.
    """

    not_in_database = ("names",)  # written down as ``fields``

    def __init__(self, *names: str, fields: Sequence[str] = ()) -> None:
        for wrong in (name for name in (*names, *fields) if not isinstance(name, str)):
            raise DeclarationError(f"CompositePrimaryKey: {wrong!r} is no name", hint='Write ("hall", "number").')
        super().__init__(names or fields)
        self.fields = self.names

    def contribute(self, model: type[Any], name: str) -> None:
        """Be the key of a model."""
        self.model, self.name = model, name
        if name != "pk":
            raise DeclarationError(
                f"{model.__name__}.{name}: a composite key is called pk", hint="Write pk = CompositePrimaryKey(...)."
            )
        if len(set(self.names)) < 2 or len(set(self.names)) < len(self.names):
            raise DeclarationError(
                f"{model.__name__}.pk: a composite key has two or more fields, each once: {self._shown}",
                hint="With one field, give that one primary_key=True.",
            )

    def complete(self, fields: Mapping[str, Field[Any]]) -> None:
        """Make the fields parts of the key.

        Raises:
            DeclarationError: One of them is not there, or cannot be a part.
        """
        by_attname = {f"{name}_id": name for name, field in fields.items() if field.is_relation}
        self.names = tuple(by_attname.get(name, name) for name in self.names)
        self.fields = self.names
        for name in self.names:
            field = fields.get(name)
            where = f"{self.model.__name__}.pk"
            if field is None or not _has_column(field):
                raise DeclarationError(f"{where}: {name!r} is no field with a column", hint=did_you_mean(name, fields))
            if field.null or field.translated or field.is_generated or field.primary_key:
                raise DeclarationError(
                    f"{where}: {name!r} cannot be part of the key",
                    hint="A part is neither null nor translated nor computed, and no key by itself.",
                )

    @property
    def attname(self) -> str:
        return "pk"

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self
        values = tuple(instance.__dict__.get(part.attname) for part in self.parts)
        return None if None in values else values

    def display(self, value: Any) -> Any:
        return value


def _has_column(field: Field[Any]) -> bool:
    return not field.is_several and not getattr(field, "link_fields", None)
