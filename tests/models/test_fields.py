"""Each kind of field: what it keeps exactly, and what it refuses, by which code."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit import models
from toolkit.errors import DatabaseError, DeclarationError, IntegrityError, ValidationError

KEPT = [
    ("char", "ß İ 漢字 \u202e \U0001f5de"),
    ("char", ""),
    ("char", "%_\\'\";--"),
    ("text", "line\r\nline\n\ttab" * 2000),
    ("slug", "a-b_c-9"),
    ("markdown", "# Title\n\n*emphasis*"),
    ("email", "ines@courier.example"),
    ("url", "https://courier.example/a?b=c#d"),
    ("integer", 2**63 - 1),
    ("integer", -(2**63)),
    ("integer", 0),
    ("positive", 0),
    ("positive", 2**63 - 1),
    ("float", 0.1),
    ("float", 1.7976931348623157e308),
    ("float", 5e-324),
    ("float", -0.0),
    ("decimal", Decimal("99999999.99")),
    ("decimal", Decimal("-0.01")),
    ("decimal", Decimal("0.00")),
    ("boolean", True),
    ("boolean", False),
    ("date", date.min),
    ("date", date.max),
    ("instant", datetime(1, 1, 1, tzinfo=UTC)),
    ("instant", datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ("instant", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ("json", {"a": [1, 2.5, None, True, "ß"], "b": {}}),
    ("json", []),
    ("json", ""),
    ("json", 0),
    ("json", False),
    ("uuid", UUID("12345678-1234-5678-1234-567812345678")),
    ("uuid", UUID(int=0)),
    ("binary", bytes(range(256))),
    ("binary", b""),
]


@pytest.mark.parametrize(("name", "value"), KEPT)
def test_values_come_back_as_they_were_saved(m: Any, scope: Any, name: str, value: Any) -> None:
    saved = m.Everything.objects.create(**{name: value})
    found = m.Everything.objects.get(pk=saved.pk)
    assert getattr(found, name) == value
    assert type(getattr(found, name)) is type(value)
    assert m.Everything.objects.filter(pk=saved.pk).values_list(name, flat=True)[0] == value


@pytest.mark.parametrize("name", sorted({name for name, _ in KEPT}))
def test_null_comes_back_as_none(m: Any, scope: Any, name: str) -> None:
    saved = m.Everything.objects.create()
    assert getattr(m.Everything.objects.get(pk=saved.pk), name) is None
    assert m.Everything.objects.filter(**{f"{name}__isnull": True}).count() == 1
    assert m.Everything.objects.filter(**{name: None}).count() == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, value in KEPT if name not in ("json", "float", "text")],
)
def test_rows_are_found_by_the_value_that_was_saved(m: Any, scope: Any, name: str, value: Any) -> None:
    m.Everything.objects.create()
    saved = m.Everything.objects.create(**{name: value})
    assert [row.pk for row in m.Everything.objects.filter(**{name: value})] == [saved.pk]
    assert [row.pk for row in m.Everything.objects.filter(**{f"{name}__in": [value]})] == [saved.pk]


def test_instants_are_kept_in_utc_whatever_their_offset(m: Any, scope: Any) -> None:
    madrid = datetime(2026, 7, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    saved = m.Everything.objects.create(instant=madrid)
    found = m.Everything.objects.get(pk=saved.pk).instant
    assert found == madrid
    assert found.tzinfo is UTC
    assert m.Everything.objects.filter(instant=madrid).count() == 1


def test_an_instant_without_an_offset_is_taken_as_utc(m: Any, scope: Any) -> None:
    saved = m.Everything.objects.create(instant=datetime(2026, 7, 1, 14))  # noqa: DTZ001 - the point of the test
    assert m.Everything.objects.get(pk=saved.pk).instant == datetime(2026, 7, 1, 14, tzinfo=UTC)


def test_whole_seconds_sort_before_fractions_of_the_same_second(m: Any, scope: Any) -> None:
    for micro in (5, 0, 999_999):
        m.Everything.objects.create(instant=datetime(2026, 1, 1, 0, 0, 0, micro, tzinfo=UTC))
    found = m.Everything.objects.order_by("instant").values_list("instant", flat=True)
    assert [moment.microsecond for moment in found] == [0, 5, 999_999]


REFUSED = [
    ("char", "x" * 21, "max_length", "at most 20"),
    ("char", "a\x00b", "null_characters", "null character"),
    ("char", ["a"], "type", "not text"),
    ("slug", "two words", "slug", "'two words' is not a slug"),
    ("slug", "niño", "slug", "is not a slug"),
    ("email", "nobody", "email", "not an e-mail address"),
    ("email", "a@b", "email", "not an e-mail address"),
    ("email", f"{'x' * 65}@courier.example", "email", "not an e-mail address"),
    ("url", "courier.example", "url", "not a URL"),
    ("url", "javascript:alert(1)", "url", "not a URL"),
    ("url", "http://[::1", "url", "not a URL"),
    ("url", "https://a b.example/", "url", "not a URL"),
    ("url", "https://courier.example:99999/", "url", "not a URL"),
    ("integer", "twelve", "invalid", "not a whole number"),
    ("integer", 1.5, "invalid", "not a whole number"),
    ("integer", True, "invalid", "not a whole number"),
    ("integer", 2**63, "max_value", "out of bounds"),
    ("integer", -(2**63) - 1, "min_value", "out of bounds"),
    ("positive", -1, "min_value", "out of bounds"),
    ("float", "nan", "invalid", "not a finite number"),
    ("float", "inf", "invalid", "not a finite number"),
    ("float", True, "invalid", "not a number"),
    ("decimal", "1.005", "max_decimal_places", "more than 2 decimal places"),
    ("decimal", "100000000", "max_digits", "more than 10 digits"),
    ("decimal", "1e400", "max_digits", "more than 10 digits"),
    ("decimal", "NaN", "invalid", "not a finite number"),
    ("decimal", "1,5", "invalid", "not a decimal number"),
    ("boolean", "perhaps", "invalid", "not true or false"),
    ("date", "31.02.2024", "invalid", "'31.02.2024' is not a date"),
    ("date", "2026-02-30", "invalid", "is not a date"),
    ("instant", "yesterday", "invalid", "not a date and time"),
    ("instant", "0001-01-01 00:00+14:00", "invalid", "out of bounds"),
    ("json", {1, 2}, "invalid", "cannot be written as JSON"),
    ("json", float("nan"), "invalid", "cannot be written as JSON"),
    ("uuid", "1234", "invalid", "is not a UUID"),
    ("binary", "text", "invalid", "str is not bytes"),
]


@pytest.mark.parametrize(("name", "value", "code", "told"), REFUSED)
def test_cleaning_refuses_a_value_by_code_and_says_why(m: Any, name: str, value: Any, code: str, told: str) -> None:
    with pytest.raises(ValidationError, match=told) as raised:
        m.Everything._meta.get_field(name).clean(value)
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("integer", " 12 ", 12),
        ("integer", 3.0, 3),
        ("float", "1e3", 1000.0),
        ("decimal", " 1.5 ", Decimal("1.5")),
        ("boolean", "Yes", True),
        ("boolean", "0", False),
        ("date", "2026-03-01", date(2026, 3, 1)),
        ("date", datetime(2026, 3, 1, 5, tzinfo=UTC), date(2026, 3, 1)),
        ("instant", "2026-03-01 12:00+02:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("instant", date(2026, 3, 1), datetime(2026, 3, 1, tzinfo=UTC)),
        ("uuid", "12345678123456781234567812345678", UUID("12345678-1234-5678-1234-567812345678")),
        ("binary", bytearray(b"x"), b"x"),
    ],
)
def test_cleaning_reads_what_people_type(m: Any, name: str, text: Any, value: Any) -> None:
    cleaned = m.Everything._meta.get_field(name).clean(text)
    assert cleaned == value
    assert type(cleaned) is type(value)


def test_required_null_and_choice_have_codes_of_their_own(m: Any) -> None:
    fields = m.Story._meta.by_name
    for name, value, code in (("title", "", "required"), ("weight", None, "required"), ("status", "gone", "choice")):
        with pytest.raises(ValidationError, match=r"required|choices") as raised:
            fields[name].clean(value)
        assert raised.value.code == code
    with pytest.raises(ValidationError, match="Did you mean 'live'"):
        fields["status"].clean("lives")


def test_validators_of_the_declaration_are_asked() -> None:
    def refuse_odd(value: int) -> None:
        if value % 2:
            raise ValidationError(f"{value} is odd", code="odd")

    field: Any = models.IntegerField(validators=[refuse_odd])
    assert field.clean("2") == 2
    with pytest.raises(ValidationError, match="3 is odd"):
        field.clean("3")


def test_a_model_reports_the_errors_of_all_its_fields_at_once(m: Any, scope: Any) -> None:
    row = m.Story(title="", slug="two words", status="live", published=m.NOON, section_id=1)
    with pytest.raises(ValidationError, match="title: a value is required; slug:") as raised:
        row.full_clean()
    assert set(raised.value.errors) == {"title", "slug"}
    assert raised.value.errors["slug"][0].code == "slug"


def test_saving_refuses_a_value_of_the_wrong_kind_which_sqlite_would_keep(m: Any, scope: Any) -> None:
    with pytest.raises(ValidationError, match=r"Everything\.integer: 'many' is not a whole number"):
        m.Everything.objects.create(integer="many")
    with pytest.raises(ValidationError, match=r"Everything\.date: 'soon' is not a date"):
        m.Everything.objects.bulk_create([m.Everything(), m.Everything(date="soon")])
    assert m.Everything.objects.count() == 0


def test_text_is_saved_as_the_kind_of_its_field(m: Any, scope: Any) -> None:
    saved = m.Everything.objects.create(integer="7", date="2026-03-01", decimal="1.5", boolean="yes")
    found = m.Everything.objects.get(pk=saved.pk)
    assert (found.integer, found.date, found.decimal, found.boolean) == (7, date(2026, 3, 1), Decimal("1.50"), True)


def test_a_number_beyond_64_bits_is_refused_by_a_database_error(m: Any, scope: Any) -> None:
    with pytest.raises(DatabaseError, match=r"(?i)too large|out of range"):
        m.Everything.objects.create(integer=2**70)


def test_a_negative_number_is_refused_by_the_database_too(m: Any, scope: Any) -> None:
    with pytest.raises(IntegrityError, match="positive_check"):
        m.Everything.objects.create(positive=-1)


def test_a_row_that_another_program_spoiled_is_named(m: Any, scope: Any) -> None:
    if scope.database.dialect != "sqlite":
        pytest.skip("a server refuses such a value")
    scope.database.execute("INSERT INTO news_everything (id, instant) VALUES (41, 'last week')")
    with pytest.raises(DatabaseError, match=r"news_everything\.instant of row 41 is 'last week', which is no DateTime"):
        m.Everything.objects.get(pk=41)


def test_a_default_that_can_be_changed_is_not_shared() -> None:
    field: Any = models.JSONField(default={"a": []})
    first = field.get_default()
    first["a"].append(1)
    assert field.get_default() == {"a": []}


def test_the_label_of_a_choice(m: Any) -> None:
    assert m.Story(status="draft").get_status_display() == "Draft"


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: models.CharField(max_length=0), "max_length = 0 is no number of characters"),
        (lambda: models.DecimalField(max_digits=20, decimal_places=2), "cannot be kept exactly"),
        (lambda: models.ForeignKey("Other", on_delete=models.SET_NULL), "on_delete=SET_NULL needs null=True"),
        (lambda: models.ManyToManyField("Other", unique=True), "has no column to be unique"),
    ],
)
def test_options_that_make_no_sense_are_refused_where_they_are_declared(make: Any, told: str) -> None:
    with pytest.raises(DeclarationError, match=told):
        type("Wrong", (models.Model,), {"__module__": __name__, "field": make()})


@given(st.decimals(min_value=-99999999, max_value=99999999, places=2))
def test_sqlite_keeps_decimals_of_up_to_fifteen_digits(value: Decimal) -> None:
    field: Any = models.DecimalField(max_digits=10, decimal_places=2)
    assert field.db_reader("sqlite")(field.db_writer("sqlite")(value)) == value


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001
def test_instants_as_text_sort_and_read_as_instants(moment: datetime) -> None:
    field: Any = models.DateTimeField()
    write, read = field.db_writer("sqlite"), field.db_reader("sqlite")
    assert read(write(moment)) == moment
    later = moment + timedelta(microseconds=1)
    assert write(moment) < write(later)
