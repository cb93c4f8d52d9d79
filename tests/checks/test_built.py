"""Checks of built pages: each finds its fault on the page that has it, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.builder import Builder
from toolkit.checks import CHECKS, CheckReport, Wanted, check_site
from toolkit.checks.documents import read_document, srcset_urls
from toolkit.checks.inline import css_urls

from .conftest import BASE, FILES, found, with_body

Check = Callable[..., CheckReport]


def letter_of(report: CheckReport, check: str) -> str:
    """The letter of the only finding, which must be of this check."""
    assert [finding.id for finding in report.findings] == [check], found(report)
    return str(report.findings[0])


def test_a_broken_link_names_the_page_and_what_was_meant(check: Check) -> None:
    letter = letter_of(check(with_body("<h1>A</h1><a href='/storys/flood/'>x</a>")), "links.broken")
    told = r"/: the link to /storys/flood/ leads to nothing \(line \d+ of the page; see .*/home.html:\d\) "
    assert re.match(told + r"\(and on 1 more page\). Did you mean /stories/flood/", letter)


def test_a_broken_link_in_a_header_is_told_once_with_the_number_of_pages(check: Check) -> None:
    report = check({"templates/base.html": BASE.replace("/search/?q=x", "/serch/?q=x")})
    told = r"the link to /serch/ leads to nothing \(line \d+ of the page; see .*/base.html:8\) \(and on \d more pages\)"
    assert re.match(f"/.*: {told}", letter_of(report, "links.broken"))


def test_relative_and_absolute_links_to_the_site_are_followed_too(check: Check) -> None:
    report = check(with_body("<h1>A</h1><a href='nowhere/'>x</a><a href='https://bay.example/gone/'>y</a>"))
    assert [letter.partition(" (")[0] for _, letter in found(report)] == [
        "/: the link to /nowhere/ leads to nothing",
        "/: the link to /gone/ leads to nothing",
        "/es/: the link to /es/nowhere/ leads to nothing",
    ]


def test_a_redirect_may_lead_to_another_site_a_view_a_query_or_a_fragment(check: Check) -> None:
    rows = ["https://shop.example/?a=1&b=2", "/search/?q=x&page=2", "/stories/flood/?from=old", "/stories/flood/#main"]
    lines = "".join(f"/old-{number}/,{target},301\n" for number, target in enumerate(rows))
    assert found(check({"redirects.csv": f"from,to,status\n{lines}"})) == []
    letter = letter_of(check({"redirects.csv": "from,to,status\n/old/,/nowhere/?a=1,301\n"}), "links.broken")
    assert letter.startswith("/old/: the redirect to /nowhere/?a=1 leads to nothing")


def test_a_fragment_must_be_an_id_of_the_page_it_leads_to(check: Check) -> None:
    body = "<h1>A</h1><a href='/stories/flood/#mian'>x</a><a href='#top'>y</a><a href='#:~:text=A'>z</a>"
    letter = letter_of(check(with_body(body)), "links.fragment")
    assert "/stories/flood/#mian: that page has no id 'mian'" in letter
    assert "Did you mean #main?" in letter


@pytest.mark.parametrize(
    ("name", "fragment"),
    [("a%20b", "a%20b"), ("été", "%C3%A9t%C3%A9"), ("été", "été"), ("100%", "100%"), ("%C3%A9", "é")],
)
def test_a_fragment_means_the_id_that_is_written_so_encoded_or_decoded(check: Check, name: str, fragment: str) -> None:
    own = f"<h1 id='{name}'>A</h1><a href='#{fragment}'>x</a>"
    files = {"content/flood.md": f"---\ntitle: The flood\npublished: 2026-01-01\n---\n\n[Home](/#{fragment})\n"}
    assert found(check({**with_body(own), **files})) == []


def test_an_id_is_no_other_attribute_that_ends_so(check: Check) -> None:
    files = {"content/flood.md": "---\ntitle: The flood\npublished: 2026-01-01\n---\n\n[Home](/#there)\n"}
    report = check({**with_body('<h1 data-id="there">A</h1>'), **files})
    assert "/#there: that page has no id 'there'" in letter_of(report, "links.fragment")


def test_a_template_s_tag_in_a_link_is_told_as_what_it_is(check: Check) -> None:
    body = "<h1>A</h1><a href='{% raw %}{{ site.baseurl }}/x{% endraw %}'>x</a>"
    letter = found(check(with_body(body)))[0][1]
    assert "'{{ site.baseurl }}/x' looks like a template's tag that nobody rendered" in letter


@pytest.mark.parametrize(
    ("url", "hint"),
    [("www.elsewhere.example/x", "Write https://www.elsewhere.example/x."), ("None", "a value that was not there")],
)
def test_a_link_that_is_no_link_says_what_it_looks_like(check: Check, url: str, hint: str) -> None:
    assert hint in found(check(with_body(f"<h1>A</h1><a href='{url}'>x</a>")))[0][1]


def test_a_link_without_its_slash_is_a_warning(check: Check) -> None:
    report = check(with_body("<h1>A</h1><a href='/stories/flood'>x</a>"))
    assert "Link to /stories/flood/ itself" in letter_of(report, "links.redirected")
    assert report.is_good


@pytest.mark.parametrize(
    "tag",
    [
        "<img src='/static/nothing.png' alt='' width=1 height=1>",
        "<img src='/favicon.ico' srcset='/static/nothing.png 2x' alt='' width=1 height=1>",
        "<script src='/static/nothing.png'></script>",
        "<svg><use href='/static/nothing.png#a'/></svg>",
        "<video poster='/static/nothing.png'></video>",
    ],
)
def test_whatever_a_page_needs_must_be_there(check: Check, tag: str) -> None:
    letter = letter_of(check(with_body(f"<h1>A</h1>{tag}")), "assets.missing")
    assert "needs /static/nothing.png, which is not there" in letter


@pytest.mark.parametrize(
    "tag",
    [
        "<meta http-equiv=refresh content='5; url=/nothing/'>",
        '<meta http-equiv="Refresh" content="0;URL=\'/nothing/\'">',
        "<form action='/stories/flood/'><button formaction='/nothing/'>x</button></form>",
    ],
)
def test_wherever_a_page_leads_must_be_there(check: Check, tag: str) -> None:
    letter = letter_of(check(with_body(f"<h1>A</h1>{tag}")), "links.broken")
    assert "the link to /nothing/ leads to nothing" in letter


def test_a_page_that_loads_itself_anew_leads_nowhere(check: Check) -> None:
    assert found(check(with_body("<h1>A</h1><meta http-equiv=refresh content=300>"))) == []


def test_what_a_stylesheet_needs_must_be_there(check: Check) -> None:
    report = check({"static/site.css": "main { background: url('/static/nothing.png') }"})
    assert not report.is_good
    assert "nothing.png" in found(report)[0][1]


@pytest.mark.parametrize(
    ("before", "after", "check_id", "says"),
    [
        ('lang="{{ page.locale }}"', 'lang="en"', "html.lang", "says lang=\"en\", and the page is in 'es'"),
        (' lang="{{ page.locale }}"', "", "html.lang", "has no lang"),
        ('dir="{{ page.direction }}"', 'dir="rtl"', "html.dir", "says dir=\"rtl\", and 'en' runs ltr"),
        ("<title>{% block title %}{{ site.title }}{% endblock %}</title>", "", "html.title", "the page has no title"),
        ("</nav>", "</nav><img src='/favicon.ico'>", "html.alt", "the image /favicon.ico has no alt"),
        ("</nav>", "</nav><p id=main>", "html.ids", "the id 'main' stands twice"),
        ("</nav>", "</div></nav>", "html.syntax", "</div> closes nothing that is open"),
    ],
)  # fmt: skip
def test_every_page_must_say_what_it_is(check: Check, before: str, after: str, check_id: str, says: str) -> None:
    report = check({"templates/base.html": BASE.replace(before, after)})
    letters = [str(finding) for finding in report.findings if finding.id == check_id]
    assert letters, found(report)
    assert says in letters[0]


def test_a_right_to_left_page_must_say_so(check: Check) -> None:
    report = check({"templates/base.html": BASE.replace(' dir="{{ page.direction }}"', "")}, settings="")
    assert found(report) == [], "left to right is the default"


def test_a_canonical_url_must_be_the_page_s_own(check: Check) -> None:
    base = BASE.replace("{{ page.head }}", "<link rel=canonical href='https://bay.example/nowhere/'>")
    report = check({"templates/base.html": base})
    letters = [str(finding) for finding in report.findings if finding.id == "canonical.wrong"]
    assert "/: the canonical URL is https://bay.example/nowhere/, not https://bay.example/" in letters


def test_a_page_without_canonical_url_is_a_warning(check: Check) -> None:
    report = check({"templates/base.html": BASE.replace("{{ page.head }}", "")})
    assert {finding.id for finding in report.findings} == {"canonical.missing", "hreflang.missing"}
    assert report.is_good


@pytest.mark.parametrize(
    ("links", "check_id", "says"),
    [
        ("<link rel=alternate hreflang=es href='https://bay.example/es/gone/'>", "hreflang.broken", "does not exist"),
        ("<link rel=alternate hreflang=es href='/es/'>", "hreflang.broken", "is not an absolute URL"),
        ("<link rel=alternate hreflang=fr href='https://bay.example/es/'>", "hreflang.language", "and is in 'es'"),
        (
            "<link rel=alternate hreflang=es href='https://bay.example/es/stories/flood/'>",
            "hreflang.one-way",
            "does not name it",
        ),
    ],
)  # fmt: skip
def test_editions_must_exist_and_name_each_other(check: Check, links: str, check_id: str, says: str) -> None:
    head = f"{{% if page.url == '/' %}}{links}{{% endif %}}"
    report = check({"templates/base.html": BASE.replace("{{ page.head }}", head)})
    letters = [str(finding) for finding in report.findings if finding.id == check_id]
    assert letters, found(report)
    assert says in letters[0]


def test_a_page_that_robots_may_not_index_is_left_out_of_the_sitemap(check: Check) -> None:
    body = {"templates/story.html": FILES["templates/story.html"]}
    base = BASE.replace(
        "{{ page.head }}", "{{ page.head }}{% if story is defined %}<meta name=robots content=noindex>{% endif %}"
    )
    report = check({"templates/base.html": base, **body})
    assert {finding.id for finding in report.findings} == {"sitemap.extra"}
    assert "which tells robots not to index it" in found(report)[0][1]


def test_a_broken_feed_and_sitemap_in_the_output_are_found(make_site: Any) -> None:
    site = make_site()
    output = Path(Builder(site, workers=1).build().output)
    (output / "feed.xml").write_text("<rss><channel></rss>")
    (output / "sitemap.xml").write_text("<urlset/>")
    (output / "404.html").unlink()
    report = check_site(site, Wanted(built=True))
    checks = [check for check, _ in found(report)]
    assert checks.count("files.changed") == 3
    assert "feeds.invalid" in checks
    assert "sitemap.invalid" in checks
    assert "sitemap.missing" in checks


def test_a_build_that_is_not_there_cannot_be_looked_at(make_site: Any) -> None:
    report = check_site(make_site(), Wanted(built=True))
    assert re.search(r"build was not built yet. Run: toolkit build", found(report)[-1][1])


def test_files_that_differ_by_case_only_are_found(make_site: Any) -> None:
    site = make_site()
    output = Path(Builder(site, workers=1).build().output)
    (output / "FEED.xml").write_text("a stranger's")
    letters = [letter for check, letter in found(check_site(site, Wanted(built=True))) if check == "files.case"]
    assert "FEED.xml and feed.xml are one file" in letters[0]


def test_every_check_has_a_severity_and_says_what_it_finds() -> None:
    for name, check in CHECKS.items():
        assert re.fullmatch(r"[a-z]+\.[a-z-]+", name)
        assert check.severity in ("error", "warning")
        assert check.finds
        assert check.mend


@pytest.mark.parametrize(
    ("value", "urls"),
    [
        ("a.png", ["a.png"]),
        ("a.png 1x, b.png 2x", ["a.png", "b.png"]),
        ("a.png,\n b,c.png 200w", ["a.png", "b,c.png"]),
        ("data:image/png;base64,AAAA 1x, b.png", ["data:image/png;base64,AAAA", "b.png"]),
        (" , ", []),
    ],
)
def test_the_urls_of_a_srcset(value: str, urls: list[str]) -> None:
    assert srcset_urls(value) == urls


def test_the_urls_of_a_stylesheet() -> None:
    text = "@import 'a.css'; /* url(no.png) */ a { src: url( b.woff2 ), url(\"c d.png\") } @import url('e.css');"
    assert css_urls(text) == ["a.css", "b.woff2", "c d.png", "e.css"]


def test_a_url_in_a_text_or_of_a_namespace_is_none() -> None:
    text = "@namespace svg url(http://www.w3.org/2000/svg); a::after { content: 'url(no.png)' }"
    assert css_urls(text + "/*# sourceMappingURL=a.map */ b { background: image-set('b.avif' 1x) }") == ["b.avif"]


def test_what_stands_in_a_template_is_a_document_of_its_own() -> None:
    body = (
        b"<!doctype html><p id=a></p><template><p id=a></p><img src='{{ photo }}'><a href='{{ url }}'></a></template>"
    )
    document = read_document(body, url="/", path="index.html")
    assert (document.repeated, document.references, document.faults, document.mistakes) == ([], [], [], [])


def test_styles_in_the_page_name_what_it_needs() -> None:
    body = b"<style>@import 'a.css'; b { mask: url(#m) }</style><p style='background: url(&quot;b c.png&quot;)'>"
    document = read_document(body, url="/", path="index.html")
    assert [(one.url, one.kind) for one in document.references] == [("a.css", "resource"), ("b c.png", "resource")]


def test_scripts_in_the_page_name_what_they_import() -> None:
    body = b"""<script type=module>import a from "./a.js"; import lit from "lit"; f(() => import("/b.js"))</script>
        <script type=importmap>{"imports": {"lit": "/lit.js", "all/": "/all/"}, "scopes": {"/x/": {"y": "/y.js"}}}
        </script><script type=importmap>[]</script><script type=importmap>{</script>
        <script src=/c.js>import "./no.js"</script><script type="text/template">import "./no.js"</script>
        <script>const s = 'import "./no.js"'</script>"""
    document = read_document(body, url="/", path="index.html")
    assert {one.url for one in document.references} == {"./a.js", "/b.js", "/lit.js", "/y.js", "/c.js"}


def test_urls_are_relative_to_what_base_says(check: Check) -> None:
    head = {"templates/base.html": BASE.replace("<head>", "<head><base href='/stories/'>")}
    good = (
        "<h1>A</h1><a href='flood/'>x</a><a href='flood/#main'>y</a><img src='../favicon.ico' alt='' width=1 height=1>"
    )
    assert found(check({**head, **with_body(good)})) == []
    report = check({**head, **with_body("<h1>A</h1><a href='stories/flood/'>x</a><a href='http://[::1'>y</a>")})
    assert sorted(one.message for one in report.findings) == [
        "the link to /stories/stories/flood/ leads to nothing", "the link to http://[::1 leads to nothing",
    ]  # fmt: skip


def test_an_empty_file_is_a_document_without_anything() -> None:
    document = read_document(b"", url="/", path="index.html")
    assert (document.titles, document.references, document.language) == ([], [], "")
