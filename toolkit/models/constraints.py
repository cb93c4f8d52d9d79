"""Constraints of a table, declared in ``class Meta``.

A constraint does two things: it makes the database refuse a row (``build``), and it finds the same fault before the
row is written (``validate``), with the same words. A constraint of your own is a subclass of ``BaseConstraint``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Self

from toolkit.errors import DeclarationError, ValidationError
from toolkit.i18n import gettext_lazy
from toolkit.lazily import LazyModule
from toolkit.models.declarations import DeclarationType
from toolkit.models.expressions import Expression, F, Ordered, Q
from toolkit.models.naming import field_renamer, filled, names_in, renamed

if TYPE_CHECKING:
    from toolkit.models import ddl, hidden
else:
    ddl = LazyModule("toolkit.models.ddl")
    hidden = LazyModule("toolkit.models.hidden")


MAX_NAME_BYTES = 63
"""The longest name that all databases keep whole."""


class Deferrable(Enum):
    """When a constraint is checked: at the end of the transaction, or after each statement unless asked to wait."""

    DEFERRED = "deferred"
    IMMEDIATE = "immediate"

    def __repr__(self) -> str:
        return f"Deferrable.{self.name}"


class Declared(metaclass=DeclarationType):
    """A constraint or an index: equal to another that says the same, and described by what it was told.

    Attributes:
        arguments: The options of its constructor, in the order in which they are told.
    """

    name: str
    arguments: ClassVar[tuple[str, ...]] = ()
    positional: ClassVar[str] = ""
    """The option that is given as positional arguments; empty if there is none."""

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """(import path, arguments, options) that make it again, for migrations. What is as by default is left out."""
        options = {name: getattr(self, name) for name in self.arguments}
        told = {name: value for name, value in options.items() if value not in (None, (), [], "")}
        positional = list(getattr(self, self.positional)) if self.positional else []
        return f"toolkit.models.{type(self).__name__}", positional, told

    def _identity(self) -> Any:
        path, positional, options = self.deconstruct()
        return path, [_comparable(item) for item in positional], {k: _comparable(v) for k, v in options.items()}

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return bool(self._identity() == other._identity())

    def __hash__(self) -> int:
        return hash((type(self), self.name))

    def __repr__(self) -> str:
        _, positional, options = self.deconstruct()
        told = [*map(repr, positional), *(f"{name}={value!r}" for name, value in options.items())]
        return f"{type(self).__name__}({', '.join(told)})"

    def named(self, meta: Any) -> Self:
        """As one model has it, with the model's names put into its own: ``%(app_label)s``, ``%(class)s``."""
        made = copy(self)
        made.name = filled(self.name, meta, f"{meta.label}.Meta: the name of the {type(self).__name__}")
        return made

    def names(self) -> Iterator[str]:
        """The fields that it speaks of."""
        for item in (*vars(self).values(),):
            if isinstance(item, Q | Expression | list | tuple):
                yield from names_in(item)

    def with_field_renamed(self, old: str, new: str) -> Self:
        """The same once a field has another name."""
        change = field_renamer(old, new)
        made = copy(self)
        for name, value in vars(self).items():
            if name in NAME_LISTS and value is not None:
                setattr(made, name, type(value)(change(item) for item in value))
            elif isinstance(value, Q | Expression | tuple):
                setattr(made, name, renamed(value, change))
        return made

    def needs(self) -> Mapping[str, str]:
        """What not every database can do: the name of the ability, and what of this needs it."""
        return {}


NAME_LISTS = ("fields", "include")
"""Options that are lists of names of fields."""


def _comparable(value: Any) -> Any:
    """A condition or an expression as its structure and values: two that say the same are equal."""
    if isinstance(value, Q | Expression):
        values: list[Any] = []
        return (value.lift(values), values)
    if isinstance(value, list | tuple):
        return [_comparable(item) for item in value]
    return value


class BaseConstraint(Declared):
    """What all constraints share.

    Args:
        name: The constraint's name; unique in the database.
        violation_error_code: The stable name of the error.
        violation_error_message: What to tell somebody whose row was refused; ``%(name)s`` stands for the name.
    """

    default_violation_error_message: Any = gettext_lazy("the constraint %(name)s is broken")
    arguments: ClassVar[tuple[str, ...]] = ("name",)

    def __init__(
        self, *, name: str, violation_error_code: str | None = None, violation_error_message: Any = None
    ) -> None:
        if not isinstance(name, str) or not name:
            raise DeclarationError(
                f"{type(self).__name__}: a constraint needs a name, by which it is changed and told of",
                hint="Give it name='one_slug_a_section', unique in the database.",
            )
        self.name = name
        self.violation_error_code = violation_error_code
        self.violation_error_message = violation_error_message

    def build(self, schema: Any, model: Any, table: Any) -> None:
        """Add it to SQLAlchemy's table."""
        raise TypeError(f"{type(self).__name__} must define build()")

    def violated(self, check: Any) -> bool:
        """Whether a row that is not written yet would break it.

        Args:
            check: The row: ``toolkit.models.checking.Check``.
        """
        raise TypeError(f"{type(self).__name__} must define violated()")

    def validate(self, check: Any) -> None:
        """Refuse a row that would break it.

        Raises:
            ValidationError: As ``refusal`` makes it.
        """
        if check.knows(self.names()) and self.violated(check):
            raise self.refusal(check.model)

    def refusal(self, model: Any) -> ValidationError:
        """What to tell of a row that breaks it, before it is written or after the database refused it."""
        message = self.violation_error_message or self.default_violation_error_message
        return ValidationError(message, code=self.violation_error_code or "invalid", params={"name": self.name})


class CheckConstraint(BaseConstraint):
    """Every row must meet a condition on its own fields. What is unknown (NULL) meets it, as SQL has it.

    Args:
        condition: The condition: a ``Q``, or an expression that is true or false.
        name: The constraint's name; unique in the database.
        violation_error_code: The stable name of the error.
        violation_error_message: What to tell somebody whose row was refused.
    """

    arguments: ClassVar[tuple[str, ...]] = ("condition", "name")

    def __init__(
        self,
        *,
        condition: Q | Expression,
        name: str,
        violation_error_code: str | None = None,
        violation_error_message: Any = None,
    ) -> None:
        super().__init__(
            name=name,
            violation_error_code=violation_error_code,
            violation_error_message=violation_error_message,
        )
        self.condition = condition

    def build(self, schema: Any, model: Any, table: Any) -> None:
        import sqlalchemy as sa

        text = ddl.as_text(ddl.literal_condition(schema, model, self.condition))
        table.append_constraint(sa.CheckConstraint(text, name=self.name))

    def violated(self, check: Any) -> bool:
        condition = ddl.literal_condition(check.schema, check.model, self.condition)
        sql = f"SELECT 1 FROM candidate WHERE NOT ({condition})"  # noqa: S608 - written by the compiler
        return bool(check.ask(sql, self.names()))


class UniqueConstraint(BaseConstraint):
    """No two rows may agree in all these fields, or in all these expressions. A NULL agrees with nothing.

    Args:
        expressions: Such as ``Lower("title")``, instead of ``fields``.
        fields: Names of fields.
        name: The constraint's name; unique in the database.
        condition: Only among rows that meet it.
        deferrable: When it is checked (PostgreSQL).
        include: Fields whose values the index keeps beside, for queries that need no more (PostgreSQL; elsewhere it
            changes nothing).
        opclasses: For each field, PostgreSQL's operator class.
        nulls_distinct: False if a NULL agrees with another NULL (PostgreSQL 15).
        violation_error_code: The stable name of the error.
        violation_error_message: What to tell somebody whose row was refused.
    """

    arguments: ClassVar[tuple[str, ...]] = (
        "fields",
        "condition",
        "name",
        "deferrable",
        "include",
        "opclasses",
        "nulls_distinct",
    )
    positional = "expressions"

    def __init__(
        self,
        *expressions: Expression | str,
        fields: Sequence[str] = (),
        name: str,
        condition: Q | None = None,
        deferrable: Deferrable | None = None,
        include: Sequence[str] | None = None,
        opclasses: Sequence[str] = (),
        nulls_distinct: bool | None = None,
        violation_error_code: str | None = None,
        violation_error_message: Any = None,
    ) -> None:
        super().__init__(
            name=name,
            violation_error_code=violation_error_code,
            violation_error_message=violation_error_message,
        )
        self.expressions = as_expressions(expressions, "UniqueConstraint", name)
        self.fields = list(fields)
        self.condition, self.deferrable = condition, deferrable
        self.include, self.opclasses = list(include) if include else None, list(opclasses)
        self.nulls_distinct = nulls_distinct
        self._check()

    def _check(self) -> None:
        where = f"UniqueConstraint {self.name!r}"
        if bool(self.fields) == bool(self.expressions):
            raise DeclarationError(f"{where}: give either fields=[...] or expressions", hint="One of the two.")
        if self.deferrable and (self.condition or self.expressions or self.include or self.opclasses):
            raise DeclarationError(
                f"{where}: a deferrable constraint takes fields only",
                hint="An index with a condition, expressions or further columns is checked at once.",
            )
        if self.opclasses and len(self.opclasses) != len(self.fields):
            raise DeclarationError(f"{where}: give an operator class for each of the fields", hint="As many as fields.")

    def needs(self) -> Mapping[str, str]:
        found = {
            "partial_indexes": "condition" if self.condition is not None else "",
            "expression_indexes": "expressions" if self.expressions else "",
            "deferrable_unique": "deferrable" if self.deferrable else "",
            "nulls_not_distinct": "nulls_distinct=False" if self.nulls_distinct is False else "",
        }
        return {ability: what for ability, what in found.items() if what}

    def names(self) -> Iterator[str]:
        yield from self.fields
        yield from names_in([*self.expressions, self.condition])

    @property
    def computes(self) -> bool:
        """Whether it is over more than columns: over expressions, or among the rows that meet a condition."""
        return self.condition is not None or bool(self.expressions)

    def build(self, schema: Any, model: Any, table: Any) -> None:
        import sqlalchemy as sa

        options: dict[str, Any] = {}
        if self.nulls_distinct is not None and schema.dialect == "postgresql":
            options["postgresql_nulls_not_distinct"] = not self.nulls_distinct
        if self.include and schema.dialect == "postgresql":
            options["postgresql_include"] = [model._meta.get_field(name).column for name in self.include]
        if self.condition is None and not self.expressions and not self.opclasses:
            if self.deferrable:
                options |= {"deferrable": True, "initially": self.deferrable.name}
            columns = [table.c[model._meta.get_field(name).column] for name in self.fields]
            table.append_constraint(sa.UniqueConstraint(*columns, name=self.name, **options))
            return
        if schema.spelling.hidden_columns and hidden.needs_hidden(self, unique=True):
            hidden.build_hidden(schema, model, table, self, unique=True)
            return
        columns = index_members(schema, model, table, self.fields, self.expressions, self.opclasses, ordered=False)
        options |= index_options(schema, model, self.condition, self.fields, self.opclasses, ordered=False)
        sa.Index(self.name, *columns, unique=True, _table=table, **options)

    def violated(self, check: Any) -> bool:
        return bool(check.ask_others(self.terms(check), self.names(), self.condition))

    def terms(self, check: Any) -> list[str]:
        """For each field or expression, what two rows must not agree in, as a comparison with the candidate's."""
        agree = "IS NOT DISTINCT FROM" if self.nulls_distinct is False else "="
        items = [*map(F, self.fields), *map(_plain, self.expressions)]
        texts = [ddl.literal_expression(check.schema, check.model, item) for item in items]
        return [f"({text}) {agree} (SELECT {text} FROM candidate)" for text in texts]  # noqa: S608 - written by the compiler

    def refusal(self, model: Any) -> ValidationError:
        if self.violation_error_message or not self.fields:
            return super().refusal(model)
        return unique_refusal(model, self.fields, code=self.violation_error_code)


UNIQUE = gettext_lazy("%(model_name)s with this %(field_label)s already exists")


def unique_refusal(model: Any, fields: Sequence[str], *, code: str | None = None) -> ValidationError:
    """What to tell of a row that agrees with another in fields that are unique."""
    meta = model._meta
    labels = [str(meta.get_field(name).verbose_name) for name in fields]
    name = str(meta.verbose_name)
    params = {
        "model": model,
        "model_name": name[:1].upper() + name[1:],
        "field_label": ", ".join(labels),
        "field_labels": ", ".join(labels),
        "unique_check": tuple(fields),
    }
    message: Any = UNIQUE
    if len(fields) == 1:
        message = (getattr(meta.get_field(fields[0]), "error_messages", None) or {}).get("unique", UNIQUE)
    return ValidationError(message, code=code or ("unique" if len(fields) == 1 else "unique_together"), params=params)


def as_expressions(items: Iterable[Any], kind: str, name: str | None) -> tuple[Expression, ...]:
    """Expressions; a name is that of a field, with ``-`` before it for descending."""
    found: list[Expression] = []
    for item in items:
        if isinstance(item, str):
            field = F(item.removeprefix("-"))
            found.append(field.desc() if item.startswith("-") else field)
        elif isinstance(item, Expression):
            found.append(item)
        else:
            raise DeclarationError(
                f"{kind} {name!r}: {item!r} is neither the name of a field nor an expression",
                hint="Names of fields go into fields=[...].",
            )
    return tuple(found)


def _plain(item: Expression) -> Expression:
    """An expression without its direction."""
    return item.inner if isinstance(item, Ordered) else item


def index_members(
    schema: Any,
    model: Any,
    table: Any,
    fields: Sequence[str],
    expressions: Sequence[Expression],
    opclasses: Sequence[str],
    *,
    ordered: bool,
) -> list[Any]:
    """What an index is over, as SQLAlchemy takes it.

    Args:
        schema: The schema.
        model: The model.
        table: Its table.
        fields: Names of fields, ``-`` before one for descending.
        expressions: Or expressions.
        opclasses: PostgreSQL's operator class of each field.
        ordered: Questions may be asked in its order, as in that of PostgreSQL's ordinary index and of no other kind.
    """
    members: list[Any] = []
    for name in fields:
        column = table.c[model._meta.get_field(name.removeprefix("-")).column]
        classed = opclasses and schema.dialect == "postgresql"  # then the direction stands behind the class
        members.append(
            column if classed else directed(schema, column, descending=name.startswith("-"), ordered=ordered)
        )
    for item in expressions:
        plain = _plain(item)
        text = ddl.literal_expression(schema, model, plain)
        field = model._meta.by_name.get(plain.name) if isinstance(plain, F) else None
        nullable = ordered and (field is None or field.null)
        members.append(ddl.as_text(f"({text}){_direction(schema, item, nullable=nullable)}"))
    return members


def directed(schema: Any, column: Any, *, descending: bool, ordered: bool) -> Any:
    """A column as a member of an index, with its NULLs where questions have them: PostgreSQL uses no other index."""
    member = column.desc() if descending else column
    if not ordered or not column.nullable or schema.dialect != "postgresql":
        return member
    return member.nulls_last() if descending else member.nulls_first()


def _direction(schema: Any, item: Expression, *, nullable: bool) -> str:
    """What stands behind a member of an index. Where NULLs go is said on PostgreSQL, whose own place is another than
    that of all questions; elsewhere it is the same."""
    descending = isinstance(item, Ordered) and item.descending
    place = item.nulls if isinstance(item, Ordered) and item.nulls else "" if not nullable else _usual(descending)
    nulls = f" NULLS {place.upper()}" if place and schema.dialect == "postgresql" else ""
    return f"{' DESC' * descending}{nulls}"


def _usual(descending: bool) -> str:
    return "last" if descending else "first"


def index_options(
    schema: Any,
    model: Any,
    condition: Q | None,
    fields: Sequence[str],
    opclasses: Sequence[str],
    *,
    ordered: bool,
) -> dict[str, Any]:
    """Options of SQLAlchemy's index; the arguments are those of ``index_members``."""
    options: dict[str, Any] = {}
    if condition is not None:
        text = ddl.as_text(ddl.literal_condition(schema, model, condition))
        options |= {"sqlite_where": text, "postgresql_where": text, "mssql_where": text}
    if opclasses and schema.dialect == "postgresql":
        for name, kind in zip(fields, opclasses, strict=True):
            field = model._meta.get_field(name.removeprefix("-"))
            behind = _direction(
                schema, Ordered(F(field.name), descending=name.startswith("-")), nullable=ordered and field.null
            )
            options.setdefault("postgresql_ops", {})[field.column] = f"{kind}{behind}"
    return options
