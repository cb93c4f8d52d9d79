"""A row as files know it: one, whether its values are in one table or, by inheritance, in several."""

from __future__ import annotations

from typing import Any

from toolkit.content.partners import is_stamped
from toolkit.models import Expression
from toolkit.models.fields.base import MISSING
from toolkit.models.fields.several import parts_of


def root_key(model: Any) -> Any:
    """The primary key of a row: of a model that inherits a table, that of the table at the root."""
    return root_field(model._meta.pk)


def root_field(field: Any) -> Any:
    """A field, or of a link between the tables of one row what it links to in the end."""
    while field.is_relation and field.parent_link:
        field = field.target_field
    return field


def root_keys(model: Any) -> list[Any]:
    """The primary keys of a row's tables, each once: of several parents each has a key with values of its own."""
    links = (link for level in model._meta.levels for link in level._meta.parents.values())
    found = [level._meta.pk for level in model._meta.levels] + [link.target_field for link in links]
    return list(dict.fromkeys([root_key(model), *map(root_field, found)]))


def further_keys(model: Any) -> list[Any]:
    """Those of them beside the row's own primary key."""
    return root_keys(model)[1:]


def held_field(relation: Any) -> Any:
    """The field of the target's row whose value is kept to refer to it: its key, or what ``to_field`` says."""
    key = relation.link_fields()[1] if hasattr(relation, "link_fields") else relation
    return root_field(key.target_field)


def key_fields(model: Any) -> list[Any]:
    """The fields whose values are a row's primary key: of a composite key several."""
    return parts_of(root_key(model))


def fields_held(model: Any) -> set[Any]:
    """The fields of a model's rows, beside its key, whose values others keep to refer to them.

    The tables of a row refer to each other too: the keys of further parents are among them.
    """
    relations = [relation.field for level in model._meta.levels for relation in level._meta.own_reverse()]
    held = {root_field(field.target_field) for field in relations if hasattr(field, "target_field")}
    return {field for field in held if field is not root_key(model)}


def is_computed(field: Any) -> bool:
    """Whether the value of a field is not known before its row is written."""
    made = field.db_default is not MISSING and field.default is MISSING and isinstance(field.db_default, Expression)
    return bool(field.is_generated or made or field.is_version or field.auto_now)


def is_made(field: Any) -> bool:
    """Whether a function makes the value that a file does not give."""
    if field.default is MISSING and field.db_default is not MISSING:
        return isinstance(field.db_default, Expression)
    return is_stamped(field) or field.is_version or callable(field.default)


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
