"""Making images for tests."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image


def photograph(width: int = 120, height: int = 80, mode: str = "RGB") -> Image.Image:
    """A picture whose quarters have colours of their own: red and green above, blue and white below."""
    image = Image.new("RGB", (width, height), "white")
    image.paste((220, 20, 20), (0, 0, width // 2, height // 2))
    image.paste((20, 180, 20), (width // 2, 0, width, height // 2))
    image.paste((20, 20, 220), (0, height // 2, width // 2, height))
    return image.convert(mode)


def saved(image: Image.Image, format: str = "JPEG", **options: Any) -> bytes:
    """The bytes of a file."""
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def loaded(body: bytes) -> Image.Image:
    """The picture in a file, unpacked."""
    image = Image.open(BytesIO(body))
    image.load()
    return image
