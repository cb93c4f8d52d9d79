"""Full-text search: the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.known import KnownAtOnce
from tests.tables import resolved
from toolkit import models
from toolkit.errors import DatabaseError, DeclarationError, FieldError
from toolkit.models import Exists, Max, Q, Subquery
from toolkit.models.search import SearchRank, refresh_indexes
from toolkit.models.search.indexing import names_of
from toolkit.models.search.postgresql import vector
from toolkit.trace import EDITOR, READER, Scope, Trace, entered

URLS = [
    "sqlite://",
    *(
        url
        for url in os.environ.get("TOOLKIT_TEST_DATABASES", "").replace(",", " ").split()
        if url.startswith("postgres")
    ),
]


class Report(models.Model):
    title = models.CharField(max_length=200, translated=True)
    summary = models.TextField(blank=True)
    body = models.MarkdownField(blank=True)
    status = models.CharField(max_length=10, default="live")
    search = models.Search(title=4, summary=2, body=1)

    class Meta:
        public = Q(status="live")
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class Letter(models.Model):
    """Each in its own language."""

    text = models.TextField()
    language = models.CharField(max_length=8)
    search = models.Search("text", language="language")


class Page(models.Model):
    title = models.CharField(max_length=200)
    search = models.Search("title")


class Guide(Page):
    """Its title is in the table of pages."""

    body = models.TextField()
    search = models.Search(title=4, body=1)


MODELS = resolved({"papers": [Report, Letter, Page, Guide]})


@pytest.fixture(scope="module", params=URLS, ids=[url.partition(":")[0] for url in URLS])
def papers(request: pytest.FixtureRequest, newsroom_models: Any) -> Iterator[Any]:
    database = newsroom_models.make_database(request.param, MODELS)
    yield database
    database.drop()


@pytest.fixture
def scope(papers: Any) -> Iterator[Scope]:
    with entered(Scope(None, papers, EDITOR, "en", "en")) as found:
        yield found
        Letter.objects.all().delete()
        Report.objects.all().delete()
        refresh_indexes(found)


def titles(question: Any) -> list[str]:
    return [report.title for report in question]


def make(*given: str) -> list[Report]:
    return [Report.objects.create(title=title) for title in given]


def test_a_word_is_found_in_any_form(scope: Scope) -> None:
    make("Councils vote", "A council votes", "Nothing here")
    assert set(titles(Report.objects.search("voting council"))) == {"Councils vote", "A council votes"}


def test_words_phrases_exclusions_alternatives_and_beginnings(scope: Scope) -> None:
    make("The city hall burns", "Hall of the city", "A ferry sails", "A boat sails", "Ferries and taxes")
    find = Report.objects.search
    assert titles(find('"city hall"')) == ["The city hall burns"]
    assert titles(find("ferry -tax")) == ["A ferry sails"]
    assert set(titles(find("ferry OR boat sails"))) == {"A ferry sails", "A boat sails"}
    assert titles(find("bur*")) == ["The city hall burns"]
    assert titles(find("")) == titles(find("-city")) == []


def test_a_word_in_the_title_counts_for_more(scope: Scope) -> None:
    Report.objects.create(title="Harbour news", body="The budget, the budget and again the ferry.")
    Report.objects.create(title="Budget", body="A ferry.")
    Report.objects.create(title="Quiet day", summary="A budget of sorts.", body="Nothing else.")
    assert titles(Report.objects.search("budget"))[0] == "Budget"
    ranks = list(Report.objects.search("budget").annotate(rank=SearchRank()).values_list("rank", flat=True))
    assert ranks == sorted(ranks, reverse=True)
    assert len(ranks) == 3


def test_a_search_that_another_process_compiled_finds_the_same_in_an_index_that_is_right(
    scope: Scope, tmp_path: Path
) -> None:
    make("The city hall burns", "A ferry sails")
    known = scope.database.known = KnownAtOnce(scope.database, tmp_path)
    scope.database.shapes.clear()
    try:
        assert titles(Report.objects.search("burning")) == ["The city hall burns"]
        make("It burns again")
        ranked = Report.objects.search("burning").annotate(rank=SearchRank()).values_list("title", flat=True)
        assert set(ranked) == {"The city hall burns", "It burns again"}
        assert (known.read, known.refused) == (2, [])
    finally:
        scope.database.known = None
        scope.database.shapes.clear()


def test_another_order_can_be_asked_for(scope: Scope) -> None:
    make("Budget", "A budget", "Budget, budget")
    assert titles(Report.objects.search("budget").order_by("-title")) == ["Budget, budget", "Budget", "A budget"]


def test_a_search_is_a_question_like_any_other(scope: Scope) -> None:
    made = make("One ferry", "Two ferries", "Three boats")
    found = Report.objects.search("ferry")
    assert found.count() == 2
    assert found.filter(title__startswith="Two").get() == made[1]
    assert Report.objects.filter(title__startswith="One").search("ferry").exists()
    assert set(Report.objects.filter(pk__in=found)) == set(made[:2])
    assert len(found[:1]) == 1
    assert not Report.objects.exclude(title__contains="f").search("ferry")


def test_searches_are_joined_like_other_conditions(scope: Scope) -> None:
    make("One ferry", "Two budgets", "Three boats", "A ferry on a budget")
    ferry, budget = Report.objects.search("ferry"), Report.objects.search("budget")
    assert titles(ferry & budget) == ["A ferry on a budget"]
    assert titles(ferry | budget) == ["A ferry on a budget", "One ferry", "Two budgets"]
    assert titles(ferry.order_by("-title") | Report.objects.filter(title="Three boats"))[:2] == [
        "Three boats",
        "One ferry",
    ]
    assert titles(ferry ^ budget) == ["One ferry", "Two budgets"]
    best = ferry.annotate(rank=SearchRank()).values_list("rank", flat=True)[0]
    assert ferry.aggregate(best=Max(SearchRank()))["best"] == pytest.approx(best)


@pytest.mark.parametrize(
    "wrong", [{"text": None}, {"text": 5}, {"text": "ferry", "language": ["en"]}, {"text": " OR ".join("ab" * 501)}]
)
def test_what_is_no_text_that_anybody_types_is_not_searched_for(scope: Scope, wrong: Any) -> None:
    with pytest.raises(FieldError, match=r"search\(.*(text|more than 1000 words)"):
        Report.objects.search(**wrong)


def test_markdown_is_searched_as_it_is_read(scope: Scope) -> None:
    Report.objects.create(title="Links", body="See **the** [harbour](https://example.org/secret) plan.")
    assert Report.objects.search("harbour plan").exists()
    assert Report.objects.search('"the harbour"').exists()
    assert not Report.objects.search("secret").exists()


@pytest.mark.parametrize("word", ["updated", "deleted", "inserted"])
def test_what_any_program_writes_is_found(scope: Scope, word: str) -> None:
    (report,) = make("Ferry sails")
    table = Report._meta.table
    assert Report.objects.search("ferry").exists()
    if word == "updated":
        scope.database.execute(f"UPDATE {table} SET title = 'Boat sails' WHERE id = {report.pk}")
        assert not Report.objects.search("ferry").exists()
        assert Report.objects.search("boat").exists()
    elif word == "deleted":
        scope.database.execute(f"DELETE FROM {table}")
        assert not Report.objects.search("ferry").exists()
    else:
        scope.database.execute(
            f"INSERT INTO {table} (id, title, summary, body, status) VALUES (900, 'Kites', '', '', 'live')"
        )
        assert Report.objects.search("kite").exists()


def test_an_index_that_somebody_took_away_is_made_anew(scope: Scope) -> None:
    make("Ferry sails")
    assert Report.objects.search("ferry").exists()
    documents, stale = names_of(Report._meta.table)
    scope.database.execute(f"DROP TABLE {stale}")
    if scope.database.dialect == "sqlite":
        scope.database.execute(f"DROP TABLE {documents}")
    assert Report.objects.search("ferry").exists()


def test_who_may_only_read_finds_what_is_indexed_or_is_told_that_nothing_is(
    papers: Any, scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("Ferry sails")
    assert Report.objects.search("ferry").exists()
    make("Ferry waits")
    on = {"sqlite": "PRAGMA query_only = 1", "postgresql": "SET default_transaction_read_only = on"}[papers.dialect]
    off = on.replace("= 1", "= 0").replace("= on", "= off")
    papers.execute(on)
    try:
        assert titles(Report.objects.search("ferry")) == ["Ferry sails"]
        monkeypatch.setattr(Report._meta.search, "language", "nl")
        with pytest.raises(DatabaseError, match=r"the search of papers\.Report has no index as it is declared now"):
            Report.objects.search("ferry").exists()
    finally:
        papers.execute(off)


def test_another_declaration_makes_the_index_anew(scope: Scope) -> None:
    Report.objects.create(title="Ferry", summary="Boat")
    assert Report.objects.search("boat").exists()
    known = Report._meta.search
    narrower = models.Search("title")
    narrower.model, narrower.name = Report, "search"
    Report._meta.search = narrower
    scope.database.schema.__dict__.pop("searches", None)
    scope.database.shapes.clear()
    try:
        assert not Report.objects.search("boat").exists()
        assert Report.objects.search("ferry").exists()
    finally:
        Report._meta.search = known
        scope.database.schema.__dict__.pop("searches", None)
        scope.database.shapes.clear()


def test_a_reader_finds_what_is_public(papers: Any, scope: Scope) -> None:
    Report.objects.create(title="Secret ferry", status="draft")
    assert Report.objects.search("ferry").exists()
    make("Boat")
    with entered(Scope(None, papers, READER, "en", "en")):
        found = Report.objects.search("ferry")
        assert not found.exists()
        assert list(found.annotate(rank=SearchRank()).values_list("rank", "title")) == []
        assert not Report.objects.filter(pk__in=found).exists()
        assert not Report.objects.filter(Exists(found)).exists()
        assert not Report.objects.filter(title__gt=found.values("title")[:1]).exists()
        assert list(Report.objects.values_list(Subquery(found.values("title")[:1]), flat=True)) == [None]
    assert Report.objects.filter(Exists(Report.objects.search("ferry"))).count() == 2


@pytest.mark.parametrize("papers", URLS[1:], indirect=True, ids=["postgresql"] * len(URLS[1:]))
def test_of_a_text_of_more_words_than_an_index_takes_the_first_are_found(papers: Any) -> None:
    """PostgreSQL refused it, and with it every search of the model."""
    document = vector([[f"w{n}x" for n in range(150_000)], ["end"]], "AB")
    sql = "SELECT %s::tsvector @@ 'w100000x'::tsquery, %s::tsvector @@ 'end'::tsquery"
    assert papers.fetch(sql, (document, document)) == [(True, False)]


def test_translations_are_searched_in_their_language(papers: Any, scope: Scope) -> None:
    report, other = make("The ferries", "The boats")
    report.translate("es", title="Los transbordadores")
    with entered(Scope(None, papers, EDITOR, "es", "en")):
        assert titles(Report.objects.search("transbordador")) == ["Los transbordadores"]
        assert not Report.objects.search("ferry").exists()
        assert list(Report.objects.search("boat")) == [other]
    assert list(Report.objects.search("transbordador", language="es")) == [report]
    assert not Report.objects.search("transbordador").exists()


def test_rows_may_each_have_a_language(scope: Scope) -> None:
    spanish = Letter.objects.create(text="Las policías municipales", language="es")
    english = Letter.objects.create(text="Municipal police", language="en")
    assert list(Letter.objects.search("policia", language="es")) == [spanish]
    assert list(Letter.objects.search("polices")) == [english]


def test_texts_of_a_parent_are_searched_with_those_of_a_child(papers: Any, scope: Scope) -> None:
    Page.objects.create(title="Ferry")
    guide = Guide.objects.create(title="Harbour", body="Boats and a ferry.")
    both = [Guide.objects.search("harbour ferry").count(), Page.objects.search("harbours").count()]
    assert (both, Guide.objects.search("ferries").get()) == ([1, 1], guide)
    Page.objects.filter(pk=guide.pk).update(title="Bridge")
    assert not Guide.objects.search("harbour").exists()
    assert Guide.objects.search("bridges").get() == guide
    trace = Trace()
    with entered(Scope(None, papers, READER, "en", "en", trace=trace)):
        list(Guide.objects.search("bridge"))
    (shape,) = (shape for shape in trace.shapes.values() if shape.form == "instances")
    assert {("papers_page", "title"), ("papers_guide", "body")} <= set(shape.footprint)
    guide.delete()
    assert not Guide.objects.search("bridge").exists()
    Page.objects.all().delete()


def test_a_search_is_an_input_of_the_page_with_all_that_it_looks_through(papers: Any, scope: Scope) -> None:
    make("Ferry")
    trace = Trace()
    with entered(Scope(None, papers, READER, "en", "en", trace=trace)):
        list(Report.objects.search("ferry"))
    (shape,) = (shape for shape in trace.shapes.values() if shape.form == "instances")
    touched = set(shape.footprint)
    assert {(Report._meta.table, name) for name in ("id", "title", "summary", "body", "status")} <= touched
    assert any(key[1].find("ferri") >= 0 for key in trace.keys_of("query") if isinstance(key[1], str))


def test_the_words_of_a_search_are_bound(scope: Scope) -> None:
    with scope.database.counted() as queries:
        list(Report.objects.search("unmistakable"))
    assert not any("unmistak" in sql for sql in queries)


@settings(max_examples=60)
@given(st.text(max_size=40))
def test_no_text_breaks_a_search(scope: Scope, text: str) -> None:
    list(Report.objects.search(text))


def test_a_search_inside_a_snapshot_asks_what_was_indexed_before(papers: Any, scope: Scope) -> None:
    make("Ferry")
    refresh_indexes(scope)
    with papers.snapshot():
        assert Report.objects.search("ferry").exists()


def test_a_model_without_a_search_says_so(scope: Scope, m: Any) -> None:
    with pytest.raises(FieldError, match="Tag has no search"):
        m.Tag.objects.search("sea")


def test_a_search_is_of_text_fields() -> None:
    with pytest.raises(DeclarationError, match=r"Search\('titel'\) names no text field of Wrong"):

        class Wrong(models.Model):
            title = models.CharField(max_length=10)
            search = models.Search("titel")


def test_a_search_is_of_rows_with_one_key() -> None:
    class Place(models.Model):
        name = models.TextField()

    class Owner(models.Model):
        owner_key = models.AutoField(primary_key=True)
        label = models.TextField()

    with pytest.raises(DeclarationError, match=r"Shop\.search: label is a field of Owner, .* in Owner"):

        class Shop(Place, Owner):
            search = models.Search("name", "label")

    with pytest.raises(DeclarationError, match=r"Stall\.search: Stall has a key of several columns"):

        class Stall(models.Model):
            pk = models.CompositePrimaryKey("row", "number")
            row = models.IntegerField()
            number = models.IntegerField()
            text = models.TextField()
            search = models.Search("text")


def test_markdown_that_was_plain_text_is_indexed_anew_and_so_are_rows_with_another_key() -> None:
    """Marks and the targets of links were words; and what PostgreSQL's triggers note is a key of the kind of then."""

    def digest_with(field: Any, key: Any) -> str:
        class Note(models.Model):
            code = key
            text = field
            search = models.Search("text")

        return str(Note._meta.search.digest)

    def number(**options: Any) -> Any:
        return models.IntegerField(primary_key=True, **options)

    was = digest_with(models.TextField(), number())
    assert was == digest_with(models.TextField(), number())
    assert was != digest_with(models.MarkdownField(), number())
    assert was != digest_with(models.TextField(), number(db_column="number"))
    assert was != digest_with(models.TextField(), models.SlugField(primary_key=True))


def test_five_weights_are_too_many() -> None:
    with pytest.raises(DeclarationError, match="4 weights"):

        class Heavy(models.Model):
            a, b, c, d, e = (models.TextField() for _ in range(5))
            search = models.Search(a=1, b=2, c=3, d=4, e=5)


def test_those_who_search_first_at_the_same_time_all_find(papers: Any, newsroom_models: Any, tmp_path: Any) -> None:
    """Of several who find no index one makes it, and the others wait."""
    sqlite = papers.dialect == "sqlite"
    database = newsroom_models.make_database(f"sqlite:///{tmp_path}/papers.db" if sqlite else papers.url, MODELS)
    with entered(Scope(None, database)):
        make("Flood in town", "Ferry", "The flood again")
    start, answers = threading.Barrier(6), []

    def search() -> None:
        with entered(Scope(None, database)):
            start.wait(20)
            answers.append(Report.objects.search("flood").count())
            database.close()

    threads = [threading.Thread(target=search) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    database.drop()
    assert answers == [2] * 6


def test_a_search_that_makes_the_index_ends_no_transaction(papers: Any, newsroom_models: Any) -> None:
    database = newsroom_models.make_database(papers.url, MODELS)
    with entered(Scope(None, database)):
        with pytest.raises(ValueError, match="no"), database.atomic():
            make("Flood")
            assert Report.objects.search("flood").count() == 1
            raise ValueError("no")
        assert Report.objects.count() == 0
        make("Flood again")
        assert titles(Report.objects.search("flood")) == ["Flood again"]
    database.drop()
