"""Tokens in PostgreSQL: triggers of each statement note the transaction, and the buckets of rows that it wrote.

Each transaction notes rows of its own, or holds those that another has noted, so writers never wait for each other. A
token stands while no visible transaction has written the table, or the bucket, since it was drawn. It is bound to the
table, its file, its columns and its triggers as they were then: rewriting the table, dropping and making it anew, or
restoring a dump leave it without a token. ``TRUNCATE`` and what foreign keys do count as well; replicas and
``session_replication_role`` do not silence the triggers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from toolkit.database.tokens.keeping import (
    BUCKETS,
    CHANGES,
    EVERY_BUCKET,
    TOKENS,
    Buckets,
    TokenKeeper,
    bound_key,
    new_token,
)
from toolkit.database.tokens.postgresql_triggers import (
    FUNCTION,
    PREFIX,
    SIGNATURE,
    WHOLE_NUMBERS,
    Trigger,
    signature,
    triggers_of,
)
from toolkit.trace import BUCKET_BITS

if TYPE_CHECKING:
    from toolkit.database.connections import Database

LOCK_TIMEOUT = "2s"
"""How long to wait for writers before a table gets its triggers; without them it is compared row by row."""

_TABLES = {
    TOKENS: "name text PRIMARY KEY, token text NOT NULL, state text NOT NULL",
    BUCKETS: "name text, bucket bigint, token text NOT NULL, PRIMARY KEY (name, bucket)",
    CHANGES: "name text, bucket bigint, transaction xid8, began timestamptz, "
    "PRIMARY KEY (name, bucket, transaction, began)",
}
_COLUMNS = {
    *(f"{TOKENS}.{column}" for column in ("name", "token", "state")),
    *(f"{BUCKETS}.{column}" for column in ("name", "bucket", "token")),
    *(f"{CHANGES}.{column}" for column in ("name", "bucket", "transaction", "began")),
}


class _Table(NamedTuple):
    """A table that triggers can watch.

    Args:
        key: The column of its key, if that is one whole number.
        state: What its tokens are bound to.
        signature: The definitions of the triggers that it has.
    """

    key: str | None
    state: str
    signature: str


class PostgreSQLTokens(TokenKeeper):
    """Tokens in a PostgreSQL schema."""

    refusals = "read-only|permission denied|must be owner|lock timeout"

    def read(self, database: Database, tables: Sequence[str]) -> dict[str, str]:
        if not _is_laid_out(database):
            return {}
        watched = _watched(database, tables)
        sql = (
            f"SELECT k.name, k.token, k.state FROM {TOKENS} k WHERE k.name = ANY(%s) "  # noqa: S608 - constants
            f"AND NOT EXISTS (SELECT 1 FROM {CHANGES} g WHERE g.name = k.name)"
        )
        rows = database.fetch(sql, [list(watched)])
        return {name: token for name, token, state in rows if watched[name].state == state}

    def read_buckets(self, database: Database, table: str) -> Buckets | None:
        if not _is_laid_out(database):
            return None
        key = bound_key(database, table, _watched(database, [table]).get(table))
        if key is None:
            return None
        sql = (
            f"SELECT coalesce(k.bucket, g.bucket), CASE WHEN g.bucket IS NULL THEN k.token ELSE '' END "  # noqa: S608 - constants
            f"FROM (SELECT bucket, token FROM {BUCKETS} WHERE name = %s) k FULL JOIN "
            f"(SELECT DISTINCT bucket FROM {CHANGES} WHERE name = %s) g ON g.bucket = k.bucket"
        )
        tokens = dict(database.fetch(sql, [table, table]))
        return Buckets(key, tokens) if EVERY_BUCKET not in tokens else None

    def prepare(self, database: Database, tables: Sequence[str]) -> None:
        """Make what is missing, a table at a time: whoever holds the locks of two could lock a writer of both out."""
        if not _is_laid_out(database):
            _lay_out(database)
        schema = _schema(database)
        for table in sorted(_tables(database, tables).keys() - _watched(database, tables).keys()):
            with _alone(database):
                found = _tables(database, [table]).get(table)
                if found is not None:
                    _make_triggers(database, table, triggers_of(schema, found.key))

    def draw(self, database: Database, tables: Sequence[str]) -> None:
        """Forget what transactions noted that are over. What one still at work noted is not seen here, and stays; so
        does what it relies on, which it holds."""
        names = list(tables)
        with database.atomic():
            database.run(f"LOCK TABLE {TOKENS} IN EXCLUSIVE MODE")  # one who draws at a time
            written: dict[str, set[int]] = defaultdict(set)
            for name, bucket in database.fetch(
                f"WITH gone AS (DELETE FROM {CHANGES} WHERE ctid = ANY(ARRAY("  # noqa: S608 - constants
                f"SELECT ctid FROM {CHANGES} WHERE name = ANY(%s) FOR UPDATE SKIP LOCKED"
                ")) RETURNING name, bucket) SELECT DISTINCT name, bucket FROM gone",
                [names],
            ):
                written[name].add(bucket)
            watched = _watched(database, names)
            bound = dict(database.fetch(f"SELECT name, state FROM {TOKENS} WHERE name = ANY(%s)", [names]))  # noqa: S608 - a constant
            database.run(f"DELETE FROM {TOKENS} WHERE name = ANY(%s)", [names])  # noqa: S608 - a constant
            for name, table in watched.items():
                if bound.get(name) != table.state or EVERY_BUCKET in written[name]:
                    _draw_all_buckets(database, name, table.key)
                elif table.key is not None:
                    _draw_buckets(database, name, table.key, written[name])
            database.run_many(
                f"INSERT INTO {TOKENS} VALUES (%s, %s, %s)",  # noqa: S608 - a constant
                [(name, new_token(), table.state) for name, table in watched.items()],
            )


_DRAWN = "replace(gen_random_uuid()::text, '-', '')"


def _draw_all_buckets(database: Database, table: str, key: str | None) -> None:
    """New tokens for all buckets in which there are rows."""
    database.run(f"DELETE FROM {BUCKETS} WHERE name = %s", [table])  # noqa: S608 - a constant
    if key is not None:
        column, source = database.backend.quoted(key), database.backend.quoted(table)
        found = f"SELECT DISTINCT {column} >> {BUCKET_BITS} AS bucket FROM {source}"  # noqa: S608 - names of the schema
        database.run(
            f"INSERT INTO {BUCKETS} SELECT %s, bucket, {_DRAWN} FROM ({found}) found",  # noqa: S608 - as above
            [table],
        )


def _draw_buckets(database: Database, table: str, key: str, written: Collection[int]) -> None:
    """New tokens for some buckets; those without rows are forgotten."""
    column, source = database.backend.quoted(key), database.backend.quoted(table)
    first = f"(bucket << {BUCKET_BITS})"
    is_there = f"EXISTS (SELECT 1 FROM {source} WHERE {column} BETWEEN {first} AND {first} + {(1 << BUCKET_BITS) - 1})"  # noqa: S608 - names of the schema
    listed = sorted(written)
    database.run(f"DELETE FROM {BUCKETS} WHERE name = %s AND bucket = ANY(%s)", [table, listed])  # noqa: S608 - a constant
    database.run(
        f"INSERT INTO {BUCKETS} SELECT %s, bucket, {_DRAWN} "  # noqa: S608 - as above
        f"FROM unnest(%s::bigint[]) AS written (bucket) WHERE {is_there}",
        [table, listed],
    )


def _schema(database: Database) -> str:
    return str(database.fetch("SELECT current_schema()")[0][0])


def _is_laid_out(database: Database) -> bool:
    """Whether the tables of tokens are there, with the columns of today."""
    rows = database.fetch(
        "SELECT c.relname || '.' || a.attname FROM pg_class c "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
        "WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname = ANY(%s)",
        [list(_TABLES)],
    )
    return {name for (name,) in rows} == _COLUMNS


def _lay_out(database: Database) -> None:
    """Put the tables of tokens in the place of what another version made, or somebody left.

    Triggers go first, so that no writer is between.
    """
    rows = database.fetch(
        "SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "WHERE c.relnamespace = current_schema()::regnamespace AND starts_with(t.tgname, %s)",
        [PREFIX],
    )
    for (table,) in rows:
        with _alone(database):
            _drop_triggers(database, table)
    with _alone(database):
        if not _is_laid_out(database):
            for (name,) in database.fetch(
                "SELECT p.proname FROM pg_proc p "
                "WHERE p.pronamespace = current_schema()::regnamespace AND starts_with(p.proname, %s)",
                [FUNCTION],
            ):
                database.run(f"DROP FUNCTION IF EXISTS {database.backend.quoted(name)}()")
            for name, columns in _TABLES.items():
                database.run(f"DROP TABLE IF EXISTS {name}")
                database.run(f"CREATE TABLE {name} ({columns})")


@contextmanager
def _alone(database: Database) -> Iterator[None]:
    """A transaction, one build at a time, that does not wait long for writers: all others would wait behind it."""
    with database.atomic():
        database.run(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        database.run(f"SELECT pg_advisory_xact_lock(hashtext('{TOKENS}'), hashtext(current_schema()))")
        yield


def _make_triggers(database: Database, table: str, triggers: Sequence[Trigger]) -> None:
    _drop_triggers(database, table)
    for function in dict.fromkeys(trigger.function for trigger in triggers):
        if function.body not in _bodies(database, function.name):  # one made anew would void the tokens of all tables
            database.run(function.sql())
    for trigger in triggers:
        for statement in trigger.sql(database.backend.quoted(table)):
            database.run(statement)


def _drop_triggers(database: Database, table: str) -> None:
    rows = database.fetch(
        "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = %s AND starts_with(t.tgname, %s)",
        [table, PREFIX],
    )
    for (name,) in rows:
        database.run(f"DROP TRIGGER IF EXISTS {database.backend.quoted(name)} ON {database.backend.quoted(table)}")


def _bodies(database: Database, function: str) -> list[str]:
    rows = database.fetch(
        "SELECT prosrc FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND proname = %s", [function]
    )
    return [body for (body,) in rows]


def _watched(database: Database, tables: Iterable[str]) -> dict[str, _Table]:
    """The tables whose triggers all are as they are made."""
    found = _tables(database, tables)
    wanted: dict[str | None, str] = {}
    if found:
        schema = _schema(database)
        wanted = {key: signature(triggers_of(schema, key)) for key in {table.key for table in found.values()}}
    return {name: table for name, table in found.items() if table.signature == wanted[table.key]}


def _tables(database: Database, tables: Iterable[str]) -> Mapping[str, _Table]:
    """The tables that triggers can watch."""
    rows = database.fetch(_FOUND, [PREFIX, list(tables)])
    return {name: _Table(key, state, triggers or "") for name, key, state, triggers in rows}


_FOUND = f"""
    SELECT c.relname, (
        SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1 AND a.atttypid IN ({WHOLE_NUMBERS})
    ), concat_ws(':', c.oid, c.relfilenode, c.xmin, n.xmin, g.oid, g.relfilenode, g.xmin, s.state, (
        SELECT md5(string_agg(a.xmin::text, ' ' ORDER BY a.attnum)) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0
    )), s.signature
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_class g ON g.relnamespace = c.relnamespace AND g.relname = '{CHANGES}'
    CROSS JOIN LATERAL (
        SELECT md5(string_agg(concat_ws(':', t.oid, t.xmin, p.oid, p.xmin), ' ' ORDER BY t.oid)) AS state,
            {SIGNATURE} AS signature
        FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid AND p.pronamespace = c.relnamespace
        WHERE t.tgrelid = c.oid AND starts_with(t.tgname, %s) AND t.tgqual IS NULL AND t.tgattr::text = ''
    ) s
    WHERE n.nspname = current_schema() AND c.relname = ANY(%s)
    AND c.relkind = 'r' AND c.relpersistence = 'p' AND NOT c.relispartition AND NOT c.relrowsecurity
    AND NOT EXISTS (SELECT 1 FROM pg_inherits h WHERE h.inhrelid = c.oid OR h.inhparent = c.oid)
"""  # noqa: S608 - constants
"""Which tables can be watched, and what of them tells that they are the same tables still.

Not those that have no trigger for all that changes what is read of them: partitions and tables that inherit are written
through others, an unlogged table is empty after a crash, and policies for rows show other rows to other roles.
"""
