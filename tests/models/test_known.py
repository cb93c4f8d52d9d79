"""Compiled questions that another process left."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.models.known import KnownAtOnce
from toolkit import models
from toolkit.errors import FieldError
from toolkit.models.functions import Concat, Length
from toolkit.models.known import KnownQuestions, signature
from toolkit.models.lookups import LookupContext
from toolkit.trace import Trace, current, entered

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
    "a month": lambda m: m.Story.objects.filter(published__year=2026, published__month=1).values_list("slug"),
    "years": lambda m: m.Story.objects.filter(published__year__gte=2025, published__year__lt=2027).count(),
    "days": lambda m: m.Story.objects.filter(published__date__range=(m.NOON.date(), m.NOON.date())).values_list("slug"),
    "parts of dates": lambda m: m.Story.objects.filter(published__week_day=2, published__hour__in=[9, 12]).count(),
    "words": lambda m: m.Story.objects.filter(title__icontains="A", slug__istartswith="s").values_list("slug"),
    "a pattern": lambda m: m.Story.objects.filter(title__iregex="^s").count(),
    "lengths": lambda m: m.Story.objects.annotate(n=Length("title")).filter(n__gt=3).values_list("slug", "n"),
    "JSON": lambda m: m.Everything.objects.filter(json={"a": [1]}, json__b__in=["x", 2]).count(),
    "in JSON": lambda m: m.Everything.objects.filter(json__credit__0__name="AP").values_list("json__credit", "pk"),
    "JSON within": lambda m: m.Everything.objects.filter(
        json__contains={"a": 1}, json__has_any_keys=["a", "b"]
    ).count(),
    "other fields": lambda m: m.Story.objects.annotate(
        half=models.ExpressionWrapper(models.F("weight"), models.DecimalField(max_digits=6, decimal_places=1)),
        named=Concat("slug", "title", output_field=models.CharField(max_length=99)),
    ).values_list("half", "named"),
    "lengths of time": lambda m: (
        m.Story.objects.annotate(age=m.NOON - models.F("published"))
        .filter(age__gt=timedelta(days=2))
        .values_list("slug", "age")
    ),
    "instants in a zone": lambda m: m.Story.objects.datetimes("published", "hour", tzinfo=ZoneInfo("Asia/Tokyo")),
    "relatives": lambda m: [tag.slug for story in m.Story.objects.all() for tag in story.tags.all()],
    "what follows": lambda m: [story.section.name for story in m.Story.objects.all()],
}


@pytest.fixture(autouse=True)
def forgotten(newsroom: Any) -> Iterator[None]:
    yield
    newsroom.database.known = None
    newsroom.database.shapes.clear()


def known_of(database: Any, place: Path, evidence: bytes = EVIDENCE) -> KnownQuestions:
    return KnownQuestions(place, evidence, database.schema.by_label)


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
    assert not list(tmp_path.iterdir())


class Multiplied:
    """A conversion with a state of its own, which may change after a question was compiled."""

    by = 2

    def __call__(self, value: int) -> int:
        return self.by * value


MULTIPLIED = Multiplied()


def with_lookup(m: Any, monkeypatch: pytest.MonkeyPatch, lookup: Callable[[LookupContext], Any]) -> None:
    """Have the field of weights know a lookup of the site's own."""
    monkeypatch.setattr(type(m.Story._meta.get_field("weight")), "find_lookup", lambda field, name: lookup)


def test_a_question_with_an_object_that_may_change_is_compiled_in_each_process(
    m: Any, newsroom: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_lookup(m, monkeypatch, lambda context: context.column == context.bind(MULTIPLIED))
    newsroom.database.known = known_of(newsroom.database, tmp_path)
    assert {story.weight for story in m.Story.objects.filter(weight__multiplied=2)} == {4}
    newsroom.database.known.save()
    assert not list(tmp_path.iterdir())


def test_a_lookup_that_reads_something_reads_it_in_each_process(
    m: Any, newsroom: Any, scope: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def heavy(context: LookupContext) -> Any:
        current.get().trace.record("file", ("heavy.txt",), b"digest")  # type: ignore[union-attr]
        return context.column > context.bind()

    with_lookup(m, monkeypatch, heavy)
    newsroom.database.known = known_of(newsroom.database, tmp_path)
    trace = Trace()
    with entered(replace(scope, trace=trace)):
        assert m.Story.objects.filter(weight__heavy=2).exists()
        assert m.Story.objects.exists()
    newsroom.database.known.save()
    assert ("file", ("heavy.txt",)) in trace.inputs
    with entered(replace(scope, trace=(second := Trace()))):
        assert m.Story.objects.filter(weight__heavy=2).exists()
    assert ("file", ("heavy.txt",)) in second.inputs
    names = known_of(newsroom.database, tmp_path)._kept
    assert len(names) == 1
    assert "heavy" not in next(iter(names))


def test_questions_that_were_not_asked_for_longest_go(
    m: Any, newsroom: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.models.known.MOST", 3)
    database = newsroom.database
    for lengths in ([2, 4, 8], [2, 16], [2, 32]):
        database.shapes.clear()
        database.known = known_of(database, tmp_path)
        for length in lengths:
            assert m.Story.objects.filter(pk__in=[1] * length).count() <= 1
        database.known.save()
    kept = [name.partition("'list', 0, ")[2].partition("]")[0] for name in known_of(database, tmp_path)._kept]
    assert kept == ["16", "2", "32"]


def test_nothing_is_left_behind_where_the_file_cannot_be_written(m: Any, newsroom: Any, tmp_path: Path) -> None:
    (tmp_path / EVIDENCE.hex()).mkdir()
    newsroom.database.known = known_of(newsroom.database, tmp_path)
    assert m.Story.objects.filter(weight=1).exists()
    newsroom.database.known.save()
    assert list(tmp_path.iterdir()) == [tmp_path / EVIDENCE.hex()]


def test_each_state_of_a_site_has_its_questions_and_the_oldest_go(
    m: Any, newsroom: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.models.known.STATES", 2)
    database = newsroom.database
    for number, evidence in enumerate([b"main", b"preview", b"branch"]):
        database.shapes.clear()
        database.known = known_of(database, tmp_path, evidence)
        assert m.Story.objects.filter(weight=1).exists()
        database.known.save()
        os.utime(tmp_path / evidence.hex(), ns=(number, number))
    query, sight = next(iter(database.shapes))
    found = [known_of(database, tmp_path, one).find(query, sight) for one in (b"main", b"preview", b"branch")]
    assert [one is not None for one in found] == [False, True, True]


@pytest.mark.parametrize("harm", ["other evidence", "cut short", "a bit"])
def test_what_is_damaged_or_of_another_state_counts_for_nothing(
    m: Any, newsroom: Any, tmp_path: Path, harm: str
) -> None:
    database, place = newsroom.database, tmp_path / EVIDENCE.hex()
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


def test_the_signature_of_models_tells_what_is_searched(m: Any) -> None:
    def made(**weights: float) -> Any:
        class Clipping(models.Model):
            text = models.CharField(max_length=9)
            search = models.Search(**weights)

        return Clipping

    assert signature([made(text=1)]) == signature([made(text=1)])
    assert signature([made(text=1)]) != signature([made(text=2)])


def test_the_signature_of_models_tells_which_values_make_a_row_public() -> None:
    def made(year: int) -> Any:
        class Report(models.Model):
            year = models.IntegerField()

            class Meta:
                app_label = "reports"
                public = models.Q(year__lte=year, year__gt=0)

        return Report

    assert signature([made(2026)]) == signature([made(2026)])
    assert signature([made(2026)]) != signature([made(2027)])
