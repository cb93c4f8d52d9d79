"""What stands for a subject that a function gives, so that a page depends on its own subject and not on all of them.

Such a function reads a table, say, and gives the months in which something was published. What it read is an input of
the plan. A page has another one: the digest of its subject, of all that the page can see of it. When the function's
reads are others, it is run once, and only the pages are made again whose subject has another digest.
"""

from __future__ import annotations

import copyreg
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import PosixPath, PurePosixPath
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from markupsafe import Markup

from toolkit.models.fields.files import FieldFile
from toolkit.models.queryset import QuerySet
from toolkit.trace import digest

MOST = 5000
"""Of so many lists, rows and objects a subject may consist; a larger one costs more to look through than its page."""

MOST_EACH = 100
"""And of so many on average: where each holds the same list of all, it is not gone through for each."""

DEEPEST = 60
"""So deep they may lie in one another."""

_PLAIN = frozenset({type(None), bool, int, float, str, bytes})
_BY_REPR = frozenset({date, timedelta, Decimal, UUID, range, PurePosixPath, PosixPath})
_LISTS = frozenset({list, tuple, deque})
_DICTS = frozenset({dict, OrderedDict, Counter})
_SETS = frozenset({set, frozenset})
_WIDE = 1 << 63


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject as its page sees it.

    Args:
        digest: Stands for all of it; None if nothing can, so that its page depends on all that the function read.
        rows: The rows in it. What was left out of them is loaded when a page asks for it, and for the others too.
    """

    digest: bytes | None
    rows: tuple[Any, ...] = ()


class _TooLarge(Exception):
    """It would take long to look through."""


def describe_subjects(subjects: Mapping[Any, Any], *, among: Any = ()) -> dict[Any, Subject]:
    """What stands for each of some subjects.

    Args:
        subjects: By key.
        among: Plain data that counts as a part of each.
    """
    found, left = {}, MOST + MOST_EACH * len(subjects)
    for key, value in subjects.items():
        telling = _Telling(min(left, MOST))
        found[key] = _describe(value, telling, among)
        left -= telling.count
    return found


def _describe(value: Any, telling: _Telling, among: Any) -> Subject:
    try:
        told = [telling.tell(value), among]
        return Subject(None if telling.is_unlike else digest(told), tuple(telling.rows))
    except (_TooLarge, UnicodeEncodeError):
        return Subject(None, tuple(telling.rows))


class _Telling:
    """Looks through one subject.

    Args:
        most: Of how much it may consist.

    Attributes:
        count: Of how much it does.
        rows: The rows in it, but for those that other rows refer to: a page notes them when it comes to them.
        is_unlike: Whether there is a value for which nothing can stand: it may hold what nobody sees.
    """

    def __init__(self, most: int) -> None:
        self.rows: list[Any] = []
        self.count = 0
        self.is_unlike = False
        self._way: dict[int, int] = {}
        self._most = most

    def tell(self, value: Any) -> Any:
        """A value as plain data, equal only for values in which a page sees no difference.

        Raises:
            _TooLarge: It consists of too much.
        """
        kind = type(value)
        if kind in _PLAIN:
            return value if kind is not int or -_WIDE <= value < _WIDE else ["int", str(value)]
        if hasattr(kind, "_meta") and hasattr(kind, "_row"):
            self.rows.append(value)
            return self._once(value, self._row)
        return self._once(value, self._whole)

    def _once(self, value: Any, look: Callable[[Any], Any]) -> Any:
        """Look into a value, unless that is what is being done: one that holds itself."""
        level = self._way.get(id(value))
        if level is not None:
            return ["again", level]
        self.count += 1
        if self.count > self._most or len(self._way) > DEEPEST:
            raise _TooLarge
        self._way[id(value)] = len(self._way)
        try:
            return look(value)
        finally:
            del self._way[id(value)]

    def _whole(self, value: Any) -> Any:
        kind = type(value)
        name = kind.__name__
        if kind in _LISTS:
            return [name, *map(self.tell, value)]
        if kind in _DICTS:  # a page may go through it, so its order counts
            return [name, *([self.tell(key), self.tell(item)] for key, item in value.items())]
        if kind in _SETS:
            return [name, *sorted(digest(self.tell(item)) for item in value)]
        if kind in _BY_REPR:
            return [name, repr(value)]
        if kind is datetime or kind is time:
            return [name, value.isoformat(), value.fold, self._zone(value.tzinfo)]
        if kind is Markup:
            return [name, str(value)]
        if isinstance(value, type):
            return ["class", self._class(value)]
        if isinstance(value, Enum):
            return [self._class(kind), value.name, self.tell(value.value)]
        if isinstance(value, FieldFile):
            return self._file(value)
        if isinstance(value, QuerySet):
            return self._question(value)
        if isinstance(value, tuple) and kind.__bases__ == (tuple,) and not hasattr(value, "__dict__"):
            return [self._class(kind), *getattr(value, "_fields", ()), *map(self.tell, value)]
        return [self._class(kind), *([key, self.tell(item)] for key, item in self._attributes(value))]

    def _file(self, value: FieldFile) -> Any:
        self.is_unlike |= not value.committed
        return [self._class(type(value)), value.name]

    def _question(self, value: QuerySet[Any]) -> Any:
        """A queryset by what it asks: a page that goes through it asks for itself, and has the answer in its trace."""
        told: list[Any] = [self._class(type(value)), self._class(value.model)]
        for name, item in sorted(value._attributes.items()):
            if name in ("_mode", "relation"):  # of what its owner has, which is told too
                told.append([name, item.name])
            elif name not in ("model", "_cache", "_asked_by"):
                told.append([name, self.tell(item)])
        return told

    def _row(self, row: Any) -> Any:
        """All that a row holds: its values, what was counted along with it, what a function put there."""
        told: list[Any] = [self._class(type(row)), bool(row._row)]
        for name, value in sorted(row.__dict__.items()):
            if name.startswith("_asked_") or name == "_narrowed":
                self.is_unlike = True  # a relation that was narrowed down, by a question
            elif name.startswith("_many_"):
                told.append([name, *self._related(value[1])])
            elif name.startswith("_kept_"):
                told.append([name, self.tell(value[0])])
            elif name in row._meta.by_name and hasattr(value, "_meta"):
                told.append([name, *self._related([value])])
            else:
                told.append([name, self.tell(value)])
        return told

    def _related(self, rows: Iterable[Any]) -> Iterator[Any]:
        for row in rows:
            yield self._once(row, self._row)

    def _zone(self, zone: Any) -> Any:
        if zone is None:
            return None
        name = repr(zone) if type(zone) is timezone else zone.key if type(zone) is ZoneInfo else None
        self.is_unlike |= name is None
        return name

    def _class(self, kind: type) -> str:
        """A class's name, by which the code is known that it consists of; but not if a function made it."""
        self.is_unlike |= "<locals>" in kind.__qualname__
        return f"{kind.__module__}.{kind.__qualname__}"

    def _attributes(self, value: Any) -> Iterable[tuple[str, Any]]:
        state = _state(value)
        self.is_unlike |= state is None
        return sorted((state or {}).items())


def _state(value: Any) -> dict[str, Any] | None:
    """All that an object holds; None if it may hold more: it is not of a plain class in Python."""
    kind = type(value)
    if kind is SimpleNamespace:
        return dict(vars(value))
    if is_dataclass(kind) and _is_slotted(kind):
        return {each.name: getattr(value, each.name, None) for each in fields(kind)}
    own = ("__reduce__", "__reduce_ex__", "__getstate__")
    told = all(getattr(kind, name) is getattr(object, name) for name in own)
    if not told or hasattr(kind, "__getnewargs__") or hasattr(kind, "__getnewargs_ex__"):
        return None
    try:
        # it refuses what C code keeps beside attributes
        make, given, state, *items = cast("tuple[Any, ...]", object.__reduce_ex__(value, 2))
    except TypeError:
        return None
    if make is not copyreg.__newobj__ or given != (kind,) or any(item is not None for item in items):  # type: ignore[attr-defined]  # as pickle has it
        return None
    plain, slots = state if isinstance(state, tuple) else (state, None)
    return {**(plain or {}), **(slots or {})}


def _is_slotted(kind: Any) -> bool:
    """Whether the fields of a dataclass are all that its objects can hold."""
    known = {each.name for each in fields(kind)} | {"__weakref__"}
    return all(known.issuperset(vars(each).get("__slots__", ("",))) for each in kind.__mro__[:-1])
