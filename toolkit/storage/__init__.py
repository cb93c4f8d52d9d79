"""Where uploaded files are kept: a folder, memory, or a place on the net, behind one interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.lazily import names_from

if TYPE_CHECKING:
    from toolkit.storage.base import Storage
    from toolkit.storage.files import ContentFile, File
    from toolkit.storage.filesystem import FileSystemStorage
    from toolkit.storage.memory import InMemoryStorage
    from toolkit.storage.registry import Storages
    from toolkit.storage.remote import FsspecStorage

__all__ = ["ContentFile", "File", "FileSystemStorage", "FsspecStorage", "InMemoryStorage", "Storage", "Storages"]

__getattr__ = names_from(
    __name__,
    {
        "base": ["Storage"],
        "files": ["ContentFile", "File"],
        "filesystem": ["FileSystemStorage"],
        "memory": ["InMemoryStorage"],
        "registry": ["Storages"],
        "remote": ["FsspecStorage"],
    },
)
