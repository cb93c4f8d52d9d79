"""A search as part of a question: a join with the documents that match, best first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError
from toolkit.lazily import LazyModule
from toolkit.models.search.declaration import Search
from toolkit.models.search.keeping import find_index
from toolkit.models.shapes import Bind
from toolkit.text.searching import parse_query
from toolkit.trace import current

if TYPE_CHECKING:
    from toolkit.models import nodes
    from toolkit.models.compiler import Compiler
    from toolkit.models.context import Values
else:
    nodes = LazyModule("toolkit.models.nodes")


MOST_TERMS = 1_000
"""Words of one search. Databases look for 2,000 alternatives in half a second among 2,000 texts, and for 50,000 in half
a minute, or not at all."""


def lift_search(model: Any, text: str, language: str | None, values: list[Any]) -> Any:
    """The operation of ``.search(text)``; the query and the languages are appended to the values.

    Raises:
        FieldError: The model has no search, the language is not known outside of a site, or it is no text to look for.
    """
    search: Search | None = model._meta.search
    if search is None:
        raise FieldError(f"{model.__name__} has no search", hint='Declare one: search = Search("title", "body").')
    if not isinstance(text, str):
        raise FieldError(
            f"search() takes text, not {text!r:.200}", hint='Of a question without words, "" finds nothing.'
        )
    if not isinstance(language, str | None):
        raise FieldError(f"search(language={language!r:.200}): the code of a language is a text", hint='Such as "en".')
    scope = current.get()
    if language is None:
        if scope is None:
            raise FieldError(
                f"{model.__name__}.objects.search({text!r}): in which language?", hint='Say it: language="en".'
            )
        language = search.language_in(scope)
    default = scope.default_locale if scope is not None else language
    asked = dict.fromkeys(
        parse_query(text, each) for each in ((language, default) if search.translated else (language,))
    )
    for query in asked:
        if len(query.terms) + len(query.unwanted) > MOST_TERMS:
            raise FieldError(f"search() of more than {MOST_TERMS} words", hint="Nobody types so many. Cut the text.")
    values += [tuple(asked), language, default]
    return ("search", len(values) - 3)


def apply_search(compiler: Compiler, operation: Any, values: Values) -> None:
    """Join the documents that match, and note what decides about them."""
    search: Search = compiler.model._meta.search
    kind = find_index(compiler.dialect)
    if kind is None:
        raise FieldError(
            f"{compiler.model.__name__}.objects.search() needs an index of words, "
            f"which the toolkit keeps in SQLite and PostgreSQL, not in {compiler.dialect}",
            hint="Filter with __icontains, or keep the rows in one of those.",
        )
    start = operation[1]

    # where a text without a translation is looked through too, its own stems are looked for as well
    def query(convert: Any) -> Any:
        found = values(start)
        return compiler.binds.add(Bind(found.source, found.value, convert))

    def text(index: int) -> Any:
        return compiler.binds.add(values(start + index))

    table, key, rank = kind.matching(compiler, search, query)
    condition = (key == compiler.root.pk) & _in_language(compiler, search, table, text)
    compiler.root.children[f"@search{start}"] = nodes.Node(compiler.model, table, condition)
    compiler.selection.rank = rank
    compiler.binds.searches.add(search)
    _touch(compiler, search)


def _in_language(compiler: Compiler, search: Search, table: Any, text: Any) -> Any:
    """Documents in the language; where a text is not translated, the row's own."""
    import sqlalchemy as sa

    if search.language_field is None and not search.translated:
        return sa.true()
    chosen = table.c.locale == text(1)
    if not search.translated:
        return chosen
    translation = search.model._meta.translation
    other = compiler.alias_of(translation)
    source = translation._meta.by_name["source"].column
    has_own: Any = sa.select(sa.literal_column("1")).where(
        other.c[source] == table.c.row_key, other.c.locale == text(1)
    )
    return chosen | ((table.c.locale == text(2)) & ~has_own.exists())


def _touch(compiler: Compiler, search: Search) -> None:
    of_language = search.language_field
    for field in (*search.fields, *([of_language] if of_language else ())):
        compiler.binds.footprint.add((field.model._meta.table, field.column))
    if search.translated:
        meta = search.model._meta.translation._meta
        columns = [meta.by_name["source"].column, "locale", *(f.column for f in search.fields if f.translated)]
        compiler.binds.footprint.update((meta.table, column) for column in columns)
