"""Seeing statements: wrappers that may refuse them, and a log with the line that asked."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import jinja2
import pytest

from toolkit.errors import DatabaseError


def insert(database: Any, number: int, text: str) -> None:
    mark = database.backend.placeholder
    database.execute(f"INSERT INTO note (id, text) VALUES ({mark}, {mark})", [number, text])


def test_a_wrapper_sees_every_statement_of_its_block(any_database: Any) -> None:
    seen: list[Any] = []

    def spy(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        seen.append((sql.split()[0], list(parameters), many, context["database"] is any_database))
        return execute(sql, parameters, many, context)

    mark = any_database.backend.placeholder
    with any_database.wrap(spy):
        any_database.executemany(f"INSERT INTO note (id, text) VALUES ({mark}, {mark})", [(1, "a"), (2, "b")])
        assert any_database.fetch(f"SELECT text FROM note WHERE id = {mark}", [2]) == [("b",)]
    any_database.fetch("SELECT 1")
    assert seen == [("INSERT", [(1, "a"), (2, "b")], True, True), ("SELECT", [2], False, True)]


def test_a_wrapper_may_refuse_and_the_outermost_is_asked_first(any_database: Any) -> None:
    order: list[str] = []

    def refuse(execute: Any, sql: str, *rest: Any) -> Any:
        order.append("outer")
        if sql.startswith("DELETE"):
            raise PermissionError("nothing is deleted here")
        return execute(sql, *rest)

    def note(execute: Any, *rest: Any) -> Any:
        order.append("inner")
        return execute(*rest)

    insert(any_database, 1, "a")
    with any_database.wrap(refuse), any_database.wrap(note):
        with pytest.raises(PermissionError, match="nothing is deleted"):
            any_database.execute("DELETE FROM note")
        any_database.fetch("SELECT 1")
    assert order == ["outer", "outer", "inner"]
    assert any_database.fetch("SELECT count(*) FROM note")[0][0] == 1


def test_a_wrapper_is_of_its_thread_alone(any_database: Any) -> None:
    def refuse(*_: Any) -> Any:
        raise PermissionError("not here")

    found: list[Any] = []

    def look() -> None:
        found.extend(any_database.fetch("SELECT 1"))
        any_database.close()

    with any_database.wrap(refuse):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert [tuple(row) for row in found] == [(1,)]


def test_the_log_has_time_rows_and_line(any_database: Any) -> None:
    with any_database.log() as queries:
        insert(any_database, 1, "a")
        insert(any_database, 2, "b")
        any_database.fetch("SELECT * FROM note")
        cursor = any_database.execute("SELECT * FROM note ORDER BY id")
        assert [row[0] for row in cursor] == [1, 2]
        with pytest.raises(DatabaseError, match="Apply the migrations"):
            any_database.fetch("SELECT * FROM gone")
    assert [query.rows for query in queries] == [1, 1, 2, 2, 0]
    assert all(query.seconds > 0 for query in queries)
    assert queries[0].parameters == [1, "a"]
    assert queries[0].where.rpartition(":")[0] == __file__
    assert [query.error is None for query in queries] == [True, True, True, True, False]


def test_a_query_of_a_template_names_its_line(any_database: Any, tmp_path: Path) -> None:
    (tmp_path / "notes.html").write_text(
        "<h1>Notes</h1>\n{# the list #}\n{% for row in notes() %}{{ row }}{% endfor %}"
    )
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(tmp_path), autoescape=True)
    insert(any_database, 1, "a")
    with any_database.log() as queries:
        environment.get_template("notes.html").render(notes=lambda: any_database.fetch("SELECT text FROM note"))
    assert queries[0].where == "notes.html:3"
