"""The index of a searched model: tables beside it, kept right by triggers that anybody's writing fires.

A trigger can only note that a row changed, for cutting texts into words takes this program. So it adds the row's key
to a table of stale keys, and whoever asks next, or builds, reads those rows and writes their words before it asks. What
other programs write is found as what the models write.

The index is made from the rows alone and belongs to nobody's migrations: where it is missing, or was made from
another declaration, it is made anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.errors import DatabaseError
from toolkit.lazily import LazyModule
from toolkit.models.fields import MarkdownField
from toolkit.models.search.declaration import Search
from toolkit.models.sqltext import iter_chunks, quoted
from toolkit.trace import Scope

if TYPE_CHECKING:
    from toolkit.text import plain, searching
else:
    plain = LazyModule("toolkit.text.plain")
    searching = LazyModule("toolkit.text.searching")


DECLARATIONS = "toolkit_search"
"""The table of what the indexes were made from: table, digest."""

ROWS = 500
"""Rows whose words are made at a time."""


class SearchIndex:
    """The index of one model in one database.

    Args:
        scope: Gives the database, and the first locale of the site.
        search: The declaration.
    """

    def __init__(self, scope: Scope, search: Search) -> None:
        self.scope, self.search = scope, search
        self.database = scope.database
        self.model = search.model
        self.table = search.model._meta.table
        self.documents, self.stale = names_of(self.table)

    # what a kind of database says

    def create(self) -> None:
        """Make the tables and triggers, without rows."""
        raise NotImplementedError

    @classmethod
    def watched(cls, database: Any, table: str) -> Iterable[str]:
        """The tables whose changes are noted for the index of a table, by what is in the database."""
        raise NotImplementedError

    @classmethod
    def drop(cls, database: Any, table: str) -> None:
        """Take away all of the index of a table, whatever it was made from."""
        raise NotImplementedError

    def lock(self) -> None:
        """Inside a transaction: let nobody else renew the index meanwhile."""

    def lock_making(self) -> None:
        """Inside a transaction: let nobody else make an index meanwhile."""

    def seen(self) -> Any:
        """A value that changes with every change of the schema; None where that cannot be told."""
        return None

    def is_whole(self) -> bool:
        """Whether all tables and triggers are there."""
        raise NotImplementedError

    def add(self, documents: Iterable[tuple[Any, str, Sequence[Sequence[str]]]]) -> None:
        """Write documents: (key, language, words of each field)."""
        raise NotImplementedError

    @classmethod
    def matching(cls, compiler: Any, search: Search, query: Any) -> tuple[Any, Any, Any]:
        """(table, its key, rank) of the documents that meet a query; the table has a column ``locale`` too.

        Args:
            compiler: The compiler of the question.
            search: The declaration.
            query: ``query(convert)`` gives the bound parameter.
        """
        raise NotImplementedError

    # keeping it

    def refresh(self) -> None:
        """Make the index, or the words of the rows that changed since it was last asked.

        Where the database may only be read, what is there is what is found.

        Raises:
            DatabaseError: There is no index, and none may be made.
        """
        if self.database.in_snapshot:
            return
        try:
            if not self._stands():
                self._make()
            while self._renew_some():
                pass
        except DatabaseError as error:
            refused = error.__cause__
            if not isinstance(refused, Exception) or not self.database.backend.forbids(refused):
                raise
            if not self._stands():
                told = f"the search of {self.model._meta.label} has no index as it is declared now"
                raise DatabaseError(
                    f"{told}, and none may be made here: {self.database.backend.told(refused)}",
                    hint="Search, or build, once as somebody who may make tables; who searches must be allowed to read "
                    f"{DECLARATIONS!r} and the tables whose names begin so.",
                ) from error

    def _stands(self) -> bool:
        """Whether the index was made from this declaration, and nobody took anything of it away since."""
        state = self.seen()
        if state is None:
            return self._was_made()
        known = self.database.lookups
        if known.get(self._digest) != (self.table, state):
            if not self._was_made():
                return False
            known[self._digest] = (self.table, state)
        return True

    def _was_made(self) -> bool:
        if not self.database.has_table(DECLARATIONS):
            return False
        found = self.database.fetch(
            f"SELECT digest FROM {DECLARATIONS} WHERE name = {self.database.backend.placeholder}",  # noqa: S608 - a constant
            (self.table,),
        )
        return bool(found) and found[0][0] == self._digest and self.is_whole()

    @property
    def _digest(self) -> str:
        return f"{self.search.digest}-{self.scope.default_locale}-{self.table}"

    def _make(self) -> None:
        """Make it whole or not at all. Of several who find it missing, one makes it, and the others wait."""
        mark = self.database.backend.placeholder
        with self.database.atomic():
            self.lock_making()
            if self._was_made():
                return
            self.drop(self.database, self.table)
            self.create()
            key, table = (quoted(self.database.dialect, name) for name in (self._pk.column, self.table))
            stale = quoted(self.database.dialect, self.stale)
            self.database.run(f"INSERT INTO {stale} (row_key) SELECT {key} FROM {table}")  # noqa: S608 - quoted
            self.database.run(
                f"CREATE TABLE IF NOT EXISTS {DECLARATIONS} "
                "(name VARCHAR(200) PRIMARY KEY, digest VARCHAR(200) NOT NULL)"
            )
            self.database.run(f"DELETE FROM {DECLARATIONS} WHERE name = {mark}", (self.table,))  # noqa: S608 - a constant
            sql = f"INSERT INTO {DECLARATIONS} (name, digest) VALUES ({mark}, {mark})"  # noqa: S608 - a constant
            self.database.run(sql, (self.table, self._digest))

    @property
    def _pk(self) -> Any:
        return self.model._meta.pk

    def _sources(self) -> Iterator[tuple[str, str, str]]:
        """(table, column of the row's key, what its triggers are called after) of the tables whose changes count.

        A parent's table may be a source of several indexes.
        """
        for home in self.search.homes:
            table = home._meta.table
            yield table, home._meta.pk.column, table if home is self.model else f"{self.table}_of_{table}"
        if self.search.translated:
            translation = self.model._meta.translation._meta
            yield translation.table, translation.by_name["source"].column, translation.table

    def _renew_some(self) -> bool:
        """Bring some stale rows up to date; whether there may be more."""
        stale = quoted(self.database.dialect, self.stale)
        sql = f"SELECT row_key FROM {stale} ORDER BY row_key LIMIT {ROWS}"  # noqa: S608 - a name of the schema
        if not self.database.fetch(sql):
            return False
        with self.database.atomic():
            self.lock()
            keys = [key for (key,) in self.database.fetch(sql)]
            self._forget(self.documents, keys)
            self._forget(self.stale, keys)
            self.add(self._documents(keys))
        return len(keys) == ROWS

    def _forget(self, table: str, keys: Sequence[Any]) -> None:
        dialect = self.database.dialect
        for chunk, marks in iter_chunks(keys, dialect):
            self.database.run(f"DELETE FROM {quoted(dialect, table)} WHERE row_key IN ({marks})", chunk)  # noqa: S608 - quoted

    def _documents(self, keys: Sequence[Any]) -> Iterable[tuple[Any, str, Sequence[Sequence[str]]]]:
        """The words of rows, in the language of the row, and of its translations in theirs."""
        search, fields = self.search, self.search.fields
        of_language = search.language_field
        own: dict[Any, Sequence[Any]] = {}
        for key, texts in self._read_own(keys):
            own[key] = texts
            language = texts[-1] if of_language else search.language or self.scope.default_locale
            yield key, language, self._words(texts, language)
        if not search.translated:
            return
        translation = self.model._meta.translation._meta
        columns = ["locale", *(field.column for field in fields if field.translated)]
        for key, locale, *texts in self._read(translation.table, translation.by_name["source"].column, columns, keys):
            if key in own:
                given = iter(texts)
                shown = [(next(given) if f.translated else "") or own[key][n] for n, f in enumerate(fields)]
                yield key, locale, self._words(shown, locale)

    def _read_own(self, keys: Sequence[Any]) -> Iterator[tuple[Any, Sequence[Any]]]:
        """The texts of rows, and the language if a field says it; those of a parent are in its table."""
        of_language = self.search.language_field
        fields = [*self.search.fields, *([of_language] if of_language else ())]
        found: dict[Any, dict[Any, Any]] = {}
        for home in self.search.homes:
            here = [field for field in fields if field.model._meta.concrete_model is home]
            named = [field.column for field in here]
            for key, *texts in self._read(home._meta.table, home._meta.pk.column, named, keys):
                if home is self.model or key in found:  # the rows of a parent are others' too
                    found.setdefault(key, {}).update(zip(here, texts, strict=True))
        for key, held in found.items():
            yield key, [held.get(field) for field in fields]

    def _words(self, texts: Sequence[Any], language: str) -> Sequence[Sequence[str]]:
        return [
            searching.words_of(_readable(field, text or ""), language or "")
            for field, text in zip(self.search.fields, texts, strict=False)
        ]

    def _read(self, table: str, key: str, columns: Sequence[str], keys: Sequence[Any]) -> Iterable[Sequence[Any]]:
        """Rows of a table by key, as they are, whatever a viewer may see."""
        dialect = self.database.dialect
        named = ", ".join(quoted(dialect, name) for name in (key, *columns))
        for chunk, marks in iter_chunks(keys, dialect):
            sql = f"SELECT {named} FROM {quoted(dialect, table)} WHERE {quoted(dialect, key)} IN ({marks})"  # noqa: S608 - quoted
            yield from self.database.fetch(sql, chunk)


def _readable(field: Any, text: str) -> str:
    """A text as its readers see it, without marks, tags and targets of links."""
    if not isinstance(field, MarkdownField):
        return text
    import pyromark

    pieces: list[str] = []
    events: Iterable[Any] = pyromark.events(text)
    for event in events:
        if isinstance(event, str):
            pieces.append(" ")  # breaks of lines, and rules
            continue
        ((kind, value),) = event.items()
        if kind in ("Text", "Code"):
            pieces.append(value)
        elif kind in ("Html", "InlineHtml"):
            pieces.append(plain.plain_text(value) if kind == "Html" else "")
        elif kind == "End" and value not in INLINE:
            pieces.append(" ")
    return "".join(pieces)


INLINE = ("Strong", "Emphasis", "Strikethrough", "Link", "Superscript", "Subscript")
"""What may begin and end inside of a word."""


def names_of(table: str) -> tuple[str, str]:
    """The tables of the documents and of the stale keys of a model's table."""
    return f"toolkit_search_{table}", f"toolkit_search_{table}_stale"
