"""The index in PostgreSQL: a ``tsvector`` for each document, made here word by word, and a GIN index over it.

No text search configuration takes part, so that words are cut as on every other database.

Source: PostgreSQL manual, "Text Search Types" and "Controlling Text Search".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.models.search.declaration import Search
from toolkit.models.search.indexing import DECLARATIONS, SearchIndex, names_of
from toolkit.models.sqltext import quoted

if TYPE_CHECKING:
    from toolkit.text.searching import SearchQuery, Term


LAST_POSITION = 16_383
"""The greatest position that a ``tsvector`` keeps."""

POSITIONS_KEPT = 255
"""How many positions of one word it keeps."""

MOST_BYTES = 1_048_575
"""What a ``tsvector`` takes of words and their positions. Source: PostgreSQL manual, "Text Search Limitations"."""

FIELD_GAP = 2
"""Positions left out between fields, so that no phrase reaches from one into the next."""


class PostgreSQLIndex(SearchIndex):
    """The index of one model in a PostgreSQL schema."""

    def create(self) -> None:
        kind = self._pk.sql_type().compile(self.database.sqlalchemy_dialect)
        documents, stale = _quote(self.documents), _quote(self.stale)
        for sql in (
            f"CREATE TABLE {stale} (row_key {kind} PRIMARY KEY)",
            f"CREATE TABLE {documents} (row_key {kind}, locale text, document tsvector NOT NULL, "
            "PRIMARY KEY (row_key, locale))",
            f"CREATE INDEX ON {documents} USING gin (document)",
            *self._statements(),
        ):
            self.database.run(sql)

    def _statements(self) -> Iterable[str]:
        """A function and triggers for each table that notes which rows changed."""
        stale = _quote(self.stale)
        for table, key, called in self._sources():
            name, column = _quote(f"toolkit_search_{called}_changed"), _quote(key)
            yield (
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "  # noqa: S608 - quoted
                f"IF TG_OP = 'TRUNCATE' THEN INSERT INTO {stale} SELECT DISTINCT row_key FROM {_quote(self.documents)} "
                f"ON CONFLICT DO NOTHING; RETURN NULL; END IF; "
                f"IF TG_OP <> 'INSERT' THEN INSERT INTO {stale} VALUES (OLD.{column}) ON CONFLICT DO NOTHING; END IF; "
                f"IF TG_OP <> 'DELETE' THEN INSERT INTO {stale} VALUES (NEW.{column}) ON CONFLICT DO NOTHING; END IF; "
                f"RETURN NULL; END $$"
            )
            yield (
                f"CREATE TRIGGER {_quote(_trigger(called))} AFTER INSERT OR UPDATE OR DELETE ON {_quote(table)} "
                f"FOR EACH ROW EXECUTE FUNCTION {name}()"
            )
            yield (
                f"CREATE TRIGGER {_quote(f'{_trigger(called)}_all')} AFTER TRUNCATE ON {_quote(table)} "
                f"EXECUTE FUNCTION {name}()"
            )

    @classmethod
    def watched(cls, database: Any, table: str) -> Iterable[str]:
        sql = f"SELECT DISTINCT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE tgfoid {_NOTES}"  # noqa: S608 - a constant
        return [name for (name,) in database.fetch(sql, (_noted_in(table),))]

    @classmethod
    def drop(cls, database: Any, table: str) -> None:
        sql = f"SELECT proname FROM pg_proc WHERE pg_proc.oid {_NOTES}"  # noqa: S608 - a constant
        for (name,) in database.fetch(sql, (_noted_in(table),)):
            database.run(f"DROP FUNCTION {_quote(name)}() CASCADE")  # with its triggers, wherever they are
        for name in names_of(table):
            database.run(f"DROP TABLE IF EXISTS {_quote(name)}")

    def lock(self) -> None:
        self.database.run(f"LOCK TABLE {_quote(self.documents)} IN SHARE ROW EXCLUSIVE MODE")

    def lock_making(self) -> None:
        self.database.fetch(f"SELECT pg_advisory_xact_lock(hashtext('{DECLARATIONS}'), hashtext(current_schema()))")

    def is_whole(self) -> bool:
        sources = list(self._sources())
        found = self.database.fetch(
            "SELECT to_regclass(%s) IS NOT NULL AND to_regclass(%s) IS NOT NULL, "
            "(SELECT count(*) FROM pg_trigger WHERE tgname = ANY(%s) AND tgrelid = ANY(%s::regclass[]))",
            (
                self.database.backend.identifier(self.documents),
                self.database.backend.identifier(self.stale),
                [_trigger(called) for _, _, called in sources],
                [self.database.backend.identifier(table) for table, _, _ in sources],
            ),
        )
        return bool(found[0] == (True, len(sources)))

    def add(self, documents: Iterable[tuple[Any, str, Sequence[Sequence[str]]]]) -> None:
        labels = _labels(self.search)
        rows = [(key, language, vector(texts, labels)) for key, language, texts in documents]
        if rows:
            sql = f"INSERT INTO {_quote(self.documents)} VALUES (%s, %s, %s::tsvector)"  # noqa: S608 - quoted
            self.database.run_many(sql, rows)

    @classmethod
    def matching(cls, compiler: Any, search: Search, query: Any) -> tuple[Any, Any, Any]:
        import sqlalchemy as sa
        from sqlalchemy.dialects.postgresql import TSQUERY

        documents = names_of(search.model._meta.table)[0]
        rows = sa.table(documents, sa.column("row_key"), sa.column("locale"), sa.column("document")).alias()
        wanted, ranked = (sa.cast(query(match_text), TSQUERY()) for _ in range(2))
        rank: Any = sa.func.ts_rank_cd(sa.literal_column(_weights(search)), rows.c.document, ranked, type_=sa.Double())
        found = (
            sa.select(rows.c.row_key, rows.c.locale, rank.label("rank"))
            .where(rows.c.document.op("@@")(wanted))
            .subquery(f"t{next(compiler.binds.aliases)}")
        )
        return found, found.c.row_key, found.c.rank


_NOTES = (
    "IN (SELECT oid FROM pg_proc WHERE pronamespace = current_schema()::regnamespace "
    "AND proname LIKE 'toolkit#_search#_%%' ESCAPE '#' AND strpos(prosrc, %s) > 0)"
)
"""Of functions: they note in the table of stale keys which rows changed."""


def _noted_in(table: str) -> str:
    return f"INSERT INTO {_quote(names_of(table)[1])} "


def _labels(search: Search) -> list[str]:
    """The letter of each field: A for the greatest weight."""
    ranked = sorted(set(search.weights.values()), reverse=True)
    return ["ABCD"[ranked.index(weight)] for weight in search.weights.values()]


def _weights(search: Search) -> str:
    """The weights of D, C, B and A, as shares of the greatest."""
    ranked = sorted(set(search.weights.values()), reverse=True)
    shares = [weight / ranked[0] for weight in ranked] + [0.0] * (4 - len(ranked))
    return f"CAST('{{{','.join(f'{share:.6f}' for share in reversed(shares))}}}' AS float4[])"


def vector(texts: Sequence[Sequence[str]], labels: Sequence[str]) -> str:
    """Words with their positions, as PostgreSQL reads a ``tsvector``. Words are letters and digits."""
    places: dict[str, list[str]] = {}
    position = 0
    for words, label in zip(texts, labels, strict=True):
        for word in words:
            position += 1
            kept = places.setdefault(word, [])
            if position <= LAST_POSITION and len(kept) < POSITIONS_KEPT:
                kept.append(f"{position}{label}")
        position += FIELD_GAP
    told = (f"'{word}':{','.join(kept)}" if kept else f"'{word}'" for word, kept in _fitting(places))
    return " ".join(told)


def _fitting(places: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Sequence[str]]]:
    """Words, in the order of the text, as far as a ``tsvector`` takes them: of 100,000 and more, the last are left out.

    Each begins at an even byte, and has two bytes for the number of its positions, and two for each.
    """
    size = 0
    for word, kept in places.items():
        bytes_ = len(word.encode())
        size += bytes_ + bytes_ % 2 + (2 + 2 * len(kept) if kept else 0)
        if size > MOST_BYTES:
            return
        yield word, kept


def match_text(queries: Sequence[SearchQuery]) -> str:
    """Queries, one of which is to be met, as PostgreSQL reads a ``tsquery``."""
    return " | ".join(f"({_one(query)})" for query in queries if query)


def _one(query: SearchQuery) -> str:
    wanted = [f"({' | '.join(map(_term, terms))})" for terms in query.wanted]
    return " & ".join([*wanted, *(f"!({_term(term)})" for term in query.unwanted)])


def _term(term: Term) -> str:
    words = [f"'{word}'" for word in term.words]
    return "(" + " <-> ".join(words) + (":*" if term.is_prefix else "") + ")"


def _trigger(called: str) -> str:
    return f"toolkit_search_{called}"


def _quote(name: str) -> str:
    return quoted("postgresql", name)
