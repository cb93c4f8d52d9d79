"""What a row keeps once it was asked for: ``functools.cached_property`` on a model.

Rows are shared. A hundred stories that are rendered together have one instance of their section, and what the first of
them asked it is there for the others: they read it as well.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from toolkit.models.batches import note_row
from toolkit.trace import Trace, current

PREFIX = "_kept_"


class KeptProperty:
    """Stands for a ``cached_property``: each page that asks has in its trace what finding the value read.

    Args:
        declared: The property.
    """

    def __init__(self, declared: cached_property[Any]) -> None:
        self.func = declared.func
        self.place = f"{PREFIX}{declared.attrname}"
        self.__doc__ = declared.__doc__

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        scope = current.get()
        trace = scope.trace if scope is not None else None
        kept = instance.__dict__.get(self.place)
        if kept is None or (trace is not None and kept[1] is None):
            kept = instance.__dict__[self.place] = self._find(instance)
        elif trace is not None:
            trace.include(kept[1])
        if trace is not None:
            note_rows(trace, kept[0])
        return kept[0]

    def _find(self, instance: Any) -> tuple[Any, Trace | None]:
        """The value, and what was read to find it; None where nobody records."""
        scope = current.get()
        if scope is None or scope.trace is None:
            return self.func(instance), None
        outer, part = scope.trace, Trace(outer=scope.trace)
        scope.trace = part
        try:
            return self.func(instance), part
        finally:
            scope.trace, part.outer = outer, None
            outer.include(part)

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.place] = (value, Trace())

    def __delete__(self, instance: Any) -> None:
        if instance.__dict__.pop(self.place, None) is None:
            raise AttributeError(self.place.removeprefix(PREFIX))


def note_rows(trace: Trace, value: Any) -> None:
    """What was left out of the rows in it may have been loaded for another page since."""
    for each in value if isinstance(value, list | tuple) else (value,):
        if hasattr(each, "_meta") and hasattr(each, "_row"):
            note_row(trace, each)


def keep_properties(model: Any) -> None:
    """Exchange the cached properties of a new model class, those of its mixins too."""
    found: dict[str, Any] = {}
    for kind in reversed(model.__mro__):
        found.update(vars(kind))
    for name, value in found.items():
        if isinstance(value, cached_property):
            setattr(model, name, KeptProperty(value))
