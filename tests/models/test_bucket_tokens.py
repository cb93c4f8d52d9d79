"""Tokens of buckets on every database: equal tokens mean equal rows, whoever writes, and however it ends."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.servers import SERVERS
from toolkit.database import install_tokens, read_buckets, read_tokens
from toolkit.database.tokens.keeping import EVERY_BUCKET
from toolkit.models.states import TableState, capture
from toolkit.trace import Scope, bucket_of, entered

TABLE = "news_tag"
OTHERS = ["news_author", "news_camera"]
EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "15")) // 2
KINDS = ["sqlite", *(url.partition(":")[0] for url in SERVERS)]


@pytest.fixture(scope="module", params=["sqlite", *SERVERS], ids=KINDS)
def kept(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Any]:
    """A database of each kind with tokens, apart from that of other tests, which have no triggers."""
    file = tmp_path_factory.mktemp("tokens") / "site.db"
    url = f"sqlite:///{file}" if request.param == "sqlite" else request.param
    made = request.getfixturevalue("newsroom_models").with_tokens(url, [TABLE, *OTHERS])
    yield made
    made.drop()


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
    """On MariaDB a second transaction of a connection adds no row of its own to those of the first."""
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


# whoever writes, and however it ends

KEYS = st.sampled_from([-300, -257, -256, -1, 0, 1, 255, 256, 511, 512, 1023])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["insert", "update", "delete", "move", "save"]), st.booleans(), KEYS, KEYS),
        st.tuples(st.sampled_from(["begin", "savepoint", "roll back", "commit", "draw"]), st.just(False), KEYS, KEYS),
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
        if what in ("begin", "savepoint"):
            self.begin(nested=what == "savepoint")
        elif what in ("roll back", "commit"):
            self.end(None if what == "commit" else ValueError("no"))
        elif what == "draw":
            if not self.alone():
                install_tokens(self.database, [TABLE])
        elif first:
            self.inside(lambda: self.write(what, 2 * key, 2 * other))
        elif not self.alone():
            self.write(what, 2 * key + 1, 2 * other + 1)

    def begin(self, *, nested: bool) -> None:
        if bool(self.open) == nested:
            transaction = self.database.atomic()
            self.inside(transaction.__enter__)
            self.open.append(transaction)

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


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
