"""Databases: connections, transactions, snapshots, and the tokens that tell whether a table changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.lazily import names_from

if TYPE_CHECKING:
    from toolkit.database.backends import Backend, backend_for, spelling
    from toolkit.database.connections import DEFAULT, Database
    from toolkit.database.log import LoggedQuery, QueryLog
    from toolkit.database.tokens import Buckets, install_tokens, read_buckets, read_tokens, release_writers
    from toolkit.database.transactions import (
        Atomic,
        atomic,
        atomic_request,
        non_atomic_requests,
        on_commit,
        set_rollback,
    )

__all__ = [
    "Buckets",
    "DEFAULT",
    "Atomic",
    "Backend",
    "Database",
    "LoggedQuery",
    "QueryLog",
    "atomic",
    "atomic_request",
    "backend_for",
    "install_tokens",
    "read_buckets",
    "non_atomic_requests",
    "on_commit",
    "read_tokens",
    "release_writers",
    "set_rollback",
    "spelling",
]

__getattr__ = names_from(
    __name__,
    {
        "backends": ["Backend", "backend_for", "spelling"],
        "connections": ["DEFAULT", "Database"],
        "log": ["LoggedQuery", "QueryLog"],
        "tokens": ["Buckets", "install_tokens", "read_buckets", "read_tokens", "release_writers"],
        "transactions": ["Atomic", "atomic", "atomic_request", "non_atomic_requests", "on_commit", "set_rollback"],
    },
)
