"""What stands for a subject: it differs where a page can see a difference, and there is none if it cannot tell all."""

from __future__ import annotations

import functools
import itertools
import re
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from io import BytesIO
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from markupsafe import Markup

from toolkit.models import Count, F, Prefetch, Q
from toolkit.pages.likeness import MOST, describe_subjects
from toolkit.testing import temporary_site


def digest_of(value: Any) -> bytes | None:
    return describe_subjects({1: value})[1].digest


class Colour(Enum):
    RED = 1
    BLUE = 2


class Plain:
    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


class Other(Plain):
    pass


class Slotted:
    __slots__ = ("__dict__", "a")

    def __init__(self, a: int, **more: Any) -> None:
        self.a = a
        self.__dict__.update(more)


class Hiding:
    """Pickles without what it has."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __getstate__(self) -> dict[str, Any]:
        return {}


@dataclass
class Month:
    year: int
    told: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Frozen:
    year: int


class HalfSlotted:
    __slots__ = ("more", "year")

    def __init__(self, year: int, more: int | None = None) -> None:
        self.year = year
        if more is not None:
            self.more = more


class Pair(NamedTuple):
    a: int
    b: int


class Counted(str):
    """A text with an attribute."""

    count = 0


AWARE = datetime(2026, 3, 1, 12, tzinfo=UTC)
MADRID = AWARE.astimezone(ZoneInfo("Europe/Madrid"))
Local = type("Local", (Plain,), {"__qualname__": "make.<locals>.Local"})
NAIVE = AWARE.replace(tzinfo=None)
UNLIKE_PAIRS: list[tuple[Any, Any]] = [
    (1, True), (1, 1.0), (0.0, -0.0), (1, "1"), ("a", b"a"), (None, "None"), (2**70, str(2**70)), (2**70, 2**70 + 1),
    ([1], (1,)), ([1], {1}), ({1}, frozenset({1})), ({}, []), ([], ()), ([[1], 2], [1, [2]]), ([1], deque([1])),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ({"a": 1}, {"a": 2}), ({1: 1}, {"1": 1}), ({"a": 1}, OrderedDict(a=1)),
    (Counter("aab"), {"a": 2, "b": 1}), ("a", Markup("a")), (Decimal("1.0"), Decimal("1.00")), (Decimal(1), 1),
    (date(2026, 3, 1), NAIVE), (NAIVE, NAIVE.replace(tzinfo=UTC)), (AWARE, MADRID),
    (AWARE, AWARE.replace(tzinfo=timezone(timedelta(0), "GMT"))), (time(1), time(1, tzinfo=UTC)),
    (datetime(2026, 10, 25, 1, 30, tzinfo=ZoneInfo("Europe/London")),
     datetime(2026, 10, 25, 1, 30, fold=1, tzinfo=ZoneInfo("Europe/London"))),
    (timedelta(1), timedelta(hours=1)), (UUID(int=1), str(UUID(int=1))), (range(3), [0, 1, 2]), (Colour.RED, 1),
    (Colour.RED, Colour.BLUE), (Path("a"), PurePosixPath("a")), (Plain(a=1), Other(a=1)), (Plain(a=1), Plain(a=2)),
    (Plain(a=1), {"a": 1}), (Slotted(1, b=2), Slotted(1, b=3)), (Slotted(1), Slotted(2)), (Month(1), Month(2)),
    (Month(1, {"a": 1}), Month(1, {"a": 2})), (Frozen(1), Frozen(2)), (HalfSlotted(1), HalfSlotted(1, 2)),
    (SimpleNamespace(a=1), SimpleNamespace(a=2)), (Pair(1, 2), (1, 2)), (Pair(1, 2), Pair(2, 1)),
    (["again", 0], [["again", 0]]), (Plain, Other), (int, "int"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), UNLIKE_PAIRS)
def test_what_a_page_can_tell_apart_has_another_digest(one: Any, other: Any) -> None:
    found = {digest_of(one), digest_of(other), digest_of({"x": [one]}), digest_of({"x": [other]})}
    assert None not in found
    assert len(found) == 4


@pytest.mark.parametrize("value", [side for pair in UNLIKE_PAIRS for side in pair])
def test_the_same_made_anew_has_the_same_digest(value: Any) -> None:
    again = Plain(**vars(value)) if type(value) is Plain else value
    assert digest_of([value]) == digest_of([again])


@pytest.mark.parametrize(
    "value",
    [
        print, lambda: 1, Local, re.compile("a"), itertools.count(), (each for each in "a"), iter([]),
        Hiding(1), functools.partial(print), defaultdict(list), Counted("a"), ValueError("a"), "\ud800", Local(),
        AWARE.replace(tzinfo=ZoneInfo.from_file(BytesIO(Path("/usr/share/zoneinfo/UTC").read_bytes()))),
        [[0] for _ in range(MOST + 1)], functools.reduce(lambda inner, _: [inner], range(100), []),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_nothing_stands_for_what_may_hold_more_than_is_seen(value: Any) -> None:
    assert digest_of(value) is None
    assert digest_of({"a": [value]}) is None


def test_what_holds_itself_is_told_by_where() -> None:
    loop: dict[str, Any] = {"a": 1}
    loop["self"] = loop
    deeper: dict[str, Any] = {"a": 1, "self": {"a": 1}}
    deeper["self"]["self"] = deeper
    inner: dict[str, Any] = {"a": 1, "self": {"a": 1}}
    inner["self"]["self"] = inner["self"]
    assert len({digest_of(loop), digest_of(deeper), digest_of(inner), None}) == 4


def test_a_list_of_all_that_each_has_is_not_gone_through_for_each() -> None:
    everything = [{"number": number} for number in range(2000)]
    found = describe_subjects({number: {"number": number, "all": everything} for number in range(1000)})
    assert found[0].digest is not None
    assert found[999].digest is None


# rows

MODELS = """
class Author(models.Model):
    name = models.CharField(max_length=20)

class Story(models.Model):
    slug = models.SlugField(unique=True)
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="stories")
    file = models.FileField(blank=True)
"""


@pytest.fixture
def models(tmp_path: Path) -> Iterator[Any]:
    with temporary_site(tmp_path, models=MODELS) as site:
        found = {model.__name__: model for model in site.models}
        author = found["Author"].objects.create(name="Ada")
        found["Story"].objects.create(slug="one", author=author, file="a.txt")
        found["Story"].objects.create(slug="two", author=author)
        yield SimpleNamespace(**found)


def test_a_row_is_told_by_all_that_it_holds(models: Any) -> None:
    rows = models.Story.objects

    def first(**values: Any) -> Any:
        row = rows.select_related("author").get(slug="one")
        for name, value in values.items():
            setattr(row, name, value)
        return row

    renamed = first()
    renamed.author.__dict__["rank"] = 7
    told = [
        first(), first(rank=1), first(rank=2), first(slug="three"), first(follows=rows.get(slug="two")), renamed,
        rows.get(slug="one"), rows.only("slug").get(slug="one"), rows.get(slug="two"),
    ]  # fmt: skip
    assert len({digest_of(row) for row in told} - {None}) == len(told)
    assert digest_of(first(rank=1)) == digest_of(told[1])


def test_rows_are_named_wherever_they_are_but_for_those_that_rows_refer_to(models: Any) -> None:
    one, two = models.Story.objects.select_related("author")
    one.follows = two
    assert describe_subjects({1: {"story": one, "ask": lambda: 0}})[1].rows == (one, two)
    assert describe_subjects({1: Plain(stories=[two])})[1].rows == (two,)


def test_rows_that_belong_to_a_row_are_told_with_it_but_not_those_of_a_question(models: Any) -> None:
    author = models.Author.objects.prefetch_related(
        Prefetch("stories", queryset=models.Story.objects.filter(slug="one"), to_attr="found")
    ).get()
    assert digest_of(author) is None
    whole = models.Author.objects.prefetch_related("stories").get()
    before = digest_of(whole)
    next(iter(whole.stories.all())).__dict__["rank"] = 1
    assert before is not None
    assert digest_of(whole) not in (before, None)


def test_querysets_are_told_by_what_they_ask(models: Any) -> None:
    one, author = models.Story.objects.get(slug="one"), models.Author.objects.get()

    def questions() -> list[Any]:
        rows = models.Story.objects
        return [
            rows.all(), models.Author.objects.all(), rows.filter(slug="one"), rows.filter(slug="two"),
            rows.filter(Q(slug="one") | Q(slug="two")), rows.filter(Q(slug="one") & Q(slug="two")),
            rows.exclude(slug="one"), rows.order_by("slug"), rows.order_by("-slug"), rows.order_by("slug")[:1],
            rows.order_by("slug")[1:2], rows.values("slug"), rows.values_list("slug"),
            models.Author.objects.annotate(n=Count("stories")),
            models.Author.objects.annotate(n=Count("stories", distinct=True)),
            rows.annotate(n=F("pk") + 1), rows.annotate(n=F("pk") + 2), rows.select_related("author"),
            rows.prefetch_related("author"), rows.only("slug"), rows.filter(author=author), author.stories.all(),
            author.stories.filter(slug="one"), rows.filter(pk=one.pk), rows.distinct(), rows.none(),
            rows.filter(author__in=models.Author.objects.filter(name="Ada")),
            rows.filter(author__in=models.Author.objects.filter(name="Bob")),
        ]  # fmt: skip

    told = [digest_of({"stories": each}) for each in questions()]
    assert [place for place, each in enumerate(told) if each is None] == []
    assert len(set(told)) == len(told)
    again = questions()
    for each in again:
        list(each)
    others = [place for place, each in enumerate(again) if digest_of({"stories": each}) != told[place]]
    assert others == [20, 21, 22]  # those of the author, who keeps what was asked
