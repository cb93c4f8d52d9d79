"""Unique identifiers, and the field that holds one."""

from __future__ import annotations

import os
import threading
import time
from typing import Any, ClassVar, Literal, TypeVar, Unpack, overload
from uuid import UUID

from toolkit.i18n import gettext_lazy
from toolkit.models.fields.base import Convert, Field, FieldOptions
from toolkit.validators.base import refusal

T = TypeVar("T")

_NOT_A_UUID = gettext_lazy("%(shown)s is not a UUID")


class UUIDField(Field[T]):
    """A universally unique identifier (RFC 9562).

    As a key, ``UUIDField(primary_key=True, default=models.uuid7)`` gives keys that sort by the time they were made.
    """

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
            return UUID(int=value) if type(value) is int else UUID(str(value).strip())
        except ValueError as error:
            raise refusal(_NOT_A_UUID, value) from error

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


class _Clock:
    """The last identifier made by this process, so that the next one is greater."""

    def __init__(self) -> None:
        self.restart()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.restart)

    def restart(self) -> None:
        """Forget the last one; a forked process counts for itself."""
        self.lock = threading.Lock()
        self.milliseconds = 0
        self.counter = 0

    def tick(self) -> tuple[int, int]:
        """(milliseconds, counter of 42 bits); never the same twice, never less than before."""
        with self.lock:
            now = time.time_ns() // 1_000_000
            if now > self.milliseconds:
                self.milliseconds = now
                self.counter = int.from_bytes(os.urandom(6), "big") >> 7  # 41 bits: room to count up
            else:
                self.counter += 1
                if self.counter >> 42:
                    self.milliseconds += 1
                    self.counter = int.from_bytes(os.urandom(6), "big") >> 7
            return self.milliseconds, self.counter


_clock = _Clock()


def uuid7() -> UUID:
    """A new identifier of version 7: it begins with the time, so that later ones sort after earlier ones.

    48 bits of milliseconds, a counter of 42 bits that starts at random each millisecond, and 32 random bits
    (RFC 9562 §5.7 and §6.2, method 1). Use it as a default: ``UUIDField(primary_key=True, default=models.uuid7)``.
    """
    milliseconds, counter = _clock.tick()
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80
    value |= 0x7 << 76 | (counter >> 30) << 64
    value |= 0b10 << 62 | (counter & 0x3FFF_FFFF) << 32 | int.from_bytes(os.urandom(4), "big")
    return UUID(int=value)
