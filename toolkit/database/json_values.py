"""JSON values compared as PostgreSQL's ``jsonb`` compares them, in Python: for SQLite, whose JSON has no such words.

Numbers are equal by their decimal value (5 and 5.0), objects whatever the order of their keys, and true is no 1.
"""

from __future__ import annotations

import json
from decimal import Decimal
from functools import lru_cache
from typing import Any

REMEMBERED = 4096


def canonical(text: str) -> str:
    """A JSON text in the one form that all equal values share."""
    return json.dumps(_plain(json.loads(text, parse_float=Decimal, parse_int=Decimal)), ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return [_digits(value)]
    if isinstance(value, dict):
        return {key: _plain(value[key]) for key in sorted(value)}
    return [0, [_plain(item) for item in value]] if isinstance(value, list) else value


def _digits(number: Decimal) -> str:
    """A number's digits and exponent without trailing zeros; zero has no sign."""
    sign, digits, exponent = number.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    short = text.rstrip("0")
    if not short:
        return "0"
    return f"{'-' if sign else ''}{short}e{int(exponent) + len(text) - len(short)}"


def find(document: Any, steps: list[str | int]) -> tuple[bool, Any]:
    """(whether it is there, the value) at the end of a path of keys and indexes."""
    for step in steps:
        if isinstance(step, str):
            if not isinstance(document, dict) or step not in document:
                return False, None
        elif not isinstance(document, list) or not -len(document) <= step < len(document):
            return False, None
        document = document[step]
    return True, document


def contains(document: Any, part: Any) -> bool:
    """Whether a document contains another, as ``@>`` has it: PostgreSQL, "jsonb Containment and Existence"."""
    if isinstance(document, list) and not isinstance(part, list | dict):
        return any(same(item, part) for item in document)  # at the top alone an array contains a bare value
    return _within(document, part)


def _within(document: Any, part: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(document, dict) and all(
            key in document and _within(document[key], value) for key, value in part.items()
        )
    if isinstance(part, list):
        return isinstance(document, list) and all(any(_within(item, value) for item in document) for value in part)
    return same(document, part)


def same(left: Any, right: Any) -> bool:
    """Whether two values that are no objects or lists are equal as JSON: true is not 1."""
    if isinstance(left, dict | list) or isinstance(right, dict | list):
        return False
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


# what SQLite calls; a value that is not there is None


@lru_cache(maxsize=REMEMBERED)
def sqlite_canonical(text: str | None) -> str | None:
    """``toolkit_json_canonical(text)``."""
    return None if text is None else canonical(text)


def sqlite_find(text: str | None, path: str) -> str | None:
    """``toolkit_json_find(text, path)``: the JSON text at a path, which is a JSON list of keys and indexes."""
    if text is None:
        return None
    there, value = find(_exact(text), json.loads(path))
    return _dump(value) if there else None


def sqlite_contains(text: str | None, part: str | None) -> bool | None:
    """``toolkit_json_contains(document, part)``."""
    return None if text is None or part is None else contains(_exact(text), _exact(part))


def sqlite_has_keys(text: str | None, keys: str, every: int) -> bool | None:
    """``toolkit_json_has_keys(document, keys, every)``: whether an object has all, or any, of a JSON list of keys."""
    if text is None:
        return None
    document = json.loads(text)
    return isinstance(document, dict) and (all if every else any)(key in document for key in json.loads(keys))


def _exact(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def _dump(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_dump(key)}: {_dump(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_dump, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


FUNCTIONS = {
    "toolkit_json_canonical": (1, sqlite_canonical),
    "toolkit_json_find": (2, sqlite_find),
    "toolkit_json_contains": (2, sqlite_contains),
    "toolkit_json_has_keys": (3, sqlite_has_keys),
}
"""Name to (number of arguments, function), for ``create_function``."""
