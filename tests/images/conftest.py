"""Images made for the tests, and a library of images in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.images.making import photograph, saved
from toolkit.images import Images, ImageSource, Options, RenditionStore
from toolkit.images.sources import ImageReader
from toolkit.trace import ABSENT, digest_bytes


@pytest.fixture
def files() -> dict[str, bytes]:
    """Name to content of the images of a library: change them as you like."""
    return {"photo.jpg": saved(photograph(), quality=95)}


@pytest.fixture
def make_images(files: dict[str, bytes], tmp_path: Path) -> Callable[..., Images]:
    """``make_images(options, folder="other")``: a library of these files."""

    def make(options: Options | None = None, *, folder: str = "renditions") -> Images:
        reader = ImageReader(
            lambda source: digest_bytes(files[source.name]) if source.name in files else ABSENT,
            lambda source: files[source.name],
            lambda source: "Look again.",
        )
        return Images(
            {"asset": reader},
            lambda name: ImageSource("asset", name),
            RenditionStore(tmp_path / folder),
            options or Options(widths=(40, 80)),
        )

    return make


@pytest.fixture
def images(make_images: Callable[..., Images]) -> Images:
    """A library of one photograph."""
    return make_images()
