"""The field that holds bytes."""

from __future__ import annotations

import base64
from typing import Any, ClassVar, Literal, TypeVar, Unpack, overload

from toolkit.errors import ValidationError
from toolkit.models.fields.base import Convert, Field, FieldOptions

T = TypeVar("T")


class BinaryField(Field[T]):
    """Bytes.

    Args:
        max_length: The most bytes, if there is a bound; checked by validation only.
    """

    native: ClassVar[type | None] = bytes

    @overload
    def __init__(
        self: BinaryField[bytes],
        *,
        max_length: int | None = None,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: BinaryField[bytes | None],
        *,
        max_length: int | None = None,
        null: Literal[True],
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(self, *, max_length: int | None = None, null: bool = False, **options: Unpack[FieldOptions]) -> None:
        super().__init__(null=null, **options)
        self.max_length = max_length

    def validate(self, value: Any) -> None:
        if self.max_length is not None and len(value) > self.max_length:
            raise ValidationError(
                f"there are {len(value)} bytes; at most {self.max_length} are allowed", code="max_length"
            )

    def to_python(self, value: Any) -> Any:
        if not isinstance(value, bytes | bytearray | memoryview):
            raise ValidationError(f"{type(value).__name__} is not bytes", code="invalid")
        return bytes(value)

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.LargeBinary()

    def db_reader(self, dialect: str) -> Convert:
        return bytes if dialect == "postgresql" else None

    def value_to_string(self, value: Any) -> str:
        return base64.b64encode(value).decode()

    def from_string(self, text: str) -> Any:
        try:
            return base64.b64decode(text, validate=True)
        except ValueError as error:
            raise ValidationError(f"{text!r:.100} is not base64 (RFC 4648)", code="invalid") from error
