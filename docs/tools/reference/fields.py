"""Fields, their options, and what ``class Meta`` takes."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

from toolkit import gis, models
from toolkit.models.fields import Field
from toolkit.models.meta import META_OPTIONS
from toolkit.models.search import Search
from toolkit.models.similar import Similar

from .docstrings import Doc, arguments, read_doc, table
from .signatures import describe, signature


def field_options() -> str:
    """The options of every field."""
    return arguments(read_doc(Field))


def field_kinds() -> str:
    """A heading for each kind of field."""
    kinds = [getattr(models, name) for name in models.__all__]
    found = [kind for kind in kinds if inspect.isclass(kind) and issubclass(kind, Field) and kind is not Field]
    found.sort(key=lambda kind: (kind.is_relation, kind.__name__))
    virtual = [describe(kind.__name__, kind, call=False) for kind in (models.GenericRelation, Search, Similar)]
    return "\n\n".join([*(_kind("models", kind) for kind in found), *virtual])


def geometry_fields() -> str:
    """A heading for each kind of geometry field."""
    kinds = [getattr(gis, name) for name in gis.__all__ if name.endswith("Field")]
    return "\n\n".join(_kind("gis", kind) for kind in kinds)


def _kind(module: str, kind: Any) -> str:
    doc = read_doc(kind)
    parts = [f"### `{kind.__name__}` {{#{kind.__name__.lower()}}}", f"`{module}.{kind.__name__}`. {doc.text}"]
    own = arguments(_with_defaults(doc, kind))
    return "\n\n".join([*parts, own] if own else parts)


def _with_defaults(doc: Doc, kind: type) -> Doc:
    """The options with what they are where nobody says it, unless that is nothing, False or no bound."""
    known = inspect.signature(kind).parameters
    told = []
    for name, said in doc.items.get("Args", []):
        default = known[name].default if name in known else None
        plain = isinstance(default, int | str) and default not in (False, "") and "default" not in said.lower()
        told.append((name, f"{said} By default `{default!r}`.".replace("'", '"') if plain else said))
    return replace(doc, items={**doc.items, "Args": told}) if told else doc


def choice_kinds() -> str:
    """Classes of choices."""
    return "\n\n".join(
        f"### `{kind.__name__}` {{#{kind.__name__.lower()}}}\n\n{read_doc(kind).text}"
        for kind in (models.TextChoices, models.IntegerChoices)
    )


def file_values() -> str:
    """What a file field's value can do."""
    names = ("url", "path", "size", "storage", "open", "read", "chunks", "save", "delete")
    rows = []
    for name in names:
        member = inspect.getattr_static(models.FieldFile, name)
        call = "" if isinstance(member, property) else f"({signature(member)})"
        rows.append([f"`{name}{call}`", read_doc(member).summary])
    return table(["of a file", "what it is"], rows)


def meta_options() -> str:
    """What ``class Meta`` takes."""
    return table(["option", "meaning"], [[f"`{name}`", said] for name, said in META_OPTIONS.items()])


def constraints() -> str:
    """Constraints and indexes."""
    kinds = (models.UniqueConstraint, models.CheckConstraint, models.ExclusionConstraint, models.BaseConstraint)
    ranges = (models.DateRange, models.DateTimeRange, models.IntegerRange, models.DecimalRange)
    kept = [getattr(models, name) for name in models.__all__ if name.endswith("Index") and name != "Index"]
    own = [kind for kind in kept if issubclass(kind, models.Index)]
    return "\n\n".join(describe(kind.__name__, kind) for kind in (*kinds, *ranges, models.Index, *own))
