"""Blocks that are written whole or not at all."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from toolkit.database import Database, atomic, on_commit, set_rollback
from toolkit.errors import DatabaseError, DeadlockError, IntegrityError, TransactionError
from toolkit.trace import Scope, entered


@pytest.fixture
def database(any_database: Any) -> Any:
    return any_database


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Any]:
    """SQLite alone, where a test is about its words or its one writer."""
    found = Database(f"sqlite:///{tmp_path}/site.db")
    found.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT UNIQUE)")
    yield found
    found.close()


def notes(database: Any) -> list[str]:
    return [text for (text,) in database.fetch("SELECT text FROM note ORDER BY id")]


def write(database: Any, text: str) -> None:
    mark = database.backend.placeholder
    number = database.fetch("SELECT count(*) FROM note")[0][0] + 1
    database.execute(f"INSERT INTO note (id, text) VALUES ({number}, {mark})", [text])


def test_an_exception_rolls_the_block_back(database: Any) -> None:
    with pytest.raises(ValueError, match="no"), database.atomic():
        write(database, "a")
        raise ValueError("no")
    assert notes(database) == []
    assert database.transaction is None


def test_an_inner_block_that_fails_leaves_the_outer_one_usable(database: Any) -> None:
    with database.atomic():
        write(database, "outer")
        with pytest.raises(IntegrityError, match=r"(?i)unique constraint"), database.atomic():
            write(database, "inner")
            with database.atomic():
                write(database, "innermost")
            write(database, "outer")
        write(database, "after")
    assert notes(database) == ["outer", "after"]


def test_a_function_can_be_a_block(database: Any) -> None:
    @database.atomic()
    def work(text: str) -> str:
        write(database, text)
        if text == "b":
            raise ValueError("no b")
        return text

    assert work("a") == "a"
    with pytest.raises(ValueError, match="no b"):
        work("b")
    assert notes(database) == ["a"]


def test_on_commit_waits_for_the_outermost_block(database: Any) -> None:
    called: list[str] = []
    database.on_commit(lambda: called.append("at once"))
    with database.atomic():
        database.on_commit(lambda: called.append("outer"))
        with database.atomic():
            database.on_commit(lambda: called.append("inner"))
        assert called == ["at once"]
    assert called == ["at once", "outer", "inner"]


def test_what_is_no_function_is_told_before_the_commit(database: Any) -> None:
    with database.atomic(), pytest.raises(TransactionError, match=r"on_commit\(None\): that is no function. Give the"):
        database.on_commit(print())
    with pytest.raises(TransactionError, match=r"atomic\(5\): that is no function. Name a database"):
        atomic(5)  # type: ignore[call-overload]  # that is the mistake
    with pytest.raises(TransactionError, match="there is no current site"), atomic("archive"):
        pass


def test_on_commit_is_never_called_after_a_rollback(database: Any) -> None:
    called: list[str] = []
    with pytest.raises(ValueError, match="no"), database.atomic():
        database.on_commit(lambda: called.append("whole"))
        raise ValueError("no")
    with database.atomic():
        with database.atomic():
            database.on_commit(lambda: called.append("kept"))
        with pytest.raises(ValueError, match="no"), database.atomic():
            database.on_commit(lambda: called.append("lost"))
            with database.atomic():
                database.on_commit(lambda: called.append("lost too"))
            raise ValueError("no")
    assert called == ["kept"]


def test_a_callback_that_fails_stops_no_other(database: Any) -> None:
    called: list[str] = []

    def fail() -> None:
        raise ValueError("the mail server is down")

    with pytest.raises(ValueError, match="mail server"), database.atomic():
        write(database, "a")
        database.on_commit(fail)
        database.on_commit(lambda: called.append("second"))
    assert (called, notes(database)) == (["second"], ["a"])


def test_a_reference_to_nothing_is_refused_at_commit_and_the_row_is_named(file: Any) -> None:
    file.execute(
        "CREATE TABLE reply (id INTEGER PRIMARY KEY, "
        "note_id INTEGER REFERENCES note (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    told = "row 7 of reply refers to a row of note that does not exist: note_id = 41"
    with pytest.raises(IntegrityError, match=told), file.atomic():
        file.execute("INSERT INTO reply VALUES (7, 41)")
    with pytest.raises(IntegrityError, match=rf"^{told}\. Nothing was written"):
        file.execute("INSERT INTO reply VALUES (7, 41)")
    assert file.fetch("SELECT count(*) FROM reply") == [(0,)]
    with file.atomic():  # a reference may come before its row
        file.execute("INSERT INTO reply VALUES (7, 41)")
        file.execute("INSERT INTO note VALUES (41, 'late')")
    assert file.fetch("SELECT count(*) FROM reply") == [(1,)]


def test_a_reference_that_was_broken_before_is_not_told_of_another_statement(file: Any) -> None:
    file.execute("CREATE TABLE reply (a, b, FOREIGN KEY (a, b) REFERENCES note (id, text))")
    file.execute("CREATE UNIQUE INDEX notes ON note (id, text)")
    file.execute("PRAGMA foreign_keys = OFF")
    file.execute("INSERT INTO reply VALUES (1, 'old')")
    file.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(IntegrityError, match=r"^row 2 of reply refers .*: a, b = 2, 'new'\. Nothing") as caught:
        file.execute("INSERT INTO reply VALUES (2, 'new')")
    assert (caught.value.kind, caught.value.constraint) == ("foreign_key", "reply.a, b")


def test_the_first_error_is_told_even_if_the_transaction_is_gone(database: Any) -> None:
    with pytest.raises(ValueError, match="the real one"), database.atomic():
        database.run("ROLLBACK")
        raise ValueError("the real one")
    with database.atomic():
        write(database, "a")
    assert notes(database) == ["a"]


def test_a_second_writer_waits_or_is_told_why_it_cannot(file: Any, tmp_path: Path) -> None:
    other = Database(f"sqlite:///{tmp_path}/site.db")
    other.execute("PRAGMA busy_timeout=20")
    with file.atomic():
        write(file, "a")
        told = r"database is locked.*Another process has been writing"
        with pytest.raises(DatabaseError, match=told), other.atomic():
            pass
        assert other.transaction is None
    with other.atomic():
        write(other, "b")
    assert notes(file) == ["a", "b"]
    other.close()


def test_each_thread_has_its_own_transaction(database: Any) -> None:
    seen: list[Any] = []

    def look() -> None:
        seen.append((database.transaction, notes(database)))
        database.close()

    with database.atomic():
        write(database, "a")
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert seen == [(None, [])]


def test_a_database_in_memory_lets_one_thread_write_at_a_time() -> None:
    database = Database("sqlite://")
    database.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT UNIQUE)")

    def add(number: int) -> None:
        with database.atomic():
            before = database.fetch("SELECT count(*) FROM note")[0][0]
            write(database, f"{number}: {before}")

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(int(text.partition(": ")[2]) for text in notes(database)) == list(range(8))
    database.close()


def test_a_durable_block_is_never_an_inner_one(database: Any) -> None:
    with database.atomic(durable=True):
        write(database, "a")
    told = "a durable block cannot be inside another.*leave out durable"
    with pytest.raises(TransactionError, match=told), database.atomic(), database.atomic(durable=True):
        pass
    assert notes(database) == ["a"]


def test_an_inner_block_without_a_savepoint_takes_the_outer_one_down_with_it(database: Any) -> None:
    called: list[str] = []
    told = r"not committed, for an error left an inner block that has no savepoint: nothing was written"
    with pytest.raises(TransactionError, match=told), database.atomic():
        write(database, "outer")
        database.on_commit(lambda: called.append("outer"))
        with pytest.raises(ValueError, match="no"), database.atomic(savepoint=False):
            write(database, "inner")
            raise ValueError("no")
        with pytest.raises(TransactionError, match=r"nothing can be asked.*left an inner block that has no savepoint"):
            notes(database)
    assert (notes(database), called) == ([], [])


def test_a_deadlock_that_is_caught_inside_is_not_taken_for_a_commit(database: Any) -> None:
    if database.dialect == "sqlite":
        pytest.skip("one transaction writes at a time")
    for text in ("a", "b"):
        write(database, text)
    update = "UPDATE note SET text = %s WHERE text = %s"
    both = threading.Barrier(2, timeout=20)
    ends: list[type | None] = []

    def work(first: str, second: str) -> None:
        try:
            with database.atomic(), suppress(DeadlockError):
                database.execute(update, [f"{first}!", first])
                both.wait()
                database.execute(update, [f"{second}!", second])
            ends.append(None)
        except TransactionError as error:
            assert "was not committed" in str(error)
            ends.append(TransactionError)
        finally:
            database.close()

    threads = [threading.Thread(target=work, args=order) for order in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {None, TransactionError} == set(ends)
    assert notes(database) == ["a!", "b!"]


def test_only_the_nearest_savepoint_is_lost_with_an_inner_block_that_has_none(database: Any) -> None:
    with database.atomic():
        write(database, "outer")
        told = "what this inner block wrote was taken back, for an error left an inner block that has no savepoint"
        with pytest.raises(TransactionError, match=told), database.atomic():
            write(database, "middle")
            with pytest.raises(ValueError, match="no"), database.atomic(savepoint=False):
                raise ValueError("no")
        with pytest.raises(ValueError, match="own"), database.atomic():
            with suppress(ValueError), database.atomic(savepoint=False):
                raise ValueError("no")
            raise ValueError("its own")
        write(database, "after")
    assert notes(database) == ["outer", "after"]


def test_a_block_can_be_rolled_back_without_an_error(database: Any) -> None:
    with database.atomic():
        write(database, "a")
        with database.atomic():
            write(database, "b")
            database.set_rollback(True)
            with pytest.raises(TransactionError, match=r"set_rollback\(True\) was called"):
                write(database, "c")
        with database.atomic():
            write(database, "d")
            database.set_rollback(True)
            database.set_rollback(False)
    assert notes(database) == ["a", "d"]
    with pytest.raises(TransactionError, match="outside of an atomic block"):
        database.set_rollback(True)


def test_the_error_of_a_robust_callback_is_logged(database: Any, caplog: Any) -> None:
    def fail() -> None:
        raise ValueError("the mail server is down")

    with database.atomic():
        database.on_commit(fail, robust=True)
    database.on_commit(fail, robust=True)
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]


def test_blocks_of_the_current_site_need_no_database(database: Any) -> None:
    called: list[str] = []

    @atomic
    def work() -> None:
        on_commit(lambda: called.append("done"))
        write(database, "a")

    @atomic(durable=True)
    def undone() -> None:
        write(database, "b")
        set_rollback(True)

    with entered(Scope(None, database)):
        work()
        undone()
        with atomic():
            write(database, "c")
    assert (notes(database), called) == (["a", "c"], ["done"])
    with pytest.raises(TransactionError, match="no current site"):
        work()
    with atomic(using=database):
        write(database, "d")


def test_an_error_that_is_caught_inside_never_ends_in_half_a_transaction(database: Any) -> None:
    """PostgreSQL gives the transaction up at the first error, and takes its COMMIT for a ROLLBACK without a word."""
    called: list[str] = []

    def block() -> None:
        with database.atomic():
            database.on_commit(lambda: called.append("committed"))
            write(database, "a")
            with pytest.raises(IntegrityError):
                write(database, "a")

    if database.dialect == "postgresql":
        with pytest.raises(TransactionError, match="was not committed, for an error was caught inside"):
            block()
        assert (notes(database), called) == ([], [])
    else:
        block()
        assert (notes(database), called) == (["a"], ["committed"])
    assert database.transaction is None


def test_what_is_asked_after_a_caught_error_says_how_to_catch_it(database: Any) -> None:
    if database.dialect != "postgresql":
        pytest.skip("only PostgreSQL gives up the transaction")
    with pytest.raises(DatabaseError, match="Give what may fail a block of its own"), database.atomic():
        write(database, "a")
        with pytest.raises(IntegrityError):
            write(database, "a")
        notes(database)


def test_a_block_whose_connection_was_closed_inside_says_so(database: Any) -> None:
    with pytest.raises(TransactionError, match="its connection was closed inside of it"), database.atomic():
        write(database, "a")
        database.close()
    assert notes(database) == []
    with pytest.raises(ValueError, match="the error of the block"), database.atomic():
        database.close()
        raise ValueError("the error of the block")


def test_nothing_is_written_after_the_connection_was_closed_inside_a_block(database: Any) -> None:
    with pytest.raises(TransactionError, match="its connection was closed inside of it"), database.atomic():
        with suppress(TransactionError), database.atomic():
            write(database, "a")
            database.close()
            write(database, "b")
        write(database, "c")
    assert notes(database) == []
    write(database, "d")
    assert notes(database) == ["d"]


def unfinished(database: Any, *names: str) -> Iterator[str]:
    """Writes notes, one between two others' work."""
    with database.atomic():
        for name in names:
            write(database, name)
            yield name


def test_a_block_that_ends_before_one_inside_of_it_says_so_and_nothing_is_kept(database: Any) -> None:
    """The block of a generator that is not finished is still open when the one around it ends."""
    told = "ended before one inside of it, as that of a generator"
    with pytest.raises(TransactionError, match=told), database.atomic():
        write(database, "outer")
        generator = unfinished(database, "inner", "later")
        next(generator)
    with pytest.raises(TransactionError, match="has no transaction any more"):
        next(generator)
    generator.close()
    assert notes(database) == []
    write(database, "after")
    assert notes(database) == ["after"]


def test_in_memory_too_and_other_threads_go_on() -> None:
    database = Database("sqlite://")
    database.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT UNIQUE)")
    write(database, "before")
    with pytest.raises(TransactionError, match="ended before one inside of it"), database.atomic():
        generator = unfinished(database, "inner")
        next(generator)
    with ThreadPoolExecutor(1) as other:
        other.submit(write, database, "elsewhere").result(20)
    generator.close()
    assert notes(database) == ["before", "elsewhere"]
    database.close()


def test_blocks_of_two_generators_that_are_finished_in_the_wrong_order(database: Any) -> None:
    first, second = unfinished(database, "first"), unfinished(database, "second", "third")
    next(first)
    next(second)
    first.close()
    with pytest.raises(TransactionError, match="has no transaction any more"):
        next(second)
    assert notes(database) == []


def test_a_generator_that_is_kept_takes_no_statement_from_others(database: Any) -> None:
    with pytest.raises(TransactionError, match="ended before one inside of it"), database.atomic():
        generator = unfinished(database, "inner")
        next(generator)
    database.release()
    with database.atomic():
        write(database, "next request")
        generator.close()
        write(database, "and more")
    assert notes(database) == ["next request", "and more"]


@pytest.mark.parametrize(
    "sql", ["COMMIT", "begin", "/* so */ ROLLBACK", "-- so\nEND", "START TRANSACTION", "Abort work"]
)
def test_a_transaction_is_not_ended_by_hand_inside_of_a_block(database: Any, sql: str) -> None:
    told = "cannot be said inside of an atomic block"
    with pytest.raises(TransactionError, match=told), database.atomic():
        write(database, "lost")
        database.execute(sql)
    with pytest.raises(TransactionError, match=told), database.atomic(), database.cursor() as cursor:
        cursor.execute(sql)
    assert notes(database) == []
    with database.atomic():
        for statement in ("SAVEPOINT mine", "INSERT INTO note VALUES (1, 'x')", "ROLLBACK TO SAVEPOINT mine"):
            database.execute(statement)
        write(database, "kept")
    assert notes(database) == ["kept"]


def interrupted_after(*words: str) -> Any:
    """Stands around statements: somebody presses Ctrl-C when one that begins with these words is done."""

    def run(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        found = execute(sql, parameters, many, context)
        if sql.startswith(words):
            raise KeyboardInterrupt
        return found

    return run


def test_an_interrupt_at_the_beginning_leaves_no_transaction_open(database: Any) -> None:
    """While a writer waits for another, an interrupt is told once the transaction is there."""
    with database.wrap(interrupted_after("BEGIN", "START")), pytest.raises(KeyboardInterrupt), database.atomic():
        pass
    with database.atomic():
        write(database, "a")
    database.close()
    assert notes(database) == ["a"]


def test_a_snapshot_that_could_not_be_taken_leaves_no_transaction_open(database: Any) -> None:
    with (
        database.wrap(interrupted_after("BEGIN", "START TRANSACTION")),
        pytest.raises(KeyboardInterrupt),
        database.snapshot(),
    ):
        pass
    assert not database.in_snapshot
    write(database, "a")
    database.close()
    assert notes(database) == ["a"]


def test_a_snapshot_that_is_not_there_is_told_and_others_can_be_taken(database: Any) -> None:
    if database.dialect != "postgresql":
        pytest.skip("snapshots have no names")
    with pytest.raises(DatabaseError, match="snapshot"):
        database.begin_snapshot("nowhere")
    with database.snapshot():
        assert notes(database) == []


def test_a_block_around_what_is_not_done_when_its_call_is_over_is_refused() -> None:
    def generator() -> Iterator[int]:
        yield 1

    async def coroutine() -> int:
        async with Database("sqlite://").atomic():
            return 1

    with pytest.raises(TransactionError, match=r"async with atomic\(\): .* await asyncio\.to_thread"):
        asyncio.run(coroutine())

    async def both() -> AsyncIterator[int]:
        yield 1

    for function, told in ((generator, r"generator\(\) is a generator"), (coroutine, "is a coroutine"), (both, "is a")):
        with pytest.raises(TransactionError, match=rf"{told}.* would end before its first statement"):
            atomic(function)
        with pytest.raises(TransactionError, match=told):
            Database("sqlite://").atomic()(function)
