"""Whatever is edited: a question whose answer is another now is found by its trace, as the builder looks for it.

The builder asks again only what depends on a column that changed, so this tests that footprints are complete, and that
another process gets the same answers from what is written down.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from tests.models.drawing import FIELDS, SINGLE, VALUES, questions, totals, worlds
from tests.models.evaluation import RELATIONS, Question, World
from tests.models.test_evaluation import Undo, insert, to_aggregate, to_queryset
from toolkit.errors import DatabaseError
from toolkit.models import Prefetch
from toolkit.models.answers import answer_queries, answer_rows
from toolkit.models.states import capture
from toolkit.trace import READER, Scope, Trace, entered

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "15"))
READINGS, EDITS = 6, 4

COLUMNS = {
    "Section": ["name", "position", "visible"],
    "Author": ["name"],
    "Tag": ["name"],
    "Story": ["title", "weight", "published", "expires", "section_id", "editor_id", "status"],
    "Byline": ["position", "story_id", "author_id"],
    "Comment": ["text", "score", "story_id", "parent_id"],
}
TARGETS = {
    "section_id": "Section",
    "editor_id": "Author",
    "story_id": "Story",
    "author_id": "Author",
    "parent_id": "Comment",
}
NULLABLE = {"expires", "editor_id", "score", "parent_id"}

Reading = Callable[[], Any]


# what a page may read


def shown(row: Any, name: str) -> Any:
    """A row's value, or the keys of its partners."""
    value = getattr(row, name)
    if hasattr(value, "all"):
        return [(each.pk, str(each)) for each in value.all()]
    return value if not hasattr(value, "_meta") else (value.pk, str(value))


def reading_of(m: Any, world: World, data: Any) -> Reading:
    """A question, with everything about it drawn, to be asked any number of times."""
    question = data.draw(questions(world.palette))
    whole = Question(question.kind, question.steps, (), question.annotations)
    ask = data.draw(st.sampled_from(ASKS))
    note(ask.__name__)
    reading: Reading = ask(m, world, question, whole, data)
    return reading


def rows(m: Any, world: World, question: Question, whole: Question, data: Any) -> Reading:
    names = data.draw(st.lists(st.sampled_from([*FIELDS[question.kind], *RELATIONS[question.kind]]), max_size=2))
    extra = [name for name, _ in question.annotations]
    return lambda: [(row.pk, *(shown(row, name) for name in [*names, *extra])) for row in to_queryset(m, question)]


def lean_rows(m: Any, world: World, question: Question, whole: Question, data: Any) -> Reading:
    names = data.draw(st.lists(st.sampled_from(list(FIELDS[question.kind])), min_size=2, max_size=2))
    return lambda: [
        (row.pk, *(getattr(row, name) for name in names)) for row in to_queryset(m, question).only(names[0])
    ]


def counts(m: Any, world: World, question: Question, whole: Question, data: Any) -> Reading:
    return lambda: (to_queryset(m, question).count(), to_queryset(m, question).exists())


def values(m: Any, world: World, question: Question, whole: Question, data: Any) -> Reading:
    path, _ = data.draw(st.sampled_from(SINGLE[question.kind]))
    return lambda: list(to_queryset(m, question).values_list("__".join(path), flat=True))


def distinct(m: Any, world: World, question: Question, whole: Question, data: Any) -> Reading:
    path, _ = data.draw(st.sampled_from(SINGLE[question.kind]))
    return lambda: list(to_queryset(m, whole).values_list("__".join(path), flat=True).distinct())


def sums(m: Any, world: World, question: Question, whole: Question, data: Any) -> Reading:
    wanted = data.draw(totals(question.kind, world.palette, across=data.draw(st.booleans())))
    if wanted is None:
        return lambda: None
    return lambda: to_queryset(m, question).aggregate(total=to_aggregate(m, wanted))


def grouped(m: Any, world: World, question: Question, whole: Question, data: Any) -> Reading:
    path, _ = data.draw(st.sampled_from(SINGLE[question.kind]))
    wanted = data.draw(totals(question.kind, world.palette, across=False))
    plain = Question(question.kind, tuple(step for step in question.steps if step[0] != "above"))
    return lambda: list(to_queryset(m, plain).values_list("__".join(path)).annotate(total=to_aggregate(m, wanted)))


def combined(m: Any, world: World, question: Question, whole: Question, data: Any) -> Reading:
    plain = Question(question.kind, tuple(step for step in question.steps if step[0] != "above"))
    other = data.draw(questions(world.palette, question.kind, nested=False))
    kind = data.draw(st.sampled_from(["union", "intersection", "difference"]))
    names = data.draw(st.sampled_from([(), tuple(FIELDS[question.kind])[:1]]))

    def read() -> Any:
        found = getattr(to_queryset(m, plain), kind)(to_queryset(m, other))
        return list(found.values_list(*names)) if names else [(row.pk, str(row)) for row in found]

    return read


def firsts(m: Any, world: World, question: Question, whole: Question, data: Any) -> Reading:
    path, _ = data.draw(st.sampled_from(SINGLE[question.kind]))
    cut = Question(question.kind, question.steps, question.order, question.annotations)
    return lambda: [(row.pk, str(row)) for row in to_queryset(m, cut).distinct("__".join(path))]


def along(m: Any, world: World, question: Question, whole: Question, data: Any) -> Reading:
    many = [name for name, relation in RELATIONS[question.kind].items() if relation.many]
    if not many:
        return counts(m, world, question, whole, data)
    name = data.draw(st.sampled_from(many))
    inner = to_queryset(m, data.draw(questions(world.palette, RELATIONS[question.kind][name].target, nested=False)))
    asked = Prefetch(name, inner, to_attr="few")
    return lambda: [
        (row.pk, [(each.pk, str(each)) for each in row.few]) for row in to_queryset(m, question).prefetch_related(asked)
    ]


ASKS = [rows, lean_rows, counts, values, distinct, sums, grouped, combined, firsts, along]


# what somebody may edit


def edit(m: Any, world: World, data: Any) -> None:
    """Change something in the tables, behind the models' back or through them."""
    kind = data.draw(st.sampled_from([kind for kind in COLUMNS if world.rows[kind]]))
    key = data.draw(st.sampled_from(sorted(world.rows[kind])))
    column = data.draw(st.sampled_from([*COLUMNS[kind], "DELETE", "TAG"]))
    database = m.database
    mark = "?" if database.dialect == "sqlite" else "%s"
    if column == "DELETE":
        database.execute(f"DELETE FROM news_{kind.lower()} WHERE id = {mark}", [key])
    elif column == "TAG":
        database.execute(f"DELETE FROM news_story_tags WHERE story_id = {mark}", [key])
    else:
        rows = getattr(m, kind).objects.unrestricted().filter(pk=key)
        rows.update(**{column.removesuffix("_id"): data.draw(_value(world, kind, column))})
    database.changed()


def _value(world: World, kind: str, column: str) -> Any:
    if column == "status":
        return st.sampled_from(["live", "draft"])
    known = sorted(world.rows[TARGETS[column]]) if column in TARGETS else VALUES[FIELDS[kind][column]]
    return st.sampled_from([*known, *([None] * (column in NULLABLE))])


# as the builder does it


def look(m: Any, reading: Reading) -> tuple[Any, Trace]:
    scope = Scope(None, m.database, READER, "en", "en", m.NOON, Trace())
    with entered(scope):
        found = reading()
    assert scope.trace is not None
    return found, scope.trace


def is_broken(m: Any, trace: Trace, changed: set[tuple[str, str]]) -> bool:
    """Whether the trace says so: only what depends on a column that changed is asked again."""
    scope = Scope(None, m.database, READER, "en", "en", m.NOON)
    records = json.loads(json.dumps({key: shape.record() for key, shape in trace.shapes.items()}))
    asked = {name for name, record in records.items() if any(tuple(pair) in changed for pair in record["footprint"])}
    queries = [key for key in trace.keys_of("query") if key[0] in asked]
    tables = {table for table, _ in changed}
    seen = [
        key
        for key in trace.keys_of("row")
        if (key[0] in tables if key[1] is None else any((key[0], column) in changed for column in key[1]))
    ]
    today = {("query", key): value for key, value in answer_queries(scope, records, queries).items()}
    today |= {("row", key): value for key, value in answer_rows(scope, seen).items()}
    return any(trace.inputs[key] != value for key, value in today.items())


@settings(
    max_examples=EXAMPLES,
    suppress_health_check=list(HealthCheck),
    derandomize="MODEL_EXAMPLES" not in os.environ,
    phases=[Phase.generate, *([] if "MODEL_NO_SHRINK" in os.environ else [Phase.shrink])],
)
@given(st.data())
def test_an_answer_that_changed_is_found_by_its_trace(m: Any, scope: Any, data: st.DataObject) -> None:
    m.database = scope.database
    world = data.draw(worlds())
    if not any(world.rows.values()):
        return
    names = scope.database.schema.table_names
    with contextlib.suppress(Undo), scope.database.atomic():
        insert(m, world)
        readings = [reading_of(m, world, data) for _ in range(READINGS)]
        before = [look(m, reading) for reading in readings]
        state = capture(scope, names, {})
        for _, trace in before:
            assert not is_broken(m, trace, {(name, column) for name in names for column in state[name].columns})
        for _ in range(EDITS):
            with contextlib.suppress(DatabaseError), scope.database.atomic():
                edit(m, world, data)
            now = capture(scope, names, {})
            changed = {(name, column) for name in names for column in now[name].changed_since(state[name])}
            for (answer, trace), reading in zip(before, readings, strict=True):
                if look(m, reading)[0] != answer:
                    assert is_broken(m, trace, changed)
        raise Undo
