"""Tokens in MariaDB: triggers of each row note the writer, and the bucket of the row that it wrote.

Each connection is a writer with a number that no other has at the same time, so that none waits for another's row.
Numbers are given again, or ten thousand connections, one after the other, would leave as many rows.

MariaDB has no triggers of statements, and ``TRUNCATE`` fires none; but it gives the table another number, which the
tokens are bound to. Reading that number takes the privilege PROCESS: without it there are no tokens. What foreign keys
do (``ON DELETE CASCADE``) fires no triggers either, so a table that has such keys is never vouched for. Nor is one on a
node of a Galera cluster, where another node's connection may have the same number. What a replica applies may fire
none: tokens are bound to how far it has come.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
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
from toolkit.errors import DatabaseError
from toolkit.trace import BUCKET_BITS

if TYPE_CHECKING:
    from toolkit.database.connections import Database

TRIGGERS = "SHOW TRIGGERS"
"""Name, event, table, statement, timing, time of making and more; ``information_schema.triggers`` takes five times as
long."""

YOUNG_SECONDS = 2
"""A table made or altered so lately may be altered again in the same second, unseen: it gets no token yet."""

LOCK_SECONDS = 2
"""How long to wait for writers before a table gets its triggers; without them it is compared row by row."""

EVENTS = {"INSERT": ("NEW",), "UPDATE": ("NEW", "OLD"), "DELETE": ("OLD",)}
"""What fires triggers, and the rows that it touches."""

ASKED_AT_ONCE = 100

_LAYOUT = {
    TOKENS: "name VARCHAR(64) PRIMARY KEY, token VARCHAR(32) NOT NULL, state VARCHAR(32) NOT NULL",
    BUCKETS: "name VARCHAR(64), bucket BIGINT, token VARCHAR(32) NOT NULL, PRIMARY KEY (name, bucket)",
    CHANGES: "name VARCHAR(64), bucket BIGINT, writer BIGINT UNSIGNED, PRIMARY KEY (name, bucket, writer)",
}
_COLUMNS = {
    *(f"{TOKENS}.{column}" for column in ("name", "token", "state")),
    *(f"{BUCKETS}.{column}" for column in ("name", "bucket", "token")),
    *(f"{CHANGES}.{column}" for column in ("name", "bucket", "writer")),
}


class _Table(NamedTuple):
    """A table that can be vouched for.

    Args:
        key: The column of its key, if that is one whole number.
        state: What its tokens are bound to.
    """

    key: str | None
    state: str


class MySQLTokens(TokenKeeper):
    """Tokens in a MariaDB database."""

    refusals = "read-?only|denied|SUPER privilege|lock wait timeout"

    def fits(self, database: Database) -> bool:
        """MySQL has no ``CREATE OR REPLACE TRIGGER``, and other names for what tokens are bound to."""
        return "mariadb" in database.backend.server(database.connection).lower()

    def read(self, database: Database, tables: Sequence[str]) -> dict[str, str]:
        if not _is_laid_out(database):
            return {}
        sql = (
            f"SELECT name, token, state FROM {TOKENS} k "  # noqa: S608 - constants
            f"WHERE NOT EXISTS (SELECT 1 FROM {CHANGES} c WHERE c.name = k.name)"
        )
        standing = {name: (token, state) for name, token, state in database.fetch(sql)}
        found = _watched(database, [table for table in tables if table in standing])
        return {name: standing[name][0] for name, table in found.items() if table.state == standing[name][1]}

    def read_buckets(self, database: Database, table: str) -> Buckets | None:
        if not _is_laid_out(database):
            return None
        key = bound_key(database, table, _watched(database, [table]).get(table))
        if key is None:
            return None
        tokens = dict(database.fetch(f"SELECT bucket, token FROM {BUCKETS} WHERE name = %s", (table,)))  # noqa: S608 - a constant
        written = database.fetch(f"SELECT DISTINCT bucket FROM {CHANGES} WHERE name = %s", (table,))  # noqa: S608 - a constant
        tokens |= {bucket: "" for (bucket,) in written}
        return Buckets(key, tokens) if EVERY_BUCKET not in tokens else None

    def prepare(self, database: Database, tables: Sequence[str]) -> None:
        """Make what is missing; MariaDB commits each by itself."""
        with _alone(database):
            if not _is_laid_out(database):
                _clear(database)
                for name, columns in _LAYOUT.items():
                    how = "ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
                    database.run(f"CREATE TABLE IF NOT EXISTS {name} ({columns}) {how}")
            there, keys = {name: made for name, (made, _) in _triggers_there(database).items()}, _keys(database, tables)
            for table in tables:
                for name, made in _triggers(table, keys.get(table)).items():
                    if there.get(name) != made:
                        _make_trigger(database, name, made, there=name in there)

    def draw(self, database: Database, tables: Sequence[str]) -> None:
        """Forget the writers that are done.

        A row of ``toolkit_change`` that a writer at work holds is passed over, and its table and its bucket have no
        token while it is there: waiting for it could end in a deadlock, and the one who is given up might be the
        writer.
        """
        with _alone(database), database.atomic():
            written = self._forget_writers(database, tables)
            watched = _watched(database, tables)
            bound = dict(database.fetch(f"SELECT name, state FROM {TOKENS} FOR UPDATE"))  # noqa: S608 - a constant
            database.run_many(f"DELETE FROM {TOKENS} WHERE name = %s", [(table,) for table in tables])  # noqa: S608 - a constant
            for name, table in watched.items():
                if bound.get(name) != table.state or EVERY_BUCKET in written[name]:
                    _draw_all_buckets(database, name, table.key)
                elif table.key is not None:
                    _draw_buckets(database, name, table.key, written[name])
            rows = [(name, new_token(), table.state) for name, table in watched.items()]
            database.run_many(f"REPLACE INTO {TOKENS} (name, token, state) VALUES (%s, %s, %s)", rows)  # noqa: S608 - a constant

    def _forget_writers(self, database: Database, tables: Sequence[str]) -> dict[str, set[int]]:
        """Table to the buckets that they wrote in."""
        done = database.fetch(f"SELECT name, bucket, writer FROM {CHANGES} FOR UPDATE SKIP LOCKED")  # noqa: S608 - a constant
        gone = [row for row in done if row[0] in set(tables)]
        database.run_many(f"DELETE FROM {CHANGES} WHERE name = %s AND bucket = %s AND writer = %s", gone)  # noqa: S608 - a constant
        written: dict[str, set[int]] = defaultdict(set)
        for name, bucket, _ in gone:
            written[name].add(bucket)
        return written


def _bucket(key: str) -> str:
    """The bucket of a key, rounded down: ``>>`` takes all numbers for positive ones, and ``DIV`` rounds to zero."""
    size = 1 << BUCKET_BITS
    return f"({key} - MOD(MOD({key}, {size}) + {size}, {size})) DIV {size}"


def _draw_all_buckets(database: Database, table: str, key: str | None) -> None:
    """New tokens for all buckets in which there are rows."""
    database.run(f"DELETE FROM {BUCKETS} WHERE name = %s", (table,))  # noqa: S608 - a constant
    if key is not None:
        column, source = database.backend.quoted(key), database.backend.quoted(table)
        rows = database.fetch(f"SELECT DISTINCT {_bucket(column)} FROM {source}")  # noqa: S608 - names of the schema
        _write_buckets(database, table, [bucket for (bucket,) in rows])


def _draw_buckets(database: Database, table: str, key: str, written: Collection[int]) -> None:
    """New tokens for some buckets; those without rows are forgotten."""
    rows = [(table, bucket) for bucket in written]
    database.run_many(f"DELETE FROM {BUCKETS} WHERE name = %s AND bucket = %s", rows)  # noqa: S608 - a constant
    column, source = database.backend.quoted(key), database.backend.quoted(table)
    one = f"(SELECT %s FROM {source} WHERE {column} BETWEEN %s AND %s LIMIT 1)"  # noqa: S608 - names of the schema
    waiting = iter(sorted(written))
    while some := list(islice(waiting, ASKED_AT_ONCE)):
        asked = [(bucket, bucket << BUCKET_BITS, ((bucket + 1) << BUCKET_BITS) - 1) for bucket in some]
        there = database.fetch(" UNION ALL ".join([one] * len(some)), [value for each in asked for value in each])
        _write_buckets(database, table, [bucket for (bucket,) in there])


def _write_buckets(database: Database, table: str, buckets: Sequence[int]) -> None:
    rows = [(table, int(bucket), new_token()) for bucket in buckets]
    database.run_many(f"REPLACE INTO {BUCKETS} (name, bucket, token) VALUES (%s, %s, %s)", rows)  # noqa: S608 - a constant


class _Trigger(NamedTuple):
    """A trigger of a table."""

    table: str
    event: str
    body: str


def trigger_names(table: str) -> dict[str, str]:
    """Event to the name of a table's trigger. Names have 64 characters at most, as tables' names have."""
    stem = hashlib.blake2b(table.encode(), digest_size=8).hexdigest()
    return {event: f"toolkit_changed_{stem}_{event.lower()}" for event in EVENTS}


def _triggers(table: str, key: str | None) -> dict[str, _Trigger]:
    """Name to a table's triggers."""
    return {
        name: _Trigger(table, event, _body(table, key, EVENTS[event])) for event, name in trigger_names(table).items()
    }


def _body(table: str, key: str | None, rows: Sequence[str]) -> str:
    """What a trigger does; where somebody dropped the table of changes nobody believes tokens any more, and writers
    need not be refused. Source: MariaDB, "MariaDB Error Codes", ER_NO_SUCH_TABLE.

    Where it writes the same row again, ``IGNORE`` takes a lock on it, which ``draw`` passes over.
    """
    literal = "'" + table.replace("\\", "\\\\").replace("'", "''") + "'"

    def noted(bucket: str) -> str:
        return f"INSERT IGNORE INTO {CHANGES} VALUES ({literal}, {bucket}, @toolkit_writer)"  # noqa: S608 - of the schema

    steps = ["DECLARE CONTINUE HANDLER FOR 1146 BEGIN END", _NUMBERED]
    if key is None:
        steps.append(noted(str(EVERY_BUCKET)))
    else:
        first, *others = (f"{row}.`{key.replace('`', '``')}`" for row in rows)
        steps.append(noted(_bucket(first)))
        steps += [f"IF {first} <> {other} THEN {noted(_bucket(other))}; END IF" for other in others]
    return f"BEGIN {'; '.join(steps)}; END"


_NUMBERED = (
    "IF @toolkit_writer IS NULL THEN BEGIN "
    "DECLARE EXIT HANDLER FOR SQLEXCEPTION SET @toolkit_writer = CONNECTION_ID(); "
    "SET @toolkit_writer = 0; "
    "WHILE NOT coalesce(GET_LOCK(concat('toolkit_writer.', @toolkit_writer), 0), TRUE) "
    "DO SET @toolkit_writer = @toolkit_writer + 1; END WHILE; "
    "END; END IF"
)
"""Gives a connection the lowest number that is free, until it ends. If two had the same, one would wait for the other,
and nothing else would be wrong."""


def _make_trigger(database: Database, name: str, made: _Trigger, *, there: bool) -> None:
    if there:
        database.run(f"DROP TRIGGER IF EXISTS {name}")
    on, body = database.backend.quoted(made.table), made.body.replace("%", "%%")  # which begins a parameter
    database.run(f"CREATE OR REPLACE TRIGGER {name} AFTER {made.event} ON {on} FOR EACH ROW {body}")
    database.run(f"DELETE FROM {TOKENS} WHERE name = %s", (made.table,))  # noqa: S608 - a constant


@contextmanager
def _alone(database: Database) -> Iterator[None]:
    """One build at a time, and a moment's patience with writers, for all others would wait behind: by default a day."""
    name = f"concat('{TOKENS}.', database())"
    if not database.fetch(f"SELECT get_lock({name}, {LOCK_SECONDS})")[0][0]:
        raise DatabaseError("lock wait timeout: another build draws tokens")
    database.run(f"SET SESSION lock_wait_timeout = {LOCK_SECONDS}")
    try:
        yield
    finally:
        database.run("SET SESSION lock_wait_timeout = DEFAULT")
        database.fetch(f"SELECT release_lock({name})")


def _is_laid_out(database: Database) -> bool:
    """Whether the tables of tokens are there, with the columns of today."""
    marks = ", ".join(["%s"] * len(_LAYOUT))
    rows = database.fetch(
        f"SELECT concat(table_name, '.', column_name) FROM information_schema.columns "  # noqa: S608 - marks
        f"WHERE table_schema = database() AND table_name IN ({marks})",
        tuple(_LAYOUT),
    )
    return {name for (name,) in rows} == _COLUMNS


def _clear(database: Database) -> None:
    """Take away what another version made, or somebody left; triggers first, so that no writer is between."""
    for name in _triggers_there(database):
        database.run(f"DROP TRIGGER IF EXISTS {name}")
    for name in _LAYOUT:
        database.run(f"DROP TABLE IF EXISTS {name}")


def _triggers_there(database: Database) -> dict[str, tuple[_Trigger, str]]:
    """Name to a trigger, and when it was made."""
    rows = [trigger[:6] for trigger in database.fetch(TRIGGERS) if trigger[0].startswith("toolkit_changed_")]
    return {name: (_Trigger(table, event, body), str(made or "")) for name, event, table, body, _, made in rows}


def _keys(database: Database, tables: Sequence[str]) -> dict[str, str]:
    """Table to its primary key, of those where that is one whole number."""
    if not tables:
        return {}
    marks = ", ".join(["%s"] * len(tables))
    rows = database.fetch(
        f"SELECT table_name, min(column_name) FROM information_schema.columns "  # noqa: S608 - marks
        f"WHERE table_schema = database() AND table_name IN ({marks}) AND column_key = 'PRI' GROUP BY table_name "
        "HAVING count(*) = 1 AND min(data_type) IN ('tinyint', 'smallint', 'mediumint', 'int', 'bigint')",
        tuple(tables),
    )
    return dict(rows)


def _watched(database: Database, tables: Sequence[str]) -> dict[str, _Table]:
    """The tables that can be vouched for."""
    if not tables:
        return {}
    there, keys, numbers = _triggers_there(database), _keys(database, tables), _numbers(database)
    found = {}
    for table in tables:
        triggers = _triggers(table, keys.get(table))
        standing = {name: there[name] for name in triggers.keys() & there.keys()}
        if table in numbers and triggers == {name: made for name, (made, _) in standing.items()}:
            state = [numbers[table], *(standing[name][1] for name in sorted(standing))]
            found[table] = _Table(keys.get(table), _digest(state))
    return found


def _digest(parts: Sequence[str]) -> str:
    return hashlib.blake2b(":".join(parts).encode(), digest_size=16).hexdigest()


def _numbers(database: Database) -> Mapping[str, str]:
    """What tokens are bound to, of tables that nobody writes past their triggers."""
    try:
        rows = database.fetch(_NUMBERS, (YOUNG_SECONDS,))
    except DatabaseError:  # no privilege, or MySQL, which calls the table otherwise
        return {}
    keyed = {
        name
        for (name,) in database.fetch(
            "SELECT table_name FROM information_schema.referential_constraints WHERE constraint_schema = database() "
            "AND (delete_rule NOT IN ('RESTRICT', 'NO ACTION') OR update_rule NOT IN ('RESTRICT', 'NO ACTION'))"
        )
    }
    return {name: state for name, state in rows if name not in keyed}


_NUMBERS = f"""
    SELECT t.table_name, concat_ws(':', i.table_id, t.create_time, g.table_id, @@global.gtid_slave_pos)
    FROM information_schema.innodb_sys_tables i
    JOIN information_schema.innodb_sys_tables g ON g.name = concat(database(), '/{CHANGES}')
    JOIN information_schema.tables t
    ON t.table_schema = database() AND t.create_time < now() - INTERVAL %s SECOND
    AND i.name = concat(database(), '/', t.table_name)
    WHERE NOT EXISTS (
        SELECT 1 FROM information_schema.global_variables WHERE variable_name = 'WSREP_ON' AND variable_value = 'ON'
    )
"""  # noqa: S608 - a constant
"""A table's number, which ``TRUNCATE`` changes; when ``ALTER TABLE`` last changed it, to the second; the number of the
table of changes; and up to where a replica has applied what its primary wrote."""
