"""Keys as records hold them, and back: JSON has numbers and text, and drivers have more."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from toolkit.content.levels import key_fields
from toolkit.errors import ValidationError
from toolkit.text.parts import join_parts


def key_text(value: Any) -> Any:
    """A driver's value as JSON holds it: numbers and text as they are, the rest as text; equal values alike.

    Several values, which name a row together, are one text with ``|`` between them.
    """
    if isinstance(value, tuple):
        return join_parts(str(key_text(part)) for part in value)
    if isinstance(value, str | int):
        return value
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat(" ")  # PostgreSQL answers in the session's time zone
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def pk_text(pk: Any) -> Any:
    """A primary key as JSON holds it: of a composite one a list."""
    return [key_text(part) for part in pk] if isinstance(pk, tuple) else key_text(pk)


def key_reader(model: Any, dialect: str) -> Callable[[Any], Any]:
    """The way back, for primary keys of a model's rows; None for what can be no key, as of before a migration."""
    readers = [_part_reader(field, dialect) for field in key_fields(model)]

    def convert(held: Any) -> Any:
        parts = held if isinstance(held, list) else [held]
        if len(parts) != len(readers):
            return None
        found = [read(part) for read, part in zip(readers, parts, strict=True)]
        return None if None in found else tuple(found) if len(found) > 1 else found[0]

    return convert


def _part_reader(field: Any, dialect: str) -> Callable[[Any], Any]:
    read, write = field.db_reader(dialect), field.db_writer(dialect)

    def convert(held: Any) -> Any:
        try:
            value = read(held) if isinstance(held, int) and read is not None else field.from_string(str(held))
        except (ValidationError, TypeError, ValueError):
            return None
        return value if write is None else write(value)

    return convert
