"""The images of a site: in the storages of its file fields, among its static files, beside its content."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from toolkit.errors import ImageError, StorageError, did_you_mean
from toolkit.images import Images, ImageSource, Options, RenditionStore
from toolkit.images.sources import ImageReader
from toolkit.models.fields.files import FieldFile
from toolkit.trace import ABSENT, record

SUFFIXES = frozenset({".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".svg", ".tif", ".tiff", ".webp"})
"""What an image beside the content is called: nothing else there can be published as one."""


def make_images(site: Any) -> Images:
    """The images of a site."""
    settings = site.settings
    options = Options(
        url_prefix=settings.peek("renditions_url"),
        widths=tuple(settings.peek("image_widths")),
        formats=tuple(settings.peek("image_formats")),
        qualities={name: settings.peek(f"{name}_quality") for name in ("avif", "webp", "jpeg")},
        sizes=settings.peek("image_sizes"),
        max_pixels=settings.peek("image_max_pixels"),
        placeholder=settings.peek("image_placeholder"),
        base_path=site.base_path,
    )
    readers = {
        "stored": ImageReader(partial(_stored_digest, site), partial(_read_stored, site), _no_stored),
        "asset": ImageReader(partial(_asset_digest, site), partial(_read_asset, site), partial(_other_asset, site)),
        "file": ImageReader(partial(_file_digest, site), partial(_read_file, site), _no_file),
    }
    store = RenditionStore(site.folder / settings.peek("renditions"))
    return Images(readers, partial(take_source, site), store, options)


def take_source(site: Any, image: Any) -> ImageSource:
    """Which image a template means.

    Raises:
        ImageError: None.
    """
    if isinstance(image, FieldFile):
        return _field_source(image)
    if not isinstance(image, str) or not image:
        raise ImageError(
            f"{image!r} is no image",
            hint="Give the file of a field (story.photo) or the path of a static image; ask first if there is one.",
        )
    found = find_image(site, image)
    return found or ImageSource("asset", image)


def _field_source(file: FieldFile) -> ImageSource:
    if not file.name or not file.committed:
        raise ImageError(f"{file.field.label} has no file", hint="Ask first: {% if story.photo %}.")
    if not isinstance(file.field.storage, str):
        raise ImageError(
            f"{file.field.label} keeps its files in a storage without a name", hint="Name it in [storages]."
        )
    return ImageSource("stored", file.name, file.field.storage)


def find_image(site: Any, path: str) -> ImageSource | None:
    """The image at a path: among the static files, or in the folders of content, recorded as it is looked for.

    Args:
        site: The site.
        path: ``img/flood.jpg`` among the static files; ``flood.jpg`` beside the content files of any source, or
            ``content/stories/flood.jpg`` from the site's folder.
    """
    if path.startswith(("/", "data:", "#")) or "://" in path:
        return None
    if site.assets.find_file(path) is not None:
        return ImageSource("asset", path)
    found, missed = site.assets.kept(("image beside content", path), lambda: _beside_content(site, path))
    for kind, key in missed:
        record(kind, key, ABSENT)
    source: ImageSource | None = found
    return source


def _beside_content(site: Any, path: str) -> tuple[ImageSource | None, list[tuple[str, tuple[str]]]]:
    """The image in the folders of content, and (kind, key) of all that was looked for in vain."""
    missed: list[tuple[str, tuple[str]]] = []
    for name in _content_places(site, path):
        if (site.folder / name).is_file():
            return ImageSource("file", name), [*missed, ("asset", (path,))]
        missed.append(("file", (name,)))
    return None, missed


def _content_places(site: Any, path: str) -> Iterator[str]:
    """Where an image beside the content may be, below the site's folder; nowhere else is looked."""
    pure = PurePosixPath(path)
    if pure.suffix.lower() not in SUFFIXES or "\\" in path or "\0" in path:
        return
    if any(part == ".." or part.startswith(".") for part in pure.parts):
        return
    folders = list(dict.fromkeys(source.folder for app in site.apps for source in app.sources))
    for folder in folders:
        if folder != PurePosixPath(".") and pure.is_relative_to(folder):
            yield pure.as_posix()
    yield from ((folder / pure).as_posix() for folder in folders)


# reading


def _stored_digest(site: Any, source: ImageSource) -> bytes:
    found: bytes = site.storages[source.storage].digest_of(source.name) if source.storage in site.storages else ABSENT
    return found


def _read_stored(site: Any, source: ImageSource) -> bytes:
    try:
        with site.storages[source.storage].open(source.name) as file:
            body: bytes = file.read()
            return body
    except StorageError as error:
        raise ImageError(f"{source.label} is not there", hint=error.hint) from error


def _no_stored(source: ImageSource) -> str:
    return f"The storage {source.storage!r} has no such file: copy its files along with the database."


def _asset_digest(site: Any, source: ImageSource) -> bytes:
    found = site.assets.find_file(source.name)
    return ABSENT if found is None else found[1]


def _read_asset(site: Any, source: ImageSource) -> bytes:
    found = site.assets.find_file(source.name)
    if found is None:
        raise ImageError(f"{source.label} is not there")
    return _read(found[0], source)


def _other_asset(site: Any, source: ImageSource) -> str:
    return did_you_mean(source.name, site.assets.iter_paths()) or "Static images are named from the folder 'static'."


def _file_digest(site: Any, source: ImageSource) -> bytes:
    place = site.folder / source.name
    if not place.resolve().is_relative_to(site.folder.resolve()):
        return ABSENT
    found: bytes | None = site.digests.find(place)
    return found or ABSENT


def _read_file(site: Any, source: ImageSource) -> bytes:
    return _read(site.folder / source.name, source)


def _no_file(source: ImageSource) -> str:
    return "It was looked for beside the content."


def _read(place: Path, source: ImageSource) -> bytes:
    try:
        return place.read_bytes()
    except OSError as error:
        raise ImageError(f"{source.label} cannot be read: {error.strerror}", path=place) from error
