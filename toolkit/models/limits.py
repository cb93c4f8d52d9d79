"""How large one question may be. Beyond, databases refuse in words of their own, or plan for hours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError

if TYPE_CHECKING:
    from toolkit.database import Backend

QUESTIONS_INSIDE = 60
"""Conditions that are questions and have to be met all together: databases plan them as one join.

By the clock of a busy machine PostgreSQL 15 planned 60 of them for 1.6 s and 90 for 8.5 s, MariaDB 60 for 1.2 s.
"""


def refuse_nested(model: Any, depth: int, backend: type[Backend]) -> None:
    """Refuse a question that is inside of more questions than the database takes.

    Raises:
        FieldError: It is.
    """
    most = backend.nested_questions
    if depth > most:
        raise FieldError(
            f"{model.__name__}: querysets are nested more than {most} deep, which is more than the database takes",
            hint="Ask one of the inner questions first, and give its keys as a list: "
            "pk__in=list(stories.values_list('pk', flat=True)).",
        )


def refuse_many_inside(model: Any, where: Iterable[Any]) -> None:
    """Refuse a question with too many conditions that are questions of their own.

    Raises:
        FieldError: It has.
    """
    if sum(map(_questions_in, where)) > QUESTIONS_INSIDE:
        raise FieldError(
            f"{model.__name__}: more than {QUESTIONS_INSIDE} conditions on partners, or querysets, are in one question",
            hint="Ask in steps: load the keys that meet some of them, and give them as a list: pk__in=[...]. "
            "Any of several partners is one condition: tags__slug__in=[...].",
        )


def refuse_many_joined(model: Any, count: int, backend: type[Backend]) -> None:
    """Refuse a SELECT of more tables than the database joins.

    Raises:
        FieldError: It is.
    """
    most = backend.joined_tables
    if most is not None and count > most:
        raise FieldError(
            f"{model.__name__}: the question is about {count} tables at once, and the database joins {most}",
            hint="Load some relations with prefetch_related() in place of select_related(), or ask in several steps.",
        )


def refuse_many_combined(model: Any, kind: str, count: int, backend: type[Backend]) -> None:
    """Refuse a union and its kin of more parts than the database takes.

    Raises:
        FieldError: It is.
    """
    most = backend.combined_questions
    if most is not None and count > most:
        raise FieldError(
            f"{model.__name__}: {kind}() of {count} querysets, and the database takes {most}",
            hint="Combine fewer at a time, or say it in one question, with Q(...) | Q(...).",
        )


def _questions_in(clause: Any) -> int:
    """How many questions a database may take for tables of the SELECT that they are a condition of.

    What stands in an OR, or is turned round, is planned by itself.
    """
    import sqlalchemy as sa
    from sqlalchemy.sql import operators
    from sqlalchemy.sql.elements import BooleanClauseList, Grouping

    if isinstance(clause, BooleanClauseList) and clause.operator is operators.and_:
        return sum(map(_questions_in, clause.clauses))
    if isinstance(clause, Grouping | sa.TypeCoerce):
        return _questions_in(clause.element if isinstance(clause, Grouping) else clause.clause)
    inner = clause.element if isinstance(clause, sa.Exists) else None
    if isinstance(clause, sa.BinaryExpression) and clause.operator is operators.in_op:
        inner = clause.right
    while inner is not None and not isinstance(inner, sa.Select):
        inner = getattr(inner, "element", None)
    return 1 + sum(map(_questions_in, inner._where_criteria)) if inner is not None else 0
