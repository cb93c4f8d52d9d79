"""Regular expressions on SQLite are Python's, and end."""

from __future__ import annotations

import random
import re
import time
from re import _parser  # type: ignore[attr-defined]  # as the module itself

import pytest

from toolkit.database.sqlpatterns import Automaton, TooMany, matcher, matches

PATTERNS = [
    "", "()", "a|b", "(|a)*", "^(a+)+$", "(a*)*b", "(?:a{2,3}b?){2}c*", "((a|b)*c|d)*$", "a??b??c*?b*?", "[^a]+b+",
    "$^", "(^a|b$)+c*", r"\Ab*a*\Z", "(?m)^b+.*$", "(?m:^)a+b*", "(?s)a.*b.*c", r"\ba+\b.*\bb\w*\b", r"\B.+\B.*b",
    "(?i)e+.*É", "(?i:a)+b+", "(?i)a(?-i:b)+c*", "(?x) a + b + ", r"(?a:\w)+é*", "[[a]+b*", r"(\w+-)*\w+",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:Possible nested set")
@pytest.mark.parametrize("pattern", PATTERNS)
def test_an_automaton_finds_what_re_finds(pattern: str) -> None:
    follow, search = Automaton(_parser.parse(pattern)).search, re.compile(pattern).search
    chance = random.Random(pattern)
    for _ in range(300):
        text = "".join(chance.choices("abcABé-d \n", k=chance.randint(0, 8)))
        assert follow(text) == (search(text) is not None), text


@pytest.mark.parametrize(
    "pattern",
    ["^(a+)+$", "(a|aa)+$", "(a*)*b", "(a?a?){30}b", "((a{1,5}){1,5}){1,5}b", ".*.*.*.*b", r"(\w+-?)+!", "a*b"],
)
def test_what_re_tries_in_years_ends_at_once(pattern: str) -> None:
    begin = time.process_time()
    assert not matches("a" * 40_000 + "?", pattern)
    assert time.process_time() - begin < 2


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        (r"^(a+)+\1+$", "refers to a group"),
        (r"(?=.*a)(?=.*b).*", "looks ahead"),
        (r"(?<=a)(b+)+", "looks ahead or behind"),
        (r"((a|b)++c)*", "keeps what it took"),
        ("((a{1,100}){1,100}){1,100}b", "too large"),
    ],
)
def test_what_nothing_follows_is_refused(pattern: str, told: str) -> None:
    with pytest.raises(TooMany, match=told):
        matcher(pattern)


@pytest.mark.parametrize("pattern", [r"(?<=a)!", r"(a)b\1", "^(?=.*a)(?=.*!)", "a++!", r"^\d{1,3}\.\d{1,3}$"])
def test_few_ways_are_left_to_re(pattern: str) -> None:
    assert matches("aaba!", pattern) == (re.search(pattern, "aaba!") is not None)


def test_null_is_found_nowhere_and_finds_nothing() -> None:
    assert matches(None, "a") is None
    assert matches("a", None) is None
    assert matches(15, "^1")
