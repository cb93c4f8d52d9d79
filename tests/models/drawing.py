"""Worlds and questions, drawn at random.

Choices are made with ``pick`` inside of a few strategies: hypothesis spends more on a strategy than on a number.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from tests.models.evaluation import PARTS, RELATIONS, Column, Condition, Keys, Look, Question, Total, World

T = TypeVar("T")
Draw = Callable[[Any], Any]

TEXTS = ["", "a", "A", "b", "a ", "ab", "ß", "SS", "é", "e\u0301", "%", "_", "\\", "'", "日本", "😀"]
NUMBERS = [0, 1, 2, -1, 2**31 - 1, -(2**31)]
INSTANTS = [
    datetime(2026, 3, 1, 12, tzinfo=UTC),
    datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2099, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
]

FIELDS: dict[str, dict[str, str]] = {
    "Section": {"name": "text", "position": "number", "visible": "truth"},
    "Author": {"name": "text"},
    "Tag": {"name": "text"},
    "Story": {"title": "text", "weight": "number", "published": "instant", "expires": "instant"},
    "Byline": {"position": "number"},
    "Comment": {"text": "text", "score": "number"},
}

VALUES = {"text": TEXTS, "number": NUMBERS, "instant": INSTANTS, "truth": [True, False], "key": [1, 2, 3]}
LOOKUPS = {
    "text": ["exact", "exact", "exact", "in", "contains", "startswith", "endswith", "gt", "lte", "isnull"],
    "number": ["exact", "exact", "in", "gt", "gte", "lt", "lte", "range", "isnull"],
    "instant": ["exact", "in", "gt", "lte", "range", "isnull", "part", "part"],
    "truth": ["exact"],
    "key": ["exact", "in", "isnull"],
}

BOTH = [False, True]
BESIDE = ("in", "range")
"""Lookups that have a column and a value on their right."""

SIDES = {
    "text": [*BESIDE, "contains", "startswith", "endswith", "iexact", "icontains"],
    "number": BESIDE,
    "instant": BESIDE,
    "truth": (),
}
"""Further lookups that have a column there."""

ZONES = [UTC, ZoneInfo("Europe/Madrid"), ZoneInfo("America/St_Johns"), timezone(timedelta(hours=5, minutes=45))]


@functools.cache
def _below(count: int) -> Any:
    return st.integers(0, count - 1)


def pick(draw: Draw, values: Sequence[T]) -> T:
    """One of them."""
    return values[draw(_below(len(values)))]


def some_of(draw: Draw, values: Sequence[T], least: int, most: int) -> list[T]:
    """So many of them, some perhaps more than once."""
    return [pick(draw, values) for _ in range(pick(draw, range(least, most + 1)))]


def order_of(draw: Draw, known: Sequence[Any], *, least: int = 0) -> tuple[tuple[Any, bool], ...]:
    """Up to two directions, by different things."""
    return tuple({path: pick(draw, BOTH) for path in some_of(draw, known, least, 2)}.items())


@st.composite
def worlds(draw: Draw) -> World:
    """A few rows of each kind with few different values, so that values and partners coincide."""
    few = {name: some_of(draw, VALUES[name], 2, 2) for name in ("text", "number")}
    palette = {**VALUES, **few}

    def some(kind: str, most: int, **columns: Any) -> dict[int, Any]:
        count = pick(draw, [0, *range(1, most + 1), *range(most // 2, most + 1), most, most])
        return {
            n: {"id": n, **{name: pick(draw, values(n)) for name, values in columns.items()}}
            for n in range(1, count + 1)
        }

    def among(values: list[Any], *, null: bool = False) -> Any:
        found = [*values, *([None] * null)]
        return lambda n: found

    text, number, instant, truth = (among(palette[name]) for name in ("text", "number", "instant", "truth"))
    rows: dict[str, Any] = {}
    rows["Section"] = some("Section", 3, name=text, position=number, visible=truth)
    rows["Author"] = some("Author", 3, name=text)
    rows["Tag"] = some("Tag", 3, name=text)
    stories = {
        "title": text,
        "weight": number,
        "published": instant,
        "expires": among(palette["instant"], null=True),
        "section_id": among([*rows["Section"]]),
        "editor_id": among([*rows["Author"], None]),
    }
    rows["Story"] = some("Story", 4, **stories) if rows["Section"] else {}
    bylines = {"story_id": among([*rows["Story"]]), "author_id": among([*rows["Author"]]), "position": number}
    rows["Byline"] = some("Byline", 6, **bylines) if rows["Story"] and rows["Author"] else {}
    comments = {
        "story_id": among([*rows["Story"]]),
        "text": text,
        "score": among(palette["number"], null=True),
        "parent_id": lambda n: [None, *range(1, n)],
    }
    rows["Comment"] = some("Comment", 6, **comments) if rows["Story"] else {}
    pairs = [(story, tag) for story in rows["Story"] for tag in rows["Tag"]]
    links = {"tags": set(some_of(draw, pairs, len(pairs) // 2, 8)) if pairs else set()}
    return World(rows, links, palette)


def paths(kind: str, depth: int = 2, *, many: bool = True) -> list[tuple[tuple[str, ...], str]]:
    """Every path of so many relations to a field, and what kind of value is there."""
    found: list[tuple[tuple[str, ...], str]] = [((name,), value) for name, value in FIELDS[kind].items()]
    found.append((("pk",), "key"))
    for name, relation in RELATIONS[kind].items():
        if relation.many and not many:
            continue
        found.append(((name,), "key"))
        if depth:
            found += [((name, *rest), value) for rest, value in paths(relation.target, depth - 1, many=many)]
    return found


PATHS = {kind: paths(kind) for kind in RELATIONS}
SINGLE = {kind: [(path, value) for path, value in paths(kind, many=False) if path[-1] != "pk"] for kind in RELATIONS}
ORDERS = {kind: [path for path, value in paths(kind, many=False) if value != "key"] for kind in RELATIONS}


def leaf_of(draw: Draw, kind: str, palette: Any, known: Any, *, nested: bool = True) -> Condition:
    """One comparison, at one of the known paths."""
    path, value = pick(draw, known)
    there = pick(draw, [SINGLE, PATHS])[kind]
    others = [(p, v) for p, v in there if v == value and value != "key"]
    if nested and others and pick(draw, range(0, 6)) == 0:
        other, _ = pick(draw, others)
        column = Column(other, pick(draw, range(0, 2)) if value == "number" else 0)
        lookup = pick(draw, ["exact", "gt", "lte", *(BESIDE if value != "truth" else ()), *SIDES.get(value, ())])
        if lookup in BESIDE:
            sides = [column, pick(draw, palette[value])]
            return ("leaf", path, lookup, sides[:: pick(draw, [1, -1])])
        return ("leaf", path, lookup, column)
    if nested and value == "key" and path[-1] != "pk" and pick(draw, BOTH):
        target = kind
        for name in path:
            target = RELATIONS[target][name].target
        return ("leaf", path, "in", Keys(question_of(draw, palette, target, nested=False)))
    lookup = pick(draw, LOOKUPS[value])
    if lookup == "part":
        return ("leaf", path, *_parts(draw, palette[value]))
    return ("leaf", path, lookup, _values(draw, palette[value], lookup))


def _parts(draw: Draw, instants: Any) -> tuple[str, Any]:
    """A comparison of a part of an instant."""
    part, lookup = pick(draw, sorted(PARTS)), pick(draw, ["exact", "in", "gt", "lte", "range"])
    values = [PARTS[part](instant) for instant in instants]
    return part if lookup == "exact" else f"{part}__{lookup}", _values(draw, values, lookup)


def _values(draw: Draw, values: Any, lookup: str) -> Any:
    if lookup == "isnull":
        return pick(draw, BOTH)
    if lookup == "in":
        return some_of(draw, values, 0, 3)
    return tuple(sorted(some_of(draw, values, 2, 2))) if lookup == "range" else pick(draw, values)


def condition_of(draw: Draw, kind: str, palette: Any, *, nested: bool = True) -> Condition:
    """A tree of comparisons, most of them along the same relation."""
    focus = pick(draw, [None, *RELATIONS[kind], *(n for n, each in RELATIONS[kind].items() if each.many)])
    known = [(path, value) for path, value in PATHS[kind] if focus is None or path[0] == focus]
    return _tree(draw, lambda: leaf_of(draw, kind, palette, known, nested=nested), depth=3 if nested else 1)


def _tree(draw: Draw, leaf: Callable[[], Condition], depth: int) -> Condition:
    node = pick(draw, ["leaf", "and", "and", "or", "not", "xor"]) if depth else "leaf"
    if node == "leaf":
        return leaf()
    if node == "not":
        return (node, _tree(draw, leaf, depth - 1))
    return (node, [_tree(draw, leaf, depth - 1) for _ in range(2)])


def question_of(draw: Draw, palette: Any, kind: str | None = None, *, nested: bool = True) -> Question:
    """Filters, an order and a slice."""
    kind = kind or pick(draw, sorted(RELATIONS))
    steps: list[Any] = [
        (pick(draw, ["filter", "filter", "exclude"]), condition_of(draw, kind, palette, nested=nested))
        for _ in range(pick(draw, [0, 1, 1, 2]))
    ]
    annotations: tuple[Any, ...] = ()
    if nested and pick(draw, range(0, 4)) == 0 and (wanted := total_of(draw, kind, palette, across=True)) is not None:
        annotations = (("n", wanted),)
        if pick(draw, BOTH) and wanted.function in ("count", "sum"):
            steps.append(("above", "n", pick(draw, range(-1, 3))))
    ordered = [*ORDERS[kind], *((name,) for name, _ in annotations)]
    order = order_of(draw, ordered)
    start, stop = pick(draw, [(0, None), (0, None), (0, 1), (0, 2), (1, 3), (1, None)])
    return Question(kind, tuple(steps), order, annotations, start, stop)


def total_of(draw: Draw, kind: str, palette: Any, *, across: bool) -> Total | None:
    """An aggregate, across a many-valued relation or over the rows themselves."""
    known = [(path, value) for path, value in PATHS[kind] if _crosses(kind, path) == across and path[-1] != "pk"]
    if not known:
        return None
    path, value = pick(draw, known)
    functions = {"number": ["count", "sum", "min", "max", "avg"], "instant": ["count", "min", "max"]}
    function = pick(draw, functions.get(value, ["count"]))
    where = None
    if across and pick(draw, BOTH):
        first = next(n for n in range(len(path)) if _crosses(kind, path[: n + 1])) + 1
        target = kind
        for name in path[:first]:
            target = RELATIONS[target][name].target
        field = pick(draw, sorted(FIELDS[target]))
        lookup = pick(draw, [x for x in LOOKUPS[FIELDS[target][field]] if x not in ("isnull", "part")])
        where = ("leaf", (*path[:first], field), lookup, _values(draw, palette[FIELDS[target][field]], lookup))
    return Total(function, path, distinct=function in ("count", "sum") and pick(draw, BOTH), where=where)


def _crosses(kind: str, path: tuple[str, ...]) -> bool:
    for name in path:
        relation = RELATIONS[kind].get(name)
        if relation is None:
            return False
        if relation.many:
            return True
        kind = relation.target
    return False


def look_of(draw: Draw, kind: str) -> Look:
    """A window of the kind's rows."""
    known = [(path, value) for path, value in SINGLE[kind] if value != "key"]
    path, value = pick(draw, known)
    functions = ["row_number", "rank", "dense_rank", "lag", "lead", "first", "last", "count"]
    functions += {"number": ["sum", "min", "max"], "instant": ["min", "max"]}.get(value, [])
    function = pick(draw, functions)
    partition = tuple(some_of(draw, [each for each, _ in SINGLE[kind]], 0, 1))
    order = order_of(draw, ORDERS[kind], least=int("rank" in function))
    frames: list[tuple[int | None, ...]] = [(), ()]
    if function in ("first", "last", "count", "sum", "min", "max"):
        frames += [(None, 0), (None, None), (-1, 1), (0, None), (1, 2), (-2, -1)]
    return Look(function, path, partition, order, pick(draw, frames))


def seen_of(draw: Draw, names: list[str], kind: str) -> Condition:
    """A condition on what windows gave, perhaps joined by OR with one on the row."""
    name = pick(draw, names)
    found: Condition = ("leaf", (name,), pick(draw, ["exact", "gt", "lte"]), pick(draw, range(0, 4)))
    node = pick(draw, ["leaf", "not", "or", "xor"])
    numbers = [path for path, value in SINGLE[kind] if value == "number"]
    if node == "not":
        return ("not", found)
    if node == "leaf" or not numbers:
        return found
    return (node, [found, ("leaf", pick(draw, numbers), "gt", 0)])


questions, totals, looks, seen_conditions = map(st.composite, (question_of, total_of, look_of, seen_of))
