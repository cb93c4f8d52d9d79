"""The right sides of lookups, lifted: ``title="Flood"``, ``pk__in=[1, 2]``, ``weight__range=(1, F("limit"))``.

What a lookup is compared with goes into a structure without the value, and into the list of values (see
``expressions``). Expressions and conditions lift themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from toolkit.errors import FieldError
from toolkit.models.nesting import lift_nested

Structure = Any
"""A hashable tuple that describes an expression or a condition without its values."""

PLAIN = frozenset({str, int, float, bool, bytes, datetime, date, time, timedelta, Decimal, UUID})
"""Types whose values are always one bound parameter."""


class Liftable:
    """An expression or a condition: what can be lifted into a structure.

    Attributes:
        is_name: Its structure is the class and the name of a field.
        closed: Names inside are those of another question, as in a ``Subquery``.
        outward: The name inside is of the question around.
    """

    is_name: ClassVar[bool] = False
    closed: ClassVar[bool] = False
    outward: ClassVar[bool] = False

    def lift(self, values: list[Any]) -> Structure:
        """The structure; values are appended to the list, and named in the structure by their index there.

        The structure is a hashable tuple: the class first, then what the class needs to compile it.
        """
        raise TypeError(f"{type(self).__name__} must define lift()")


def lift_condition(name: str, value: Any, values: list[Any]) -> Structure:
    """One ``name=value`` of a filter, lifted: (name, kind, ...), by far most often (name, "value", index)."""
    if value.__class__ in PLAIN:
        return _lift_plain(name, value, values)
    if name.endswith("__isnull"):
        raise FieldError(f"{name} = {value!r}: 'isnull' takes True or False")
    if value is None:
        return (name, "isnull", True)
    if hasattr(value, "lift_subquery"):
        return _lift_question(name, value, values)
    if isinstance(value, Liftable):
        return (name, "expression", lift_nested(value, values))
    if name.endswith("__in"):
        return lift_in(name, value, values)
    if name.endswith("__range"):
        bounds = _bounds(name, value)
        if any(isinstance(bound, Liftable) for bound in bounds):
            return (name, "items", _lift_items(bounds, values))
        values.extend(bounds)
        return (name, "list", len(values) - 2, 2)
    values.append(value)
    return (name, "value", len(values) - 1)


def _lift_question(name: str, value: Any, values: list[Any]) -> Structure:
    """A queryset on the right: the list to search behind ``in``; behind another lookup its first value."""
    if name.endswith("__in"):
        return (name, "subquery", value.lift_subquery(values))
    if isinstance(value, Liftable):
        return (name, "expression", value.lift(values))
    if name.rpartition("__")[2] not in ("gt", "gte", "lt", "lte") and not value.gives_one():
        raise FieldError(
            f"{name} is compared with a queryset, which may give many rows",
            hint=f"Write {name}__in=... for any of them, or take the first: {name}=...[:1].",
        )
    return (name, "expression", value.lift_first(values))


def _lift_items(items: Iterable[Any], values: list[Any]) -> tuple[Structure, ...]:
    """Values and expressions side by side: a value is ``("(v)", index)``."""
    found: list[Structure] = []
    for item in items:
        if isinstance(item, Liftable):
            found.append(lift_nested(item, values))
        else:
            values.append(item)
            found.append(("(v)", len(values) - 1))
    return tuple(found)


def _lift_plain(name: str, value: Any, values: list[Any]) -> Structure:
    lookup = name.rpartition("__")[2]
    if lookup == "isnull":
        if value is not True and value is not False:
            raise FieldError(f"{name} = {value!r}: 'isnull' takes True or False")
        return (name, "isnull", value)
    if lookup in ("in", "range") and "__" in name:
        raise FieldError(f"{name} = {value!r}: {lookup!r} takes several values", hint="Give it a list or a tuple.")
    values.append(value)
    return (name, "value", len(values) - 1)


def _bounds(name: str, value: Any) -> tuple[Any, Any]:
    try:
        low, high = value
    except (TypeError, ValueError):
        raise FieldError(f"{name} = {value!r}: 'range' takes two values, the lowest and the highest") from None
    return low, high


PADDED_TO_POWERS = 1024
"""Lists up to this long are padded to a power of two, longer ones to a multiple of this."""

LISTED = frozenset({int, str, UUID, date, datetime})
"""Types of values of which a long list is one bound parameter: written as text they are read back exactly."""


def lift_in(name: str, items: Any, values: list[Any]) -> Structure:
    """``name__in=[...]``: a list of parameters, or one parameter that is a list."""
    try:
        found = [item for item in _in_order(items) if item is not None]
    except TypeError:
        raise FieldError(f"{name} = {items!r:.200}: 'in' takes several values", hint="Give it a list.") from None
    if any(issubclass(kind, Liftable) for kind in {*map(type, found)}):
        return (name, "items", _lift_items(found, values))
    if len(found) > PADDED_TO_POWERS and all(item.__class__ in LISTED for item in found):
        values.append(tuple(found))
        return (name, "listed", len(values) - 1)
    return (name, "list", len(values), lift_list(found, values))


def lift_list(items: Iterable[Any], values: list[Any]) -> int:
    """Append the items of an IN list, padded so that lists of like length share a shape."""
    found = [item for item in _in_order(items) if item is not None]
    if not found:
        return 0
    size = 1 << (len(found) - 1).bit_length()
    if size > PADDED_TO_POWERS:
        size = -(-len(found) // PADDED_TO_POWERS) * PADDED_TO_POWERS
    values.extend(found)
    values.extend([found[-1]] * (size - len(found)))
    return size


def _in_order(items: Iterable[Any]) -> Iterable[Any]:
    """A set's items sorted: its own order differs from process to process."""
    if isinstance(items, set | frozenset):
        return sorted(items, key=lambda item: (type(item).__name__, item if not hasattr(item, "_meta") else item.pk))
    return items


SHOWN = 200
"""Characters of a value in a message."""


def shown(value: Any) -> str:
    """A value in a message, cut short. Nothing is asked of the database for it, as the ``str()`` of a row may."""
    if hasattr(value, "_meta") and not isinstance(value, type):
        return f"<{type(value).__name__} {value.pk!r}>"
    if hasattr(value, "lift_first"):
        return f"<{type(value).__name__} of {value.model.__name__}>"
    if isinstance(value, list | tuple | set | frozenset):
        items = ", ".join(shown(item) for item in [*value][:SHOWN])
        text = f"({items})" if isinstance(value, tuple) else f"[{items}]"
    else:
        text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
