"""Exclusion constraints of PostgreSQL: no two rows may have values that, say, overlap.

Source: PostgreSQL, "CREATE TABLE", section "EXCLUDE"; Django's ``ExclusionConstraint`` has the same words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from toolkit.errors import DeclarationError
from toolkit.models.calls import Function
from toolkit.models.constraints import BaseConstraint, Deferrable, as_expressions
from toolkit.models.ddl import as_text, literal_condition, literal_expression
from toolkit.models.expressions import Expression, F, Q
from toolkit.models.naming import names_in


class RangeOperators:
    """Operators that two rows may not meet with each other."""

    EQUAL = "="
    NOT_EQUAL = "<>"
    CONTAINS = "@>"
    CONTAINED_BY = "<@"
    OVERLAPS = "&&"
    FULLY_LT = "<<"
    FULLY_GT = ">>"
    NOT_LT = "&>"
    NOT_GT = "&<"
    ADJACENT_TO = "-|-"


OPERATORS = frozenset(value for name, value in vars(RangeOperators).items() if name.isupper())
BOUNDS = ("[)", "[]", "()", "(]")


class _Range(Function):
    """A range from one field to another; NULL at an end is a range without that end.

    Args:
        lower: Where it begins.
        upper: Where it ends.
        bounds: ``[`` and ``]`` for an end that belongs to it, ``(`` and ``)`` for one that does not.
    """

    sql_name: ClassVar[str] = ""

    def __init__(self, lower: str | Expression, upper: str | Expression, bounds: str = "[)") -> None:
        if bounds not in BOUNDS:
            raise DeclarationError(f"{bounds!r} are no bounds of a range", hint=f"Use one of {', '.join(BOUNDS)}.")
        super().__init__(lower, upper, options=(bounds,))

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        return getattr(sa.func, cls.sql_name)(*arguments, sa.literal(context.options[0], sa.String()))


class DateRange(_Range):
    """The days between two fields, for an ``ExclusionConstraint``; with ``[)`` the last is not in it."""

    sql_name = "daterange"


class DateTimeRange(_Range):
    """The instants between two fields, for an ``ExclusionConstraint``; with ``[)`` the last is not in it."""

    sql_name = "tstzrange"


class IntegerRange(_Range):
    """The whole numbers between two fields, for an ``ExclusionConstraint``; with ``[)`` the last is not in it."""

    sql_name = "int8range"


class DecimalRange(_Range):
    """The decimal numbers between two fields, for an ``ExclusionConstraint``; with ``[)`` the last is not in it."""

    sql_name = "numrange"


class ExclusionConstraint(BaseConstraint):
    """No two rows may meet all these operators with each other: one room, and hours that overlap (PostgreSQL).

    Args:
        name: The constraint's name; unique in the database.
        expressions: (field or expression, operator) pairs; operators are those of ``RangeOperators``.
        index_type: ``gist`` or ``spgist``. GiST compares plain values with the extension ``btree_gist``.
        condition: Only among rows that meet it.
        deferrable: When it is checked.
        include: Fields whose values the index keeps beside.
        violation_error_code: The stable name of the error.
        violation_error_message: What to tell somebody whose row was refused.
    """

    arguments: ClassVar[tuple[str, ...]] = ("name", "expressions", "index_type", "condition", "deferrable", "include")

    def __init__(
        self,
        *,
        name: str,
        expressions: Sequence[tuple[str | Expression, str]],
        index_type: str | None = None,
        condition: Q | None = None,
        deferrable: Deferrable | None = None,
        include: Sequence[str] | None = None,
        violation_error_code: str | None = None,
        violation_error_message: Any = None,
    ) -> None:
        super().__init__(
            name=name,
            violation_error_code=violation_error_code,
            violation_error_message=violation_error_message,
        )
        pairs = [pair for pair in expressions if isinstance(pair, tuple) and len(pair) == 2]
        if not pairs or len(pairs) != len(expressions):
            raise DeclarationError(
                f"ExclusionConstraint {name!r}: expressions must be (expression, operator) pairs, at least one",
                hint='Write expressions=[("room", RangeOperators.EQUAL)].',
            )
        for _, operator in pairs:
            if operator not in OPERATORS:
                raise DeclarationError(
                    f"ExclusionConstraint {name!r}: {operator!r} is no operator", hint="Use those of RangeOperators."
                )
        if index_type not in (None, "gist", "spgist"):
            raise DeclarationError(f"ExclusionConstraint {name!r}: index_type = {index_type!r}", hint="gist or spgist.")
        plain = as_expressions((item for item, _ in pairs), "ExclusionConstraint", name)
        self.expressions = tuple(zip(plain, (operator for _, operator in pairs), strict=True))
        self.index_type, self.condition, self.deferrable = index_type, condition, deferrable
        self.include = list(include) if include else None

    def needs(self) -> Mapping[str, str]:
        return {"exclusion": "there are none"}

    def names(self) -> Iterator[str]:
        yield from names_in([*(item for item, _ in self.expressions), self.condition])

    def build(self, schema: Any, model: Any, table: Any) -> None:
        from sqlalchemy.dialects.postgresql import ExcludeConstraint

        options: dict[str, Any] = {"using": self.index_type or "gist"}
        if self.condition is not None:
            options["where"] = as_text(literal_condition(schema, model, self.condition))
        if self.deferrable:
            options |= {"deferrable": True, "initially": self.deferrable.name}
        if self.include:
            options["postgresql_include"] = [model._meta.get_field(name).column for name in self.include]
        pairs = [(as_text(_member(schema, model, item)), operator) for item, operator in self.expressions]
        table.append_constraint(ExcludeConstraint(*pairs, name=self.name, **options))

    def violated(self, check: Any) -> bool:
        terms = []
        for item, operator in self.expressions:
            text = literal_expression(check.schema, check.model, item)
            terms.append(f"({text}) {operator} (SELECT {text} FROM candidate)")  # noqa: S608 - written by the compiler
        return bool(check.ask_others(terms, self.names(), self.condition))


def _member(schema: Any, model: Any, item: Expression) -> str:
    text = literal_expression(schema, model, item)
    return text if isinstance(item, F) else f"({text})"
