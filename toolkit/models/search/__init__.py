"""Full-text search: declared in a model, asked of its querysets."""

from toolkit.models.search.declaration import Search, SearchRank
from toolkit.models.search.keeping import refresh_indexes

__all__ = ["Search", "SearchRank", "refresh_indexes"]
