"""Functions that make JSON of values: ``JSONObject(title="title", by="author__name")``."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from toolkit.errors import FieldError
from toolkit.models.calls import Function
from toolkit.models.casts import cast
from toolkit.models.fields import JSONField, TextField
from toolkit.models.outputs import kind_of, refuse_own_kind
from toolkit.models.text_lookups import as_text

_OBJECTS = {"sqlite": "json_object", "postgresql": "jsonb_build_object", "mysql": "json_object"}
_ARRAYS = {"sqlite": "json_array", "postgresql": "jsonb_build_array", "mysql": "json_array"}


class _Made(Function):
    """A function that gives JSON."""

    @classmethod
    def output(cls, context: Any) -> Any:
        return JSONField[Any](null=True)


def _called(names: dict[str, str], dialect: str, *arguments: Any) -> Any:
    import sqlalchemy as sa

    if dialect not in names:
        raise FieldError(f"JSON cannot be made on {dialect} yet", hint="Make it in Python, of values().")
    return getattr(sa.func, names[dialect])(*arguments, type_=JSONField[Any]().sql_type())


def _member(dialect: str, value: Any, field: Any) -> Any:
    """A value as JSON has it, alike on every database: truths are no numbers, decimal numbers are floats."""
    import sqlalchemy as sa

    kind = kind_of(field)
    if isinstance(field, JSONField):
        return _nested(dialect, value)
    if kind is bool and dialect != "postgresql":
        true: Any = sa.literal_column("'true'")
        found = sa.case(
            (value, true), (value.is_not(None), sa.literal_column("'false'")), else_=sa.literal_column("'null'")
        )
        return _nested(dialect, found)
    if kind is Decimal:
        return sa.cast(value, sa.Double())
    if kind in (int, float, bool):
        return value
    refuse_own_kind("JSON", field)
    text = value if kind is str else cast(dialect, value, field, TextField(), "a conversion for JSON")
    if dialect == "mysql":  # whose JSON columns have this collation; it refuses a mix
        return sa.collate(text, "utf8mb4_bin")
    return sa.cast(text, sa.Text()) if dialect == "postgresql" else text


def _nested(dialect: str, text: Any) -> Any:
    """JSON text as what it says rather than as text."""
    import sqlalchemy as sa

    if dialect == "sqlite":
        return sa.func.json(text)
    return sa.func.json_extract(text, sa.literal_column("'$'")) if dialect == "mysql" else text


class JSONObject(_Made):
    """A JSON object of values: ``JSONObject(title="title", by="author__name")``.

    Its keys are in the order of the alphabet. Dates are written as text; what databases would write differently is
    refused.

    Args:
        fields: Key to name of a field, or to an expression.
    """

    def __init__(self, /, **fields: Any) -> None:
        keys = tuple(sorted(as_text(key) for key in fields))
        super().__init__(*(fields[key] for key in keys), options=keys)

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        pairs: list[Any] = []
        for key, value, field in zip(context.options, arguments, context.fields, strict=True):
            pairs += [context.constant(key, sa.Text()), _member(context.dialect, value, field)]
        return _called(_OBJECTS, context.dialect, *pairs)


class JSONArray(_Made):
    """A JSON list of values: ``JSONArray("title", "author__name")``.

    Args:
        expressions: Names of fields, or expressions.
    """

    def __init__(self, *expressions: Any) -> None:
        super().__init__(*expressions)

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        members = [
            _member(context.dialect, value, field) for value, field in zip(arguments, context.fields, strict=True)
        ]
        return _called(_ARRAYS, context.dialect, *members)
