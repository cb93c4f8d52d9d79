"""What may be asked of JSON: ``data__credit__0__name="AP"``, ``data__has_key="credit"``.

A value is compared as PostgreSQL's ``jsonb`` compares: by its kind first. ``data__views__gt=5`` is true of numbers
alone, and ``True`` is no 1.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any

from toolkit.database.json_values import canonical
from toolkit.errors import FieldError
from toolkit.models.json_paths import equals, kind_is, mysql_key, numbers_at, text_at
from toolkit.models.lookups import OPERATORS, LookupContext, LookupFunction, value_of
from toolkit.models.text_lookups import TEXT, as_text


def _writer(context: LookupContext) -> Callable[[Any], Any]:
    """From a value that was asked for to what ``equals`` compares with."""
    write = value_of(context.field, context.dialect) or json.dumps
    if context.dialect != "sqlite":
        return write
    return partial(_as_canonical, write)


def _as_canonical(write: Callable[[Any], Any], value: Any) -> Any:
    return canonical(write(value))


def exact(context: LookupContext) -> Any:
    """``data=`` and ``data__key=``: the same JSON."""
    return equals(context.column, context.bind(_writer(context)), context.dialect)


def exact_null(column: Any, dialect: str) -> Any:
    """``data__key=None``: the value is there, and is null."""
    return kind_is(column, "null", dialect)


def one_of(context: LookupContext) -> Any:
    """``data__key__in``: one of these values."""
    import sqlalchemy as sa

    if context.listed:
        return _one_of_list(context)
    found = context.bind_each(_writer(context))
    return sa.or_(*(equals(context.column, item, context.dialect) for item in found))


def _one_of_list(context: LookupContext) -> Any:
    """The list is one parameter: JSON itself."""
    import sqlalchemy as sa

    dialect = context.dialect
    bound = context.bind(partial(_as_list, _writer(context), dialect == "sqlite"), _text())
    if dialect == "sqlite":
        items = sa.func.json_each(bound).table_valued("value")
        return sa.func.toolkit_json_canonical(context.column).in_(sa.select(items.c.value))
    if dialect == "mysql":
        rows = sa.text(f"JSON_TABLE(:{bound.key}, '$[*]' COLUMNS (item JSON PATH '$')) AS listed").bindparams(bound)
        same = equals(context.column, sa.literal_column("listed.item"), dialect)
        return sa.exists(sa.select(sa.literal_column("1")).select_from(rows).where(same))
    items = sa.func.jsonb_array_elements(sa.cast(bound, context.field.sql_type())).table_valued("value")
    return context.column.in_(sa.select(items.c.value))


def _as_list(write: Callable[[Any], Any], as_text: bool, items: Any) -> str:
    each = [write(item) for item in items]
    return json.dumps(each) if as_text else f"[{','.join(each)}]"


def _ordered(name: str) -> LookupFunction:
    compare = OPERATORS[name]

    def build(context: LookupContext) -> Any:
        number, text = context.bind(_as_number, _any()), context.bind(_as_text, _text())
        return _compared(context, compare, number, text)

    return build


def _compared(context: LookupContext, compare: Callable[[Any, Any], Any], number: Any, text: Any) -> Any:
    """Numbers with a number, text with text; a value of another kind is neither less nor greater."""
    import sqlalchemy as sa

    column, dialect = context.column, context.dialect
    return sa.case(
        *((condition, compare(found, number)) for condition, found in numbers_at(column, dialect)),
        (kind_is(column, "string", dialect), compare(text_at(column, dialect), text)),
    )


def _text() -> Any:
    import sqlalchemy as sa

    return sa.Text()


def _any() -> Any:
    import sqlalchemy as sa

    return sa.Numeric()


def _as_number(value: Any) -> Any:
    """The value if it is a number; otherwise nothing compares with it."""
    _refuse_unordered(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise FieldError(f"{value!r:.60} has more than 64 bits, and cannot be compared with numbers in JSON")
    if isinstance(value, float) and not math.isfinite(value):
        raise FieldError(f"{value!r} is not a finite number")
    return None if isinstance(value, str) else value


def _as_text(value: Any) -> Any:
    _refuse_unordered(value)
    return as_text(value) if isinstance(value, str) else None


def _refuse_unordered(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise FieldError(f"{value!r:.200} is neither a number nor text: in JSON these alone have an order")


def in_range(context: LookupContext) -> Any:
    """``data__key__range``: from one number or text to another, both included."""
    import sqlalchemy as sa

    numbers = context.bind_each(_as_number, _any())
    texts = context.bind_each(_as_text, _text())
    low, high = zip(numbers, texts, strict=True)
    return sa.and_(_compared(context, OPERATORS["gte"], *low), _compared(context, OPERATORS["lte"], *high))


def _of_text(build: LookupFunction) -> LookupFunction:
    """A lookup of text, for the values that are text."""

    def build_of_text(context: LookupContext) -> Any:
        return build(replace(context, column=text_at(context.column, context.dialect), field=None))

    return build_of_text


def contains(context: LookupContext) -> Any:
    """``@>``: the value has all that is in the given one."""
    import sqlalchemy as sa

    if context.dialect == "postgresql":
        return context.column.bool_op("@>")(context.bind(context.write()))
    if context.dialect == "sqlite":
        return sa.func.toolkit_json_contains(context.column, context.bind(context.write())) == 1
    return _mysql_contains(context)


def contained_by(context: LookupContext) -> Any:
    """``<@``: all that is in the value is in the given one."""
    import sqlalchemy as sa

    if context.dialect == "postgresql":
        return context.column.bool_op("<@")(context.bind(context.write()))
    if context.dialect == "sqlite":
        return sa.func.toolkit_json_contains(context.bind(context.write()), context.column) == 1
    return sa.func.json_contains(context.bind(partial(_without_lists, context.write())), context.column) == 1


def _without_lists(write: Callable[[Any], Any] | None, value: Any) -> Any:
    if _has_lists(value):
        raise FieldError(
            f"{value!r:.200}: MariaDB cannot tell what is contained in lists", hint="Use contains, or PostgreSQL."
        )
    return write(value) if write else value


def _has_lists(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_lists, value.values()))
    return isinstance(value, list | tuple)


def _mysql_contains(context: LookupContext) -> Any:
    """Each part of the given value is looked for at its place: MariaDB's own function looks into inner lists, too."""
    return _wanted_function()(context.column, context.bind(partial(_as_places, context.write()), _text()))


def _as_places(write: Callable[[Any], Any] | None, value: Any) -> str:
    return json.dumps(list(_places(json.loads(write(value)) if write else value, "$")), ensure_ascii=False)


_WANTED = """(
[column] IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM JSON_TABLE([wanted], '$[*]' COLUMNS (
        loc LONGTEXT PATH '$.at', kind VARCHAR(10) PATH '$.kind', item LONGTEXT PATH '$.item'
    )) AS wanted WHERE NOT COALESCE(CASE wanted.kind
        WHEN 'OBJECT' THEN JSON_TYPE(JSON_EXTRACT([column], wanted.loc)) = 'OBJECT'
        WHEN 'ARRAY' THEN JSON_TYPE(JSON_EXTRACT([column], wanted.loc)) = 'ARRAY'
        WHEN 'VALUE' THEN JSON_EQUALS(CONCAT(JSON_EXTRACT([column], wanted.loc), ' '), CONCAT(wanted.item, ' '))
        ELSE (wanted.kind = 'TOP'
                AND JSON_EQUALS(CONCAT(JSON_EXTRACT([column], wanted.loc), ' '), CONCAT(wanted.item, ' ')))
            OR (JSON_TYPE(JSON_EXTRACT([column], wanted.loc)) = 'ARRAY' AND EXISTS (
                SELECT 1 FROM JSON_TABLE(JSON_EXTRACT([column], wanted.loc), '$[*]' COLUMNS (item JSON PATH '$'))
                AS listed WHERE JSON_EQUALS(CONCAT(listed.item, ' '), CONCAT(wanted.item, ' '))))
    END, FALSE)))"""


@cache
def _wanted_function() -> Any:
    """Source: MariaDB, "JSON_TABLE"."""
    import sqlalchemy as sa
    from sqlalchemy.ext.compiler import compiles
    from sqlalchemy.sql.functions import FunctionElement

    class Wanted(FunctionElement[bool]):
        type = sa.Boolean()
        inherit_cache = True
        name = "wanted"

    @compiles(Wanted)
    def compile_wanted(element: Any, compiler: Any, **options: Any) -> str:
        column, wanted = (compiler.process(item, **options) for item in element.clauses)
        return _WANTED.replace("[column]", column).replace("[wanted]", wanted)

    return Wanted


def _places(value: Any, at: str, *, top: bool = True) -> Any:
    """(place, kind, value) of all that has to be there."""
    if isinstance(value, dict):
        yield {"at": at, "kind": "OBJECT", "item": "0"}
        for key, item in value.items():
            yield from _places(item, f"{at}.{mysql_key(key)}", top=False)
    elif isinstance(value, list | tuple):
        yield {"at": at, "kind": "ARRAY", "item": "0"}
        for item in value:
            if isinstance(item, dict | list | tuple):
                raise FieldError(
                    f"{item!r:.200}: MariaDB cannot tell whether a list contains an object or a list",
                    hint="Ask for the values of a list one by one, or use PostgreSQL.",
                )
            yield {"at": at, "kind": "ITEM", "item": json.dumps(item, ensure_ascii=False)}
    else:
        yield {"at": at, "kind": "TOP" if top else "VALUE", "item": json.dumps(value, ensure_ascii=False)}


def _has(words: str, *, every: bool) -> LookupFunction:
    """Whether an object has keys: PostgreSQL's operator, and whether all of them are asked for."""

    def build(context: LookupContext) -> Any:
        import sqlalchemy as sa

        write = _as_array if context.dialect == "postgresql" else partial(json.dumps, ensure_ascii=False)
        keys = context.bind(partial(_key_list, several=words != "?", write=write), _text())
        if context.dialect == "sqlite":
            flag: Any = sa.literal_column("1" if every else "0")
            return sa.func.toolkit_json_has_keys(context.column, keys, flag) == 1
        is_object = kind_is(context.column, "object", context.dialect)
        if context.dialect == "mysql":
            found = sa.func.json_keys(context.column)
            has = sa.func.json_contains(found, keys) if every else sa.func.json_overlaps(found, keys)
            return sa.case((is_object, has == 1), else_=sa.false())
        array = sa.cast(keys, sa.ARRAY(sa.Text()))  # a constraint may not ask for one
        return sa.case((is_object, context.column.bool_op("?&" if every else "?|")(array)), else_=sa.false())

    return build


def _as_array(keys: list[str]) -> str:
    """A list of texts as PostgreSQL reads it (its manual, "Array Input and Output Syntax")."""
    quoted = (key.replace("\\", r"\\").replace('"', r"\"") for key in keys)
    return "{" + ",".join(f'"{key}"' for key in quoted) + "}"


def _key_list(value: Any, *, several: bool, write: Callable[[list[str]], str]) -> str:
    """Keys as a list in the database's words.

    Raises:
        FieldError: There are several where one is asked for, or the other way round, or one is no text.
    """
    if several and (isinstance(value, str | bytes) or not isinstance(value, Iterable)):
        raise FieldError(f"{value!r:.200} is no list of keys", hint="Ask with has_key, or give a list.")
    keys = list(value) if several else [value]
    for key in keys:
        if not isinstance(key, str | int) or isinstance(key, bool):
            raise FieldError(f"{key!r:.200} is no key of an object: keys are text")
    return write([as_text(key) for key in keys])


LOOKUPS: Mapping[str, LookupFunction | None] = {
    "exact": exact,
    "in": one_of,
    "range": in_range,
    **{name: _ordered(name) for name in ("gt", "gte", "lt", "lte")},
    **{name: _of_text(build) for name, build in TEXT.items() if build is not None},
    "contains": contains,
    "contained_by": contained_by,
    "has_key": _has("?", every=True),
    "has_keys": _has("?&", every=True),
    "has_any_keys": _has("?|", every=False),
}
"""Lookups of JSON and of what is inside of it."""
