"""Fragments: rendered once for each key, recorded for each page that shows them, and refused where they read more."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from jinja2 import pass_context

from toolkit.errors import TemplateError
from toolkit.templates import fragments
from toolkit.trace import Scope, Trace, entered, record

if TYPE_CHECKING:
    from .conftest import Desk


@dataclass
class Row:
    """What a row is to a fragment: something that stands for itself, and that records what is read of it."""

    key: int
    title: str = "Flood"
    read: list[int] = field(default_factory=list)

    def __fragment_key__(self) -> tuple[Any, ...]:
        return (self.key, self.title)

    @property
    def author(self) -> str:
        self.read.append(self.key)
        record("row", ("author", None, self.key), b"digest")
        return f"Ada {self.key}"


class Press:
    """Renders pages of one state of a site, as a build does."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def page(self, name: str, *, locale: str = "en", strict: bool = False, **context: Any) -> tuple[str, Trace]:
        trace = Trace()
        scope = Scope(SimpleNamespace(), None, locale=locale, trace=trace, strict=strict)
        with entered(scope):
            text = self.desk.render(name, **context)
        assert scope.trace is trace
        return text, trace


@pytest.fixture
def press(desk: Desk) -> Any:
    desk.write(
        "card.html",
        "{% macro card(row) %}{% cache row %}{{ row.title }} by {{ row.author }}{% endcache %}{% endmacro %}",
    )
    desk.write("page.html", '{% from "card.html" import card %}{% for row in rows %}[{{ card(row) }}]{% endfor %}')
    with desk.environment.frozen():
        yield Press(desk)


def test_a_fragment_is_rendered_once_and_recorded_by_each_page(press: Press) -> None:
    first, second = Row(1), Row(1)
    text, trace = press.page("page.html", rows=[first, second])
    assert text == "[Flood by Ada 1][Flood by Ada 1]"
    assert (first.read, second.read) == ([1], [])
    again, other = press.page("page.html", rows=[third := Row(1)])
    assert again == "[Flood by Ada 1]"
    assert third.read == []
    assert other.keys_of("row") == trace.keys_of("row") == [("author", None, 1)]


@pytest.mark.parametrize("row", [Row(2), Row(1, "Flood over")])
def test_another_value_is_another_fragment(press: Press, row: Row) -> None:
    press.page("page.html", rows=[Row(1)])
    press.page("page.html", rows=[row])
    assert row.read == [row.key]


def test_each_language_has_its_own(press: Press) -> None:
    press.page("page.html", rows=[Row(1)])
    press.page("page.html", rows=[spanish := Row(1)], locale="es")
    assert spanish.read == [1]


def test_where_queries_are_refused_everything_is_rendered(press: Press) -> None:
    press.page("page.html", rows=[Row(1)])
    press.page("page.html", rows=[row := Row(1)], strict=True)
    assert row.read == [1]


def test_a_state_that_may_change_keeps_nothing(desk: Desk, press: Press) -> None:
    desk.environment.thaw()
    _, trace = press.page("page.html", rows=[first := Row(1), second := Row(1)])
    assert (first.read, second.read) == ([1], [1])
    assert len(trace.keys_of("row")) == 1


def test_named_keys_are_names_in_the_fragment(desk: Desk, press: Press) -> None:
    desk.write(
        "list.html",
        "{% for row in rows %}{% cache row, first=loop.first, n=rows|length %}"
        "{{ '*' if first }}{{ row.title }} of {{ n }} {% endcache %}{% endfor %}",
    )
    assert press.page("list.html", rows=[Row(1), Row(1)])[0] == "*Flood of 2 Flood of 2 "


def test_fragments_nest(desk: Desk, press: Press) -> None:
    desk.write(
        "nest.html",
        '{% from "card.html" import card %}'
        "{% cache a, b %}{% cache b %}{{ b.title }} {% endcache %}{{ card(b) }}{% endcache %}",
    )
    text, trace = press.page("nest.html", a=Row(1), b=Row(2))
    assert text == "Flood Flood by Ada 2"
    assert (
        press.page("nest.html", a=Row(1), b=Row(2))[1].keys_of("row") == trace.keys_of("row") == [("author", None, 2)]
    )


def test_what_is_written_in_it_is_escaped_once(desk: Desk, press: Press) -> None:
    desk.write("x.html", "{% cache row %}<b>{{ row.title }}</b>{% endcache %}")
    for _ in range(2):
        assert press.page("x.html", row=Row(1, "<i>"))[0] == "<b>&lt;i&gt;</b>"


def test_no_more_are_kept_than_memory_is_for(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "MOST", 2)
    press.page("page.html", rows=[Row(1), Row(2), Row(3)])
    press.page("page.html", rows=[oldest := Row(1), youngest := Row(3)])
    assert (oldest.read, youngest.read) == ([1], [])


def test_a_fragment_that_fails_leaves_the_page_its_trace(desk: Desk, press: Press) -> None:
    desk.write("x.html", "{% cache row %}{{ row.author }}{{ row.nothing }}{% endcache %}")
    with pytest.raises(TemplateError, match="nothing"):
        press.page("x.html", row=Row(1))
    assert press.page("page.html", rows=[Row(1)])[1].keys_of("row")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{% cache row %}{{ page.url }}{% endcache %}", "reads 'page', which is not one of its keys"),
        ("{% cache row %}{{ loop.index }}{% endcache %}", "reads 'loop'"),
        ("{% cache row %}{% if other %}x{% endif %}{% endcache %}", "reads 'other'"),
        ("{% cache row %}{% include 'page.html' %}{% endcache %}", "by an include without 'without context'"),
        ("{% import 'card.html' as c with context %}{% cache row %}{{ c.card(row) }}{% endcache %}", "reads 'c'"),
        ("{% macro m() %}{{ page }}{% endmacro %}{% cache row %}{{ m() }}{% endcache %}", "reads 'm'"),
        ("{% cache row %}{{ caller() }}{% endcache %}", "reads 'caller'"),
        ("{% cache row.title %}{% endcache %}", "a key of a fragment that is no single name needs one"),
        ("{% cache %}{% endcache %}", "a fragment needs a key"),
        ("{% cache row %}", "Unexpected end of template"),
    ],
)
def test_what_would_differ_from_page_to_page_is_refused_at_its_line(
    desk: Desk, press: Press, source: str, message: str
) -> None:
    desk.write("x.html", "\n" + source)
    with pytest.raises(TemplateError, match=message) as caught:
        press.page("x.html", row=Row(1))
    assert caught.value.line == 2


@pytest.mark.parametrize(
    "source",
    [
        "{% cache row %}{% for c in row.title %}{{ loop.index }}{{ c }}{% endfor %}{% endcache %}",
        "{% cache row %}{% set t = row.title %}{{ t }}{% endcache %}",
        "{% cache row %}{% with t = row.title %}{{ t }}{% endwith %}{{ site }}{% endcache %}",
        "{% cache row %}{% trans title=row.title %}On {{ title }}{% endtrans %}{% endcache %}",
        "{% import 'card.html' as c %}{% cache row %}{{ c.card(row) }}{% endcache %}",
        "{% cache row %}{% macro m(x) %}{{ x }}{% endmacro %}{{ m(row.title) }}{% endcache %}",
        "{% cache row %}{{ range(2)|join }}{{ _('x') }}{% endcache %}",
    ],
)
def test_names_of_its_own_and_of_all_pages_are_fine(desk: Desk, press: Press, source: str) -> None:
    desk.write("x.html", source)
    assert press.page("x.html", row=Row(1), site="x")[0]


def see(context: Any, value: str = "") -> str:
    return f"{context['page']} {value}"


@pytest.mark.parametrize(
    ("options", "source"),
    [
        ({"filters": {"see": pass_context(see)}}, "{{ row.title|see }}"),
        ({"globals": {"see": pass_context(see)}}, "{{ see() }}"),
        ({"tags": {"see": see}}, "{% see %}"),
    ],
)
def test_functions_that_see_the_whole_page_are_refused(make_desk: Any, options: dict[str, Any], source: str) -> None:
    desk = make_desk(**options)
    desk.write("x.html", f"{{% cache row %}}{source}{{% endcache %}}")
    with pytest.raises(TemplateError, match=r"the fragment reads .*see'"):
        desk.render("x.html", row=Row(1))


def test_what_nothing_can_stand_for_is_no_key(desk: Desk, press: Press) -> None:
    desk.write("x.html", "{% cache rows %}{% endcache %}")
    with pytest.raises(TemplateError, match=r"x\.html:1: list cannot be the key of a fragment.*Keys are rows"):
        press.page("x.html", rows=[])
