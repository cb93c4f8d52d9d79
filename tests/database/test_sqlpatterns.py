"""Regular expressions on SQLite are Python's, and end."""

from __future__ import annotations

import random
import re

import pytest

from toolkit.database import sqlpatterns
from toolkit.database.sqlguards import Refused, take_failure
from toolkit.database.sqlpatterns import matches

PATTERNS = [
    "", "()", "a|b", "(|a)*", "^(a+)+$", "(a*)*b", "(?:a{2,3}b?){2}c*", "((a|b)*c|d)*$", "a??b??c*?b*?", "[^a]+b+",
    "$^", "(^a|b$)+c*", r"\Ab*a*\Z", "(?m)^b+.*$", "(?m:^)a+b*", "(?s)a.*b.*c", r"\ba+\b.*\bb\w*\b", r"\B.+\B.*b",
    "(?i)e+.*É", "(?i:a)+b+", "(?i)a(?-i:b)+c*", "(?x) a + b + ", r"(?a:\w)+é*", r"(\w+-)*\w+", r"^(a+)\1+$",
    "(?=.*a)(?=.*b).*", r"(?<=a)!", "((a|b)++c)*", r"^\d{1,3}-\d{1,3}$",
    "(?:ab){e<=3}c*", "(?:ab){1i+2d<=4}+", r"\N{HYPHEN-MINUS}+d", "[{e]+b", "a{,2}-",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_is_found_is_what_re_finds(pattern: str) -> None:
    search, chance = re.compile(pattern).search, random.Random(pattern)
    for _ in range(300):
        text = "".join(chance.choices("abcABé-d1 \n", k=chance.randint(0, 8)))
        assert matches(text, pattern) == (search(text) is not None), text


@pytest.mark.parametrize(
    ("pattern", "text"), [("(a|aa)+$", "a" * 60 + "!"), ("^(a|b|ab)*[^abc]$", "ab" * 60 + "c"), ("(x+x+)+y", "x" * 60)]
)
def test_what_re_tries_in_years_ends(pattern: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlpatterns, "SECONDS", 0.1)
    try:
        assert not matches(text, pattern)
    except Refused as error:
        assert "it took more than 0.1 seconds for one text. Write it with fewer" in str(error)
        assert pattern != "(x+x+)+y", "this is found out at once: there is no y"
    else:
        assert pattern != "(a|aa)+$", "this takes years in any engine that tries"


def test_sets_have_names_as_on_servers() -> None:
    assert matches("a", "[[:alpha:]]") and matches("a1", "[[:alpha:]]+[[:digit:]]+")
    assert not matches(":", "[[:alpha:]]")


@pytest.mark.parametrize("pattern", ["(a", "a**", "[[:letters", "(" * 5000 + ")" * 5000])
def test_a_pattern_that_is_none_says_so(pattern: str) -> None:
    with pytest.raises(Refused, match="is refused: it is none"):
        matches("a", pattern)
    assert take_failure()


def test_null_is_found_nowhere_and_finds_nothing() -> None:
    assert matches(None, "a") is None
    assert matches("a", None) is None
    assert matches(15, "^1")
