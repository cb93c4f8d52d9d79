"""Equal tokens mean equal tables, whoever writes."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils

from toolkit.database import Backend, Database, install_tokens, read_buckets, read_tokens, release_writers
from toolkit.database.tokens.mysql import MySQLTokens
from toolkit.errors import DatabaseError

TABLES = ["note", "odd \"name's"]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Any]:
    found = Database("sqlite:///site.db", folder=tmp_path)
    for table in TABLES:
        quoted = table.replace('"', '""')
        found.execute(f'CREATE TABLE "{quoted}" (id INTEGER PRIMARY KEY, text TEXT UNIQUE)')
    found.execute("INSERT INTO note VALUES (1, 'one'), (2, 'two')")
    install_tokens(found, TABLES)
    yield found
    found.close()


def test_a_token_stands_while_nobody_writes(database: Any) -> None:
    first = read_tokens(database, TABLES)
    assert set(first) == set(TABLES)
    assert len(set(first.values())) == 2
    database.fetch("SELECT * FROM note")
    install_tokens(database, TABLES)
    assert read_tokens(database, TABLES) == first


WRITES = {
    "insert": lambda path: run(path, "INSERT INTO note VALUES (3, 'three')"),
    "update": lambda path: run(path, "UPDATE note SET text = 'x' WHERE id = 1"),
    "an update that changes nothing": lambda path: run(path, "UPDATE note SET text = text WHERE id = 1"),
    "delete": lambda path: run(path, "DELETE FROM note WHERE id = 1"),
    "delete all": lambda path: run(path, "DELETE FROM note"),
    "replace": lambda path: run(path, "REPLACE INTO note VALUES (1, 'two')"),
    "upsert": lambda path: run(path, "INSERT INTO note VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET text = 'y'"),
    "sqlite-utils": lambda path: utils(path, lambda db: db["note"].insert({"id": 9, "text": "nine"})),
    "sqlite-utils' transform": lambda path: utils(path, lambda db: db["note"].transform(rename={"text": "body"})),
    "a lost trigger": lambda path: run(path, "DROP TRIGGER toolkit_changed_note_update"),
    "another trigger of that name": lambda path: run(
        path,
        "DROP TRIGGER toolkit_changed_note_update; "
        "CREATE TRIGGER toolkit_changed_note_update AFTER UPDATE ON note BEGIN SELECT 1; END",
    ),
    "a table made anew": lambda path: run(
        path, "DROP TABLE note; CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)"
    ),
    "a table put in its place": lambda path: run(
        path, "ALTER TABLE note RENAME TO old; CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)"
    ),
    "no tokens at all": lambda path: run(path, "DROP TABLE toolkit_token"),
}  # fmt: skip


def run(path: Path, sql: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.executescript(sql)
    connection.close()


def utils(path: Path, work: Any) -> None:
    found = sqlite_utils.Database(path)
    work(found)
    found.close()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_any_writer_takes_the_token_away_and_the_next_one_is_another(database: Any, write: Any) -> None:
    first = read_tokens(database, TABLES)["note"]
    write(database.path)
    assert "note" not in read_tokens(database, TABLES)
    install_tokens(database, TABLES)
    assert read_tokens(database, TABLES)["note"] != first


def test_a_write_that_is_rolled_back_leaves_the_token(database: Any) -> None:
    first = read_tokens(database, TABLES)
    with pytest.raises(ValueError, match="no"), database.atomic():
        database.execute("DELETE FROM note")
        assert "note" not in read_tokens(database, TABLES)
        raise ValueError("no")
    assert read_tokens(database, TABLES) == first


def test_a_restored_copy_carries_the_token_of_what_it_restores(database: Any, tmp_path: Path) -> None:
    first = read_tokens(database, TABLES)
    database.close()
    shutil.copy(tmp_path / "site.db", tmp_path / "copy.db")
    database.execute("UPDATE note SET text = 'x' WHERE id = 1")
    install_tokens(database, TABLES)
    assert read_tokens(database, TABLES)["note"] != first["note"]
    copy: Any = Database("sqlite:///copy.db", folder=tmp_path)
    assert read_tokens(copy, TABLES) == first
    copy.close()


def test_a_file_that_cannot_be_written_has_no_tokens_and_no_error(tmp_path: Path) -> None:
    run(tmp_path / "site.db", "CREATE TABLE note (id INTEGER PRIMARY KEY)")
    database: Any = Database("sqlite:///site.db", folder=tmp_path)
    database.execute("PRAGMA query_only = ON")
    install_tokens(database, ["note"])
    assert read_tokens(database, ["note"]) == {}
    database.close()


def test_a_table_without_triggers_is_not_vouched_for(database: Any) -> None:
    database.execute("CREATE TABLE more (id INTEGER PRIMARY KEY)")
    database.execute("INSERT INTO toolkit_token VALUES ('more', 'forged')")
    assert "more" not in read_tokens(database, [*TABLES, "more"])


@pytest.mark.parametrize("table", ["toolkit_token", "toolkit_bucket"])
def test_writers_are_told_what_to_do_where_a_table_of_tokens_was_dropped_and_a_build_mends_it(
    database: Any, table: str
) -> None:
    first = read_tokens(database, TABLES)
    database.execute(f"DROP TABLE {table}")
    with pytest.raises(DatabaseError, match=f"no such table: main.{table}") as caught:
        database.execute("UPDATE note SET text = 'x' WHERE id = 1")
    assert "Run: toolkit build" in str(caught.value.hint)
    release_writers(database)
    database.execute("UPDATE note SET text = 'x' WHERE id = 1")
    assert (read_tokens(database, TABLES), read_buckets(database, "note")) == ({}, None)
    install_tokens(database, TABLES)
    assert not set(first.values()) & set(read_tokens(database, TABLES).values())
    assert all(tokens_of(database).values())


@pytest.mark.parametrize(("greeting", "kept"), [("11.8.2-MariaDB-log", True), ("9.7.4-2", False)])
def test_mysql_keeps_none(monkeypatch: pytest.MonkeyPatch, greeting: str, *, kept: bool) -> None:
    """Its triggers are made by other words, which failed the build."""
    database: Any = Database("mysql://desk@localhost/news")
    monkeypatch.setattr(type(database), "connection", None)
    monkeypatch.setattr(database.backend, "server", lambda connection: greeting)
    monkeypatch.setattr(MySQLTokens, "read", lambda keeper, database, tables: dict.fromkeys(tables, "token"))
    assert read_tokens(database, TABLES) == (dict.fromkeys(TABLES, "token") if kept else {})


def test_a_kind_of_database_that_keeps_none_has_none(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database.backend, "token_keeper", Backend.token_keeper.__get__(database.backend))
    install_tokens(database, ["note"])
    assert read_tokens(database, ["note"]) == {}


# buckets


def tokens_of(database: Any) -> dict[int, str]:
    found = read_buckets(database, "note")
    assert found is not None
    assert found.column == "id"
    return dict(found.tokens)


def written(database: Any, sql: str) -> list[int]:
    """The buckets that a statement of another program took the tokens of; the others have theirs still."""
    first = tokens_of(database)
    run(database.path, sql)
    found = tokens_of(database)
    return sorted(bucket for bucket in found if found[bucket] != first.get(bucket) or not found[bucket])


@pytest.fixture
def spread(database: Any) -> Any:
    """Rows in three buckets, each with a token."""
    run(database.path, "INSERT INTO note VALUES (300, 'three hundred'), (301, '301'), (1000, 'a thousand')")
    install_tokens(database, TABLES)
    assert sorted(tokens_of(database)) == [0, 1, 3]
    assert len(set(tokens_of(database).values())) == 3
    return database


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(
    ("sql", "buckets"),
    [
        ("UPDATE note SET text = 'x' WHERE id = 300", [1]),
        ("UPDATE note SET text = text || 'x' WHERE id IN (1, 1000)", [0, 3]),
        ("UPDATE note SET id = 600 WHERE id = 300", [1, 2]),
        ("INSERT INTO note VALUES (-5, 'below')", [-1]),
        ("INSERT OR IGNORE INTO note VALUES (302, 'x')", [1]),
        ("INSERT OR IGNORE INTO note VALUES (302, 'one')", []),
        ("UPDATE OR IGNORE note SET text = 'x' WHERE id = 1000", [3]),
        ("UPDATE OR FAIL note SET text = 'x' WHERE id = 1000", [3]),
        ("DELETE FROM note WHERE id = 1000", [3]),
        ("DELETE FROM note", [0, 1, 3]),
        ("REPLACE INTO note VALUES (1000, 'x')", [3]),
        ("INSERT INTO note VALUES (1000, 'x') ON CONFLICT (id) DO UPDATE SET text = 'y'", [3]),
        ("PRAGMA recursive_triggers = ON; REPLACE INTO note VALUES (1000, 'one')", [0, 3]),
    ],
)
def test_a_writer_takes_the_tokens_of_the_buckets_that_it_writes_in(spread: Any, sql: str, buckets: list[int]) -> None:
    assert written(spread, sql) == buckets
    assert written(spread, "SELECT 1") == buckets, "and nobody gives them back until the next are drawn"
    install_tokens(spread, TABLES)
    assert all(tokens_of(spread).values())


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_what_replace_deletes_in_another_bucket_is_not_told(spread: Any) -> None:
    """Why whoever believes these tokens counts the rows."""
    assert written(spread, "REPLACE INTO note VALUES (1000, 'one')") == [3]
    assert spread.fetch("SELECT id FROM note WHERE id = 1") == []


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(
    "sql", ["DROP TRIGGER toolkit_changed_note_update", "ALTER TABLE note RENAME TO old", "DROP TABLE toolkit_bucket"]
)
def test_buckets_of_a_table_that_is_not_watched_are_not_told(spread: Any, sql: str) -> None:
    first = tokens_of(spread)
    run(spread.path, sql)
    assert read_buckets(spread, "note") is None
    if "old" not in sql:
        install_tokens(spread, TABLES)
        assert set(first.values()).isdisjoint(tokens_of(spread).values())


@pytest.mark.parametrize(
    "table",
    [
        "(id TEXT PRIMARY KEY)",
        "(a INTEGER, b INTEGER, PRIMARY KEY (a, b))",
        "(id INTEGER PRIMARY KEY DESC)",
        "(id INTEGER)",
        "(id INTEGER PRIMARY KEY) WITHOUT ROWID",
    ],
)
def test_only_rows_whose_key_is_sure_to_be_a_whole_number_are_told_by_buckets(database: Any, table: str) -> None:
    database.execute(f"CREATE TABLE more {table}")
    install_tokens(database, ["more"])
    assert "more" in read_tokens(database, ["more"])
    assert read_buckets(database, "more") is None
