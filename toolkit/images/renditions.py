"""Renditions: one image in one size and format, named by everything that decides about its bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from toolkit.images.facts import Facts
from toolkit.images.operations import FORMATS, SUFFIXES, Box, Operations, Options, layout
from toolkit.images.sources import ImageSource
from toolkit.trace import digest

KEY_DIGITS = 16
"""64 bits: of a hundred million renditions, two share a name with a chance of one in 3,700."""

ALGORITHM = 2
"""Part of every key: to be raised when ``toolkit.images.encoding`` makes other bytes than before."""

_TINY_WIDTH = 16
"""Pixels. A page carries some 200 bytes for each, less than the markup of the picture."""

_TINY_QUALITY = 40


@dataclass(frozen=True, slots=True)
class Rendition:
    """One image in one size and format.

    Args:
        source: The image.
        content: Digest of its file.
        box: The part that is shown.
        width: Pixels.
        height: Pixels.
        format: A key of ``FORMATS``.
        quality: 1 to 100; 0 where the format has none.
        filters: See ``Operations``.
        key: Stands for all of this and for the versions of the encoders; not for the name of the image.
        inline: Whether it stands in the page itself: it is never published, and carries no credits.
    """

    source: ImageSource
    content: bytes
    box: Box
    width: int
    height: int
    format: str
    quality: int
    filters: tuple[str, ...]
    key: str
    inline: bool = False

    @property
    def suffix(self) -> str:
        """``.avif``."""
        return SUFFIXES.get(self.format, f".{self.format}")

    @property
    def name(self) -> str:
        """Its file: ``flood-800.0f3c….avif``."""
        size = "" if self.format == "svg" else f"-{self.width}"
        return f"{self.source.stem}{size}.{self.key}{self.suffix}"

    @property
    def media_type(self) -> str:
        """``image/avif``."""
        return FORMATS[self.format]

    def url(self, options: Options) -> str:
        """Where it is published."""
        return options.base_path + options.url_prefix + quote(self.name)


def make_renditions(
    source: ImageSource,
    content: bytes,
    facts: Facts,
    operations: Operations,
    options: Options,
    versions: tuple[str, ...],
) -> list[list[Rendition]]:
    """The renditions of an image: a list for each format, the best format first, the smallest size first."""
    if facts.format == "svg":
        whole = Box(0, 0, facts.width, facts.height)
        key = _key(content, whole, 0, 0, "svg", 0, (), versions)
        return [[Rendition(source, content, whole, facts.width, facts.height, "svg", 0, (), key)]]
    box, sizes = layout(facts.width, facts.height, operations, options)
    return [
        [_rendition(source, content, box, size, name, operations, options, versions) for size in sizes]
        for name in _formats(facts, operations, options)
    ]


def make_tiny(
    source: ImageSource,
    content: bytes,
    facts: Facts,
    operations: Operations,
    options: Options,
    versions: tuple[str, ...],
) -> Rendition | None:
    """The rendition that a placeholder is made of, as small as can be; None where none is wanted, or none can be.

    What shines through would show it behind the image for ever, and an animation begins with anything.
    """
    if (operations.placeholder or options.placeholder) == "none" or facts.transparent or facts.frames > 1:
        return None
    box, sizes = layout(facts.width, facts.height, operations, options)
    width, height = sizes[-1]
    across = min(_TINY_WIDTH, width)
    size = (across, max(1, round(height * across / width)))
    key = _key(content, box, *size, "inline webp", _TINY_QUALITY, operations.filters, versions)
    return Rendition(source, content, box, *size, "webp", _TINY_QUALITY, operations.filters, key, inline=True)


def _formats(facts: Facts, operations: Operations, options: Options) -> Iterator[str]:
    """Each format once, the fallback last. Animations are made in formats that all browsers move."""
    wanted = options.formats if operations.formats is None else operations.formats
    if facts.frames > 1:
        wanted = tuple(name for name in wanted if name == "webp")
    yield from (name for name in dict.fromkeys(wanted) if name != facts.fallback)
    yield facts.fallback


def _rendition(
    source: ImageSource,
    content: bytes,
    box: Box,
    size: tuple[int, int],
    name: str,
    operations: Operations,
    options: Options,
    versions: tuple[str, ...],
) -> Rendition:
    quality = 0 if name in ("png", "gif") else operations.quality or options.qualities[name]
    key = _key(content, box, *size, name, quality, operations.filters, versions)
    return Rendition(source, content, box, *size, name, quality, operations.filters, key)


def _key(
    content: bytes,
    box: Box,
    width: int,
    height: int,
    name: str,
    quality: int,
    filters: tuple[str, ...],
    versions: tuple[str, ...],
) -> str:
    parts = [ALGORITHM, content, tuple(box), width, height, name, quality, filters, versions]
    return digest(parts).hex()[:KEY_DIGITS]
