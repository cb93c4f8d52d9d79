"""Smaller texts mean the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.assets import Assets, Minifier, minifying, squeeze
from toolkit.assets.condensing import condense
from toolkit.errors import SettingError, TemplateError

Write = Callable[[str, str], Path]
Read = Callable[[Assets, str], str]


def test_stylesheets_and_scripts_are_made_smaller_after_their_references(
    write: Write, make_assets: Callable[..., Assets], read: Read
) -> None:
    write("a.css", "a {\n  color: #ff0000;  /* why */\n  background: url(x.png);\n}\n")
    write("x.png", "x")
    write("a.js", "// why\nimport { b } from './b.js';\nconst s = `a  b`,   r = /[/]  /g; // end\n")
    write("b.js", "export const b  =  1;")
    assets = make_assets(minify=("css", "js"))
    assert read(assets, "a.css") == f"a{{color:red;background:url({assets.asset('x.png').removeprefix('/static/')})}}"
    name = assets.asset("b.js").removeprefix("/static/")
    assert read(assets, "a.js") == f"import{{b}}from'./{name}';const s=`a  b`,r=/[/]  /g;"
    assert read(assets, "b.js") == "export const b=1;"
    assert assets.asset("a.css") != make_assets().asset("a.css")


def test_what_was_made_small_already_stays_as_it_is(
    write: Write, make_assets: Callable[..., Assets], read: Read
) -> None:
    write("a.min.js", "var a  = 1")
    write("b.js", "var a  = 1\n//# sourceMappingURL=b.js.map")
    assets = make_assets(minify=("css", "js"))
    assert read(assets, "a.min.js") == "var a  = 1"
    assert read(assets, "b.js").startswith("var a  = 1")


def test_a_stylesheet_that_cannot_be_read_names_its_line(write: Write, make_assets: Callable[..., Assets]) -> None:
    write("a.css", "a { b: c }\n\n}} d {")
    with pytest.raises(TemplateError, match=r"a\.css:3: the stylesheet cannot be read.*\.min\.css is left as it is"):
        make_assets(minify=("css",)).asset("a.css")


def test_a_stylesheet_keeps_what_the_browsers_of_the_setting_need() -> None:
    sheet = "a{height:100vh;height:100dvh}"
    assert Minifier(("css",)).asset("a.css", Path("a.css"), sheet) == "a{height:100dvh}"
    assert Minifier(("css",), browsers=("safari >= 14",)).asset("a.css", Path("a.css"), sheet) == sheet
    with pytest.raises(SettingError, match=r"css_browsers = \['netscape 4'\]: unknown browser: 'netscape'"):
        Minifier(("css",), browsers=("netscape 4",)).asset("a.css", Path("a.css"), sheet)


def test_a_long_script_is_kept_and_made_again_when_that_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minifying, "_LONG", 20)
    script = "let a  =  1;\n" * 2
    small = condense(script)
    for _ in range(2):
        assert Minifier(("js",), store=tmp_path).asset("a.js", Path("a.js"), script) == small
        (kept,) = tmp_path.iterdir()
        kept.write_bytes(kept.read_bytes()[:-1])
    (tmp_path / "file").write_text("")
    assert Minifier(("js",), store=tmp_path / "file").asset("a.js", Path("a.js"), script) == small


PAGES = [
    "<!doctype html><html lang=en dir=ltr><head><meta charset=utf-8><title>A  b</title></head><body class=''>"
    "<p>One <b>two</b> <i>three</i>\n four </p>\n<pre>  a\n   b </pre><textarea> x\n y</textarea></body></html>",
    "<!doctype html><html><head><title>x</title><script>const a = 1; // why\nf(a)</script>"
    '<script type=\'application/ld+json\'>{ "a": "b  c" }</script><style>a { b: c }</style></head><body>'
    "<ul><li>a</li> <li>b</li></ul><svg viewBox='0 0 1 1'><linearGradient id='g'/><path d='M0 0'/></svg>"
    "<table><tr><td>1</td></tr></table><a href='/x?a=1&amp;b=2' title=\"a 'b'\">x</a> "
    "<input value='' disabled></body></html>",
    "<!doctype html><html lang=ar dir=rtl><head><title>مد</title></head><body><p>مد <span> وجزر </span></p>"
    "<p>&lt;b&gt; &amp; &nbsp; &copy;</p><noscript><img src=x alt=''></noscript>"
    "<template><p>x</p></template></body></html>",
]


INLINE = {"a", "abbr", "b", "bdi", "button", "code", "em", "i", "img", "input", "label", "noscript", "small", "span",
          "strong", "sub", "sup", "textarea", "time", "u", "svg", "script", "style", "template"}  # fmt: skip


def shape(page: str) -> list[Any]:
    """The document that a browser makes of a page: elements, attributes, and texts with the spaces that are seen."""
    document = html5lib.parse(page, treebuilder="etree", namespaceHTMLElements=False)
    parts: list[Any] = []
    for part in _shape(document, False):
        if isinstance(part, str) and isinstance(parts[-1], str):
            parts[-1] += part  # there was a comment between
        else:
            parts.append(part)
    shown = [_trimmed(parts, place) for place in range(len(parts))]
    return [part for part in shown if part != ""]


def _shape(element: Any, preserved: bool) -> Iterator[Any]:
    if isinstance(element.tag, str):
        preserved = preserved or element.tag in ("pre", "textarea", "script", "style")
        yield element.tag, sorted(element.attrib.items())
        yield _seen(element.text, preserved)
        for child in element:
            yield from _shape(child, preserved)
            yield _seen(child.tail, preserved)
        yield (f"/{element.tag}",)


def _seen(text: str | None, preserved: bool) -> Any:
    return ("text", text or "") if preserved else text or ""


def _trimmed(parts: list[Any], place: int) -> Any:
    """A text without spaces that no reader sees: those at the edges of blocks, and more than one."""
    part = parts[place]
    if not isinstance(part, str):
        return part
    part = re.sub(r"[ \t\n\r\f]+", " ", part)
    before, after = parts[place - 1][0].strip("/"), parts[place + 1][0].strip("/")
    part = part if before in INLINE else part.lstrip(" ")
    return part if after in INLINE else part.rstrip(" ")


@pytest.mark.parametrize("page", PAGES)
def test_a_smaller_page_is_the_same_document(page: str) -> None:
    assert shape(squeeze(page)) == shape(page)


def around(names: list[str], inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Elements of these names around several of what may stand in them."""
    within = st.lists(inside, max_size=4).map("".join)
    return st.tuples(st.sampled_from(names), within).map(lambda made: f"<{made[0]}>{made[1]}</{made[0]}>")


words = st.sampled_from(
    [
        "a",
        " ",
        "\n\t ",
        " b",
        "c ",
        "&nbsp;",
        "<!-- x -->",
        "<br>",
        "<img alt=' >  '>",
        "1 < 2",
        "مد",
        "<a href='x'> l </a>",
    ]
)
left_alone = around(["textarea", "script"], st.sampled_from(["a", " \n", " <!-- x --> "]))
phrases = st.recursive(words | left_alone, lambda inner: around(["b", "span", "code"], inner), max_leaves=8)
paragraphs = around(["p", "pre", "h2"], phrases)
flows = st.recursive(paragraphs | phrases, lambda inner: around(["div", "nav", "section", "ul"], inner), max_leaves=12)


@settings(max_examples=60)
@given(st.lists(flows, max_size=6))
def test_no_page_says_anything_else_when_it_is_smaller(parts: list[str]) -> None:
    page = "<!doctype html><html><head> <title> x </title>\n</head>\n<body>" + "".join(parts) + "</body></html>"
    small = squeeze(page)
    assert squeeze(small) == small
    assert shape(small) == shape(page)


def test_comments_that_somebody_reads_stay() -> None:
    assert squeeze("<p>a <!-- why --> b<!--[if IE]>x<![endif]--><!--#include file=x -->") == (
        "<p>a b<!--[if IE]>x<![endif]--><!--#include file=x -->"
    )


@pytest.mark.parametrize(
    ("page", "small"),
    [
        ("<p style='white-space: pre-wrap'> a  b <i> c </i>\n</p><p> d  e </p>", None),
        ('<text xml:space="preserve"> a <b xml:space="preserve"> c</b>  </text><p> d  e </p>', None),
        ("<div style=white-space:pre><div>  a</div>  b</div><p> d  e </p>", None),
        ("<br style='white-space:pre'> a  b", "<br style='white-space:pre'>a b"),
        ("<p data-x='white-space:pre'> a  b</p>", "<p data-x='white-space:pre'>a b</p>"),
    ],
)
def test_spaces_stay_where_an_element_asks_for_it(page: str, small: str | None) -> None:
    assert squeeze(page) == (small or page.replace("<p> d  e </p>", "<p>d e</p>"))
