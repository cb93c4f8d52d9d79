"""Functions of the database give what plain Python gives, on every database, of NULL and of all scripts too."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from tests.models.conftest import URLS, make_database
from toolkit import models
from toolkit.errors import FieldError
from toolkit.models import functions as fn
from toolkit.models.expressions import F, Value
from toolkit.models.fields import CharField, DateField, DateTimeField, DecimalField, FloatField, IntegerField, TextField
from toolkit.models.resolve import resolve_models
from toolkit.trace import Scope, entered

TENTHS = DecimalField[Any](max_digits=6, decimal_places=1)
HUNDREDTHS = DecimalField[Any](max_digits=6, decimal_places=2)

ROWS: list[dict[str, Any]] = [
    {"char": "Größe", "text": "ö", "integer": 2, "float": 2.5, "decimal": Decimal("2.35")},
    {"char": "  ΟΔΟΣ İx ", "text": "Σ", "integer": -15, "float": -2.5, "decimal": Decimal("-0.10")},
    {"char": "ΑΣ. ΣΑΣ Σ1 ΑΣ̈ Ά.Σ", "text": "ς", "integer": 400, "float": 12.0, "decimal": Decimal("8.25")},
    {"char": "漢字😀é", "text": "😀", "integer": 0, "float": 0.0, "decimal": Decimal("0.00")},
    {"char": "", "text": "", "integer": 1, "float": 1.0, "decimal": Decimal("1.00")},
    {"char": "a%b'\\_", "text": "%", "integer": 5, "float": 2.675, "decimal": Decimal("9.99")},
    {"char": "ﬁn ẞß ǆ ა", "text": "ß", "integer": 3, "float": -0.75, "decimal": Decimal("5.50")},
    {"char": "x", "text": None, "integer": None, "float": 1.5, "decimal": None},
    {"char": None, "text": "x", "integer": 4, "float": None, "decimal": Decimal("4.00")},
]


def strict(function: Callable[..., Any], *names: str) -> Callable[[dict[str, Any]], Any]:
    """An oracle: NULL of NULL, and where Python raises."""

    def expected(row: dict[str, Any]) -> Any:
        values = [row[name] for name in names]
        if None in values:
            return None
        try:
            return function(*values)
        except (ValueError, ZeroDivisionError, OverflowError):
            return None

    return expected


def places(number: Decimal, precision: int, rounding: str = ROUND_HALF_UP) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-precision), rounding=rounding)


def hashed(name: str) -> Callable[[str], str]:
    return lambda text: hashlib.new(name, text.encode()).hexdigest()


def pad(text: str, count: int, fill: str, *, left: bool) -> str:
    missing = max(0, count - len(text))
    filled = (fill * count)[:missing] if fill else ""
    return filled + text[:count] if left else text[:count] + filled


def whole(text: str) -> int:
    return int(text) if text.strip(" ").isascii() else int("no")


TEXT: list[tuple[Any, Callable[[dict[str, Any]], Any]]] = [
    (fn.Lower("char"), strict(str.lower, "char")),
    (fn.Upper("char"), strict(str.upper, "char")),
    (fn.Lower(fn.Upper("char")), strict(lambda c: c.upper().lower(), "char")),
    (fn.Length("char"), strict(len, "char")),
    (fn.Trim("char"), strict(lambda c: c.strip(" "), "char")),
    (fn.LTrim("char"), strict(lambda c: c.lstrip(" "), "char")),
    (fn.RTrim("char"), strict(lambda c: c.rstrip(" "), "char")),
    (fn.Reverse("char"), strict(lambda c: c[::-1], "char")),
    (fn.Concat("char", Value("-"), "text"), lambda row: f"{row['char'] or ''}-{row['text'] or ''}"),
    (
        fn.Concat("char", "integer", "decimal"),
        lambda row: "".join("" if row[n] is None else str(row[n]) for n in ("char", "integer", "decimal")),
    ),
    (fn.Substr("char", 2), strict(lambda c: c[1:], "char")),
    (fn.Substr("char", 2, 3), strict(lambda c: c[1:4], "char")),
    (fn.Substr("char", "integer", 2), strict(lambda c, i: c[max(i, 1) - 1 :][:2], "char", "integer")),
    (fn.Substr("char", 1, "integer"), strict(lambda c, i: c[: max(i, 0)], "char", "integer")),
    (fn.Left("char", 3), strict(lambda c: c[:3], "char")),
    (fn.Left("char", "integer"), strict(lambda c, i: c[: max(i, 0)], "char", "integer")),
    (fn.Right("char", 3), strict(lambda c: c[-3:], "char")),
    (fn.Right("char", 0), strict(lambda c: "", "char")),
    (fn.Right("char", "integer"), strict(lambda c, i: c[-i:] if i > 0 else "", "char", "integer")),
    (fn.Replace("char", "text", Value("ff")), strict(lambda c, t: c.replace(t, "ff") if t else c, "char", "text")),
    (fn.Replace("char", Value("zz"), "text"), strict(lambda c, t: c.replace("zz", t), "char", "text")),
    (fn.Replace("char", Value("x")), strict(lambda c: c.replace("x", ""), "char")),
    (fn.Repeat("char", 3), strict(lambda c: c * 3, "char")),
    (fn.Repeat("char", "integer"), strict(lambda c, i: c * i, "char", "integer")),
    *[
        (kind("char", count, Value(fill)), strict(lambda c, n=count, f=fill, s=left: pad(c, n, f, left=s), "char"))
        for kind, left in ((fn.LPad, True), (fn.RPad, False))
        for count, fill in ((8, "äb"), (3, " "), (12, ""), (0, "x"))
    ],
    (
        fn.LPad("text", "integer", "char"),
        strict(lambda t, i, c: pad(t, max(i, 0), c, left=True), "text", "integer", "char"),
    ),
    (fn.RPad("text", 4), strict(lambda t: t.ljust(4), "text")),
    (fn.StrIndex("char", "text"), strict(lambda c, t: c.find(t) + 1, "char", "text")),
    (fn.StrIndex("char", Value("X")), strict(lambda c: c.find("X") + 1, "char")),
    (fn.Ord("char"), strict(lambda c: ord(c[0]) if c else 0, "char")),
    (fn.Chr(F("integer") * 9999), strict(lambda i: chr(i * 9999) if i > 0 else None, "integer")),
    (fn.Chr(F("integer") + 55295), strict(lambda i: chr(i + 55295) if i <= 0 else None, "integer")),
    (fn.Chr(F("integer") + 1114110), strict(lambda i: chr(i + 1114110), "integer")),
    (fn.Chr(fn.Ord("char")), strict(lambda c: c[0] if c else None, "char")),
    *[
        (kind("char"), strict(hashed(kind.__name__.lower()), "char"))
        for kind in (fn.MD5, fn.SHA1, fn.SHA224, fn.SHA256, fn.SHA384, fn.SHA512)
    ],
]  # fmt: skip

REAL = [(fn.Sqrt, math.sqrt), (fn.Exp, math.exp), (fn.Ln, math.log), (fn.Sin, math.sin), (fn.Cos, math.cos),
        (fn.Tan, math.tan), (fn.ASin, math.asin), (fn.ACos, math.acos), (fn.ATan, math.atan),
        (fn.Cot, lambda x: 1 / math.tan(x)), (fn.Degrees, math.degrees), (fn.Radians, math.radians)]  # fmt: skip


def half_up(number: float, precision: int) -> float:
    return float(places(Decimal(repr(number)), precision))


MATH: list[tuple[Any, Callable[[dict[str, Any]], Any]]] = [
    *[
        (kind(name), strict(lambda x, f=function: float(f(x)), name))
        for kind, function in REAL
        for name in ("integer", "float", "decimal")
    ],
    (fn.Exp(F("integer") * 100), strict(lambda i: math.exp(i * 100), "integer")),
    (fn.Exp(F("integer") * 1000), strict(lambda i: math.exp(i * 1000), "integer")),
    *[(fn.Abs(name), strict(abs, name)) for name in ("integer", "float", "decimal")],
    *[(fn.Sign(name), strict(lambda x: (x > 0) - (x < 0), name)) for name in ("integer", "float", "decimal")],
    (fn.Ceil("integer"), strict(int, "integer")),
    (fn.Ceil("float"), strict(lambda x: float(math.ceil(x)), "float")),
    (fn.Ceil("decimal"), strict(lambda x: places(x, 0, ROUND_CEILING), "decimal")),
    (fn.Floor("integer"), strict(int, "integer")),
    (fn.Floor("float"), strict(lambda x: float(math.floor(x)), "float")),
    (fn.Floor("decimal"), strict(lambda x: places(x, 0, ROUND_FLOOR), "decimal")),
    *[(fn.Round("float", n), strict(lambda x, n=n: half_up(x, n), "float")) for n in (0, 1, 2, 3, -1)],
    *[(fn.Round("decimal", n), strict(lambda x, n=n: places(x, max(n, 0)), "decimal")) for n in (0, 1, 2)],
    (fn.Round("decimal", -1), strict(lambda x: Decimal(int(places(x, -1))), "decimal")),
    (fn.Round("decimal", 5), strict(lambda x: x, "decimal")),
    (fn.Round("integer", 1), strict(int, "integer")),
    (fn.Round("integer", -1), strict(lambda x: int(places(Decimal(x), -1)), "integer")),
    (fn.Round(F("float") * 1e20), strict(lambda x: x * 1e20, "float")),
    (fn.Mod("integer", 4), strict(lambda x: int(math.fmod(x, 4)), "integer")),
    (fn.Mod("float", "integer"), strict(math.fmod, "float", "integer")),
    (fn.Power("integer", 2), strict(lambda x: float(x**2), "integer")),
    (fn.Power("float", "integer"), strict(lambda x, y: x**y, "float", "integer")),
    (fn.Power("float", F("integer") * 10), strict(lambda x, y: x ** (y * 10), "float", "integer")),
    (fn.Power("float", F("integer") * -10), strict(lambda x, y: x ** (y * -10), "float", "integer")),
    (fn.Degrees(F("float") * 1e307), strict(lambda x: math.degrees(x * 1e307) if abs(x) < 0.3 else None, "float")),
    (fn.Log(10, "float"), strict(lambda x: math.log(x) / math.log(10), "float")),
    (fn.Log("integer", "float"), strict(lambda b, x: math.log(x) / math.log(b), "integer", "float")),
    (fn.ATan2("float", "integer"), strict(math.atan2, "float", "integer")),
    (fn.Pi(), lambda row: math.pi),
]

COMPARISON: list[tuple[Any, Callable[[dict[str, Any]], Any]]] = [
    (fn.Coalesce("char", "text"), lambda row: row["text"] if row["char"] is None else row["char"]),
    (fn.Coalesce("integer", "float"), lambda row: row["float"] if row["integer"] is None else float(row["integer"])),
    (fn.Coalesce("decimal", 7), lambda row: Decimal(7) if row["decimal"] is None else row["decimal"]),
    (fn.NullIf("integer", 1), lambda row: None if row["integer"] == 1 else row["integer"]),
    (fn.NullIf("char", Value("x")), lambda row: None if row["char"] == "x" else row["char"]),
    (fn.NullIf("char", "text"), lambda row: None if row["char"] == row["text"] else row["char"]),
    (fn.Greatest("integer", "float"), strict(lambda i, f: float(max(i, f)), "integer", "float")),
    (fn.Least("integer", 1, "decimal"), strict(lambda i, d: Decimal(min(i, 1, d)), "integer", "decimal")),
    (fn.Greatest("char", "text"), strict(max, "char", "text")),
    (fn.Greatest("integer", None), lambda row: None),
    (fn.Least("char", Value(None)), lambda row: None),
    (fn.Least(None, None), lambda row: None),
    (fn.Least("char", "text", Value("Z")), strict(lambda c, t: min(c, t, "Z"), "char", "text")),
    (fn.Greatest(fn.Lower("char"), fn.Upper("text")), strict(lambda c, t: max(c.lower(), t.upper()), "char", "text")),
    (fn.Cast("integer", TextField()), strict(str, "integer")),
    (fn.Cast("decimal", TextField()), strict(str, "decimal")),
    (fn.Cast("char", CharField(max_length=3)), strict(lambda c: c[:3], "char")),
    (fn.Cast("char", IntegerField()), strict(whole, "char")),
    (
        fn.Cast(fn.Concat(Value(" +"), "integer"), IntegerField()),
        lambda row: row["integer"] if (row["integer"] or 0) >= 0 else None,
    ),
    (fn.Cast(fn.Cast("decimal", TextField()), FloatField()), strict(float, "decimal")),
    (fn.Cast(fn.Cast("decimal", TextField()), TENTHS), strict(lambda d: places(d, 1), "decimal")),
    (fn.Cast(fn.Concat("integer", Value("\n")), IntegerField()), lambda row: None),
    (fn.Cast("float", IntegerField()), strict(int, "float")),
    (fn.Cast(F("float") * 1e30, IntegerField()), strict(lambda x: None if x else 0, "float")),
    (fn.Cast("decimal", IntegerField()), strict(int, "decimal")),
    (fn.Cast("integer", FloatField()), strict(float, "integer")),
    (fn.Cast("decimal", FloatField()), strict(float, "decimal")),
    (fn.Cast("float", HUNDREDTHS), strict(lambda x: places(Decimal(repr(x)), 2), "float")),
    (fn.Cast("decimal", TENTHS), strict(lambda x: places(x, 1), "decimal")),
    (fn.Cast("integer", models.BooleanField()), strict(bool, "integer")),
]  # fmt: skip

ALL = [*TEXT, *MATH, *COMPARISON]


@pytest.fixture
def rows(m: Any, scope: Any) -> Any:
    m.Everything.objects.bulk_create([m.Everything(**row, positive=n) for n, row in enumerate(ROWS)])
    return m.Everything.objects.order_by("positive")


def test_functions_give_what_python_gives(rows: Any, scope: Any) -> None:
    wrong = []
    for expression, oracle in ALL:
        if isinstance(expression, fn.SHA1) and scope.database.dialect == "postgresql":
            continue
        found = list(rows.annotate(found=expression).values_list("found", flat=True))
        for value, row in zip(found, ROWS, strict=True):
            expected = oracle(row)
            same = value == (pytest.approx(expected, rel=1e-9, abs=1e-12) if isinstance(expected, float) else expected)
            typed = expected is None or isinstance(expected, bool) or isinstance(value, type(expected))
            if not (same and (typed or isinstance(expression, fn.Sign))):
                wrong.append(f"{expression!r} of {row}: {value!r}, not {expected!r}")
    assert not wrong, "\n".join(wrong)


def test_json_is_made_of_values(rows: Any, scope: Any, m: Any) -> None:
    m.Everything.objects.update(json={"b": [1, None], "a": "x"}, boolean=True, date=date(2026, 3, 1))
    made = fn.JSONObject(text="char", n="integer", f="float", d="decimal", t="boolean", j="json", day="date", no="big")
    found = list(rows.values_list(made, flat=True))
    for value, row in zip(found, ROWS, strict=True):
        assert value == {
            "text": row["char"], "n": row["integer"], "f": row["float"], "t": True, "day": "2026-03-01", "no": None,
            "d": None if row["decimal"] is None else float(row["decimal"]), "j": {"a": "x", "b": [1, None]},
        }  # fmt: skip
    assert list(found[0]) == sorted(found[0])
    assert rows.values_list(fn.JSONArray("char", F("integer") + 1, Value("x"), "boolean"), flat=True)[0] == [
        "Größe",
        3,
        "x",
        True,
    ]
    assert rows.annotate(made=fn.JSONObject(n="integer")).filter(made__n__gt=4).count() == 2
    assert rows.values_list(fn.JSONObject(**{"a'b%s": Value(1)}), flat=True)[0] == {"a'b%s": 1}
    with pytest.raises(FieldError, match="from datetime to str does not mean the same on every database"):
        list(rows.annotate(made=fn.JSONObject(at="instant")))


def test_text_is_compared_in_another_collation(rows: Any, scope: Any) -> None:
    known = {"sqlite": "NOCASE", "postgresql": "und-x-icu", "mysql": "utf8mb4_unicode_520_ci"}
    name = known[scope.database.dialect]
    ordered = list(rows.exclude(char=None).order_by(fn.Collate("char", name)).values_list("char", flat=True))
    assert ordered.index("a%b'\\_") < ordered.index("x")
    caseless = rows.annotate(c=fn.Collate("char", name)).filter(c=Value("X")).count()
    assert caseless == (0 if scope.database.dialect == "postgresql" else 1)
    for wrong in ('x" COLLATE "y', "", "a b", None):
        with pytest.raises(FieldError, match="is no name of a collation"):
            fn.Collate("char", wrong)  # type: ignore[arg-type]  # what a visitor sends


def test_functions_stand_on_both_sides_of_a_filter(rows: Any) -> None:
    assert rows.annotate(low=fn.Lower("char")).filter(low="größe").count() == 1
    assert rows.annotate(low=fn.Lower("char")).filter(low__startswith="grö").count() == 1
    assert rows.filter(text=fn.Right(fn.Left("char", 3), 1)).count() == 3
    assert rows.filter(text=fn.Coalesce("char", "text")).count() == 2
    assert rows.annotate(n=fn.Length("char")).filter(n__gt=F("integer")).count() == 5
    assert rows.annotate(r=fn.Round("decimal", 1)).filter(r=Decimal("2.4")).get().char == "Größe"
    assert rows.annotate(r=fn.Sqrt("integer")).filter(r=None).count() == 2


def test_functions_order_rows(rows: Any) -> None:
    by_length = [row.char for row in rows.order_by(fn.Length("char").desc(nulls_last=True), "positive")]
    assert by_length == [*sorted((r["char"] for r in ROWS if r["char"] is not None), key=lambda c: -len(c)), None]
    lowered = [row.char for row in rows.exclude(char=None).order_by(fn.Lower("char"))]
    assert lowered == sorted((r["char"] for r in ROWS if r["char"] is not None), key=str.lower)


def test_functions_in_updates_and_values(rows: Any) -> None:
    rows.update(text=fn.Upper("char"), integer=fn.Coalesce(fn.Length("char"), 0), float=fn.Abs("float"))
    first = rows[0]
    assert (first.text, first.integer, first.float) == ("GRÖSSE", 5, 2.5)
    assert rows.values(low=fn.Lower("text"))[0] == {"low": "grösse"}
    grouped = rows.values(n=fn.Sign("integer")).annotate(rows=models.Count("pk")).order_by("n")
    assert list(grouped.values_list("n", "rows")) == [(0, 2), (1, 7)]


def test_an_update_reads_the_values_from_before(rows: Any) -> None:
    rows.update(char=fn.Concat("char", Value("!")), integer=fn.Length("char"), text=F("char"))
    assert (rows[0].char, rows[0].integer, rows[0].text) == ("Größe!", 5, "Größe")


def test_rows_are_grouped_by_functions(rows: Any) -> None:
    expected = {"": 1, "x": 1, "a": 1, "g": 1, "ﬁ": 1, "漢": 1, " ": 1, "α": 1}
    first = rows.exclude(char=None).order_by().values(first=fn.Lower(fn.Left("char", 1)))
    assert dict(first.annotate(n=models.Count("pk")).order_by("-first").values_list("first", "n")) == expected
    assert list(first.distinct().order_by("first").values_list("first", flat=True)) == sorted(expected)
    assert first.distinct().count() == 8
    few = first.annotate(n=models.Count("pk")).filter(first=fn.Left(Value("xyz"), 1))
    assert [row["first"] for row in few] == ["x"]
    assert first.annotate(n=models.Count("pk")).count() == 8


def test_dates_and_instants_are_cast(m: Any, scope: Any) -> None:
    late = datetime(2026, 3, 1, 23, 59, 59, 999999, tzinfo=UTC)
    m.Everything.objects.create(date=date(2024, 2, 29), instant=late)
    row = m.Everything.objects.annotate(
        day=fn.Cast("instant", DateField()), start=fn.Cast("date", DateTimeField()), word=fn.Cast("date", TextField())
    ).get()
    assert (row.day, row.start, row.word) == (date(2026, 3, 1), datetime(2024, 2, 29, tzinfo=UTC), "2024-02-29")
    found = m.Everything.objects.annotate(last=fn.Greatest("instant", Value(datetime(2027, 1, 1, tzinfo=UTC))))
    assert found.get().last == datetime(2027, 1, 1, tzinfo=UTC)


def test_every_letter_has_its_case(m: Any, scope: Any) -> None:
    letters = [chr(n) for n in range(0x80, 0x1E944) if chr(n) != chr(n).upper() or chr(n) != chr(n).lower()]
    text = "|".join(letters)
    m.Everything.objects.create(text=text)
    row = m.Everything.objects.annotate(low=fn.Lower("text"), up=fn.Upper("text")).get()
    assert row.low == text.lower()
    assert row.up == text.upper()


class NameField(CharField[Any]):
    """A kind of text with transforms of its own."""


for transform in (fn.Lower, fn.Length, fn.Trim):
    NameField.register_transform(transform)
FloatingField = type("FloatingField", (FloatField,), {})
FloatingField.register_transform(fn.Round)  # type: ignore[attr-defined]  # made by hand


class Pupil(models.Model):
    name = NameField(max_length=20)
    mark = FloatingField()


PUPILS, _ = resolve_models({"school": [Pupil]})


@pytest.mark.parametrize("url", URLS)
def test_functions_stand_in_paths_of_fields_that_registered_them(url: str) -> None:
    database = make_database(url, PUPILS)
    try:
        with entered(Scope(None, database)):
            Pupil.objects.create(name=" ÉMILE ", mark=2.5)
            assert Pupil.objects.filter(name__trim__lower="émile", name__length__gte=7, mark__round=3).exists()
            assert Pupil.objects.order_by("name__lower").values_list("name__trim__length", flat=True)[0] == 5
            with pytest.raises(FieldError, match="loewr"):
                Pupil.objects.filter(name__loewr="x").exists()
    finally:
        database.drop()


def test_no_field_has_transforms_of_text_by_itself(m: Any, scope: Any) -> None:
    with pytest.raises(FieldError, match="lower"):
        m.Everything.objects.filter(char__lower="x").exists()


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        (lambda: fn.Lower("json__name"), r"Lower\(\) takes text, not JSON"),
        (lambda: fn.Lower("integer"), r"Lower\(\) takes text, not int"),
        (lambda: fn.Sqrt("char"), r"Sqrt\(\) takes numbers, not str"),
        (lambda: fn.Ceil("char"), r"Ceil\(\) takes numbers, not str"),
        (lambda: fn.Chr("char"), r"Chr\(\) takes a whole number, not str"),
        (lambda: fn.Substr("char", 0), "pos is a whole number from 1 on"),
        (lambda: fn.Left("char", -1), "length is a whole number from 0 on"),
        (lambda: fn.Round("float", precision="1"), "whole number from -30 to 30"),  # type: ignore[arg-type]
        (lambda: fn.Coalesce("char"), "at least two"),
        (lambda: fn.Concat("char"), "at least two"),
        (lambda: fn.Greatest("char", "integer"), "values of one kind, not int and str"),
        (lambda: fn.Cast("float", TextField()), "from float to str does not mean the same on every database"),
    ],
)
def test_what_has_no_meaning_is_refused(rows: Any, expression: Any, told: str) -> None:
    with pytest.raises(FieldError, match=told):
        list(rows.annotate(found=expression()))


def test_other_values_are_the_same_shape(rows: Any, scope: Any) -> None:
    list(rows.annotate(found=fn.Left("char", 1)).filter(found=fn.Replace("char", Value("a"))))
    known = len(scope.database.shapes)
    list(rows.annotate(found=fn.Left("char", 2)).filter(found=fn.Replace("char", Value("b"))))
    assert len(scope.database.shapes) == known
