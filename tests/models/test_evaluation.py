"""Random questions about random rows, compared with their evaluation in plain Python, on every database.

MODEL_EXAMPLES sets how many sets of rows are tried (each with a dozen questions), for long runs.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from tests.models.drawing import FIELDS, SINGLE, ZONES, looks, questions, seen_conditions, totals, worlds
from tests.models.evaluation import (
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
from tests.models.known import KnownAtOnce
from toolkit import models
from toolkit.errors import DatabaseError, FieldError
from toolkit.models import F, Q

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "40"))
QUESTIONS = int(os.environ.get("MODEL_QUESTIONS", "12"))


# rows


def insert(m: Any, world: World) -> None:
    """Write the rows of a world."""
    for kind, rows in world.rows.items():
        model = getattr(m, kind)
        slug = {"slug"} & set(model._meta.by_name)
        made = [model(**row, **{name: f"{kind.lower()}-{row['id']}" for name in slug}) for row in rows.values()]
        model.objects.bulk_create(made)
    through = m.Story._meta.by_name["tags"].through
    through.objects.bulk_create([through(story_id=a, tag_id=b) for a, b in sorted(world.links["tags"])])


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


@pytest.fixture
def known(scope: Any) -> Iterator[KnownAtOnce]:
    """Every question that can be kept for another process is asked as it comes out of a file."""
    scope.database.known = known = KnownAtOnce(scope.database, Path("nowhere"))
    yield known
    scope.database.known = None
    assert known.read > len(known.refused)


@settings(
    max_examples=EXAMPLES,
    report_multiple_bugs="MODEL_EXAMPLES" in os.environ,
    suppress_health_check=list(HealthCheck),
    derandomize="MODEL_EXAMPLES" not in os.environ,
    phases=[Phase.generate, *([] if "MODEL_NO_SHRINK" in os.environ else [Phase.shrink])],
)
@given(st.data())
def test_questions_answer_as_plain_python_does(m: Any, scope: Any, known: KnownAtOnce, data: st.DataObject) -> None:
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
