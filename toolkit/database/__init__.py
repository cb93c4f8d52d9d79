"""Databases: connections, transactions, snapshots, and the tokens that tell whether a table changed."""

from toolkit.database.backends import Backend, backend_for, spelling
from toolkit.database.connections import Database
from toolkit.database.tokens import install_tokens, read_tokens
from toolkit.database.transactions import Atomic

__all__ = ["Atomic", "Backend", "Database", "backend_for", "install_tokens", "read_tokens", "spelling"]
