"""Connections: one a thread, none shared through a fork, errors that say what to do."""

from __future__ import annotations

import gc
import os
import socket
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.servers import opened_apart
from toolkit.database import Database
from toolkit.database.backends.reading import LARGE_ANSWER
from toolkit.errors import DatabaseError, DatabaseUnavailable


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Any]:
    found = Database("sqlite:///site.db", folder=tmp_path)
    found.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)")
    found.execute("INSERT INTO note VALUES (1, 'one')")
    yield found
    found.close()


@pytest.mark.parametrize(
    ("url", "dialect"),
    [
        ("sqlite://", "sqlite"),
        ("sqlite:///:memory:", "sqlite"),
        ("postgres://u@h/d", "postgresql"),
        ("postgresql+psycopg://u@h/d", "postgresql"),
        ("mariadb://u@h/d", "mysql"),
    ],
)
def test_the_url_names_the_dialect(url: str, dialect: str) -> None:
    assert Database(url).dialect == dialect
    assert Database(url).in_memory == url.startswith("sqlite")


def test_an_unknown_kind_of_database_is_refused() -> None:
    with pytest.raises(DatabaseError, match=r"'db2://x' names no database that the toolkit knows\. Use sqlite"):
        Database("db2://x")
    with pytest.raises(DatabaseError, match=r"'db2://x\?password=\*\*\*' names no database"):
        Database("db2://x?password=s3cret")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ines:s3cret@127.0.0.1:1/courier", "postgresql://ines:***@127.0.0.1:1/courier"),
        (
            "postgresql://127.0.0.1:1/courier?user=ines&password=s3cret&connect_timeout=1",
            "postgresql://127.0.0.1:1/courier?user=ines&password=***&connect_timeout=1",
        ),
    ],
)
def test_passwords_are_not_shown(url: str, shown: str) -> None:
    database = Database(url)
    assert repr(database) == f"<Database {shown}>"
    with pytest.raises(DatabaseUnavailable, match="cannot be reached") as raised:
        database.fetch("SELECT 1")
    assert "s3cret" not in str(raised.value)
    assert "Is the server running" in str(raised.value)


def test_a_file_that_cannot_be_a_database_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"its folder does not exist\. Create the folder"):
        Database("sqlite:///no/where.db", folder=tmp_path).fetch("SELECT 1")
    (tmp_path / "text.db").write_text("this is no database" * 100)
    with pytest.raises(DatabaseUnavailable, match=r"cannot be opened: file is not a database\. Is it a SQLite file"):
        Database("sqlite:///text.db", folder=tmp_path).fetch("SELECT 1")


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT * FROM gone", r"no such table: gone \(in: SELECT \* FROM gone\)\. Apply the migrations"),
        ("SELECT gone FROM note", r"no such column: gone.*Apply the migrations"),
        ("SELEC 1", "syntax error"),
    ],
)
def test_what_the_database_refuses_comes_with_its_statement(database: Any, sql: str, told: str) -> None:
    with pytest.raises(DatabaseError, match=told):
        database.fetch(sql)


def test_a_server_that_takes_a_connection_and_says_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is stopped does; PyMySQL's own time-out ends with the way to the server."""
    monkeypatch.setattr("toolkit.database.backends.mysql.CONNECT_TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        database = Database(f"mysql://root@127.0.0.1:{silent.getsockname()[1]}/site")
        with pytest.raises(DatabaseUnavailable, match=r"cannot be reached: .*timed out.*Is the server running"):
            database.fetch("SELECT 1")


def test_each_thread_opens_its_own_connection(database: Any) -> None:
    seen: list[Any] = []

    def look() -> None:
        seen.append((database.connection, database.fetch("SELECT text FROM note")))
        database.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen[0][0] is not database.connection
    assert seen[0][1] == [("one",)]


def test_a_file_is_closed_with_the_database_that_nobody_has_any_more(tmp_path: Path) -> None:
    """Without a warning: Python 3.13 has one for connections that are left to the collector."""
    database = Database(f"sqlite:///{tmp_path}/a.db")
    assert database.fetch("SELECT 1")
    connection = weakref.ref(database.connection)
    del database
    gc.collect()
    assert connection() is None
    gc.collect()  # which is when pytest hears of it
    assert not [one for one in Path("/proc/self/fd").iterdir() if str(one.resolve()).startswith(str(tmp_path))]


def test_a_database_in_memory_is_the_same_in_all_threads() -> None:
    database = Database("sqlite://")
    database.execute("CREATE TABLE note (text TEXT)")
    thread = threading.Thread(target=lambda: database.execute("INSERT INTO note VALUES ('from afar')"))
    thread.start()
    thread.join()
    assert database.fetch("SELECT text FROM note") == [("from afar",)]
    database.close()


def in_a_fork(work: Any) -> bytes:
    """What the work wrote to a pipe in a forked child."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.write(writer, work())
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    answer = os.read(reader, 1000)
    os.close(reader)
    assert os.waitpid(child, 0)[1] == 0
    return answer


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_opens_its_own_connection_and_leaves_the_parents_alone(database: Any) -> None:
    database.begin_snapshot()
    parent = database.connection

    def work() -> bytes:
        own = database.connection
        assert own is not parent
        assert database.transaction is None
        database.execute("INSERT INTO note VALUES (2, 'child')")
        database.close()
        return b"%d" % database.fetch("SELECT count(*) FROM note")[0][0]

    assert in_a_fork(work) == b"2"
    assert database.fetch("SELECT count(*) FROM note") == [(1,)]  # the snapshot still stands
    database.end_snapshot()
    assert database.fetch("SELECT count(*) FROM note") == [(2,)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_keeps_its_copy_of_a_database_in_memory() -> None:
    database = Database("sqlite://")
    database.execute("CREATE TABLE note (text TEXT)")

    def work() -> bytes:
        database.execute("INSERT INTO note VALUES ('child')")
        return b"%d" % database.fetch("SELECT count(*) FROM note")[0][0]

    assert in_a_fork(work) == b"1"
    assert database.fetch("SELECT count(*) FROM note") == [(0,)]
    database.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_waits_until_no_thread_compiles(database: Any) -> None:
    """The child has no such thread, and would wait for it for ever."""
    compiles = threading.Event()

    def compile_something() -> None:
        with database.compiling:
            compiles.set()
            time.sleep(0.05)

    thread = threading.Thread(target=compile_something)
    thread.start()
    compiles.wait()

    def work() -> bytes:
        return b"free" if database.compiling.acquire(timeout=2) else b"held"

    assert in_a_fork(work) == b"free"
    thread.join()
    with database.compiling:  # which a fork inside of it does not let go of
        assert in_a_fork(work) == b"free"
    assert database.compiling.acquire(timeout=2)
    database.compiling.release()


def test_a_snapshot_sees_one_instant(database: Any, tmp_path: Path) -> None:
    other = Database("sqlite:///site.db", folder=tmp_path)
    with database.snapshot():
        other.execute("INSERT INTO note VALUES (2, 'two')")
        with database.snapshot():
            assert database.fetch("SELECT count(*) FROM note") == [(1,)]
        assert database.fetch("SELECT count(*) FROM note") == [(1,)]
    assert database.fetch("SELECT count(*) FROM note") == [(2,)]
    other.close()


def test_what_is_remembered_is_forgotten_when_anybody_writes(database: Any, tmp_path: Path) -> None:
    other = Database("sqlite:///site.db", folder=tmp_path)

    def remembered() -> bool:
        found = "answer" in database.memo
        database.memo["answer"] = 42
        return found

    assert not remembered()
    assert remembered()
    other.execute("INSERT INTO note VALUES (2, 'two')")
    assert not remembered()
    database.execute("UPDATE note SET text = 'x'")
    assert not remembered()
    with database.atomic():
        assert remembered()
        with pytest.raises(ValueError, match="no"), database.atomic():
            database.execute("UPDATE note SET text = 'y'")
            assert not remembered()
            raise ValueError("no")
        assert not remembered()
    with database.snapshot():
        remembered()
        other.execute("INSERT INTO note VALUES (3, 'three')")
        assert remembered()
    assert not remembered()
    other.close()


def test_statements_are_counted_and_heard(database: Any) -> None:
    before = database.queries
    with database.counted() as seen:
        database.fetch("SELECT 1")
        database.executemany("INSERT INTO note (text) VALUES (?)", [("a",), ("b",)])
    database.fetch("SELECT 2")
    assert seen == ["SELECT 1", "INSERT INTO note (text) VALUES (?)"]
    assert database.queries == before + 3


def replace(database: Any, *, log_too: bool) -> None:
    """Put another file in the place of a database's, with one empty table."""
    other = database.path.with_name("other.db")
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE note (text)")
    other.replace(database.path)
    for name in ("site.db-wal", "site.db-shm") if log_too else ():
        database.path.with_name(name).unlink()


@pytest.mark.parametrize("in_block", [True, False])
def test_what_was_written_to_a_file_that_is_no_longer_there_is_no_success(tmp_path: Path, in_block: bool) -> None:
    """SQLite goes on writing to a file that was removed, and says nothing."""
    database = Database(f"sqlite:///{tmp_path}/site.db")
    database.execute("CREATE TABLE note (text)")
    replace(database, log_too=True)
    called: list[str] = []
    told = r"site\.db was removed or replaced while it was open: what was just written is gone with it\. Write it again"
    with pytest.raises(DatabaseUnavailable, match=told), database.atomic() if in_block else nullcontext():
        database.run("INSERT INTO note VALUES ('lost')")
        if in_block:
            database.on_commit(lambda: called.append("committed"))
        database.wrote(None, "raw", None)
    assert (called, database.transaction) == ([], None)
    database.execute("INSERT INTO note VALUES ('kept')")
    database.close()
    with closing(sqlite3.connect(tmp_path / "site.db")) as connection:
        assert connection.execute("SELECT text FROM note").fetchall() == [("kept",)]


def test_a_file_that_was_replaced_is_read_when_the_next_piece_of_work_begins(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/site.db")
    database.execute("CREATE TABLE note (text)")
    database.execute("INSERT INTO note VALUES ('before')")
    replace(database, log_too=True)
    database.release()
    assert database.fetch("SELECT text FROM note") == []


def test_nothing_is_opened_in_place_of_a_file_that_is_lost_if_it_would_be_neither(tmp_path: Path) -> None:
    """An empty file, or the new one with the old one's log: SQLite would take them for the database."""
    database = Database(f"sqlite:///{tmp_path}/site.db")
    database.execute("CREATE TABLE note (text)")
    replace(database, log_too=False)
    database.release()
    with pytest.raises(DatabaseUnavailable, match=r"replaced while .* site\.db-wal is still that of the file before"):
        database.fetch("SELECT text FROM note")
    (tmp_path / "site.db-wal").unlink()
    (tmp_path / "site.db-shm").unlink()
    assert database.fetch("SELECT text FROM note") == []
    (tmp_path / "site.db").unlink()
    database.release()
    with pytest.raises(DatabaseUnavailable, match=r"site\.db was removed while it was open\. Put it back"):
        database.fetch("SELECT text FROM note")
    assert not (tmp_path / "site.db").exists()


def test_hooks_meet_every_new_connection(tmp_path: Path) -> None:
    database = Database("sqlite:///site.db", folder=tmp_path)
    database.on_connect(lambda connection: connection.create_function("twice", 1, lambda n: n * 2))
    assert database.fetch("SELECT twice(21)") == [(42,)]
    database.close()
    assert database.fetch("SELECT twice(4)") == [(8,)]
    database.close()


# how a SQLite file is written


@pytest.mark.parametrize(
    ("query", "journal_mode", "synchronous"),
    [
        ("", "wal", 2),
        ("?synchronous=NORMAL", "wal", 1),
        ("?synchronous=extra&journal_mode=delete", "delete", 3),
        ("?journal_mode=truncate&pool_size=3", "truncate", 2),
        ("?synchronous=off", "wal", 0),
    ],
)
def test_a_url_says_how_sqlite_writes(tmp_path: Path, query: str, journal_mode: str, synchronous: int) -> None:
    database = Database(f"sqlite:///site.db{query}", folder=tmp_path)
    assert database.fetch("PRAGMA journal_mode") == [(journal_mode,)]
    assert database.fetch("PRAGMA synchronous") == [(synchronous,)]
    assert database.path == tmp_path / "site.db"
    database.close()


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("read_timeout_seconds=5", "read_timeout_seconds .* is no option of SQLite"),
        ("synchronus=full", r"synchronus=full .* is no option of SQLite\. Did you mean 'synchronous'"),
        ("synchronous=maybe", r"synchronous=maybe .* is not possible\. It may be full, normal, extra, off"),
        ("journal_mode=memory", r"journal_mode=memory .* is not possible\. It may be wal, delete, truncate, persist"),
        ("journal_mode=", r"journal_mode= .* is not possible"),
    ],
)
def test_what_sqlite_cannot_be_told_is_refused(tmp_path: Path, query: str, told: str) -> None:
    with pytest.raises(DatabaseError, match=told):
        Database(f"sqlite:///site.db?{query}", folder=tmp_path)


def test_a_question_asked_while_another_is_answered_takes_nothing_from_it(any_database: Any) -> None:
    for number, text in enumerate(("sea", "harbour")):
        any_database.execute(f"INSERT INTO note VALUES ({number}, '{text}')")
    inner: list[Any] = []

    def asking(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        cursor = execute(sql, parameters, many, context)
        if not inner:
            inner.append(None)
            inner[0] = any_database.fetch("SELECT text FROM note WHERE id = 0")
        return cursor

    with any_database.wrap(asking):
        assert any_database.fetch("SELECT text FROM note WHERE id = 1") == [("harbour",)]
    assert inner == [[("sea",)]]


def test_after_a_question_that_failed_the_next_one_is_answered(any_database: Any) -> None:
    any_database.execute("INSERT INTO note VALUES (1, 'sea')")
    for _ in range(2):
        with pytest.raises(DatabaseError, match="nothing_of_the_kind"):
            any_database.fetch("SELECT nothing_of_the_kind FROM note")
        assert any_database.fetch("SELECT text FROM note") == [("sea",)]


def test_a_percent_sign_that_is_taken_for_a_mark_is_told(any_database: Any) -> None:
    if any_database.dialect == "sqlite":
        pytest.skip("its mark is ?")
    for sql, values in (("SELECT 1 WHERE 'a' LIKE 'a%'", ()), ("SELECT 1 WHERE 'a' LIKE 'a%' AND 1 = %s", (1,))):
        with pytest.raises(DatabaseError, match=r"Write a percent sign twice \(%%\)"):
            any_database.fetch(sql, values)


def test_a_value_in_place_of_a_list_of_them_is_told(any_database: Any) -> None:
    with pytest.raises(DatabaseError, match=r"the values of a statement are a list, and 5 is none .*Write \[5\]"):
        any_database.fetch("SELECT 1", 5)


def test_a_long_answer_is_given_whole_and_the_next_one_too(any_database: Any) -> None:
    any_database.executemany(
        f"INSERT INTO note VALUES ({', '.join([any_database.backend.placeholder] * 2)})",
        [(number, f"note {number}") for number in range(LARGE_ANSWER + 1)],
    )
    for _ in range(2):
        assert len(any_database.fetch("SELECT id FROM note")) == LARGE_ANSWER + 1
        assert any_database.fetch("SELECT count(*) FROM note") == [(LARGE_ANSWER + 1,)]


def test_a_table_is_there_or_is_not(any_database: Any) -> None:
    assert "note" in any_database.table_names()
    assert [any_database.has_table(name) for name in ("note", "Note", "not_", "n%", "")] == [True, *[False] * 4]
    any_database.execute("DROP TABLE note")
    assert not any_database.has_table("note")


def test_a_table_of_another_schema_is_none(any_database: Any) -> None:
    other = opened_apart(any_database.url)
    other.execute("CREATE TABLE elsewhere (id INTEGER)")
    assert other.has_table("elsewhere")
    assert any_database.has_table("elsewhere") == (any_database.dialect == "sqlite")
    other.drop()
