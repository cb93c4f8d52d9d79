"""Exclusion constraints, which PostgreSQL has and the others refuse when the site is prepared."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.schema import CreateTable

from tests.tables import resolved
from toolkit import models
from toolkit.database.hints import hint_for
from toolkit.errors import DeclarationError, IntegrityError, ValidationError
from toolkit.models import F, Q, RangeOperators
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered

TAKEN = "The studio is taken then"


class Booking(models.Model):
    studio = models.IntegerField()
    starts = models.DateTimeField()
    ends = models.DateTimeField(null=True)
    cancelled = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.ExclusionConstraint(
                name="booking_overlap",
                expressions=[
                    (models.IntegerRange("studio", "studio", "[]"), RangeOperators.EQUAL),
                    (models.DateTimeRange("starts", "ends"), RangeOperators.OVERLAPS),
                ],
                condition=Q(cancelled=False),
                violation_error_message=TAKEN,
                violation_error_code="taken",
            )
        ]


resolved({"radio": [Booking]})


def booking(first: int, last: int | None, **values: Any) -> Booking:
    def hour(number: int) -> datetime:
        return datetime(2026, 3, 1, number, tzinfo=UTC)

    return Booking(studio=values.pop("studio", 1), starts=hour(first), ends=last and hour(last), **values)


def test_rows_that_overlap_are_refused_with_the_same_words(database: Any) -> None:
    schema = Schema([*database.schema.models, Booking], database.dialect)
    if not database.backend.exclusion:
        (problem,) = [str(one) for one in schema.problems()]
        assert "cannot keep the ExclusionConstraint 'booking_overlap'" in problem
        return
    before, database.schema = database.schema, schema
    database.execute(str(CreateTable(schema.table(Booking)).compile(dialect=database.sqlalchemy_dialect)))
    try:
        with entered(Scope(None, database)):
            booking(9, 11).save()
            for other in (booking(11, 12), booking(10, 11, studio=2), booking(9, 10, cancelled=True)):
                other.full_clean()
                other.save()
            Booking.objects.get(studio=2).full_clean()
            for clash in (booking(10, 11), booking(8, None)):
                with pytest.raises(ValidationError, match=TAKEN) as told:
                    clash.full_clean()
                with pytest.raises(IntegrityError, match=TAKEN) as refused:
                    clash.save()
                assert told.value.messages == [refused.value.message] == [TAKEN]
                assert [error.code for error in told.value.error_list] == ["taken"]
                assert refused.value.constraint == "booking_overlap"
                assert refused.value.kind == "exclusion"
    finally:
        database.execute("DROP TABLE radio_booking")
        database.schema = before
        database.shapes.clear()
        database.lookups.clear()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"expressions": []}, "at least one"),
        ({"expressions": ["studio"]}, "pairs"),
        ({"expressions": [("studio", "=="), ("day", "=")]}, "'==' is no operator"),
        ({"expressions": [("studio", "=")], "index_type": "btree"}, "gist or spgist"),
    ],
)
def test_what_cannot_stand_is_refused(options: Any, told: str) -> None:
    with pytest.raises(DeclarationError, match=told):
        models.ExclusionConstraint(name="x", **options)


def test_bounds_are_four() -> None:
    with pytest.raises(DeclarationError, match="are no bounds"):
        models.DateRange("a", "b", "<>")


def test_it_follows_a_renamed_field_and_equals_another_that_says_the_same() -> None:
    def make(name: str) -> models.ExclusionConstraint:
        return models.ExclusionConstraint(
            name="x", expressions=[(models.DateRange(name, "ends"), "&&"), (F(name), "=")], condition=Q(**{name: 1})
        )

    assert make("a") == make("a") != make("b")
    assert make("old").with_field_renamed("old", "new") == make("new")
    assert set(make("old").names()) == {"old", "ends"}


def test_the_extension_that_plain_values_need_is_named() -> None:
    told = 'data type bigint has no default operator class for access method "gist"'
    assert "CREATE EXTENSION btree_gist" in (hint_for(told) or "")
