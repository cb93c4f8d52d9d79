"""JSON: keys and indexes in paths, kinds of values, null and NULL, the same on every database."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.database.json_values import contains
from toolkit.errors import FieldError, ValidationError
from toolkit.models import (
    Cast,
    CharField,
    Count,
    DecimalField,
    F,
    FloatField,
    IntegerField,
    JSONField,
    JSONNull,
    JSONObject,
    Sum,
    Value,
)

CREDIT = {"credit": [{"name": "AP", "year": 2026}, {"name": "Reuters"}], "views": 5, "ok": True}


@pytest.fixture
def documents(m: Any, scope: Any) -> Any:
    """A function that saves documents, and one that asks which of them, by number, meet a condition."""
    saved: list[Any] = []

    def save(*values: Any) -> None:
        saved.extend(m.Everything.objects.create(json=value) for value in values)

    def ask(**lookups: Any) -> list[int]:
        found = set(m.Everything.objects.filter(**lookups).values_list("pk", flat=True))
        left = set(m.Everything.objects.exclude(**lookups).values_list("pk", flat=True))
        assert found | left == {row.pk for row in saved}, "a row is neither in a filter nor in its exclude"
        assert not found & left
        return [number for number, row in enumerate(saved) if row.pk in found]

    ask.save, ask.dialect = save, scope.database.dialect  # type: ignore[attr-defined]
    return ask


def test_keys_and_indexes_lead_into_a_value(documents: Any) -> None:
    documents.save(CREDIT, {"credit": []}, {"credit": {"0": {"name": "AP"}}}, [["AP"]], None)
    assert documents(json__credit__0__name="AP") == [0]
    assert documents(**{"json__credit__-1__name": "Reuters"}) == [0]
    assert documents(json__credit__1__name="AP") == []
    assert documents(json__0__0="AP") == [3]
    assert documents(json__credit=[]) == [1]
    assert documents(json__credit__0__name__icontains="ap") == [0]
    assert documents(json__credit__0__year__gte=2026) == [0]
    assert documents(json__credit__0={"year": 2026, "name": "AP"}) == [0]


def test_a_value_is_compared_by_its_kind(documents: Any) -> None:
    documents.save(*({"a": value} for value in (1, 1.0, True, "1", [1], {"a": 1}, None, 10, 9, "b", "ß")), {}, None)
    assert documents(json__a=1) == [0, 1]
    assert documents(json__a=True) == [2]
    assert documents(json__a="1") == [3]
    assert documents(json__a=[1]) == [4]
    assert documents(json__a={"a": 1.0}) == [5]
    assert documents(json__a__gt=5) == [7, 8]
    assert documents(json__a__gt="a") == [9, 10]
    assert documents(json__a__in=[1, "b", None]) == [0, 1, 9]
    assert documents(json__a__range=(1, 9.5)) == [0, 1, 8]
    assert documents(json__a__iexact="SS") == [10]
    assert documents(json__a__contains="b") == [9]
    with pytest.raises(FieldError, match="these alone have an order"):
        documents(json__a__gt=True)
    with pytest.raises(FieldError, match="these alone have an order"):
        documents(json__a__lt={"a": 1})


def test_null_in_json_is_not_a_missing_key_and_not_null_of_sql(m: Any, documents: Any) -> None:
    documents.save({"a": None}, {"b": 1}, JSONNull(), None, {"a": 0})
    assert documents(json__a=None) == [0]
    assert documents(json__a__isnull=True) == [1, 2, 3]
    assert documents(json__a__isnull=False) == [0, 4]
    assert documents(json__isnull=True) == [3]
    assert documents(json=None) == [3]
    assert documents(json=JSONNull()) == documents(json=Value(None, JSONField())) == [2]
    assert documents(json__a=Value(None, JSONField())) == [0]
    values = list(m.Everything.objects.order_by("pk").values_list("json", flat=True))
    assert values == [{"a": None}, {"b": 1}, JSONNull(), None, {"a": 0}]
    assert values[3] is None
    assert not values[2]


def test_a_row_with_null_keeps_it_when_it_is_saved_again(m: Any, scope: Any) -> None:
    row = m.Everything.objects.create(json=Value(None, JSONField()))
    again = m.Everything.objects.get()
    again.save()
    assert m.Everything.objects.get(json=JSONNull()).pk == row.pk


def test_what_is_contained(documents: Any) -> None:
    documents.save(CREDIT, {"views": 5}, {"views": 5.0, "more": {"x": [1, 2]}}, ["AP", 1, ["in"]], "AP", {})
    assert documents(json__contains={"views": 5}) == [0, 1, 2]
    assert documents(json__contains={}) == [0, 1, 2, 5]
    assert documents(json__contains={"more": {"x": [2]}}) == [2]
    assert documents(json__more__contains={"x": []}) == [2]
    assert documents(json__contains="AP") == [3, 4]
    assert documents(json__contains=["AP", 1]) == [3]
    assert documents(json__contains="in") == []
    assert documents(json__contained_by={"views": 5, "other": True}) == [1, 5]


def test_lists_of_objects_are_contained_or_refused(m: Any, documents: Any) -> None:
    documents.save(CREDIT, {"credit": [{"name": "ap"}]})
    if documents.dialect == "mysql":
        with pytest.raises(FieldError, match="MariaDB cannot tell whether a list contains an object"):
            documents(json__contains={"credit": [{"name": "AP"}]})
        with pytest.raises(FieldError, match="MariaDB cannot tell what is contained in lists"):
            documents(json__contained_by={"credit": [1]})
        return
    assert documents(json__contains={"credit": [{"name": "AP"}]}) == [0]
    assert documents(json__contained_by={**CREDIT, "x": 1}) == [0]


def test_keys_that_an_object_has(documents: Any) -> None:
    documents.save(CREDIT, {"views": None}, ["views"], "views", {"a": {"b": 1}}, None)
    assert documents(json__has_key="views") == [0, 1]
    assert documents(json__has_keys=["views", "ok"]) == [0]
    assert documents(json__has_any_keys=["views", "a"]) == [0, 1, 4]
    assert documents(json__a__has_key="b") == [4]
    assert documents(json__has_keys=[]) == [0, 1, 4]
    assert documents(json__has_any_keys=[]) == []
    for lookup, value in (("has_key", {"a": 1}), ("has_keys", "views"), ("has_any_keys", [None])):
        with pytest.raises(FieldError, match=r"no key of an object|no list of keys"):
            documents(**{f"json__{lookup}": value})


@pytest.mark.parametrize(
    "key", ['a"b', "it's", "a\\b", "$", "*", "[0]", "a.b", "ключ", "\n", "😀", '"', "\\u0041", "%s", ":p", "?"]
)
def test_any_key_can_be_asked_for_and_none_is_sql(documents: Any, key: str) -> None:
    documents.save({key: {key: 1}}, {key + "x": 1})
    assert documents(**{f"json__{key}__{key}": 1}) == [0]
    assert documents(json__has_key=key) == [0]
    assert documents(json__contains={key: {key: 1}}) == [0]


def test_a_key_that_begins_with_a_minus(documents: Any) -> None:
    documents.save({"-a": 1}, {"a": 1})
    assert documents(json__has_key="-a") == [0]
    if documents.dialect != "mysql":
        assert documents(**{"json__-a": 1}) == [0]
        return
    with pytest.raises(FieldError, match="MariaDB finds no key that begins with a minus"):
        documents(**{"json__-a": 1})
    with pytest.raises(FieldError, match="MariaDB finds no key that begins with a minus"):
        documents(json__contains={"-a": 1})


def test_keys_are_usable_wherever_a_field_is(m: Any, scope: Any) -> None:
    from toolkit.models import F

    for value in ({"n": 10, "s": "b"}, {"n": 9, "s": "a"}, {"n": "9"}, {"n": None}, {}, {"n": True}, {"n": [1]}):
        m.Everything.objects.create(json=value)
    ask = m.Everything.objects
    assert list(ask.order_by("json__n", "pk").values_list("json__n", flat=True)) == [None, None, True, 9, 10, "9", [1]]
    assert list(ask.order_by("-json__n").values_list("json__n", flat=True)[:2]) == [[1], "9"]
    assert list(ask.annotate(s=F("json__s")).filter(s="a").values_list("s", "json__n")) == [("a", 9)]
    assert next(iter(ask.values("json__n").order_by("pk"))) == {"json__n": 10}


def test_a_key_that_is_called_like_a_lookup_is_found_on_the_way(documents: Any) -> None:
    documents.save({"in": {"year": {"contains": 1}}})
    assert documents(json__in__year__contains__exact=1) == [0]


def test_objects_come_back_with_their_keys_sorted(m: Any, scope: Any) -> None:
    m.Everything.objects.create(json={"long key": 1, "b": {"z": 1, "a": [{"y": 1, "x": 2}]}})
    found = m.Everything.objects.get().json
    assert json.dumps(found) == '{"b": {"a": [{"x": 2, "y": 1}], "z": 1}, "long key": 1}'


def test_encoders_and_decoders_of_your_own() -> None:
    class Encoder(json.JSONEncoder):
        def default(self, value: Any) -> Any:
            return sorted(value) if isinstance(value, set) else super().default(value)

    class Decoder(json.JSONDecoder):
        def decode(self, text: str, *arguments: Any) -> Any:  # type: ignore[override]  # its signature is its own affair
            return {"read": super().decode(text)}

    field: Any = JSONField(encoder=Encoder, decoder=Decoder)
    assert field.db_writer("sqlite")({3, 1}) == "[1,3]"
    assert field.db_reader("postgresql")("[1]") == {"read": [1]}


def test_numbers_are_compared_however_they_are_written(documents: Any) -> None:
    """Whole ones exactly, and those with an exponent and no point as what they are."""
    documents.save(*({"a": value} for value in (5e-324, 1e-07, 2**60 + 1, 1e22, -(2**70))))
    assert documents(json__a__gt=0) == [0, 1, 2, 3]
    assert documents(json__a__gt=2**60) == [2, 3]
    assert documents(json__a__lte=2**60) == [0, 1, 4]
    assert documents(json__a__range=(-1, 1)) == [0, 1]


@pytest.mark.parametrize("value", [{"a": "x\x00"}, ["\ud800"], {1, 2}, float("inf"), {1: 2, "a": 3}])
def test_what_no_database_could_keep_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError, match=r"null character|cannot be written as JSON"):
        JSONField().clean(value)


def nested(depth: int, kind: str) -> Any:
    """A value inside of so many lists, or objects."""
    value: Any = 1
    for _ in range(depth):
        value = [0, value] if kind == "lists" else {"a": value}
    return value


@pytest.mark.parametrize("kind", ["lists", "objects"])
def test_what_is_nested_deeper_than_mariadb_keeps_is_refused_everywhere(m: Any, scope: Any, kind: str) -> None:
    rows = m.Everything.objects
    row = rows.create(json=nested(31, kind), text="kept")
    assert rows.get(json=nested(31, kind)).json == nested(31, kind)
    path = ".".join(["1" if kind == "lists" else "a"] * 31)
    told = f"nested more than 31 deep: {path} is"
    row.json = nested(32, kind)
    for write in (
        row.full_clean,
        row.save,
        lambda: rows.create(json=nested(32, kind)),
        lambda: rows.bulk_create([m.Everything(json=nested(40, kind))]),
        lambda: rows.update(json=nested(32, kind)),
        lambda: rows.bulk_update([row], ["json"]),
    ):
        with pytest.raises(ValidationError, match=rf"json.*{told}"):
            write()
    assert [each.json for each in rows.all()] == [nested(31, kind)]
    assert rows.filter(json=nested(32, kind)).count() == 0


WRITABLE = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS |= st.text(WRITABLE, max_size=4)
KEYS = st.sampled_from(["a", "b", "0", "in", "x y"]) | st.text(WRITABLE, min_size=1, max_size=3)
KEYS = KEYS.filter(lambda key: not key.startswith("-"))  # MariaDB does not find these; see below
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)
QUICK = settings(max_examples=40, suppress_health_check=list(HealthCheck))


def same(left: Any, right: Any) -> bool:
    """Whether two values are the same JSON: true is no 1, and 5.0 is 5."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def at(value: Any, steps: list[Any]) -> tuple[bool, Any]:
    for step in steps:
        is_index = isinstance(step, int) and isinstance(value, list) and -len(value) <= step < len(value)
        if not is_index and not (isinstance(step, str) and isinstance(value, dict) and step in value):
            return False, None
        value = value[step]
    return True, value


def stored(m: Any, data: st.DataObject) -> dict[int, Any]:
    """Some random documents, saved."""
    m.Everything.objects.all().delete()
    values = [v for v in data.draw(st.lists(VALUES, min_size=1, max_size=6)) if v is not None]
    return {m.Everything.objects.create(json=value).pk: value for value in values}


def some_path(data: st.DataObject, values: Any) -> list[Any]:
    """A path that leads somewhere in one of the values, or not."""
    value = data.draw(st.sampled_from(list(values))) if values else None
    path: list[Any] = []
    while isinstance(value, list | dict) and value and data.draw(st.booleans()):
        step = data.draw(
            st.sampled_from(sorted(value) if isinstance(value, dict) else list(range(-len(value), len(value))))
        )
        if isinstance(step, str) and (step.lstrip("-").isdigit() or "__" in step or step.strip("_") != step):
            break
        path.append(step)
        value = value[step]
    return path + data.draw(st.lists(st.sampled_from(["a", "b", 0, -1]), max_size=1))


@QUICK
@given(st.data())
def test_any_value_is_found_where_it_is(m: Any, scope: Any, data: st.DataObject) -> None:
    documents = stored(m, data)
    path = some_path(data, documents.values())
    reached = {pk: at(value, path) for pk, value in documents.items()}
    inner = [value for there, value in reached.values() if there]
    wanted = data.draw(st.sampled_from(inner) if inner else VALUES)
    name = "__".join(["json", *map(str, path), "exact"])
    if wanted is None and not path:
        return
    expected = {pk for pk, (there, value) in reached.items() if there and same(value, wanted)}
    assert set(m.Everything.objects.filter(**{name: wanted}).values_list("pk", flat=True)) == expected
    others = set(m.Everything.objects.exclude(**{name: wanted}).values_list("pk", flat=True))
    assert others == set(documents) - expected


@QUICK
@given(st.data())
def test_an_order_is_that_of_python(m: Any, scope: Any, data: st.DataObject) -> None:
    documents = stored(m, data)
    path = some_path(data, documents.values())
    wanted = data.draw(st.integers(-(2**60), 2**60) | st.text(WRITABLE, max_size=2))

    def is_more(there: bool, value: Any) -> bool:
        comparable = isinstance(value, str) == isinstance(wanted, str) and isinstance(value, int | float | str)
        return there and comparable and not isinstance(value, bool) and value > wanted

    expected = {pk for pk, value in documents.items() if is_more(*at(value, path))}
    name = "__".join(["json", *map(str, path), "gt"])
    assert set(m.Everything.objects.filter(**{name: wanted}).values_list("pk", flat=True)) == expected


@QUICK
@given(st.data())
def test_containment_is_that_of_python(m: Any, scope: Any, data: st.DataObject) -> None:
    documents = stored(m, data)
    wanted = data.draw(VALUES.filter(lambda value: value is not None))
    expected = {pk for pk, value in documents.items() if contains(value, wanted)}
    try:
        found = set(m.Everything.objects.filter(json__contains=wanted).values_list("pk", flat=True))
    except FieldError:
        assert scope.database.dialect == "mysql"
        return
    assert found == expected


@QUICK
@given(VALUES.filter(lambda value: value is not None))
def test_any_value_comes_back(m: Any, scope: Any, value: Any) -> None:
    row = m.Everything.objects.create(json=value)
    found = m.Everything.objects.get(pk=row.pk).json
    assert same(found, value)
    field = m.Everything._meta.get_field("json")
    assert same(field.from_string(field.value_to_string(found)), value)


def test_groups_are_made_by_what_stands_under_a_key(m: Any, documents: Any) -> None:
    documents.save({"a": 1}, {"a": 1, "b": 2}, {"a": "1"}, {}, None)
    groups = m.Everything.objects.values("json__a").annotate(n=Count("pk"))
    assert sorted((str(type(group["json__a"])), group["n"]) for group in groups) == [
        ("<class 'NoneType'>", 2), ("<class 'int'>", 2), ("<class 'str'>", 1),
    ]  # fmt: skip
    assert groups.filter(n=2).count() == 2
    assert len(m.Everything.objects.values_list("json__a", flat=True).distinct()) == 3
    with pytest.raises(FieldError, match="JSON has an order by kind, which groups do not"):
        list(groups.order_by("json__a"))


def test_groups_by_json_have_an_order_that_all_databases_share(m: Any, documents: Any) -> None:
    """Null, false, true, numbers, text by code point, lists and objects by their text; so have the ties of an order."""
    values = [{}, {"b": [2], "a": 1}, {"a": 1}, [2, 1], [10], [1], [], "é", "a", "B", "b ", "b", "", 10, 9, 0.5, -1]
    values += [2**70, 1e-07, True, False, None]
    documents.save({}, *({"k": value} for value in values), {"k": "b"})
    groups = m.Everything.objects.values("json__k").annotate(n=Count("pk"))
    expected = [
        None, None, False, True, -1, 1e-07, 0.5, 9, 10, 2**70, "", "B", "a", "b", "b ", "é",
        [10], [1], [2, 1], [], {"a": 1, "b": [2]}, {"a": 1}, {},
    ]  # fmt: skip
    assert [group["json__k"] for group in groups] == expected
    assert [(group["json__k"], group["n"]) for group in groups.order_by("-n")[:4]] == [
        ("b", 2), (None, 1), (None, 1), (False, 1),
    ]  # fmt: skip
    whole = m.Everything.objects.values("json").annotate(n=Count("pk")).filter(n=1)
    assert [group["json"] for group in whole][:3] == [{"k": ""}, {"k": "B"}, {"k": "a"}]


def test_json_is_compared_with_json_alone(m: Any, documents: Any) -> None:
    documents.save({"a": 1, "b": 1}, {"a": "1", "b": 1}, {"a": True, "b": 1})
    rows = m.Everything.objects
    rows.update(integer=1)
    assert documents(json__a=F("json__b")) == [0]
    assert documents(json=JSONObject(b="integer", a=Value(1))) == [0]
    for ask, told in [
        (lambda: rows.filter(json__a=F("integer")), "json__a: JSON cannot be compared with int"),
        (lambda: rows.filter(json__a__gt=F("json__b")), "json__a__gt: JSON is compared with other JSON for equality"),
        (lambda: rows.filter(integer=F("json__a")), "integer: int cannot be compared with JSON"),
        (lambda: rows.filter(char__contains=F("json__a")), "char__contains: str cannot be compared with JSON"),
        (lambda: rows.filter(integer__in=rows.values("json__a")), "int cannot be searched among JSON"),
        (lambda: rows.filter(json__a__in=rows.values("integer")), "JSON cannot be searched among int"),
    ]:
        with pytest.raises(FieldError, match=told):
            list(ask())
    among = rows.filter(json__a__in=rows.values("json__b"))
    if documents.dialect == "mysql":
        with pytest.raises(FieldError, match="MariaDB takes a number and its text"):
            list(among)
    else:
        assert [row.json["a"] for row in among] == [1]


def test_numbers_and_texts_are_taken_out_of_json(m: Any, documents: Any) -> None:
    documents.save(*({"a": value} for value in (7, 2.5, -3, "7", "Größe", True, None, [1], 2**40)), {}, None)
    rows = m.Everything.objects.order_by("pk")

    def cast(field: Any) -> list[Any]:
        return list(rows.annotate(found=Cast("json__a", field)).values_list("found", flat=True))

    assert cast(IntegerField()) == [7, 2, -3, None, None, None, None, None, 2**40, None, None]
    assert cast(FloatField()) == [7.0, 2.5, -3.0, None, None, None, None, None, 2.0**40, None, None]
    decimals = cast(DecimalField(max_digits=15, decimal_places=1))
    assert decimals[:3] == [Decimal("7.0"), Decimal("2.5"), Decimal("-3.0")] and decimals[3:8] == [None] * 5
    assert cast(CharField(max_length=3)) == [None, None, None, "7", "Grö", *[None] * 6]
    numbers = m.Everything.objects.filter(json__a__lt=100)
    assert numbers.aggregate(n=Sum(Cast("json__a", IntegerField()))) == {"n": 6}
    rows.update(integer=Cast("json__a", IntegerField()))
    assert rows.filter(integer=Cast("json__a", IntegerField())).count() == 4
