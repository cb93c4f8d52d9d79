"""The storages of one site, by the names that its settings give them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from toolkit.errors import StorageError, did_you_mean
from toolkit.stamps import FileDigests
from toolkit.storage.base import Storage
from toolkit.storage.filesystem import FileSystemStorage

DEFAULT = "default"
BACKENDS = {
    "filesystem": "toolkit.storage.filesystem:FileSystemStorage",
    "memory": "toolkit.storage.memory:InMemoryStorage",
    "fsspec": "toolkit.storage.remote:FsspecStorage",
}
"""Those of the toolkit, by their short names."""


class Storages:
    """Storages by name, each made when it is first asked for.

    Args:
        declared: Name to options: ``backend`` (``filesystem``, ``memory``, ``fsspec`` or ``module:Class``), and what
            that takes. There is always a ``default``: the folder ``media``, published under ``/media/``.
        folder: The site's folder, where relative folders start.
        digests: Knows the digests of files in folders.
        base_path: The path below which the site is published.
    """

    def __init__(
        self,
        declared: Mapping[str, Mapping[str, Any]],
        folder: Path,
        *,
        digests: FileDigests | None = None,
        base_path: str = "",
    ) -> None:
        self._base_path = base_path
        self._digests = digests or FileDigests()
        self._declared = {DEFAULT: {"backend": "filesystem"}, **declared}
        self._folder = folder
        self._made: dict[str, Storage] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._declared)

    def __getitem__(self, name: str) -> Storage:
        found = self._made.get(name)
        if found is None:
            found = self._made[name] = self._make(name)
        return found

    def _make(self, name: str) -> Storage:
        if name not in self._declared:
            raise StorageError(f"there is no storage {name!r}", hint=did_you_mean(name, self._declared))
        options = dict(self._declared[name])
        backend = str(options.pop("backend", "filesystem"))
        kind = _import(name, BACKENDS.get(backend, backend))
        if issubclass(kind, FileSystemStorage):
            options["folder"] = self._folder / options.get("folder", "media" if name == DEFAULT else f"media-{name}")
            if name != DEFAULT:
                options.setdefault("url", f"/media-{name}/")
        try:
            made = kind(**options)
        except TypeError as error:
            raise StorageError(f"the storage {name!r} cannot be made: {error}", hint="Mend [storages].") from error
        made.alias, made.base_path = name, self._base_path
        if isinstance(made, FileSystemStorage):
            made.digests = self._digests
        return made

    def find(self, url_path: str) -> tuple[str, str] | None:
        """The (storage, name) of a file that the site itself publishes at a path (percent-decoded), or None."""
        for name in self:
            storage = self[name]
            if storage.is_local and storage.base_url and url_path.startswith(storage.base_url):
                return name, url_path.removeprefix(storage.base_url)
        return None


def _import(name: str, backend: str) -> type[Storage]:
    module, _, attribute = backend.partition(":")
    try:
        kind = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise StorageError(
            f"the storage {name!r} has the backend {backend!r}, which cannot be imported: {error}",
            hint=f"Use one of {', '.join(BACKENDS)}, or module:Class.",
        ) from error
    if not (isinstance(kind, type) and issubclass(kind, Storage)):
        raise StorageError(f"the storage {name!r}: {backend} is no Storage", hint="Subclass toolkit.storage.Storage.")
    return kind
