"""Questions to PostgreSQL that are prepared: what takes them away, and what must be as through a cursor."""

from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest

from tests.servers import SERVERS, opened_apart
from toolkit.errors import DatabaseError, DatabaseUnavailable
from toolkit.migrations.editors.sessions import editing

pytest.importorskip("psycopg")
POSTGRESQL = next((url for url in SERVERS if url.startswith("postgresql")), "")
pytestmark = pytest.mark.skipif(not POSTGRESQL, reason="TOOLKIT_TEST_DATABASES names no PostgreSQL server")

PREPARED_FROM = 2

ASKED = "SELECT id, text FROM note WHERE id = %s"


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Who began the tests in the background had interrupts ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def notes() -> Iterator[Any]:
    """A table with one note, of which was asked until the question was prepared."""
    found = opened_apart(POSTGRESQL)
    found.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text VARCHAR(100))")
    found.execute("INSERT INTO note VALUES (1, 'ferry')")
    for _ in range(PREPARED_FROM):
        assert found.fetch(ASKED, (1,)) == [(1, "ferry")]
    yield found
    found.drop()


def prepared(database: Any) -> list[str]:
    """What the server of a connection has prepared for it, by whomever."""
    rows = database.connection.execute("SELECT statement FROM pg_prepared_statements WHERE name LIKE 'toolkit%'")
    return [text for (text,) in rows.fetchall()]


def test_a_question_asked_again_is_prepared_once(notes: Any) -> None:
    notes.fetch(ASKED, (1,))
    assert prepared(notes) == ["SELECT id, text FROM note WHERE id = $1"]
    notes.fetch("SELECT text FROM note")
    assert len(prepared(notes)) == 1  # once may be the only time


def test_answers_that_take_long_are_waited_for_asleep_twice_as_often_at_each_try(notes: Any) -> None:
    reader = notes._local.reader[1]
    ready, waits = reader._ready, []

    def note(milliseconds: int) -> Any:
        waits.append(milliseconds)
        return ready(milliseconds)

    reader._ready, reader._asleep, reader._in_vain = note, 0, 1
    awake = []
    for _ in range(9):
        waits.clear()
        assert notes.fetch("SELECT 1 FROM pg_sleep(0.002)") == [(1,)]
        awake.append(0 in waits)
    assert awake == [True, False, False, True, False, False, False, False, True]


def test_values_of_another_kind_are_another_question(notes: Any) -> None:
    assert notes.fetch(ASKED, (2**40,)) == notes.fetch(ASKED, (2**40,)) == notes.fetch(ASKED, (None,)) == []
    assert len(prepared(notes)) == 2


def test_a_connection_that_prepares_nothing_is_asked_all_the_same(notes: Any) -> None:
    notes.connection.prepare_threshold = None
    for _ in range(3):
        assert notes.fetch("SELECT text FROM note WHERE id = %s AND text LIKE 'f%%'", (1,)) == [("ferry",)]
    assert len(prepared(notes)) == 1


def test_a_block_that_changes_tables_lets_go_of_all_and_keeps_the_connection(notes: Any) -> None:
    write, star = "UPDATE note SET text = %s WHERE id = %s", "SELECT * FROM note WHERE id = %s"
    for _ in range(10):  # psycopg prepares what it writes from the sixth time on
        notes.execute(write, ("ferry", 1))
        assert notes.fetch(star, (1,)) == [(1, "ferry")]
    kept = notes.connection
    for number in range(3):
        with editing(notes) as editor:
            editor.execute(f"ALTER TABLE note ADD COLUMN more_{number} INTEGER")
        with notes.atomic():  # where a statement that fails is not sent again
            for _ in range(10):
                notes.execute(write, ("tram", 1))
                assert notes.fetch(star, (1,)) == [(1, "tram", *[None] * (number + 1))]
    assert notes.connection is kept
    with pytest.raises(DatabaseError), editing(notes) as editor:
        editor.execute("ALTER TABLE nowhere ADD COLUMN more INTEGER")
    assert notes.connection is not kept


def test_only_so_many_are_kept_and_the_one_that_rested_longest_goes(notes: Any) -> None:
    notes.connection.prepared_max = 2
    for number in (1, 2):
        for _ in range(PREPARED_FROM):
            notes.fetch(f"SELECT {number} FROM note WHERE id = %s", (1,))
        notes.fetch(ASKED, (1,))
    assert sorted(prepared(notes)) == ["SELECT 2 FROM note WHERE id = $1", "SELECT id, text FROM note WHERE id = $1"]


VALUES = [
    "true", "'\\x00ff'::bytea", "1::int2", "(-7)::int4", "9007199254740993::int8", "3000000000::oid", "0.1::float4",
    "'-Infinity'::float8", "1e-300::float8", "''", "'ferry'::varchar(9)", "'a'::char(3)", "'n'::name",
    "'2026-02-28'::date", "'23:59:59.999999'::time", "'2026-02-28 12:00'::timestamp",
    "'2026-02-28 12:00:00.000001+02'::timestamptz", "'6a2f41a3-c54c-fce8-32d2-0324e1c32e22'::uuid",
    "1.50::numeric(9, 2)", "'NaN'::numeric", "'1 day 2 hours'::interval", "'12:00+02'::timetz", "'null'::jsonb",
    """'{"a": 1.0}'::json""", "ARRAY[1, NULL, 3]", "ARRAY['a', 'b']::text[]", "'[1,5)'::int4range",
    "'192.168.0.1/24'::inet", "'08:00:2b:01:02:03'::macaddr", "'sea'::kind", "ROW(1, 'a')", "'(1,2)'::point",
    "'1011'::bit(4)", "12.5::money", "'a:1 b:2'::tsvector", "'c'::\"char\"", "'<a/>'::xml",
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES)
def test_values_are_the_same_however_often_they_are_asked_for(notes: Any, value: str) -> None:
    notes.execute("CREATE TYPE kind AS ENUM ('sea', 'land')")
    sql = f"SELECT id, {value}, CASE WHEN id > 1 THEN {value} END, text FROM note WHERE id = %s"
    with notes.connection.cursor() as cursor:
        expected = cursor.execute(sql, (1,)).fetchall()
    found = [notes.fetch(sql, (1,)) for _ in range(PREPARED_FROM + 2)]
    assert [repr(rows) for rows in found] == [repr(expected)] * len(found)
    assert len(prepared(notes)) == 2


@pytest.mark.parametrize(
    "value", ["'infinity'::date", "'-infinity'::timestamptz", "'0044-03-15 BC'::timestamp", "'24:00'::time"]
)
def test_what_python_has_no_value_for_is_told_so_however_often_it_is_asked_for(notes: Any, value: str) -> None:
    for _ in range(PREPARED_FROM + 2):
        with pytest.raises(
            DatabaseError, match=r" is .*, and (Python.s years are 1 to 9999|a time of day is before 24:00)"
        ):
            notes.fetch(f"SELECT {value} FROM note WHERE id = %s", (1,))
    assert notes.fetch(ASKED, (1,)) == [(1, "ferry")]


MANY = "SELECT n, 12 / (n - %s) FROM generate_series(1, 5000) AS n ORDER BY n"


@pytest.fixture
def long(notes: Any) -> Any:
    """A database whose answer to ``MANY`` comes in parts."""
    for _ in range(PREPARED_FROM + 2):
        assert notes.fetch(MANY, (6000,))[4999] == (5000, 0)
    return notes


def test_many_rows_come_in_parts_and_are_the_same(long: Any) -> None:
    with long.connection.cursor() as cursor:
        expected = cursor.execute(MANY, (0,)).fetchall()
    assert long.fetch(MANY, (0,)) == expected


def test_of_what_had_many_rows_there_may_be_few_or_none(notes: Any) -> None:
    sql = "SELECT n FROM generate_series(1, %s) AS n"
    counts = [5000, 5000, 5000, 0, 5000, 5000, 3, 1000, 1001, 1001, 2000, 5000]
    assert [len(notes.fetch(sql, (count,))) for count in counts] == counts


@pytest.mark.parametrize("zero", [1, 2500, 5000])
def test_an_error_among_many_rows_is_told_and_the_next_question_is_answered(long: Any, zero: int) -> None:
    for _ in range(2):
        with pytest.raises(DatabaseError, match="division by zero"):
            long.fetch(MANY, (zero,))
        assert long.fetch(ASKED, (1,)) == [(1, "ferry")]
    assert len(long.fetch(MANY, (6000,))) == 5000


def test_a_value_among_many_that_python_does_not_have_fails_no_transaction(notes: Any) -> None:
    sql = "SELECT '9999-12-01'::date + n * %s FROM generate_series(1, 5000) AS n"
    for _ in range(PREPARED_FROM + 2):
        notes.fetch(sql, (0,))
    with notes.atomic():
        with pytest.raises(DatabaseError, match="is 10000-01-01, and Python"):
            notes.fetch(sql, (1,))
        assert notes.fetch(ASKED, (1,)) == [(1, "ferry")]


def test_an_interrupt_among_many_rows_cancels_the_question(notes: Any, interruptible: None) -> None:
    sql = "SELECT n, CASE WHEN n > %s THEN pg_sleep(1) IS NULL END FROM generate_series(1, 2600) AS n"
    for _ in range(PREPARED_FROM + 2):
        notes.fetch(sql, (3000,))
    with pytest.raises(KeyboardInterrupt):
        threading.Timer(0.2, _thread.interrupt_main).start()
        notes.fetch(sql, (2500,))
    assert notes.fetch(ASKED, (1,)) == [(1, "ferry")]
    assert len(notes.fetch(sql, (3000,))) == 2600


def test_a_connection_that_is_lost_among_many_rows_is_replaced(long: Any) -> None:
    def terminate(number: int) -> None:
        long.execute("SELECT pg_sleep(0.2), pg_terminate_backend(%s)", (number,))
        long.close()

    sql = "SELECT n, CASE WHEN n = 3000 THEN pg_sleep(%s) IS NULL END FROM generate_series(1, 5000) AS n"
    for _ in range(PREPARED_FROM + 2):
        long.fetch(sql, (0,))
    other = threading.Thread(target=terminate, args=(long.connection.info.backend_pid,))
    other.start()
    assert len(long.fetch(sql, (1,))) == 5000
    other.join()


def test_what_a_site_reads_in_a_way_of_its_own_stays_so() -> None:
    from psycopg.types.string import TextLoader

    found = opened_apart(POSTGRESQL)
    try:
        found.close()
        found.on_connect(lambda connection: connection.adapters.register_loader("uuid", TextLoader))
        told = [found.fetch("SELECT '6A2F41A3-c54c-fce8-32d2-0324e1c32e22'::uuid, 1.5::float8") for _ in range(4)]
        assert told == [[("6a2f41a3-c54c-fce8-32d2-0324e1c32e22", 1.5)]] * 4
    finally:
        found.drop()


@pytest.mark.parametrize(
    "statement",
    ["DEALLOCATE ALL", "BEGIN; ROLLBACK", "SELECT 1; DEALLOCATE ALL; SELECT 1", b"DEALLOCATE ALL"],
)
@pytest.mark.parametrize("inside", [False, True])
def test_what_the_server_forgot_is_prepared_anew(notes: Any, statement: Any, inside: bool) -> None:
    notes.connection.execute(statement)
    if inside:
        with notes.atomic():
            assert notes.fetch(ASKED, (1,)) == [(1, "ferry")]
    assert notes.fetch(ASKED, (1,)) == [(1, "ferry")]


def test_inside_a_transaction_a_column_may_get_another_type(notes: Any) -> None:
    with notes.atomic():
        notes.execute("ALTER TABLE note ALTER COLUMN text TYPE bytea USING text::bytea")
        assert notes.fetch(ASKED, (1,)) == [(1, b"ferry")]
    assert notes.fetch(ASKED, (1,)) == [(1, b"ferry")]


def test_a_rollback_gives_the_column_its_type_back(notes: Any) -> None:
    with pytest.raises(ZeroDivisionError), notes.atomic():
        notes.execute("ALTER TABLE note ALTER COLUMN text TYPE bytea USING text::bytea")
        assert [notes.fetch(ASKED, (1,)) for _ in range(PREPARED_FROM)] == [[(1, b"ferry")]] * PREPARED_FROM
        raise ZeroDivisionError
    assert notes.fetch(ASKED, (1,)) == [(1, "ferry")]


def test_another_process_may_give_a_column_another_type(notes: Any) -> None:
    def change() -> None:
        notes.execute("ALTER TABLE note ALTER COLUMN text TYPE bytea USING text::bytea")
        notes.close()

    other = threading.Thread(target=change)
    other.start()
    other.join()
    assert notes.fetch(ASKED, (1,)) == [(1, b"ferry")]


def test_a_statement_that_psycopg_lets_go_of_takes_none_of_ours_unnoticed(notes: Any) -> None:
    """It prepares what it was asked five times, and lets go of everything after a rollback."""
    for _ in range(8):
        notes.execute("UPDATE note SET text = text WHERE id = %s", (1,))
    with notes.atomic():
        with pytest.raises(ZeroDivisionError), notes.atomic():
            raise ZeroDivisionError
        assert notes.fetch(ASKED, (1,)) == [(1, "ferry")]


def test_a_snapshot_that_ends_keeps_what_was_prepared(notes: Any) -> None:
    with notes.snapshot():
        notes.fetch(ASKED, (1,))
    with notes.snapshot():
        assert notes.fetch(ASKED, (1,)) == [(1, "ferry")]
    assert len(prepared(notes)) == 1


def test_in_a_transaction_that_failed_the_next_question_is_told_so(notes: Any) -> None:
    with pytest.raises(DatabaseError, match="current transaction is aborted"), notes.atomic():
        with pytest.raises(DatabaseError, match="division by zero"):
            notes.fetch("SELECT 1 / %s FROM note", (0,))
        notes.fetch(ASKED, (1,))
    assert notes.fetch(ASKED, (1,)) == [(1, "ferry")]


@pytest.mark.parametrize(
    ("sql", "values", "told"),
    [
        ("SELECT %s FROM note", (1, 2), "placeholder"),
        ("SELECT nothing FROM note", (), 'column "nothing" does not exist'),
        ("SELECT %s::int FROM note", ("x",), "invalid input syntax"),
        ("SELECT text INTO toolkit_copied FROM note", (), "no rows|produce records"),
    ],
)
def test_a_question_that_fails_is_told_as_through_a_cursor(notes: Any, sql: str, values: Any, told: str) -> None:
    with pytest.raises(DatabaseError, match=told):
        notes.fetch(sql, values)
    assert notes.fetch(ASKED, (1,)) == [(1, "ferry")]


def test_several_statements_are_refused_and_pipelines_go_through_a_cursor(notes: Any) -> None:
    with pytest.raises(DatabaseError, match=r"multiple commands.*One statement is run at a time"):
        notes.fetch("SELECT 1; SELECT 2")
    with notes.connection.pipeline():
        assert notes.fetch(ASKED, (1,)) == [(1, "ferry")]


def test_a_lost_connection_is_replaced_but_not_inside_a_transaction(notes: Any) -> None:
    def end() -> None:
        number = notes.connection.info.backend_pid

        def terminate() -> None:
            notes.execute("SELECT pg_terminate_backend(%s)", (number,))
            notes.close()

        other = threading.Thread(target=terminate)
        other.start()
        other.join()

    end()
    assert notes.fetch(ASKED, (1,)) == [(1, "ferry")]
    with pytest.raises(DatabaseUnavailable, match="lost inside a transaction"), notes.atomic():
        end()
        notes.fetch(ASKED, (1,))
    assert notes.fetch(ASKED, (1,)) == [(1, "ferry")]


@pytest.mark.parametrize(("seconds", "wraps"), [(0.005, False), (0.1, False), (0.1, True)])
def test_a_time_limit_ends_the_wait_and_the_next_is_answered(notes: Any, seconds: float, wraps: bool) -> None:
    """Those of task queues come by a signal, whose function raises what it likes."""

    def give_up(*_: Any) -> None:
        raise TimeoutError("the task took too long")

    before = signal.signal(signal.SIGALRM, give_up)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        with pytest.raises(TimeoutError, match="took too long"), notes.atomic() if wraps else nullcontext():
            notes.fetch("SELECT pg_sleep(20)")
    finally:
        signal.signal(signal.SIGALRM, before)
    assert notes.fetch(ASKED, (1,)) == [(1, "ferry")]


@pytest.mark.parametrize("seconds", [0.005, 0.1])
def test_an_interrupt_cancels_the_question_and_the_next_is_answered(
    notes: Any, interruptible: None, seconds: float
) -> None:
    with pytest.raises(KeyboardInterrupt):  # which comes earlier than the question, where others keep the machine busy
        threading.Timer(seconds, _thread.interrupt_main).start()
        notes.fetch("SELECT pg_sleep(20)")
    assert notes.fetch(ASKED, (1,)) == [(1, "ferry")]
