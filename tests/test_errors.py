"""An error is a short letter: what, where, the value, the next step."""

from __future__ import annotations

import inspect
import pickle
import re
from pathlib import Path
from typing import Any

import pytest

from toolkit import errors
from toolkit.errors import (
    BuildError,
    ContentError,
    Problems,
    SettingError,
    TemplateError,
    ToolkitError,
    ValidationError,
    did_you_mean,
)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ToolkitError("it failed"), "it failed"),
        (ToolkitError("it failed", hint="Try again."), "it failed. Try again."),
        (ContentError("not a date", path="a.csv", row=214, column="published"), "a.csv:214:published: not a date"),
        (SettingError("unknown", path=Path("toolkit.toml"), line=7), "toolkit.toml:7: unknown"),
        (TemplateError("no 'titel'", path="a.html", line=3, column=9, url="/a/"), "a.html:3:9: no 'titel' (page /a/)"),
        (BuildError("it failed", url="/a/", hint="Look."), "/a/: it failed. Look."),
        (ToolkitError("x", path="a", column=0), "a:0: x"),
    ],
)
def test_the_letter(error: ToolkitError, text: str) -> None:
    assert str(error) == text


def test_problems_are_told_together_each_on_a_line_of_its_own() -> None:
    one, two = SettingError("first"), SettingError("second", hint="Mend it.")
    assert str(Problems([one, two])) == "2 problems were found:\n  first\n  second. Mend it."
    assert str(Problems([one])) == "1 problem was found:\n  first"
    assert str(Problems([one], summary="the settings are wrong")).startswith("the settings are wrong:\n")
    assert Problems([one, two]).problems == [one, two]


def test_errors_cross_from_one_process_to_another_with_all_they_know() -> None:
    inner = ValidationError("too long", code="max_length", path="a.md", line=3)
    whole = ValidationError("Story: title: too long", code="fields", errors={"title": [inner]})
    again = pickle.loads(pickle.dumps(Problems([whole, TemplateError("x", url="/a/", path="b", line=2)])))
    assert str(again) == str(Problems([whole, TemplateError("x", url="/a/", path="b", line=2)]))
    assert type(again.problems[0]) is ValidationError
    assert again.problems[0].errors["title"][0].code == "max_length"
    assert again.problems[1].where == "b:2"


def test_a_validation_error_has_a_code() -> None:
    assert ValidationError("x").code == "invalid"
    assert ValidationError("x").errors == {}


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("titel", ["title", "slug", "body"], "Did you mean 'title'?"),
        ("stories", ["story", "stories_by", "x"], "Did you mean 'stories_by' or 'story'?"),
        ("zzz", ["b", "a"], "There is: a, b."),
        ("zzz", [], ""),
        ("zzz", [f"name{n}" for n in range(20)], ""),
        ("a", ["a", "a"], "Did you mean 'a'?"),
    ],
)
def test_the_nearest_names_are_offered(name: str, known: list[str], said: str) -> None:
    assert did_you_mean(name, known) == said


def classes() -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, ToolkitError)
    }


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    drawn: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^    ([│ ├└─]*)([A-Z]\w+)", line)
        if found:
            drawn.append((len(found[1]) // 4, found[2]))
    parents: dict[int, str] = {}
    for depth, name in drawn:
        parents[depth] = name
        if depth:
            assert classes()[name].__bases__[0].__name__ == parents[depth - 1], name
    assert {name for _, name in drawn} == set(classes())


@pytest.mark.parametrize("name", sorted(classes()))
def test_every_error_says_what_it_is_about(name: str) -> None:
    assert classes()[name].__doc__
