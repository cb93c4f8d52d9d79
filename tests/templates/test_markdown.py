"""Markdown to HTML: what comes out, what was met on the way, and what is refused."""

from __future__ import annotations

import os
import re
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from toolkit.errors import ContentError, NoSuchPage, TemplateError
from toolkit.templates.markdown import Markdown, MarkdownOptions, heading_slug
from toolkit.templates.rendered import Heading, Image
from toolkit.templates.shortcodes import Shortcode, take_shortcodes, template_shortcodes
from toolkit.text import slugify
from toolkit.trace import ABSENT, Scope, Trace, entered

if TYPE_CHECKING:
    from .conftest import Desk

GOLDEN = Path(__file__).parent / "golden"


def resolve(url: str) -> str:
    return f"/news/{url.removeprefix('story:')}/" if url.startswith("story:") else url


def test_everything_at_once_is_as_it_was_reviewed() -> None:
    """Refresh with REFRESH_GOLDEN=1 and review the difference."""
    source = (GOLDEN / "kitchen-sink.md").read_text(encoding="utf-8")
    rendered = Markdown(resolve_link=resolve, shortcode=lambda code, body: "").render(source)
    golden = GOLDEN / "kitchen-sink.html"
    if os.environ.get("REFRESH_GOLDEN"):
        golden.write_text(str(rendered.html), encoding="utf-8")
    assert str(rendered.html) == golden.read_text(encoding="utf-8")
    assert rendered.headings == (
        Heading(1, "the-flood-one-year-on", "The flood, one year on"),
        Heading(2, "what-we-know", "What we know"),
        Heading(2, "what-we-know-2", "What we know"),
        Heading(3, "river", "نهر كبير"),
    )
    assert rendered.links == ("/map/", "https://example.org/?a=1&b=2", "/news/flood/")
    assert rendered.images == (Image("img/bridge.jpg", "The <bridge>", "At dawn"),)
    assert rendered.first_paragraph.startswith("Water1 came at four five. See the map,")


# -- headings


def test_heading_ids_are_unique_readable_and_in_their_own_script() -> None:
    text = "# Río\n# Río\n# Río 2\n# نهر\n# 東京\n# !!!\n# x {#rio}\n# `code` & <b>more</b>"
    ids = [heading.id for heading in Markdown().render(text).headings]
    assert len(set(ids)) == len(ids)
    assert ids[3:6] == ["نهر", "東京", "section"]
    assert ids[-1] == "code-more"


@given(st.text(alphabet=st.sampled_from("aB3 ?!:;,.()/-"), max_size=20))
def test_the_quick_way_to_a_heading_id_is_slugifys(words: str) -> None:
    assert heading_slug(words) == slugify(words, allow_unicode=True, default="section")


def test_headings_may_start_below_the_pages_own_and_carry_a_prefix() -> None:
    rendered = Markdown(MarkdownOptions(shift=1, prefix="s1-")).render("# A\n\nx[^n]\n\n###### B\n\n[^n]: y")
    assert rendered.html.startswith('<h2 id="s1-a">A</h2>')
    assert '<h6 id="s1-b">B</h6>' in rendered.html and 'href="#s1-fn-n"' in rendered.html


def test_the_table_of_contents_nests_and_skips_what_is_too_deep() -> None:
    toc = Markdown().render("## A <i>\n#### B\n## C\n").toc(deepest=4)
    assert toc == (
        '<ul><li><a href="#a">A</a><ul><li><a href="#b">B</a></li></ul></li><li><a href="#c">C</a></li></ul>'
    )
    assert Markdown().render("text").toc() == ""


def test_attributes_in_a_heading_bring_no_handlers() -> None:
    rendered = Markdown().render("# Hi {#x .y onclick=alert(1) style=color:red}")
    assert rendered.html == '<h1 id="x" class="y">Hi</h1>\n'


# -- footnotes


def test_footnotes_are_gathered_numbered_by_use_and_lead_back() -> None:
    html = str(Markdown().render("b[^two] a[^one] b[^two]\n\n[^one]: One[^three]\n[^two]: Two\n[^three]: 3").html)
    assert html.index('id="fn-two"') < html.index('id="fn-one"') < html.index('id="fn-three"')
    assert html.count('id="fnref-two"') == html.count('id="fnref-two-2"') == 1
    assert 'href="#fnref-two-2"' in html and html.count("<ol>") == 1


def test_a_footnote_nobody_refers_to_is_not_shown() -> None:
    assert "lost" not in Markdown().render("a\n\n[^n]: lost").html


# -- links and images


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java&#115;cript:alert(1)",
        "javascript&colon;alert(1)",
        "&#1;javascript:alert(1)",
        "java&Tab;script:alert(1)",
        "vbscript:x",
        "data:text/html,<script>alert(1)</script>",
        "data:text/html;base64,PHNjcmlwdD4=",
        "file:///etc/passwd",
        "blob:https://x.example/1",
    ],
)
def test_a_link_that_would_run_something_loses_its_address(url: str) -> None:
    for source in (f"[x](<{url}>)", f"[x][r]\n\n[r]: <{url}>", f'<a href="{url}">x</a>'):
        rendered = Markdown().render(source)
        addresses = re.findall(r'href="([^"]*)"', str(rendered.html))
        # What pulldown-cmark percent-encodes is no scheme any more: "java%09script:" leads to a page of ours.
        assert all("%" in address for address in addresses), addresses
        assert "x" in rendered.html and "<script" not in rendered.html


@pytest.mark.parametrize(
    "url", ["/a?b=1&c=2#d", "https://x.example/ä", "mailto:a@b.example", "#top", "tel:+351", "a:b/"]
)
def test_other_links_are_kept(url: str) -> None:
    rendered = Markdown(resolve_link=lambda url: "/ok/" if url == "a:b/" else url).render(f"[x](<{url}>)")
    assert rendered.refused == () and len(rendered.links) == 1 and "href" in rendered.html


WEB = ["https://x.example/?a=1&b=2", "/news/", "#top", "mailto:a@b.example"]


@pytest.mark.parametrize(
    "other", ["", " [o](/it's/)", " [o](story:flood)", ' <a class="c" href="/d/">o</a>', " note[^1]\n\n[^1]: [n](/n/)"]
)
def test_links_into_the_web_are_the_same_whether_the_hook_is_asked_or_not(other: str) -> None:
    asked: list[str] = []

    def ask(url: str) -> str:
        asked.append(url)
        return resolve(url)

    text = " ".join(f"[x]({url})" for url in [*WEB, "/%20/"]) + other
    spared = Markdown(resolve_link=ask, resolve_web=False).render(text)
    assert not asked or other
    assert spared == Markdown(resolve_link=resolve).render(text)
    assert spared.links[: len(WEB)] == tuple(WEB)
    assert ("/news/flood/" in spared.links) == ("story:" in other)


def test_a_hook_cannot_bring_in_a_dangerous_address() -> None:
    rendered = Markdown(resolve_link=lambda url: "javascript:alert(1)").render("[x](story:a)")
    assert rendered.html == "<p><a>x</a></p>\n"


def test_an_address_that_cannot_be_resolved_names_file_line_and_hint() -> None:
    def unresolved(url: str) -> str:
        raise NoSuchPage(f"no story {url!r}", hint="Did you mean 'flood'?")

    with pytest.raises(ContentError, match=r"stories/a\.md:9: no story 'story:flod'\. Did you mean 'flood'\?"):
        Markdown(resolve_link=unresolved).render("é\n\nsee\n[x](story:flod)", path="stories/a.md", line=6)


def test_images_pass_their_hooks_and_dangerous_ones_leave_their_words() -> None:
    def figure(image: Image) -> str | None:
        return f"<figure>{image.alt}</figure>" if image.src == "/static/a.jpg" else None

    reader = Markdown(resolve_image=lambda url: f"/static/{url}", render_image=figure)
    assert reader.render("![A](a.jpg) ![B](b.jpg)").html == (
        '<p><figure>A</figure> <img src="/static/b.jpg" alt="B"></p>\n'
    )
    assert Markdown().render("![<b>](javascript:x)").html == "<p>&lt;b&gt;</p>\n"


# -- raw HTML


def test_harmless_html_stays_and_everything_else_goes() -> None:
    rendered = Markdown().render(
        '<details open><summary>S</summary>\n\n*t*\n\n</details>\n<iframe src="//x"></iframe>'
        '<b onclick="x" style="position:fixed" class="admin" id="login">b</b><!-- c --><script>alert(1)</script>'
    )
    assert "<details open" in rendered.html and "<em>t</em>" in rendered.html and "<b>b</b>" in rendered.html
    for gone in ("iframe", "onclick", "style", "admin", "login", "<!--", "alert"):
        assert gone not in rendered.html


def test_trusted_texts_keep_their_html_and_addresses() -> None:
    source = '<iframe src="https://x.example"></iframe>\n\n[x](javascript:f())'
    rendered = Markdown(MarkdownOptions(trusted=True)).render(source)
    assert "<iframe" in rendered.html and 'href="javascript:f()"' in rendered.html


def test_less_than_signs_that_begin_no_html_need_no_cleaning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.templates.markdown.clean_html", None)
    assert "a &lt; b" in Markdown().render("a < b, <https://x.example>, `<b>`").html


def test_tables_are_aligned_by_class_so_that_no_inline_style_is_needed() -> None:
    html = Markdown().render("|a|b|\n|:-:|--:|\n|1|<b>2</b>|").html
    assert '<th class="align-center">' in html and '<td class="align-right"><b>2</b>' in html
    assert "style" not in html


# -- counts


def test_words_are_counted_in_every_script() -> None:
    assert Markdown().render("# One two\n\n*three* `four`").word_count == 4
    assert Markdown().render("東京都").word_count == 3
    assert Markdown().render("الماء في النهر").word_count == 3
    assert Markdown().render("word " * 1000).reading_time_minutes > 2


# -- shortcodes


def test_a_shortcode_is_a_template_and_is_traced(desk: Desk) -> None:
    desk.write("shortcodes/figure.html", '<figure class="{{ kind }}">{{ body }}{{ args[0] }}</figure>')
    desk.write("page.html", "{{ text|markdown }}")
    text = 'Before\n\n{{< figure 7 kind="<x>" >}}\n**bold**\n{{< /figure >}}\n\nAfter {{< none >}}'
    trace = Trace()
    with (
        entered(Scope(site=SimpleNamespace(), database=None, trace=trace)),
        pytest.raises(TemplateError, match="there is no shortcode 'none'"),
    ):
        desk.render("page.html", text=text)
    assert trace.inputs["template", ("shortcodes/figure.html",)] != ABSENT
    assert trace.inputs["template", ("shortcodes/none.html",)] == ABSENT
    html = desk.render("page.html", text=text.replace(" {{< none >}}", ""))
    assert html == ('<p>Before</p>\n<figure class="&lt;x&gt;"><p><strong>bold</strong></p>\n7</figure>\n<p>After</p>\n')


def test_an_unknown_shortcode_names_its_line_in_the_text(desk: Desk) -> None:
    desk.write("shortcodes/figure.html", "")
    reader = Markdown(shortcode=template_shortcodes(desk.environment))
    with pytest.raises(ContentError, match=r"a\.md:12: there is no shortcode 'figur'\. Did you mean 'figure'\?"):
        reader.render("x\n\n{{< figur >}}", path="a.md", line=10)


def test_a_shortcode_in_the_body_of_another_names_its_own_line(desk: Desk) -> None:
    desk.write("shortcodes/box.html", "<div>{{ body }}</div>")
    reader = Markdown(shortcode=template_shortcodes(desk.environment))
    assert reader.render("{{< box >}}\n{{< box >}}x{{< /box >}}\n{{< /box >}}").html.count("<div>") == 2
    with pytest.raises(ContentError, match=r"a\.md:3: there is no shortcode 'nope'"):
        reader.render("{{< box >}}\na\n{{< nope >}}\n{{< /box >}}", path="a.md")


def test_a_shortcode_may_stand_in_text_and_in_an_address() -> None:
    reader = Markdown(shortcode=lambda code, body: f"<i>{code.name}</i>" if code.name == "hi" else "/a&amp;b/")
    assert reader.render("say {{< hi >}}!").html == "<p>say <i>hi</i>!</p>\n"
    assert reader.render('[x]({{< ref "a" >}})').links == ("/a&b/",)


def test_inside_code_and_when_escaped_shortcodes_show_themselves() -> None:
    reader = Markdown(shortcode=lambda code, body: "RUN")
    for source in ("`{{< a >}}`", "```\n{{< a >}}\n```", "{{</* a */>}}"):
        html = str(reader.render(source).html)
        assert "RUN" not in html and "{{&lt;" in html
    assert Markdown().render("{{< a >}}").html == "<p>{{&lt; a &gt;}}</p>\n"


def test_arguments_are_read_as_they_are_meant() -> None:
    _, (code,) = take_shortcodes('{{< a word 3 1.5 true "two words" key="a \\"b\\" >}} c" n=-2 raw=`"x"` >}}')
    assert code.args == ("word", 3, 1.5, True, "two words")
    assert dict(code.params) == {"key": 'a "b" >}} c', "n": -2, "raw": '"x"'}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{< /a >}}", "shortcode 'a' ends here and never began"),
        ("{{< a b= >}}", "shortcode 'a' has an argument that cannot be read: 'b='"),
        ("{{< a b=1 b=2 >}}", "shortcode 'a' has 'b' twice"),
        ("{{< 9 >}}", "a shortcode has no name"),
    ],
)
def test_a_shortcode_that_cannot_be_read_names_its_line(source: str, message: str) -> None:
    with pytest.raises(ContentError, match=f"a.md:3: {message}"):
        take_shortcodes("\n\n" + source, path="a.md")


def test_a_shortcode_without_end_stands_alone() -> None:
    _, codes = take_shortcodes("{{< a >}}{{< b >}}x{{< /b >}}{{< c / >}}{{< c >}}y{{< /c >}}")
    assert [(code.name, code.body) for code in codes] == [("a", None), ("b", "x"), ("c", None), ("c", "y")]


def test_private_characters_cannot_forge_a_shortcode() -> None:
    seen: list[Shortcode] = []

    def keep(code: Shortcode, body: Markup) -> str:
        seen.append(code)
        return ""

    Markdown(shortcode=keep).render("\ue0000\ue001 \ue0000\ue001 {{< a >}}")
    assert len(seen) == 1


@settings(max_examples=60)
@given(st.text(alphabet=st.sampled_from("ab<>&\"'`*_[]()!#|-^: \n{}/%=\ue000\ue001é٣"), max_size=80))
def test_no_text_makes_it_fail_or_leak_a_placeholder(text: str) -> None:
    try:
        rendered = Markdown(shortcode=lambda code, body: "x").render(text)
    except ContentError:
        return
    assert "\ue000" not in rendered.html and "<script" not in rendered.html


def test_refused_addresses_are_told() -> None:
    assert Markdown().render("[x](javascript:f) ![y](vbscript:g) <b>z</b>").refused == ("javascript:f", "vbscript:g")


def test_code_blocks_pass_their_hook_unescaped() -> None:
    def highlight(language: str | None, code: str) -> str | None:
        return f"<pre>{language}:{code!r}</pre>" if language != "text" else None

    reader = Markdown(render_code=highlight)
    assert reader.render('```py\na < "b"\n```').html == "<pre>py:'a < \"b\"\\n'</pre>\n"
    assert reader.render("    x\n\n<b>raw</b>").html.startswith("<pre>None:")
    assert reader.render("```text\nx\n```").html == '<pre><code class="language-text">x\n</code></pre>\n'


def test_an_excerpt_is_plain_text_without_headings() -> None:
    assert Markdown().render("# Title\n\nOne *two*\nthree.\n\n- four").excerpt(3) == "One two three…"


def test_a_hostile_text_takes_no_longer_than_its_length_allows() -> None:
    reader = Markdown(shortcode=lambda code, body: "")
    for text in ("{{< " * 5000, '{{< "' * 5000, "# a\n" * 3000, "x[^a]" * 3000 + "\n\n[^a]: b", "<b>" * 3000):
        started = monotonic()
        reader.render(text)
        assert monotonic() - started < 5
