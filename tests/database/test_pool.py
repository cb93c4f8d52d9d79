"""Connections of servers: renewed when the server ended them, shared by threads, never too many."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.servers import SERVERS
from toolkit.database import Database
from toolkit.database.pool import Bounds
from toolkit.errors import DatabaseError, DatabaseUnavailable

pytestmark = pytest.mark.skipif(not SERVERS, reason="TOOLKIT_TEST_DATABASES names no server")


def at(url: str, **options: Any) -> str:
    return url + ("&" if "?" in url else "?") + "&".join(f"{name}={value}" for name, value in options.items())


def number_of(database: Any) -> int:
    """The server's number of this thread's connection."""
    sql = "SELECT pg_backend_pid()" if database.dialect == "postgresql" else "SELECT connection_id()"
    return int(database.fetch(sql)[0][0])


@pytest.fixture(params=SERVERS, ids=lambda url: url.partition(":")[0])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database(url: str) -> Iterator[Any]:
    found = Database(at(url, pool_size=3, pool_timeout_seconds=0.3))
    yield found
    found.close_all()


@pytest.fixture
def kill(url: str) -> Iterator[Callable[[int], None]]:
    """Ends a connection, as a server's administrator does."""
    other, killing = Database(url), threading.Lock()

    def kill(number: int) -> None:
        with killing:
            end(number)

    def end(number: int) -> None:
        other.execute(f"SELECT pg_terminate_backend({number})" if other.dialect == "postgresql" else f"KILL {number}")
        listing = (
            f"SELECT 1 FROM pg_stat_activity WHERE pid = {number}"
            if other.dialect == "postgresql"
            else f"SELECT 1 FROM information_schema.processlist WHERE id = {number}"
        )
        while other.fetch(listing):
            time.sleep(0.01)

    yield kill
    with killing:  # a timer's thread would open its connection anew
        other.close_all()


def in_thread(work: Callable[[], Any]) -> Any:
    """What a function gives or raises in another thread."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(work())
        except Exception as error:  # noqa: BLE001 - raised below
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]


def test_a_connection_that_the_server_ended_is_renewed(database: Any, kill: Any) -> None:
    first = number_of(database)
    kill(first)
    assert number_of(database) != first
    with database.atomic():
        database.execute("SELECT 1")


def test_a_connection_that_ends_before_it_is_ready_is_told_and_closed(
    url: str, kill: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, opened = Database(url), []
    prepare = database.backend.prepare

    def end(connection: Any) -> None:
        opened.append(connection)
        kill(connection.info.backend_pid if database.dialect == "postgresql" else connection.thread_id())
        prepare(connection)

    monkeypatch.setattr(database.backend, "prepare", end)
    with pytest.raises(DatabaseUnavailable, match=r"cannot be reached: .*Is the server running"):
        database.fetch("SELECT 1")
    monkeypatch.undo()
    assert database.fetch("SELECT 1") == [(1,)]

    def refuse(connection: Any) -> None:
        opened.append(connection)
        raise ValueError("not like this")

    database.close()
    database.on_connect(refuse)
    with pytest.raises(ValueError, match="not like this"):
        database.fetch("SELECT 1")
    assert [database.backend.is_lost(connection) for connection in opened] == [True, True]


def test_a_connection_that_ends_while_sqlalchemy_asks_what_the_server_can_is_told(
    url: str, kill: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    database: Any = Database(url)
    connect = database.backend.connect

    def connect_and_lose() -> Any:
        connection = connect()
        kill(connection.info.backend_pid if database.dialect == "postgresql" else connection.thread_id())
        return connection

    monkeypatch.setattr(database.backend, "connect", connect_and_lose)
    with pytest.raises(DatabaseUnavailable, match=r"cannot be reached: .*Is the server running"):
        _ = database.sqlalchemy_dialect
    monkeypatch.undo()
    assert database.sqlalchemy_dialect.name == database.dialect


def test_such_a_connection_that_ends_between_two_questions_is_told_and_logged_by_nobody(
    url: str, kill: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    database: Any = Database(url)
    usual = database.backend.dialect_class()

    class Late(usual):  # type: ignore[misc,valid-type]  # whichever the database has
        def initialize(self, connection: Any) -> None:
            own = connection.connection.driver_connection
            kill(own.info.backend_pid if database.dialect == "postgresql" else own.thread_id())
            super().initialize(connection)

    monkeypatch.setattr(database.backend, "dialect_class", lambda: Late)
    with pytest.raises(DatabaseUnavailable, match=r"cannot be reached: .*Is the server running"):
        _ = database.sqlalchemy_dialect
    assert caplog.records == []


@pytest.mark.parametrize("begin", ["SELECT 1", "BEGIN"])
def test_what_the_server_can_is_asked_over_the_connection_at_hand_unless_something_is_under_way(
    url: str, begin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database: Any = Database(url)
    database.execute("CREATE TEMPORARY TABLE toolkit_under_way (id INTEGER)")
    database.execute(begin)
    database.execute("INSERT INTO toolkit_under_way VALUES (1)")
    opened, connect = [], database.backend.connect
    monkeypatch.setattr(database.backend, "connect", lambda: opened.append(True) or connect())
    assert database.sqlalchemy_dialect.server_version_info > (10,)
    assert len(opened) == (begin == "BEGIN" or database.dialect == "mysql")
    database.execute("INSERT INTO toolkit_under_way VALUES (2)")
    database.execute("ROLLBACK")
    assert len(database.fetch("SELECT id FROM toolkit_under_way")) == (0 if begin == "BEGIN" else 2)
    database.close()


def test_a_write_is_not_lost_to_a_connection_that_ended(database: Any, kill: Any) -> None:
    database.execute("CREATE TABLE toolkit_kept (id INTEGER)")
    try:
        kill(number_of(database))
        database.execute("INSERT INTO toolkit_kept VALUES (1)")
        assert database.fetch("SELECT count(*) FROM toolkit_kept")[0][0] == 1
    finally:
        database.execute("DROP TABLE toolkit_kept")


def test_inside_a_transaction_the_loss_is_told_and_the_next_one_works(database: Any, kill: Any) -> None:
    told = r"was lost inside a transaction, of which nothing was written.*Run the whole block again"
    with pytest.raises(DatabaseUnavailable, match=told), database.atomic():
        kill(number_of(database))
        database.fetch("SELECT 1")
    assert database.transaction is None
    with database.atomic():
        assert database.fetch("SELECT 1")[0] == (1,)


def test_a_connection_that_ended_before_the_commit_commits_nothing_and_says_so(database: Any, kill: Any) -> None:
    """The next connection would take the COMMIT, and commit nothing."""
    database.execute("CREATE TABLE toolkit_lost (id INTEGER)")
    called: list[str] = []
    try:
        with pytest.raises(DatabaseUnavailable, match="it is not known whether the trans"), database.atomic():
            database.execute("INSERT INTO toolkit_lost VALUES (1)")
            database.on_commit(lambda: called.append("committed"))
            kill(number_of(database))
        assert called == []
        assert database.transaction is None
        assert database.fetch("SELECT count(*) FROM toolkit_lost")[0][0] == 0
    finally:
        database.execute("DROP TABLE toolkit_lost")


def test_a_commit_after_a_loss_that_was_told_is_known_to_have_written_nothing(database: Any, kill: Any) -> None:
    told = r"was lost inside a transaction, of which nothing was written\. Run the whole block again"
    with pytest.raises(DatabaseUnavailable, match=told), database.atomic():
        kill(number_of(database))
        with suppress(DatabaseUnavailable):
            database.fetch("SELECT 1")
    assert database.transaction is None
    assert database.fetch("SELECT 1") == [(1,)]


def test_inside_a_snapshot_the_loss_is_told_too(database: Any, kill: Any) -> None:
    told = r"was lost while one instant of it was read: .*Run it again"
    with pytest.raises(DatabaseUnavailable, match=told), database.snapshot():
        kill(number_of(database))
        database.fetch("SELECT 1")
    with database.snapshot():
        assert database.fetch("SELECT 1")[0] == (1,)


def test_rows_that_are_taken_one_after_the_other_end_with_the_connection_and_say_so(database: Any, kill: Any) -> None:
    number, sql = number_of(database), "SELECT generate_series(1, 20)"
    if not database.backend.streams_beside:  # they are on their way already: more of them than fit there
        numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30)"
        sql = f"{numbers} SELECT repeat('x', 1000000) FROM n"
    with pytest.raises(DatabaseUnavailable, match=r"lost while rows were taken, not all.*Ask again"):
        for place, _ in enumerate(database.stream(sql, size=5)):
            if place == 0:
                kill(number)
    assert database.fetch("SELECT 1") == [(1,)]


def test_a_server_that_is_gone_without_a_word_is_asked_again_for_what_may_be_run_twice(
    database: Any, kill: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is known no sooner than a statement gets no answer; a transaction may begin twice, and a question be asked."""
    monkeypatch.setattr(database.backend, "is_alive", lambda connection: True)
    kill(number_of(database))
    with database.atomic():
        number = number_of(database)
    kill(number)
    with database.snapshot():
        number = number_of(database)
    kill(number)
    assert list(database.stream("SELECT 1", size=2)) == [[(1,)]]
    kill(number_of(database))
    with pytest.raises(DatabaseUnavailable, match=r"not known whether the statement was run: .*Look before you run"):
        database.execute("DROP TABLE IF EXISTS toolkit_none")


def test_a_connection_that_ends_when_all_rows_were_taken_takes_none_of_them_back(database: Any, kill: Any) -> None:
    number = number_of(database)
    with database.open_stream("SELECT 1 UNION SELECT 2") as stream:
        assert sorted(next(stream.chunks(5))) == [(1,), (2,)]
        kill(number)
    assert database.fetch("SELECT 1") == [(1,)]


def test_a_connection_that_ends_while_rows_get_their_keys_is_told(database: Any, kill: Any) -> None:
    key = "SERIAL" if database.dialect == "postgresql" else "INTEGER AUTO_INCREMENT"
    database.execute(f"CREATE TABLE toolkit_keyed (id {key} PRIMARY KEY, n INTEGER)")
    try:
        with pytest.raises(DatabaseUnavailable, match="lost inside a transaction"), database.atomic():
            kill(number_of(database))
            database.backend.insert_returning(database, "INSERT INTO toolkit_keyed (n) VALUES (%s)", "id", [(1,), (2,)])
    finally:
        database.execute("DROP TABLE toolkit_keyed")


def test_a_write_during_which_the_connection_ends_is_not_run_again(database: Any, kill: Any) -> None:
    sql = "DO $$ BEGIN PERFORM pg_sleep(5); END $$" if database.dialect == "postgresql" else "DO SLEEP(5)"
    number = number_of(database)
    threading.Timer(0.2, kill, [number]).start()
    with pytest.raises(DatabaseUnavailable, match="it is not known whether the statement was run"):
        database.execute(sql)
    assert number_of(database) != number


def test_a_question_whose_function_may_write_is_not_asked_again(
    database: Any, kill: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows whether it was run before the connection ended."""
    postgresql = database.dialect == "postgresql"
    body = "AS 'SELECT $1' LANGUAGE sql" if postgresql else "RETURN n"
    kinds = ("VOLATILE", "STABLE") if postgresql else ("MODIFIES SQL DATA", "READS SQL DATA")
    for name, kind in zip(("toolkit_book", "toolkit_look"), kinds, strict=True):
        database.execute(f"DROP FUNCTION IF EXISTS {name}")
        database.execute(f"CREATE FUNCTION {name}(n INTEGER) RETURNS INTEGER {kind} {body}")
    monkeypatch.setattr(database.backend, "is_alive", lambda connection: True)
    kill(number_of(database))
    assert database.fetch("SELECT toolkit_look(2)") == [(2,)]
    for ask in (database.fetch, database.execute, lambda sql: list(database.stream(sql, size=1))):
        kill(number_of(database))
        with pytest.raises(DatabaseUnavailable, match="it is not known whether the statement was run"):
            ask("SELECT Toolkit_Book (2)")
    database.execute("DROP FUNCTION toolkit_book")
    database.execute("DROP FUNCTION toolkit_look")


def test_a_connection_that_was_given_back_serves_another_thread(database: Any) -> None:
    first = number_of(database)
    database.release()
    assert in_thread(lambda: number_of(database)) == first


def test_a_thread_that_ended_leaves_no_connection_behind(database: Any) -> None:
    for _ in range(6):  # more than may be open
        in_thread(lambda: number_of(database))
    number_of(database)
    assert len(database._pool) == 1


def test_too_many_threads_wait_and_are_told(database: Any) -> None:
    ready, done = threading.Barrier(4), threading.Event()

    def hold() -> None:
        number_of(database)
        ready.wait()
        done.wait()
        database.release()

    threads = [threading.Thread(target=hold) for _ in range(3)]
    for thread in threads:
        thread.start()
    ready.wait()
    with pytest.raises(DatabaseUnavailable, match=r"all 3 connections to .* in use for 0\.3 seconds\. Raise pool_size"):
        number_of(database)
    threading.Timer(0.1, done.set).start()
    assert number_of(database)  # waits, and gets one that was given back
    for thread in threads:
        thread.join()


def test_a_connection_given_back_inside_a_snapshot_is_ended(database: Any) -> None:
    database.begin_snapshot()
    first = number_of(database)
    database.release()
    assert number_of(database) != first


def test_a_question_may_take_longer_than_a_connection(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not url.startswith("mysql"):
        pytest.skip("the bound is PyMySQL's")
    monkeypatch.setattr("toolkit.database.backends.mysql.CONNECT_TIMEOUT_SECONDS", 0.2)
    database: Any = Database(url)
    assert database.fetch("SELECT SLEEP(0.3)") == [(0,)]
    database.close_all()


def test_a_server_that_gives_no_answer_is_told(url: str) -> None:
    """One that is stopped takes what is sent, so that nothing but the time says that it will not answer."""
    database: Any = Database(at(url, read_timeout_seconds=0.2))
    sleep = "pg_sleep" if database.dialect == "postgresql" else "sleep"
    told = r"(?s)was lost, and it is not known whether .*(no answer came within 0\.2 seconds|timed out)"
    first = number_of(database)
    for ask in (database.fetch, database.execute, lambda sql: list(database.stream(sql, size=1))):
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailable, match=told):
            ask(f"SELECT {sleep}(2)")
        assert time.monotonic() - began < 1.5  # it is not asked twice
    with pytest.raises(DatabaseUnavailable, match="lost inside a transaction, of which nothing"), database.atomic():
        database.fetch(f"SELECT {sleep}(2)")
    assert number_of(database) != first
    database.close_all()


def test_a_machine_that_is_gone_is_noticed_by_the_kernel(database: Any) -> None:
    number_of(database)
    with socket.socket(fileno=os.dup(database.backend.descriptor(database.connection))) as connected:
        assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 120_000


def test_an_old_connection_is_renewed(url: str) -> None:
    database: Any = Database(at(url, max_age_seconds=0.2))
    first = number_of(database)
    assert number_of(database) == first
    time.sleep(0.25)
    assert number_of(database) != first
    database.close_all()


def test_all_connections_are_closed_those_of_other_threads_too(database: Any, url: str) -> None:
    numbers = [number_of(database)]
    opened, done = threading.Event(), threading.Event()

    def hold() -> None:
        numbers.append(number_of(database))
        opened.set()
        done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    opened.wait()
    database.close_all()
    assert len(database._pool) == 0
    done.set()
    thread.join()
    assert number_of(database) not in numbers


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("pool_size=many", "pool_size=many in the database's URL is no whole number above 0. Write it like"),
        ("pool_size=0", "pool_size=0 in the database's URL is no whole number"),
        ("max_age_seconds=-1", "max_age_seconds=-1 in the database's URL is no number above 0"),
        ("max_age_seconds=nan", "max_age_seconds=nan in the database's URL is no number above 0"),
    ],
)
def test_a_bound_that_makes_no_sense_is_refused(options: str, told: str) -> None:
    with pytest.raises(DatabaseError, match=told):
        Database(f"postgresql://u@h/d?{options}")


def test_the_driver_gets_what_is_left_of_the_url() -> None:
    database = Database("postgresql://u@h/d?pool_size=4&application_name=desk&max_age_seconds=60")
    assert database.backend.sqlalchemy_url == "postgresql+psycopg://u@h/d?application_name=desk"
    assert database.backend.bounds == Bounds(pool_size=4, pool_timeout_seconds=30, max_age_seconds=60.0)


def test_threads_of_sqlite_have_no_bound_and_leave_none_open(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/site.db")
    for _ in range(30):
        in_thread(lambda: database.fetch("SELECT 1"))
    database.fetch("SELECT 1")
    assert len(database._pool) == 1
    database.release()
    assert len(database._pool) == 1
    database.close_all()
