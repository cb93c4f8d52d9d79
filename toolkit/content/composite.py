"""Rows that files name by several values together: a composite key, as a list, a mapping or one text.

Of a part that refers to another row a file says how that one is named: ``[acme, 7]`` is the seventh invoice of the
tenant whose slug is ``acme``. The form is not that of the key in the database, and is taken for it in two steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from toolkit.content.keys import key_text
from toolkit.content.levels import held_field
from toolkit.content.tables import fetch_all
from toolkit.errors import ContentError
from toolkit.text.parts import split_parts


class Default(NamedTuple):
    """What is kept of a target that the file does not name: the default of the field."""

    value: Any


class Kept(NamedTuple):
    """What other fields of the row say of a target by its key; it has yet to be looked for."""

    value: Any


class Part(NamedTuple):
    """A part of a composite key, and the field by which files say it: itself, or what names the row it refers to."""

    field: Any
    said: Any

    @property
    def wanted(self) -> tuple[Any, Any, Any] | None:
        """What it refers to: the model, the field that names its rows, and the field whose value is kept."""
        return (self.field.target, self.said, held_field(self.field)) if self.field.is_relation else None


def split_name(key: Any, value: Any) -> list[tuple[tuple[str | int, ...], Any]]:
    """What a file says of each part of a composite key, and the steps that lead there.

    Raises:
        ContentError: It does not say them all, or says more.
    """
    names = [part.name for part in key.parts]
    found: list[tuple[tuple[str | int, ...], Any]]
    if isinstance(value, Mapping):
        found = [((name,), value[name]) for name in names if name in value] if set(value) <= set(names) else []
    elif isinstance(value, str):
        found = [((), each.strip()) for each in split_parts(value)]
    else:
        found = [((at,), each) for at, each in enumerate(value)] if isinstance(value, list | tuple) else []
    if len(found) != len(names):
        raise ContentError(f"{value!r:.60} does not say {' and '.join(names)}, and no more")
    return found


def explain_name(named: Any) -> str:
    """By what to name a row."""
    if not named.is_several:
        return str(named.name)
    names = [part.name for part in named.parts]
    return f"{' and '.join(names)}: [{', '.join(names)}]"


def is_name(key: Any, value: Any, text: str) -> bool:
    """Whether a file's value says the key that is ``text``."""
    try:
        return bool(key_text(tuple(str(each).strip() for _, each in split_name(key, value))) == text)
    except ContentError:
        return False


def names_of(database: Any, part: Part, *, limit: int | None = None) -> dict[Any, Any] | None:
    """The values of a part to those by which files say them; None where they are the same."""
    if part.wanted is None:
        return None
    model, said, held = part.wanted
    return dict(fetch_all(database, model, (held, said), limit=limit))


def speak_name(names: Sequence[Mapping[Any, Any] | None], values: Sequence[Any]) -> Any:
    """What files say for the driver's values of a composite key; None of a row that they cannot name.

    Args:
        names: See ``names_of``; of each part.
        values: The values.
    """
    pairs = zip(names, values, strict=True)
    found = tuple(value if known is None else known.get(value) for known, value in pairs)
    return None if None in found else found
