"""What an image file is: its size as it is looked at, its format, and what it says of itself."""

from __future__ import annotations

from typing import Any

import msgspec

from toolkit.images.metadata import Credits, read_credits
from toolkit.images.pillow import count_frames, opened
from toolkit.images.svg import is_svg, svg_size

_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)
"""EXIF orientations that exchange width and height."""

_NAMES = {"MPO": "jpeg", "JPEG": "jpeg", "PNG": "png", "GIF": "gif", "WEBP": "webp", "AVIF": "avif"}


class Facts(msgspec.Struct, frozen=True):
    """What an image file is.

    Args:
        width: Pixels across, as it is looked at: a photograph that was taken on its side stands upright.
        height: Pixels down.
        format: ``jpeg``, ``png``, ``gif``, ``webp``, ``avif``, ``svg``, or ``other``.
        frames: More than 1 for an animation.
        transparent: Whether something may shine through.
        credits: What it says of itself.
    """

    width: int
    height: int
    format: str
    frames: int = 1
    transparent: bool = False
    credits: Credits = Credits()

    @property
    def fallback(self) -> str:
        """The format for browsers that know no newer one: the original's, where all browsers know it."""
        if self.frames > 1:
            return "webp" if self.format in ("webp", "avif") else self.format
        if self.format in ("jpeg", "png", "webp"):
            return self.format
        return "png" if self.transparent or self.format == "gif" else "jpeg"


def read_facts(body: bytes, label: str, *, max_pixels: int) -> Facts:
    """What an image file is; its pixels are not unpacked.

    Args:
        body: The file.
        label: As messages name it.
        max_pixels: An image of more is refused.

    Raises:
        ImageError: It is no image that can be shown.
    """
    if is_svg(body):
        width, height = svg_size(body, label)
        return Facts(width, height, "svg", transparent=True)
    with opened(body, label, max_pixels=max_pixels) as image:
        width, height = image.size
        if orientation(image) in _TURNED:
            width, height = height, width
        kind = _NAMES.get(image.format or "", "other")
        return Facts(width, height, kind, count_frames(image), _is_transparent(image), read_credits(image))


def orientation(image: Any) -> int:
    """How EXIF says that a picture lies: 1 is upright. Pillow turns a TIFF by itself."""
    if image.format == "TIFF":
        return 1
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - a broken block says nothing; Pillow raises anything
        return 1
    return found if isinstance(found, int) else 1


def _is_transparent(image: Any) -> bool:
    return bool(image.has_transparency_data)
