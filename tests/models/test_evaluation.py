"""Random questions about random rows, compared with their evaluation in plain Python, on every database.

MODEL_EXAMPLES sets how many sets of rows are tried (each with a dozen questions), for long runs.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from tests.models.evaluation import (
    PARTS,
    RELATIONS,
    Column,
    Condition,
    Keys,
    Look,
    Question,
    Total,
    World,
    beginning,
    groups,
    rank,
    total,
    totals_of_groups,
)
from toolkit import models
from toolkit.errors import DatabaseError, FieldError
from toolkit.models import F, Q

T = TypeVar("T")
EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "40"))
QUESTIONS = int(os.environ.get("MODEL_QUESTIONS", "12"))

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


# Choices are made with ``pick`` inside of a few strategies: hypothesis spends more on a strategy than on a number.

Draw = Callable[[Any], Any]


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


# rows


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


def insert(m: Any, world: World) -> None:
    """Write the rows of a world."""
    for kind, rows in world.rows.items():
        model = getattr(m, kind)
        slug = {"slug"} & set(model._meta.by_name)
        made = [model(**row, **{name: f"{kind.lower()}-{row['id']}" for name in slug}) for row in rows.values()]
        model.objects.bulk_create(made)
    through = m.Story._meta.by_name["tags"].through
    through.objects.bulk_create([through(story_id=a, tag_id=b) for a, b in sorted(world.links["tags"])])


# questions


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
    others = [(p, v) for p, v in SINGLE[kind] if v == value and value != "key"]
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


# from a description to a queryset


def to_f(column: Column) -> Any:
    found = F("__".join(column.path))
    return found + column.plus if column.plus else found


def to_q(m: Any, condition: Condition) -> Q:
    if condition[0] == "leaf":
        _, path, lookup, value = condition
        if isinstance(value, Column):
            value = to_f(value)
        elif isinstance(value, list | tuple):
            value = [to_f(each) if isinstance(each, Column) else each for each in value]
        elif isinstance(value, Keys):
            value = to_queryset(m, value.question)
        return Q(**{"__".join((*path, *(() if lookup == "exact" else (lookup,)))): value})
    if condition[0] == "not":
        return ~to_q(m, condition[1])
    first, *rest = (to_q(m, each) for each in condition[1])
    for each in rest:
        first = first & each if condition[0] == "and" else first | each if condition[0] == "or" else first ^ each
    return first


def to_aggregate(m: Any, wanted: Total) -> Any:
    kind = getattr(models, wanted.function.title())
    where = None if wanted.where is None else to_q(m, wanted.where)
    return kind("__".join(wanted.path), distinct=wanted.distinct, filter=where)


def to_window(look: Look) -> Any:
    path = "__".join(look.path)
    kinds = {"first": "FirstValue", "last": "LastValue"}
    kind = getattr(models, kinds.get(look.function, look.function.title().replace("_", "")))
    alone = look.function in ("row_number", "rank", "dense_rank")
    return models.Window(
        kind() if alone else kind(path),
        partition_by=["__".join(each) for each in look.partition],
        order_by=[f"{'-' * down}{'__'.join(each)}" for each, down in look.order],
        frame=models.RowRange(*look.frame) if look.frame else None,
    )


def to_queryset(m: Any, question: Question) -> Any:
    found = getattr(m, question.kind).objects.all()
    if question.looks:
        found = found.annotate(**{name: to_window(look) for name, look in question.looks})
    if question.annotations:
        found = found.annotate(**{name: to_aggregate(m, wanted) for name, wanted in question.annotations})
    for step, *said in question.steps:
        if step == "above":
            found = found.filter(**{f"{said[0]}__gt": said[1]})
        elif step == "seen":
            found = (found.exclude if said[1] else found.filter)(to_q(m, said[0]))
        else:
            found = getattr(found, step)(to_q(m, said[0]))
    found = found.order_by(*(f"{'-' * down}{'__'.join(path)}" for path, down in question.order))
    return found[question.start : question.stop] if question.start or question.stop is not None else found


# the comparison


LIMITS = ("parser stack overflow", "conditions on partners, or querysets, are in one question")
"""What is said of a question that is too deep for SQLite, or has too many in it."""


class Undo(Exception):
    """Takes the rows of an example away."""


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    report_multiple_bugs="MODEL_EXAMPLES" in os.environ,
    suppress_health_check=list(HealthCheck),
    derandomize="MODEL_EXAMPLES" not in os.environ,
    phases=[Phase.generate, *([] if "MODEL_NO_SHRINK" in os.environ else [Phase.shrink])],
)
@given(st.data())
def test_questions_answer_as_plain_python_does(m: Any, scope: Any, data: st.DataObject) -> None:
    world = data.draw(worlds())
    with contextlib.suppress(Undo), scope.database.atomic():
        insert(m, world)
        for _ in range(QUESTIONS):
            question = data.draw(questions(world.palette))
            ask = data.draw(st.sampled_from(ASKS))
            note(ask.__name__)
            try:
                ask(m, world, question, data)
            except (DatabaseError, FieldError) as error:
                if not any(limit in str(error) for limit in LIMITS):
                    raise
        raise Undo


def rows_come_in_order(m: Any, world: World, question: Question, data: Any) -> None:
    expected = question.rows(world)
    found = list(to_queryset(m, question))
    assert [row.pk for row in found] == [row["id"] for row in expected]
    for row, plain in zip(found, expected, strict=True):
        for name in FIELDS[question.kind]:
            assert getattr(row, name) == plain[name]
        for name, _ in question.annotations:
            assert_same(getattr(row, name), question.value(world, plain, (name,)))


def they_are_counted(m: Any, world: World, question: Question, data: Any) -> None:
    expected = question.rows(world)
    assert to_queryset(m, question).count() == len(expected)
    assert to_queryset(m, question).exists() == bool(expected)


def values_are_those_of_the_rows(m: Any, world: World, question: Question, data: Any) -> None:
    path, _ = data.draw(st.sampled_from(SINGLE[question.kind]))
    found = list(to_queryset(m, question).values_list("__".join(path), flat=True))
    assert found == [question.value(world, row, path) for row in question.rows(world)]


def distinct_values_come_once(m: Any, world: World, question: Question, data: Any) -> None:
    path, _ = data.draw(st.sampled_from(SINGLE[question.kind]))
    whole = Question(question.kind, question.steps, (), question.annotations)
    found = list(to_queryset(m, whole).values_list("__".join(path), flat=True).distinct())
    values = {whole.value(world, row, path) for row in whole.rows(world)}
    assert found == sorted(values, key=rank)


def totals_are_of_these_rows(m: Any, world: World, question: Question, data: Any) -> None:
    whole = Question(question.kind, question.steps, (), question.annotations)
    wanted = [data.draw(totals(question.kind, world.palette, across=data.draw(st.booleans()))) for _ in range(2)]
    named = {f"t{n}": each for n, each in enumerate(wanted) if each is not None}
    found = to_queryset(m, whole).aggregate(**{name: to_aggregate(m, each) for name, each in named.items()})
    rows = whole.rows(world)
    for name, each in named.items():
        assert_same(found[name], total(world, question.kind, rows, each))


def groups_have_their_totals(m: Any, world: World, question: Question, data: Any) -> None:
    whole = Question(question.kind, question.steps)
    if any(step == "above" for step, *_ in whole.steps):
        return
    path, _ = data.draw(st.sampled_from(SINGLE[question.kind]))
    wanted = data.draw(totals(question.kind, world.palette, across=False)) or Total("count", ("pk",))
    found = to_queryset(m, whole).values_list("__".join(path)).annotate(total=to_aggregate(m, wanted))
    expected = groups(world, whole, path, wanted)
    assert [value for value, _ in found] == [value for value, _ in expected]
    for (_, one), (_, other) in zip(found, expected, strict=True):
        assert_same(one, other)


def answers_are_combined(m: Any, world: World, question: Question, data: Any) -> None:
    other = data.draw(questions(world.palette, question.kind, nested=False))
    steps = tuple(step for step in question.steps if step[0] != "above")
    order = tuple(one for one in question.order if one[0] != ("n",))
    first = Question(question.kind, steps, order, (), question.start, question.stop)
    kind = data.draw(st.sampled_from(["union", "intersection", "difference"]))
    ours, theirs = ({row["id"] for row in each.rows(world)} for each in (first, other))
    expected = {"union": ours | theirs, "intersection": ours & theirs, "difference": ours - theirs}[kind]
    found = getattr(to_queryset(m, first), kind)(to_queryset(m, other))
    assert [row.pk for row in found.order_by("-pk")] == sorted(expected, reverse=True)
    assert found.count() == len(expected)
    assert {row.pk for row in getattr(m, question.kind).objects.filter(pk__in=found)} == expected


def conditions_are_joined(m: Any, world: World, question: Question, data: Any) -> None:
    other = data.draw(questions(world.palette, question.kind, nested=False))
    sets = [{row["id"] for row in each.rows(world)} for each in (question, other)]
    found = to_queryset(m, question) | to_queryset(m, other), to_queryset(m, question) ^ to_queryset(m, other)
    assert {row.pk for row in found[0]} == sets[0] | sets[1]
    assert {row.pk for row in found[1]} == sets[0] ^ sets[1]


def the_first_of_each(m: Any, world: World, question: Question, data: Any) -> None:
    path, _ = data.draw(st.sampled_from(SINGLE[question.kind]))
    whole = Question(question.kind, question.steps, question.order, question.annotations)
    firsts: dict[Any, Any] = {}
    for row in whole.rows(world):
        firsts.setdefault(whole.value(world, row, path), row["id"])
    found = to_queryset(m, whole).distinct("__".join(path))
    assert [row.pk for row in found] == list(firsts.values())
    assert found.count() == len(firsts)


def relations_are_loaded(m: Any, world: World, question: Question, data: Any) -> None:
    name = data.draw(st.sampled_from(sorted(RELATIONS[question.kind])))
    relation = RELATIONS[question.kind][name]
    rows = question.rows(world)
    for row, plain in zip(to_queryset(m, question), rows, strict=True):
        partners = [each["id"] for each in relation.find(world, plain)]
        found = getattr(row, name)
        keys = [each.pk for each in found.all()] if relation.many else [found.pk] if found is not None else []
        assert sorted(keys) == sorted(partners)


def rows_see_those_around(m: Any, world: World, question: Question, data: Any) -> None:
    steps = [step for step in question.steps if step[0] != "above"]
    named = tuple((f"w{n}", data.draw(looks(question.kind))) for n in range(data.draw(st.integers(1, 3))))
    numbers = [name for name, look in named if look.function in ("row_number", "rank", "dense_rank", "count")]
    if numbers and data.draw(st.booleans()):
        said = ("seen", data.draw(seen_conditions(numbers, question.kind)), data.draw(st.booleans()))
        steps.insert(data.draw(st.integers(0, len(steps))), said)
    order = tuple(one for one in question.order if one[0] != ("n",))
    order = ((("w0",), data.draw(st.booleans())), *order) if data.draw(st.booleans()) else order
    whole = Question(question.kind, tuple(steps), order, (), question.start, question.stop, named)
    expected, found = whole.rows(world), to_queryset(m, whole)
    names = [name for name, _ in named]
    assert [(row.pk, *(getattr(row, name) for name in names)) for row in found] == [
        (row["id"], *(row[name] for name in names)) for row in expected
    ]
    assert found.count() == len(expected)
    assert list(found.values_list("pk", *names)) == [(row["id"], *(row[name] for name in names)) for row in expected]
    if numbers:
        top = max((row[numbers[0]] for row in expected), default=None)
        assert found.aggregate(top=models.Max(numbers[0]), n=models.Count("pk")) == {"top": top, "n": len(expected)}


def totals_are_of_slices(m: Any, world: World, question: Question, data: Any) -> None:
    wanted = [data.draw(totals(question.kind, world.palette, across=data.draw(st.booleans()))) for _ in range(2)]
    named = {f"t{n}": each for n, each in enumerate(wanted) if each is not None}
    found = to_queryset(m, question).aggregate(**{name: to_aggregate(m, each) for name, each in named.items()})
    rows = question.rows(world)
    for name, each in named.items():
        assert_same(found[name], total(world, question.kind, rows, each))


def totals_are_of_groups(m: Any, world: World, question: Question, data: Any) -> None:
    whole = Question(question.kind, tuple(step for step in question.steps if step[0] != "above"))
    path, _ = data.draw(st.sampled_from(SINGLE[question.kind]))
    wanted = data.draw(totals(question.kind, world.palette, across=False)) or Total("count", ("pk",))
    function = data.draw(st.sampled_from(["count", "min", "max", *(["sum"] if wanted.function == "count" else [])]))
    found = to_queryset(m, whole).values("__".join(path)).annotate(total=to_aggregate(m, wanted))
    answer = found.aggregate(answer=getattr(models, function.title())("total"))["answer"]
    assert_same(answer, totals_of_groups(world, whole, path, wanted, function))


def instants_begin_somewhere(m: Any, world: World, question: Question, data: Any) -> None:
    known = [path for path, value in SINGLE[question.kind] if value == "instant"]
    if not known:
        return
    path, zone = data.draw(st.sampled_from(known)), data.draw(st.sampled_from(ZONES))
    unit = data.draw(st.sampled_from(["year", "month", "day", "hour"]))
    expected = [beginning(question.value(world, row, path), unit, zone) for row in question.rows(world)]
    found = to_queryset(m, question).annotate(begun=models.Trunc("__".join(path), unit, tzinfo=zone))
    assert [each and each.astimezone(UTC) for each in found.values_list("begun", flat=True)] == expected
    if question.start == 0 and question.stop is None:
        once = to_queryset(m, question).datetimes("__".join(path), unit, "DESC", tzinfo=zone)
        assert [each.astimezone(UTC) for each in once] == sorted({each for each in expected if each}, reverse=True)


ASKS = [
    instants_begin_somewhere,
    rows_see_those_around,
    totals_are_of_slices,
    totals_are_of_groups,
    rows_come_in_order,
    they_are_counted,
    values_are_those_of_the_rows,
    distinct_values_come_once,
    totals_are_of_these_rows,
    groups_have_their_totals,
    answers_are_combined,
    conditions_are_joined,
    the_first_of_each,
    relations_are_loaded,
]


def assert_same(found: Any, expected: Any) -> None:
    """Equal, up to the last digits of a mean."""
    if isinstance(expected, float) and found is not None:
        assert abs(found - expected) <= 1e-9 * max(1.0, abs(expected))
    else:
        assert found == expected
