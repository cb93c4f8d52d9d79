"""Rows of a manifest as values, and how they are encoded. Loads nothing of the models, so that telling is quick."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

import msgspec

from toolkit.errors import BuildError
from toolkit.trace import bucket_of

if TYPE_CHECKING:
    from toolkit.pages.plan import Planned

FORMAT = "5"
"""Changes when the tables or the names of a manifest do; another format's manifest is set aside."""

Identity = tuple[Any, ...]
Key = tuple[Any, ...]
InputRow = tuple[int, str, bytes, bytes]
"""An input as it is kept: number, kind, encoded key, digest."""


class PageRecord(msgspec.Struct):
    """One page of the last build.

    Args:
        identity: (route, key, locale, number).
        url: Its URL path.
        path: Its file below the output folder.
        digest: Of the file's content; the server's ETag.
        size: Of the file, in bytes.
        content_type: Its media type.
        status: Its HTTP status.
        reason: Why it was last rendered.
        attachments: Paths of further files that it made.
        inputs: Ids of its inputs.
    """

    identity: Identity
    url: str
    path: str
    digest: bytes
    size: int
    content_type: str
    status: int
    reason: str
    attachments: tuple[str, ...]
    inputs: array[int]


class FileRecord(NamedTuple):
    """One file that the builds wrote.

    Args:
        path: Below the output folder.
        digest: Of its content.
        size: In bytes.
        changed_ns: When its inode last changed, in nanoseconds since the epoch: whoever writes to the file moves it,
            and unlike the time of modification nobody can set it back.
        owner: ``page``, ``asset``, ``public``, ``stored`` or ``redirect``.
    """

    path: str
    digest: bytes
    size: int
    changed_ns: int
    owner: str


class UnitRecord(msgspec.Struct):
    """One route in one locale, as it was planned."""

    route: str
    locale: str
    planned: list[Planned]
    digest: bytes
    inputs: array[int]


class DamagedManifest(BuildError):
    """A manifest says what no build wrote."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"it holds what cannot be read: {error}", hint="Run: toolkit build.")


encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder().decode
_tuple_decoder = msgspec.msgpack.Decoder(tuple).decode
decode_identity = msgspec.msgpack.Decoder(int | str | list[int | str | None] | None).decode
decode_paths = msgspec.msgpack.Decoder(tuple[str, ...]).decode


def decode(data: Any, decoder: Callable[[Any], Any] = _decoder) -> Any:
    """A value of a column.

    Raises:
        DamagedManifest: It is nothing of the kind.
    """
    try:
        return decoder(data)
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError) as error:
        raise DamagedManifest(error) from error


def decode_shape(data: bytes) -> Mapping[str, Any]:
    """The record of a query's shape.

    Raises:
        DamagedManifest: It is none.
    """
    record = decode(data)
    if not isinstance(record, dict) or not {"footprint", "clock"} <= record.keys():
        raise DamagedManifest(ValueError("a query's shape lacks what it depends on"))
    return record


def pack(ids: Iterable[int]) -> bytes:
    """Input ids as bytes, four each."""
    return array("I", ids).tobytes()


def unpack(data: bytes) -> array[int]:
    """The reverse of ``pack``."""
    ids = array("I")
    try:
        ids.frombytes(data)
    except (TypeError, ValueError) as error:
        raise DamagedManifest(error) from error
    return ids


def encode_key(key: Key) -> bytes:
    """An input's key as bytes."""
    return encode(key)


def decode_key(data: bytes) -> Key:
    """The reverse of ``encode_key``."""
    found: Key = decode(data, _tuple_decoder)
    return tupled(list(found)) if list in map(type, found) else found


class Part(NamedTuple):
    """Inputs that are looked for together, by whoever asks what a change touches.

    Args:
        kind: Of the inputs.
        topic: What they are about: rows of this table, queries of this shape, URLs or subjects of this unit;
            else empty.
        bucket: Of the rows' keys; see ``bucket_of``. Of other inputs one of 256, to look for one of them quickly.
    """

    kind: str
    topic: str
    bucket: int | None


def part_of(kind: str, key: bytes) -> Part:
    """The part that an input belongs to, by its encoded key."""
    if kind == "row":
        table, _, pk = decode_key(key)
        return Part(kind, table, bucket_of(pk))
    topic = ""
    if kind == "query":
        topic = str(decode_key(key)[0])
    elif kind in ("url", "plan", "subject"):
        found = decode_key(key)
        topic = unit_topic(found[0], found[1 if kind == "plan" else 2])
    return Part(kind, topic, crc32(key) & 0xFF)


def unit_topic(route: str, locale: str) -> str:
    """What URLs, plans and subjects of a route in a locale are about."""
    return f"{route} {locale}"


def tupled(value: Any) -> Any:
    """Lists as tuples, so that they can be keys."""
    if isinstance(value, list):
        return tuple(tupled(item) if isinstance(item, list) else item for item in value)
    return value
