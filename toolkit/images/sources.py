"""Where images come from: files of file fields, static files, files beside the content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import NamedTuple

from toolkit.text import slugify


class ImageSource(NamedTuple):
    """An image file, as traces know it.

    Args:
        kind: ``stored`` (a file field's), ``asset`` (a static file) or ``file`` (beside the content).
        name: Its name in the storage, its path among the static files, or its path in the site's folder.
        storage: The name of the storage; empty for other kinds.
    """

    kind: str
    name: str
    storage: str = ""

    @property
    def label(self) -> str:
        """As messages name it."""
        what = {"stored": "stored image", "asset": "image", "file": "image"}[self.kind]
        return f"the {what} {self.name!r}"

    @property
    def stem(self) -> str:
        """What the names of its renditions begin with."""
        return slugify(PurePosixPath(self.name).stem, default="image")[:60].strip("-") or "image"


class ImageReader(NamedTuple):
    """How the images of one kind are read.

    Args:
        digest: 16 bytes that stand for the content, or ``ABSENT``.
        read: The content.
        suggest: What to say when there is no such image.
    """

    digest: Callable[[ImageSource], bytes]
    read: Callable[[ImageSource], bytes]
    suggest: Callable[[ImageSource], str]
