"""Custom tags are functions, and their arguments are checked when the template is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from markupsafe import Markup

from toolkit.errors import TemplateError

if TYPE_CHECKING:
    from .conftest import Desk


def pullquote(context: Any, content: Markup, by: str = "") -> Markup:
    return Markup('<blockquote lang="{}">{}<cite>{}</cite></blockquote>').format(context["lang"], content, by)


def shout(word: str, *, times: int = 1) -> str:
    return word.upper() * times


@pytest.fixture
def tagged(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk(tags={"pullquote": pullquote, "shout": shout})


def test_a_block_tag_gets_its_body_its_arguments_and_the_context(tagged: Desk) -> None:
    tagged.write("a.html", "{% for w in ['<x>'] %}{% pullquote by=w %}<b>{{ w }}</b>{% endpullquote %}{% endfor %}")
    assert tagged.render("a.html", lang="es") == (
        '<blockquote lang="es"><b>&lt;x&gt;</b><cite>&lt;x&gt;</cite></blockquote>'
    )


def test_a_simple_tag_is_escaped_unless_it_is_markup(tagged: Desk) -> None:
    tagged.write("a.html", "{% shout '<a>', times=2 %}")
    assert tagged.render("a.html") == "&lt;A&gt;&lt;A&gt;"


def test_block_tags_nest(tagged: Desk) -> None:
    tagged.write("a.html", "{% pullquote %}{% pullquote 'x' %}y{% endpullquote %}{% endpullquote %}")
    assert tagged.render("a.html", lang="").count("<blockquote") == 2


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{% pullquote buy='x' %}{% endpullquote %}", r"no argument 'buy'. Did you mean 'by'\?"),
        ("{% shout %}", "tag 'shout' needs the argument 'word'"),
        ("{% shout 1, 2, 3 %}", "takes 2 arguments, 3 were given"),
        ("{% pullquote %}", "Unexpected end of template"),
    ],
)
def test_wrong_arguments_are_refused_at_the_tags_line(tagged: Desk, source: str, message: str) -> None:
    tagged.write("a.html", "\n" + source)
    with pytest.raises(TemplateError, match=message) as caught:
        tagged.render("a.html", lang="")
    assert caught.value.line == 2
