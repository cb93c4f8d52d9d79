"""Questions to PostgreSQL on the shortest way that psycopg has: its own calls of libpq, and no cursor between.

A cursor takes psycopg 20 us of Python for a row by its key, of which the server and the wire are the smaller part; this
takes 9. What a cursor does is done here: values and rows go through the same adapters, statements that are asked again
are prepared, an interrupt cancels the question, and an error is psycopg's own.

Rows of a prepared statement come in binary form, if all their columns are of kinds that are read from it faster, and to
the same values: 0.1 us less for a row of eleven columns. What had many rows the last time is read in parts, while the
server makes the rest: of 100,000 rows, each takes 0.4 us less by the clock and 0.1 of CPU.
"""

from __future__ import annotations

import re
import select
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from time import perf_counter
from typing import Any

from psycopg import Cursor, adapters, capabilities, pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import DataError, Error, OperationalError, ProgrammingError, error_from_result
from psycopg.generators import execute, fetch, send

from toolkit.database.backends.reading import LARGE_ANSWER
from toolkit.database.backends.unread import unread

PREPARED_FROM = 2
"""A question is prepared when it is asked so many times: to prepare it is a round trip, which the next ones save."""

COUNTED = 1_000
"""Questions that are counted, until they are prepared or forgotten."""

PART_ROWS = 1_000
"""Rows in one part of an answer that comes in parts."""

HAS_PARTS = capabilities.has_stream_chunked()
"""Whether libpq can give an answer in parts. Source: libpq, "Retrieving Query Results in Chunks", since version 17."""

CANCEL_SECONDS = 5.0
"""How long to wait until the server has taken note that nobody wants the rest of an answer."""

AT_ONCE_MILLISECONDS = 20
"""How long an answer is waited for on the shortest way: nobody looks at ``read_timeout_seconds`` there."""

AWAKE_SECONDS = 300e-6
"""How long an answer is waited for awake: most of a server that is near come within."""

MOST_ASLEEP = 64
"""How many questions are waited for asleep at most, until the next one is waited for awake again."""

POLLS = hasattr(select, "poll")
"""Not every system has it."""

TUPLES_OK, COMMAND_OK, FATAL_ERROR = pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK, pq.ExecStatus.FATAL_ERROR
PART, ACTIVE = pq.ExecStatus.TUPLES_CHUNK, pq.TransactionStatus.ACTIVE
IDLE, IN_ERROR, NO_PIPELINE = pq.TransactionStatus.IDLE, pq.TransactionStatus.INERROR, pq.PipelineStatus.OFF
GONE = frozenset({"26000", "0A000"})
"""SQLSTATEs of a prepared statement that is not there, and of one whose columns have other types now."""

TEXT, BINARY = pq.Format.TEXT, pq.Format.BINARY

READ_AS_BINARY = (
    "bool", "bytea", "int2", "int4", "int8", "oid", "float8", "text", "varchar", "bpchar", "name",
    "date", "time", "timestamp", "timestamptz", "uuid",
)  # fmt: skip
"""Kinds whose values are the same in both forms. Others stay text: "float4" is another number in the binary one,
numbers with digits take longer from it, JSON is kept as its text, and of kinds that psycopg does not know, such as
enumerations, it would give the bytes."""

_LETS_GO = re.compile(r"\b(?:DROP|ALTER|ROLLBACK|DISCARD|DEALLOCATE)\b", re.IGNORECASE)
_MARKS = re.compile(r"%(.?)", re.DOTALL)

Key = tuple[str, tuple[int, ...]]


@dataclass(slots=True)
class Prepared:
    """A statement that the server has prepared.

    Attributes:
        name: What the server knows it by.
        form: In which form its rows come; None before the first came, as text, and told of what kinds they are.
        is_long: There were many rows the last time.
        values: psycopg's ``Transformer`` that reads rows of this form; None before the first of them came.
    """

    name: bytes
    form: pq.Format | None = None
    is_long: bool = False
    values: Any = None


class Statements:
    """What one connection has prepared.

    Attributes:
        known: Text and types of the parameters to what is prepared, the longest unused first.
        unsure: Something was run after which the server may know none of them, or they may mean something else.
    """

    def __init__(self) -> None:
        self.known: OrderedDict[Key, Prepared] = OrderedDict()
        self.unsure = False
        self._counts: dict[Key, int] = {}
        self._numbers = count(1)

    def is_due(self, key: Key, threshold: int | None) -> bool:
        """Count a question; whether it should be prepared now."""
        if threshold is None:
            return False
        times = self._counts.get(key, 0) + 1
        if times >= min(threshold + 1, PREPARED_FROM):
            self._counts.pop(key, None)
            return True
        if len(self._counts) >= COUNTED:
            self._counts.clear()
        self._counts[key] = times
        return False

    def next_name(self) -> bytes:
        """A name that no statement of the connection has had."""
        return b"toolkit_%d" % next(self._numbers)


class Noticing(Cursor[Any]):
    """psycopg's cursor, which notices what may take prepared statements away, or change what they mean.

    psycopg lets go of all of them itself, whoever prepared them, after these (``DEALLOCATE ALL``).
    """

    is_single = False

    def execute(self, query: Any, *arguments: Any, **options: Any) -> Any:
        self.is_single = bool(arguments) and arguments[0] is not None
        try:
            return super().execute(query, *arguments, **options)
        finally:
            tag = self.statusmessage
            if (tag is not None and _LETS_GO.match(tag)) or query.__class__ is not str or _is_script(query):
                statements_of(self.connection).unsure = True

    def _execute_send(self, query: Any, *, force_extended: bool = False, binary: bool | None = None) -> None:
        """Send a statement so that the server takes no second one, also where it has no values: an empty list of them
        says that. Who has the driver's connection, and gives none, may run several."""
        single = self.is_single and b";" in query.query
        super()._execute_send(query, force_extended=force_extended or single, binary=binary)

    def executemany(self, query: Any, *arguments: Any, **options: Any) -> None:
        if query.__class__ is not str or _LETS_GO.search(query):
            statements_of(self.connection).unsure = True
        super().executemany(query, *arguments, **options)


def _is_script(text: str) -> bool:
    """Whether a text may be several statements, of which one lets go; only the last one's tag is known."""
    return ";" in text and _LETS_GO.search(text) is not None


def watch(connection: Any) -> None:
    """Keep account of what a new connection has prepared."""
    connection.toolkit_statements = Statements()
    connection.cursor_factory = Noticing


def statements_of(connection: Any) -> Statements:
    """What a connection has prepared."""
    found: Statements = connection.toolkit_statements
    return found


def let_go(connection: Any) -> None:
    """Forget all that a connection has prepared, here and on the server: its tables are others now."""
    connection._prepared.clear()  # psycopg's own, which would notice the statement the first time only
    connection.execute("DEALLOCATE ALL")
    statements = statements_of(connection)
    statements.known.clear()
    statements.unsure = False


class PreparedReader:
    """Asks questions over one connection, which commits by itself.

    Args:
        connection: psycopg's, which is watched.
    """

    def __init__(self, connection: Any) -> None:
        self._connection, self._server = connection, connection.pgconn
        self._statements = statements_of(connection)
        self._values = Transformer(connection)
        self._encoding = connection.info.encoding
        self._binary = _kinds_in_binary(connection)
        self._ready = _readable(self._server.socket) if POLLS else None
        self._asleep, self._in_vain = 0, 1

    def __call__(self, sql: str, parameters: Sequence[Any]) -> list[Any]:
        """All rows of a question, as tuples."""
        server, connection = self._server, self._connection
        marked = _with_numbers(sql, self._encoding)
        if marked is None or len(marked[1]) != len(parameters) or server.pipeline_status != NO_PIPELINE:
            return self._through_cursor(sql, parameters)  # which knows what is meant, or what is wrong
        values = self._values
        given = values.dump_sequence(parameters, marked[1])
        key = (sql, values.types or ())
        with connection.lock:
            try:
                prepared = self._find_prepared(key, marked[0])
                if prepared is None:
                    server.send_query_params(marked[0], given, key[1], values.formats)
                    rows, result = None, self._take()
                else:
                    server.send_query_prepared(prepared.name, given, values.formats, prepared.form or TEXT)
                    rows, result = self._take_parts(prepared) if prepared.is_long else (None, self._take())
            except BaseException as error:
                if not isinstance(error, Error):  # it may have come after the question was sent, and before the wait
                    _end_if_asked(server)
                raise
        if result.status != TUPLES_OK:
            return self._failed(result, sql, parameters)
        if rows is None:
            rows = self._load(result, prepared)
        if prepared is not None:
            if prepared.form is None:
                kinds = {result.ftype(column) for column in range(result.nfields)}
                prepared.form = BINARY if kinds <= self._binary else TEXT
            prepared.is_long = len(rows) > LARGE_ANSWER and HAS_PARTS
        return rows

    def _take(self) -> Any:
        """The answer to what was sent.

        What psycopg does for it by steps of a generator takes 2 us more. It is asked where the answer does not come at
        once, or is more than one piece.
        """
        server = self._server
        try:
            if self._ready is not None and server.flush() == 0 and self._comes(self._ready):
                server.consume_input()
                if not server.is_busy() and (result := server.get_result()) is not None:
                    if (other := server.get_result()) is None:
                        return result
                    return [other, *self._connection.wait(execute(server))][-1]
        except BaseException as error:
            if not isinstance(error, Exception):
                self._leave(cancel=True)
            elif not isinstance(error, Error):
                _end_if_asked(server)
            raise
        return self._connection.wait(execute(server))[-1]

    def _comes(self, ready: Callable[[int], Any]) -> bool:
        """Whether an answer begins to come before long. It is waited for awake at first, if the last one came so soon.

        Else a core that has nothing else to do falls asleep meanwhile, and takes longer to wake up than most answers.
        Where that does not help, as cores are busy or the server is far, the next questions are waited for asleep:
        twice as many at each try.

        Args:
            ready: Waits until something can be read.
        """
        if self._asleep:
            self._asleep -= 1
            return bool(ready(AT_ONCE_MILLISECONDS))
        until = perf_counter() + AWAKE_SECONDS
        while not ready(0):  # which lets other threads run
            if perf_counter() > until:
                self._in_vain = min(2 * self._in_vain, MOST_ASLEEP)
                self._asleep = self._in_vain
                return bool(ready(AT_ONCE_MILLISECONDS))
        self._in_vain = 1
        return True

    def _take_parts(self, prepared: Prepared) -> tuple[list[Any], Any]:
        """The rows of an answer, and the result that ends it: each part is read while the server makes the next."""
        server, wait = self._server, self._connection.wait
        rows: list[Any] = []
        try:
            server.set_chunked_rows_mode(PART_ROWS)
            wait(send(server))
            while (result := wait(fetch(server))) is not None:
                end = result
                if result.status == PART:
                    rows += self._load(result, prepared)
        except BaseException as error:
            self._leave(cancel=not isinstance(error, Exception))
            raise
        return rows, end

    def _load(self, result: Any, prepared: Prepared | None) -> list[Any]:
        values = self._values
        if prepared is None or prepared.form is None:
            values.set_pgresult(result)
        elif prepared.values is None:
            values = Transformer(self._connection)
            values.set_pgresult(result)
            prepared.values = values  # not sooner: without its loaders, as after an interrupt here, it would crash
        else:
            values = prepared.values
            values.set_pgresult(result, set_loaders=False)
        try:
            return values.load_rows(0, result.ntuples, tuple)
        except DataError as error:
            raise unread(self._connection, result) from error
        finally:
            values.set_pgresult(None, set_loaders=False)  # which may be large

    def _leave(self, *, cancel: bool) -> None:
        """Take what remains of an answer, so that the next can come.

        Args:
            cancel: Do not wait for all of it. Inside of a transaction that would fail it, which a value that Python
                does not have must not do.
        """
        connection, server = self._connection, self._server
        try:
            with suppress(Exception):
                if cancel and server.transaction_status == ACTIVE:
                    connection.cancel_safe(timeout=CANCEL_SECONDS)
            with suppress(Exception):
                while connection.wait(fetch(server)) is not None:
                    pass
        except BaseException:
            server.finish()  # interrupted again: nobody knows what comes next on it
            raise

    def _through_cursor(self, sql: str, parameters: Sequence[Any]) -> list[Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            try:
                rows: list[Any] = cursor.fetchall()
            except DataError as error:
                raise unread(self._connection, cursor.pgresult) from error
            return rows

    def _find_prepared(self, key: Key, text: bytes) -> Prepared | None:
        """The statement of a question that is asked often enough; None of one that is not."""
        statements, connection = self._statements, self._connection
        if statements.unsure and not self._make_sure():
            return None
        found = statements.known.get(key)
        if found is not None:
            statements.known.move_to_end(key)
            return found
        if not statements.is_due(key, connection.prepare_threshold):
            return None
        if len(statements.known) >= connection.prepared_max:
            _, oldest = statements.known.popitem(last=False)
            self._run(b"DEALLOCATE " + oldest.name)
        name = statements.next_name()
        self._server.send_prepare(name, text, key[1])
        result = connection.wait(execute(self._server))[-1]
        if result.status != COMMAND_OK:
            raise error_from_result(result, encoding=self._encoding)
        found = statements.known[key] = Prepared(name)
        return found

    def _make_sure(self) -> bool:
        """Let go of what the server still knows: its tables may be others. Not possible after an error."""
        if self._server.transaction_status == IN_ERROR:
            return False
        statements = self._statements
        known = self._run(b"SELECT name FROM pg_prepared_statements WHERE name LIKE 'toolkit\\_%'")
        names = [bytes(known.get_value(row, 0) or b"") for row in range(known.ntuples)]
        if names:
            self._run(b"; ".join(b"DEALLOCATE " + name for name in names))
        statements.known.clear()
        statements.unsure = False
        return True

    def _run(self, sql: bytes) -> Any:
        self._server.send_query(sql)
        result = self._connection.wait(execute(self._server))[-1]
        if result.status not in (TUPLES_OK, COMMAND_OK):
            raise error_from_result(result, encoding=self._encoding)
        return result

    def _failed(self, result: Any, sql: str, parameters: Sequence[Any]) -> list[Any]:
        """Raise what the server said; ask again if only the prepared statement was in the way."""
        if result.status != FATAL_ERROR:
            raise ProgrammingError("the statement gives no rows")
        error = error_from_result(result, encoding=self._encoding)
        free = self._server.transaction_status == IDLE
        if error.sqlstate in GONE and free and not self._statements.unsure:
            self._statements.unsure = True
            return self._through_cursor(sql, parameters)
        raise error


def _readable(handle: int) -> Callable[[int], Any]:
    """Waits until something can be read, or for so many milliseconds."""
    waiting = select.poll()
    waiting.register(handle, select.POLLIN | select.POLLERR)
    return waiting.poll


class OverdueError(OperationalError):
    """The server said nothing for too long."""


def overdue(connection: Any, seconds: float) -> OverdueError:
    """End a connection that nobody can use any more, for its answer may still come; and what to raise."""
    connection.pgconn.finish()
    return OverdueError(f"no answer came within {seconds:g} seconds (read_timeout_seconds)")


def ended_if_broken_off(connection: Any) -> Callable[..., Any]:
    """psycopg's ``Connection.wait``, which ends the connection if something else than the server ends the wait.

    Such as a time limit of who runs tasks, which a signal brings: the answer would still come, and nothing could be
    asked any more. Where a person or a signal ends the process, psycopg cancels what is asked.
    """
    wait, server = connection.wait, connection.pgconn

    def attended(*arguments: Any, **options: Any) -> Any:
        try:
            return wait(*arguments, **options)
        except (Error, KeyboardInterrupt, SystemExit):
            raise
        except BaseException:
            _end_if_asked(server)
            raise

    return attended


def _end_if_asked(server: Any) -> None:
    """End a connection to which an answer is still to come."""
    if server.transaction_status == ACTIVE:
        server.finish()


def _kinds_in_binary(connection: Any) -> frozenset[int]:
    """The numbers of the kinds that come in binary form: not those that somebody reads in a way of their own."""
    ours = connection.adapters
    every = [adapters.types[name].oid for name in READ_AS_BINARY]
    return frozenset(oid for oid in every if ours.get_loader(oid, TEXT) is adapters.get_loader(oid, TEXT))


@lru_cache(maxsize=2_000)
def _with_numbers(sql: str, encoding: str) -> tuple[bytes, list[PyFormat]] | None:
    """A text with ``$1`` in place of each ``%s``, and how each value is sent.

    Returns:
        None of a text with other marks, and of what may be several statements.
    """
    if ";" in sql or any(found not in ("s", "%") for found in _MARKS.findall(sql)):
        return None
    numbers = count(1)
    text = _MARKS.sub(lambda found: "%" if found[1] == "%" else f"${next(numbers)}", sql)
    return text.encode(encoding), [PyFormat.AUTO] * (next(numbers) - 1)
