"""Finding a lookup by its name, and saying which there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolkit.errors import FieldError, did_you_mean, near_or_all
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
    return name in COMMON or name == "isnull"


def refuse_behind_key(where: str, name: str, field: Any) -> FieldError:
    """The error for a path that goes on behind a column, which holds the key alone: ``section_id__name``."""
    return FieldError(f"{where}: {field.attname!r} is a key, which has no fields", hint=f"Write {field.name}__{name}.")


def refuse_lookup(where: str, name: str, field: Any) -> FieldError:
    """The error for a lookup that does not exist, with the nearest names."""
    if name in _IN_PLACE_OF:
        return FieldError(f"{where}: there is no lookup {name!r}", hint=_IN_PLACE_OF[name])
    known = [*(field.known_lookups() if field is not None else (*COMMON, *TEXT)), "isnull"]
    known += field.known_transforms() if field is not None else []
    if field is not None and field.is_relation:
        first = name.partition("__")[0]
        target = field.target._meta
        if first in target.names():
            return refuse_behind_key(where, name, field)
        hint = did_you_mean(first, [*target.names(), *known]) or near_or_all(first, target.names())
        return FieldError(f"{target.object_name} has no field {first!r} (in {where!r})", hint=hint)
    if field is not None and name in TEXT:
        return FieldError(f"{where}: {name!r} is for text, and this is a {type(field).__name__}")
    return FieldError(f"{where}: there is no lookup {name!r}", hint=near_or_all(name, known))


_IN_PLACE_OF = {
    **dict.fromkeys(("ne", "neq", "not", "not_in", "nin"), "Use exclude(), or ~Q(...) beside other conditions."),
    **dict.fromkeys(("eq", "is"), "Leave it out, or write exact; for NULL, isnull=True."),
    **dict.fromkeys(
        ("like", "ilike"), "Use contains, startswith, endswith or regex, with an i before them in any case."
    ),
    **dict.fromkeys(("app_label", "model"), "Compare a reference with the model itself: filter(content_type=Story)."),
    "between": "Use range, which takes the lowest and the highest value.",
    "search": "Declare what is searched, search = Search('title', 'body'), and ask objects.search('words').",
    **dict.fromkeys(("len", "length"), "Compute it first: annotate(length=Length('title')).filter(length=...)."),
    **dict.fromkeys(("lower", "upper"), "Use iexact, icontains and their kin, for which case does not count."),
}
"""What stands in the place of lookups that others have."""


def refuse_text_of_rows(where: str, name: str, path: Sequence[str], field: Any, entered: Any) -> None:
    """Refuse a lookup of text behind a relation: ``section__contains`` was meant for a field of the section, and would
    look into its key.

    Args:
        where: The whole name, for the message.
        name: The lookup.
        path: The names in front of it.
        field: The field that they lead to.
        entered: The model of another table that the field is read from; None where it is of the table itself.

    Raises:
        FieldError: It is one.
    """
    if name not in TEXT or not path:
        return
    of_key = entered is not None and field is entered._meta.pk and path[-1] not in ("pk", field.name, field.attname)
    along = of_key or (field.is_relation and path[-1] == field.name)
    if along:
        target = (entered if of_key else field.target).__name__
        hint = f"Name a field of {target} in front of it."
        raise FieldError(f"{where}: {name!r} is for text, and this leads to rows of {target}", hint=hint)
