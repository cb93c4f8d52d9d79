"""What a question would answer, worked out on plain rows in plain Python: the other half of ``test_evaluation``.

It shares no code with the compiler, and follows the documentation of Django's QuerySet:

- a comparison with NULL is not true, so ``exclude`` keeps the row;
- conditions of one ``filter()`` that cross a many-valued relation are about one and the same partner, those of two
  ``filter()`` calls need not be; a row without a partner has NULL there;
- ``exclude()`` and ``~Q()`` leave out what their conditions would keep;
- NULL is the smallest value, and the primary key decides between equals.

Where the toolkit differs from Django on purpose it follows the toolkit: a filter gives each row once, an aggregate
counts its own rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

Row = dict[str, Any]
Condition = tuple[Any, ...]
"""``("leaf", path, lookup, value)``, ``("and" | "or" | "xor", conditions)`` or ``("not", condition)``."""


@dataclass(frozen=True)
class Relation:
    """How rows of one kind find rows of another.

    Args:
        target: The other kind.
        many: Whether there may be several.
        find: ``find(world, row)`` gives them.
    """

    target: str
    many: bool
    find: Callable[[World, Row], list[Row]]


@dataclass
class World:
    """All rows.

    Args:
        rows: Kind to rows, by primary key ``id``.
        links: Name of a table between to pairs of keys.
        palette: Kind of value to the few values that the rows have, and that questions compare them with.
    """

    rows: dict[str, dict[int, Row]]
    links: dict[str, set[tuple[int, int]]] = field(default_factory=dict)
    palette: dict[str, list[Any]] = field(default_factory=dict)

    def kind(self, name: str) -> list[Row]:
        """The rows of one kind, by key."""
        return [row for _, row in sorted(self.rows[name].items())]


def one(target: str, column: str) -> Relation:
    """A foreign key."""
    return Relation(target, False, lambda w, row: [w.rows[target][row[column]]] if row[column] is not None else [])


def back(target: str, column: str, *, many: bool = True) -> Relation:
    """The other side of a foreign key."""
    return Relation(target, many, lambda w, row: [other for other in w.kind(target) if other[column] == row["id"]])


def between(target: str, table: str, *, turned: bool = False) -> Relation:
    """A many-to-many relation."""

    def find(world: World, row: Row) -> list[Row]:
        pairs = sorted(world.links[table])
        keys = [a if turned else b for a, b in pairs if (b if turned else a) == row["id"]]
        return [world.rows[target][key] for key in keys]

    return Relation(target, True, find)


RELATIONS: Mapping[str, Mapping[str, Relation]] = {
    "Section": {"stories": back("Story", "section_id")},
    "Author": {
        "edited": back("Story", "editor_id"),
        "bylines": back("Byline", "author_id"),
        "stories": Relation(
            "Story",
            True,
            lambda w, row: [w.rows["Story"][b["story_id"]] for b in w.kind("Byline") if b["author_id"] == row["id"]],
        ),
    },
    "Tag": {"stories": between("Story", "tags", turned=True)},
    "Story": {
        "section": one("Section", "section_id"),
        "editor": one("Author", "editor_id"),
        "tags": between("Tag", "tags"),
        "bylines": back("Byline", "story_id"),
        "comments": back("Comment", "story_id"),
        "authors": Relation(
            "Author",
            True,
            lambda w, row: [w.rows["Author"][b["author_id"]] for b in w.kind("Byline") if b["story_id"] == row["id"]],
        ),
    },
    "Byline": {"story": one("Story", "story_id"), "author": one("Author", "author_id")},
    "Comment": {
        "story": one("Story", "story_id"),
        "parent": one("Comment", "parent_id"),
        "answers": back("Comment", "parent_id"),
    },
}


BETWEEN = {("Story", "authors"): ("bylines", "author"), ("Author", "stories"): ("bylines", "story")}
"""The way to partners by the rows of the table between: who speaks of both in one breath means the same row."""


def spelled_out(kind: str, path: tuple[str, ...]) -> tuple[str, ...]:
    """A path by way of the rows between."""
    found: tuple[str, ...] = ()
    for number, name in enumerate(path):
        relation = RELATIONS[kind].get(name)
        if relation is None:
            return (*found, *path[number:])
        found += BETWEEN.get((kind, name), (name,))
        kind = relation.target
    return found


# conditions


def holds(world: World, kind: str, row: Row, condition: Condition) -> bool:
    """Whether a row meets the condition of one ``filter()`` call."""
    crossings = sorted(set(_crossings(kind, condition)), key=len)
    return any(_true(world, kind, row, condition, bound) for bound in _bindings(world, kind, row, crossings))


def _crossings(kind: str, condition: Condition) -> Iterator[tuple[str, ...]]:
    """The many-valued relations that the condition crosses, as paths; what is negated is a matter of its own."""
    if condition[0] == "leaf":
        sides = condition[3] if isinstance(condition[3], list | tuple) else [condition[3]]
        for path in (condition[1], *(side.path for side in sides if isinstance(side, Column))):
            yield from _crossed(kind, spelled_out(kind, path))
    elif condition[0] in ("and", "or"):
        for each in condition[1]:
            yield from _crossings(kind, each)


def _crossed(kind: str, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for number, name in enumerate(path):
        relation = RELATIONS[kind].get(name)
        if relation is None:
            return
        if relation.many:
            yield path[: number + 1]
        kind = relation.target


def _bindings(
    world: World, kind: str, row: Row, crossings: list[tuple[str, ...]]
) -> Iterator[dict[tuple[str, ...], Row | None]]:
    """Each way to choose a partner for every crossing."""
    if not crossings:
        yield {}
        return
    *before, last = crossings
    for bound in _bindings(world, kind, row, before):
        owner, owner_kind = _follow(world, kind, row, last[:-1], bound)
        partners = RELATIONS[owner_kind][last[-1]].find(world, owner) if owner is not None else []
        for partner in partners or [None]:
            yield {**bound, last: partner}


def _follow(
    world: World, kind: str, row: Row | None, path: Iterable[str], bound: Mapping[tuple[str, ...], Row | None]
) -> tuple[Row | None, str]:
    """The row at the end of a path, and its kind."""
    walked: tuple[str, ...] = ()
    for name in path:
        relation = RELATIONS[kind][name]
        walked += (name,)
        if relation.many:
            row = bound[walked]
        elif row is not None:
            row = next(iter(relation.find(world, row)), None)
        kind = relation.target
    return row, kind


def _true(world: World, kind: str, row: Row, condition: Condition, bound: Mapping[Any, Any]) -> bool:
    if condition[0] == "leaf":
        _, path, lookup, value = condition
        return compare(lookup, value_at(world, kind, row, path, bound), _given(world, kind, row, value, bound))
    if condition[0] == "not":
        return not holds(world, kind, row, condition[1])
    if condition[0] == "xor":
        left, right = (holds(world, kind, row, each) for each in condition[1])
        return left != right
    together = all if condition[0] == "and" else any
    return together(_true(world, kind, row, each, bound) for each in condition[1])


def value_at(world: World, kind: str, row: Row | None, path: tuple[str, ...], bound: Mapping[Any, Any]) -> Any:
    """The value at the end of a path; the key, if it ends at a relation."""
    *way, last = spelled_out(kind, path)
    found, here = _follow(world, kind, row, way, bound)
    if last in RELATIONS[here]:
        found, _ = _follow(world, kind, row, [*way, last], bound)
        last = "id"
    return None if found is None else found["id" if last == "pk" else last]


@dataclass(frozen=True)
class Column:
    """``F("weight") + 1``: a value of the same row, or of a partner."""

    path: tuple[str, ...]
    plus: int = 0


@dataclass(frozen=True)
class Keys:
    """The keys of another question's rows, as in ``section__in=Section.objects.filter(...)``."""

    question: Any


def _given(world: World, kind: str, row: Row, value: Any, bound: Mapping[Any, Any]) -> Any:
    if isinstance(value, Column):
        found = value_at(world, kind, row, value.path, bound)
        return None if found is None else found + value.plus if value.plus else found
    if isinstance(value, Keys):
        return [each["id"] for each in value.question.rows(world)]
    if isinstance(value, list | tuple) and any(isinstance(each, Column) for each in value):
        return [_given(world, kind, row, each, bound) for each in value]
    return value


def compare(lookup: str, value: Any, given: Any) -> bool:
    """Whether one comparison is true; with NULL on a side it never is."""
    if lookup == "isnull":
        return bool((value is None) == given)
    if value is None or given is None:
        return False
    part, _, rest = lookup.partition("__")
    if part in PARTS:
        return compare(rest or "exact", PARTS[part](value), given)
    if lookup == "range" and None in given:
        return False
    return bool(LOOKUPS[lookup](value, given))


PARTS: Mapping[str, Callable[[Any], Any]] = {
    "year": lambda value: value.year,
    "quarter": lambda value: (value.month + 2) // 3,
    "month": lambda value: value.month,
    "week": lambda value: value.isocalendar().week,
    "iso_week_day": lambda value: value.isoweekday(),
    "hour": lambda value: value.hour,
    "date": lambda value: value.date(),
    "time": lambda value: value.time(),
}
"""Of instants, in UTC."""


def beginning(instant: datetime | None, unit: str, zone: tzinfo) -> datetime | None:
    """The instant at which the year, month, day or hour began that the clocks of a zone show."""
    if instant is None:
        return None
    shown = instant.astimezone(zone)
    if unit == "hour":
        return instant - timedelta(minutes=shown.minute, seconds=shown.second, microseconds=shown.microsecond)
    day = shown.date().replace(day=shown.day if unit == "day" else 1, month=1 if unit == "year" else shown.month)
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


LOOKUPS: Mapping[str, Callable[[Any, Any], Any]] = {
    "exact": lambda value, given: value == given,
    "gt": lambda value, given: value > given,
    "gte": lambda value, given: value >= given,
    "lt": lambda value, given: value < given,
    "lte": lambda value, given: value <= given,
    "in": lambda value, given: value in given,
    "range": lambda value, given: given[0] <= value <= given[1],
    "contains": lambda value, given: given in value,
    "startswith": lambda value, given: value.startswith(given),
    "endswith": lambda value, given: value.endswith(given),
    "iexact": lambda value, given: value.casefold() == given.casefold(),
    "icontains": lambda value, given: given.casefold() in value.casefold(),
}


# aggregates


@dataclass(frozen=True)
class Total:
    """An aggregate over a path.

    Args:
        function: ``count``, ``sum``, ``min``, ``max`` or ``avg``.
        path: To a field or relation.
        distinct: Each value once.
        where: Only of partners that meet it; its paths begin with the path's relation.
    """

    function: str
    path: tuple[str, ...]
    distinct: bool = False
    where: Condition | None = None


def total(world: World, kind: str, rows: Iterable[Row], wanted: Total) -> Any:
    """An aggregate over rows and, across relations, over their partners."""
    values = [value for row in rows for value in _chain_values(world, kind, row, wanted)]
    values = [value for value in values if value is not None]
    if wanted.distinct:
        values = sorted(set(values))
    if wanted.function == "count":
        return len(values)
    if not values:
        return None
    if wanted.function == "avg":
        return sum(values) / len(values)
    return {"sum": sum, "min": min, "max": max}[wanted.function](values)


def _chain_values(world: World, kind: str, row: Row, wanted: Total) -> Iterator[Any]:
    """The value at the end of every way along the path."""
    crossings = sorted(set(_crossings(kind, ("leaf", wanted.path, "", None))), key=len)
    for bound in _bindings(world, kind, row, crossings):
        if wanted.where is None or _true(world, kind, row, wanted.where, bound):
            yield value_at(world, kind, row, wanted.path, bound)


# windows


@dataclass(frozen=True)
class Look:
    """What a row shows of those around it.

    Args:
        function: ``row_number``, ``rank``, ``dense_rank``, ``lag``, ``lead``, ``first``, ``last``, ``count``, ``sum``,
            ``min`` or ``max``.
        path: What is looked at; for functions of the place alone, anything.
        partition: Rows see those with the same values at these paths.
        order: ``(path, descending)`` pairs.
        frame: How many rows before and behind, None for all of them; ``()`` for no frame.
    """

    function: str
    path: tuple[str, ...]
    partition: tuple[tuple[str, ...], ...] = ()
    order: tuple[tuple[tuple[str, ...], bool], ...] = ()
    frame: tuple[int | None, ...] = ()


BY_ROW = frozenset({"row_number", "lag", "lead", "first", "last"})
"""Where the primary key decides between equals; elsewhere equals are treated alike, unless the frame counts rows."""


def seen(values: Callable[[Row, tuple[str, ...]], Any], rows: list[Row], row: Row, look: Look) -> Any:
    """What a window gives for a row among the rows of the answer, by key.

    Args:
        values: Gives the value of a row at a path.
        rows: All rows that there are to see, by key.
        row: The row at hand.
        look: The window.
    """

    def shared(other: Row) -> bool:
        return all(values(other, path) == values(row, path) for path in look.partition)

    part = [other for other in rows if shared(other)]
    for path, descending in reversed(look.order):
        part.sort(key=lambda other: rank(values(other, path)), reverse=descending)

    def equal(other: Row) -> bool:
        return all(values(other, path) == values(row, path) for path, _ in look.order)

    place = next(n for n, other in enumerate(part) if other is row)
    equals = [n for n, other in enumerate(part) if equal(other)]
    if look.function == "row_number":
        return place + 1
    if look.function == "rank":
        return equals[0] + 1
    if look.function == "dense_rank":
        return len({tuple(values(other, path) for path, _ in look.order) for other in part[: equals[0]]}) + 1
    if look.function in ("lag", "lead"):
        other_place = place + (1 if look.function == "lead" else -1)
        return values(part[other_place], look.path) if 0 <= other_place < len(part) else None
    framed = _framed(part, place, equals[-1], look)
    if look.function in ("first", "last"):
        return values(framed[0 if look.function == "first" else -1], look.path) if framed else None
    found = [value for other in framed if (value := values(other, look.path)) is not None]
    if look.function == "count":
        return len(found)
    return {"sum": sum, "min": min, "max": max}[look.function](found) if found else None


def _framed(part: list[Row], place: int, last_equal: int, look: Look) -> list[Row]:
    """The rows of the frame: without one, those up to the row and its equals, or all where there is no order."""
    if look.frame:
        before, behind = look.frame
        return part[
            0 if before is None else max(0, place + before) : None if behind is None else max(0, place + behind + 1)
        ]
    if look.function in BY_ROW:
        return part[: place + 1]
    return part[: last_equal + 1] if look.order else part


# questions


@dataclass(frozen=True)
class Question:
    """A question about one kind of rows.

    Args:
        kind: Which.
        steps: ``("filter" | "exclude", condition)`` in the order they are said.
        order: ``(path, descending)`` pairs, the primary key last of all.
        annotations: Name to aggregate over each row's partners; ``("above", name, number)`` steps filter by them.
        looks: Name to window over the rows that meet all other conditions; ``("seen", condition, excluded)`` steps
            filter by them, after all others, with the names as paths.
        start: Of the slice.
        stop: Of the slice; None for all.
    """

    kind: str
    steps: tuple[Any, ...] = ()
    order: tuple[tuple[tuple[str, ...], bool], ...] = ()
    annotations: tuple[tuple[str, Total], ...] = ()
    start: int = 0
    stop: int | None = None
    looks: tuple[tuple[str, Look], ...] = ()

    def rows(self, world: World) -> list[Row]:
        """The answer, in order; what windows gave stands in the rows under their names."""
        found = [row for row in world.kind(self.kind) if self._meets(world, row)]
        if self.looks:
            found = self._looked(world, found)
        for path, descending in reversed(self.order):
            found.sort(key=lambda row: rank(self.value(world, row, path)), reverse=descending)
        return found[self.start : self.stop]

    def _looked(self, world: World, rows: list[Row]) -> list[Row]:
        """Rows with what they see, and without those that do not meet the conditions on it."""

        def values(row: Row, path: tuple[str, ...]) -> Any:
            return value_at(world, self.kind, row, path, {})

        found = [{**row, **{name: seen(values, rows, row, look) for name, look in self.looks}} for row in rows]
        said = [step[1:] for step in self.steps if step[0] == "seen"]
        return [row for row in found if all(_true(world, self.kind, row, each, {}) != out for each, out in said)]

    def _meets(self, world: World, row: Row) -> bool:
        for step, *said in self.steps:
            if step == "seen":
                continue
            if step == "above":
                name, number = said
                value = self.value(world, row, (name,))
                if value is None or not value > number:
                    return False
            elif holds(world, self.kind, row, said[0]) != (step == "filter"):
                return False
        return True

    def value(self, world: World, row: Row, path: tuple[str, ...]) -> Any:
        """A value of a row: of a field, along single-valued relations, of an annotation or a window."""
        wanted = dict(self.annotations).get(path[0])
        return (
            total(world, self.kind, [row], wanted) if wanted is not None else value_at(world, self.kind, row, path, {})
        )


def rank(value: Any) -> tuple[bool, Any]:
    """For sorting: NULL first."""
    return (value is not None, value if value is not None else 0)


def groups(world: World, question: Question, by: tuple[str, ...], wanted: Total) -> list[tuple[Any, Any]]:
    """``values(by).annotate(n=wanted)``: a pair for each value, in the order of the values."""
    rows = question.rows(world)
    rows.sort(key=lambda row: rank(question.value(world, row, by)))
    grouped = itertools.groupby(rows, key=lambda row: question.value(world, row, by))
    return [(value, total(world, question.kind, list(each), wanted)) for value, each in grouped]


def totals_of_groups(world: World, question: Question, by: tuple[str, ...], wanted: Total, function: str) -> Any:
    """``values(by).annotate(n=wanted).aggregate(function of n)``."""
    found = [value for _, value in groups(world, question, by, wanted) if value is not None]
    if function == "count":
        return len(found)
    return {"sum": sum, "min": min, "max": max}[function](found) if found else None
