"""The pages that stay as they are: counted, and read only by whoever goes through them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from toolkit.builder.manifest import Manifest
from toolkit.builder.records import Identity, PageRecord


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
