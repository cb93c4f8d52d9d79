"""Finding the backend of a URL. The toolkit's own are found by entry point, as those of others are."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from toolkit.database.backends.base import SECRETS, Backend
from toolkit.errors import DatabaseError, did_you_mean
from toolkit.lazily import LazyModule

if TYPE_CHECKING:
    from importlib import metadata
else:
    metadata = LazyModule("importlib.metadata")

GROUP = "toolkit.backends"

_OWN = {
    "sqlite": "sqlite:SQLite",
    "postgresql": "postgresql:PostgreSQL",
    "postgres": "postgresql:PostgreSQL",
    "mysql": "mysql:MySQL",
    "mariadb": "mysql:MySQL",
    "oracle": "untried:Oracle",
    "mssql": "untried:SQLServer",
}
"""Scheme to module and class. Not read from the distribution's metadata: that costs 20 ms at every start."""


def backend_for(url: str, folder: Path) -> Backend:
    """The backend of a database's URL.

    Raises:
        DatabaseError: It is no URL, or no backend answers to its scheme.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # which is looked at only now
    except ValueError as error:
        raise DatabaseError(
            f"database = {_without_password(url)!r} is no URL: {error}",
            hint="Such as postgresql://user@host:5432/name; of an IPv6 address, with brackets.",
        ) from error
    return _class_of(parts.scheme.partition("+")[0], url)(url, folder)


def _without_password(url: str) -> str:
    """A URL for people to read, whatever is wrong with it."""
    return SECRETS.sub(r"\1***", re.sub(r"(//[^/@:]*:).*@", r"\1***@", url))


def _class_of(scheme: str, url: str) -> type[Backend]:
    if scheme in _OWN:
        return _own(scheme)
    found = {entry.name: entry for entry in metadata.entry_points(group=GROUP)}
    if scheme not in found:
        raise DatabaseError(
            f"database = {_without_password(url)!r} names no database that the toolkit knows",
            hint="Use sqlite:///file.db, postgresql://user@host/name or mysql://user@host/name.",
        )
    return _loaded(found[scheme])


@cache
def _own(scheme: str) -> type[Backend]:
    module, _, name = _OWN[scheme].partition(":")
    backend: type[Backend] = getattr(import_module(f"toolkit.database.backends.{module}"), name)
    return backend


def _loaded(entry: metadata.EntryPoint) -> type[Backend]:
    where = entry.value
    try:
        backend = entry.load()
    except (ImportError, AttributeError) as error:
        raise DatabaseError(
            f"the entry point {where!r} of {GROUP} cannot be loaded: {error}",
            hint="Is the distribution that has it installed whole, with what it needs?",
        ) from error
    if not (isinstance(backend, type) and issubclass(backend, Backend)):
        raise DatabaseError(
            f"the entry point {where!r} of {GROUP} gives {backend!r}, which is no backend",
            hint="Let it name a subclass of toolkit.database.Backend.",
        )
    return backend


@cache
def spelling(dialect: str) -> type[Backend]:
    """The backend class that knows how a dialect's SQL is written: its quotes and marks, and what it can do.

    A dialect that none of the toolkit's backends speaks is looked for among those of other distributions.
    """
    if dialect in _OWN:
        return _own(dialect)
    for entry in metadata.entry_points(group=GROUP):
        backend = _loaded(entry)
        if backend.dialect == dialect:
            return backend
    raise DatabaseError(f"no backend speaks the dialect {dialect!r}", hint=did_you_mean(dialect, _OWN))
