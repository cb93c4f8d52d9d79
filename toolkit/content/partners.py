"""Rows that are made because a file names them: what a text makes of a model, and which models a text can make."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toolkit.models import AutoField, CharField, EmailField, Expression, SlugField, URLField
from toolkit.models.fields.base import DATABASE_DEFAULT, MISSING
from toolkit.text import slugify

_NO_NAMES = (SlugField, EmailField, URLField)


def name_field_of(model: Any, key: Any) -> Any:
    """The field that takes the text by which a file names a row; None if there is none beside the key.

    Args:
        model: The model of the row.
        key: The field by which files name its rows.
    """
    meta = model._meta
    named = [meta.by_name.get("name"), meta.by_name.get("title")]
    texts = [field for field in meta.fields if isinstance(field, CharField) and not isinstance(field, _NO_NAMES)]
    fit = [field for field in (*named, *texts) if field in meta.fields and field is not key and field.empty == ""]
    return fit[0] if fit else None


def spell_key(key: Any, text: str, *, locale: str) -> str:
    """The key that a text makes: of a slug field the text's slug, of any other the text itself.

    Args:
        key: The key field.
        text: As it is written in the file, without white space around it.
        locale: Whose letters are spelt out: ``ä`` is ``ae`` in German.

    Returns:
        The key; empty when the text has no letter or digit for one.
    """
    if not isinstance(key, SlugField):
        return text
    return slugify(text, allow_unicode=key.allow_unicode, locale=locale, default="")


def default_of(field: Any) -> Any:
    """The value of a field that a file does not give; ``MISSING`` if it has to.

    A plain value that the database fills in is that value; of an expression it is ``DATABASE_DEFAULT``.
    """
    if field.default is MISSING and field.db_default is not MISSING:
        return DATABASE_DEFAULT if isinstance(field.db_default, Expression) else field.db_default
    if field.default is not MISSING or field.null:
        return field.get_default()
    return field.empty if field.blank and field.empty is not None else MISSING


def is_stamped(field: Any) -> bool:
    """Whether the field takes the time of saving."""
    return bool(field.auto_now or field.auto_now_add)


def explain_partners(relation: str, model: Any, key: Any) -> Iterator[tuple[str, str]]:
    """Why a text cannot make a row of a model: (what is wrong, how to mend it) of each obstacle.

    Args:
        relation: The relation that names the rows.
        model: Its target.
        key: The field by which files name the rows.
    """
    label = model._meta.object_name
    told = f"create = {relation!r}: a text cannot make a {label}"
    if key.empty != "":
        yield f"{told}, whose key {key.name!r} is no text", f"Give {label} a SlugField 'slug'."
    given = {key, name_field_of(model, key)}
    for field in model._meta.fields:
        is_free = isinstance(field, AutoField) or is_stamped(field) or default_of(field) is not MISSING
        if field not in given and field is not key and not is_free:
            yield f"{told}: {field.name!r} is required", f"Give {label}.{field.name} a default, or blank=True."
    for field in model._meta.many_to_many:
        if not field.blank:
            yield f"{told}: {field.name!r} is required", f"Give {label}.{field.name} blank=True."
