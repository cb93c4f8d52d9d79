"""Expressions on the right side of comparisons: of every lookup, in lists, and questions that give one value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.tables import resolved
from toolkit import models
from toolkit.errors import FieldError
from toolkit.models import Case, Exists, F, Max, Now, OuterRef, Q, RawSQL, Subquery, Value, When
from toolkit.models.functions import Concat, ExtractYear, Lower
from toolkit.trace import READER, Scope, entered

from .conftest import KINDS, URLS, make_database

TEXTS: list[tuple[str | None, str | None]] = [
    ("100%", "0%"),
    ("100%", "0_"),
    ("a_b", "_"),
    ("aXb", "_"),
    ("c\\d", "\\"),
    ("c\\d", "\\\\"),
    ("Straße", "STRASSE"),
    ("Größe", "größ"),
    ("'", "'"),
    ("same", "same"),
    ("", ""),
    ("x", ""),
    (None, "x"),
    ("x", None),
]
LOOKUPS: dict[str, Callable[[str, str], bool]] = {
    "exact": lambda left, right: left == right,
    "iexact": lambda left, right: left.casefold() == right.casefold(),
    "contains": lambda left, right: right in left,
    "icontains": lambda left, right: right.casefold() in left.casefold(),
    "startswith": lambda left, right: left.startswith(right),
    "istartswith": lambda left, right: left.casefold().startswith(right.casefold()),
    "endswith": lambda left, right: left.endswith(right),
    "iendswith": lambda left, right: left.casefold().endswith(right.casefold()),
    "gt": lambda left, right: left > right,
    "gte": lambda left, right: left >= right,
    "lt": lambda left, right: left < right,
    "lte": lambda left, right: left <= right,
}


@pytest.fixture
def texts(m: Any, scope: Any) -> Any:
    m.Everything.objects.bulk_create([m.Everything(char=a, text=b, positive=n) for n, (a, b) in enumerate(TEXTS)])
    return m.Everything.objects.order_by("positive")


@pytest.mark.parametrize("lookup", LOOKUPS)
def test_a_text_is_compared_with_that_of_another_column(texts: Any, lookup: str) -> None:
    met = [n for n, (a, b) in enumerate(TEXTS) if a is not None and b is not None and LOOKUPS[lookup](a, b)]
    others = [n for n in range(len(TEXTS)) if n not in met]
    condition = {f"char__{lookup}": F("text")}
    assert list(texts.filter(**condition).values_list("positive", flat=True)) == met
    assert list(texts.exclude(**condition).values_list("positive", flat=True)) == others
    assert list(texts.filter(~Q(**condition)).values_list("positive", flat=True)) == others


def test_a_regular_expression_may_be_one_of_a_column(texts: Any) -> None:
    whole = Concat(Value("^"), Lower(Value("SAME")), Value("$"))
    assert texts.filter(char__regex=whole).get().text == "same"
    assert texts.filter(char__iregex=Concat(Value("^"), Value("strasse|SAME"), Value("$"))).count() == 1


def test_numbers_and_dates_are_searched_as_text(m: Any, scope: Any) -> None:
    m.Everything.objects.create(integer=1200, positive=20, char="2026-03", date=date(2026, 3, 1))
    m.Everything.objects.create(integer=1300, positive=20, char="2026-04", date=date(2026, 3, 1))
    assert m.Everything.objects.filter(integer__contains=F("positive")).get().integer == 1200
    assert m.Everything.objects.filter(date__startswith=F("char")).get().integer == 1200
    assert m.Everything.objects.filter(char__contains=F("positive")).count() == 2
    assert m.Everything.objects.filter(char__icontains=RawSQL("1 + 2", ())).get().integer == 1200


def test_lists_and_ranges_have_expressions_among_their_values(m: Any, scope: Any) -> None:
    rows = [(1, 1), (2, 5), (3, 3), (4, 2), (5, None), (None, 3)]
    m.Everything.objects.bulk_create([m.Everything(integer=a, small=b) for a, b in rows])
    ask = m.Everything.objects.order_by("integer")
    assert list(ask.filter(integer__in=[F("small"), 5]).values_list("integer", flat=True)) == [1, 3, 5]
    assert list(ask.exclude(integer__in=[F("small"), 5]).values_list("integer", flat=True)) == [None, 2, 4]
    assert ask.filter(integer__in=[F("small") + 1, None]).count() == 0
    assert list(ask.filter(integer__range=(F("small"), 3)).values_list("integer", flat=True)) == [1, 3]
    assert list(ask.filter(integer__range=(2, F("small"))).values_list("integer", flat=True)) == [2, 3]
    assert ask.filter(integer__range=(F("small"), F("small") + 2)).count() == 3


def test_dates_and_instants_meet_at_midnight(m: Any, scope: Any) -> None:
    day = date(2026, 3, 1)
    for hours in (0, 7):
        m.Everything.objects.create(date=day, instant=datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hours))
    ask = m.Everything.objects
    assert ask.filter(date=F("instant")).count() == ask.filter(instant=F("date")).count() == 1
    assert ask.filter(date__lt=F("instant")).count() == ask.exclude(instant__lte=F("date")).count() == 1
    assert ask.filter(instant__date=F("date"), instant__year=F("date__year")).count() == 2
    assert ask.filter(instant__year__lte=ExtractYear(Now())).count() == 2
    assert ask.filter(instant__date__in=[F("date"), day]).count() == 2


def test_a_queryset_gives_one_value_to_compare_with(m: Any, newsroom: Any) -> None:
    heaviest = m.Story.objects.order_by("-weight").values("weight")
    assert m.Story.objects.filter(weight=heaviest[:1]).count() == 4
    assert m.Story.objects.filter(weight__lt=heaviest).count() == 16
    assert m.Story.objects.exclude(weight__gte=m.Story.objects.none().values("weight")).count() == 20
    assert m.Story.objects.filter(title__contains=m.Tag.objects.filter(slug="x").values("name")[:1]).count() == 0
    last = m.Story.objects.filter(section=OuterRef("section")).order_by("-published")
    assert {s.slug for s in m.Story.objects.filter(pk=last.values("pk")[:1])} == {"story-0", "story-1", "story-2"}
    assert {s.slug for s in m.Story.objects.filter(pk=Subquery(last.values("pk")))} == {"story-0", "story-1", "story-2"}
    with pytest.raises(FieldError, match=r"may give many rows\. Write weight__in="):
        m.Story.objects.filter(weight=heaviest)


def test_choices_and_conditions_stand_on_the_right(m: Any, newsroom: Any) -> None:
    chosen = Case(When(section__slug="section-0", then=4), default=0)
    assert m.Story.objects.filter(weight=chosen).count() == 3
    assert m.Section.objects.filter(visible=Q(position__lt=2)).count() == 3
    with_story = Exists(m.Story.objects.filter(section=OuterRef("pk"), weight=4))
    assert m.Section.objects.filter(visible=with_story).count() == 2


@pytest.mark.parametrize(
    ("lookups", "told"),
    [
        ({"char": F("integer")}, "char: str cannot be compared with int. Say Cast"),
        ({"integer": Q(char="x")}, "integer: int cannot be compared with bool"),
        ({"integer__in": [F("char"), 1]}, "integer__in: int cannot be compared with str"),
        ({"date__in": [F("instant")]}, "date__in: date cannot be compared with datetime"),
        ({"char__contains": F("boolean")}, "char__contains: str cannot be compared with bool"),
        ({"char__contains": F("json__name")}, "char__contains: str cannot be compared with JSON"),
        ({"json__contains": F("char")}, "an expression cannot stand behind 'contains'"),
        ({"json__has_key": F("char")}, "an expression cannot stand behind 'has_key'"),
    ],
)
def test_what_cannot_be_compared_is_refused(m: Any, scope: Any, lookups: dict[str, Any], told: str) -> None:
    with pytest.raises(FieldError, match=told):
        m.Everything.objects.filter(**lookups).exists()


class NearNameField(models.CharField[Any]):
    """A kind of text with a lookup of its own."""


@NearNameField.register_lookup
class Shorter(models.Lookup):
    """Whether it has fewer letters."""

    lookup_name = "shorter"
    takes_expressions = True

    @classmethod
    def build(cls, context: Any) -> Any:
        import sqlalchemy as sa

        return sa.func.length(context.column) < sa.func.length(context.bind(context.write()))


class House(models.Model):
    name = NearNameField(max_length=20)
    owner = models.CharField(max_length=20, default="")
    shown = models.BooleanField(default=True)

    class Meta:
        public = Q(shown=True) & Q(owner__in=["Ann", F("name")])


class Room(models.Model):
    house = models.ForeignKey(House, on_delete=models.CASCADE, related_name="rooms")
    name = models.CharField(max_length=20)

    class Meta:
        public = Q(Exists(House.objects.filter(pk=OuterRef("house"), name__startswith=OuterRef("house__owner"))))


VILLAGE = resolved({"village": [House, Room]})


@pytest.fixture(params=URLS, ids=KINDS)
def village(request: pytest.FixtureRequest) -> Any:
    database = make_database(request.param, VILLAGE)
    with entered(Scope(None, database)):
        houses = [House(name="Mill", owner="Ann"), House(name="Inn", owner="Inn"), House(name="Hut", owner="Bob")]
        House.objects.bulk_create([*houses, House(name="Den", owner="Den", shown=False)])
        Room.objects.bulk_create([Room(house=house, name=f"of {house.name}") for house in houses])
    yield database
    database.drop()


def test_a_lookup_of_your_own_takes_expressions_if_it_says_so(village: Any) -> None:
    with entered(Scope(None, village)):
        assert {house.name for house in House.objects.filter(name__shorter=F("owner"))} == set()
        assert House.objects.filter(name__shorter=Concat("owner", Value("!"))).count() == 3


def test_what_is_public_may_be_said_with_expressions(village: Any) -> None:
    with entered(Scope(None, village, READER)):
        assert {house.name for house in House.objects.all()} == {"Mill", "Inn"}
        with village.counted() as queries:
            assert [room.name for room in Room.objects.all()[:1]] == ["of Inn"]
        assert "IN (SELECT" not in queries[0]  # which would find all rooms that are public before the first is given
        assert House.objects.annotate(n=Max("rooms__name")).filter(n__isnull=False).get().name == "Inn"
        assert {house.name for house in House.objects.filter(rooms__name__contains="o")} == {"Inn"}


def test_the_names_of_a_condition_are_those_of_its_expressions_too() -> None:
    chosen = Case(When(a__gt=1, then=F("b")), default=F("c__d"))
    inner = House.objects.filter(name=OuterRef("e__f"), owner=F("name"))
    said = Q(x__in=[F("g"), 1], y__range=(1, F("h")), z=chosen) & Q(Exists(inner)) & Q(k__in=inner, n=inner[:1])
    assert said.names() == {"x__in", "y__range", "z", "a__gt", "b", "c__d", "e__f", "g", "h", "k__in", "n"}
