"""Records as nested data, which JSON and YAML share: checked before anything is made of them."""

from __future__ import annotations

from typing import Any

from toolkit.errors import ContentError
from toolkit.serialization.records import Place, Record

KEYS = ("model", "pk", "fields", "translations")


def record_of(data: Any, place: Place) -> Record | ContentError:
    """A record from what a parser gave, or why it is none."""
    told = _wrong(data, place.number)
    if told:
        row = place.number if place.line is None else None
        hint = 'A record is {"model": "news.Story", "pk": 1, "fields": {...}}.'
        return ContentError(told, line=place.line, row=row, hint=hint)
    return Record(data["model"], data.get("pk"), data.get("fields", {}), data.get("translations", {}), place)


def _wrong(data: Any, number: int) -> str:
    if not isinstance(data, dict):
        return f"record {number} is {data!r:.60}, which is no record"
    unknown = next((key for key in data if key not in KEYS), None)
    if unknown is not None:
        return f"record {number} has a key {unknown!r:.60}"
    if not isinstance(data.get("model"), str):
        return f"record {number} names no model"
    if "fields" not in data and "translations" not in data:
        return f"record {number} has no fields"
    fields, translations = data.get("fields", {}), data.get("translations", {})
    if not _is_table(fields):
        return f"the fields of record {number} are {fields!r:.60}, which is no table of names"
    if not _is_table(translations) or not all(map(_is_table, translations.values())):
        return f"the translations of record {number} are {translations!r:.60}"
    return ""


def _is_table(data: Any) -> bool:
    return isinstance(data, dict) and all(isinstance(name, str) for name in data)
