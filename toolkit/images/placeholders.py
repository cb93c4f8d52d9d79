"""What stands in an image's place until it is there: its colour, or itself, tiny and blurred, inside the page."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO

from toolkit.images.pillow import load_pillow


def placeholder_style(body: bytes, kind: str) -> str:
    """What the ``style`` of ``<img>`` declares: a background, which the image covers when it has come.

    Args:
        body: A tiny rendition of the image, as WebP.
        kind: ``color`` or ``blur``.
    """
    if kind == "color":
        return f"background-color:{_mean_colour(body)}"
    return f"background:url(data:image/webp;base64,{b64encode(body).decode()}) 0 0/100% 100% no-repeat"


def _mean_colour(body: bytes) -> str:
    pillow = load_pillow()
    with pillow.open(BytesIO(body), formats=["WEBP"]) as image:
        red, green, blue = image.convert("RGB").resize((1, 1), pillow.Resampling.BOX).getpixel((0, 0))
    return f"#{red:02x}{green:02x}{blue:02x}"
