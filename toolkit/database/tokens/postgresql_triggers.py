"""The triggers that tell of writes in PostgreSQL, and the functions that they call.

A table whose key is one whole number has a trigger for each kind of statement, which sees the rows that the statement
wrote and notes their buckets. Another table has one trigger, which notes that anything may have changed.

What subscriptions of logical replication apply fires no triggers of statements, only triggers of rows that are there
for replicas: so there is one of those too. It sleeps where anybody else writes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from toolkit.database.tokens.keeping import CHANGES, EVERY_BUCKET
from toolkit.trace import BUCKET_BITS

PREFIX = "toolkit_changed"
FUNCTION = "toolkit_note_change"

WHOLE_NUMBERS = "'int2'::regtype, 'int4'::regtype, 'int8'::regtype"

_ROW, _INSERT, _DELETE, _UPDATE, _TRUNCATE = 1, 4, 8, 16, 32  # pg_trigger.tgtype
_OLD, _NEW = "toolkit_old", "toolkit_new"


@dataclass(frozen=True)
class Function:
    """A function for triggers.

    Args:
        name: What it is called.
        body: In PL/pgSQL.
    """

    name: str
    body: str

    def sql(self) -> str:
        """Of whoever owns the tables: another role's writes must be noted too, and may not change what is found."""
        return (
            f"CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
            f"SET search_path TO pg_catalog, pg_temp AS $toolkit${self.body}$toolkit$"
        )


@dataclass(frozen=True)
class Trigger:
    """A trigger of a table.

    Args:
        name: What it is called.
        events: When it fires, as ``CREATE TRIGGER`` says it.
        kind: The same as ``pg_trigger.tgtype`` has it.
        function: What it calls.
        old: Whether it sees the rows as they were.
        new: Whether it sees the rows as they are.
    """

    name: str
    events: str
    kind: int
    function: Function
    old: bool = False
    new: bool = False

    @property
    def enabled(self) -> str:
        """For whom it fires: A for all, R for replicas only. Source: PostgreSQL, ``pg_trigger.tgenabled``."""
        return "R" if self.kind & _ROW else "A"

    def sql(self, table: str) -> Iterable[str]:
        """The statements that make it.

        Args:
            table: The table's name, quoted.
        """
        rows = f" OLD TABLE AS {_OLD}" * self.old + f" NEW TABLE AS {_NEW}" * self.new
        each = "ROW" if self.kind & _ROW else "STATEMENT"
        yield (
            f"CREATE TRIGGER {self.name} AFTER {self.events} ON {table} "
            f"{'REFERENCING' + rows if rows else ''} FOR EACH {each} EXECUTE FUNCTION {self.function.name}()"
        )
        yield f"ALTER TABLE {table} ENABLE {'REPLICA' if self.enabled == 'R' else 'ALWAYS'} TRIGGER {self.name}"

    def signature(self) -> str:
        """Its definition, as ``SIGNATURE`` reads it."""
        body = hashlib.md5(self.function.body.encode(), usedforsecurity=False).hexdigest()
        old, new = _OLD if self.old else "", _NEW if self.new else ""
        return f"{self.name}/{self.kind}/{self.enabled}/{self.function.name}/{body}/{old}/{new}"


SIGNATURE = """
    string_agg(concat_ws('/', t.tgname, t.tgtype, t.tgenabled, p.proname, md5(p.prosrc),
        coalesce(t.tgoldtable, ''), coalesce(t.tgnewtable, '')), ' ' ORDER BY t.tgname COLLATE "C")
"""
"""The definitions of a table's triggers, by ``pg_trigger t`` and ``pg_proc p``."""


def signature(triggers: Iterable[Trigger]) -> str:
    """What ``SIGNATURE`` reads if all of them are there."""
    return " ".join(trigger.signature() for trigger in sorted(triggers, key=lambda trigger: trigger.name))


def triggers_of(schema: str, key: str | None) -> list[Trigger]:
    """The triggers of a table.

    Args:
        schema: The schema of the table of changes.
        key: The column of the table's key, if that is one whole number.
    """
    coarse = _coarse(schema)
    changes = "INSERT OR UPDATE OR DELETE"
    applied = Trigger(f"{PREFIX}_by_replication", changes, _ROW | _INSERT | _UPDATE | _DELETE, coarse)
    truncated = Trigger(f"{PREFIX}_by_truncate", "TRUNCATE", _TRUNCATE, coarse)
    if key is None:
        return [Trigger(PREFIX, changes, _INSERT | _UPDATE | _DELETE, coarse), truncated, applied]
    fine = _fine(schema, key)
    return [
        Trigger(f"{PREFIX}_by_insert", "INSERT", _INSERT, fine, new=True),
        Trigger(f"{PREFIX}_by_update", "UPDATE", _UPDATE, fine, old=True, new=True),
        Trigger(f"{PREFIX}_by_delete", "DELETE", _DELETE, fine, old=True),
        truncated,
        applied,
    ]


def _coarse(schema: str) -> Function:
    """Notes that any row may have changed."""
    body = f"""
        {_declared(schema)}
            {_noted(schema, str(EVERY_BUCKET))};
            RETURN NULL;
        END
    """
    return Function(FUNCTION, body)


def _fine(schema: str, key: str) -> Function:
    """Notes the buckets of the rows that a statement wrote; of all rows, where the key is not what it was any more."""
    column = _quote(key)
    bucket = f"{column} >> {BUCKET_BITS}"
    both = f"(SELECT {column} FROM {_OLD} UNION ALL SELECT {column} FROM {_NEW}) both_tables"  # noqa: S608 - quoted
    body = f"""
        {_declared(schema)}
            IF NOT EXISTS (
                SELECT 1 FROM pg_attribute WHERE attrelid = TG_RELID AND attname = {_literal(key)}
                AND atttypid IN ({WHOLE_NUMBERS})
            ) THEN
                {_noted(schema, str(EVERY_BUCKET))};
            ELSIF TG_OP = 'INSERT' THEN
                {_noted(schema, bucket, f"FROM {_NEW}")};
            ELSIF TG_OP = 'DELETE' THEN
                {_noted(schema, bucket, f"FROM {_OLD}")};
            ELSE
                {_noted(schema, bucket, f"FROM {both}")};
            END IF;
            RETURN NULL;
        END
    """  # noqa: S608 - quoted
    stem = hashlib.blake2b(key.encode(), digest_size=8).hexdigest()
    return Function(f"{FUNCTION}_{stem}", body)


def _declared(schema: str) -> str:
    """Where somebody dropped the table of changes nobody believes tokens any more, and writers need not be refused."""
    return f"""BEGIN
            IF to_regclass({_literal(f"{_quote(schema)}.{CHANGES}")}) IS NULL THEN
                RETURN NULL;
            END IF;"""


def _noted(schema: str, bucket: str, source: str = "") -> str:
    """Note buckets, but not those that are noted already: between two builds there may be millions of transactions.

    Whoever relies on another's row holds it until the end of the transaction, and ``draw`` passes over what is held.
    Any number can hold one row, and nobody waits for one that is being taken away. With a snapshot that is older than
    the statement, a row that is gone cannot be told from one that is there, so such a transaction adds its own.

    ``DISTINCT`` and not ``UNION``, whose plan for many rows would be kept for few: that takes ten times as long.
    """
    changes = f"{_quote(schema)}.{CHANGES}"
    return f"""INSERT INTO {changes}
                SELECT TG_TABLE_NAME, w.bucket, pg_current_xact_id(), transaction_timestamp()
                FROM (SELECT DISTINCT {bucket} AS bucket {source}) w
                LEFT JOIN LATERAL (
                    SELECT 1 AS held FROM {changes} c
                    WHERE c.name = TG_TABLE_NAME AND c.bucket = w.bucket
                    AND current_setting('transaction_isolation') = 'read committed'
                    LIMIT 1 FOR KEY SHARE SKIP LOCKED
                ) g ON true WHERE g.held IS NULL
                ON CONFLICT DO NOTHING"""  # noqa: S608 - quoted


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    escape = "E" if "\\" in text else ""
    return escape + "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
