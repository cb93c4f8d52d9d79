"""The current scope, as models need it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from toolkit.errors import DeclarationError
from toolkit.lazily import LazyModule
from toolkit.models.nesting import nested_enough
from toolkit.models.query import Query, Sight
from toolkit.models.search.keeping import refresh_searched
from toolkit.models.shapes import Shape
from toolkit.trace import Scope, Trace, current

if TYPE_CHECKING:
    from toolkit.models import compile as compiling
    from toolkit.models.known import KnownQuestions
else:
    compiling = LazyModule("toolkit.models.compile")

SHAPES_KEPT = 5_000
"""Compiled questions of a database, of which the oldest goes then: keys in JSON are part of a question, and visitors
send any."""


def current_scope() -> Scope:
    """The scope in which a query is asked.

    Raises:
        DeclarationError: There is no current site.
    """
    scope = current.get()
    if scope is None:
        raise DeclarationError(
            "there is no current site, so it is not known which database to ask",
            hint="Enter one: 'with site:', or use the toolkit command, the server or the test fixtures.",
        )
    return scope


def find_shape(scope: Scope, query: Query) -> Shape:
    """The compiled shape of a query for this scope; compiled when it is first asked."""
    scope = scope.of(query.model)
    key = (query, scope.sight)
    shapes: dict[Any, Shape] = scope.database.shapes
    found = shapes.get(key)
    if found is None:
        if scope.database.schema is None:
            raise DeclarationError(
                "the site is not prepared, so its tables are not known", hint="Call site.prepare() first."
            )
        with scope.database.compiling, nested_enough():
            found = shapes.get(key) or _known_or_compiled(scope.database, query, scope.sight)
            if len(shapes) >= SHAPES_KEPT:
                shapes.pop(next(iter(shapes)), None)
            shapes[key] = found
    if found.searches:
        refresh_searched(scope, found.searches)
    if found.read is not None and scope.trace is not None:
        scope.trace.merge(found.read)
    return found


def _known_or_compiled(database: Any, query: Query, sight: Sight) -> Shape:
    known: KnownQuestions | None = database.known
    found = known.find(query, sight) if known is not None else None
    if found is None:
        with _reading() as read:
            found = compiling.compile_query(database, query, sight)
        if read.inputs:
            found.read = read
        elif known is not None:
            known.add(query, sight, found)
    return found


@contextmanager
def _reading() -> Iterator[Trace]:
    """What is read meanwhile: a lookup of the site's own may look into a file, which another process must do, too."""
    read = Trace()
    scope = current.get()
    if scope is None:
        yield read
        return
    trace, scope.trace = scope.trace, read
    try:
        yield read
    finally:
        scope.trace = trace
