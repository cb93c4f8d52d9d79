"""Rows of the database as the files of a source would say them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from toolkit.content.composite import Part, names_of, speak_name
from toolkit.content.layout import Layout
from toolkit.content.levels import root_field, root_key, root_keys
from toolkit.content.partners import spell_key
from toolkit.content.sharing import Share, find_givers
from toolkit.content.source import Source
from toolkit.content.tables import fetch_all, key_getter
from toolkit.errors import ContentError
from toolkit.models import AutoField
from toolkit.models.fields.several import parts_of
from toolkit.models.sqltext import key_of


@dataclass(frozen=True)
class Stored:
    """One row.

    Args:
        pk: The driver's value of its primary key.
        key: The Python value of the key field.
        values: Field to its Python value; foreign keys hold the target's key, or the name that makes it.
        links: Many-to-many field to the targets' keys, or the names that make them, sorted.
        translations: Locale to field to value; fields without one are left out.
        path: The file that gave it, if one did.
    """

    pk: Any
    key: Any
    values: dict[str, Any]
    links: dict[str, list[Any]]
    translations: dict[str, dict[str, Any]]
    path: str | None


def read_stored(database: Any, layout: Layout, sources: Sequence[Source] = ()) -> list[Stored]:
    """The rows that a source says, in the order of their keys: all of its model that no other source does.

    Args:
        database: The database.
        layout: Of the source.
        sources: All of the site.

    Raises:
        ContentError: A row refers to one that has no key to name it by.
    """
    references = {name: _names(database, layout, layout.model._meta.by_name[name]) for name in layout.references}
    links = {field.name: _links(database, layout, field) for field in layout.many}
    owners = {field.name: root_field(field.link_fields()[0].target_field) for field in layout.many}
    translations = _translations(database, layout)
    givers = find_givers(database, layout.model)
    share = Share(database, layout.source, sources, givers)
    key_of_row, key_parts = key_getter(layout.model), parts_of(layout.key_field)
    found = []
    for row in fetch_all(database, layout.model, layout.fields):
        values = dict(zip((field.name for field in layout.fields), row, strict=True))
        pk = key_of_row(row)
        if not share.has(pk):
            continue
        raw = dict(zip(layout.fields, row, strict=True)) | {root_key(layout.model): pk}
        for name, named in references.items():
            kept = key_of([row[at] for at in layout.references[name]], len(layout.references[name]))
            is_none = kept is None or (isinstance(kept, tuple) and None in kept)
            values[name] = None if is_none else named[kept]
        for field in layout.fields:
            if not field.is_relation:
                values[field.name] = _python(field, values[field.name], database.dialect)
        own = {name: sorted(of.get(raw[owners[name]], ()), key=str) for name, of in links.items()}
        key = key_of([values[part.name] for part in key_parts], len(key_parts))
        giver = givers.get(pk)
        path = giver.path if giver is not None and giver.pattern == layout.source.pattern else None
        found.append(Stored(pk, key, values, own, _told(translations, raw, layout), path))
    return sorted(found, key=lambda stored: str(stored.key))


def _python(field: Any, value: Any, dialect: str) -> Any:
    read = field.db_reader(dialect)
    return value if read is None or value is None else read(value)


def _python_parts(parts: Sequence[Part], values: Sequence[Any], dialect: str) -> tuple[Any, ...]:
    return tuple(_python(part.said, value, dialect) for part, value in zip(parts, values, strict=True))


def _names(database: Any, layout: Layout, field: Any) -> dict[Any, Any]:
    """What is kept of a target to the Python value of its key."""
    named = layout.natural[field.name]
    rows: Iterable[Any] = fetch_all(database, field.target, (named, layout.held[field.name]))
    read = partial(_python, named, dialect=database.dialect)
    if named.is_several:
        spoken = [names_of(database, part) for part in layout.parts[named]]
        rows = [(said, held) for key, held in rows if (said := speak_name(spoken, key)) is not None]
        read = partial(_python_parts, layout.parts[named], dialect=database.dialect)
    names = {held: read(key) for key, held in rows if held is not None}
    if len(set(names.values())) != len(names):
        told = f"{layout.model._meta.object_name}.{field.name}: several {field.target._meta.object_name} rows have one"
        raise ContentError(f"{told} {named.name}, so files cannot name them", hint=f"Make {named.name} unique.")
    return _spoken(database, layout, field, names)


def _spoken(database: Any, layout: Layout, field: Any, names: dict[Any, Any]) -> dict[Any, Any]:
    """The same, with the name of a row in place of its key where the name makes the key."""
    name_field = layout.partner_names.get(field.name)
    if name_field is None:
        return names
    named, locale = layout.natural[field.name], layout.default_locale
    texts = {
        held: _python(name_field, text, database.dialect)
        for text, held in fetch_all(database, field.target, (name_field, layout.held[field.name]))
    }
    return {
        held: text if text and text == text.strip() and spell_key(named, text, locale=locale) == key else key
        for held, key in names.items()
        for text in [texts[held]]
    }


def _links(database: Any, layout: Layout, field: Any) -> dict[Any, list[Any]]:
    """What the table between keeps of a row, to the keys of the partners."""
    names = _names(database, layout, field)
    through, sides = field.through, field.link_fields()
    linked = [part for side in sides for part in parts_of(side)]
    extra = [
        item.name
        for item in through._meta.fields
        if not isinstance(item, AutoField) and item not in linked and not (item.blank or item.null)
    ]
    if extra:
        told = f"{layout.model._meta.object_name}.{field.name} has columns of its own: {', '.join(extra)}"
        raise ContentError(told, hint=f"Files cannot say them; export {through._meta.object_name} by itself.")
    found: dict[Any, list[Any]] = {}
    for own, other in fetch_all(database, through, sides):
        found.setdefault(own, []).append(names[other])
    return found


def _translations(database: Any, layout: Layout) -> dict[Any, dict[str, dict[str, Any]]]:
    """The keys of a row's tables, with their values, to locale to field to value."""
    found: dict[Any, dict[str, dict[str, Any]]] = {}
    for model, translated in layout.translations:
        key = root_field(model._meta.by_name["source"].target_field)
        fields = [model._meta.by_name["source"], model._meta.by_name["locale"], *translated]
        for owner, locale, *values in fetch_all(database, model, fields):
            given = {
                field.name: _python(field, value, database.dialect)
                for field, value in zip(translated, values, strict=True)
                if value is not None and value != ""
            }
            if given:
                found.setdefault((key, owner), {}).setdefault(locale, {}).update(given)
    return found


def _told(translations: dict[Any, dict[str, dict[str, Any]]], raw: dict[Any, Any], layout: Layout) -> dict[str, Any]:
    """A row's translations, of all its tables, in the order of the locales."""
    found: dict[str, dict[str, Any]] = {}
    for key in root_keys(layout.model):
        for locale, given in translations.get((key, raw[key]), {}).items():
            found.setdefault(locale, {}).update(given)
    order = {locale: number for number, locale in enumerate(layout.locales)}
    return dict(sorted(found.items(), key=lambda item: (order.get(item[0], len(order)), item[0])))
