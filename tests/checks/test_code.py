"""Reads that no trace can know of, found in the source of pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.checks.code import check_module

SOURCE = """
import random, time as clock
import datetime as dt
from datetime import datetime
from urllib.request import urlopen
from . import app

@app.page("/")
def home():
    return {body}

def helper():
    {inner}

@app.view("/search/")
def search(request):
    return random.random(), datetime.now()
"""


def letters(folder: Path, body: str, inner: str = "return 1") -> list[str]:
    path = folder / "pages.py"
    path.write_text(SOURCE.format(body=body, inner=inner))
    return [f"{one.line}: {one.message}" for one in check_module(path)]


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("{'now': datetime.now()}", "the wall clock"),
        ("{'now': dt.date.today()}", "the wall clock"),
        ("{'now': clock.time()}", "the wall clock"),
        ("{'one': random.choice([1, 2])}", "chance"),
        ("{'rates': urlopen('https://rates.example').read()}", "another host or program"),
    ],
)
def test_a_page_that_reads_what_no_trace_knows_of(tmp_path: Path, body: str, what: str) -> None:
    so = "which no trace knows of" if what == "chance" else "so every build makes its pages anew"
    assert letters(tmp_path, body) == [f"10: home() is run for pages and reads {what}, {so}"]


def test_a_helper_of_a_page_counts_and_a_view_may_read_what_it_likes(tmp_path: Path) -> None:
    inner = "return random.random()"
    assert letters(tmp_path, "{}", inner) == []
    assert letters(tmp_path, "{'x': helper()}", inner) == [
        "13: helper() is run for pages and reads chance, which no trace knows of"
    ]


@pytest.mark.parametrize(
    ("kept", "inner"),
    [
        ("KEPT = {}", "KEPT['x'] = 1"),
        ("KEPT: dict[str, int] = dict()", "KEPT.setdefault('x', 1)"),
        ("KEPT = collections.defaultdict(list)", "KEPT.update(x=1)"),
        ("KEPT = []", "KEPT.append(1)"),
        ("KEPT = None", "global KEPT; KEPT = 1"),
    ],
)
def test_a_page_that_leaves_something_for_the_next(tmp_path: Path, kept: str, inner: str) -> None:
    path = tmp_path / "pages.py"
    for body, expected in (("{'x': helper()}", 1), ("{}", 0)):
        path.write_text(SOURCE.format(body=body, inner=inner) + f"\n{kept}\n")
        told = [f"{one.line}: {one.message}" for one in check_module(path)]
        letter = "13: helper() is run for pages and changes KEPT, which the pages after it find changed"
        assert told == [letter][:expected]


@pytest.mark.parametrize(
    "inner",
    ["KEPT = {}; KEPT['x'] = 1", "return KEPT['x'], KEPT.get('x')", "app.add(1)", "return [KEPT for KEPT in 'a']"],
)
def test_a_page_that_leaves_nothing(tmp_path: Path, inner: str) -> None:
    path = tmp_path / "pages.py"
    path.write_text(SOURCE.format(body="{'x': helper()}", inner=inner) + "\nKEPT = {}\n")
    assert list(check_module(path)) == []


def test_names_that_only_look_alike_are_left_alone(tmp_path: Path) -> None:
    assert letters(tmp_path, "{'x': app.random.choice(1), 'now': app.now()}") == []


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("dt.datetime.now().year", "the wall clock"),
        ("[urlopen('https://x.example').read()]", "another host or program"),
    ],
)
def test_a_value_of_the_module_that_a_page_shows_counts(tmp_path: Path, value: str, what: str) -> None:
    path = tmp_path / "pages.py"
    for body, expected in (("{'x': VALUE}", 1), ("{}", 0), ("[VALUE for VALUE in 'ab']", 0)):
        path.write_text(SOURCE.format(body=body, inner="return 1") + f"\nVALUE: object = {value}\n")
        told = [f"{one.line}: {one.message}" for one in check_module(path)]
        so = "" if what == "chance" else ": every build makes every page anew"
        letter = f"19: VALUE reads {what} when the module is imported, and home() is run for pages{so}"
        assert told == [letter][:expected]
