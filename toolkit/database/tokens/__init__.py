"""A random token for each table, gone at the table's next change: equal tokens mean equal tables."""

from toolkit.database.tokens.keeping import (
    Buckets,
    TokenKeeper,
    install_tokens,
    read_buckets,
    read_tokens,
    release_writers,
)

__all__ = ["Buckets", "TokenKeeper", "install_tokens", "read_buckets", "read_tokens", "release_writers"]
