"""The field that holds bytes."""

from __future__ import annotations

import base64
from typing import Any, ClassVar, Literal, TypeVar, Unpack, overload

from toolkit.errors import ValidationError
from toolkit.i18n import gettext_lazy, ngettext_lazy
from toolkit.models.fields.base import Convert, Field, FieldOptions
from toolkit.validators.base import refusal

T = TypeVar("T")

_NOT_BYTES = gettext_lazy("%(kind)s is not bytes")
_NOT_BASE64 = gettext_lazy("%(shown)s is not base64 (RFC 4648)")
_TOO_MANY = ngettext_lazy(
    "there are %(length)d bytes; at most %(max)d is allowed",
    "there are %(length)d bytes; at most %(max)d are allowed",
    "max",
)


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
            raise ValidationError(_TOO_MANY, code="max_length", params={"length": len(value), "max": self.max_length})

    def to_python(self, value: Any) -> Any:
        if not isinstance(value, bytes | bytearray | memoryview):
            raise ValidationError(_NOT_BYTES, code="invalid", params={"kind": type(value).__name__})
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
            raise refusal(_NOT_BASE64, text) from error
