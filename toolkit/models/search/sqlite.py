"""The index in SQLite: documents in a table, and FTS5 over it, made through sqlite-utils.

The documents hold folded stems with spaces between. The tokenizer ``ascii`` parts them there and nowhere else: it takes
every character beyond ASCII for a part of a word.

Source: sqlite.org/fts5.html, "Full-text Query Syntax", "The bm25() function".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.models.search.declaration import Search
from toolkit.models.search.indexing import SearchIndex, names_of
from toolkit.models.sqltext import quoted

if TYPE_CHECKING:
    from toolkit.text.searching import SearchQuery, Term


EVENTS = {"insert": "new", "update": "new", "delete": "old"}


class SQLiteIndex(SearchIndex):
    """The index of one model in a SQLite file."""

    def create(self) -> None:
        columns = _columns(self.search)
        named = ", ".join(f"{_quote(column)} TEXT NOT NULL" for column in columns)
        table = _quote(self.documents)
        documents = f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, row_key, locale TEXT NOT NULL, {named})"
        for sql in (
            f"CREATE TABLE {_quote(self.stale)} (row_key PRIMARY KEY) WITHOUT ROWID",
            documents,
            f"CREATE INDEX {_quote(f'{self.documents}_key')} ON {table} (row_key, locale)",
            *self._triggers().values(),
            *self._full_text(documents, columns),
        ):
            self.database.run(sql)

    def _full_text(self, documents: str, columns: Sequence[str]) -> list[str]:
        """The statements by which sqlite-utils makes the index of the words.

        It is asked for them in a database of its own: run by itself they would end the transaction at hand.
        """
        import sqlite_utils

        draft = sqlite_utils.Database(memory=True)
        draft.execute(documents)
        table: Any = draft[self.documents]
        table.enable_fts(columns, tokenize="ascii", create_triggers=True)
        made = draft.execute(
            "SELECT sql FROM sqlite_master WHERE name = ? OR type = 'trigger' ORDER BY type, name",
            (f"{self.documents}_fts",),
        ).fetchall()
        draft.close()
        return [sql for (sql,) in made]

    def _triggers(self) -> dict[str, str]:
        """Name to SQL of the triggers that note which rows changed: of the table, of parents, and of translations."""
        return {name: sql for source in self._sources() for name, sql in self._triggers_of(*source).items()}

    def _triggers_of(self, table: str, key: str, called: str) -> dict[str, str]:
        made = {}
        for event, row in EVENTS.items():
            name = f"toolkit_search_{called}_{event}"
            rows = (row,) if event != "update" else ("old", "new")  # a row whose key changes leaves an old one
            noted = " ".join(
                f"INSERT OR IGNORE INTO {_quote(self.stale)} (row_key) VALUES ({one}.{_quote(key)});"  # noqa: S608 - quoted
                for one in rows
            )
            made[name] = f"CREATE TRIGGER {_quote(name)} AFTER {event.upper()} ON {_quote(table)} BEGIN {noted} END"
        return made

    @classmethod
    def watched(cls, database: Any, table: str) -> Iterable[str]:
        return {watched for _, watched in _triggers_there(database, table)}

    @classmethod
    def drop(cls, database: Any, table: str) -> None:
        for name, _ in _triggers_there(database, table):
            database.run(f"DROP TRIGGER {_quote(name)}")
        documents, stale = names_of(table)
        for name in (f"{documents}_fts", documents, stale):
            database.run(f"DROP TABLE IF EXISTS {_quote(name)}")

    def seen(self) -> Any:
        return self.database.fetch("PRAGMA schema_version")[0][0]

    def is_whole(self) -> bool:
        wanted = [*self._triggers(), self.documents, f"{self.documents}_fts", self.stale]
        marks = ", ".join("?" * len(wanted))
        sql = f"SELECT count(*) FROM sqlite_master WHERE name IN ({marks}) AND type IN ('table', 'trigger')"  # noqa: S608 - placeholders
        return bool(self.database.fetch(sql, wanted)[0][0] == len(wanted))

    def add(self, documents: Iterable[tuple[Any, str, Sequence[Sequence[str]]]]) -> None:
        columns = _columns(self.search)
        named = ", ".join(("row_key", "locale", *map(_quote, columns)))
        marks = ", ".join("?" * (len(columns) + 2))
        rows = [(key, language, *(" ".join(words) for words in texts)) for key, language, texts in documents]
        if rows:
            self.database.run_many(f"INSERT INTO {_quote(self.documents)} ({named}) VALUES ({marks})", rows)  # noqa: S608 - quoted

    @classmethod
    def matching(cls, compiler: Any, search: Search, query: Any) -> tuple[Any, Any, Any]:
        import sqlalchemy as sa

        documents = names_of(search.model._meta.table)[0]
        rows = sa.table(documents, sa.column("id"), sa.column("row_key"), sa.column("locale")).alias()
        index = sa.table(f"{documents}_fts", sa.column("rowid"), sa.column("rank", sa.Double()))
        name: Any = sa.literal_column(_quote(f"{documents}_fts"))
        # as a column, for bm25() itself cannot stand in an aggregate
        weighted: Any = sa.literal_column(f"'bm25({', '.join(map(repr, search.weights.values()))})'")
        found = (
            sa.select(rows.c.row_key, rows.c.locale, (-index.c.rank).label("rank"))
            .select_from(index.join(rows, rows.c.id == index.c.rowid))
            .where(name.op("MATCH")(query(match_text)), index.c.rank.op("MATCH")(weighted))
            .subquery(f"t{next(compiler.binds.aliases)}")
        )
        return found, found.c.row_key, found.c.rank


def _triggers_there(database: Any, table: str) -> list[tuple[str, str]]:
    """(name, table) of the triggers that note which rows changed."""
    sql = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND instr(sql, ?)"
    return list(database.fetch(sql, (f"INSERT OR IGNORE INTO {_quote(names_of(table)[1])} ",)))


def _columns(search: Search) -> list[str]:
    """The columns of the documents: the searched fields', which have no other name for FTS5's own words' sake."""
    return [f"c_{name}" for name in search.weights]


def match_text(queries: Sequence[SearchQuery]) -> str:
    """Queries, one of which is to be met, in FTS5's words.

    Terms are letters and digits in quotes: nothing in them can be an operator.
    """
    return " OR ".join(f"({_one(query)})" for query in queries if query) or '""'


def _one(query: SearchQuery) -> str:
    wanted = [f"({' OR '.join(map(_term, terms))})" for terms in query.wanted]
    return " NOT ".join([f"({' AND '.join(wanted)})", *map(_term, query.unwanted)])


def _term(term: Term) -> str:
    return f'"{" ".join(term.words)}"{" *" if term.is_prefix else ""}'


def _quote(name: str) -> str:
    return quoted("sqlite", name)
