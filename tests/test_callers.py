"""Which line of a template asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import pytest

from toolkit import callers
from toolkit.callers import TemplateLine, find_code_line, find_template_line


@pytest.fixture
def render() -> Any:
    sources = {
        "page.html": "{% extends 'base.html' %}\n\n{% block main %}\n{% if 1 %}\n{{ here() }}{% endif %}{% endblock %}",
        "base.html": "{% block main %}{% endblock %}{% import 'parts.html' as parts %}\n{{ parts.box() }}",
        "parts.html": "{% macro box() %}\n\n{{ here() }}{% endmacro %}",
    }
    environment = jinja2.Environment(loader=jinja2.DictLoader(sources), autoescape=True)
    environment.globals["here"] = find_template_line
    return lambda name: environment.get_template(name).render().split()


def test_the_line_is_that_of_the_innermost_template(render: Any) -> None:
    assert render("page.html") == ["page.html:5", "parts.html:3"]


def test_a_template_without_a_name_is_told_as_such() -> None:
    template = jinja2.Environment(autoescape=True).from_string("\n{{ here()|string|safe }}")
    assert template.render(here=find_template_line).strip() == "<template>:2"


def test_outside_of_templates_there_is_no_line() -> None:
    assert find_template_line() is None
    assert str(TemplateLine("a.html", 3)) == "a.html:3"


def test_what_a_command_asks_by_itself_is_nobodys() -> None:
    """It was told as a line of the library that calls the command."""
    names: dict[str, Any] = {"find": find_code_line}
    exec(compile("found = find()", Path(callers.__file__).parent / "cli" / "build.py", "exec"), names)
    assert names["found"] is None
    assert find_code_line() == (__file__, 46)
