"""Rules for files, by their names."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePosixPath
from typing import Any

from toolkit.i18n import gettext_lazy
from toolkit.validators.base import Validator


class FileExtensionValidator(Validator):
    """The name of a file ends in one of these. A name is no proof of what is inside.

    Args:
        allowed_extensions: Without the dot, in any case; None allows all.
        message: What to say.
        code: The error's stable name.
    """

    message = gettext_lazy("files of the kind %(extension)s are not allowed; allowed are %(allowed_extensions)s")
    code = "invalid_extension"

    def __init__(
        self, allowed_extensions: Collection[str] | None = None, message: Any = None, code: str | None = None
    ) -> None:
        super().__init__(message, code)
        self.allowed_extensions = None if allowed_extensions is None else [one.lower() for one in allowed_extensions]

    def __call__(self, value: Any) -> None:
        name = str(getattr(value, "name", value))
        extension = PurePosixPath(name.replace("\\", "/")).suffix[1:].lower()
        if self.allowed_extensions is not None and extension not in self.allowed_extensions:
            allowed = ", ".join(self.allowed_extensions)
            raise self.refuse(value, extension=repr(extension), allowed_extensions=allowed)


IMAGE_EXTENSIONS = ("apng", "avif", "bmp", "gif", "ico", "jfif", "jpeg", "jpg", "png", "tif", "tiff", "webp")
"""Endings of pixel images. Pillow knows more, PDF and PostScript among them, which are programs rather than images."""

validate_image_file_extension = FileExtensionValidator(IMAGE_EXTENSIONS)
"""The name of a file ends as that of a pixel image."""
