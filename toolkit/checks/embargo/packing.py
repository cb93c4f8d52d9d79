"""What is packed in a file: by a compressor, in an archive, in the chunks of an image, in letters of base64."""

from __future__ import annotations

import base64
import binascii
import bz2
import gzip
import importlib
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from toolkit.checks.embargo.pdf import texts_of_pdf

MOST_BYTES = 1 << 30
"""What a compressed file may unfold to."""


_CLOSED = {b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!\x1a\x07": "RAR", b"\x28\xb5\x2f\xfd": "Zstandard"}
_PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"%PDF-", b"\x89PNG", b"\xff\xfe", b"\xfe\xff")
_DATA_URL = re.compile(rb"data:[\w.+/-]*(?:;[\w=.+-]+)*;base64,([A-Za-z0-9+/=_-]+)")
_BASE64 = re.compile(rb"(?<![A-Za-z0-9+/_,-])[A-Za-z0-9+/_-]{24,}(?:\r?\n[A-Za-z0-9+/_-]+)*={0,2}")
_HEX = re.compile(rb"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{2}){12,}(?![0-9A-Za-z])")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")


class Unreadable(Exception):
    """A file that cannot be looked into.

    Args:
        why: What is missing or wrong.
    """


def unpacked(path: str, body: bytes) -> Iterator[tuple[str, bytes]]:
    """(name, content) of what is packed in a file.

    Args:
        path: Its name, whose ending says how it is packed where its bytes do not.
        body: Its bytes.

    Raises:
        Unreadable: It cannot be unpacked.
    """
    for start, what in _CLOSED.items():
        if body.startswith(start):
            raise Unreadable(f"{path} is packed as {what}, which is not read")
    if body.startswith(b"\x1f\x8b"):
        yield path.removesuffix(".gz"), _limited(lambda: gzip.GzipFile(fileobj=io.BytesIO(body)).read(MOST_BYTES), path)
    elif path.endswith(".br"):
        yield path.removesuffix(".br"), _brotli(path, body)
    elif body.startswith(b"PK\x03\x04"):
        yield from _zipped(path, body)
    elif body.startswith(b"BZh"):
        yield path.removesuffix(".bz2"), _limited(lambda: _unfolded(bz2.BZ2Decompressor, body), path)
    elif body.startswith(b"\xfd7zXZ\0") or path.endswith(".lzma"):
        name = path.removesuffix(".xz").removesuffix(".lzma")
        yield name, _limited(lambda: _unfolded(lzma.LZMADecompressor, body), path)
    elif body.startswith(b"\x89PNG"):
        yield from _png_texts(body)
    elif body.startswith(b"%PDF-"):
        if b"/Encrypt" in body:
            raise Unreadable(f"{path} is encrypted")
        yield "its texts", texts_of_pdf(body)


def _limited(read: Callable[[], bytes], path: str) -> bytes:
    try:
        found = read()
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise Unreadable(f"{path} cannot be unpacked: {error}") from error
    return found


def _brotli(path: str, body: bytes) -> bytes:
    try:
        brotli = importlib.import_module("brotli")
    except ImportError:
        raise Unreadable(f"{path} is compressed with brotli, and the library brotli is not installed") from None
    try:
        found: bytes = brotli.decompress(body)
    except brotli.error as error:
        raise Unreadable(f"{path} cannot be unpacked: {error}") from error
    return found


def _zipped(path: str, body: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            left = MOST_BYTES
            for member in archive.infolist():
                left -= member.file_size
                if left < 0:
                    raise Unreadable(f"{path} unfolds to more than {MOST_BYTES:,} bytes")
                yield member.filename, archive.read(member) + b"\n" + member.filename.encode() + b"\n" + member.comment
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error, OSError) as error:
        raise Unreadable(f"{path} cannot be unpacked: {error}") from error


def _png_texts(body: bytes) -> Iterator[tuple[str, bytes]]:
    """The compressed texts of a PNG. Source: PNG, "zTXt" and "iTXt"."""
    place = 8
    while place + 8 <= len(body):
        size, kind = int.from_bytes(body[place : place + 4]), body[place + 4 : place + 8]
        chunk = body[place + 8 : place + 8 + size]
        place += size + 12
        if kind == b"zTXt":
            packed = chunk.partition(b"\0")[2][1:]
        elif kind == b"iTXt" and chunk.partition(b"\0")[2][:1] == b"\1":
            packed = chunk.partition(b"\0")[2][2:].split(b"\0", 2)[-1]
        else:
            continue
        try:
            yield kind.decode(), zlib.decompress(packed)
        except zlib.error:
            continue


def _unfolded(make: Callable[[], Any], body: bytes) -> bytes:
    """All that a file unfolds to: it may be several streams, one after the other, with zeros between them."""
    found: list[bytes] = []
    left = MOST_BYTES
    while body and left > 0:
        decompressor = make()
        found.append(decompressor.decompress(body, left))
        left -= len(found[-1])
        body = decompressor.unused_data.lstrip(b"\0")
    return b"".join(found)


def encoded(body: bytes) -> Iterator[tuple[str, bytes]]:
    """(name, content) of what a text carries in letters: of data URLs all, else what is text or packed.

    The letters are those of base64, or hexadecimal digits.
    """
    if b";base64," in body:
        for number, found in enumerate(_DATA_URL.finditer(body), 1):
            plain = _decoded(found[1])
            if plain is not None:
                yield f"data URL {number}", plain
    if _CONTROL.search(body, 0, 4096):
        return
    for found in _BASE64.finditer(body):
        plain = _decoded(found[0])
        if plain is not None and (plain.startswith(_PACKED) or _is_text(plain)):
            yield "base64", plain
    for found in _HEX.finditer(body):
        plain = bytes.fromhex(found[0].decode())
        if plain.startswith(_PACKED) or _is_text(plain):
            yield "hexadecimal", plain


def _decoded(letters: bytes) -> bytes | None:
    joined = letters.translate(bytes.maketrans(b"-_", b"+/"), b"\r\n=")
    try:
        return base64.b64decode(joined + b"=" * (-len(joined) % 4), validate=True)
    except binascii.Error:
        return None


def _is_text(plain: bytes) -> bool:
    if _CONTROL.search(plain):
        return False
    try:
        plain.decode()
    except UnicodeDecodeError:
        return False
    return True
