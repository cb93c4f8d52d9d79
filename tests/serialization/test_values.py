"""Each value of each kind of field comes back as it was, in every format."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.money import Money
from tests.serialization.world import FORMATS, Everything, dumped, loaded
from toolkit.models import JSONNull
from toolkit.serialization import Record, format_of
from toolkit.trace import Scope

TICK = dt.timedelta(microseconds=1)
CHARS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXT = st.one_of(
    st.text(CHARS, max_size=30),
    st.sampled_from(["", " ", '"', '""', '"a', "[", "[1]", "\\", "\\u{1}", "\r", "a\r\nb", "\x01\x85\u2028\ufffe"]),
    st.sampled_from(["null", "~", "yes", "1e3", "1:30", "2026-01-01", "=1", "- a", "# a", "a: b", "\ta ", "<![CDATA["]),
    st.sampled_from(["\ufeffa", "---", "...", "0x1F", "1_000", "012", ".5", "]]>", "&amp;", "\n a", "a\n\n", "$json"]),
    st.sampled_from(['{"$json": 1}', "+1", "@x", "%", "!a", "&a", "*a", "|", ">", "? a", "e\u0301", "😀", "\u200b"]),
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.sampled_from([-0.0, *map(float, range(-9, 9))]), TEXT
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
).map(lambda value: JSONNull() if value is None else value)
MOMENTS = st.integers(0, 9_000_000_000_000_000).map(lambda n: dt.datetime(1900, 1, 1, tzinfo=dt.UTC) + n * TICK)
VALUES: dict[str, Any] = {
    "char": TEXT,
    "text": TEXT,
    "slug": st.from_regex(r"[a-z0-9-]{1,20}", fullmatch=True),
    "markdown": TEXT,
    "email": st.sampled_from(["ann@example.org", "b.c+d@example.com"]),
    "url": st.sampled_from(["https://example.org/?a=1&b=<2>", "http://example.com/%20"]),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "positive": st.integers(0, 2**31 - 1),
    "small": st.integers(-(2**15), 2**15 - 1),
    "big": st.integers(-(2**63), 2**63 - 1),
    "positive_small": st.integers(0, 2**15 - 1),
    "positive_big": st.integers(0, 2**63 - 1),
    "float": NUMBERS,
    "decimal": st.decimals(-999_999_999, 999_999_999, places=3),
    "boolean": st.booleans(),
    "date": st.dates(),
    "instant": MOMENTS,
    "time": st.times(),
    "duration": st.timedeltas(dt.timedelta(days=-9999), dt.timedelta(days=9999)),
    "json": JSON,
    "uuid": st.uuids(),
    "binary": st.binary(max_size=20),
    "address": st.ip_addresses().map(str),
    "price": st.builds(Money, st.decimals(0, 999_999, places=2), st.just("EUR")),
    "file": st.sampled_from(["photos/a b.jpg", "ñ.txt"]),
}
ROW = st.fixed_dictionaries({}, optional={name: st.one_of(st.none(), each) for name, each in VALUES.items()})


def as_kept() -> list[dict[str, Any]]:
    """The rows, with numbers and truth values told apart."""
    return [
        {name: repr(value) for name, value in row.items()}
        for row in Everything.objects.order_by("pk").values(*VALUES, "pk")
    ]


@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=15)
@given(rows=st.lists(ROW, min_size=1, max_size=4))
def test_rows_come_back_as_they_were(kind: str, rows: list[dict[str, Any]], scope: Scope) -> None:
    Everything.objects.all().delete()
    Everything.objects.bulk_create([Everything(**{"file": "x", **_known(row)}) for row in rows])
    before, text = as_kept(), dumped(scope, kind, models=[Everything])

    assert loaded(scope, text, kind).unchanged == len(rows)
    Everything.objects.all().delete()

    assert loaded(scope, text, kind).added == len(rows)
    assert as_kept() == before
    assert dumped(scope, kind, models=[Everything]) == text


def _known(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "file" or value is not None}


def test_every_kind_of_field_is_tried() -> None:
    assert {field.name for field in Everything._meta.fields} - {"id"} == set(VALUES)


@pytest.mark.parametrize("kind", ["json", "jsonl", "yaml", "xml"])
@given(
    pk=st.one_of(st.integers(0, 9).map(str), TEXT.filter(bool), st.lists(TEXT, min_size=1)),
    fields=st.dictionaries(TEXT, st.one_of(st.none(), TEXT, st.lists(TEXT))),
    translations=st.dictionaries(TEXT.filter(bool), st.dictionaries(TEXT, st.one_of(st.none(), TEXT), min_size=1)),
)
def test_any_record_comes_back(kind: str, pk: Any, fields: Any, translations: Any) -> None:
    out, written = io.StringIO(), Record("news.Story", pk, fields, translations)
    form = format_of(kind)
    form.write([written, written], out)
    found = list(form.read(io.BytesIO(out.getvalue().encode())))
    assert [(each.pk, each.fields, each.translations) for each in found] == [(pk, fields, translations)] * 2


def test_null_and_the_null_of_json_are_two_things(scope: Scope) -> None:
    Everything.objects.create(file="x", json=None)
    Everything.objects.create(file="x", json=JSONNull())
    Everything.objects.create(file="x", json={"$json": None})
    for kind in FORMATS:
        text = dumped(scope, kind)
        Everything.objects.all().delete()
        loaded(scope, text, kind)
        assert list(Everything.objects.order_by("pk").values_list("json", flat=True)) == [
            None, JSONNull(), {"$json": None},
        ]  # fmt: skip
