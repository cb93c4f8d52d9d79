"""A random token for each table, gone at the table's next change: equal tokens mean equal tables."""

from toolkit.database.tokens.keeping import TokenKeeper, install_tokens, read_tokens

__all__ = ["TokenKeeper", "install_tokens", "read_tokens"]
