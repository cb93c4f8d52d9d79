"""One set of rules for values. The lists follow Django's documentation of what each accepts."""

from __future__ import annotations

import contextlib
import pickle
import re
import time
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit import validators as v
from toolkit.errors import DeclarationError, ValidationError

ACCEPTED: list[tuple[Any, list[Any]]] = [
    (v.validate_integer, ["0", "-7", 42, "00012"]),
    (v.validate_slug, ["harbour", "a-b_c", "-", "2026-11-03", "A1"]),
    (v.validate_unicode_slug, ["niño-2", "город", "عربي", "harbour"]),
    (
        v.validate_email,
        [
            "email@here.com",
            "weirder-email@here.and.there.com",
            "!def!xyz%abc@example.com",
            "email@[127.0.0.1]",
            "email@[2001:dB8::1]",
            "email@[IPv6:::fFfF]",
            "example@valid-----hyphens.com",
            "test@domain.with.idn.tld.उदाहरण.परीक्षा",
            "email@localhost",
            '"test@test"@example.com',
            f"example@atm.{'a' * 63}",
            f"{'x' * 64}@courier.example",
        ],
    ),
    (v.EmailValidator(allowlist=["intranet"]), ["editor@intranet"]),
    (
        v.URLValidator(),
        [
            "http://www.djangoproject.com/",
            "HTTP://WWW.COURIER.EXAMPLE/",
            "http://localhost:8000/",
            "http://valid-with-hyphens.com/",
            "http://200.8.9.10:8000/test",
            "http://valid-----hyphens.com/",
            "http://example.com?something=value#x",
            "http://userid:password@example.com:8080/",
            "http://userid@example.com",
            "http://-.~_!$&'()*+,;=:@example.com".replace(":@", "@"),
            "https://مثال.إختبار/",
            "http://例子.测试",
            "http://✪df.ws/123",
            "http://[::192.9.5.5]/ipng",
            "http://[1080:0:0:0:8:800:200C:417A]:80/index.html",
            "ftps://foo.bar/",
            "http://1337.net",
            "http://a.b-c.de/" + "x" * 1000,
            "http://foo.com/blah_(wikipedia)#cite-1",
            "https://host.example.:443/",
        ],
    ),
    (v.URLValidator(schemes=["git+ssh", "file"]), ["git+ssh://git@host.example/repo.git"]),
    (v.validate_domain_name, ["courier.example", "a.b.c.example.", "bücher.example", "xn--bcher-kva.example"]),
    (v.DomainNameValidator(accept_idna=False), ["xn--bcher-kva.example", "000000.org"]),
    (v.validate_ipv4_address, ["1.1.1.1", "255.0.0.0", "0.0.0.0"]),
    (v.validate_ipv6_address, ["fe80::1", "::1", "1:2:3:4:5:6:7:8", "::ffff:254.42.16.14"]),
    (v.validate_ipv46_address, ["1.1.1.1", "fe80::1"]),
    (v.validate_comma_separated_integer_list, ["1", "1,2,3", "00,7"]),
    (v.int_list_validator(sep=".", allow_negative=True), ["1.2.-3", "0"]),
    (v.MaxValueValidator(10), [10, -5, Decimal("9.99")]),
    (v.MaxValueValidator(date(2026, 3, 1)), [date(2026, 3, 1)]),
    (v.MinValueValidator(lambda: 0.5), [0.5, 3]),
    (v.StepValueValidator(3), [3, 0, -6]),
    (v.StepValueValidator(3, offset=1), [1, 4, -2]),
    (v.StepValueValidator(0.1), [0.3, 1.1, -0.7, 1e308]),
    (v.StepValueValidator(Decimal("0.05"), offset=Decimal("0.01")), [Decimal("0.06"), Decimal("1.01")]),
    (v.MinLengthValidator(3), ["abc", "ñño", [1, 2, 3]]),
    (v.MaxLengthValidator(3), ["abc", "", "👩‍🚒"]),
    (v.DecimalValidator(4, 2), [Decimal("99.99"), Decimal("-0.01"), Decimal("0"), Decimal("10")]),
    (v.DecimalValidator(20, 2), [Decimal("742403889818000000"), Decimal("7.42E+17")]),
    (v.DecimalValidator(2, 2), [Decimal(".99"), Decimal("0E-2")]),
    (v.DecimalValidator(None, 1), [Decimal("123456789.5")]),
    (v.FileExtensionValidator(["pdf", "TXT"]), ["a.pdf", "b.PDF", SimpleNamespace(name="c/d.tar.txt")]),
    (v.FileExtensionValidator([""]), ["README"]),
    (v.FileExtensionValidator(), ["anything.exe"]),
    (v.validate_image_file_extension, ["a.jpg", "b.PNG", "c.webp"]),
    (v.ProhibitNullCharactersValidator(), ["", "text\n"]),
    (v.RegexValidator("^a"), ["abc", "a\nb"]),
    (v.RegexValidator("x", inverse_match=True), ["abc"]),
    (v.RegexValidator("A", flags=re.IGNORECASE), ["bab"]),
    (v.RegexValidator(), ["", "anything"]),
]

REFUSED: list[tuple[Any, str, list[Any]]] = [
    (v.validate_integer, "invalid", ["", "a", "1.0", "1\n", "٣", None, " 1"]),
    (v.validate_slug, "slug", ["", " ", "a b", "niño", "a\n", "a.b", "Σ"]),
    (v.validate_unicode_slug, "slug", ["", "a b", "una.cosa", "a\n"]),
    (
        v.validate_email,
        "email",
        [
            None,
            "",
            "abc",
            "abc@",
            "abc@bar",
            "a @x.cz",
            "abc@.com",
            "something@@somewhere.com",
            "email@127.0.0.1",
            "email@[127.0.0.256]",
            "email@[2001:db8::12345]",
            "email@[::ffff:127.0.0.256]",
            "example@invalid-.com",
            "example@-invalid.com",
            "example@inv-.alid-.com",
            f"a@atm.{'a' * 64}",
            f"{'x' * 65}@courier.example",
            "trailingdot@shouldfail.com.",
            'test@example.com\n\n<script src="x.js">',
            '"\\\n"@here.com',
            "a\n@b.com",
            'a"@b.com',
            f"example@{'a.' * 127}com",
            "editor@courier.123",
            "editor@foo_bar.example",
        ],
    ),
    (
        v.URLValidator(),
        "url",
        [
            None,
            56,
            "no_scheme",
            "foo",
            "http://",
            "http://example",
            "http://example.",
            "http://.com",
            "http://invalid-.com",
            "http://-invalid.com",
            "http://inv-.alid-.com",
            "http://foo/bar@example.com",
            "http://foo bar.example/",
            "http://foo_bar.example/",
            "file://localhost/path",
            "git://example.com/",
            "http:///a",
            "http://##",
            "http://1.1.1.1.1",
            "http://123.123.123",
            "http://3628126748",
            "http://256.1.1.1",
            "http://[a",
            "http://[::1:2::3]:8080/",
            "http://[::1%eth0]/",
            "http://[]",
            "http://[::1]x/",
            "http://courier.example:99999/",
            "http://courier.example:/",
            "http://foo@bar@example.com",
            "http://user:a/b@example.com/",
            "http://www.courier.example/\n",
            "http://www.courier.example/a\tb",
            "\x00http://courier.example/",
            "javascript:alert(1)",
            "//courier.example/",
            "http://" + "a" * 64 + ".example",
            "http://courier.example/" + "x" * 2048,
        ],
    ),
    (v.validate_domain_name, "invalid", [None, "", "localhost", "a..b", "a.b..", "a b.example", "x." * 130, "a.1"]),
    (v.DomainNameValidator(accept_idna=False), "invalid", ["bücher.example"]),
    (
        v.validate_ipv4_address,
        "invalid",
        ["256.1.1.1", "25.1.1.", "01.1.1.1", "25,1,1,1", "1.1.1.1\n", "::1"],
    ),
    (v.validate_ipv6_address, "invalid", ["1:2", "::zzz", "12345::", "fe80::1%eth0", "1.1.1.1", "[::1]"]),
    (v.validate_ipv46_address, "invalid", ["", "256.1.1.1", "::zzz", "x" * 100_000]),
    (v.validate_comma_separated_integer_list, "invalid", ["", "a", "1,", ",1", "1, 2", "1,,2", "-1", "1\n"]),
    (v.MaxValueValidator(10), "max_value", [11, 10.5]),
    (v.MinValueValidator(lambda: 3), "min_value", [2]),
    (v.StepValueValidator(3), "step_size", [1, Decimal("4.5")]),
    (v.StepValueValidator(3, offset=1), "step_size", [3]),
    (v.StepValueValidator(0.1), "step_size", [0.35, float("nan"), float("inf"), Decimal("1E+5000")]),
    (v.MinLengthValidator(3), "min_length", ["ab", []]),
    (v.MaxLengthValidator(3), "max_length", ["abcd", "👩‍🚒x"]),
    (v.DecimalValidator(4, 2), "max_digits", [Decimal("100.00"), Decimal("12345")]),
    (v.DecimalValidator(4, 2), "max_decimal_places", [Decimal("1.123")]),
    (v.DecimalValidator(4, 2), "max_whole_digits", [Decimal("123")]),
    (v.DecimalValidator(2, 1), "invalid", [Decimal("NaN"), Decimal("Infinity"), Decimal("sNaN")]),
    (v.FileExtensionValidator(["pdf"]), "invalid_extension", ["a.exe", "pdf", ".pdf", "a.pdf.exe", "a.pdf/b"]),
    (v.validate_image_file_extension, "invalid_extension", ["a.txt", "jpg"]),
    (v.ProhibitNullCharactersValidator(), "null_characters_not_allowed", ["a\x00b"]),
    (v.RegexValidator("^a"), "invalid", ["ba"]),
    (v.RegexValidator("x", code="no_x", inverse_match=True), "no_x", ["axb"]),
]


@pytest.mark.parametrize(("validator", "value"), [(rule, one) for rule, values in ACCEPTED for one in values])
def test_it_is_accepted(validator: Any, value: Any) -> None:
    validator(value)


@pytest.mark.parametrize(
    ("validator", "code", "value"), [(rule, code, one) for rule, code, values in REFUSED for one in values]
)
def test_it_is_refused(validator: Any, code: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=r".") as caught:
        validator(value)
    assert caught.value.code == code
    assert len(str(caught.value)) < 400


def test_the_message_tells_the_value_and_how_to_mend_it() -> None:
    with pytest.raises(ValidationError, match=r"'courier' is not an e-mail address\. Write it as name@host"):
        v.validate_email("courier")
    with pytest.raises(ValidationError, match=r"^12 is above the maximum, 10$") as caught:
        v.MaxValueValidator(10)(12)
    assert caught.value.params["limit_value"] == 10
    assert caught.value.params["show_value"] == 12
    with pytest.raises(ValidationError, match="7 is no multiple of 3 counted from 2"):
        v.StepValueValidator(3, offset=2)(7)
    with pytest.raises(ValidationError, match=r"^1.23 has more than 1 decimal place$"):
        v.DecimalValidator(5, 1)(Decimal("1.23"))


def test_a_message_of_ones_own_speaks_of_the_value() -> None:
    with pytest.raises(ValidationError, match=r"^no room for x, 100%$"):
        v.RegexValidator("^$", message="no room for %(value)s, 100%%")("x")
    with pytest.raises(ValidationError, match=r"^100% wrong$"):
        v.RegexValidator("^$", message="100% wrong")("x")


class LicencePlate(v.RegexValidator):
    """A subclass says its pattern and its words in its body, as in Django."""

    regex = r"\A[A-Z]{2}-[0-9]{3}\Z"
    message = "no plate"
    code = "plate"


def test_a_validator_may_be_a_subclass_with_a_pattern() -> None:
    LicencePlate()("HH-123")
    with pytest.raises(ValidationError, match="no plate") as caught:
        LicencePlate()("HH-1")
    assert caught.value.code == "plate"


def test_flags_belong_to_a_pattern_that_is_text() -> None:
    with pytest.raises(DeclarationError, match="compiled already"):
        v.RegexValidator(re.compile("x"), flags=re.IGNORECASE)


@pytest.mark.parametrize(
    "make",
    [
        lambda: v.RegexValidator("a+", flags=re.IGNORECASE, message="x"),
        lambda: v.EmailValidator(allowlist=["localhost", "intranet"]),
        lambda: v.URLValidator(["https"]),
        lambda: v.MaxValueValidator(3),
        lambda: v.StepValueValidator(3, offset=1),
        lambda: v.DecimalValidator(5, 2),
        lambda: v.FileExtensionValidator(["PDF"]),
        lambda: v.ProhibitNullCharactersValidator(message="x"),
    ],
)
def test_two_of_the_same_settings_are_equal(make: Any) -> None:
    assert make() == make()
    assert hash(make()) == hash(make())
    assert pickle.loads(pickle.dumps(make())) == make()
    assert make() != v.MinValueValidator(3)
    assert make() != object()


def test_two_of_other_settings_differ() -> None:
    assert v.MaxValueValidator(3) != v.MaxValueValidator(4)
    assert v.RegexValidator("a") != v.RegexValidator("a", inverse_match=True)
    assert v.StepValueValidator(3) != v.StepValueValidator(3, offset=1)


EVIL = [
    "a@" + "a." * 50_000,
    "a." * 50_000 + "@courier.example",
    '"' + "\\a" * 50_000 + '"@courier.example',
    "http://" + "a-" * 50_000 + ".example/",
    "http://" + "[::" * 30_000,
    "http://a:" + "9" * 100_000,
    "http://" + "u:" * 50_000 + "@x",
    "-" * 100_000 + "!",
    "1," * 50_000,
    "é." * 50_000,
    "a" * 100_000 + "\n",
    "1:" * 50_000,
]


@pytest.mark.parametrize(
    "validator",
    [
        v.validate_email,
        v.URLValidator(),
        v.validate_domain_name,
        v.validate_slug,
        v.validate_unicode_slug,
        v.validate_integer,
        v.validate_comma_separated_integer_list,
        v.validate_ipv46_address,
    ],
)
def test_a_long_evil_text_is_refused_at_once(validator: Any) -> None:
    began = time.perf_counter()
    for text in EVIL:
        with pytest.raises(ValidationError, match=r"."):
            validator(text)
    assert time.perf_counter() - began < 1


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-1000, max_value=1000), st.integers(1, 50)
)
def test_steps_are_counted_exactly(value: Decimal, hundredths: int) -> None:
    step = Decimal(hundredths) / 100
    expected = int(value * 100) % hundredths == 0
    with contextlib.nullcontext() if expected else pytest.raises(ValidationError, match="is no multiple of"):
        v.StepValueValidator(step)(value)


@given(st.text())
def test_any_text_is_accepted_or_refused_and_nothing_else(text: str) -> None:
    for validator in (v.validate_email, v.URLValidator(), v.validate_domain_name, v.validate_ipv46_address):
        for value in (text, f"a@{text}", f"http://{text}/"):
            with contextlib.suppress(ValidationError):
                validator(value)


def test_dates_have_limits_too() -> None:
    with pytest.raises(ValidationError, match="2026-03-02 is above the maximum"):
        v.MaxValueValidator(date(2026, 3, 1))(date(2026, 3, 1) + timedelta(days=1))
