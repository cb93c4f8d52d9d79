"""Tokens of tables, and of buckets of their rows, whatever keeps them.

Equal tokens mean equal tables: a token is drawn from 128 random bits when somebody asks, and any insert, update or
delete, whoever makes it (the models, psql, Datasette, a bulk import), takes it away by trigger. A table that cannot be
vouched for has no token, and is compared row by row instead: so a keeper may always say too little, never too much.
In the same way tokens of buckets, of rows with neighbouring keys, tell which rows of a changed table are as they were.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

import msgspec

from toolkit.errors import DatabaseError

if TYPE_CHECKING:
    from toolkit.database.connections import Database

TOKENS = "toolkit_token"
"""The table of tokens: name, token."""

BUCKETS = "toolkit_bucket"
"""The table of buckets' tokens: name, bucket, token; an empty one where rows were written since it was drawn."""

CHANGES = "toolkit_change"
"""On servers, the table in which triggers note that a table changed.

A trigger that deleted the token itself would make writers of one table wait for each other, and two that write two
tables in opposite order lock each other out. So each only adds a row of its own, where none is there that it could
rely on: the table has a row or a few for each bucket that was written since the last draw, however often that was.
"""


EVERY_BUCKET = -(1 << 62)
"""On servers, stands for all buckets: it was not seen which, or the key is no whole number. No key is in it."""


class Buckets(msgspec.Struct, frozen=True):
    """Where the rows of a table may have changed.

    Args:
        column: The primary key, a whole number.
        tokens: Bucket of the key to its token, of every bucket in which there are rows; empty if it has none now.
    """

    column: str
    tokens: Mapping[int, str]


class Watched(Protocol):
    """A table that triggers watch."""

    @property
    def key(self) -> str | None:
        """The column of its key, if that is one whole number."""

    @property
    def state(self) -> str:
        """What its tokens are bound to."""


def bound_key(database: Database, table: str, found: Watched | None) -> str | None:
    """The key of a table on a server by which its rows are in buckets; None if it has none, or nobody watches it, or
    it is not as it was when its token was drawn."""
    if found is None or found.key is None:
        return None
    bound = database.fetch(f"SELECT 1 FROM {TOKENS} WHERE name = %s AND state = %s", [table, found.state])  # noqa: S608 - a constant
    return found.key if bound else None


class TokenKeeper:
    """How one kind of database keeps tokens.

    Attributes:
        refusals: A regular expression of what the database says when it may not be written so.
    """

    refusals: ClassVar[str] = "read-?only"

    def fits(self, database: Database) -> bool:
        """Whether it can keep tokens on this server."""
        return True

    def read(self, database: Database, tables: Sequence[str]) -> dict[str, str]:
        """Table to token, for the tables that did not change since it was drawn, and would have told if they had."""
        raise NotImplementedError

    def read_buckets(self, database: Database, table: str) -> Buckets | None:
        """The buckets of a table; None where nobody keeps them, or has all the time.

        A row that was inserted or updated in a bucket has taken its token; rows that were deleted may not have.
        """
        return None

    def prepare(self, database: Database, tables: Sequence[str]) -> None:
        """Make the triggers, and the tables for the tokens."""
        raise NotImplementedError

    def release(self, database: Database) -> None:
        """Take away triggers that refuse all writes, as what they write to is not there."""

    def draw(self, database: Database, tables: Sequence[str]) -> None:
        """Give tables new tokens, where it is sure that nobody is writing to them."""
        raise NotImplementedError


def new_token() -> str:
    """A token that was never there before."""
    return secrets.token_hex(16)


def _keeper(database: Database) -> TokenKeeper | None:
    keeper: TokenKeeper | None = database.backend.token_keeper()
    return keeper if keeper is not None and keeper.fits(database) else None


def install_tokens(database: Database, tables: Iterable[str]) -> None:
    """Give each table its triggers and, where it has none, a new token.

    A database that must not be written, or whose tables are in use, is left alone.
    """
    keeper = _keeper(database)
    wanted = sorted(tables)
    if keeper is None or set(keeper.read(database, wanted)) == set(wanted):
        return
    try:
        keeper.prepare(database, wanted)
        found = keeper.read(database, wanted)
        keeper.draw(database, [table for table in wanted if table not in found])
    except DatabaseError as error:
        if not re.search(keeper.refusals, str(error), re.IGNORECASE):
            raise


def release_writers(database: Database) -> None:
    """See ``TokenKeeper.release``; to be called before a build writes."""
    keeper = _keeper(database)
    if keeper is not None:
        keeper.release(database)


def read_tokens(database: Database, tables: Iterable[str]) -> dict[str, str]:
    """Table to token, for the tables that have one and whose triggers all stand as they were made."""
    keeper = _keeper(database)
    return {} if keeper is None else keeper.read(database, sorted(tables))


def read_buckets(database: Database, table: str) -> Buckets | None:
    """See ``TokenKeeper.read_buckets``."""
    keeper = _keeper(database)
    return None if keeper is None else keeper.read_buckets(database, table)
