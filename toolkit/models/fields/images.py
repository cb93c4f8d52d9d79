"""Image fields: files whose pixels are looked at."""

from __future__ import annotations

import threading
import warnings
from typing import Any, NamedTuple, overload

from toolkit.errors import StorageError, ValidationError
from toolkit.i18n import gettext_lazy
from toolkit.images import parse_focal
from toolkit.models.fields.files import FieldFile, FileField
from toolkit.storage import File
from toolkit.validators import validate_image_file_extension

IMAGE_FORMATS = ("AVIF", "BMP", "GIF", "ICO", "JPEG", "PNG", "TIFF", "WEBP")
"""What Pillow may take a file for. It knows more, PostScript among them, which runs a program."""

MAX_IMAGE_PIXELS = 100_000_000
"""A picture of more is refused: 100 megapixels take 300 MB once they are unpacked."""

INVALID_IMAGE = gettext_lazy("the file is no image that can be read")
TOO_MANY_PIXELS = gettext_lazy("the image has %(width)s × %(height)s pixels; at most %(max)s in all are allowed")

_looking = threading.Lock()
"""Held while warnings are silenced, which concerns the whole process."""


class Dimensions(NamedTuple):
    """Pixels."""

    width: int
    height: int


def image_dimensions(file: Any) -> Dimensions:
    """The size of an image, from the beginning of its file: nothing is unpacked.

    Args:
        file: A binary file that is open; stands where it stood afterwards.

    Raises:
        ValidationError: It is no image, or one that would fill the memory.
    """
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise StorageError(
            "images cannot be looked at: Pillow is not installed", hint="pip install 'publishing-toolkit[images]'"
        ) from error

    here = file.tell()
    file.seek(0)
    try:
        with _looking, warnings.catch_warnings():  # Pillow warns of what is refused below
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(file, formats=IMAGE_FORMATS) as image:
                found = Dimensions(*image.size)
    except Image.DecompressionBombError as error:
        raise _too_many("?", "?") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, OverflowError, TypeError) as error:
        raise ValidationError(INVALID_IMAGE, code="invalid_image") from error
    finally:
        if not file.closed:
            file.seek(here)
    if found.width * found.height > MAX_IMAGE_PIXELS:
        raise _too_many(found.width, found.height)
    return found


def _too_many(width: object, height: object) -> ValidationError:
    params = {"width": width, "height": height, "max": MAX_IMAGE_PIXELS}
    return ValidationError(TOO_MANY_PIXELS, code="image_too_large", params=params)


class ImageFieldFile(FieldFile):
    """The image of one instance: a file with a width and a height."""

    @property
    def width(self) -> int:
        """Pixels."""
        return self._dimensions().width

    @property
    def height(self) -> int:
        """Pixels."""
        return self._dimensions().height

    @property
    def focal_point(self) -> tuple[float, float] | None:
        """What must stay in view when the image is cut, as parts of its width and height; None if nobody said.

        Raises:
            ImageError: The field for it holds something else.
        """
        name = getattr(self.field, "focal_field", None)
        written = getattr(self.instance, name, None) if name and self.instance is not None else None
        return parse_focal(written) if written else None

    def _dimensions(self) -> Dimensions:
        with self.open() if self.committed else _left_open(self.open()) as file:
            return image_dimensions(file.file)


class _left_open:
    """A file that somebody else will close."""

    def __init__(self, file: File) -> None:
        self.file = file

    def __enter__(self) -> File:
        return self.file

    def __exit__(self, *_: object) -> None:
        """Leave it open."""


class ImageField(FileField):
    """A pixel image, known by its content and not by its name alone. Needs the extra ``images``.

    Args:
        width_field: A field of the model that gets the width in pixels.
        height_field: A field of the model that gets the height.
        focal_field: A text field of the model that says what must stay in view when the image is cut, such as
            ``50% 30%``: half across, near the top.
        options: As for ``FileField``.
    """

    attr_class = ImageFieldFile
    not_in_database = FileField.not_in_database | {"width_field", "height_field", "focal_field"}

    def __init__(
        self,
        *,
        width_field: str | None = None,
        height_field: str | None = None,
        focal_field: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.width_field, self.height_field, self.focal_field = width_field, height_field, focal_field

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> ImageField: ...
    @overload
    def __get__(self, instance: object, owner: type[Any]) -> ImageFieldFile: ...
    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        return super().__get__(instance, owner)

    def took_file(self, instance: Any, file: FieldFile) -> None:
        names = [self.width_field, self.height_field]
        if not any(names):
            return
        found: tuple[int | None, int | None] = (None, None)
        if file.name:
            try:
                found = file._dimensions()  # type: ignore[attr-defined]  # an image field's
            except ValidationError:
                found = (None, None)  # clean() tells
        for name, value in zip(names, found, strict=True):
            if name:
                setattr(instance, name, value)

    def validate(self, value: Any) -> None:
        super().validate(value)
        validate_image_file_extension(value)
        if isinstance(value, FieldFile) and value.committed:
            return
        if isinstance(value, File):
            image_dimensions(value.file)
