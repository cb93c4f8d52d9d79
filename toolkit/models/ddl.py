"""SQL with its values written out, for declarations: CHECK conditions, partial indexes, indexes on expressions.

DDL takes no parameters. The values come from declarations in code and never from a visitor; SQLAlchemy's literal
processors quote them. What a condition means in a constraint is what it means in a query: the same compiler makes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from toolkit.errors import DeclarationError, FieldError, ValidationError
from toolkit.lazily import LazyModule
from toolkit.models.expressions import Expression, F, Now, Q
from toolkit.models.naming import names_in
from toolkit.models.selection import Binds
from toolkit.models.shapes import CONSTANT, Bind

if TYPE_CHECKING:
    from toolkit.models import compiler as compiling
    from toolkit.models import context as places
    from toolkit.models.compiler import Compiler
else:
    compiling = LazyModule("toolkit.models.compiler")
    places = LazyModule("toolkit.models.context")


class _Place(msgspec.Struct, frozen=True):
    """What a compiler asks of a database, without one."""

    schema: Any
    dialect: str


class _Written(Binds):
    """Parameters that are written out where they stand. Other programs open the file: no functions of the toolkit's."""

    guards = False

    def depend_on_all(self, schema: Iterable[Any]) -> None:
        """Of SQL that nobody read, the database itself refuses what sees more than the row."""

    def add(self, bind: Bind, kind: Any = None) -> Any:
        import sqlalchemy as sa

        if bind.source != CONSTANT:
            raise FieldError(
                "Now() and the locale change from one moment to the next, and a table's rules may not",
                hint="Compare with fields of the same row, or check it in clean().",
            )
        value = bind.value if bind.convert is None or bind.value is None else bind.convert(bind.value)
        if value is None:  # such as the number that a text is not; SQLAlchemy warns of a parameter
            return sa.literal_column("NULL")
        if isinstance(value, str):
            return sa.literal(value, sa.String())
        return (
            sa.literal(value)
            if kind is None or value.__class__ is not bind.value.__class__
            else sa.literal(value, kind)
        )


def literal_condition(schema: Any, model: Any, condition: Q | Expression) -> str:
    """A condition on a model's own columns, or an expression that is true or false, as SQL text.

    Raises:
        DeclarationError: It looks at other tables, at the clock, or is none, or none that this database can keep.
    """
    values: list[Any] = []
    structure = Q(condition).lift(values)
    return _text(schema, model, structure, values, repr(condition))


def literal_expression(schema: Any, model: Any, expression: Expression | str) -> str:
    """An expression over a model's own columns as SQL text; see ``literal_condition``."""
    expression = F(expression) if isinstance(expression, str) else expression
    values: list[Any] = []
    structure = expression.lift(values)
    return _text(schema, model, structure, values, repr(expression))


def default_text(schema: Any, model: Any, field: Any) -> str:
    """What the database fills a column with, as SQL text: a field's ``db_default``.

    Raises:
        DeclarationError: It is a value that the field cannot have, or an expression over columns.
    """
    given = field.db_default
    if isinstance(given, Now):
        return _now_text(model, field, schema.dialect)
    where = f"{model._meta.label}.{field.name}: db_default = {given!r}"
    if isinstance(given, Expression):
        if any(names_in(given)):
            raise DeclarationError(f"{where} looks at a column", hint="A default is made before the row is there.")
        return f"({literal_expression(schema, model, given)})"
    try:
        value = None if given is None else field.db_value_of(schema.dialect)(given)
    except ValidationError as error:
        raise DeclarationError(f"{where}: {error.message}", hint=error.hint) from error
    return literal_value(value, field, schema)


def literal_value(value: Any, field: Any, schema: Any) -> str:
    """A driver's value of a field as SQL text."""
    import sqlalchemy as sa

    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'" if schema.dialect == "postgresql" else f"X'{value.hex()}'"
    if isinstance(value, bool):
        return ("true" if value else "false") if schema.dialect == "postgresql" else str(int(value))
    if value is None or isinstance(value, int | float | Decimal):
        return "NULL" if value is None else str(value)
    text = value.isoformat(" ") if isinstance(value, datetime) else str(value)
    if isinstance(value, timedelta):
        text = f"{value // timedelta(microseconds=1)} microseconds"
    written = sa.literal(text, sa.String()).compile(
        dialect=schema.spelling.literal_compiler(), compile_kwargs={"literal_binds": True}
    )
    return str(written)


def _now_text(model: Any, field: Any, dialect: str) -> str:
    """The moment of the insert; on SQLite to the second, in the form in which instants are kept."""
    words = {
        "DateTimeField": {
            "sqlite": "(strftime('%Y-%m-%d %H:%M:%S+00:00', 'now'))",
            "postgresql": "CURRENT_TIMESTAMP",
            "mysql": "CURRENT_TIMESTAMP(6)",
        },
        "DateField": {"sqlite": "CURRENT_DATE", "postgresql": "CURRENT_DATE", "mysql": "(CURRENT_DATE)"},
    }
    kind = next((name for name in words if any(base.__name__ == name for base in type(field).__mro__)), None)
    if kind is None or dialect not in words[kind]:
        raise DeclarationError(
            f"{model._meta.label}.{field.name}: db_default = Now() is for dates and instants",
            hint="Give another default.",
        )
    return words[kind][dialect]


def output_field(schema: Any, model: Any, expression: Expression) -> Any:
    """The field that an expression's values are of; None if it is not known."""
    values: list[Any] = []
    structure = expression.lift(values)
    compiler = _compiler(schema, model)
    return compiler.expression(structure, compiler.root, places.constants(values))[1]


def _compiler(schema: Any, model: Any) -> Compiler:
    compiler = compiling.Compiler(_Place(schema, schema.dialect), model, (False, False, False))
    compiler.binds = _Written(schema.dialect)
    return compiler


_BY_SETTINGS = {"jsonb_build_object": "JSONObject()", "jsonb_build_array": "JSONArray()"}


def by_settings(schema: Any, model: Any, expression: Expression) -> str | None:
    """What of an expression PostgreSQL computes by the settings of who asks: no column may keep it. None if nothing.

    Source: PostgreSQL, "Function Volatility Categories": STABLE are functions of JSON, for the dates in it, and dates
    as text.
    """
    import sqlalchemy as sa
    from sqlalchemy.sql.visitors import iterate

    if schema.dialect != "postgresql":
        return None
    values: list[Any] = []
    for each in iterate(_clause(schema, model, expression.lift(values), values, repr(expression))):
        if isinstance(each, sa.Function) and each.name in _BY_SETTINGS:
            return _BY_SETTINGS[each.name]
        if isinstance(each, sa.Cast) and isinstance(each.type, sa.String) and isinstance(each.clause.type, sa.Date):
            return "a date as text"
    return None


def _text(schema: Any, model: Any, structure: Any, values: list[Any], told: str) -> str:
    clause = _clause(schema, model, structure, values, told)
    options = {"literal_binds": True, "include_table": False}
    return str(clause.compile(dialect=schema.spelling.literal_compiler(), compile_kwargs=options))


def _clause(schema: Any, model: Any, structure: Any, values: list[Any], told: str) -> Any:
    compiler = _compiler(schema, model)
    try:
        if structure[0] == "(q)":
            clause = compiler.condition(places.Context(compiler, compiler.root, places.constants(values)), structure)
        else:
            clause, _ = compiler.expression(structure, compiler.root, places.constants(values))
    except FieldError as error:
        raise DeclarationError(f"{model._meta.label}: {told}: {error.message}", hint=error.hint) from error
    tables = {table for table, _ in compiler.binds.footprint} - {model._meta.table}
    if tables or compiler.root.children:
        raise DeclarationError(
            f"{model._meta.label}: {told} looks at {', '.join(sorted(tables)) or 'another table'}, and a constraint or "
            "index sees one row only",
            hint="Use the model's own fields, or check it in clean().",
        )
    return clause


def as_text(sql: str) -> Any:
    """SQL text as SQLAlchemy takes it: nothing in it is a parameter."""
    import sqlalchemy as sa

    return sa.text(sql.replace(":", r"\:"))
