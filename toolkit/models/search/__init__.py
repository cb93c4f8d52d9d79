"""Full-text search: declared in a model, asked of its querysets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.lazily import names_from

if TYPE_CHECKING:
    from toolkit.models.search.declaration import Search, SearchRank
    from toolkit.models.search.keeping import refresh_indexes

__all__ = ["Search", "SearchRank", "refresh_indexes"]

__getattr__ = names_from(
    __name__,
    {
        "declaration": ["Search", "SearchRank"],
        "keeping": ["refresh_indexes"],
    },
)
