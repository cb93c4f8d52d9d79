"""Pillow, loaded when the first image is looked at, and what its parts are."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from typing import Any

from toolkit.errors import ImageError

READ_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
"""What Pillow may take a file for. It knows more, PostScript among them, which runs a program."""

_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_ANIMATED = frozenset({"AVIF", "GIF", "PNG", "WEBP"})
"""Formats whose further pictures are frames; elsewhere they are pages, thumbnails, or the other eye's view."""

_CODECS = ("avif", "webp", "jpg", "libjpeg_turbo", "zlib", "zlib_ng", "littlecms2", "libtiff")


def load_pillow() -> Any:
    """``PIL.Image``.

    Raises:
        ImageError: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImageError(
            "images cannot be made: Pillow is not installed", hint="pip install 'publishing-toolkit[images]'"
        ) from error
    return Image


@cache
def encoder_versions() -> tuple[str, ...]:
    """Versions of everything that decides about the bytes of a rendition."""
    load_pillow()
    from importlib.metadata import version

    import PIL
    from PIL import features

    codecs = (f"{name} {features.version(name)}" for name in _CODECS)
    return (f"pillow {PIL.__version__}", f"lxml {version('lxml')}", *codecs)


@contextmanager
def opened(body: bytes, label: str, *, max_pixels: int) -> Iterator[Any]:
    """An image file, opened by Pillow, its pixels not yet unpacked.

    Args:
        body: The file.
        label: As messages name it.
        max_pixels: An image of more is refused before it is unpacked.

    Raises:
        ImageError: It is no image of a kind that is read, or too large.
    """
    image_module = load_pillow()
    from PIL import UnidentifiedImageError

    try:
        with warnings.catch_warnings():  # Pillow warns of what is refused below
            warnings.simplefilter("ignore")
            with image_module.open(BytesIO(body), formats=READ_FORMATS) as image:
                check_pixels(image, label, max_pixels=max_pixels)
                yield image
    except image_module.DecompressionBombError as error:
        raise _too_large(label, "more", max_pixels) from error
    except UnidentifiedImageError as error:
        hint = "AVIF, BMP, GIF, JPEG, PNG, SVG, TIFF and WebP are; its name alone makes no image of a file."
        if body[4:8] == b"ftyp" and body[8:12] in _HEIC:
            hint = "It is HEIC, as phones take it, which browsers do not show: save it as JPEG."
        raise ImageError(f"{label} is no image that can be read", hint=hint) from error
    except (OSError, ValueError, SyntaxError, OverflowError, TypeError, EOFError) as error:
        raise ImageError(f"{label} is damaged: {error}", hint="Open it in an editor and save it anew.") from error


def count_frames(image: Any) -> int:
    """How many frames an opened image has: more than 1 for an animation."""
    return getattr(image, "n_frames", 1) if image.format in _ANIMATED else 1


def check_pixels(image: Any, label: str, *, max_pixels: int) -> None:
    """Refuse an image that would fill the memory; of an animation, all frames count.

    Raises:
        ImageError: It has more pixels than are allowed.
    """
    width, height = image.size
    frames = count_frames(image)
    if width * height * frames > max_pixels:
        shown = f"{width} × {height} pixels" + (f" in {frames} frames" if frames > 1 else "")
        raise _too_large(label, shown, max_pixels)
    if not width or not height:
        raise ImageError(f"{label} has no pixels")


def _too_large(label: str, shown: str, max_pixels: int) -> ImageError:
    return ImageError(
        f"{label} has {shown}: at most {max_pixels} pixels are allowed",
        hint="Make it smaller, or raise the setting 'image_max_pixels'.",
    )
