"""SQL as text, with its values beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError
from toolkit.models.comparisons import Structure, shown
from toolkit.models.expressions import Expression, as_expression
from toolkit.models.outputs import Output, Typed

if TYPE_CHECKING:
    from toolkit.models.context import Context
    from toolkit.models.fields.base import Field

_MARK = re.compile(r"%%|%s|%")
_UNSTEADY = re.compile(
    r"\b(now|random|rand|sysdate|getdate|clock_timestamp|gen_random_uuid|uuid)\s*\(|\bcurrent_(timestamp|date|time)\b",
    re.IGNORECASE,
)


def refuse_unsteady(sql: str, *, told: str) -> None:
    """Refuse what asks for the clock or for chance.

    Args:
        sql: A text of SQL.
        told: How the error calls it.

    Raises:
        FieldError: It does.
    """
    unsteady = _UNSTEADY.search(sql)
    if unsteady is not None:
        raise FieldError(
            f"{told}: {unsteady[0].rstrip('( ')} would give another page at every build",
            hint="Compare with Now() in a filter, where the moment is known.",
        )


class RawSQL(Expression):
    """SQL of your own, as an expression. Reviewers look for this word.

    The answer counts as made of every table, since nobody reads the text: a page that asks is asked again when
    anything in the database changed.

    Args:
        sql: The text, with ``%s`` where a value goes, and ``%%`` for a per cent sign.
        params: The values, in that order; they become bound parameters.
        output_field: The field that reads the result.
    """

    def __init__(self, sql: str, params: Sequence[Any] = (), output_field: Field[Any] | None = None) -> None:
        if isinstance(params, str) or not isinstance(params, Sequence):
            raise FieldError(f"RawSQL({sql!r}): params={shown(params)} is no list", hint=f"Write [{shown(params)}].")
        self.sql, self.params, self.output_field = sql, tuple(params), output_field
        marks = _MARK.findall(sql)
        if "%" in marks:
            raise FieldError(f"RawSQL({sql!r}): a single % is no placeholder", hint="Write %s for a value, %% for %.")
        if marks.count("%s") != len(self.params):
            raise FieldError(f"RawSQL({sql!r}) has {marks.count('%s')} %s and was given {len(self.params)} values")
        refuse_unsteady(sql, told=f"RawSQL({sql!r})")

    def __repr__(self) -> str:
        return f"RawSQL({self.sql!r}, {list(self.params)!r})"

    def lift(self, values: list[Any]) -> Structure:
        parameters = tuple(as_expression(value).lift(values) for value in self.params)
        return (RawSQL, self.sql, parameters, Output.of(self.output_field))

    @classmethod
    def compile(cls, context: Context, structure: Structure) -> Typed:
        _, sql, parameters, output = structure
        context.compiler.binds.depend_on_all(context.compiler.schema)
        field = output.field if output else None
        clauses = [context.expression(parameter)[0] for parameter in parameters]
        return _verbatim()(_texts(sql), clauses, field.sql_type() if field is not None else None), field


def _texts(sql: str) -> list[str]:
    """What stands between the placeholders."""
    found = [""]
    position = 0
    for mark in _MARK.finditer(sql):
        found[-1] += sql[position : mark.start()]
        position = mark.end()
        if mark[0] == "%%":
            found[-1] += "%"
        else:
            found.append("")
    found[-1] += sql[position:]
    return found


@cache
def _verbatim() -> Any:
    """SQLAlchemy's element for text with expressions in between."""
    import sqlalchemy as sa
    from sqlalchemy.ext.compiler import compiles

    class Verbatim(sa.ColumnElement[Any]):
        inherit_cache = False

        def __init__(self, texts: list[str], clauses: list[Any], kind: Any) -> None:
            self.texts, self.clauses = texts, clauses
            self.type = kind if kind is not None else sa.types.NullType()

        def get_children(self, **options: Any) -> Any:
            return self.clauses

    @compiles(Verbatim)
    def write(element: Any, compiler: Any, **options: Any) -> str:
        pieces = [compiler.post_process_text(element.texts[0])]
        for clause, text in zip(element.clauses, element.texts[1:], strict=True):
            pieces += [compiler.process(clause, **options), compiler.post_process_text(text)]
        return f"({''.join(pieces)})"

    return Verbatim
