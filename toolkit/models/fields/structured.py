"""Fields that hold JSON, identifiers and bytes."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Literal, TypeVar, Unpack, overload
from uuid import UUID

from toolkit.errors import ValidationError
from toolkit.models.fields.base import Convert, Field, FieldOptions

T = TypeVar("T")


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _load(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str | bytes) else value


class JSONField(Field[T]):
    """Any JSON value: objects, lists, text, numbers, true, false."""

    @overload
    def __init__(self: JSONField[Any], *, null: Literal[False] = False, **options: Unpack[FieldOptions]) -> None: ...
    @overload
    def __init__(self: JSONField[Any | None], *, null: Literal[True], **options: Unpack[FieldOptions]) -> None: ...
    def __init__(self, *, null: bool = False, **options: Unpack[FieldOptions]) -> None:
        super().__init__(null=null, **options)

    def validate(self, value: Any) -> None:
        try:
            _dump(value)
        except (TypeError, ValueError) as error:
            raise ValidationError(f"the value cannot be written as JSON: {error}", code="invalid") from error

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        # in SQLite a column of type JSON has the affinity of numbers: 0 and 1.0 would lose their form
        return sa.JSON().with_variant(sa.Text(), "sqlite")

    def db_writer(self, dialect: str) -> Convert:
        return _dump

    def db_reader(self, dialect: str) -> Convert:
        return None if dialect == "postgresql" else _load


class UUIDField(Field[T]):
    """A universally unique identifier (RFC 9562)."""

    native: ClassVar[type | None] = UUID

    @overload
    def __init__(self: UUIDField[UUID], *, null: Literal[False] = False, **options: Unpack[FieldOptions]) -> None: ...
    @overload
    def __init__(self: UUIDField[UUID | None], *, null: Literal[True], **options: Unpack[FieldOptions]) -> None: ...
    def __init__(self, *, null: bool = False, **options: Unpack[FieldOptions]) -> None:
        super().__init__(null=null, **options)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, UUID):
            return value
        try:
            return UUID(str(value).strip())
        except ValueError as error:
            raise ValidationError(f"{value!r} is not a UUID", code="invalid") from error

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.Uuid(as_uuid=False)

    def db_writer(self, dialect: str) -> Convert:
        return self._write_hex if dialect != "postgresql" else self.to_python

    def db_reader(self, dialect: str) -> Convert:
        return self.to_python

    def _write_hex(self, value: Any) -> str:
        identifier: UUID = self.to_python(value)
        return identifier.hex


class BinaryField(Field[T]):
    """Bytes."""

    native: ClassVar[type | None] = bytes

    @overload
    def __init__(
        self: BinaryField[bytes], *, null: Literal[False] = False, **options: Unpack[FieldOptions]
    ) -> None: ...
    @overload
    def __init__(self: BinaryField[bytes | None], *, null: Literal[True], **options: Unpack[FieldOptions]) -> None: ...
    def __init__(self, *, null: bool = False, **options: Unpack[FieldOptions]) -> None:
        super().__init__(null=null, **options)

    def to_python(self, value: Any) -> Any:
        if not isinstance(value, bytes | bytearray | memoryview):
            raise ValidationError(f"{type(value).__name__} is not bytes", code="invalid")
        return bytes(value)

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.LargeBinary()

    def db_reader(self, dialect: str) -> Convert:
        return bytes if dialect == "postgresql" else None
