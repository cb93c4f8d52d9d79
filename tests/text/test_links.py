from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree, html

from toolkit.errors import ValidationError
from toolkit.text import absolute_links, absolute_url, is_absolute, relative_links, to_uri
from toolkit.text.links import iter_srcset

BASE = "https://courier.example/news/flood/"


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ('<a href="/x">x</a>', '<a href="https://courier.example/x">x</a>'),
        ('<a href="../fire/?a=1&amp;b">x</a>', '<a href="https://courier.example/news/fire/?a=1&amp;b">x</a>'),
        ('<a href="#note">1</a>', '<a href="https://courier.example/news/flood/#note">1</a>'),
        ('<a href="">self</a>', '<a href="https://courier.example/news/flood/">self</a>'),
        ('<a href="//cdn.example/x">x</a>', '<a href="https://cdn.example/x">x</a>'),
        ('<a href="mailto:desk@courier.example">w</a>', '<a href="mailto:desk@courier.example">w</a>'),
        ('<img src="a.jpg" alt="A" width="3" height="4">',
         '<img src="https://courier.example/news/flood/a.jpg" alt="A" width="3" height="4">'),
        ('<img srcset="a.jpg 1x, /b,c.jpg 2x">',
         '<img srcset="https://courier.example/news/flood/a.jpg 1x, https://courier.example/b,c.jpg 2x">'),
        ('<video poster="/p" src="/v" controls></video>',
         '<video poster="https://courier.example/p" src="https://courier.example/v" controls=""></video>'),
        ('<q cite="/s">q</q>', '<q cite="https://courier.example/s">q</q>'),
    ],
)  # fmt: skip
def test_links_become_absolute(source: str, result: str) -> None:
    assert absolute_links(source, BASE) == result
    assert relative_links(result) == []


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("<p onclick='x()'>a<script>alert(1)</script></p>", "<p>a</p>"),
        ("<form action=/x>who <input name=a><button>go</button></form>after", "after"),
        ("<iframe src=https://e.example></iframe>b", "b"),
        ("<a href=' java\nscript:alert(1)'>c</a>", "<a>c</a>"),
        ("<a href='JaVaScRiPt:alert(1)'>c</a>", "<a>c</a>"),
        ("<a href='data:text/html,x'>c</a>", "<a>c</a>"),
        ("<img src='data:text/html;base64,AAAA' alt=d>", '<img alt="d">'),
        ("<img src='data:image/png;base64,iVBO' alt=d>", '<img src="data:image/png;base64,iVBO" alt="d">'),
        ("<style>p{}</style><link rel=x><base href=//evil.example>e", "e"),
        ("<blink>f</blink>", "f"),
        ("<svg onload=x()><text>g</text></svg>h", "h"),
        ("<p style='position:fixed'>i</p>", "<p>i</p>"),
        ("<img src='http://[bad' alt=j>", '<img alt="j">'),
        ("<p>a\x08b&#8;c&#x0b;d</p>", "<p>abcd</p>"),
        ("a > b", "a &gt; b"),
    ],
)
def test_nothing_that_runs_gets_through(source: str, result: str) -> None:
    assert absolute_links(source, BASE) == result


def test_the_page_itself_must_be_known() -> None:
    with pytest.raises(ValidationError, match="base_url '/news/' is not absolute"):
        absolute_links("<p>x</p>", "/news/")


OPENINGS = [
    "<a href='",
    "<img src=",
    "<img srcset='",
    "<video poster=",
    "<p",
    "<script",
    "<!--",
    "<![CDATA[",
    "<table>",
]
INSIDES = [
    "javascript:x()",
    "&#106;avascript:",
    "/x",
    "//[",
    "x.jpg 2x,",
    ",",
    "%",
    "onerror=x",
    "ÿ",
    "\ud83d",
    "\x00",
]
ENDINGS = [
    "'>",
    ">",
    "-->",
    "]]>",
    "</style>",
    "<svg>",
    "<math>",
    "<style>",
    "<noscript>",
    "<template>",
    "\x1b",
    "\t",
    " ",
]
hostile = st.lists(st.sampled_from(OPENINGS + INSIDES + ENDINGS) | st.text(max_size=4), max_size=14).map("".join)


@given(hostile)
@example("<noscript><p title='</noscript><img src=x onerror=alert(1)>'>")
@example("<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>")
@example("<a href='1:2'>x</a>")
def test_hostile_html_comes_out_absolute_inert_and_fit_for_xml(source: str) -> None:
    cleaned = absolute_links(source, BASE)
    assert relative_links(cleaned) == []
    tree = html.fromstring(f"<div>{cleaned}</div>")
    for element in tree.iter(etree.Element):
        assert element.tag not in ("script", "iframe", "form", "style", "object", "svg", "base")
        assert not [name for name in element.attrib if name.startswith("on") or name == "style"]
        assert not (element.get("href") or "").lower().startswith(("javascript:", "data:", "vbscript:"))
    etree.Element("content").text = cleaned
    assert absolute_links(cleaned, BASE) == cleaned


def test_srcset_urls_may_hold_commas() -> None:
    assert list(iter_srcset(" a,b.jpg 1x ,c.jpg, d.jpg  640w")) == [
        ("a,b.jpg", "1x"),
        ("c.jpg", ""),
        ("d.jpg", "640w"),
    ]


def test_urls_are_absolute_with_a_scheme_and_a_host() -> None:
    assert is_absolute("https://courier.example") and is_absolute("tag:courier.example,2026:1")
    assert not is_absolute("//courier.example/") and not is_absolute("/x") and not is_absolute("https:///x")
    assert not is_absolute("https://a b/") and not is_absolute("https://a\\b/") and is_absolute("https://[::1]:80/")
    assert absolute_url(" \n/x ", BASE) == "https://courier.example/x"
    assert absolute_url("http://[bad", BASE) is None


def test_uris_are_ascii_and_stay_as_they_are_when_encoded_again() -> None:
    uri = to_uri("https://bücher.example:8080/أخبار/ä ö/?q=é&p=100%#ß")
    assert uri == (
        "https://xn--bcher-kva.example:8080/%D8%A3%D8%AE%D8%A8%D8%A7%D8%B1/%C3%A4%20%C3%B6/?q=%C3%A9&p=100%25#%C3%9F"
    )
    assert to_uri(uri) == uri
    with pytest.raises(ValidationError, match="is not a URL"):
        to_uri("https://[bad/")
