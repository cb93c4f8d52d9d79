"""Tokens of buckets on every database: equal tokens mean equal rows, whoever writes, and however it ends."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers import SERVERS
from toolkit.database import install_tokens, read_buckets, read_tokens
from toolkit.database.tokens.keeping import EVERY_BUCKET
from toolkit.errors import ToolkitError
from toolkit.models.states import TableState, capture
from toolkit.trace import Scope, bucket_of, entered

TABLE = "news_tag"
OTHERS = ["news_author", "news_camera"]
EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "15")) // 2
URLS = ["sqlite://", *SERVERS]


@pytest.fixture(scope="module", params=URLS, ids=[url.partition(":")[0] for url in URLS])
def kept(request: pytest.FixtureRequest, find_aged: Callable[[str], Any]) -> Any:
    """A database of each kind with tokens, apart from that of other tests, which have no triggers."""
    made = find_aged(request.param)
    install_tokens(made, [TABLE, *OTHERS])
    return made


@pytest.fixture
def database(kept: Any, m: Any) -> Iterator[Any]:
    """Tags in four buckets, each with a token."""
    with entered(Scope(None, kept)):
        m.Tag.objects.all().delete()
        m.Tag.objects.bulk_create([m.Tag(id=n, name=f"t{n}", slug=f"t{n}") for n in (1, 7, 257, 300, 700, 1000)])
        install_tokens(kept, [TABLE, *OTHERS])
        yield kept
        install_tokens(kept, [TABLE, *OTHERS])


@pytest.fixture(scope="module")
def thread(kept: Any) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as found:
        yield found
        found.submit(kept.close).result(20)


def tokens_of(database: Any) -> dict[int, str]:
    found = read_buckets(database, TABLE)
    assert found is not None
    assert found.column == "id"
    return dict(found.tokens)


def test_each_bucket_has_a_token_that_stands_while_nobody_writes(database: Any) -> None:
    first = tokens_of(database)
    assert sorted(first) == [0, 1, 2, 3]
    assert len(set(first.values()) - {""}) == 4
    install_tokens(database, [TABLE])
    assert tokens_of(database) == first


UPSERT = {
    "sqlite": "INSERT INTO news_tag (id, name, slug) VALUES (700, 'x', 'x') ON CONFLICT (id) DO UPDATE SET name = 'y'",
    "mysql": "INSERT INTO news_tag (id, name, slug) VALUES (700, 'x', 'x') ON DUPLICATE KEY UPDATE name = 'y'",
}
UPSERT["postgresql"] = UPSERT["sqlite"]
COPIED = "INSERT INTO news_tag (id, name, slug) SELECT id + 1, name, {} FROM news_tag WHERE id > 600"


@pytest.mark.parametrize(
    ("sql", "buckets"),
    [
        ("UPDATE news_tag SET name = 'x' WHERE id = 300", [1]),
        ("UPDATE news_tag SET name = 'x' WHERE id IN (1, 1000)", [0, 3]),
        ("UPDATE news_tag SET id = 1500 WHERE id = 300", [1, 5]),
        ("UPDATE news_tag SET name = 'x' WHERE id = 999", []),
        ("INSERT INTO news_tag (id, name, slug) VALUES (-5, 'x', 'x')", [-1]),
        ("INSERT INTO news_tag (id, name, slug) VALUES (-256, 'x', 'x'), (-257, 'y', 'y')", [-2, -1]),
        (COPIED, [2, 3]),
        (UPSERT, [2]),
        ("DELETE FROM news_tag WHERE id = 1000", [3]),
        ("DELETE FROM news_tag", [0, 1, 2, 3]),
    ],
)
def test_a_writer_takes_the_tokens_of_the_buckets_that_it_writes_in(
    database: Any, sql: str | dict[str, str], buckets: list[int]
) -> None:
    text = sql if isinstance(sql, str) else sql[database.dialect]
    first = tokens_of(database)
    database.execute(text.format("concat(slug, 'x')" if database.dialect == "mysql" else "slug || 'x'"))
    assert sorted(bucket for bucket, token in tokens_of(database).items() if not token) == buckets
    install_tokens(database, [TABLE])
    after = tokens_of(database)
    assert sorted(after) == sorted({key >> 8 for (key,) in database.fetch("SELECT id FROM news_tag")})
    assert all(after.values())
    assert {one for one in first.keys() & after.keys() if first[one] == after[one]} == first.keys() - set(buckets)


def test_rows_written_in_bulk_take_the_tokens_of_their_buckets(m: Any, database: Any) -> None:
    m.Tag.objects.bulk_create([m.Tag(id=5000 + n, name=f"b{n}", slug=f"b{n}") for n in range(1000)])
    assert {one for one, token in tokens_of(database).items() if not token} == {n >> 8 for n in range(5000, 6000)}


def test_one_changed_table_leaves_the_others_their_tokens(database: Any) -> None:
    """A function for triggers that is made anew would void the tokens of every table that calls it."""
    first = read_tokens(database, OTHERS)
    database.execute("UPDATE news_tag SET name = 'x'")
    install_tokens(database, [TABLE, *OTHERS])
    assert read_tokens(database, OTHERS) == first
    assert set(first) >= {"news_author"}


def test_a_table_whose_key_is_no_whole_number_has_no_buckets(m: Any, database: Any) -> None:
    first = read_tokens(database, ["news_camera"])["news_camera"]
    assert read_buckets(database, "news_camera") is None
    m.Camera.objects.create(name="x")
    assert read_tokens(database, ["news_camera"]) == {}
    install_tokens(database, ["news_camera"])
    assert read_tokens(database, ["news_camera"])["news_camera"] != first
    m.Camera.objects.all().delete()


@pytest.mark.parametrize(
    ("sql", "buckets", "columns", "scanned"),
    [
        ("UPDATE news_tag SET name = 'x' WHERE id = 700", {2}, {"name"}, False),
        ("UPDATE news_tag SET name = name WHERE id = 700", set(), set(), False),
        ("UPDATE news_tag SET id = id + 1280 WHERE id = 700", {2, 7}, {"id", "name", "slug"}, False),
        ("DELETE FROM news_tag WHERE id = 700", {2}, {"id", "name", "slug"}, False),
        ("UPDATE news_tag SET name = 'x'", {0, 1, 2, 3}, {"name"}, True),
    ],
)
def test_of_a_changed_table_only_buckets_are_read_in_which_rows_were_written(
    database: Any, sql: str, buckets: set[int], columns: set[str], scanned: bool
) -> None:
    scope = Scope(None, database)
    before = capture(scope, [TABLE], {})
    database.execute(sql)
    for drawn in (False, True):
        if drawn:
            install_tokens(database, [TABLE])
        after = capture(scope, [TABLE], before)[TABLE]
        assert after.scanned == scanned
        assert (after.buckets_since(before[TABLE]), after.changed_since(before[TABLE])) == (buckets, columns)
        assert digests(after) == digests(capture(scope, [TABLE], {})[TABLE])


def digests(state: TableState) -> dict[Any, bytes]:
    return {one: found.digests for one, found in state.buckets.items()}


# what no trigger tells of


@pytest.fixture
def server(database: Any) -> Any:
    if database.dialect == "sqlite":
        pytest.skip("tests/database/test_tokens.py is about SQLite")
    return database


@pytest.fixture
def postgresql(database: Any) -> Any:
    if database.dialect != "postgresql":
        pytest.skip("of PostgreSQL alone")
    return database


def vouched_for(database: Any, *tables: str) -> set[str]:
    install_tokens(database, tables)
    return set(read_tokens(database, tables))


def test_writers_go_on_where_the_table_of_changes_was_dropped_and_nobody_believes_the_tokens(server: Any) -> None:
    first, buckets = read_tokens(server, [TABLE])[TABLE], tokens_of(server)
    server.execute("DROP TABLE toolkit_change")
    server.execute("UPDATE news_tag SET name = 'unnoted' WHERE id = 1")
    assert (read_tokens(server, [TABLE]), read_buckets(server, TABLE)) == ({}, None)
    install_tokens(server, [TABLE, *OTHERS])
    assert read_tokens(server, [TABLE])[TABLE] != first
    assert not set(buckets.values()) & set(tokens_of(server).values())
    server.execute("UPDATE news_tag SET name = 'noted' WHERE id = 1")
    assert tokens_of(server)[0] == ""


def test_tokens_that_another_version_kept_are_put_aside(server: Any) -> None:
    server.execute("DROP TABLE toolkit_change")
    server.execute("CREATE TABLE toolkit_change (name VARCHAR(64), connection BIGINT)")
    assert (read_tokens(server, [TABLE]), read_buckets(server, TABLE)) == ({}, None)
    install_tokens(server, [TABLE, *OTHERS])
    assert all(tokens_of(server).values())


def test_a_draw_passes_over_what_a_writer_notes_again(database: Any, thread: ThreadPoolExecutor) -> None:
    """A second transaction adds no row of its own to those of the first."""
    if database.dialect == "sqlite":
        pytest.skip("one writer at a time")

    def write(name: str) -> None:
        database.execute(f"UPDATE news_tag SET name = '{name}' WHERE id = 300")

    thread.submit(write, "first").result(20)
    transaction = database.atomic()
    thread.submit(transaction.__enter__).result(20)
    thread.submit(write, "second").result(20)
    install_tokens(database, [TABLE])
    early = tokens_of(database)[1]
    thread.submit(transaction.__exit__, None, None, None).result(20)
    assert tokens_of(database)[1] == ""
    install_tokens(database, [TABLE])
    assert tokens_of(database)[1] not in ("", early)


def test_what_is_applied_to_a_replica_counts(postgresql: Any) -> None:
    """Subscriptions fire triggers of rows alone, and only those that are there for replicas."""
    with postgresql.atomic():
        postgresql.execute("SET LOCAL session_replication_role = replica")
        postgresql.execute("UPDATE news_tag SET name = 'r' WHERE id = 1")
    noted = {bucket for (bucket,) in postgresql.fetch("SELECT bucket FROM toolkit_change WHERE name = 'news_tag'")}
    assert noted == {0, EVERY_BUCKET}
    assert read_buckets(postgresql, TABLE) is None


def test_writers_go_on_where_the_key_was_renamed_or_is_no_number_any_more(postgresql: Any) -> None:
    postgresql.execute("CREATE TABLE gadget (id int PRIMARY KEY, text text)")
    assert vouched_for(postgresql, "gadget") == {"gadget"}
    for sql in (
        "ALTER TABLE gadget RENAME COLUMN id TO number",
        "ALTER TABLE gadget RENAME COLUMN number TO id",
        "ALTER TABLE gadget ALTER COLUMN id TYPE text USING id::text",
    ):
        postgresql.execute(sql)
        postgresql.execute("INSERT INTO gadget VALUES (1, 'x')")
        postgresql.execute("DELETE FROM gadget")
        assert read_tokens(postgresql, ["gadget"]) == {}
        assert vouched_for(postgresql, "gadget") == {"gadget"}
    assert read_buckets(postgresql, "gadget") is None
    postgresql.execute("DROP TABLE gadget")


def test_tables_that_are_written_past_their_triggers_have_no_tokens(postgresql: Any) -> None:
    """A partition is written through its whole, what inherits through its parent; an unlogged table a crash empties."""
    made = {
        "whole": "CREATE TABLE whole (id int PRIMARY KEY) PARTITION BY RANGE (id)",
        "part": "CREATE TABLE part PARTITION OF whole FOR VALUES FROM (0) TO (10)",
        "parent": "CREATE TABLE parent (id int PRIMARY KEY)",
        "child": "CREATE TABLE child (text text) INHERITS (parent)",
        "lost": "CREATE UNLOGGED TABLE lost (id int PRIMARY KEY)",
        "veiled": "CREATE TABLE veiled (id int PRIMARY KEY); ALTER TABLE veiled ENABLE ROW LEVEL SECURITY",
    }
    for statements in made.values():
        for sql in statements.split("; "):
            postgresql.execute(sql)
    assert vouched_for(postgresql, *made) == set()
    for table in ("child", "parent", "whole", "lost", "veiled"):
        postgresql.execute(f"DROP TABLE {table}")


def test_rows_that_a_parent_wrote_are_not_missed_when_the_child_stands_alone_again(postgresql: Any) -> None:
    postgresql.execute("CREATE TABLE parent (id int PRIMARY KEY, text text)")
    postgresql.execute("CREATE TABLE child (id int PRIMARY KEY, text text)")
    postgresql.execute("INSERT INTO child VALUES (1, 'one')")
    assert vouched_for(postgresql, "child") == {"child"}
    first = read_tokens(postgresql, ["child"])
    postgresql.execute("ALTER TABLE child INHERIT parent")
    postgresql.execute("UPDATE parent SET text = 'through the parent'")
    postgresql.execute("ALTER TABLE child NO INHERIT parent")
    assert read_tokens(postgresql, ["child"]) != first
    for table in ("child", "parent"):
        postgresql.execute(f"DROP TABLE {table}")


def test_eight_writers_of_one_bucket_do_not_wait_for_each_other(server: Any) -> None:
    """Each holds its transaction open until all have written."""
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        with server.atomic():
            for key in (number, 600 + number) if number % 2 else (600 + number, number):
                server.execute(f"INSERT INTO news_tag (id, name, slug) VALUES ({key}, 'w', 'w{key}')")
            barrier.wait(20)
        server.close()

    with ThreadPoolExecutor(8) as writers:
        list(writers.map(write, range(20, 28)))
    assert {one for one, token in tokens_of(server).items() if not token} == {0, 2}


def noted(database: Any) -> int:
    return int(database.fetch("SELECT count(*) FROM toolkit_change WHERE name = 'news_tag'")[0][0])


def test_what_is_noted_between_two_builds_does_not_grow_with_the_number_of_writes(
    server: Any, thread: ThreadPoolExecutor
) -> None:
    """Forty transactions over forty connections note the four buckets once, or a few times."""

    def write(number: int) -> None:
        server.execute(f"UPDATE news_tag SET name = 'w{number}'")
        server.close()

    for number in range(40):
        thread.submit(write, number).result(20)
    with server.atomic():
        for number in range(40):
            server.execute(f"UPDATE news_tag SET name = 'x{number}' WHERE id = 300")
    assert 4 <= noted(server) <= 20  # MariaDB gives a connection's number again once it has seen that this one ended
    install_tokens(server, [TABLE])
    assert noted(server) == 0


def test_what_writers_at_work_rely_on_is_not_cleared_away(server: Any) -> None:
    """Six writers hold what was noted before; four of them commit, one takes all back, and one is cut off."""
    written, ended = threading.Barrier(7), threading.Barrier(7)

    def write(number: int) -> None:
        try:
            server.execute("UPDATE news_tag SET name = 'noted' WHERE id = 300")
            with server.atomic():
                server.execute(f"INSERT INTO news_tag (id, name, slug) VALUES ({400 + number}, 'w', 'w{number}')")
                written.wait(20)
                ended.wait(20)
                if number == 4:
                    raise ValueError("no")
                if number == 5:
                    cut_off(server)
        except (ValueError, ToolkitError):
            pass
        finally:
            server.close()

    with ThreadPoolExecutor(6) as writers:
        running = [writers.submit(write, number) for number in range(6)]
        written.wait(20)
        first = tokens_of(server)
        install_tokens(server, [TABLE])
        assert (first[1], tokens_of(server)[1], read_tokens(server, [TABLE])) == ("", "", {})
        ended.wait(20)
        for one in running:
            one.result(20)
    assert tokens_of(server)[1] == ""
    assert server.fetch("SELECT count(*) FROM news_tag WHERE id >= 400 AND id < 410") == [(4,)]
    limit = time.monotonic() + 10
    while noted(server) and time.monotonic() < limit:  # the server has to see that one of them is gone
        install_tokens(server, [TABLE])
    assert (noted(server), bool(tokens_of(server)[1])) == (0, True)


def cut_off(database: Any) -> None:
    """End this thread's connection from its own side, as the operating system does with a process that is killed."""
    number = database.connection.fileno() if database.dialect == "postgresql" else database.connection._sock.fileno()
    with socket.socket(fileno=os.dup(number)) as end:
        end.shutdown(socket.SHUT_RDWR)
    database.execute("UPDATE news_tag SET name = 'lost' WHERE id = 300")


def test_a_transaction_with_an_older_snapshot_relies_on_nothing(postgresql: Any, thread: ThreadPoolExecutor) -> None:
    """It would take a row for there that is gone; and to find that out would end it."""
    postgresql.execute("UPDATE news_tag SET name = 'noted' WHERE id = 300")
    transaction = postgresql.atomic()

    def begin() -> None:
        transaction.__enter__()
        postgresql.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        postgresql.fetch("SELECT * FROM toolkit_change")

    thread.submit(begin).result(20)
    install_tokens(postgresql, [TABLE])
    thread.submit(postgresql.execute, "UPDATE news_tag SET name = 'late' WHERE id = 300").result(20)
    assert tokens_of(postgresql)[1] != ""
    thread.submit(transaction.__exit__, None, None, None).result(20)
    assert tokens_of(postgresql)[1] == ""


def test_two_who_read_at_different_times_both_miss_nothing(database: Any) -> None:
    """What one has seen is cleared away by the other's draw: its tokens are others, so it compares the rows."""
    scope = Scope(None, database)
    first = second = capture(scope, [TABLE], {})
    for step in range(6):
        database.execute(f"UPDATE news_tag SET name = 'step {step}' WHERE id = {(1, 257, 700)[step % 3]}")
        install_tokens(database, [TABLE])
        second = followed(scope, second, {(0, 1, 2)[step % 3]})
        if step % 3 == 2:
            first = followed(scope, first, {0, 1, 2})
    assert digests(first[TABLE]) == digests(second[TABLE])


def followed(scope: Scope, before: dict[str, TableState], buckets: set[int]) -> dict[str, TableState]:
    """The table as it is now, seen by who saw it as it was before."""
    after = capture(scope, [TABLE], before)
    assert after[TABLE].buckets_since(before[TABLE]) == buckets
    assert digests(after[TABLE]) == digests(capture(scope, [TABLE], {})[TABLE])
    return dict(after)


# whoever writes, and however it ends

KEYS = st.sampled_from([-300, -257, -256, -1, 0, 1, 255, 256, 511, 512, 1023])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["insert", "update", "delete", "move", "save"]), st.booleans(), KEYS, KEYS),
        st.tuples(
            st.sampled_from(["begin", "begin strictly", "savepoint", "roll back", "commit", "draw"]),
            st.just(False),
            KEYS,
            KEYS,
        ),
    ),
    max_size=25,
)


class Writers:
    """A writer in a thread of its own, who opens transactions, and one beside, who does not.

    They write odd and even keys, so that none waits for the other.

    Args:
        database: The database.
        models: The newsroom's.
        thread: Where the first writer is.
    """

    def __init__(self, database: Any, models: Any, thread: ThreadPoolExecutor) -> None:
        self.database = database
        self.models = models
        self.thread = thread
        self.open: list[Any] = []
        self.count = 0

    def inside(self, work: Callable[[], Any]) -> Any:
        return self.thread.submit(work).result(20)

    def alone(self) -> bool:
        """SQLite has one writer at a time."""
        return bool(self.open) and self.database.dialect == "sqlite"

    def step(self, what: str, first: bool, key: int, other: int) -> None:
        if what in ("begin", "begin strictly", "savepoint"):
            self.begin(nested=what == "savepoint", strictly=what == "begin strictly")
        elif what in ("roll back", "commit"):
            self.end(None if what == "commit" else ValueError("no"))
        elif what == "draw":
            if not self.alone():
                install_tokens(self.database, [TABLE])
        elif first:
            self.inside(lambda: self.write(what, 2 * key, 2 * other))
        elif not self.alone():
            self.write(what, 2 * key + 1, 2 * other + 1)

    def begin(self, *, nested: bool, strictly: bool) -> None:
        """``strictly``: PostgreSQL's transaction sees what was there when it began."""
        if bool(self.open) == nested:
            transaction = self.database.atomic()
            self.inside(transaction.__enter__)
            self.open.append(transaction)
            if strictly and self.database.dialect == "postgresql":
                self.inside(lambda: self.database.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))

    def end(self, error: Exception | None) -> None:
        if self.open:
            transaction = self.open.pop()
            self.inside(lambda: transaction.__exit__(type(error) if error else None, error, None))

    def write(self, what: str, key: int, other: int) -> None:
        self.count += 1
        tags = self.models.Tag.objects
        there = {number for (number,) in self.database.fetch("SELECT id FROM news_tag")}
        with entered(Scope(None, self.database)):
            if what == "insert" and key not in there:
                tags.bulk_create([self.models.Tag(id=key, name="n", slug=f"s{key}")])
            elif what == "save" and key in there:
                tag = tags.get(id=key)
                tag.name = f"saved {self.count}"
                tag.save()
            elif what == "update":
                self.database.execute(f"UPDATE news_tag SET name = 'u{self.count}' WHERE id IN ({key}, {other})")
            elif what == "move" and key in there and other not in there:
                self.database.execute(f"UPDATE news_tag SET id = {other}, slug = 's{other}' WHERE id = {key}")
            elif what == "delete":
                self.database.execute(f"DELETE FROM news_tag WHERE id IN ({key}, {other})")


class Seen:
    """What tokens stood for when they were first seen."""

    def __init__(self) -> None:
        self.rows: dict[str, Any] = {}

    def look(self, database: Any) -> None:
        rows = database.fetch("SELECT id, name, slug FROM news_tag ORDER BY id")
        by_bucket: dict[int, list[Any]] = {}
        for row in rows:
            by_bucket.setdefault(bucket_of(row[0]) or 0, []).append(row)
        tokens = tokens_of(database)
        assert by_bucket.keys() <= tokens.keys()
        for bucket, token in tokens.items():
            self.agree(token, (bucket, by_bucket.get(bucket, [])))
        self.agree(read_tokens(database, [TABLE]).get(TABLE, ""), rows)

    def agree(self, token: str, rows: Any) -> None:
        assert not token or self.rows.setdefault(token, rows) == rows


@settings(max_examples=EXAMPLES)
@given(steps=STEPS)
def test_equal_tokens_mean_equal_rows(database: Any, m: Any, thread: ThreadPoolExecutor, steps: list[Any]) -> None:
    writers, seen = Writers(database, m, thread), Seen()
    try:
        for step in steps:
            writers.step(*step)
            with database.snapshot():
                seen.look(database)
            if writers.open:
                writers.inside(lambda: seen.look(database))
    finally:
        while writers.open:
            writers.end(ValueError("no"))
    seen.look(database)
