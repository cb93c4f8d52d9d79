"""Whatever fails in a template is told at the template's line, with the way there and what was meant."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from toolkit.errors import NoSuchPage, TemplateError
from toolkit.templates.failures import template_frames

if TYPE_CHECKING:
    from .conftest import Desk


def failure(desk: Desk, name: str, **context: Any) -> TemplateError:
    with pytest.raises(TemplateError, match="/news/flood/") as caught:
        desk.environment.render(name, context, url="/news/flood/")
    return caught.value


def test_a_misspelt_name_gets_file_line_url_and_a_suggestion(desk: Desk) -> None:
    path = desk.write("story.html", "<h1>\n{{ artcle.title }}\n</h1>")
    error = failure(desk, "story.html", article={})
    assert str(error) == f"{path}:2: 'artcle' is not defined (page /news/flood/). Did you mean 'article'?"
    assert error.__cause__ is not None and type(error.__cause__).__name__ == "UndefinedName"


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        ("{{ story.titel }}", "SimpleNamespace has no attribute 'titel'", "Did you mean 'title'?"),
        ("{{ data.titel }}", "dict has no attribute 'titel'", "Did you mean 'title'?"),
        ("{{ story.section.name }}", "None has no attribute 'name'", None),
        ("{% if artcle %}{% endif %}", "'artcle' is not defined", None),
        ("{% for a in storys %}{% endfor %}", "'storys' is not defined", "Did you mean 'story'?"),
        ("{{ 'x' ~ nope_nothing_like_it }}", "'nope_nothing_like_it' is not defined", None),
        ("{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}", "'caller' is not defined", "Did you mean 'cycler'?"),
        ("{% set headline = 1 %}{{ headlin }}", "'headlin' is not defined", "Did you mean 'headline'?"),
        ("{% for tag in [1] %}{{ tga }}{% endfor %}", "'tga' is not defined", "Did you mean 'tag'?"),
        ("{{ story.title | slugfy }}", "there is no filter 'slugfy'", "Did you mean 'slugify'?"),
        ("{{ 1 is evn }}", "there is no test 'evn'", "Did you mean 'even'?"),
        ("{% include 'sidbar.html' %}", "there is no template 'sidbar.html'", "Did you mean 'sidebar.html'"),
        (
            "{% include ['sidbar.html', 'b.html'] %}",
            "there is none of the templates 'sidbar.html', 'b.html'",
            "Did you mean 'sidebar.html'",
        ),
        ("{{ 1 / 0 }}", "ZeroDivisionError: division by zero", None),
        ("{{ story.title() }}", "TypeError: 'str' object is not callable", None),
        ("{% include 'page.html' %}", "the template includes or calls itself without end", None),
    ],
)
def test_each_mistake_is_named(desk: Desk, source: str, message: str, hint: str | None) -> None:
    desk.write("sidebar.html", "")
    path = desk.write("page.html", "\n" + source)
    story = SimpleNamespace(title="T", section=None)
    error = failure(desk, "page.html", story=story, data={"title": "T"})
    assert error.message.startswith(message)
    assert (error.path, error.line) == (str(path), 2)
    if hint is not None:
        assert error.hint is not None and error.hint.startswith(hint)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{% if x %}", "Unexpected end of template"),
        ("{% endfor %}", "Encountered unknown tag 'endfor'"),
        ("{{ 1 + }}", "unexpected"),
        ("{% pullquot %}", "Encountered unknown tag 'pullquot'"),
        ("{% inclde 'x' %}", "there is no tag 'inclde'"),
    ],
)
def test_a_template_that_cannot_be_compiled_names_its_line(desk: Desk, source: str, message: str) -> None:
    path = desk.write("bad.html", "\n\n" + source)
    desk.write("page.html", "\n{% include 'bad.html' %}")
    error = failure(desk, "page.html")
    assert message in error.message and "(from page.html:2)" in error.message
    assert (error.path, error.line) == (str(path), 3)


def test_the_way_to_an_error_is_told_innermost_first(desk: Desk) -> None:
    desk.write("base.html", "\n<body>\n{% block main %}{% endblock %}")
    desk.write("story.html", "{% extends 'base.html' %}\n{% block main %}\n{% include 'card.html' %}{% endblock %}")
    desk.write("card.html", "{% from 'macros.html' import by with context %}\n{{ by(1) }}")
    path = desk.write("macros.html", "{% macro by(who) %}\n{{ who.nmae }}{% endmacro %}")
    error = failure(desk, "story.html")
    assert (error.path, error.line) == (str(path), 2)
    assert error.message == (
        "int has no attribute 'nmae' (called from card.html:2, included from story.html:3, "
        "block of base.html:3, extended by story.html:1)"
    )
    assert error.__cause__ is not None


def test_the_frames_of_an_error_tell_what_was_in_reach(desk: Desk) -> None:
    desk.write("page.html", "{% for tag in tags %}{{ boom(tag) }}{% endfor %}")

    def boom(tag: str) -> None:
        raise ValueError(tag)

    template = desk.environment.get_template("page.html")
    try:
        list(template.root_render_func(template.new_context({"tags": ["a"], "boom": boom})))
    except ValueError as error:
        (frame,) = template_frames(error.__traceback__)
    assert (frame.name, frame.line, frame.part) == ("page.html", 1, "template")
    assert frame.names["tag"] == "a"


def test_the_toolkits_own_errors_keep_their_words_and_hint(make_desk: Callable[..., Desk]) -> None:
    def url_for(name: str) -> str:
        raise NoSuchPage(f"no page {name!r}", hint="Did you mean 'story'?")

    desk = make_desk(globals={"url_for": url_for})
    path = desk.write("page.html", "\n{{ url_for('stroy') }}")
    error = failure(desk, "page.html")
    assert (error.message, error.hint, error.path, error.line) == (
        "no page 'stroy'",
        "Did you mean 'story'?",
        str(path),
        2,
    )
    assert isinstance(error.__cause__, NoSuchPage)


def test_a_fault_inside_a_property_is_not_taken_for_a_missing_name(desk: Desk) -> None:
    class Story:
        @property
        def title(self) -> str:
            return self.nothing  # type: ignore[attr-defined, no-any-return]

    desk.write("page.html", "{{ story.title }}")
    error = failure(desk, "page.html", story=Story())
    assert error.message == "AttributeError: 'Story' object has no attribute 'nothing'"


def test_asking_whether_a_name_is_there_is_allowed(desk: Desk) -> None:
    desk.write("page.html", "{{ nope is defined }}{{ nope|default('d') }}{{ story.x|default('e') }}{{ 'a' if 0 }}")
    assert desk.render("page.html", story={}) == "Falsede"


def test_not_strict_prints_nothing_for_a_missing_name(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(strict=False)
    desk.write("page.html", "[{{ nope }}]")
    assert desk.render("page.html") == "[]"


def test_a_template_that_is_not_utf8_or_missing_is_told_too(desk: Desk) -> None:
    (desk.site / "latin.html").write_bytes(b"\n\ncaf\xe9")
    error = failure(desk, "latin.html")
    assert (error.message, error.line) == ("the template is not UTF-8: byte 0xe9", 3)
    error = failure(desk, "latn.html")
    assert str(error) == ("/news/flood/: there is no template 'latn.html'. Did you mean 'latin.html'?")


def test_an_error_crosses_a_process(desk: Desk) -> None:
    desk.write("page.html", "{{ x }}")
    error = failure(desk, "page.html")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
