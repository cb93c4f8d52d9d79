"""Making renditions: unpack, turn upright, to sRGB, cut, scale, encode. The same file gives the same bytes.

A photograph is unpacked once for all of its renditions. What encoders would do by the number of the machine's
cores is switched off: renditions are made side by side instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

from toolkit.errors import ImageError
from toolkit.images.facts import Facts
from toolkit.images.metadata import Credits, exif_of, xmp_of
from toolkit.images.pillow import load_pillow, opened
from toolkit.images.renditions import Rendition
from toolkit.images.svg import clean_svg

_BACKGROUND = (255, 255, 255)


def encode(
    body: bytes, facts: Facts, renditions: Sequence[Rendition], *, label: str, max_pixels: int
) -> Iterator[tuple[Rendition, bytes]]:
    """Renditions of one image file.

    Args:
        body: The file.
        facts: What it is.
        renditions: Which are wanted.
        label: As messages name it.
        max_pixels: An image of more is refused.

    Raises:
        ImageError: It cannot be unpacked.
    """
    if facts.format == "svg":
        for rendition in renditions:
            yield rendition, clean_svg(body, label)
        return
    with opened(body, label, max_pixels=max_pixels) as image:
        if facts.frames > 1:
            for rendition in renditions:
                yield rendition, _animation(image, facts, rendition)
            return
        picture = _upright(image)
        for rendition in renditions:
            yield rendition, _still(picture, facts, rendition)


def _still(picture: Any, facts: Facts, rendition: Rendition) -> bytes:
    frame = _made(picture, rendition)
    return _saved(frame, rendition, Credits() if rendition.inline else facts.credits)


def _animation(image: Any, facts: Facts, rendition: Rendition) -> bytes:
    """All frames, each cut and scaled, with the times that they had."""
    from PIL import ImageSequence

    frames, durations = [], []
    for frame in ImageSequence.Iterator(image):
        durations.append(int(frame.info.get("duration", 100)) or 100)
        frames.append(_made(_upright(frame), rendition))
    loop = image.info.get("loop")
    extra: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "duration": durations}
    if loop is not None or rendition.format == "webp":
        extra["loop"] = loop if loop is not None else 1
    if rendition.format == "gif":
        extra["disposal"] = 2
    return _saved(frames[0], rendition, facts.credits, **extra)


# pixels


def _upright(image: Any) -> Any:
    """The picture as it is looked at, in sRGB, in a mode that can be scaled."""
    from PIL import ImageOps

    turned: Any = ImageOps.exif_transpose(image)
    profile = image.info.get("icc_profile")
    turned.info.pop("icc_profile", None)
    plain = _unpacked(turned, profiled=bool(profile))
    return _to_srgb(plain, profile) if profile else _to_rgb(plain)


def _unpacked(image: Any, *, profiled: bool) -> Any:
    """Palettes and deep greys as plain pixels of eight bits."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        deep = image.convert("F").point(lambda value: value * (1 / 257)) if image.mode != "F" else image
        return deep.convert("L")
    if image.mode in ("P", "PA", "1") or (image.mode in ("RGB", "L") and "transparency" in image.info):
        return image.convert("RGBA" if image.has_transparency_data else "L" if image.mode == "1" else "RGB")
    if image.mode in ("RGBa", "La"):
        return image.convert("RGBA")
    return image if profiled else _to_rgb(image)


def _to_rgb(image: Any) -> Any:
    if image.mode in ("RGB", "RGBA", "L"):
        return image
    return image.convert("RGBA" if image.mode == "LA" else "RGB")


def _to_srgb(image: Any, profile: bytes) -> Any:
    """The colours that the profile means, in sRGB, which is what browsers take an image without one for."""
    from PIL import ImageCms

    try:
        profile_of: Any = ImageCms.ImageCmsProfile
        source = profile_of(BytesIO(profile))
        if image.mode in ("LA", "RGBA"):
            alpha = image.getchannel("A")
            base = image.convert("L" if image.mode == "LA" else "RGB")
            converted = _converted(base, source)
            converted.putalpha(alpha)
            return converted
        return _converted(image, source)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):  # a broken profile says nothing
        return _to_rgb(image)


def _converted(image: Any, source: Any) -> Any:
    from PIL import ImageCms

    create: Any = ImageCms.createProfile
    made: Any = ImageCms.profileToProfile(image, source, create("sRGB"), outputMode="RGB")
    made.info.pop("icc_profile", None)
    return made


def _made(picture: Any, rendition: Rendition) -> Any:
    """A part of the picture, in the size that is wanted, filtered."""
    image_module = load_pillow()
    size = (rendition.width, rendition.height)
    if size == picture.size and rendition.box == (0, 0, *picture.size):
        frame = picture.copy()
    else:
        frame = picture.resize(size, image_module.Resampling.LANCZOS, box=tuple(rendition.box), reducing_gap=3.0)
    for name in rendition.filters:
        frame = _filtered(frame, name)
    return frame


def _filtered(frame: Any, name: str) -> Any:
    from PIL import ImageFilter

    kind, _, amount = name.partition(":")
    if kind == "grayscale":
        return frame.convert("LA" if frame.mode == "RGBA" else "L").convert(frame.mode)
    if kind == "blur":
        return frame.filter(ImageFilter.GaussianBlur(float(amount)))
    return frame.filter(ImageFilter.UnsharpMask(radius=1, percent=60, threshold=2))


# bytes


def _saved(frame: Any, rendition: Rendition, credits: Credits, **extra: Any) -> bytes:
    kind = rendition.format
    options = _options(kind, rendition.quality)
    if kind == "jpeg":
        frame = _flattened(frame)
    exif, xmp = exif_of(credits), xmp_of(credits)
    if kind != "gif":
        options |= {"exif": exif} if exif else {}
    if xmp and kind in ("jpeg", "webp", "avif"):
        options["xmp"] = xmp
    if xmp and kind == "png":
        options["pnginfo"] = _png_text(xmp)
    frame.info.clear()  # Pillow would write what it remembers of the original: comments, resolution, XMP
    file = BytesIO()
    try:
        frame.save(file, kind.upper(), **options, **extra)
    except (OSError, ValueError, KeyError) as error:
        raise ImageError(
            f"{rendition.source.label} cannot be written as {kind}: {error}", hint="Is Pillow built with that format?"
        ) from error
    return file.getvalue()


def _flattened(frame: Any) -> Any:
    """What shines through becomes white: JPEG has no transparency."""
    if frame.mode != "RGBA":
        return frame
    under = load_pillow().new("RGB", frame.size, _BACKGROUND)
    under.paste(frame, mask=frame.getchannel("A"))
    return under


def _png_text(xmp: bytes) -> Any:
    from PIL import PngImagePlugin

    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp.decode())
    return info


def _options(kind: str, quality: int) -> dict[str, Any]:
    """How Pillow is to encode a format."""
    if kind == "avif":
        return {"quality": quality, "speed": 6, "max_threads": 1, "subsampling": "4:2:0"}
    if kind == "webp":
        return {"quality": quality, "method": 4}
    if kind == "jpeg":
        return {"quality": quality, "optimize": True, "progressive": True, "subsampling": "4:2:0"}
    return {"optimize": True}
