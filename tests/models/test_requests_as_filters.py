"""What a visitor sends as names and values of a filter: an answer or a FieldError, never SQL of theirs."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.errors import FieldError
from toolkit.models import JSONNull, Q

FIELDS = [
    "char", "text", "slug", "markdown", "email", "url", "integer", "positive", "float", "decimal", "boolean", "date",
    "instant", "json", "uuid", "binary", "small", "time", "duration", "address", "pk", "id",
]  # fmt: skip
LOOKUPS = [
    "exact", "iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "gt", "gte", "lt",
    "lte", "in", "range", "isnull", "regex", "iregex", "year", "month", "day", "hour", "has_key", "has_keys",
    "has_any_keys", "contained_by", "0", "-1", "a", "year__gte", "a__0__icontains", "contains__x", "nosuch", "", "_",
]  # fmt: skip
EVIL = [
    "' OR 1=1 --", '"; DROP TABLE news_everything; --', "%", "_", "\\", "\x00", "\ud800", "{}", "[]", "null", "1e999",
    "NaN", "true", "-1", "9" * 400, "a" * 70_000, "(", "(?:", "[", "*", ":p1", "%s", "%(x)s", "?", "$1", "\\'", "`",
]  # fmt: skip
NAMES = [
    "_connector", "_negated", "self", "pk__", "__", "__class__", "objects", "_meta", "id; --", "char`", 'char"', "t1",
    "news_everything.char", "json__\x00", "json__\ud800", "json__'", "json__a__%s",
]  # fmt: skip

VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(EVIL),
    st.text(max_size=5),
    st.binary(max_size=3),
    st.none(),
    st.booleans(),
    st.integers(-(2**80), 2**80),
    st.floats(),
    st.sampled_from([Decimal("NaN"), Decimal("1e500"), Decimal("1.5"), datetime(2026, 1, 1, tzinfo=UTC), UUID(int=1)]),
    st.sampled_from([datetime(2026, 1, 1), JSONNull(), object(), [], {}, (), [None], {"a": 1}, [[1]], {1}, [{}], Q]),  # noqa: DTZ001
    st.lists(st.one_of(st.sampled_from(EVIL), st.integers(), st.none(), st.floats()), max_size=3),
    st.dictionaries(st.sampled_from(["a", "'", "$", "-"]), st.integers(), max_size=2),
)
SWEPT = ["char", "integer", "float", "decimal", "boolean", "date", "instant", "json", "json__a", "uuid", "address"]
MANY = settings(max_examples=200, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("field", SWEPT)
def test_no_evil_text_behind_any_lookup_reaches_the_database_as_an_error(m: Any, scope: Any, field: str) -> None:
    m.Everything.objects.create(char="a", integer=1, json={"a": 1})
    for lookup in LOOKUPS:
        for value in [*EVIL, [EVIL[0], EVIL[-1]], {"a": "\ud800"}]:
            try:
                assert m.Everything.objects.filter(**{f"{field}__{lookup}": value}).count() in (0, 1)
            except FieldError:
                continue


@MANY
@given(field=st.sampled_from(FIELDS), lookup=st.sampled_from(LOOKUPS), value=VALUES)
def test_any_value_behind_any_lookup_is_answered_or_refused(
    m: Any, scope: Any, field: str, lookup: str, value: Any
) -> None:
    name = f"{field}__{lookup}" if lookup else field
    for ask in (m.Everything.objects.filter, m.Everything.objects.exclude):
        try:
            ask(**{name: value}).count()
        except FieldError:
            continue
    assert m.Everything.objects.count() == 0


PATHS = st.tuples(st.sampled_from(FIELDS), st.text(max_size=6)).map("__".join)


@MANY
@given(name=st.sampled_from(NAMES) | st.text(max_size=8) | PATHS, value=st.sampled_from(["x", 1, None, True]))
def test_any_name_is_a_declared_lookup_or_refused(m: Any, scope: Any, name: str, value: Any) -> None:
    for ask in (
        lambda: m.Everything.objects.filter(**{name: value}),
        lambda: m.Everything.objects.filter(Q(**{name: value})),
    ):
        try:
            ask().count()
        except (FieldError, TypeError) as error:
            assert isinstance(error, FieldError) or name == "self"


@pytest.mark.parametrize(
    "name",
    [
        "section__stories__" * 9 + "title",
        "section__stories__" * 200 + "title",
        "title__" * 100 + "x",
        "t" * 100_000,
        "data__" * 9,
    ],
)
def test_a_path_that_is_too_long_is_refused(m: Any, newsroom: Any, name: str) -> None:
    with pytest.raises(FieldError):
        m.Story.objects.filter(**{name: "x"}).count()


@pytest.mark.parametrize("values", [range(50_000), [f"name {n}" for n in range(50_000)]], ids=["numbers", "text"])
def test_a_list_of_any_length_may_follow_in(m: Any, newsroom: Any, values: Any) -> None:
    name = "pk" if isinstance(values, range) else "slug"
    chosen = [*values, "story-3"] if name == "slug" else values
    expected = 1 if name == "slug" else 20
    assert m.Story.objects.filter(**{f"{name}__in": chosen}).count() == expected
    assert m.Story.objects.exclude(**{f"{name}__in": chosen}).count() == 20 - expected
