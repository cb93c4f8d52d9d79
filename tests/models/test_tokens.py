"""Tokens of tables on every database: any writer takes them away, and nobody who writes is held up by them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from toolkit.database import install_tokens, read_tokens
from toolkit.errors import ToolkitError
from toolkit.trace import Scope, entered

TABLES = ["news_author", "news_tag"]


@pytest.fixture(scope="module")
def kept(shared_database: Any, find_aged: Callable[[str], Any]) -> Any:
    """A database with tokens, apart from that of other tests, which have no triggers."""
    if shared_database.dialect == "sqlite":
        pytest.skip("tests/database/test_tokens.py is about SQLite")
    made = find_aged(shared_database.url)
    install_tokens(made, TABLES)
    return made


@pytest.fixture
def database(kept: Any, m: Any) -> Iterator[Any]:
    """Two tags, and a token for each table."""
    with entered(Scope(None, kept)):
        m.Tag.objects.all().delete()
        m.Tag.objects.bulk_create([m.Tag(name="One", slug="one"), m.Tag(name="Two", slug="two")])
        install_tokens(kept, TABLES)
        yield kept


def test_tokens_stay_while_nobody_writes(database: Any) -> None:
    first = read_tokens(database, TABLES)
    assert len(set(first.values())) == 2
    database.fetch("SELECT * FROM news_tag")
    install_tokens(database, TABLES)
    assert read_tokens(database, TABLES) == first


WRITES = {
    "insert": "INSERT INTO news_tag (name, slug) VALUES ('x', 'x')",
    "update": "UPDATE news_tag SET name = 'x'",
    "delete": "DELETE FROM news_tag WHERE slug = 'one'",
    "upsert": {
        "postgresql": "INSERT INTO news_tag (name, slug) VALUES ('x', 'one') "
        "ON CONFLICT (slug) DO UPDATE SET name = 'y'",
        "mysql": "INSERT INTO news_tag (name, slug) VALUES ('x', 'one') ON DUPLICATE KEY UPDATE name = 'y'",
    },
    "truncate": {
        "postgresql": "TRUNCATE news_tag CASCADE",
        "mysql": "SET foreign_key_checks = 0; TRUNCATE news_tag; SET foreign_key_checks = 1",
    },
    "a trigger that is lost": {
        "postgresql": "DROP TRIGGER toolkit_changed_by_update ON news_tag",
        "mysql": "DROP TRIGGER {trigger}",
    },
    "a trigger that sleeps": {
        "postgresql": "ALTER TABLE news_tag DISABLE TRIGGER ALL; UPDATE news_tag SET name = 'z'; "
        "ALTER TABLE news_tag ENABLE ALWAYS TRIGGER toolkit_changed_by_update",
        "mysql": "DROP TRIGGER {trigger}",
    },
    "a role of replicas": {
        "postgresql": "SET session_replication_role = replica; UPDATE news_tag SET name = 'r'; "
        "SET session_replication_role = origin",
        "mysql": "UPDATE news_tag SET name = 'r'",
    },
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_any_writer_takes_the_token_away_and_the_next_one_is_another(database: Any, write: Any) -> None:
    first = read_tokens(database, TABLES)
    assert set(first) == set(TABLES)
    sql = write if isinstance(write, str) else write[database.dialect]
    if "{trigger}" in sql:
        sql = sql.format(trigger=database.fetch("SELECT trigger_name FROM information_schema.triggers "
            "WHERE trigger_schema = database() AND event_object_table = 'news_tag' LIMIT 1")[0][0])  # fmt: skip
    for statement in sql.split("; "):
        database.execute(statement)
    found = read_tokens(database, TABLES)
    assert "news_tag" not in found
    install_tokens(database, TABLES)
    assert read_tokens(database, TABLES).get("news_tag") != first["news_tag"]


def test_a_write_that_is_rolled_back_leaves_the_token(database: Any) -> None:
    first = read_tokens(database, TABLES)
    with pytest.raises(ValueError, match="no"), database.atomic():
        database.execute("UPDATE news_tag SET name = 'x'")
        assert "news_tag" not in read_tokens(database, TABLES)
        raise ValueError("no")
    if database.dialect == "postgresql":
        assert read_tokens(database, TABLES) == first


def elsewhere(database: Any, work: Any) -> threading.Thread:
    def run() -> None:
        work()
        database.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_token_drawn_while_somebody_writes_does_not_outlive_the_write(database: Any) -> None:
    wrote, drawn = threading.Event(), threading.Event()

    def write() -> None:
        with database.atomic():
            database.execute("UPDATE news_tag SET name = 'x'")
            wrote.set()
            drawn.wait(10)

    thread = elsewhere(database, write)
    wrote.wait(10)
    install_tokens(database, TABLES)
    early = read_tokens(database, TABLES)
    drawn.set()
    thread.join()
    assert "news_tag" not in read_tokens(database, TABLES)
    install_tokens(database, TABLES)
    assert read_tokens(database, TABLES)["news_tag"] != early.get("news_tag")


def test_writers_of_two_tables_in_opposite_order_do_not_lock_each_other_out(database: Any) -> None:
    barrier, errors = threading.Barrier(2), []

    def write(tables: list[str]) -> None:
        try:
            with database.atomic():
                for table in tables:
                    database.execute(f"INSERT INTO {table} (name, slug) VALUES ('{tables[0]}', '{tables[0]}')")
                    barrier.wait(10)
        except ToolkitError as error:
            errors.append(error)

    threads = [elsewhere(database, lambda t=t: write(t)) for t in (TABLES, TABLES[::-1])]
    for thread in threads:
        thread.join()
    assert errors == []
    database.execute("DELETE FROM news_author")


def test_a_restored_snapshot_sees_the_tokens_of_its_instant(database: Any) -> None:
    with database.snapshot():
        first = read_tokens(database, TABLES)
        elsewhere(database, lambda: database.execute("UPDATE news_tag SET name = 'x'")).join()
        assert read_tokens(database, TABLES) == first
    assert "news_tag" not in read_tokens(database, TABLES)


def test_a_table_that_is_altered_has_lost_its_token(database: Any) -> None:
    """The last of this module: on MariaDB the table is too young for a token now."""
    if database.dialect == "postgresql":
        database.execute("ALTER TABLE news_tag ALTER COLUMN name TYPE varchar(50) USING upper(name)")
    else:
        database.execute("ALTER TABLE news_tag DROP COLUMN name, ADD COLUMN name VARCHAR(50) NOT NULL DEFAULT 'n'")
    assert "news_tag" not in read_tokens(database, TABLES)
