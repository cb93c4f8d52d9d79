"""One row as data: what a format writes and reads, and how values become text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from toolkit.errors import ValidationError
from toolkit.models import JSONField

JSON_MARK = "$json"
"""In formats with null of their own: a JSON value that would be taken for something else stands under this key."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands.

    Args:
        line: Line of the file, from 1; None where the format does not tell.
        number: Which record, from 1.
        crowded: The record before begins on the same line, which does not tell one from the other.
    """

    line: int | None
    number: int
    crowded: bool = False

    def said(self, told: str) -> str:
        """What is told of the record, with its number where the line does not tell it."""
        return f"record {self.number}: {told}" if self.crowded else told


@dataclass(slots=True)
class Record:
    """A row as plain data.

    Args:
        model: The model's label, such as ``"news.Story"``.
        pk: Its primary key; None where a natural key tells the row.
        fields: Field name to value: None, text, number, truth value, a list for a natural key or many keys, and for
            JSON whatever it holds. In formats that have only text, all values are texts, lists of them, or None.
        translations: Locale to translated field to value.
        place: Where it was read.
    """

    model: str
    pk: Any
    fields: dict[str, Any]
    translations: dict[str, dict[str, Any]] = field(default_factory=dict)
    place: Place = Place(None, 0)

    def as_dict(self) -> dict[str, Any]:
        """The record as formats for nested data write it."""
        told: dict[str, Any] = {"model": self.model}
        if self.pk is not None:
            told["pk"] = self.pk
        told["fields"] = self.fields
        if self.translations:
            told["translations"] = self.translations
        return told


def holder(field_: Any) -> Any:
    """The field that says what values a field has: of a foreign key the one that it refers to."""
    while field_.is_relation:
        field_ = field_.target_field
    return field_


def columns_of(key: Any) -> tuple[Any, ...]:
    """The fields with the columns of a foreign key: one, or those of a composite key."""
    return tuple(key.parts) if key.is_several else (key,)


def tells_itself(model: Any, schema: Iterable[Any]) -> bool:
    """Whether rows may be told by their natural keys alone: no other table shares their primary keys."""
    meta = model._meta
    shared = bool(meta.parents) or any(model in other._meta.parents for other in schema)
    return bool(meta.natural_key) and len(meta.key) == 1 and not shared


def teller(model: Any) -> Any:
    """The field that tells rows in a table: the natural key, if that is one field, a unique ``slug``, or the key."""
    meta = model._meta
    names = [*meta.natural_key] if len(meta.natural_key) == 1 else []
    slug = meta.by_name.get("slug")
    if slug is not None and slug.unique:
        names.append("slug")
    return meta.get_field(names[0]) if names else meta.pk


def tellers(model: Any) -> list[tuple[Any, ...]]:
    """The fields that tell rows in a table, the best first: the natural key, a unique ``slug``, the key.

    Of a model that inherits a table the key is that of the parent: tables do not show the reference to it.
    """
    meta = model._meta
    slug = meta.by_name.get("slug")
    found = [tuple(meta.get_field(name) for name in meta.natural_key), (slug,) if slug and slug.unique else ()]
    key = tuple(meta.key)
    while key[0] in meta.parents.values():
        meta = key[0].target._meta
        key = tuple(meta.key)
    return [*filter(None, found), key]


KEEP_ONE = "Keep the one that is right, in one place."


def contradiction(field_: Any, one: Any, other: Any) -> str:
    """What to tell of a record that gives two values for a field."""
    return f"{field_.model._meta.label}.{field_.name} is {one!r:.60} and {other!r:.60}: the record says both"


def to_plain(field_: Any, value: Any, *, textual: bool) -> Any:
    """A value as a format writes it.

    Args:
        field_: Its field.
        value: The Python value.
        textual: The format has only text.
    """
    if value is None:
        return None
    field_ = holder(field_)
    if textual:
        return field_.value_to_string(value)
    if isinstance(field_, JSONField):
        plain = _json_value(field_, value)
        is_taken = plain is None or (isinstance(plain, dict) and set(plain) == {JSON_MARK})
        return {JSON_MARK: plain} if is_taken else plain
    if value.__class__ in (bool, int, str) or (value.__class__ is float and abs(value) < float("inf")):
        return value
    return field_.value_to_string(value)


def _json_value(field_: Any, value: Any) -> Any:
    """The value as JSON has it, however the field's class keeps it."""
    import json

    return json.loads(field_.value_to_string(value))


def from_plain(field_: Any, value: Any, *, textual: bool) -> Any:
    """The Python value.

    Raises:
        ValidationError: The field cannot have it.
    """
    if value is None:
        return None
    field_ = holder(field_)
    if isinstance(field_, JSONField) and not textual:
        import json

        inner = value[JSON_MARK] if isinstance(value, dict) and set(value) == {JSON_MARK} else value
        return field_.from_string(json.dumps(inner, ensure_ascii=False))
    if isinstance(value, str):
        return field_.from_string(value)
    if isinstance(value, list | dict) and not field_.is_nested:
        raise ValidationError(f"{type(field_).__name__} takes one value, not {value!r:.60}", code="invalid")
    return field_.to_python(value)
