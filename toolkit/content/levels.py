"""A row as files know it: one, whether its values are in one table or, by inheritance, in several."""

from __future__ import annotations

from typing import Any


def root_key(model: Any) -> Any:
    """The primary key of a row: of a model that inherits a table, that of the table at the root."""
    key = model._meta.pk
    while getattr(key, "parent_link", False):
        key = key.target_field
    return key


def stored_fields(model: Any) -> list[Any]:
    """The fields with a column that somebody sets, of all tables: without links between these, and computed ones."""
    meta = model._meta
    links = {link for level in meta.levels for link in level._meta.parents.values()}
    return [field for field in meta.fields if field not in links and not field.is_generated]


def generated_names(model: Any) -> set[str]:
    """The names of the fields that the database computes."""
    return {field.name for field in model._meta.fields if field.is_generated}


def translated_fields(model: Any) -> list[Any]:
    """The fields with one value for each locale, of all tables."""
    return [field for level in model._meta.levels for field in level._meta.translated]
