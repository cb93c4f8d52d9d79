"""What is in tables that others made: text may be of a kind that the toolkit has not, such as PostgreSQL's enums, and
instants are written by SQLite's users in forms of their own."""

from __future__ import annotations

from functools import lru_cache
from typing import Any


def is_of_others(field: Any, dialect: str) -> bool:
    """Whether a column that is read as text may be no text: PostgreSQL compares its enums and addresses with none."""
    import sqlalchemy as sa

    model = getattr(field, "model", None)
    if dialect != "postgresql" or model is None or model._meta.managed or field.is_relation:
        return False
    return isinstance(field.sql_type(), sa.String)


def bound_type(field: Any, dialect: str, kind: Any) -> Any:
    """The SQLAlchemy type of a value beside a column: that of the field, or what PostgreSQL takes it for there."""
    return _taken_from_column()() if is_of_others(field, dialect) else kind


def as_text(column: Any, field: Any, dialect: str) -> Any:
    """A column as the text that its field reads."""
    import sqlalchemy as sa

    return sa.cast(column, sa.Text()) if is_of_others(field, dialect) else column


def told_alike(column: Any, field: Any, dialect: str) -> Any:
    """A column as it is compared and ordered: SQLite compares instants as texts, and others leave the offset out."""
    import sqlalchemy as sa

    if dialect != "sqlite" or field.model._meta.managed or not isinstance(field.sql_type(), sa.DateTime):
        return column
    return sa.func.toolkit_instant(column, type_=field.sql_type())


@lru_cache(1)
def _taken_from_column() -> Any:
    from sqlalchemy.types import UserDefinedType

    class TakenFromColumn(UserDefinedType[Any]):
        """A value without a type of its own."""

        cache_ok = True

        def get_col_spec(self, **_: Any) -> str:
            return "TEXT"

    return TakenFromColumn


def read_as_text(value: Any) -> str:
    """What psycopg gives of a column that is read as text; of an array what PostgreSQL writes for it, and takes.

    Source: PostgreSQL, "Arrays", "Array Input and Output Syntax": each element may stand in quotes.
    """
    if isinstance(value, str):
        return value
    return _array(value) if isinstance(value, list) else str(value)


def _array(items: list[Any]) -> str:
    return f"{{{','.join('NULL' if item is None else _element(item) for item in items)}}}"


def _element(item: Any) -> str:
    if isinstance(item, list):
        return _array(item)
    if isinstance(item, bool | int):
        return str(item).lower()
    text = str(item).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
