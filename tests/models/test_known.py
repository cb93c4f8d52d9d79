"""Compiled questions that another process left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.models.known import KnownAtOnce
from toolkit import models
from toolkit.errors import FieldError
from toolkit.models.known import KnownQuestions, signature
from toolkit.models.lookups import LookupContext

EVIDENCE = b"as it was"

QUESTIONS: dict[str, Callable[[Any], Any]] = {
    "by key": lambda m: m.Story.objects.filter(pk__in=[1, 2, 3]),
    "by an instant": lambda m: m.Story.objects.filter(published__gte=m.NOON, editor__isnull=True),
    "along relations": lambda m: m.Story.objects.filter(section__slug="section-1").select_related("section", "editor"),
    "across many": lambda m: m.Story.objects.filter(tags__slug="tag-1").order_by("-weight", "slug")[2:5],
    "values": lambda m: m.Story.objects.values_list("title", "published", "section__slug"),
    "count": lambda m: m.Story.objects.exclude(weight=2).count(),
    "exists": lambda m: m.Story.objects.filter(weight__gt=3).exists(),
    "totals": lambda m: m.Story.objects.aggregate(most=models.Max("published"), sum=models.Sum("weight")),
    "groups": lambda m: m.Section.objects.annotate(written=models.Count("stories")).values_list("slug", "written"),
    "relatives": lambda m: [tag.slug for story in m.Story.objects.all() for tag in story.tags.all()],
    "what follows": lambda m: [story.section.name for story in m.Story.objects.all()],
}


@pytest.fixture(autouse=True)
def forgotten(newsroom: Any) -> Iterator[None]:
    yield
    newsroom.database.known = None
    newsroom.database.shapes.clear()


def known_of(database: Any, place: Path, evidence: bytes = EVIDENCE) -> KnownQuestions:
    return KnownQuestions(place / "questions", evidence, database.schema.by_label)


def plain(answer: Any) -> Any:
    """An answer as something that can be compared across databases' objects."""
    rows = answer if isinstance(answer, int | bool | dict) else list(answer)
    return (
        [(row.pk, row.__dict__.get("title")) if hasattr(row, "pk") else row for row in rows]
        if isinstance(rows, list)
        else rows
    )


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)
def test_a_known_question_is_answered_as_a_compiled_one(
    m: Any, newsroom: Any, tmp_path: Path, ask: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    database = newsroom.database
    database.shapes.clear()
    database.known = known_of(database, tmp_path)
    expected = plain(ask(m))
    compiled = dict(database.shapes)
    assert compiled
    database.known.save()
    database.shapes.clear()
    database.known = known_of(database, tmp_path)
    monkeypatch.setattr(
        "toolkit.models.compile.compile_query", lambda *arguments: pytest.fail(f"compiled: {arguments}")
    )
    assert plain(ask(m)) == expected
    for key, shape in database.shapes.items():
        assert shape.record() == compiled[key].record()
        assert (shape.names, shape.form, shape.model) == (compiled[key].names, compiled[key].form, compiled[key].model)


def test_a_known_question_refuses_what_the_field_refuses(m: Any, newsroom: Any, tmp_path: Path) -> None:
    newsroom.database.known = KnownAtOnce(newsroom.database, tmp_path)
    with pytest.raises(FieldError, match=r"Story.weight cannot be compared"):
        list(m.Story.objects.filter(weight="heavy"))
    assert newsroom.database.known.read


def test_a_question_with_functions_of_its_own_is_compiled_in_each_process(
    m: Any, newsroom: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def doubled(context: LookupContext) -> Any:
        return context.column == context.bind(lambda value: 2 * value)

    monkeypatch.setitem(m.Story._meta.get_field("weight").__dict__, "lookups", {})
    monkeypatch.setattr(type(m.Story._meta.get_field("weight")), "find_lookup", lambda field, name: doubled)
    newsroom.database.known = known_of(newsroom.database, tmp_path)
    found = {story.weight for story in m.Story.objects.filter(weight__doubled=2)}
    newsroom.database.known.save()
    assert found == {4}
    assert not (tmp_path / "questions").exists()


@pytest.mark.parametrize("harm", ["other evidence", "cut short", "a bit"])
def test_what_is_damaged_or_of_another_state_counts_for_nothing(
    m: Any, newsroom: Any, tmp_path: Path, harm: str
) -> None:
    database, place = newsroom.database, tmp_path / "questions"
    database.shapes.clear()
    database.known = known_of(database, tmp_path)
    assert list(m.Story.objects.filter(weight=1))
    database.known.save()
    query, sight = next(iter(database.shapes))
    assert known_of(database, tmp_path).find(query, sight) is not None
    body = place.read_bytes()
    if harm == "cut short":
        place.write_bytes(body[:-9])
    elif harm == "a bit":
        place.write_bytes(body[:40] + bytes([body[40] ^ 1]) + body[41:])
    assert known_of(database, tmp_path, b"other" if harm == "other evidence" else EVIDENCE).find(query, sight) is None


def test_the_signature_of_models_tells_what_a_file_may_decide(m: Any) -> None:
    def made(**options: Any) -> Any:
        class Note(models.Model):
            text = models.CharField(max_length=9, **options)

            class Meta:
                app_label = "notes"

        return Note

    assert signature([made()]) == signature([made()])
    assert signature([made()]) != signature([made(null=True)])
    assert signature([made()]) != signature([made(db_column="words")])
