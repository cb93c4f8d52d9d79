"""Questions with their SQL on each database, and with answers that were worked out by hand.

Each case is Python as a newsroom would write it. What it sends is in ``golden/cases.<dialect>.sql``, to be read when
it changes; a run against the servers writes it anew::

    TOOLKIT_TEST_DATABASES=... python -m tests.models.test_oracle
"""

# ruff: noqa: E501 - a table of questions

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.models import conftest
from toolkit import models
from toolkit.trace import Scope, entered

FOLDER = Path(__file__).parent / "golden"

STORIES = [
    # title, section, editor, weight, status, published, expires
    ("Flood", 1, 1, 5, "live", datetime(2026, 3, 1, 12, tzinfo=UTC), None),
    ("Ferry", 1, 2, 3, "live", datetime(2026, 2, 14, 23, 30, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)),
    ("Final", 2, None, 3, "draft", datetime(2026, 2, 14, 8, 30, tzinfo=UTC), None),
    ("Budget", 1, 1, 0, "live", datetime(2025, 12, 31, 23, 30, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC)),
    ("Fair", 2, None, 1, "live", datetime(2024, 2, 29, tzinfo=UTC), None),
]
TAGS = [(1, 1), (1, 2), (2, 2), (4, 3)]  # story, tag
BYLINES = [(1, 1, 0), (1, 2, 1), (2, 2, 0), (3, 3, 0), (5, 1, 0)]  # story, author, position
COMMENTS = [(1, "Good", 5, None), (1, "Bad", 1, None), (1, "Hm", None, 1), (2, "Good", 2, None)]  # story, score, parent
DOCUMENTS: list[Any] = [{"views": 5, "credit": [{"name": "AP"}]}, {"views": None, "a%b": "x_y"}, None]

CASES: list[tuple[str, str, Any]] = [
    # NULL
    ("exclude keeps NULL", "Comment.objects.exclude(score=5)", ["Bad", "Hm", "Good"]),
    ("exclude of a comparison keeps NULL", "Comment.objects.exclude(score__gt=1)", ["Bad", "Hm"]),
    ("not, and not not", "Comment.objects.filter(~~Q(score__gt=1))", ["Good", "Good"]),
    ("None is NULL", "Comment.objects.filter(score=None)", ["Hm"]),
    ("is not NULL", "Story.objects.filter(expires__isnull=False)", ["Ferry", "Budget"]),
    ("a column that may be NULL against another", "Story.objects.exclude(expires__gt=F('published') + timedelta(days=31))", ["Flood", "Final", "Budget", "Fair"]),
    ("NULL in a list means nothing", "Comment.objects.filter(score__in=[None, 1])", ["Bad"]),
    ("exclude a list with NULL in it", "Comment.objects.exclude(score__in=[None, 1])", ["Good", "Hm", "Good"]),
    ("NULL comes first", "Comment.objects.order_by('score')", ["Hm", "Bad", "Good", "Good"]),
    ("and last when descending", "Comment.objects.order_by('-score')", ["Good", "Good", "Bad", "Hm"]),
    ("unless it is said otherwise", "Comment.objects.order_by(F('score').asc(nulls_last=True))", ["Bad", "Good", "Good", "Hm"]),
    ("partners against the row itself, looked for by each row", "Story.objects.filter(comments__score__lt=F('weight'))", ["Flood", "Ferry"]),
    # lists, slices, nothing
    ("an empty list", "Story.objects.filter(weight__in=[])", []),
    ("all but an empty list", "Tag.objects.exclude(slug__in=[])", ["ferry", "sea", "tax"]),
    ("a list", "Tag.objects.filter(slug__in=['sea', 'tax', 'none'])", ["sea", "tax"]),
    ("a range", "Story.objects.filter(weight__range=(1, 3))", ["Ferry", "Final", "Fair"]),
    ("a range the wrong way round", "Story.objects.filter(weight__range=(3, 1))", []),
    ("none()", "Story.objects.none().filter(weight=3)", []),
    ("the first two", "Story.objects.order_by('published')[:2]", ["Fair", "Budget"]),
    ("a slice of a slice", "Story.objects.order_by('published')[1:4][1:]", ["Final", "Ferry"]),
    ("past the end", "Story.objects.order_by('pk')[4:9]", ["Fair"]),
    ("every second", "Story.objects.order_by('pk')[::2]", ["Flood", "Final", "Fair"]),
    ("one row", "Story.objects.order_by('pk')[1]", "Ferry"),
    ("the last", "Story.objects.order_by('weight').last()", "Flood"),
    ("the latest", "Story.objects.latest()", "Flood"),
    ("a count of a slice", "Story.objects.all()[1:3].count()", 2),
    ("whether there is any", "Story.objects.filter(weight__gt=5).exists()", False),
    ("get", "Story.objects.get(slug='fair')", "Fair"),
    ("in bulk", "sorted(Story.objects.in_bulk([2, 5, 9]))", [2, 5]),
    # relations
    ("across a reference", "Story.objects.filter(section__slug='sport')", ["Final", "Fair"]),
    ("a reference that may be NULL", "Story.objects.exclude(editor__name='Ann')", ["Ferry", "Final", "Fair"]),
    ("the key of a reference needs no join", "Story.objects.filter(section__pk=1, editor_id=2)", ["Ferry"]),
    ("many partners give each row once", "Story.objects.filter(tags__slug__in=['sea', 'ferry'])", ["Flood", "Ferry"]),
    ("two conditions on one partner", "Story.objects.filter(comments__text='Good', comments__score__lt=5)", ["Ferry"]),
    ("on two partners", "Story.objects.filter(comments__text='Good').filter(comments__score__lt=5)", ["Flood", "Ferry"]),
    ("exclude one partner", "Story.objects.exclude(comments__text='Good', comments__score__lt=5)", ["Flood", "Final", "Budget", "Fair"]),
    ("no partner", "Story.objects.filter(tags=None)", ["Final", "Fair"]),
    ("a partner without a value, or no partner", "Story.objects.filter(comments__score=None)", ["Flood", "Final", "Budget", "Fair"]),
    ("through the table between", "Story.objects.filter(bylines__position=0, bylines__author__name='Ann')", ["Flood", "Fair"]),
    ("back and forth", "Section.objects.filter(stories__authors__name='Ann')", ["Town", "Sport"]),
    ("itself", "Comment.objects.filter(parent__text='Good')", ["Hm"]),
    ("or across relations", "Story.objects.filter(Q(tags__slug='tax') | Q(editor=None))", ["Final", "Budget", "Fair"]),
    ("one of two", "Story.objects.filter(Q(weight=3) ^ Q(section=1))", ["Flood", "Final", "Budget"]),
    ("the order of the other model", "Story.objects.order_by('section', 'pk')", ["Flood", "Ferry", "Budget", "Final", "Fair"]),
    ("order by a name of the other model", "Story.objects.order_by('-section__name', '-weight')", ["Flood", "Ferry", "Budget", "Final", "Fair"]),
    ("order by a reference that may be NULL", "Story.objects.order_by('editor__name', 'title')", ["Fair", "Final", "Budget", "Flood", "Ferry"]),
    ("a question in a list", "Story.objects.filter(section__in=Section.objects.filter(position__gt=0))", ["Final", "Fair"]),
    ("values of a question in a list", "Author.objects.filter(name__in=Story.objects.filter(weight=3).values('editor__name'))", ["Bob"]),
    ("a slice in a list", "Comment.objects.filter(story__in=Story.objects.order_by('-published')[:1])", ["Good", "Bad", "Hm"]),
    ("one value of a question", "Story.objects.filter(weight__gt=Story.objects.filter(slug='fair').values('weight'))", ["Flood", "Ferry", "Final"]),
    # values, distinct, sets
    ("values", "Tag.objects.values('slug', 'stories__title')[:3]", [{"slug": "ferry", "stories__title": "Flood"}, {"slug": "ferry", "stories__title": "Ferry"}, {"slug": "sea", "stories__title": "Flood"}]),
    ("values across a reference", "Story.objects.values_list('title', 'editor__name')[2:4]", [("Final", None), ("Budget", "Ann")]),
    ("distinct values", "Story.objects.order_by('weight').values_list('weight', flat=True).distinct()", [0, 1, 3, 5]),
    ("the first of each", "Story.objects.order_by('-weight').distinct('section')", ["Flood", "Final"]),
    ("a union", "Tag.objects.values_list('slug').union(Section.objects.values_list('slug')).order_by('-slug')", [("town",), ("tax",), ("sport",), ("sea",), ("ferry",), ("arts",)]),
    ("an intersection", "Story.objects.filter(weight=3).intersection(Story.objects.filter(section=1))", ["Ferry"]),
    ("a difference, sliced", "Story.objects.difference(Story.objects.filter(weight=3)).order_by('title')[:2]", ["Budget", "Fair"]),
    ("either", "Story.objects.filter(weight=5) | Story.objects.filter(editor=None)", ["Flood", "Final", "Fair"]),
    # text
    ("a wildcard is a letter", "Story.objects.filter(title__contains='%')", []),
    ("without regard to case", "Story.objects.filter(title__icontains='FA')", ["Fair"]),
    ("the beginning", "Story.objects.filter(title__startswith='F').exclude(title__endswith='l')", ["Flood", "Ferry", "Fair"]),
    ("a text in another column", "Story.objects.filter(title__istartswith=F('slug'), status__contains=Value('iv'))", ["Flood", "Ferry", "Budget", "Fair"]),
    ("a regular expression", "Story.objects.filter(title__regex='^F.{3,4}$')", ["Flood", "Ferry", "Final", "Fair"]),
    # dates
    ("a year is a span", "Story.objects.filter(published__year=2026)", ["Flood", "Ferry", "Final"]),
    ("years", "Story.objects.filter(published__year__in=[2024, 2025])", ["Budget", "Fair"]),
    ("before a year", "Story.objects.exclude(published__year__gte=2026)", ["Budget", "Fair"]),
    ("a day", "Story.objects.filter(published__date=date(2026, 2, 14))", ["Ferry", "Final"]),
    ("a month and a weekday", "Story.objects.filter(published__month=2, published__iso_week_day=6)", ["Ferry", "Final"]),
    ("months", "Story.objects.dates('published', 'month')", [date(2024, 2, 1), date(2025, 12, 1), date(2026, 2, 1), date(2026, 3, 1)]),
    ("years, the last first", "Story.objects.dates('published', 'year', 'DESC')", [date(2026, 1, 1), date(2025, 1, 1), date(2024, 1, 1)]),
    ("hours", "Story.objects.filter(weight=3).datetimes('published', 'hour')", [datetime(2026, 2, 14, 8, tzinfo=UTC), datetime(2026, 2, 14, 23, tzinfo=UTC)]),
    ("quarters", "Story.objects.values_list(TruncQuarter('published')).distinct().order_by('-truncquarter1')[:1]", [(datetime(2026, 1, 1, tzinfo=UTC),)]),
    ("a column against a part of another", "Story.objects.filter(weight__lt=F('published__month'), published__year=F('expires__year'))", []),
    # expressions
    ("arithmetic", "Story.objects.filter(weight__gte=F('pk') + 1)", ["Flood", "Ferry"]),
    ("a computed list", "Story.objects.filter(weight__in=[F('pk') + 1, 0])", ["Ferry", "Budget"]),
    ("choices", "Story.objects.annotate(size=Case(When(weight__gt=3, then=Value('big')), When(expires=None, then=Value('old')), default=Value('-'))).values_list('size', flat=True)", ["big", "-", "old", "-", "old"]),
    ("a function of two columns", "Story.objects.annotate(line=Concat('section__name', Value('/'), 'slug')).filter(line__endswith='al').values_list('line', flat=True)", ["Sport/final"]),
    ("exists", "Section.objects.filter(~Exists(Story.objects.filter(section=OuterRef('pk'))))", ["Arts"]),
    ("the newest of each", "Section.objects.annotate(newest=Subquery(Story.objects.filter(section=OuterRef('pk')).order_by('-published').values('title')[:1])).values_list('newest', flat=True)", ["Flood", "Final", None]),
    # aggregates
    ("a count of partners", "Author.objects.annotate(n=Count('stories')).values_list('name', 'n')", [("Ann", 2), ("Bob", 2), ("Cid", 1)]),
    ("two counts side by side", "Story.objects.annotate(t=Count('tags'), c=Count('comments')).values_list('t', 'c')", [(2, 3), (1, 1), (0, 0), (1, 0), (0, 0)]),
    ("a count under a condition", "Story.objects.annotate(n=Count('comments', filter=Q(comments__score__gt=1))).filter(n__gt=0)", ["Flood", "Ferry"]),
    ("groups", "Story.objects.order_by().values_list('section').annotate(n=Count('pk'), w=Sum('weight'))", [(1, 3, 8), (2, 2, 4)]),
    ("groups that are large", "Story.objects.order_by().values_list('status').annotate(n=Count('pk')).filter(n__gt=1)", [("live", 4)]),
    ("what is counted is ordered by where it is selected", "Tag.objects.annotate(n=Count('stories', filter=Q(stories__weight__gt=3))).order_by('-n').values_list('slug', 'n')", [("sea", 1), ("ferry", 1), ("tax", 0)]),
    ("with NULL in another place", "Story.objects.annotate(m=Max('comments__score', filter=Q(comments__score__gt=1))).order_by(F('m').desc(nulls_first=True)).values_list('slug', 'm')[2:]", [("fair", None), ("flood", 5), ("ferry", 2)]),
    ("groups by a year", "Story.objects.order_by().values_list('published__year').annotate(n=Count('pk')).order_by('published__year')", [(2024, 1), (2025, 1), (2026, 3)]),
    ("totals", "Comment.objects.aggregate(n=Count('pk'), s=Sum('score'), m=Max('score'))", {"n": 4, "s": 8, "m": 5}),
    ("a total of nothing", "Comment.objects.filter(score__gt=9).aggregate(s=Sum('score', default=0))", {"s": 0}),
    # JSON
    ("a key", "Everything.objects.filter(json__views=5).values_list('pk', flat=True)", [1]),
    ("an index, and a key of what is there", "Everything.objects.filter(json__credit__0__name='AP').values_list('pk', flat=True)", [1]),
    ("null is not NULL", "Everything.objects.filter(json__views=None).values_list('pk', flat=True)", [2]),
    ("no document", "Everything.objects.filter(json=None).values_list('pk', flat=True)", [3]),
    ("a key of any letters", "Everything.objects.filter(**{'json__a%b': 'x_y'}).values_list('pk', flat=True)", [2]),
    ("a value in a document", "Everything.objects.exclude(json=None).values_list('json__views', flat=True)", [5, None]),
    # windows
    ("a rank", "Story.objects.annotate(r=Window(Rank(), partition_by='section', order_by='-weight')).order_by('pk').values_list('r', flat=True)", [1, 2, 1, 3, 2]),
    ("the best of each, by a window", "Story.objects.annotate(r=Window(RowNumber(), partition_by='section', order_by='-weight')).filter(r=1)", ["Flood", "Final"]),
    ("running totals", "Story.objects.order_by('pk').values_list(Window(Sum('weight'), order_by='pk'), flat=True)", [5, 8, 11, 11, 12]),
]  # fmt: skip


M = SimpleNamespace(**{model.__name__: model for model in conftest.MODELS})
NAMES = {**{name: getattr(models, name) for name in models.__all__}, **vars(M), "date": date, "timedelta": timedelta}
"""What the cases are written with."""


def ask(code: str) -> Any:
    """The answer, rows as what names them."""
    return _plain(eval(code, dict(NAMES)))


def _plain(found: Any) -> Any:
    if isinstance(found, models.Model):
        return next(getattr(found, name) for name in ("title", "text", "name") if hasattr(found, name))
    if isinstance(found, models.QuerySet | list):
        return [_plain(each) for each in found]
    return found


def fill() -> None:
    """Write the rows of the cases."""
    for position, name in enumerate(("Town", "Sport", "Arts")):
        M.Section.objects.create(name=name, slug=name.lower(), position=position)
    for name in ("Ann", "Bob", "Cid"):
        M.Author.objects.create(name=name, slug=name.lower())
    for name in ("sea", "ferry", "tax"):
        M.Tag.objects.create(name=name, slug=name)
    for title, section, editor, weight, status, published, expires in STORIES:
        M.Story.objects.create(
            title=title, slug=title.lower(), section_id=section, editor_id=editor, weight=weight, status=status,
            published=published, expires=expires,
        )  # fmt: skip
    for story, tag in TAGS:
        M.Story.objects.get(pk=story).tags.add(tag)
    for story, author, position in BYLINES:
        M.Byline.objects.create(story_id=story, author_id=author, position=position)
    for story, text, score, parent in COMMENTS:
        M.Comment.objects.create(story_id=story, text=text, score=score, parent_id=parent)
    for document in DOCUMENTS:
        M.Everything.objects.create(json=document)


@pytest.fixture(scope="module")
def filled(shared_database: Any) -> Iterator[Any]:
    conftest.number_anew(shared_database)
    with shared_database.counted() as queries:
        with entered(Scope(None, shared_database)):
            fill()
        yield shared_database
    conftest.empty(shared_database, queries)


@pytest.fixture
def room(filled: Any) -> Iterator[Any]:
    with entered(Scope(None, filled)):
        yield filled


def sent(database: Any, code: str) -> list[str]:
    """The statements that a case sends."""
    with database.counted() as statements:
        ask(code)
    return [" ".join(sql.split()) for sql in statements]


@pytest.mark.parametrize(("code", "answer"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_answer_is_that_of_the_hand(room: Any, code: str, answer: Any) -> None:
    assert ask(code) == answer


def test_the_sql_is_as_it_was_reviewed(room: Any) -> None:
    known = (FOLDER / f"cases.{room.dialect}.sql").read_text("utf-8")
    assert written(room) == known, "read what changed, and run: python -m tests.models.test_oracle"


def test_there_are_cases_enough() -> None:
    assert len(CASES) >= 60
    assert len({name for name, *_ in CASES}) == len({code for _, code, _ in CASES}) == len(CASES)


def written(database: Any) -> str:
    """The golden file of a database."""
    parts = [
        f"-- {name}\n-- {code}\n" + "".join(f"{sql};\n" for sql in sent(database, code)) for name, code, _ in CASES
    ]
    return "\n".join(parts)


def main() -> None:
    """Write the golden files of all databases that there are."""
    for url in conftest.URLS:
        database = conftest.make_database(url)
        with entered(Scope(None, database)):
            fill()
            (FOLDER / f"cases.{database.dialect}.sql").write_text(written(database), "utf-8")
        database.drop()
        sys.stdout.write(f"golden/cases.{database.dialect}.sql\n")


if __name__ == "__main__":
    main()
