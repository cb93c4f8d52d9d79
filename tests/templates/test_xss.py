"""Hostile text, printed everywhere: parsed as a browser parses it, nothing runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import html5lib
import pytest
from markupsafe import Markup

from toolkit.errors import TemplateError
from toolkit.templates.contexts import Place, follow
from toolkit.templates.markdown import Markdown

if TYPE_CHECKING:
    from .conftest import Desk

SCHEMES = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "\x01javascript:alert(1)",
    "java\nscript:alert(1)",
    "java\tscript:alert(1)",
    "javascript\t:alert(1)",
    "javascript&colon;alert(1)",
    "&#106;avascript:alert(1)",
    "vbscript:msgbox(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "data:image/svg+xml,<svg onload=alert(1)>",
    "\u200bjavascript:alert(1)",
    "feed:javascript:alert(1)",
    "view-source:javascript:alert(1)",
]
TAGS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<ScRiPt src=//x.example></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'>x</a></svg>",
    "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
    "<iframe src=javascript:alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<object data='javascript:alert(1)'>",
    "<embed src='javascript:alert(1)'>",
    "<base href='javascript:alert(1)//'>",
    "<form action=javascript:alert(1)><input type=submit>",
    "<button formaction=javascript:alert(1)>x</button>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<link rel=stylesheet href='javascript:alert(1)'>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<style>@import 'javascript:alert(1)';</style>",
    "<style onload=alert(1)></style>",
    "<a href='javascript:alert(1)'>x</a>",
    '<a href="java\tscript:alert(1)">x</a>',
    "<a href=jav&#x09;ascript:alert(1)>x</a>",
    "<div style='background:url(javascript:alert(1))'>x</div>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<title><img src=x onerror=alert(1)></title>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<<script>alert(1)//<</script>",
    "<img src='x' onerror\n=alert(1)>",
    "<img/src='x'/onerror=alert(1)>",
    "<x onclick=alert(1)>x</x>",
    "<a id=x name=y onmouseover=alert(1)>x</a>",
    "<table background='javascript:alert(1)'><tr><td>x</td></tr></table>",
    "<isindex action=javascript:alert(1)>",
    "<use href='data:image/svg+xml,<svg onload=alert(1)>'>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><set attributeName=href to=javascript:alert(1)>",
    "<textarea autofocus onfocus=alert(1)>",
    "<select autofocus onfocus=alert(1)>",
    "<plaintext><script>alert(1)",
    "<frameset onload=alert(1)>",
]
BREAKS = [
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "` onmouseover=`alert(1)",
    "x onmouseover=alert(1)",
    '\\"><script>alert(1)</script>',
    "';alert(1);//",
    '";alert(1);//',
    "\\';alert(1);//",
    "`;alert(1);//",
    "${alert(1)}",
    "*/alert(1)/*",
    "\nalert(1)//",
    "\u2028alert(1)//",
    "-->alert(1)",
    "<!--<script>",
    "]]>alert(1)",
    "red;background:url(javascript:alert(1))",
    "expression(alert(1))",
    "}</style><script>alert(1)</script>",
    "\\3c script>",
    "%22onload=alert(1)",
    "&quot; onload=&quot;alert(1)",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "{{ 7*7 }}{% raw %}",
    "{{< figure >}}",
    "\x00<script>alert(1)</script>",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "\ud83d\ude00'\";</script>".encode("utf-16", "surrogatepass").decode("utf-16"),
    "]({{x}}) [a](javascript:alert(1))",
    '[a](javascript:alert(1) "x" )',
    "![a](javascript:alert(1))",
    "[a]: javascript:alert(1)\n\n[a]",
    "<javascript:alert(1)>",
    "`</code><script>alert(1)</script>`",
    "# x {onclick=alert(1)}",
    '~~~x" onclick="alert(1)\n~~~',
]
PAYLOADS = SCHEMES + TAGS + BREAKS

CONTEXTS = {
    "text": "<p>{{ x }}</p>",
    "attribute": "<p title=\"{{ x }}\" data-x='{{ x }}'>t</p>",
    "address": '<a href="{{ x }}">t</a><img src="{{ x }}" alt=""><form action="{{ x }}"></form>',
    "address after a value": '<a href="{{ empty }}{{ x }}">t</a><a href="{% if x %}{{ x }}{% endif %}">u</a>',
    "query": '<a href="/search?q={{ x }}">t</a>',
    "script": "<script>var a = {{ x }}, b = '{{ x }}', c = \"{{ x }}\";</script>",
    "script after an address": "<script>var u = 'https://x.example/'; var a = {{ x }};</script>",
    "handler": '<p onclick="show({{ x }})" onfocus="show(\'{{ x }}\')">t</p>',
    "style": '<p style="color: {{ x }}">t</p><style>p { color: {{ x }} }</style>',
    "address in a style": "<p style=\"background: url('{{ x }}')\">t</p><style>p { a: url({{ x }}) }</style>",
    "data": '<script type="application/ld+json">{"name": {{ x }}, "text": "{{ x }}"}</script>',
    "title": "<title>{{ x }}</title><textarea>{{ x }}</textarea>",
    "comment": "<!-- {{ x }} --><p>t</p>",
    "document": '<iframe srcdoc="<p>{{ x }}</p>"></iframe>',
    "filters": "<p>{{ x|urlize }}{{ x|linebreaks }}{{ x|smarten }}{{ x|truncate_words(9) }}{{ [x]|listed }}</p>",
    "json": "{{ x|json_script('d') }}<script>var a = {{ [x]|tojson }};</script>",
    "markdown": "<div>{{ x|markdown }}</div>",
    "macro": '{% macro link(u) %}<a href="{{ u }}">{{ u }}</a>{% endmacro %}<div>{{ link(x) }}</div>',
    "translated address": '<p>{% trans u=x, n=(1, 2)|length %}<a href="{{ u }}">{{ n }}</a>{{ u }}{% endtrans %}</p>',
    "translated": "<p>{% trans x=x %}Hello <b>{{ x }}</b>{% endtrans %}</p>",
}
RUNNING = ("javascript:", "vbscript:", "data:text", "data:image/svg")


@pytest.mark.parametrize("context", CONTEXTS)
def test_no_payload_runs_anywhere(desk: Desk, context: str) -> None:
    desk.write("page.html", CONTEXTS[context])
    expected = structure(desk.render("page.html", x="harmless", empty=""))
    for payload in PAYLOADS:
        if context == "markdown" and "{{<" in payload:
            continue  # an unknown shortcode is an error
        html = desk.render("page.html", x=payload, empty="")
        assert_nothing_runs(html, payload)
        if context not in ("markdown", "filters", "document"):
            assert structure(html) == expected, (payload, html)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_runs_in_markdown(payload: str) -> None:
    for source in (payload, f"[x]({payload})", f"[x](<{payload}>)", f"![{payload}](a)", f"- {payload}\n\n> {payload}"):
        html = str(Markdown().render(source).html)
        assert_nothing_runs(html, source)
        names = {name for name, _ in elements(html)}
        assert not names & {"script", "style", "iframe", "object", "embed", "base", "form", "meta", "link", "svg"}


def elements(html: str) -> Iterator[tuple[str, dict[str, str]]]:
    tree = html5lib.parse(html.replace("\x00", ""), treebuilder="etree", namespaceHTMLElements=False)
    for element in tree.iter():
        if isinstance(element.tag, str):
            yield element.tag, {str(key): str(value) for key, value in element.attrib.items()}


def structure(html: str) -> list[tuple[str, list[str]]]:
    """The elements and the names of their attributes: what text alone must not change."""
    return [(name, sorted(attributes)) for name, attributes in elements(html)]


def assert_nothing_runs(html: str, payload: str) -> None:
    for name, attributes in elements(html):
        for key, value in attributes.items():
            bare = re.sub(r"[\x00-\x20\x7f\u200b]", "", value).lower()
            if key in ("href", "src", "action", "formaction", "data", "poster", "{http://www.w3.org/1999/xlink}href"):
                assert not bare.startswith(RUNNING), (name, key, value, payload)
            assert not key.startswith("on") or "show(" in value, (name, key, value, payload)
            if key == "srcdoc":
                assert_nothing_runs(value, payload)
            if key == "style":
                assert value.count("url(") == value.count("background: url(")
                assert re.fullmatch(r"color: [^:;'\"]*|background: url\('(?!javascript:|vbscript:)[^'()]*'\)", value), (
                    value
                )
    for script in re.findall(r"<script>(.*?)</script>", html, re.DOTALL):
        assert strings_hold(script), (script, payload)


def strings_hold(script: str) -> bool:
    """Whether nothing of a payload stands outside the strings of a script."""
    outside = re.sub(r"'(?:[^'\\\n\u2028]|\\.)*'|\"(?:[^\"\\\n\u2028]|\\.)*\"", "S", script)
    return re.fullmatch(r"[\s\[\]\w=,;]*", outside) is not None and "alert" not in outside


def test_values_in_scripts_arrive_as_they_were(desk: Desk) -> None:
    desk.write("page.html", '<script type="application/ld+json">{"a": {{ x }}, "b": "{{ x }}"}</script>')
    for payload in PAYLOADS:
        body = desk.render("page.html", x=payload).partition(">")[2].rpartition("</script>")[0]
        assert json.loads(body) == {"a": payload, "b": payload}


def test_addresses_that_are_fine_stay_as_they_are(desk: Desk) -> None:
    desk.write("page.html", '<a href="{{ x }}">t</a>')
    for url in ("/a/", "a?b=c", "#x", "https://x.example/", "mailto:a@b.example", "tel:+351", "", "a/b:c"):
        assert desk.render("page.html", x=url) == f'<a href="{url}">t</a>'
    assert desk.render("page.html", x=Markup("javascript:f()")) == '<a href="javascript:f()">t</a>'


def test_every_branch_of_an_address_is_checked(desk: Desk) -> None:
    desk.write(
        "page.html",
        '<a href="{% if a %}/x/{% elif b %}{{ u }}{% else %}{{ u }}{% endif %}{{ u }}">'
        '<a href="{% for p in [u] %}{{ p }}{% endfor %}">',
    )
    for a, b in ((0, 0), (0, 1), (1, 0)):
        assert "javascript" not in desk.render("page.html", a=a, b=b, u="javascript:f()")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("<p title={{ x }}>", "the value of 'title' has no quotation marks around it"),
        ('<a href="javascript:f({{ x }})">', "nothing makes a value safe inside javascript:"),
        ('<a href="{{ x }}:y">{{ x }}</a><a href="{{ x }}:{{ x }}">', "an address's scheme cannot be a value"),
        ("<script>{% trans x=x %}{{ x }}{% endtrans %}</script>", "a value inside {% trans %} may stand"),
    ],
)
def test_places_where_nothing_is_safe_are_refused_at_their_line(desk: Desk, source: str, message: str) -> None:
    desk.write("page.html", "\n" + source)
    with pytest.raises(TemplateError, match=re.escape(message)) as caught:
        desk.render("page.html", x="x")
    assert caught.value.line == 2


@pytest.mark.parametrize(
    ("source", "bad"),
    [("<h{{ x }}>", "script"), ("<{{ x }}>", "script"), ("<p {{ x }}>", "onclick"), ("<p {{ x }}>", 'a="b"')],
)
def test_names_of_tags_and_attributes_bring_nothing_to_run(desk: Desk, source: str, bad: str) -> None:
    desk.write("page.html", source)
    assert desk.render("page.html", x="a1" if "<{{" in source or " " in source else 2)
    with pytest.raises(TemplateError, match="cannot"):
        desk.render("page.html", x=bad)


def test_templates_that_are_not_html_are_not_followed(desk: Desk) -> None:
    desk.write("a.json", '{"a<script>": {{ x|tojson }}, "b": <p title={{ x }}>}')
    assert desk.render("a.json", x="<") == '{"a<script>": "\\u003c", "b": <p title=&lt;>}'


def test_xmlattr_and_conditional_attributes_work(desk: Desk) -> None:
    desk.write("a.html", '<p{{ {"class": x}|xmlattr }}{% if x %} lang="{{ x }}"{% endif %} {{ "hidden" if x }}>{{ x }}')
    assert desk.render("a.html", x="e<") == '<p class="e&lt;" lang="e&lt;" hidden>e&lt;'


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("a < b", "text"),
        ("<p", "name"),
        ("<p ", "tag"),
        ("<p a", "attribute"),
        ('<p a="', "value"),
        ("<p a='x\"", "value"),
        ("<p a='x' b", "attribute"),
        ("<p a=", "bare"),
        ("<p a=x>", "text"),
        ("<br/><p>", "text"),
        ("<!-- <p> ", "comment"),
        ("<!-- --><p>", "text"),
        ("<script>if (a < b) { '</p>'", "script"),
        ("<script src='x'></script>", "text"),
        ("<script></SCRIPT >", "text"),
        ("<style> p ", "style"),
        ("<title><b>", "raw"),
        ("<title></title><p>", "text"),
        ("</p", "name"),
        ("<!doctype html><html>", "text"),
    ],
)
def test_the_templates_text_is_followed_as_a_browser_would(text: str, mode: str) -> None:
    assert follow(Place(), text).mode == mode
    place = Place()
    for character in text:  # in any pieces
        place = follow(place, character)
    if "<!--" not in text and "</" not in text:  # Jinja parts a text only where it has tags of its own
        assert place.mode == mode


def render_any(desk: Desk, source: str, **context: Any) -> str:
    desk.write("any.html", source)
    return desk.render("any.html", **context)


def test_strings_of_scripts_are_told_from_comments_and_addresses(desk: Desk) -> None:
    source = "<script>// it's\nvar u = 'https://x'; /* \" */ var a = {{ x }}; var b = 'it\\'s {{ x }}';</script>"
    html = render_any(desk, source, x="</script>'")
    assert 'var a = "\\u003c/script\\u003e\'";' in html
    assert "var b = 'it\\'s \\u003c\\u002fscript\\u003e\\u0027';" in html


@pytest.mark.parametrize(
    "tag",
    [
        "",
        "url",
        "url=u",
        "trimmed url=u",
        "n=1, url=u",
        "'context' url=u|upper|lower, n=2",
        "trimmed",
        "url=[u, u][0], n=1",
    ],
)
def test_addresses_in_translated_texts_are_checked_however_they_are_bound(desk: Desk, tag: str) -> None:
    source = "{% trans " + tag + ' %}<a href="{{ url }}">x</a>{% pluralize n %}<a href="{{ url }}">y</a>{% endtrans %}'
    source = source if "n=" in tag else source.replace('{% pluralize n %}<a href="{{ url }}">y</a>', "")
    assert 'href="about:invalid#unsafe"' in render_any(desk, source, u="javascript:f()", url="javascript:f()")
    assert 'href="/a/"' in render_any(desk, source, u="/a/", url="/a/")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("red", "red"),
        ("2px", "2px"),
        ("#fff", "#fff"),
        ("var(--ink)", "var(--ink)"),
        ("rgb(1 2 3 / 50%)", "rgb(1 2 3 / 50%)"),
        ("calc(100% - 2 * 3px)", "calc(100% - 2 * 3px)"),
        ("url(//x.example)", "unset"),
        ("red; color: blue", "unset"),
        ("1 /* x", "unset"),
    ],
)
def test_plain_values_of_styles_pass(desk: Desk, value: str, expected: str) -> None:
    source = '<p style="color: {{ x }}"></p><style>p { color: {{ x }} }</style>'
    assert render_any(desk, source, x=value) == source.replace("{{ x }}", expected)


def test_addresses_of_assets_stand_in_styles(desk: Desk) -> None:
    source = "<p style=\"background: url('{{ x }}')\"></p><style>p { a: url({{ x }}) }</style>"
    assert render_any(desk, source, x="/static/a.png") == source.replace("{{ x }}", "/static/a.png")
    assert "about:invalid#unsafe" in render_any(desk, source, x="javascript:f()")
