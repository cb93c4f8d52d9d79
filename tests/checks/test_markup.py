"""The tags of a page: what is wrong with them, where; and nothing where a strict parser of HTML finds nothing."""

from __future__ import annotations

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.checks.markup import find_mistakes

START = "<!doctype html>\n"


@pytest.mark.parametrize(
    ("body", "line", "column", "says"),
    [
        ("<div><p>a</div>\n</div>", 3, 1, "</div> closes nothing"),
        ("<main>\n  <div>", 3, 3, "<div> is not closed"),
        ("<b><i>x</b></i>", 2, 4, "<i> is not closed before </b>"),
        ("<p>a<div>b</div></p>", 2, 17, "a block within a paragraph ends it"),
        ("<a href=x>1<a href=y>2</a></a>", 2, 12, "<a> stands within another <a>"),
        ("<br></br>", 2, 5, "</br> is one too many"),
        ("<div/>x</div>", 2, 1, "<div/> does not close itself"),
        ("<div class='a'/>x</div>", 2, 1, "<div/> does not close itself"),
        ("<p class=a id=b class=c>", 2, 1, "the attribute class twice"),
        ("<div title='open>x", 2, 1, "a tag is not finished"),
        ("<!-- open", 2, 1, "a comment is not closed"),
        ("<p>a &nosuch; b", 2, 6, "there is no character &nosuch;"),
        ("<li>x</li>", 2, 1, "<li> stands in nothing, and belongs in <menu> or <ol> or <ul>"),
        ("<ul><div>x</div></ul>", 2, 5, "<div> stands in <ul>, which takes <li> alone"),
        ("<table><td>x</table>", 2, 8, "<td> stands in <table>"),
        ("<p>from a PDF:\x02</p>", 2, 15, "the control character U+0002 is not allowed"),
        ("<img alt='\x0b'>", 2, 11, "the control character U+000B is not allowed"),
        ("<center>x</center>", 2, 1, "<center> is no element of HTML any more"),
    ],
)
def test_a_mistake_is_told_with_its_place(body: str, line: int, column: int, says: str) -> None:
    told = find_mistakes(START + body)
    assert any((one.line, one.column) == (line, column) and says in one.what for one in told), told


def test_a_page_without_doctype() -> None:
    assert "<!doctype html>" in find_mistakes("<title>x</title>")[0].what
    assert find_mistakes("<!-- by hand -->\n<!DOCTYPE HTML>\n<title>x</title>") == []


@pytest.mark.parametrize(
    "body",
    [
        "<ul><li>a<ul><li>b</ul><li>c</ul>",
        "<table><caption>c<thead><tr><th>a<tbody><tr><td>b<td>c<tr><td>d</table>",
        "<dl><dt>a<dd>b<dt>c<dd>d</dl><dl><div><dt>a<dd>b</div></dl>",
        "<select><option>1<optgroup label=x><option>2</select>",
        "<svg viewBox='0 0 1 1'><path d='M0 0'/><g><title>x</title></g></svg>",
        "<script>if (a < b) document.write('</div>')</script><style>a > b {}</style><textarea><div></textarea>",
        "<a title='1 > 0' href=?a=1&b=2>x &amp; y &copy; &#8364; AT&T</a>",
        "<p>one<p>two<h2>three</h2><p>four</p><img src=x alt=''><br>",
        "<picture><source srcset=x><img src=y alt=''></picture><details><summary>s</summary>t</details>",
        "<a href=/news/>x</a><br/><hr /><img src=/a/b/><form action=/search/></form>",
        "<template><li>x</li></template><template><tr><td>x</template><form><template><form></form></template></form>",
        "<ruby>a<rp>(<rt>b<rp>)</ruby><form><button>x</button></form>",
    ],
)
def test_what_html_allows_is_no_mistake(body: str) -> None:
    assert find_mistakes(f"{START}<html><head><title>x</title></head><body>{body}</body></html>") == []


texts = st.text("ab <>&;é", max_size=6).map(lambda text: text.replace("&", "&amp;").replace("<", "&lt;"))
trees = st.recursive(
    texts,
    lambda inner: st.builds(
        lambda name, children: f"<{name}>{''.join(children)}</{name}>",
        st.sampled_from(["div", "section", "em", "span", "blockquote"]),
        st.lists(inner, max_size=4),
    ),
    max_leaves=12,
)


@given(trees)
def test_well_formed_trees_have_no_mistakes(tree: str) -> None:
    assert find_mistakes(f"{START}<title>x</title>{tree}") == []


@given(trees, st.sampled_from(["</div>", "<section>", "<em>", "</blockquote>"]), st.integers(0, 200))
def test_one_tag_too_many_is_found_as_a_strict_parser_finds_it(tree: str, tag: str, place: int) -> None:
    tree = f"<div>{tree}</div>"
    places = [0, *(n + 1 for n, mark in enumerate(tree) if mark == ">"), len(tree)]
    at = places[place % len(places)]
    text = f"{START}<html><head><title>x</title></head><body>{tree[:at]}{tag}{tree[at:]}</body></html>"
    parser = html5lib.HTMLParser()
    parser.parse(text)
    assert bool(find_mistakes(text)) == bool(parser.errors)


@given(st.text("<>/!-='\" abdivp&;", max_size=60))
def test_no_text_is_too_wild(text: str) -> None:
    find_mistakes(START + text)
