"""Reading tables of MariaDB and MySQL, by what ``SHOW CREATE TABLE`` says of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from toolkit.database.tokens.mysql import TRIGGERS
from toolkit.migrations.editors.statements import create_statements, foreign_keys_of, table_of
from toolkit.migrations.tables.definitions import constraint_key, parse_table, words_of
from toolkit.migrations.tables.information import Column, TableInfo

SCRATCH = "toolkit_scratch"

_INDEX = re.compile(r"(?P<kind>(?:UNIQUE |FULLTEXT |SPATIAL )?)KEY `(?P<name>(?:[^`]|``)*)` (?P<rest>.*)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
"""In expressions a quote is written with a backslash; elsewhere, and in all other SQL, it is doubled."""
_COUNTER = re.compile(r" AUTO_INCREMENT=\d+")
_CREATE = re.compile(r"CREATE TABLE ", re.IGNORECASE)
MARKED_TABLES = 5
"""Of so many tables a digest tells which they are: there is room for no more marks."""
_TRIGGERS = "triggers"
"""The mark of all triggers. To list them took longer than all else that is read before most statements."""


def present(database: Any, tables: Iterable[str]) -> set[str]:
    """Those of some tables that are there."""
    found = database.fetch(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = database() AND table_type = 'BASE TABLE'"
    )
    there = {name.casefold() for (name,) in found}  # servers may take names without case, and keep them in another
    return {table for table in tables if table.casefold() in there}


def read(database: Any, tables: Iterable[str]) -> dict[str, TableInfo]:
    """What those of some tables are like that are there."""
    return {table: _describe(_statement(database, table)) for table in present(database, tables)}


def expected(database: Any, models: Sequence[Any]) -> dict[Any, TableInfo]:
    """What the tables of some models look like when they are made now: as temporary tables.

    Temporary tables have no foreign keys, so these are taken from the statements that would make them.
    """
    return {model: _expected(database, model) for model in models}


def digest_before(database: Any, sql: str, *, without: Collection[str]) -> str:
    """A digest of what a statement may change, as it is: the tables that it names, and which there are; and triggers,
    if it speaks of any.

    To read all tables took a quarter of the time of migrations, where a site has many.

    Args:
        database: The database.
        sql: The statement that will be run; empty if it is not known what it changes, which may be all tables then.
        without: Tables to pass over.

    Returns:
        At most 80 characters, of which ``digest_again`` knows what they are a digest of.
    """
    said = sql.casefold()
    there = [name for name in database.table_names() if name not in without]
    named = {_mark(name) for name in there if database.backend.quoted(name)[1:-1].casefold() in said}
    named |= {_TRIGGERS} if "trigger" in said else set()
    is_whole = len(named) > MARKED_TABLES or not (named or _CREATE.match(sql))
    return _digest(database, there, None if is_whole else named)


def digest_again(database: Any, digest: str, *, without: Collection[str]) -> str:
    """The same digest, now: it is equal if the statement was not run."""
    _, is_part, marks = digest.partition(":")
    there = [name for name in database.table_names() if name not in without]
    return _digest(database, there, set(filter(None, marks.split(","))) if is_part else None)


def _digest(database: Any, tables: Sequence[str], marks: set[str] | None) -> str:
    """A digest of tables and triggers, of which only some may be read; their marks are told with it then."""
    made = hashlib.sha256()
    for table in sorted(tables):
        if marks is not None:
            made.update(repr(table).encode())
        if marks is None or _mark(table) in marks:
            made.update(_COUNTER.sub("", _statement(database, table)).encode())
    found = database.fetch(TRIGGERS) if marks is None or _TRIGGERS in marks else ()
    for name, event, table, statement, timing, *_ in sorted(found):
        made.update(repr((name, event, table, statement, timing)).encode())
    return made.hexdigest() if marks is None else f"{made.hexdigest()[:32]}:{','.join(sorted(marks))}"


def _mark(table: str) -> str:
    """A few characters for the name of a table; two that share them are both read."""
    return hashlib.sha256(table.encode()).hexdigest()[:8]


def _statement(database: Any, table: str) -> str:
    name = database.backend.quoted(table)
    sql = str(database.fetch(f"SHOW CREATE TABLE {name}")[0][1])
    return _ESCAPED.sub(lambda found: "''" if found[1] == "'" else found[0], sql)


def _expected(database: Any, model: Any) -> TableInfo:
    create, *indexes = create_statements(database, model, foreign_keys=False)
    own = database.sqlalchemy_dialect.identifier_preparer.quote(model._meta.table)
    database.execute(f"DROP TEMPORARY TABLE IF EXISTS {SCRATCH}")
    try:
        database.execute(create.replace(f"CREATE TABLE {own}", f"CREATE TEMPORARY TABLE {SCRATCH}", 1))
        for index in indexes:
            moved = index.replace(f"ALTER TABLE {own} ", f"ALTER TABLE {SCRATCH} ", 1)
            database.execute(moved.replace(f" ON {own} ", f" ON {SCRATCH} ", 1))
        found = _describe(_statement(database, SCRATCH))
    finally:
        database.execute(f"DROP TEMPORARY TABLE IF EXISTS {SCRATCH}")
    keys = {_said(item.sql.replace("%%", "%")) for item in foreign_keys_of(table_of(model, database), database)}
    return TableInfo(found.columns, found.constraints | keys, found.indexes, found.comment)


def _describe(sql: str) -> TableInfo:
    parts = parse_table(sql, words=("KEY", "FULLTEXT", "SPATIAL"))
    columns = {name: _column(words_of(text)[1:]) for name, text in parts.columns.items()}
    constraints: set[str] = set()
    indexes: dict[str, str] = {}
    for text in parts.constraints:
        index = _INDEX.fullmatch(text)
        if index is not None and index["kind"].startswith("UNIQUE"):
            constraints.add(f"UNIQUE{constraint_key(index['rest'])}")
        elif index is not None:
            indexes[index["name"].replace("``", "`")] = f"{index['kind']}{constraint_key(index['rest'])}"
        else:
            constraints.add(_said(text))
    return TableInfo(columns, frozenset(constraints), indexes, _comment_of(words_of(parts.suffix)))


def _said(text: str) -> str:
    """What a constraint says; deferral is none of MariaDB's words, and RESTRICT is what it does by itself."""
    key = constraint_key(text)
    key = key[key.index("FOREIGNKEY") :] if "FOREIGNKEY" in key else key
    return re.sub(r"ON(DELETE|UPDATE)(NOACTION|RESTRICT)", "", key)


def _column(words: list[str]) -> Column:
    """A column from the words behind its name."""
    kind: list[str] = []
    found: dict[str, Any] = {"null": True, "default": None, "generated": None, "counts": False}
    position = 0
    while position < len(words):
        word = words[position].upper()
        if word == "NOT" and words[position + 1].upper() == "NULL":
            found["null"], position = False, position + 2
        elif word == "NULL":
            position += 1
        elif word == "DEFAULT":
            position = _take(words, position + 1, found, "default")
        elif word == "COMMENT":
            found["comment"], position = _text(words[position + 1]), position + 2
        elif word == "AUTO_INCREMENT":
            found["counts"], position = True, position + 1
        elif word == "GENERATED":
            position = _take(words, position + 3, found, "generated")
        else:
            kind.append(words[position])
            position += 1
    default = None if found["default"] == "NULL" else found["default"]
    optional = found["null"] or default is not None or found["counts"] or found["generated"] is not None
    return Column(" ".join(kind), found["null"], optional, default, found["generated"], found.get("comment"))


def _take(words: list[str], position: int, found: dict[str, Any], name: str) -> int:
    """Take an expression: a word, with the brackets that follow it."""
    taken = [words[position]] if words[position] != "(" else []
    end = position + len(taken)
    if end < len(words) and words[end] == "(":
        depth = 0
        while True:
            depth += (words[end] == "(") - (words[end] == ")")
            taken.append(words[end])
            end += 1
            if depth == 0:
                break
    found[name] = "".join(taken)
    return end


def _comment_of(words: list[str]) -> str | None:
    for position, word in enumerate(words):
        if word.upper() == "COMMENT":
            return _text(next(one for one in words[position + 1 :] if one != "="))
    return None


def _text(literal: str) -> str:
    return literal[1:-1].replace("''", "'").replace("\\\\", "\\")
