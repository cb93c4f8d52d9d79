"""Databases: connections, transactions, snapshots, and the tokens that tell whether a table changed."""

from toolkit.database.connections import Database
from toolkit.database.tokens import install_tokens, read_tokens
from toolkit.database.transactions import Atomic

__all__ = ["Atomic", "Database", "install_tokens", "read_tokens"]
