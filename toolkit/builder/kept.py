"""The pages and files that the last build left: counted, and all read only by whoever goes through them."""

from __future__ import annotations

from collections.abc import Collection, ItemsView, Iterator, Mapping, ValuesView
from functools import cached_property

from toolkit.builder.manifest import Manifest
from toolkit.builder.records import FileRecord, Identity, PageRecord


class KeptPages:
    """All pages of the last build but some.

    Args:
        manifest: The last build.
        others: Which pages do not stay.
    """

    def __init__(self, manifest: Manifest, others: Collection[Identity] = ()) -> None:
        self._manifest = manifest
        self._others = others

    def __len__(self) -> int:
        return self._manifest.page_count() - len(self._others)

    def __iter__(self) -> Iterator[PageRecord]:
        return (record for record in self._manifest.iter_pages() if record.identity not in self._others)


class KeptFiles(Mapping[str, FileRecord]):
    """The files that builds wrote, by path. An edit asks for those of its pages.

    Args:
        manifest: The last build. It must not be written as long as anybody asks.
    """

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    @cached_property
    def all(self) -> dict[str, FileRecord]:
        """All of them, in memory: what another process can have, too."""
        return self._manifest.files()

    def __getitem__(self, path: str) -> FileRecord:
        if "all" in vars(self):
            return self.all[path]
        found = self._manifest.find_file(path)
        if found is None:
            raise KeyError(path)
        return found

    def __len__(self) -> int:
        return len(self.all) if "all" in vars(self) else self._manifest.file_count()

    def __iter__(self) -> Iterator[str]:
        return iter(self.all)

    def items(self) -> ItemsView[str, FileRecord]:
        """Paths and records."""
        return self.all.items()

    def values(self) -> ValuesView[FileRecord]:
        """The records."""
        return self.all.values()

    def owned(self, *owners: str) -> list[FileRecord]:
        """Those of some owners."""
        if "all" in vars(self):
            return [record for record in self.all.values() if record.owner in owners]
        return self._manifest.files_owned(owners)


class KeptDigests(Mapping[str, bytes]):
    """Digests of the files that stand as the last build left them, by path.

    Args:
        files: What it wrote.
        suspect: Paths of those that are others now.
    """

    def __init__(self, files: Mapping[str, FileRecord], suspect: Collection[str]) -> None:
        self._files, self._suspect = files, suspect

    def __getitem__(self, path: str) -> bytes:
        if path in self._suspect:
            raise KeyError(path)
        return self._files[path].digest

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[str]:
        return (path for path in self._files if path not in self._suspect)
