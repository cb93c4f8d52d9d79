"""Equal tokens mean equal tables, whoever writes."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils

from toolkit.database import Backend, Database, install_tokens, read_tokens

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


def test_a_kind_of_database_that_keeps_none_has_none(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database.backend, "token_keeper", Backend.token_keeper.__get__(database.backend))
    install_tokens(database, ["note"])
    assert read_tokens(database, ["note"]) == {}
