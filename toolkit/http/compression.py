"""Texts compressed: the same bytes for the same text, and which of them a client takes.

Source: RFC 9110 §8.4.1 (codings), §12.5.3 (``Accept-Encoding``); RFC 1952 (gzip); RFC 7932 (Brotli).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any

from toolkit.errors import SettingError

SUFFIXES = {"br": ".br", "gz": ".gz"}
"""What the setting ``precompress`` may name, the best first, and how their files end."""

CODINGS = {"br": "br", "gz": "gzip"}
"""As HTTP calls them."""

LEAST_BYTES = 256
"""Shorter texts fit into a packet anyway."""

GZIP_LEVEL = 9
BROTLI_QUALITY = 10
"""Of the manual's chapters it takes a third of the time of 11, for files that are 3 % larger; 9 is slower than 10."""

_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
"""No name, no time, no system: the same on every machine."""

_TEXTS = ("text/", "application/json", "application/xml", "application/javascript", "application/manifest+json",
          "application/rss+xml", "application/atom+xml", "application/feed+json", "application/ld+json",
          "application/geo+json", "application/xhtml+xml", "application/wasm", "image/svg+xml")  # fmt: skip
_ENDINGS = frozenset({
    ".html", ".htm", ".css", ".js", ".mjs", ".json", ".geojson", ".map", ".svg", ".xml", ".xsl", ".txt", ".md", ".csv",
    ".ics", ".webmanifest", ".wasm", ".rss", ".atom", ".vtt",
})  # fmt: skip


def is_text_type(content_type: str) -> bool:
    """Whether a media type is of texts, which get smaller when they are compressed."""
    return content_type.startswith(_TEXTS)


def is_text_path(path: str) -> bool:
    """Whether a published file is a text, by the end of its name."""
    name = path.rpartition("/")[2]
    return "." in name and f".{name.rpartition('.')[2].lower()}" in _ENDINGS


def compress(body: bytes, kind: str) -> bytes:
    """A text, compressed as ``br`` or ``gz``.

    Raises:
        SettingError: The library for Brotli is not installed.
    """
    if kind == "gz":
        packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        packed = packer.compress(body) + packer.flush()
        return _GZIP_HEADER + packed + struct.pack("<II", zlib.crc32(body), len(body) & 0xFFFFFFFF)
    packed_by_brotli: bytes = _brotli().compress(body, mode=_brotli().MODE_TEXT, quality=BROTLI_QUALITY)
    return packed_by_brotli


def compressed_files(path: str, body: bytes, kinds: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """(path, body) of the compressed files beside a text; none where they would not be smaller.

    Args:
        path: Of the file.
        body: Its content.
        kinds: ``br``, ``gz``.

    Raises:
        SettingError: The library for Brotli is not installed.
    """
    if len(body) < LEAST_BYTES or not is_text_path(path):
        return
    for kind in kinds:
        packed = compress(body, kind)
        if len(packed) < len(body):
            yield path + SUFFIXES[kind], packed


def is_compressed(path: str, paths: Container[str]) -> bool:
    """Whether a published file is the compressed one beside another."""
    return bool(split_compressed(path, paths)[1])


def split_compressed(path: str, paths: Container[str]) -> tuple[str, str]:
    """(path of the text, coding) of the compressed file beside a text; of any other file its own path, and no coding.

    Args:
        path: Of the file.
        paths: Of all files.
    """
    for kind, suffix in SUFFIXES.items():
        stem = path.removesuffix(suffix)
        if stem != path and stem in paths:
            return stem, CODINGS[kind]
    return path, ""


def choose(accepted: str, kinds: Sequence[str]) -> str:
    """The best of what is offered that a client takes; empty for none.

    Args:
        accepted: The header ``Accept-Encoding``.
        kinds: What is offered, the best first.
    """
    weights: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, _, parameters = part.strip().partition(";")
        weights[name.strip()] = _weight(parameters)
    known = [(weights.get(CODINGS[kind], weights.get("*", 0.0)), -place, kind) for place, kind in enumerate(kinds)]
    best = max(known, default=(0.0, 0, ""))
    return best[2] if best[0] > 0 and best[0] >= weights.get("identity", 0.0) else ""


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def _brotli() -> Any:
    try:
        import brotli
    except ImportError as error:
        raise SettingError(
            'precompress = ["br"] needs the library brotli, which is not installed',
            hint="pip install 'publishing-toolkit[compress]', or leave it out.",
        ) from error
    return brotli
