"""What ``full_clean()`` says, in the language of the moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from tests.tables import resolved
from tests.validators.catalogs import FOLDER
from toolkit import models
from toolkit.errors import ValidationError
from toolkit.i18n import gettext_lazy
from toolkit.i18n.catalogs import Catalogs
from toolkit.trace import Scope, entered
from toolkit.validators import MaxLengthValidator, RegexValidator


class Notice(models.Model):
    headline = models.CharField(max_length=10)
    letter = models.CharField(max_length=1, default="a")
    kind = models.CharField(max_length=5, choices=[("live", "Live"), ("draft", "Draft")], default="live")
    day = models.DateField(default=date(2026, 3, 1))
    seen = models.DateTimeField(default=datetime(2026, 3, 1, tzinfo=UTC))
    copies = models.PositiveSmallIntegerField(default=1)
    price = models.DecimalField(max_digits=5, decimal_places=2, default=1)
    stamp = models.BinaryField(max_length=1, default=b"")
    code = models.CharField(max_length=9, unique=True, default="x")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(copies__lt=100), name="few_copies")]


MODELS = resolved({"board": [Notice]})


@pytest.fixture(scope="module")
def board(newsroom_models: Any) -> Iterator[Any]:
    database = newsroom_models.make_database("sqlite://", MODELS)
    with entered(Scope(None, database)):
        Notice.objects.create(headline="first", code="taken")
    yield database
    database.drop()


@contextmanager
def speaking(database: Any, locale: str) -> Iterator[None]:
    site = SimpleNamespace(catalogs=Catalogs([("toolkit", FOLDER)], ["en", "de", "pl"]))
    with entered(Scope(site, database, locale=locale)):
        yield


def told(database: Any, locale: str, **values: Any) -> dict[str, list[str]]:
    with speaking(database, locale):
        with pytest.raises(ValidationError, match=r"^Notice: ") as raised:
            Notice(**{"headline": "news", **values}).full_clean()
        return raised.value.message_dict


CASES: list[tuple[dict[str, Any], str, str, str]] = [
    ({"headline": ""}, "a value is required", "ein Wert ist erforderlich", "wartość jest wymagana"),
    (
        {"headline": "x" * 12},
        "the text has 12 characters; at most 10 are allowed",
        "der Text hat 12 Zeichen; höchstens 10 sind erlaubt",
        "liczba znaków tekstu: 12; dozwolone najwyżej 10",
    ),
    (
        {"letter": "xy"},
        "the text has 2 characters; at most 1 is allowed",
        "der Text hat 2 Zeichen; höchstens 1 ist erlaubt",
        "liczba znaków tekstu: 2; dozwolony najwyżej 1",
    ),
    (
        {"kind": "lives"},
        "'lives' is not one of the choices",
        "'lives' steht nicht zur Auswahl",
        "'lives' nie jest jedną z możliwości",
    ),
    (
        {"day": "31.2."},
        "'31.2.' is not a date",
        "'31.2.' ist kein Datum",
        "'31.2.' to nie data",
    ),
    (
        {"seen": date(2026, 3, 1)},
        "2026-03-01 is a date, not an instant",
        "2026-03-01 ist ein Datum, kein Zeitpunkt",
        "2026-03-01 to data, nie chwila",
    ),
    (
        {"copies": -1},
        "-1 is out of bounds (0 to 32767)",
        "-1 liegt außerhalb der Grenzen (0 bis 32767)",
        "-1 wykracza poza granice (od 0 do 32767)",
    ),
    (
        {"price": "1.005"},
        "1.005 has more than 2 decimal places",
        "1.005 hat mehr als 2 Nachkommastellen",
        "1.005 ma więcej niż 2 miejsca dziesiętne",
    ),
    (
        {"stamp": b"xy"},
        "there are 2 bytes; at most 1 is allowed",
        "es sind 2 Bytes; höchstens 1 ist erlaubt",
        "liczba bajtów: 2; dozwolony najwyżej 1",
    ),
    (
        {"code": "taken"},
        "Notice with this code already exists",
        "Notice: Es gibt bereits einen Eintrag mit dieser Angabe (code)",
        "Notice: istnieje już wpis z tą wartością (code)",
    ),
    (
        {"copies": 100},
        "the constraint few_copies is broken",
        "Die Bedingung few_copies ist verletzt",
        "warunek few_copies jest naruszony",
    ),
]


@pytest.mark.parametrize(("values", "english", "german", "polish"), CASES)
def test_what_is_wrong_is_told_in_the_language_of_the_moment(
    board: Any, values: dict[str, Any], english: str, german: str, polish: str
) -> None:
    for locale, message in (("en", english), ("de", german), ("pl", polish)):
        assert list(told(board, locale, **values).values()) == [[message]]


def test_hints_are_translated_too(board: Any) -> None:
    field: Any = Notice._meta.get_field("kind")
    with speaking(board, "de"):
        with pytest.raises(ValidationError, match=r"steht nicht zur Auswahl\. Meinten Sie 'live'"):
            field.clean("lives")
        with pytest.raises(ValidationError, match=r"Schreiben Sie es als YYYY-MM-DD\."):
            Notice._meta.get_field("day").clean("soon")


def test_all_validators_are_asked_and_all_that_they_refuse_is_told() -> None:
    letters = RegexValidator(r"\A[a-z]*\Z", message="letters only", code="letters")
    field: Any = models.TextField(validators=[letters, MaxLengthValidator(3)], error_messages={"letters": "a to z"})
    with pytest.raises(ValidationError, match=r"a to z; the length is 4; at most 3 is allowed") as raised:
        field.clean("1234")
    assert [error.code for error in raised.value.error_list] == ["letters", "max_length"]


def test_a_message_of_ones_own_knows_what_the_toolkits_knows_and_is_translated(board: Any) -> None:
    field: Any = models.CharField(
        max_length=3,
        error_messages={
            "max_length": "%(value)s: %(length)d of %(max)d",
            "blank": gettext_lazy("a value is required"),
        },
    )
    with pytest.raises(ValidationError, match=r"^xxxx: 4 of 3$") as raised:
        field.clean("xxxx")
    assert raised.value.code == "max_length"
    with speaking(board, "de"), pytest.raises(ValidationError, match=r"^ein Wert ist erforderlich$"):
        field.clean("")


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        (models.CharField(max_length=2), "xyz", "max_length"),
        (models.CharField(max_length=2), None, "null"),
        (models.SlugField(), "a b", "slug"),
        (models.EmailField(), "x", "email"),
        (models.URLField(), "x", "url"),
        (models.IntegerField(), "x", "invalid"),
        (models.IntegerField(choices=[(1, "One")]), 2, "invalid_choice"),
        (models.FloatField(), "x", "invalid"),
        (models.DecimalField(max_digits=3, decimal_places=1), "1.05", "max_decimal_places"),
        (models.BooleanField(), "x", "invalid"),
        (models.DateField(), "x", "invalid"),
        (models.DateTimeField(), datetime(2026, 1, 1), "naive"),  # noqa: DTZ001 - the point of it
        (models.TimeField(), "x", "invalid"),
        (models.DurationField(), "x", "invalid"),
        (models.UUIDField(), "x", "invalid"),
        (models.BinaryField(), "x", "invalid"),
        (models.JSONField(), {1, 2}, "invalid"),
        (models.GenericIPAddressField(), "x", "invalid"),
        (models.FileField(), 1, "invalid"),
        (models.FilePathField(path="nowhere"), "x", "invalid"),
    ],
)
def test_every_field_takes_a_message_of_ones_own(field: Any, value: Any, code: str) -> None:
    field.error_messages[code] = "in my own words"
    with pytest.raises(ValidationError, match=r"^in my own words$") as raised:
        field.clean(value)
    assert raised.value.code == code
