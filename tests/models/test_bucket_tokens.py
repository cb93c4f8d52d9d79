"""Tokens of buckets on every database: equal tokens mean equal rows, whoever writes, and however it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.servers import SERVERS
from toolkit.database import install_tokens, read_buckets, read_tokens
from toolkit.database.tokens.mysql import YOUNG_SECONDS
from toolkit.models.states import TableState, capture
from toolkit.trace import Scope, bucket_of, entered

TABLE = "news_tag"
OTHERS = ["news_author", "news_camera"]
KINDS = ["sqlite", *(url.partition(":")[0] for url in SERVERS)]


@pytest.fixture(scope="module", params=["sqlite", *SERVERS], ids=KINDS)
def kept(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Any]:
    """A database of each kind with tokens, apart from that of other tests, which have no triggers."""
    from toolkit.models.schema import Schema

    module: Any = request.getfixturevalue("newsroom_models")
    file = tmp_path_factory.mktemp("tokens") / "site.db"
    made = module.make_database(f"sqlite:///{file}" if request.param == "sqlite" else request.param)
    assert isinstance(made.schema, Schema)
    if made.dialect == "mysql":
        time.sleep(YOUNG_SECONDS + 1.1)
    install_tokens(made, [TABLE, *OTHERS])
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


@pytest.fixture(scope="module")
def thread(kept: Any) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as found:
        yield found
        found.submit(kept.close).result(20)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
