"""Values that the database gives: defaults of its own, and columns that it computes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from tests.tables import resolved
from toolkit import models
from toolkit.errors import DatabaseError, DeclarationError, FieldError
from toolkit.models import F, JSONNull, Now, Q, Value
from toolkit.models.fields import DATABASE_DEFAULT
from toolkit.models.functions import SHA256, Cast, Concat, JSONObject, TruncHour, TruncMinute
from toolkit.models.resolve import resolve_models
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered

from .conftest import SERVERS, make_database, own_database


class Line(models.Model):
    name = models.CharField(max_length=40)
    price = models.IntegerField(default=2)
    count = models.IntegerField(db_default=3)
    total = models.GeneratedField(expression=F("price") * F("count"), output_field=models.IntegerField())
    label = models.GeneratedField(
        expression=Concat("name", Value("!"), "count"), output_field=models.CharField(max_length=20)
    )
    twice = models.GeneratedField(expression=models.RawSQL("price * 2"), output_field=models.IntegerField())
    details = models.JSONField(default=dict)
    maker = models.GeneratedField(expression=F("details__maker"), output_field=models.JSONField())
    each = models.GeneratedField(expression=F("price") / F("count"), output_field=models.FloatField(null=True))
    made = models.DateTimeField(db_default=Now())
    note = models.CharField(max_length=40, db_default=Value("it's"), db_comment='what readers "said"')

    class Meta:
        db_table_comment = "one line"


DEFAULTS: dict[str, tuple[models.Field[Any], Any]] = {
    "char": (models.CharField(max_length=20, db_default="it's 100% \\ ß"), "it's 100% \\ ß"),
    "integer": (models.IntegerField(db_default=-7), -7),
    "float": (models.FloatField(db_default=1.5e-7), 1.5e-7),
    "decimal": (models.DecimalField(max_digits=6, decimal_places=2, db_default=Decimal("1.50")), Decimal("1.50")),
    "boolean": (models.BooleanField(db_default=True), True),
    "day": (models.DateField(db_default=date(2026, 3, 1)), date(2026, 3, 1)),
    "instant": (
        models.DateTimeField(db_default=datetime(2026, 3, 1, 12, tzinfo=UTC)),
        datetime(2026, 3, 1, 12, tzinfo=UTC),
    ),
    "clock": (models.TimeField(db_default=time(12, 30)), time(12, 30)),
    "duration": (models.DurationField(db_default=timedelta(hours=-1)), timedelta(hours=-1)),
    "key": (models.UUIDField(db_default=UUID(int=5)), UUID(int=5)),
    "raw": (models.BinaryField(db_default=b"\x00'\xff"), b"\x00'\xff"),
    "json": (models.JSONField(db_default={"a": ["it's"]}), {"a": ["it's"]}),
    "nil": (models.JSONField(db_default=JSONNull()), JSONNull()),
    "address": (models.GenericIPAddressField(db_default="192.0.2.1"), "192.0.2.1"),
}
Defaults: Any = type("Defaults", (models.Model,), {"__module__": __name__, **{n: f for n, (f, _) in DEFAULTS.items()}})
MODELS = resolved({"shop": [Line, Defaults]})
shared_shop = own_database(MODELS)


@pytest.fixture
def shop(shared_shop: Any) -> Iterator[Any]:
    with entered(Scope(None, shared_shop)):
        yield shared_shop
        Line.objects.all().delete()
        Defaults.objects.all().delete()


def test_a_default_of_the_database_is_there_after_saving(shop: Any) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    line = Line(name="a")
    assert line.count is DATABASE_DEFAULT
    line.save()
    assert (line.count, line.note) == (3, "it's")
    assert before <= line.made <= datetime.now(UTC) + timedelta(seconds=2)
    assert Line.objects.create(name="b", count=4, note="mine").note == "mine"
    assert Line.objects.get(count=3).note == "it's"


def test_a_computed_value_is_there_after_saving_and_cannot_be_set(shop: Any) -> None:
    line = Line.objects.create(name="a", price=5)
    assert line.total == 15
    line.price = 7
    line.save()
    assert line.total == 21
    line.count = 1
    line.save(update_fields=["count"])
    assert line.total == 7
    assert Line.objects.create(name="c").each == 2 / 3
    with pytest.raises(FieldError, match=r"Line\.total is computed by the database and cannot be set"):
        line.total = 3
    with pytest.raises(FieldError, match="computed by the database"):
        Line(name="b", total=3)
    with pytest.raises(FieldError, match="computed by the database"):
        Line.objects.update(total=3)


def test_a_computed_value_that_its_column_has_no_room_for_is_refused(shop: Any) -> None:
    """SQLite made a float of it, and kept the longer text."""
    refused = r"(?i)(out of range|too long|CHECK constraint failed: shop_line_(total|label)_check)"
    with pytest.raises(DatabaseError, match=refused):
        Line.objects.create(name="x", price=2**62, count=4)
    with pytest.raises(DatabaseError, match=refused):
        Line.objects.create(name="x" * 25)
    assert not Line.objects.exists()


def test_questions_use_a_computed_value_like_any(shop: Any) -> None:
    Line.objects.bulk_create([Line(name="a", price=5), Line(name="b", price=1, count=10), Line(pk=9, name="c")])
    assert list(Line.objects.order_by("-total").values_list("name", "total")) == [("a", 15), ("b", 10), ("c", 6)]
    assert Line.objects.filter(total__gt=6).count() == 2
    assert Line.objects.get(total=6).total == 6


def test_a_computed_null_of_json_is_none_as_it_is_in_a_question(shop: Any) -> None:
    for details in ({"maker": {"name": "Bic"}}, {"maker": None}, {}):
        row = Line.objects.create(name="a", details=details)
        assert row.maker == details.get("maker") == Line.objects.get(pk=row.pk).maker
    assert [m == n for m, n in Line.objects.annotate(n=F("details__maker")).values_list("maker", "n")] == [True] * 3
    assert Line.objects.filter(maker__name="Bic").count() == Line.objects.filter(maker=JSONNull()).count() == 1


def test_rows_that_were_created_in_bulk_learn_their_values_when_asked(shop: Any) -> None:
    rows = [Line(name="a"), Line(name="b", count=4), Line(name="c")]
    Line.objects.bulk_create(rows)
    assert [(row.count, row.total, row.note) for row in rows] == [(3, 6, "it's"), (4, 8, "it's"), (3, 6, "it's")]


def test_every_kind_of_default_is_the_same_on_every_database(shop: Any) -> None:
    row = Defaults.objects.create()
    found = Defaults.objects.get()
    for name, (_, value) in DEFAULTS.items():
        assert getattr(row, name) == getattr(found, name) == value, name


def test_comments_are_in_the_database(shop: Any) -> None:
    from sqlalchemy.schema import CreateTable

    made = str(CreateTable(shop.schema.table(Line)).compile(dialect=shop.sqlalchemy_dialect))
    assert ("COMMENT" in made) == (shop.dialect == "mysql")
    assert shop.schema.table(Line).comment == "one line"
    assert shop.schema.table(Line).c.note.comment == 'what readers "said"'


@pytest.mark.parametrize(
    ("field", "told"),
    [
        (lambda: models.IntegerField(db_default="many"), "db_default = 'many': 'many' is not a whole number"),
        (lambda: models.IntegerField(db_default=F("name")), "looks at a column"),
        (lambda: models.TimeField(db_default=Now()), r"db_default = Now\(\) is for dates and instants"),
        (
            lambda: models.GeneratedField(expression=F("missing"), output_field=models.IntegerField()),
            "has no field 'missing'",
        ),
    ],
)
def test_what_the_database_cannot_give_is_refused(field: Any, told: str) -> None:
    wrong = type(
        "Wrong", (models.Model,), {"__module__": __name__, "name": models.CharField(max_length=5), "x": field()}
    )
    found, problems = resolve_models({"shop": [wrong]})
    assert not problems
    with pytest.raises(DeclarationError, match=told):
        _ = Schema(found, "sqlite").metadata


def test_a_value_that_is_computed_at_each_reading_needs_a_database_that_can() -> None:
    fields = {"n": models.IntegerField()}
    fields["twice"] = models.GeneratedField(expression=F("n") * 2, output_field=models.IntegerField(), db_persist=False)
    virtual = type("Virtual", (models.Model,), {"__module__": __name__, **fields})
    found, _ = resolve_models({"shop": [virtual]})
    assert [str(problem) for problem in Schema(found, "sqlite").problems()] == []
    assert "db_persist is False" in str(Schema(found, "postgresql").problems()[0])


def generated(expression: Any, output_field: Any) -> Any:
    return models.GeneratedField(expression=expression, output_field=output_field)


KEPT_BY_POSTGRESQL: dict[str, tuple[Any, Any]] = {
    "hour": (TruncHour("at"), models.DateTimeField()),
    "minute": (TruncMinute("at", tzinfo=ZoneInfo("Europe/Rome")), models.DateTimeField()),
    "ends": (F("at") + F("length"), models.DateTimeField()),
    "later": (F("at") - timedelta(hours=1), models.DateTimeField()),
    "midnight": (Cast("day", models.DateTimeField()), models.DateTimeField()),
    "since": (F("at") - F("day"), models.DurationField()),
    "past": (Q(at__gt=F("day")), models.BooleanField()),
    "greets": (Q(name__icontains="straße Ⅷ"), models.BooleanField()),
    "same": (Q(name__iexact="DIE STRASSE ⅷ \\x"), models.BooleanField()),
    "mark": (SHA256("name"), models.CharField(max_length=64)),
}


@pytest.mark.parametrize("url", [url for url in SERVERS if url.startswith("postgresql")])
def test_postgresql_keeps_what_is_the_same_whoever_asks(url: str) -> None:
    fields: dict[str, Any] = {
        "name": models.CharField(max_length=40),
        "at": models.DateTimeField(),
        "day": models.DateField(),
        "length": models.DurationField(),
        **{name: generated(*given) for name, given in KEPT_BY_POSTGRESQL.items()},
    }
    show: Any = type("Show", (models.Model,), {"__module__": __name__, **fields})
    database = make_database(url, resolved({"shop": [show]}))
    try:
        with entered(Scope(None, database)):
            at = datetime(2026, 10, 25, 2, 59, 30, tzinfo=UTC)
            for name in ("die Straße Ⅷ \\x", "nobody"):
                show.objects.create(name=name, at=at, day=at.date(), length=timedelta(days=1, minutes=5))
            again = {f"{name}_again": expression for name, (expression, _) in KEPT_BY_POSTGRESQL.items()}
            found = list(show.objects.order_by("pk").annotate(**again).values())
    finally:
        database.drop()
    for row in found:
        assert [row[name] for name in KEPT_BY_POSTGRESQL] == [row[name] for name in again]
    assert [(row["greets"], row["same"]) for row in found] == [(True, True), (False, False)]


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        (JSONObject(name="name"), r"JSONObject\(\)"),
        (Cast("day", models.TextField()), "a date as text"),
        (Q(day__contains="-03-"), "a date as text"),
    ],
)
def test_what_postgresql_computes_by_settings_is_told_before_it_is_kept(expression: Any, told: str) -> None:
    fields = {"name": models.CharField(max_length=5), "day": models.DateField()}
    wrong = type(
        "Wrong", (models.Model,), {"__module__": __name__, **fields, "x": generated(expression, models.TextField())}
    )
    (problem,) = Schema(resolved({"shop": [wrong]}), "postgresql").problems()
    assert problem.path is not None
    assert re.search(rf"shop\.Wrong\.x: PostgreSQL computes {told} by the settings of who asks", str(problem))


def test_each_model_that_inherits_a_computed_field_has_it_for_itself() -> None:
    class Priced(models.Model):
        price = models.IntegerField()
        twice = models.GeneratedField(expression=F("price") * 2, output_field=models.IntegerField())

        class Meta:
            abstract = True

    class Pen(Priced):
        pass

    class Book(Priced):
        pass

    resolved({"shop": [Pen, Book]})
    assert [model._meta.get_field("twice").output_field.model for model in (Pen, Book)] == [Pen, Book]
