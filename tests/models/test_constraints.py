"""A constraint is told of in the same words before a row is written and when the database refuses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from sqlalchemy.schema import CreateIndex, CreateTable

from tests.tables import opened_with, resolved
from toolkit import models
from toolkit.errors import DeclarationError, IntegrityError, ValidationError
from toolkit.models import F, Now, Q
from toolkit.models.functions import Lower
from toolkit.models.resolve import resolve_models
from toolkit.models.schema import Schema
from toolkit.trace import READER, Scope, entered

AGREEMENT = "An event ends after it starts"


class Place(models.Model):
    name = models.CharField(max_length=40, unique=True)
    email = models.EmailField(max_length=60, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(name="nowhere"), name="place_somewhere")]


class Event(models.Model):
    title = models.CharField(max_length=40)
    slug = models.SlugField()
    place = models.ForeignKey(Place, on_delete=models.CASCADE, null=True, blank=True)
    day = models.DateField(null=True, blank=True)
    starts = models.IntegerField(default=0)
    ends = models.IntegerField(null=True, blank=True)
    price = models.DecimalField(max_digits=6, decimal_places=2, default=Decimal("0"))
    shown = models.BooleanField(default=True)

    class Meta:
        public = Q(shown=True)
        constraints = [
            models.UniqueConstraint(fields=["place", "day"], name="event_once_a_day"),
            models.UniqueConstraint(
                fields=["slug"],
                name="event_slug",
                violation_error_message="Choose another short name: %(name)s",
                violation_error_code="taken",
            ),
            models.CheckConstraint(
                condition=Q(ends__gt=F("starts")), name="event_ends", violation_error_message=AGREEMENT
            ),
            models.CheckConstraint(condition=Q(price__gte=Decimal("0.00")) & Q(price__lt=1000), name="event_price"),
            models.CheckConstraint(condition=~Q(title__contains="50%: 'it'"), name="event_title"),
        ]

    def clean(self) -> None:
        if self.title == "cancelled":
            raise ValidationError({"title": "a cancelled event has another title", "day": ["no day", "at all"]})
        if self.title == "odd":
            raise ValidationError("an odd event")


class Room(models.Model):
    number = models.IntegerField(primary_key=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(number__gt=0), name="room_number")]


class Stall(models.Model):
    """What is checked are values that the database gives."""

    name = models.CharField(max_length=20, db_default="Market 50%")
    size = models.IntegerField(db_default=5)
    word = models.GeneratedField(
        expression=Lower(F("name")), output_field=models.CharField(max_length=20), db_persist=True
    )
    opened = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["word"], name="stall_word"),
            models.CheckConstraint(condition=~Q(word="nowhere"), name="stall_somewhere"),
            models.CheckConstraint(condition=Q(size__lt=9) | Q(name="Market 50%"), name="stall_size"),
        ]


class Tax(models.Model):
    """Its names have what stands for a value in a statement."""

    rate = models.IntegerField(primary_key=True, db_column="rate%")
    name = models.CharField(max_length=20, unique=True)

    class Meta:
        db_table = "tax_in_%s"


class Sheet(models.Model):
    facts = models.JSONField()
    word = models.CharField(max_length=20, default="Abc")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(facts__has_key='a"\\'), name="sheet_key"),
            models.CheckConstraint(condition=Q(facts__n__gt=2), name="sheet_number"),
            models.CheckConstraint(condition=Q(word__iregex="^a"), name="sheet_word"),
        ]


MODELS = resolved({"town": [Place, Event, Room, Stall, Tax, Sheet]})


@contextmanager
def tables(database: Any, *declared: Any) -> Iterator[Scope]:
    """The tables of some models beside those of the newsroom, and a scope over both."""
    before = database.schema, dict(database.shapes), dict(database.lookups)
    database.schema = Schema([*database.schema.models, *declared], database.dialect)
    made = [database.schema.table(model) for model in declared]
    try:
        for table in made:
            database.execute(str(CreateTable(table).compile(dialect=database.sqlalchemy_dialect)))
            for index in table.indexes:
                database.execute(str(CreateIndex(index).compile(dialect=database.sqlalchemy_dialect)))
        with entered(Scope(None, database)) as scope:
            yield scope
    finally:
        for model in reversed(declared):
            database.execute(f"DROP TABLE IF EXISTS {model._meta.table}")
        database.schema = before[0]
        database.shapes.clear()
        database.lookups.clear()


@pytest.fixture
def town(database: Any) -> Iterator[Scope]:
    with tables(database, Place, Event) as scope:
        yield scope


def test_a_percent_sign_in_a_name_is_none_of_a_value(shared_database: Any) -> None:
    database = opened_with(shared_database.url, [Tax])
    try:
        with entered(Scope(None, database)):
            first, second = Tax(rate=7, name="food"), Tax(rate=19, name="food")
            for tax in (first, second):
                tax.full_clean()
            first.save()
            first.full_clean()
            with pytest.raises(ValidationError, match="Tax with this name already exists"):
                second.full_clean()
    finally:
        database.drop()


def test_a_constraint_may_name_a_key_that_is_a_number(database: Any) -> None:
    """MariaDB takes none on a column that it counts, so it counts none but those of an ``AutoField``."""
    with tables(database, Room):
        Room.objects.create(number=7)
        refused_twice(Room(number=-1))
        assert list(Room.objects.values_list("pk", flat=True)) == [7]


def test_keys_and_numbers_of_json_and_patterns_stand_in_constraints(database: Any) -> None:
    with tables(database, Sheet):
        right = {'a"\\': None, "n": 3}
        Sheet.objects.create(facts=right)
        for wrong in ({"facts": {"a": 1}}, {"facts": right | {"n": 2}}, {"facts": right, "word": "cab"}):
            with pytest.raises(IntegrityError, match="the constraint sheet_"):
                Sheet.objects.create(**wrong)


def test_values_that_the_database_gives_are_checked_before(database: Any) -> None:
    with tables(database, Stall):
        first = Stall()
        first.full_clean()
        first.save()
        assert (first.size, first.word) == (5, "market 50%")
        refused_twice(Stall())
        refused_twice(Stall(name="MARKET 50%"))
        refused_twice(Stall(name="NoWhere"))
        refused_twice(Stall(name="Large", size=9))
        Stall(name="Small").full_clean()
        Stall(name="MARKET 50%").full_clean(exclude=["name"])
        first.name = "Nowhere"
        refused_twice(first)


def event(**values: Any) -> Event:
    return Event(**{"title": "Fair", "slug": "fair", **values})


def refused_twice(row: Any) -> tuple[ValidationError, IntegrityError]:
    """What ``full_clean()`` says of a row, and the database."""
    with pytest.raises(ValidationError, match=r".") as before:
        row.full_clean()
    with pytest.raises(IntegrityError, match=r".") as after:
        row.save()
    return before.value, after.value


BROKEN: dict[str, tuple[Callable[[], Any], str, str, str, str]] = {
    "unique field": (lambda: Place(name="Hall"), "name", "Place with this name already exists", "unique", ""),
    "unique fields": (
        lambda: event(slug="x", place=Place.objects.get(name="Hall"), day=date(2026, 3, 1)),
        "__all__",
        "Event with this place, day already exists",
        "unique_together",
        "event_once_a_day",
    ),
    "own message": (lambda: event(), "__all__", "Choose another short name: event_slug", "taken", "event_slug"),
    "check": (lambda: event(slug="x", starts=3, ends=3), "__all__", AGREEMENT, "invalid", "event_ends"),
    "range": (
        lambda: event(slug="x", price=Decimal("1000")),
        "__all__",
        "the constraint event_price is broken",
        "invalid",
        "event_price",
    ),
    "negated": (
        lambda: Place(name="nowhere"),
        "__all__",
        "the constraint place_somewhere is broken",
        "invalid",
        "place_somewhere",
    ),
    "signs": (
        lambda: event(slug="x", title="for 50%: 'it'"),
        "__all__",
        "the constraint event_title is broken",
        "invalid",
        "event_title",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_the_model_and_the_database_say_the_same(town: Scope, kind: str) -> None:
    make, field, message, code, name = BROKEN[kind]
    hall = Place.objects.create(name="Hall")
    event(place=hall, day=date(2026, 3, 1)).save()
    before, after = refused_twice(make())
    assert before.message_dict == {field: [message]}
    assert [error.code for error in before.error_list] == [code]
    assert after.message == message
    assert str(after) == f"{message}. Nothing was written."
    assert after.validation is not None
    assert after.validation.message_dict == before.message_dict
    assert [error.code for error in after.validation.error_list] == [code]
    assert after.constraint == (name or "town_place_name_key")


def test_what_is_unknown_breaks_nothing(town: Scope) -> None:
    hall = Place.objects.create(name="Hall")
    for number in range(2):
        row = event(slug=f"s{number}", place=hall, day=None, ends=None)
        row.full_clean()
        row.save()
    assert Event.objects.count() == 2


def test_a_row_is_not_compared_with_itself(town: Scope) -> None:
    row = event(place=Place.objects.create(name="Hall"), day=date(2026, 3, 1))
    row.full_clean()
    row.save()
    row.full_clean()
    Event.objects.get().full_clean()
    Place.objects.get().full_clean()


def test_a_hidden_row_counts_though_the_viewer_does_not_see_it(town: Scope) -> None:
    event(shown=False).save()
    with entered(Scope(None, town.database, READER)):
        assert not Event.objects.exists()
        before, after = refused_twice(event(shown=False))
    assert before.messages == [after.message] == ["Choose another short name: event_slug"]


def test_all_that_is_wrong_is_told_at_once_by_field(town: Scope) -> None:
    event().save()
    row = event(title="cancelled", starts="many", price=Decimal("-1"))
    with pytest.raises(
        ValidationError, match="Event: starts: 'many' is not a whole number; title: a cancelled"
    ) as told:
        row.full_clean()
    assert told.value.message_dict == {
        "starts": ["'many' is not a whole number"],
        "title": ["a cancelled event has another title"],
        "day": ["no day", "at all"],
        "__all__": ["Choose another short name: event_slug", "the constraint event_price is broken"],
    }


def test_what_may_be_left_empty_is_given_a_value_by_clean(town: Scope) -> None:
    """As in Django: a field that is ``blank`` and never NULL is passed over, and ``clean()`` supplies it."""

    class Offer(models.Model):
        price = models.IntegerField(blank=True)
        until = models.DateField(auto_now_add=True)
        seats = models.IntegerField()

        def clean(self) -> None:
            self.price = 7 if self.price is None else self.price

    resolved({"offers": [Offer]})
    offer = Offer(seats=1)
    offer.full_clean(validate_unique=False, validate_constraints=False)
    assert offer.price == 7
    with pytest.raises(ValidationError, match=r"^Offer: seats: a value is required$"):
        Offer().full_clean(validate_unique=False, validate_constraints=False)


def test_what_is_excluded_is_not_looked_at(town: Scope) -> None:
    event(price=Decimal("1")).save()
    row = event(starts="many", price=Decimal("-1"))
    row.full_clean(exclude=["starts", "slug", "price"])
    row.full_clean(exclude=["starts", "price"], validate_constraints=False)
    event(slug="other", price=Decimal("1")).full_clean(None)
    event(slug="other", price=Decimal("1")).clean_fields(exclude=None)
    for check in (row.full_clean, row.clean_fields):  # None is what overrides hand on
        with pytest.raises(ValidationError, match="'many' is not a whole number"):
            check(None)
    with pytest.raises(ValidationError, match="event_price"):
        row.full_clean(exclude=["starts", "slug"])
    hall = Place(name=Place.objects.create(name="Hall").name)
    hall.full_clean(validate_unique=False)
    hall.full_clean(exclude=["name"])


def test_an_error_of_clean_is_of_the_row_as_a_whole(town: Scope) -> None:
    with pytest.raises(ValidationError, match="Event: an odd event") as told:
        event(title="odd").full_clean()
    assert told.value.message_dict == {"__all__": ["an odd event"]}


def test_a_key_that_is_taken_is_told(town: Scope) -> None:
    Place.objects.create(pk=7, name="Hall")
    with pytest.raises(ValidationError, match="id: Place with this id already exists"):
        Place(pk=7, name="Other").full_clean()


def test_a_missing_value_is_told_by_its_field(town: Scope) -> None:
    row = Place(name="Hall")
    row.__dict__["name"] = None
    with pytest.raises(IntegrityError, match=r"Place\.name: a value is required\. Nothing was written") as told:
        row.save()
    assert told.value.kind == "not_null"
    assert told.value.fields == ("name",)
    assert told.value.validation is not None
    assert told.value.validation.message_dict == {"name": ["a value is required"]}


def test_bulk_and_update_say_the_same(town: Scope) -> None:
    event().save()
    with pytest.raises(IntegrityError, match="Choose another short name"):
        Event.objects.bulk_create([event(slug="other"), event()])
    assert Event.objects.count() == 1
    with pytest.raises(IntegrityError, match=AGREEMENT):
        Event.objects.update(starts=5, ends=4)


# conditions and expressions


class Draft(models.Model):
    title = models.CharField(max_length=40)
    state = models.CharField(max_length=10, default="live")
    weight = models.IntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["title"], condition=Q(state="live"), name="draft_one_live"),
            models.UniqueConstraint(F("weight") + 0, "state", name="draft_weight", violation_error_message="weighed"),
        ]


def test_a_condition_limits_whom_a_row_must_differ_from(database: Any) -> None:
    resolve_models({"town": [Draft]})
    with tables(database, Draft):
        Draft(title="a").save()
        Draft(title="a", state="old").full_clean()
        Draft(title="a", state="old").save()
        Draft(title="a", state="old").save()
        before, after = refused_twice(Draft(title="a"))
        assert before.message_dict == {"title": ["Draft with this title already exists"]}
        assert after.validation is not None
        assert after.validation.message_dict == before.message_dict
        assert after.constraint == "draft_one_live"


def test_expressions_may_be_unique(database: Any) -> None:
    resolve_models({"town": [Draft]})
    with tables(database, Draft):
        Draft(title="a", weight=3).save()
        Draft(title="b", weight=4).full_clean()
        before, after = refused_twice(Draft(title="c", weight=3))
        assert before.message_dict == {"__all__": ["weighed"]}
        assert after.message == "weighed"
        assert after.constraint == "draft_weight"
        assert set(after.fields) == {"weight", "state"}


class Dated(models.Model):
    slug = models.SlugField()
    day = models.DateField(null=True)


@pytest.mark.parametrize(
    ("kind", "same", "other"),
    [
        ("date", date(2026, 3, 1), date(2026, 3, 2)),
        ("month", date(2025, 3, 9), date(2026, 4, 1)),
        ("year", date(2026, 8, 9), date(2025, 3, 1)),
    ],
)
def test_a_slug_may_be_unique_for_a_date(
    database: Any, monkeypatch: pytest.MonkeyPatch, kind: str, same: date, other: date
) -> None:
    resolve_models({"town": [Dated]})
    monkeypatch.setattr(Dated._meta.get_field("slug"), f"unique_for_{kind}", "day", raising=False)
    with tables(database, Dated):
        Dated.objects.create(slug="a", day=date(2026, 3, 1))
        Dated(slug="a", day=other).full_clean()
        Dated(slug="b", day=same).full_clean()
        Dated(slug="a", day=None).full_clean(exclude=["day"])
        with pytest.raises(ValidationError, match=f"slug must be unique for day: the same {kind} has one") as told:
            Dated(slug="a", day=same).full_clean()
        assert told.value.errors["slug"][0].code == "unique_for_date"
        Dated.objects.get().full_clean()


# what PostgreSQL alone can do


class Shift(models.Model):
    desk = models.CharField(max_length=10)
    number = models.IntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["number"], name="shift_number", deferrable=models.Deferrable.DEFERRED),
            models.UniqueConstraint(fields=["desk", "number"], name="shift_place", nulls_distinct=False),
        ]


def test_a_deferrable_constraint_waits_for_the_end(database: Any) -> None:
    if database.dialect != "postgresql":
        resolve_models({"town": [Shift]})
        told = [str(problem) for problem in Schema([Shift], database.dialect).problems()]
        assert any("cannot keep the UniqueConstraint 'shift_number': deferrable" in one for one in told)
        assert any("cannot keep the UniqueConstraint 'shift_place': nulls_distinct=False" in one for one in told)
        return
    resolve_models({"town": [Shift]})
    with tables(database, Shift) as scope:
        first, second = Shift.objects.create(desk="a", number=1), Shift.objects.create(desk="b", number=2)
        with scope.database.atomic():
            first.number, second.number = 2, 1
            first.save()
            second.save()
        before, after = refused_twice(Shift(desk="c", number=1))
        assert before.messages == [after.message] == ["Shift with this number already exists"]
        Shift.objects.create(desk="d", number=None)
        before, after = refused_twice(Shift(desk="d", number=None))
        assert before.messages == [after.message] == ["Shift with this desk, number already exists"]


# declarations


_numbers = count()


def declared(**meta: Any) -> list[str]:
    kind: Any = type(models.Model)
    one = kind(
        "One",
        (models.Model,),
        {
            "__module__": __name__,
            "Meta": type("Meta", (), meta),
            "name": models.CharField(max_length=9),
            "event": models.ForeignKey(Event, on_delete=models.CASCADE, related_name=f"ones_{next(_numbers)}"),
        },
    )
    found, problems = resolve_models({"town": [Place, Event, one]})
    told = [str(problem) for problem in problems]
    if not problems:
        try:
            Schema(found, "sqlite").table(one)
        except DeclarationError as error:
            told.append(str(error))
    return told


def test_names_are_checked_when_the_site_is_prepared() -> None:
    def check(condition: Any, name: str = "c") -> models.CheckConstraint:
        return models.CheckConstraint(condition=condition, name=name)

    assert not declared(constraints=[check(Q(name="a"))])
    assert "has no field 'nmae'" in declared(constraints=[check(Q(nmae="a"))])[0]
    assert "has no field 'nmae'" in declared(constraints=[models.UniqueConstraint(F("nmae") + 1, name="c")])[0]
    assert "looks at town_event" in declared(constraints=[check(Q(event__slug="a"))])[0]
    assert "Now() and the locale change" in declared(constraints=[check(Q(event__day__lt=Now()))])[0]
    assert "has twice a constraint or index named" in declared(constraints=[check(Q(name="a")), check(Q(name="b"))])[0]
    assert "both have a constraint or index named" in declared(constraints=[check(Q(name="a"), "place_somewhere")])[0]
    (told,) = declared(constraints=[check(Q(name="a"), "é" * 40)])
    assert "test_constraints.py:" in told and "longer than databases keep, 63 bytes" in told


class Weekday(models.BaseConstraint):
    """A rule that the database does not keep."""

    def build(self, schema: Any, model: Any, table: Any) -> None:
        """Nothing: it is checked before the row is written only."""

    def names(self) -> Iterator[str]:
        yield "day"

    def violated(self, check: Any) -> bool:
        return check.instance.day is not None and check.instance.day.weekday() > 4


def test_a_constraint_of_ones_own(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_models({"town": [Dated]})
    rule = Weekday(name="weekday", violation_error_message="not at the week-end")
    monkeypatch.setattr(Dated._meta, "constraints", [rule])
    with tables(database, Dated):
        day = date(2026, 3, 6)
        Dated(slug="a", day=day).full_clean()
        with pytest.raises(ValidationError, match="not at the week-end"):
            Dated(slug="a", day=day + timedelta(days=1)).full_clean()


# references


def test_a_reference_to_nothing_is_told_before_the_database_refuses_it(town: Scope) -> None:
    place = Place.objects.create(name="Pier")
    event(place=place).full_clean()
    event(place=None).full_clean()
    lost = event(place_id=place.pk + 1)
    with pytest.raises(ValidationError, match=rf"^Event: place: there is no place {place.pk + 1}$") as refused:
        lost.full_clean()
    assert refused.value.errors["place"][0].code == "invalid"
    lost.full_clean(exclude=["place"])
    lost.full_clean(validate_constraints=False)
    with pytest.raises(IntegrityError, match=r"(?i)refers|foreign key"):
        lost.save()


def test_a_hidden_row_may_be_referred_to(m: Any, newsroom: Any) -> None:
    hidden = next(section for section in newsroom.sections if not section.visible)
    story = newsroom.stories[0]
    with entered(m.look(newsroom.database, READER)):
        story.section = hidden
        story.full_clean()


def test_a_row_may_refer_to_itself(m: Any, newsroom: Any) -> None:
    m.Comment(pk=7, story=newsroom.stories[0], parent_id=7, text="round", score=1).full_clean()
    with pytest.raises(ValidationError, match=r"Comment: parent: there is no comment 8"):
        m.Comment(pk=7, story=newsroom.stories[0], parent_id=8, text="round", score=1).full_clean()
