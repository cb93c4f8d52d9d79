"""Keys and indexes behind a JSON field in a path, ``data__credit__0__name``, and the value they lead to, in SQL.

Keys come from whoever asks, so they are bound parameters like any value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from toolkit.errors import FieldError
from toolkit.models.lookups import LookupContext
from toolkit.models.text_lookups import as_text

Step = str | int
"""A key of an object, or an index of a list."""

_INDEX = re.compile(r"-?\d{1,9}")
_PLAIN_KEY = re.compile(r"[ -!#-\[\]-~]+")
"""Keys that SQLite finds by itself, whatever its version: without quotes, backslashes and escapes."""


class KeyTransform:
    """A key, or an index if it is a whole number (from the end, if below 0), behind a JSON field in a path.

    Args:
        name: As it stands in the path.
    """

    def __init__(self, name: str) -> None:
        if not name.isascii() and any("\ud800" <= character <= "\udfff" for character in name):
            raise FieldError(f"{name!r:.200} is no key: it has half of a surrogate pair, which is no character")
        self.step: Step = int(name) if _INDEX.fullmatch(name) else as_text(name)

    def __repr__(self) -> str:
        return f"the key {self.step!r}"

    def build(self, context: LookupContext, column: Any) -> Any:
        """The value there, as JSON; NULL if there is none."""
        base, path = self._place(context, column)
        return node(base, path, context)

    def output(self, context: LookupContext) -> Any:
        """The field of the value there."""
        return context.field.at(*self._place(context, context.column))

    def _place(self, context: LookupContext, column: Any) -> tuple[Any, tuple[Step, ...]]:
        field = context.field
        return (field.base if field.path else column), (*field.path, self.step)


def node(base: Any, path: tuple[Step, ...], context: LookupContext) -> Any:
    """SQL of the value at a path, as JSON; NULL where the path leads nowhere.

    Raises:
        FieldError: Nobody wrote down how this database finds it.
    """
    if context.dialect not in _NODES:
        raise FieldError(f"keys in JSON cannot be asked for on {context.dialect} yet", hint="Look into it in Python.")
    return _NODES[context.dialect](base, path, context.constant)


def _sqlite_node(base: Any, path: tuple[Step, ...], constant: Any) -> Any:
    import sqlalchemy as sa

    if all(isinstance(step, int) or _PLAIN_KEY.fullmatch(step) for step in path):
        steps = "".join(f'."{step}"' if isinstance(step, str) else _sqlite_index(step) for step in path)
        return base.op("->", return_type=sa.Text())(constant(f"${steps}", sa.Text()))
    return sa.func.toolkit_json_find(base, constant(json.dumps(path), sa.Text()), type_=sa.Text())


def _sqlite_index(step: int) -> str:
    return f"[{step}]" if step >= 0 else f"[#{step}]"


def _postgresql_node(base: Any, path: tuple[Step, ...], constant: Any) -> Any:
    import sqlalchemy as sa
    from sqlalchemy.dialects.postgresql import JSONB

    for step in path:
        kind = sa.Text() if isinstance(step, str) else sa.Integer()
        found = base.op("->", return_type=JSONB())(constant(step, kind))
        # a bare value is, for this operator, a list of one
        base = found if isinstance(step, str) else sa.case((kind_is(base, "array", "postgresql"), found))
    return base


def _mysql_node(base: Any, path: tuple[Step, ...], constant: Any) -> Any:
    """Source: MariaDB, "JSONPath Expressions". An index of what is no list would give the value itself."""
    import sqlalchemy as sa

    for step in path:
        if isinstance(step, str):
            base = sa.func.json_extract(base, constant(f"$.{mysql_key(step)}"))
        else:
            base = sa.case((kind_is(base, "array", "mysql"), _mysql_item(base, step, constant)))
    return base


def mysql_key(key: str) -> str:
    """A key as MariaDB's paths have it.

    Raises:
        FieldError: It begins with a minus, which MariaDB's paths never find.
    """
    if key.startswith("-"):
        raise FieldError(f"MariaDB finds no key that begins with a minus: {key!r:.200}", hint="Ask with has_key.")
    return json.dumps(key, ensure_ascii=False)


def _mysql_item(base: Any, step: int, constant: Any) -> Any:
    """An index from the end is counted here: MariaDB 10.11 finds nothing by ``$[-2]`` after a shorter list."""
    import sqlalchemy as sa

    if step >= 0:
        return sa.func.json_extract(base, constant(f"$[{step}]"))
    length = sa.func.json_length(base)
    place = sa.func.concat(sa.literal_column("'$['"), length + constant(step, sa.Integer()), sa.literal_column("']'"))
    return sa.case((length >= constant(-step, sa.Integer()), sa.func.json_extract(base, place)))


_NODES: dict[str, Callable[[Any, tuple[Step, ...], Any], Any]] = {
    "sqlite": _sqlite_node,
    "postgresql": _postgresql_node,
    "mysql": _mysql_node,
}


# what kind of value it is, and the value in SQL's own types

_KINDS: dict[str, dict[str, tuple[str, ...]]] = {
    "sqlite": {
        "null": ("null",),
        "boolean": ("true", "false"),
        "number": ("integer", "real"),
        "string": ("text",),
        "array": ("array",),
        "object": ("object",),
    },
    "postgresql": {kind: (kind,) for kind in ("null", "boolean", "number", "string", "array", "object")},
    "mysql": {
        "null": ("NULL",),
        "boolean": ("BOOLEAN",),
        "number": ("INTEGER", "DOUBLE"),
        "string": ("STRING",),
        "array": ("ARRAY",),
        "object": ("OBJECT",),
    },
}


def kind_is(column: Any, kind: str, dialect: str) -> Any:
    """Whether a value is of a kind; NULL where there is none."""
    import sqlalchemy as sa

    names: list[Any] = [sa.literal_column(f"'{name}'") for name in _KINDS[dialect][kind]]
    kinds = {"postgresql": "jsonb_typeof"}
    found = getattr(sa.func, kinds.get(dialect, "json_type"))(column)
    return found == names[0] if len(names) == 1 else found.in_(names)


def text_at(column: Any, dialect: str) -> Any:
    """The text of a value that is text; otherwise NULL."""
    import sqlalchemy as sa

    if dialect == "postgresql":
        text: Any = sa.collate(column.op("#>>", return_type=sa.Text())(sa.literal_column("'{}'")), "C")
    elif dialect == "mysql":
        text = sa.cast(sa.func.json_unquote(column), sa.Text())
    else:
        text = sa.func.json_extract(column, sa.literal_column("'$'"), type_=sa.Text())
    return sa.case((kind_is(column, "string", dialect), text))


def numbers_at(column: Any, dialect: str) -> list[tuple[Any, Any]]:
    """(condition, number) of a value that is a number, the first that holds: some databases need two types for them.

    On MariaDB a whole number is compared exactly, any other to the 15 digits or so of a double: in one expression both
    would be doubles. Its JSON_TYPE takes ``1e-07`` for a whole number, so it is one only without an exponent.
    """
    import sqlalchemy as sa

    is_number = kind_is(column, "number", dialect)
    if dialect == "postgresql":
        return [(is_number, sa.cast(column.op("#>>", return_type=sa.Text())(sa.literal_column("'{}'")), sa.Numeric()))]
    if dialect != "mysql":
        return [(is_number, sa.func.json_extract(column, sa.literal_column("'$'"), type_=sa.Numeric()))]
    text = sa.func.json_unquote(column)
    has_exponent = sa.func.locate(sa.literal_column("x'65'"), sa.func.lower(text))  # bytes mix with any collation
    is_whole = sa.and_(
        sa.func.json_type(column) == sa.literal_column("'INTEGER'"), has_exponent == sa.literal_column("0")
    )
    return [(is_whole, sa.cast(text, sa.DECIMAL(65, 0))), (is_number, sa.cast(text, sa.Double()))]


def sort_keys(column: Any, dialect: str) -> list[Any]:
    """Columns to order by, instead of the JSON value itself."""
    import sqlalchemy as sa

    ranks = ("null", "boolean", "number", "string", "array", "object")
    rank = sa.case(*((kind_is(column, kind, dialect), sa.literal_column(str(n))) for n, kind in enumerate(ranks)))
    true = sa.case((equals(column, sa.literal_column(_TRUE[dialect]), dialect), sa.literal_column("1")), else_=None)
    text = text_at(column, dialect)
    if dialect == "mysql":  # bytes of UTF-8 have the order of its signs, whatever collation the session has
        text = sa.cast(text, sa.BINARY())
    return [
        rank,
        sa.case((kind_is(column, "boolean", dialect), true)),
        *(sa.case((kind_is(column, "number", dialect), number)) for _, number in reversed(numbers_at(column, dialect))),
        text,
    ]


_TRUE = {"sqlite": "'true'", "postgresql": "'true'::jsonb", "mysql": "'true'"}


def equals(column: Any, other: Any, dialect: str) -> Any:
    """Whether two JSON values are equal; on SQLite the other is in its canonical form."""
    import sqlalchemy as sa

    if dialect == "sqlite":
        return sa.func.toolkit_json_canonical(column) == other
    return sa.func.json_equals(ended(column), ended(other)) == 1 if dialect == "mysql" else column == other


def same(column: Any, other: Any, dialect: str) -> Any:
    """Whether two JSON values are equal, neither of which needs to be in its canonical form."""
    import sqlalchemy as sa

    return equals(column, sa.func.toolkit_json_canonical(other) if dialect == "sqlite" else other, dialect)


def ended(text: Any) -> Any:
    """JSON with a space behind it: MariaDB 10.11 reads an exponent beyond the end of the text."""
    import sqlalchemy as sa

    return sa.func.concat(text, sa.literal_column("' '"))
