"""What templates compile to: escaping, calls, and modules of macros that are kept for a build."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from jinja2 import pass_context, pass_environment
from markupsafe import Markup, escape

from toolkit.templates.compiled import escape_output

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Desk


class Chart:
    """Knows its own HTML."""

    def __html__(self) -> str:
        return "<svg>"


class Shout(str):
    """A text of another class."""


@pytest.mark.parametrize("value", ["", "plain", "<&>\"'", Markup("<b>"), Chart(), Shout("<i>"), 3, None, ["<"]])
def test_what_is_printed_is_escaped_as_markupsafe_escapes(value: Any, desk: Desk) -> None:
    desk.write("page.html", "<p>{{ value }}</p>")
    assert escape_output(value) == escape(value)
    assert desk.render("page.html", value=value) == f"<p>{escape(value)}</p>"


def test_what_a_macro_gives_is_not_escaped_again(desk: Desk) -> None:
    desk.write(
        "page.html", "{% macro name(t) %}<b>{{ t }}</b>{% endmacro %}{% set n = name('&') %}{{ n }}{{ n ~ '&' }}"
    )
    assert desk.render("page.html") == "<b>&amp;</b><b>&amp;</b>&amp;"


def test_functions_get_from_the_context_what_they_ask_for(make_desk: Callable[..., Desk]) -> None:
    @pass_context
    def seen(context: Any, name: str) -> Any:
        return context[name]

    @pass_environment
    def autoescapes(environment: Any) -> bool:
        return bool(environment.autoescape)

    desk = make_desk(
        globals={"seen": seen, "autoescapes": autoescapes, "shout": str.upper, "pair": lambda a, *, b: a + b}
    )
    desk.write(
        "page.html",
        "{% for each in 'ab' %}{% set one = each %}{{ seen('one') }}{{ shout(one) }}{{ pair(one, b='!') }}{% endfor %}"
        "{{ autoescapes() }}",
    )
    assert desk.render("page.html") == "aAa!bBb!True"


def test_a_function_that_raises_stop_iteration_gives_what_is_undefined(desk: Desk) -> None:
    desk.write("page.html", "{{ take() is defined }}")
    assert desk.render("page.html", take=iter(()).__next__) == "False"
    assert desk.render("page.html", take=lambda: next(iter(()))) == "False"


@pytest.mark.parametrize(
    ("module", "kept"),
    [
        ("{# cards #}\n{% macro card() %}card{% endmacro %}", True),
        ("{% set word = 'x' %}{% macro card() %}card{% endmacro %}", False),
        ("{% macro card() %}{% autoescape false %}card{% endautoescape %}{% endmacro %}", False),
        ("{{ lipsum() }}{% macro card() %}card{% endmacro %}", False),
    ],
)
def test_a_module_of_macros_alone_is_kept_for_a_build(module: str, kept: bool, desk: Desk) -> None:
    desk.write("cards.html", module)
    desk.write("page.html", "{% from 'cards.html' import card %}{{ card() }}")
    with desk.environment.frozen():
        assert desk.render("page.html") == desk.render("page.html") == "card"
        assert bool(desk.environment.modules) is kept
        assert desk.traced("page.html").keys() == {"page.html", "cards.html"}
    desk.write("cards.html", module.replace("}card{", "}other{"))
    assert desk.render("page.html") == "other"
    assert desk.environment.modules is None
