"""What is to be done to an image: widths, crops, the focal point, formats. Numbers only; no pixel is touched here."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from toolkit.errors import ImageError, did_you_mean

FORMATS: Mapping[str, str] = {
    "avif": "image/avif",
    "webp": "image/webp",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "svg": "image/svg+xml",
}
"""What can be made, and its media type."""

SUFFIXES: Mapping[str, str] = {"jpeg": ".jpg"}
"""Where a file name ends otherwise than in its format."""

PLACEHOLDERS = ("none", "color", "blur")
"""What may stand in an image's place until it is there."""

MAX_SIDE = 16_383
"""Pixels. WebP holds no more, and no page shows more."""

CENTRE = (0.5, 0.5)

_RATIO = re.compile(r"(\d{1,5})\s*[x:/×]\s*(\d{1,5})")
_FOCAL = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)(%?)\s*[ ,;]\s*(\d+(?:\.\d*)?|\.\d+)(%?)\s*")
_FILTER = re.compile(r"grayscale|blur:(\d{1,3}(?:\.\d+)?)|sharpen")


class Box(NamedTuple):
    """A part of an image, in pixels from its left upper corner."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels."""
        return self.bottom - self.top


class Operations(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a template asks for.

    Args:
        widths: The widths to offer; none means those of the setting ``image_widths``.
        mode: ``scale`` (the whole image), ``crop`` (a part of another shape), ``fit`` (the whole image within a
            box) or ``fill`` (a part that fills a box exactly).
        size: The shape of a crop, the box of ``fit`` and ``fill``.
        focal: What must stay in view, as parts of the width and the height.
        formats: Formats beside the original's; None means those of the setting ``image_formats``.
        quality: 1 to 100 for all formats; 0 means the settings of each.
        filters: ``grayscale``, ``sharpen``, ``blur:8``; in this order.
        placeholder: One of ``PLACEHOLDERS``; nothing means that of the setting ``image_placeholder``.
    """

    widths: tuple[int, ...] = ()
    mode: str = "scale"
    size: tuple[int, int] = (0, 0)
    focal: tuple[float, float] = CENTRE
    formats: tuple[str, ...] | None = None
    quality: int = 0
    filters: tuple[str, ...] = ()
    placeholder: str = ""

    def text(self) -> str:
        """As a trace keeps it."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_text(cls, text: str) -> Operations:
        """What :meth:`text` wrote."""
        return msgspec.json.decode(text, type=cls)


@dataclass(frozen=True, slots=True)
class Options:
    """What the settings say about images.

    Args:
        url_prefix: Where renditions are published, from the site's root.
        widths: Offered where a template names none.
        formats: Offered before the original's, the best first.
        qualities: Format to quality, 1 to 100.
        sizes: How wide images stand on pages that do not say it.
        max_pixels: An image of more is refused.
        placeholder: What stands in an image's place until it is there, unless its template says it.
        base_path: The path below which the site is published.
    """

    url_prefix: str = "/renditions/"
    widths: tuple[int, ...] = (400, 800, 1200, 1600)
    formats: tuple[str, ...] = ("avif", "webp")
    qualities: Mapping[str, int] = field(default_factory=lambda: {"avif": 55, "webp": 78, "jpeg": 82})
    sizes: str = "100vw"
    max_pixels: int = 100_000_000
    placeholder: str = "none"
    base_path: str = ""


def make_operations(
    *,
    widths: Any = None,
    crop: Any = None,
    fit: Any = None,
    fill: Any = None,
    focal: Any = None,
    formats: Any = None,
    quality: int = 0,
    filters: Any = (),
    placeholder: Any = "",
) -> Operations:
    """Operations from what a template wrote.

    Raises:
        ImageError: A value that says nothing, or two that exclude each other.
    """
    shapes = {name: value for name, value in (("crop", crop), ("fit", fit), ("fill", fill)) if value is not None}
    if len(shapes) > 1:
        raise ImageError(f"an image can have one of {' and '.join(shapes)}, not both", hint="Keep one.")
    mode, size = next(((name, parse_size(value, name)) for name, value in shapes.items()), ("scale", (0, 0)))
    if mode == "crop":
        divisor = math.gcd(*size)
        size = (size[0] // divisor, size[1] // divisor)
    cut = mode in ("crop", "fill")
    return Operations(
        _widths(widths),
        mode,
        size,
        parse_focal(focal) if focal is not None and cut else CENTRE,
        None if formats is None else _formats(formats),
        _quality(quality),
        tuple(_filter(item) for item in _several("filters", filters, '["grayscale"]')),
        _placeholder(placeholder),
    )


def parse_size(value: Any, name: str) -> tuple[int, int]:
    """``"16x9"``, ``"16:9"`` or ``(16, 9)`` as two whole numbers.

    Raises:
        ImageError: It is none of these.
    """
    match = _RATIO.fullmatch(value.strip()) if isinstance(value, str) else None
    found: Any = (int(match[1]), int(match[2])) if match else value
    if isinstance(found, list | tuple) and len(found) == 2 and all(type(side) is int for side in found):
        width, height = found
        if 0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE:
            return width, height
    raise ImageError(
        f"{name}={value!r} is no size: two whole numbers from 1 to {MAX_SIDE} are expected",
        hint=f'Write {name}="16x9".',
    )


def parse_focal(value: Any) -> tuple[float, float]:
    """``"30% 60%"``, ``"0.3 0.6"`` or ``(0.3, 0.6)`` as parts of the width and the height; the centre for nothing.

    Raises:
        ImageError: It is none of these, or outside of the image.
    """
    if value is None or value == "":
        return CENTRE
    found: Any = value
    if isinstance(value, str):
        match = _FOCAL.fullmatch(value)
        pairs = ((match[1], match[2]), (match[3], match[4])) if match else ()
        found = tuple(float(number) / (100 if percent else 1) for number, percent in pairs)
    good = isinstance(found, list | tuple) and len(found) == 2
    if not good or not all(isinstance(part, int | float) and 0 <= part <= 1 for part in found):
        raise ImageError(
            f"{value!r} is no focal point: two parts of the image are expected, across and down",
            hint='Write "50% 30%" or (0.5, 0.3).',
        )
    return round(float(found[0]), 4), round(float(found[1]), 4)


def _several(name: str, values: Any, example: str) -> list[Any]:
    """The values of an option that takes several."""
    if values is None or (isinstance(values, Iterable) and not isinstance(values, str)):
        return list(values or ())
    raise ImageError(f"{name}={values!r}: a list is expected", hint=f"Write {name}={example}.")


def _widths(widths: Any) -> tuple[int, ...]:
    found = _several("widths", widths, "[400, 800]")
    wrong = [width for width in found if type(width) is not int or not 0 < width <= MAX_SIDE]
    if wrong:
        raise ImageError(f"{wrong[0]!r} is no width: whole numbers from 1 to {MAX_SIDE} are expected")
    return tuple(sorted(set(found)))


def _formats(formats: Any) -> tuple[str, ...]:
    listed = _several("formats", formats, '["webp"]')
    found = tuple(dict.fromkeys("jpeg" if item == "jpg" else str(item) for item in listed))
    wrong = [item for item in found if item not in FORMATS or item in ("svg", "gif")]
    if wrong:
        raise ImageError(f"{wrong[0]!r} is no format of a rendition", hint="There are avif, webp, jpeg and png.")
    return found


def _quality(quality: int) -> int:
    if type(quality) is not int or not 0 <= quality <= 100:
        raise ImageError(f"quality={quality!r}: a whole number from 1 to 100 is expected")
    return quality


def _filter(item: Any) -> str:
    if not isinstance(item, str) or not _FILTER.fullmatch(item):
        raise ImageError(f"{item!r} is no filter", hint='There are "grayscale", "sharpen" and "blur:8".')
    return item


def _placeholder(value: Any) -> str:
    if value in ("", *PLACEHOLDERS):
        return str(value)
    hint = did_you_mean(str(value), PLACEHOLDERS) or f"There are {', '.join(PLACEHOLDERS)}."
    raise ImageError(f"{value!r} is no placeholder of an image", hint=hint)


# geometry


def crop_box(width: int, height: int, *, ratio: tuple[int, int], focal: tuple[float, float]) -> Box:
    """The largest part of an image that has a shape, with the focal point as near to its middle as the edges let it.

    Args:
        width: Of the image.
        height: Of the image.
        ratio: The shape.
        focal: Parts of the width and the height.
    """
    across, down = ratio
    if width * down > height * across:
        own_width, own_height = max(1, min(width, round(height * across / down))), height
    else:
        own_width, own_height = width, max(1, min(height, round(width * down / across)))
    left = min(max(round(width * focal[0] - own_width / 2), 0), width - own_width)
    top = min(max(round(height * focal[1] - own_height / 2), 0), height - own_height)
    return Box(left, top, left + own_width, top + own_height)


def layout(width: int, height: int, operations: Operations, options: Options) -> tuple[Box, list[tuple[int, int]]]:
    """The part of an image that is shown, and the sizes it is offered in, the smallest first. None is enlarged.

    Args:
        width: Of the image as it is looked at.
        height: Of it.
        operations: What is asked for.
        options: What the settings say.
    """
    whole = Box(0, 0, width, height)
    if operations.mode in ("crop", "fill"):
        box = crop_box(width, height, ratio=operations.size, focal=operations.focal)
    else:
        box = whole
    if operations.mode in ("fit", "fill"):
        widths = _box_widths(box, operations)
    else:
        widths = list(operations.widths or options.widths)
    most = min(box.width, MAX_SIDE, max(1, MAX_SIDE * box.width // box.height))
    if any(one > most for one in widths):
        widths = [one for one in widths if one < most] + [most]
    ratio = operations.size if operations.mode in ("crop", "fill") else (box.width, box.height)
    sizes = [(one, max(1, min(round(one * ratio[1] / ratio[0]), box.height))) for one in sorted(set(widths))]
    return box, sizes


def _box_widths(box: Box, operations: Operations) -> list[int]:
    """The width within the box, and twice as much for screens of twice as many pixels."""
    scale = min(operations.size[0] / box.width, operations.size[1] / box.height)
    return [max(1, round(box.width * scale * density)) for density in (1, 2)]
