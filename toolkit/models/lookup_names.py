"""Finding a lookup by its name, and saying which there are."""

from __future__ import annotations

from typing import Any

from toolkit.errors import FieldError, did_you_mean
from toolkit.models.lookups import COMMON, LookupFunction
from toolkit.models.text_lookups import TEXT


def find_lookup(field: Any, name: str) -> LookupFunction | None:
    """The lookup of this name for this field, or None; for an expression of no known kind, any that there is."""
    if field is None:
        return COMMON.get(name) or TEXT.get(name)
    found: LookupFunction | None = field.find_lookup(name)
    return found


def is_lookup_name(name: str) -> bool:
    """Whether a name behind that of a relation asks for its key: ``tags__in``."""
    return name in COMMON or name in TEXT or name == "isnull"


def refuse_lookup(where: str, name: str, field: Any) -> FieldError:
    """The error for a lookup that does not exist, with the nearest names."""
    known = [*(field.known_lookups() if field is not None else (*COMMON, *TEXT)), "isnull"]
    known += field.known_transforms() if field is not None else []
    if field is not None and field.is_relation:
        first = name.partition("__")[0]
        target = field.target._meta
        hint = did_you_mean(first, target.names()) or did_you_mean(first, known)
        return FieldError(f"{target.object_name} has no field {first!r} (in {where!r})", hint=hint)
    if field is not None and name in TEXT:
        return FieldError(f"{where}: {name!r} is for text, and this is a {type(field).__name__}")
    return FieldError(f"{where}: there is no lookup {name!r}", hint=did_you_mean(name, known))
