"""Conditions and expressions, as values: ``Q``, ``F``, ``Now()``, ``Count("stories")``.

An expression is *lifted* into a structure, a hashable tuple without the values, and a list of the values. The
structure begins with the class of the expression and names each value by its index in the list; it is part of the key
of a compiled shape. The values become bound parameters. So the same query with other values is never compiled again,
and a value can never become SQL.

The class compiles its structure (``compile``). A function of your own, and each one that the toolkit brings, is a
``Function``: it says how its SQL is built from that of its arguments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partialmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

from toolkit.errors import FieldError
from toolkit.lazily import LazyModule
from toolkit.models.arithmetic import combine
from toolkit.models.casts import read_as
from toolkit.models.comparisons import Liftable, Structure, lift_condition, shown
from toolkit.models.fields.base import Field
from toolkit.models.fields.json import JSONField, JSONNull
from toolkit.models.fields.several import refuse_several
from toolkit.models.mentioned import names_in
from toolkit.models.never_called import EXPRESSION, SUBQUERY, refuse_never_called
from toolkit.models.outputs import Output, Typed, boolean, constant_of, exactly, field_for, typed

if TYPE_CHECKING:
    from toolkit.models import functions
    from toolkit.models.context import Context
else:
    functions = LazyModule("toolkit.models.functions")


class Expression(Liftable):
    """Something that SQL computes: a column, a value, a function of them.

    Two are equal if they ask the same of the same values.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        refuse_never_called(cls, SUBQUERY if cls.closed else EXPRESSION)

    made_with: tuple[tuple[Any, ...], dict[str, Any]]
    """The arguments that make the same again, for migrations."""

    def __new__(cls, *arguments: Any, **options: Any) -> Self:
        """Remember what it was made with."""
        made = super().__new__(cls)
        made.made_with = (arguments, options)
        return made

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Expression):
            return NotImplemented
        return self is other or (type(self) is type(other) and self._said() == other._said())

    def __hash__(self) -> int:
        return hash(self._said()[0])

    def _said(self) -> tuple[Structure, list[Any]]:
        values: list[Any] = []
        return self.lift(values), values

    @classmethod
    def compile(cls, context: Context, structure: Structure) -> Typed:
        """SQLAlchemy's expression for a structure, and the field that reads its values.

        Args:
            context: Where the expression stands; compiles what is inside of it.
            structure: What ``lift`` gave.
        """
        raise TypeError(f"{cls.__name__} must define compile()")

    def names(self) -> set[str]:
        """All names of fields in the expression."""
        return names_in(self.lift([]))

    def _combine(self, operator: str, other: Any, *, swapped: bool = False) -> Combined:
        other = as_expression(other)
        return Combined(other, operator, self) if swapped else Combined(self, operator, other)

    def __add__(self, other: Any) -> Combined:
        return self._combine("+", other)

    def __radd__(self, other: Any) -> Combined:
        return self._combine("+", other, swapped=True)

    def __sub__(self, other: Any) -> Combined:
        return self._combine("-", other)

    def __rsub__(self, other: Any) -> Combined:
        return self._combine("-", other, swapped=True)

    def __mul__(self, other: Any) -> Combined:
        return self._combine("*", other)

    def __rmul__(self, other: Any) -> Combined:
        return self._combine("*", other, swapped=True)

    def __truediv__(self, other: Any) -> Combined:
        return self._combine("/", other)

    def __rtruediv__(self, other: Any) -> Combined:
        return self._combine("/", other, swapped=True)

    def __mod__(self, other: Any) -> Combined:
        return self._combine("%", other)

    def __rmod__(self, other: Any) -> Combined:
        return self._combine("%", other, swapped=True)

    def __pow__(self, other: Any) -> Combined:
        return self._combine("**", other)

    def __rpow__(self, other: Any) -> Combined:
        return self._combine("**", other, swapped=True)

    def __neg__(self) -> Combined:
        return self._combine("*", -1)

    def _compare(self, lookup: str, other: Any) -> Any:
        told = f"{self!r} cannot be compared with {shown(other)} by Python: the database compares"
        name = getattr(self, "name", "name")
        raise FieldError(told, hint=f"Write filter({name}__{lookup}={shown(other)}), or Q({name}__{lookup}=...).")

    __lt__ = partialmethod(_compare, "lt")
    __le__ = partialmethod(_compare, "lte")
    __gt__ = partialmethod(_compare, "gt")
    __ge__ = partialmethod(_compare, "gte")

    def __and__(self, other: Any) -> Q:
        return Q(self) & _condition(other)

    def __or__(self, other: Any) -> Q:
        return Q(self) | _condition(other)

    def __xor__(self, other: Any) -> Q:
        return Q(self) ^ _condition(other)

    def __invert__(self) -> Q:
        return ~Q(self)

    def bitand(self, other: Any) -> Combined:
        """The bits that both whole numbers have."""
        return self._combine("&", other)

    def bitor(self, other: Any) -> Combined:
        """The bits that one of two whole numbers has."""
        return self._combine("|", other)

    def bitxor(self, other: Any) -> Combined:
        """The bits in which two whole numbers differ."""
        return self._combine("#", other)

    def bitleftshift(self, other: Any) -> Combined:
        """A whole number's bits, moved so many places to the left."""
        return self._combine("<<", other)

    def bitrightshift(self, other: Any) -> Combined:
        """A whole number's bits, moved so many places to the right; the sign stays."""
        return self._combine(">>", other)

    def asc(self, *, nulls_first: bool = False, nulls_last: bool = False) -> Ordered:
        """Smallest first; NULL before all, unless ``nulls_last``."""
        return Ordered(self, descending=False, nulls_first=nulls_first, nulls_last=nulls_last)

    def desc(self, *, nulls_first: bool = False, nulls_last: bool = False) -> Ordered:
        """Largest first; NULL after all, unless ``nulls_first``."""
        return Ordered(self, descending=True, nulls_first=nulls_first, nulls_last=nulls_last)


def as_expression(value: Any) -> Expression:
    """The expression itself, or a plain value, a condition or a queryset as one."""
    if isinstance(value, Expression):
        return value
    if isinstance(value, Q):
        return ExpressionWrapper(value, boolean())
    refuse_class(value)
    return FirstOf(value) if hasattr(value, "lift_first") else Value(value)


def refuse_class(given: Any) -> None:
    """Refuse the class of an expression, in whose place one of it was meant.

    Raises:
        FieldError: It is one.
    """
    if isinstance(given, type) and issubclass(given, Liftable):
        raise FieldError(f"{given.__name__} is a class, and no expression", hint=f"Write {given.__name__}(...).")


class FirstOf(Expression):
    """The first value of a queryset that stands where an expression does.

    Args:
        queryset: The queryset.
    """

    def __init__(self, queryset: Any) -> None:
        self.queryset = queryset

    def __repr__(self) -> str:
        return repr(self.queryset)

    def lift(self, values: list[Any]) -> Structure:
        return self.queryset.lift_first(values)


def _condition(value: Any) -> Q:
    return value if isinstance(value, Q) else Q(value)


def no_condition(given: Any) -> FieldError:
    """The error for what is no condition, with the way to write the pair or the mapping that was meant for one."""
    hint = ""
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], str):
        hint = f"Write {given[0]}={shown(given[1])}, or **{{name: value}} where the name is not known before."
    elif isinstance(given, Mapping):
        hint = "Put ** before it."
    elif isinstance(given, bool):
        hint = "Python compared it, not the database. Write name=value, and & | ~ between Q objects."
    return FieldError(f"a condition is a Q, an expression or name=value, not {shown(given)}", hint=hint)


class F(Expression):
    """The value of a field, or of an annotation, in the database: ``F("views") + 1``, ``F("published__year")``."""

    is_name: ClassVar[bool] = True

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise FieldError(
                f"{type(self).__name__}({shown(name)}): a field is named by a text", hint='Such as F("title").'
            )
        self.name = name

    def __repr__(self) -> str:
        return f"F({self.name!r})"

    def __getitem__(self, part: int | slice) -> Expression:
        """A part of a text: ``F("title")[:1]``, counted from 0 as in Python.

        Raises:
            FieldError: It is counted from the end, or in steps.
        """
        start, stop, step = (part, part + 1, None) if isinstance(part, int) else (part.start or 0, part.stop, part.step)
        if step is not None or start < 0 or (stop is not None and stop < 0):
            raise FieldError(f"F({self.name!r})[{part!r}]: a text is counted from its beginning", hint="Use Right().")
        return functions.Substr(self, start + 1, None if stop is None else max(stop - start, 0))

    __iter__: ClassVar[None] = None  # Python would ask for one part after the other, without end

    def lift(self, values: list[Any]) -> Structure:
        return (F, self.name)

    @classmethod
    def compile(cls, context: Context, structure: Structure) -> Typed:
        return context.column(structure[1])


class Value(Expression):
    """A constant, as a bound parameter.

    Args:
        value: The constant.
        output_field: A field that writes it, where its type does not say enough. None of a ``JSONField`` is null of
            JSON.
    """

    def __init__(self, value: Any, output_field: Field[Any] | None = None) -> None:
        if hasattr(value, "_meta") and not isinstance(value, type):
            raise FieldError(f"Value({shown(value)}): a row is no value", hint="Give its pk.")
        if output_field is None and value is not None and field_for(type(value)) is None:
            raise FieldError(
                f"Value({value!r:.60}): what kind of value it is, is not said",
                hint="Such as Value([1], output_field=models.JSONField()), or a field of your own for a class.",
            )
        null = value is None and isinstance(output_field, JSONField)
        self.value, self.output_field = JSONNull() if null else value, output_field

    def __repr__(self) -> str:
        return f"Value({self.value!r})"

    def lift(self, values: list[Any]) -> Structure:
        values.append(self.value)
        field = self.output_field or (exactly(self.value) if isinstance(self.value, Decimal) else None)
        return (Value, len(values) - 1, type(self.value), Output.of(field))

    @classmethod
    def compile(cls, context: Context, structure: Structure) -> Typed:
        import sqlalchemy as sa

        _, index, kind, output = structure
        field = output.field if output else field_for(kind)
        if field is None:
            return context.bind(index), None
        bound = context.bind(index, constant_of(field, context.dialect), field.sql_type())
        if kind is type(None) and context.dialect == "postgresql":
            return sa.cast(bound, field.sql_type()), field  # nothing else tells PostgreSQL of which kind NULL is
        return typed(context.dialect, bound, field), field


class Now(Expression):
    """The moment of the rendering: the same instant in every query of a build.

    Where a date or an instant of a model is compared with it, or with so much before or after it
    (``published__gte=Now() - timedelta(days=7)``), it is known when the answer changes; a question that has it
    elsewhere is asked again at every build.
    """

    def __repr__(self) -> str:
        return "Now()"

    def lift(self, values: list[Any]) -> Structure:
        return (Now,)

    @classmethod
    def compile(cls, context: Context, structure: Structure) -> Typed:
        return context.moment(), field_for(datetime)


class Moment(Expression):
    """So much before or after the moment of the rendering: ``Now() - timedelta(days=7)``.

    Args:
        later: In microseconds; below 0 before it.
    """

    def __init__(self, later: int) -> None:
        self.later = later

    def lift(self, values: list[Any]) -> Structure:
        return (Moment, self.later)

    @classmethod
    def of(cls, expression: Expression) -> int | None:
        """By how many microseconds an expression is later than now; None if it is no such moment."""
        if isinstance(expression, Now):
            return 0
        if not isinstance(expression, Combined) or expression.operator not in ("+", "-"):
            return None
        left, right, sign = expression.left, expression.right, -1 if expression.operator == "-" else 1
        if sign > 0 and isinstance(left, Value):
            left, right = right, left
        start = cls.of(left)
        if start is None or not isinstance(right, Value) or right.value.__class__ is not timedelta:
            return None
        later = start + sign * (right.value // timedelta(microseconds=1))
        return later if abs(later) <= FARTHEST else None

    @classmethod
    def compile(cls, context: Context, structure: Structure) -> Typed:
        return context.moment(structure[1]), field_for(datetime)


FARTHEST = timedelta(days=366 * 1000) // timedelta(microseconds=1)
"""Of moments that are known to differ from now by a constant; what is farther is computed by the database."""


class Combined(Expression):
    """Two expressions and an arithmetic operator."""

    def __init__(self, left: Expression, operator: str, right: Expression) -> None:
        self.left, self.operator, self.right = left, operator, right

    def __repr__(self) -> str:
        return f"{self.left!r} {self.operator} {self.right!r}"

    def lift(self, values: list[Any]) -> Structure:
        later = Moment.of(self)
        if later is not None:
            return (Moment, later)
        return (Combined, self.operator, self.left.lift(values), self.right.lift(values))

    @classmethod
    def compile(cls, context: Context, structure: Structure) -> Typed:
        _, operator, left, right = structure
        first, second = context.expression(left), context.expression(right)
        refuse_several(f"{operator!r}", (first[0], second[0]))
        return combine(context, operator, first, second)


class Ordered(Expression):
    """An expression with a direction, for ``order_by``."""

    def __init__(
        self, inner: Expression, *, descending: bool, nulls_first: bool = False, nulls_last: bool = False
    ) -> None:
        if nulls_first and nulls_last:
            raise FieldError("nulls_first and nulls_last exclude each other")
        self.inner, self.descending = inner, descending
        self.nulls = "first" if nulls_first else "last" if nulls_last else ""

    def lift(self, values: list[Any]) -> Structure:
        return (Ordered, self.descending, self.nulls, self.inner.lift(values))

    @classmethod
    def compile(cls, context: Context, structure: Structure) -> Typed:
        return context.expression(structure[3])


class ExpressionWrapper(Expression):
    """An expression whose values are those of another field: numbers of another kind become numbers of its kind.

    Args:
        expression: The expression, or a condition.
        output_field: The field. Kinds that databases would convert differently are refused.
    """

    def __init__(self, expression: Expression | Q, output_field: Field[Any]) -> None:
        self.expression, self.output_field = expression, output_field

    def __repr__(self) -> str:
        return f"ExpressionWrapper({self.expression!r}, {self.output_field!r})"

    def lift(self, values: list[Any]) -> Structure:
        return (ExpressionWrapper, self.expression.lift(values), Output.of(self.output_field))

    @classmethod
    def compile(cls, context: Context, structure: Structure) -> Typed:
        _, inner, output = structure
        return read_as(context.dialect, context.expression(inner), output)


class Q(Liftable):
    """A condition, to be combined with ``&``, ``|``, ``^`` and ``~``: ``Q(status="live") & ~Q(expires__lte=Now())``.

    Operators alone join and negate. A keyword that did, as Django's ``_connector``, could come with a request:
    ``Q(**request.GET)``.

    Args:
        conditions: Conditions; all are to be met.
        lookups: ``name=value``; likewise.
    """

    _is_joined = False
    """Whether its children were joined by an operator, so that all are ``Q``: thousands are looked at once."""

    def __init__(self, /, *conditions: Q | Expression, **lookups: Any) -> None:
        for condition in conditions:
            if not isinstance(condition, Q | Expression):
                raise no_condition(condition)
        self.connector = "AND"
        self.negated = False
        said = [each for each in conditions if not (isinstance(each, Q) and each.is_empty())]
        self.children: list[Q | Expression | tuple[str, Any]] = [*said, *sorted(lookups.items())]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Q):
            return NotImplemented
        mine, its = (self.connector, self.negated, self.children), (other.connector, other.negated, other.children)
        return mine == its

    def __hash__(self) -> int:
        return hash((self.connector, self.negated, len(self.children)))

    @classmethod
    def _joined(cls, connector: str, left: Q, right: Q) -> Q:
        """Both; one that says nothing adds nothing, so that a loop can begin with ``Q()``, as in Django."""
        if left.is_empty() or right.is_empty():
            return right if left.is_empty() else left
        joined = cls()
        joined.connector = connector
        joined.children = [*left._operands(connector), *right._operands(connector)]
        joined._is_joined = True
        return joined

    def _operands(self, connector: str) -> Sequence[Q | Expression | tuple[str, Any]]:
        """What a further operand stands beside: hundreds that are joined by ``|`` are one list, and no tower."""
        chained = self.connector == connector != "XOR" and not self.negated and len(self.children) > 1
        if chained and (self._is_joined or all(isinstance(child, Q) for child in self.children)):
            return self.children
        return [self]

    def __and__(self, other: Q | Expression) -> Q:
        return self._joined("AND", self, _condition(other))

    def __or__(self, other: Q | Expression) -> Q:
        return self._joined("OR", self, _condition(other))

    def __xor__(self, other: Q | Expression) -> Q:
        return self._joined("XOR", self, _condition(other))

    def __invert__(self) -> Q:
        """What says nothing says nothing when it is turned round: ``exclude()`` leaves none out, as in Django."""
        if self.is_empty():
            return self
        inverted = Q(self)
        inverted.negated = True
        return inverted

    def __repr__(self) -> str:
        inner = f" {self.connector} ".join(
            f"{child[0]}={shown(child[1])}" if isinstance(child, tuple) else repr(child) for child in self.children
        )
        return f"{'NOT ' if self.negated else ''}({inner})"

    def lift(self, values: list[Any]) -> Structure:
        """The structure of the condition; its values are appended to the list."""
        children = tuple(
            lift_condition(child[0], child[1], values) if isinstance(child, tuple) else child.lift(values)
            for child in self.children
        )
        return ("(q)", self.connector, self.negated, children)

    def is_empty(self) -> bool:
        """Whether it says nothing; then it says nothing among others either, as in Django."""
        return not self.children

    def names(self) -> set[str]:
        """All names in the condition: those of lookups, and those of the expressions in it."""
        return names_in(self.lift([]))
