"""Names of a database as names of Python: valid, unique, and none that a model has already."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Collection

from toolkit.models.model import Model

TAKEN = frozenset(name for name in dir(Model) if not name.startswith("_")) | {"objects", "Meta", "meta", "pk", "models"}
"""What a field cannot be called; the last is the module that the fields after it come from."""


def _plain(name: str) -> str:
    """In letters that every keyboard has: ``Größe`` becomes ``grosse``."""
    folded = name.replace("ß", "ss")
    return unicodedata.normalize("NFKD", folded).encode("ascii", "ignore").decode()


def field_name(column: str, taken: Collection[str], *, reference: bool = False) -> str:
    """The name of a column's field.

    Args:
        column: The column's name.
        taken: Names that other fields have.
        reference: It is a foreign key, whose ``_id`` is not part of the name.
    """
    name = re.sub(r"\W+", "_", _plain(column)).lower()
    if reference:
        name = name.removesuffix("_id")
    name = re.sub(r"__+", "_", name).strip("_") or "field"
    if name[0].isdigit():
        name = f"number_{name}"
    if keyword.iskeyword(name) or name in TAKEN:
        name = f"{name}_field"
    return _unique(name, taken)


def class_name(table: str, taken: Collection[str]) -> str:
    """The name of a table's model: ``news_stories`` becomes ``NewsStories``."""
    words = re.split(r"[\W_]+", _plain(table))
    name = "".join(word[:1].upper() + word[1:] for word in words if word) or "Table"
    if name[0].isdigit():
        name = f"Table{name}"
    if keyword.iskeyword(name) or name in {"Model", "Meta"}:
        name = f"{name}Row"
    return _unique(name, taken, without_case=True)  # as ways back, and models in files, are named in lower case


def _unique(name: str, taken: Collection[str], *, without_case: bool = False) -> str:
    number, found = 2, name
    lower = {other.lower() for other in taken} if without_case else set()
    while found in taken or found.lower() in lower:
        found, number = f"{name}_{number}", number + 1
    return found
