"""Each kind of field: what it keeps exactly, and what it refuses, by which code."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit import models
from toolkit.errors import DatabaseError, DeclarationError, FieldError, IntegrityError, ValidationError
from toolkit.models import F
from toolkit.models.fields.times import LONGEST

KEPT = [
    ("char", "ß İ 漢字 \u202e \U0001f5de"),
    ("char", ""),
    ("char", "\U0001f5de" * 20),
    ("char", "%_\\'\";--"),
    ("text", "line\r\nline\n\ttab" * 2000),
    ("slug", "a-b_c-9"),
    ("markdown", "# Title\n\n*emphasis*"),
    ("email", "ines@courier.example"),
    ("email", f"{'i' * 64}@{'.'.join(['x' * 60] * 3)}.org"[-254:]),
    ("url", f"https://courier.example/{'a' * 176}"),
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
    ("decimal", Decimal("-99999999.99")),
    ("decimal", Decimal("-0.01")),
    ("decimal", Decimal("0.00")),
    ("boolean", True),
    ("boolean", False),
    ("date", date.min),
    ("date", date.max),
    ("instant", datetime(1, 1, 1, tzinfo=UTC)),
    ("instant", datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ("instant", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ("instant", datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
    ("json", {"a": [1, 2.5, None, True, "ß"], "b": {}}),
    ("json", []),
    ("json", ""),
    ("json", 0),
    ("json", False),
    ("uuid", UUID("12345678-1234-5678-1234-567812345678")),
    ("uuid", UUID(int=0)),
    ("binary", bytes(range(256))),
    ("binary", b""),
    ("small", -(2**15)),
    ("small", 2**15 - 1),
    ("big", -(2**63)),
    ("big", 2**63 - 1),
    ("positive_small", 2**15 - 1),
    ("positive_big", 2**63 - 1),
    ("time", time.min),
    ("time", time(23, 59, 59, 999_999)),
    ("time", time(12, 30)),
    ("duration", timedelta(0)),
    ("duration", timedelta(microseconds=-1)),
    ("duration", timedelta(days=100_000, microseconds=1)),
    ("duration", -LONGEST),
    ("duration", LONGEST),
    ("address", "192.0.2.1"),
    ("address", "2001:db8::1"),
    ("address", "::ffff:192.0.2.1"),
    ("free_char", "no bound " * 500),
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


def test_an_instant_without_an_offset_is_refused(m: Any, scope: Any) -> None:
    naive = datetime(2026, 7, 1, 14)  # noqa: DTZ001 - the point of the test
    with pytest.raises(ValidationError, match="has no time zone, so it is no instant"):
        m.Everything.objects.create(instant=naive)
    with pytest.raises(FieldError, match=r"Everything\.instant cannot be compared: .* has no time zone"):
        m.Everything.objects.filter(instant__lt=naive).count()


def test_a_day_is_no_instant_and_an_instant_is_no_day(m: Any, scope: Any) -> None:
    with pytest.raises(ValidationError, match="is a date, not an instant"):
        m.Everything.objects.create(instant=date(2026, 7, 1))
    with pytest.raises(ValidationError, match="is an instant, not a date"):
        m.Everything.objects.create(date=datetime(2026, 7, 1, tzinfo=UTC))
    with pytest.raises(FieldError, match="is an instant, not a date"):
        m.Everything.objects.filter(date=datetime(2026, 7, 1, tzinfo=UTC)).count()
    with pytest.raises(FieldError, match="is a date, not an instant"):
        m.Everything.objects.filter(instant__gte=date(2026, 7, 1)).count()


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
    ("time", "25:00", "invalid", "not a time of day"),
    ("time", datetime(2026, 3, 1, tzinfo=UTC), "invalid", "not a time of day"),
    ("time", time(12, tzinfo=UTC), "invalid", "has a time zone"),
    ("duration", "an hour", "invalid", "not a length of time"),
    ("duration", 3600, "invalid", "not a length of time"),
    ("duration", timedelta(days=200_000_000), "overflow", "out of bounds"),
    ("address", "192.0.2.256", "invalid", "not an IP address"),
    ("address", "192.000.002.001", "invalid", "not an IP address"),
    ("address", "fe80::1%eth0", "invalid", "names a network interface"),
    ("address", "2001:db8::/32", "invalid", "not an IP address"),
    ("instant", date(2026, 3, 1), "invalid", "not an instant"),
    ("instant", datetime(2026, 3, 1), "naive", "has no time zone"),  # noqa: DTZ001 - the point of it
    ("date", datetime(2026, 3, 1, tzinfo=UTC), "invalid", "not a date"),
    ("small", 2**15, "max_value", "out of bounds"),
    ("positive_small", -1, "min_value", "out of bounds"),
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
        ("instant", "2026-03-01 12:00+02:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("instant", "2026-03-01 12:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("instant", "2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("uuid", "12345678123456781234567812345678", UUID("12345678-1234-5678-1234-567812345678")),
        ("binary", bytearray(b"x"), b"x"),
        ("time", "09:30", time(9, 30)),
        ("duration", "3 04:05:06.7", timedelta(days=3, hours=4, minutes=5, seconds=6, microseconds=700_000)),
        ("duration", "-00:01", timedelta(minutes=-1) / 60),
        ("duration", "P1DT2H", timedelta(days=1, hours=2)),
        ("duration", "90", timedelta(seconds=90)),
        ("duration", "-1,5", timedelta(seconds=-1.5)),
        ("duration", "2 30", timedelta(days=2, seconds=30)),
        ("duration", "2 days", timedelta(days=2)),
        ("duration", "1:99", timedelta(seconds=159)),
        ("duration", "-PT0.5S", timedelta(seconds=-0.5)),
        ("address", "2001:DB8:0:0::0001", "2001:db8::1"),
        ("address", " ::ffff:c000:201 ", "::ffff:192.0.2.1"),
    ],
)
def test_cleaning_reads_what_people_type(m: Any, name: str, text: Any, value: Any) -> None:
    cleaned = m.Everything._meta.get_field(name).clean(text)
    assert cleaned == value
    assert type(cleaned) is type(value)


def test_a_text_with_nothing_in_it_is_null_where_the_field_has_no_other_word_for_nothing() -> None:
    blank = {"null": True, "blank": True}
    assert [field(**blank).clean("") for field in (models.BooleanField, models.IntegerField)] == [None, None]
    assert models.TextField(**blank).clean("") == ""


def test_required_null_and_choice_have_codes_of_their_own(m: Any) -> None:
    fields = m.Story._meta.by_name
    for name, value, code in (("title", "", "blank"), ("weight", None, "null"), ("status", "gone", "invalid_choice")):
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
    assert set(raised.value.errors) == {"title", "slug", "section"}
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
    assert [models.BooleanField().clean(word) for word in ("t", "F", "1", "off")] == [True, False, True, False]


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("small", -(2**15), 2**15 - 1),
        ("integer", -(2**63), 2**63 - 1),
        ("big", -(2**63), 2**63 - 1),
        ("positive_small", 0, 2**15 - 1),
        ("positive", 0, 2**63 - 1),
        ("positive_big", 0, 2**63 - 1),
    ],
)
def test_a_number_out_of_its_fields_bounds_is_refused_before_the_database(
    m: Any, scope: Any, name: str, low: int, high: int
) -> None:
    field = m.Everything._meta.get_field(name)
    for value, code in ((low - 1, "min_value"), (high + 1, "max_value")):
        with pytest.raises(ValidationError, match="out of bounds") as raised:
            field.clean(value)
        assert raised.value.code == code
        with pytest.raises(ValidationError, match=rf"Everything\.{name}: .*out of bounds"):
            m.Everything.objects.create(**{name: value})
        with pytest.raises(ValidationError, match="out of bounds"):
            m.Everything.objects.bulk_create([m.Everything(**{name: value})])
    assert m.Everything.objects.count() == 0


def test_a_small_number_can_be_compared_with_a_large_one(m: Any, scope: Any) -> None:
    m.Everything.objects.create(small=7)
    assert m.Everything.objects.filter(small__lt=100_000).count() == 1
    assert m.Everything.objects.filter(small=100_000).count() == 0
    with pytest.raises(FieldError, match="the number is out of bounds"):
        m.Everything.objects.filter(small__lt=10**5000).count()


def test_a_negative_number_is_refused_by_the_database_too(m: Any, scope: Any) -> None:
    with pytest.raises(IntegrityError, match="positive_check"):
        scope.database.execute("INSERT INTO news_everything (positive) VALUES (-1)")


def test_text_that_a_column_would_cut_is_refused_before_the_database(m: Any, scope: Any) -> None:
    with pytest.raises(ValidationError, match=r"Everything\.char: the text has 21 characters; at most 20"):
        m.Everything.objects.create(char="x" * 21)
    with pytest.raises(ValidationError, match="null character"):
        m.Everything.objects.create(text="a\x00b")
    with pytest.raises(ValidationError, match="not valid Unicode"):
        m.Everything.objects.create(text="half \ud800")
    with pytest.raises(FieldError, match=r"Everything\.char cannot be compared: text may not contain a null"):
        m.Everything.objects.filter(char="a\x00b").count()


def test_a_decimal_that_a_column_would_round_is_refused_and_compared_as_it_is(m: Any, scope: Any) -> None:
    with pytest.raises(ValidationError, match="more than 2 decimal places"):
        m.Everything.objects.create(decimal=Decimal("1.005"))
    m.Everything.objects.create(decimal=Decimal("1.00"))
    assert m.Everything.objects.filter(decimal=Decimal("1.005")).count() == 0
    assert m.Everything.objects.filter(decimal__lt=Decimal("1.005")).count() == 1


def test_a_row_that_another_program_spoiled_is_named(m: Any, scope: Any) -> None:
    if scope.database.dialect != "sqlite":
        pytest.skip("a server refuses such a value")
    scope.database.execute("INSERT INTO news_everything (id, instant) VALUES (41, 'last week')")
    with pytest.raises(DatabaseError, match=r"news\.Everything\.instant of row 41 is 'last week'.*UPDATE"):
        m.Everything.objects.get(pk=41)
    with pytest.raises(DatabaseError, match=r"news\.Everything\.first of row 41 is 'last week', which is no value of"):
        list(m.Everything.objects.only("pk").annotate(first=F("instant")))
    row = m.Everything.objects.only("pk").get()
    with pytest.raises(
        DatabaseError, match=r"news\.Everything\.instant of row 41 is 'last week', which is no DateTime"
    ):
        row.instant  # noqa: B018 - the read is the test


def test_a_spoiled_row_is_named_however_far_away_and_no_other_is_blamed(m: Any, newsroom: Any) -> None:
    database = newsroom.database
    if database.dialect != "sqlite":
        pytest.skip("a server refuses such a value")
    for number in range(2):
        m.Comment.objects.create(story=newsroom.stories[number], text="x")
    answer = m.Comment.objects.create(story=newsroom.stories[3], text="y", parent=m.Comment.objects.first())
    spoiled = newsroom.stories[0].pk
    database.execute("UPDATE news_story SET published = 'last week' WHERE id = ?", [spoiled])
    along = m.Comment.objects.select_related("parent__story").order_by("-pk")
    with pytest.raises(
        DatabaseError, match=rf"news\.Story\.published of row {spoiled} is 'last week', which is no Date"
    ):
        list(along.filter(pk__in=[answer.pk, answer.pk - 1]))  # the second has no parent, whose story had an instant


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
        (lambda: models.CharField(max_length=0), "max_length = 0 is no length of a value"),
        (lambda: models.DecimalField(max_digits=20, decimal_places=2), "cannot be kept exactly"),
        (lambda: models.DecimalField(), "how many digits it has is not said. Such as max_digits=8"),
        (lambda: models.ForeignKey("Other", on_delete=models.SET_NULL), "on_delete=SET_NULL needs null=True"),
        (lambda: models.ManyToManyField("Other", unique=True), "has no column to be unique"),
        (lambda: models.GenericIPAddressField(protocol="ipv6"), "protocol = 'ipv6'. Use 'both', 'IPv4' or 'IPv6'"),
        (lambda: models.GenericIPAddressField(protocol="IPv6", unpack_ipv4=True), "needs protocol='both', not 'IPv6'"),
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


def test_a_call_that_was_forgotten_is_no_text() -> None:
    with pytest.raises(ValidationError, match=r"<built-in method upper .* is not text"):
        models.TextField().clean("a".upper)


def test_an_empty_text_is_no_address() -> None:
    field: Any = models.GenericIPAddressField(null=True, blank=True)
    assert (field.clean(""), field.clean(None)) == (None, None)


def test_an_address_of_ipv4_inside_ipv6_may_be_unpacked() -> None:
    assert models.GenericIPAddressField(unpack_ipv4=True).to_python("::ffff:192.0.2.1") == "192.0.2.1"
    assert models.GenericIPAddressField(unpack_ipv4=True).to_python("2001:db8::1") == "2001:db8::1"
