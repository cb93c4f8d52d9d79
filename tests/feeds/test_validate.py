"""Each rule is seen to be broken by a feed that breaks it, and by nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from toolkit.feeds import Entry, FeedInfo, validate, write_atom, write_json, write_rss


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("<title>Water &lt; 2 m &amp; rising</title>", "", "must have one <title>, it has 0"),
        ("<id>tag:courier.example,2026:story/41</id>", "<id>41</id>", "id '41' is not an absolute URL"),
        ('rel="self"', 'rel="via"', "no link with rel=self"),
        ("08:00:30+00:00</updated>\n  <link", "08:00:30</updated>\n  <link", "not a date of RFC 3339"),
        ('href="https://courier.example/news/flood/"', 'href="/news/flood/"', "is not an absolute URL"),
        ("https://courier.example/map/", "/map/", "the content has the relative link '/map/'"),
        ('type="html"', 'type="CDATA"', "content has the type 'CDATA'"),
        ("<name>Inés Roca</name>", "", "author must have one <name>, it has 0"),
        ('term="Weather"', 'label="Weather"', "category has no term"),
        ("</published>", "</published><published>2026</published>", "may have one <published>, it has 2"),
        ("<summary>", "<pubDate/><summary>", "<pubDate> is no element of an Atom entry"),
        ("<summary>", '<x xmlns="urn:mine"/><summary>', "namespace 'urn:mine'"),
        ('length="1234"', 'length="big"', "not a number of bytes"),
        ('xml:lang="en"', 'xml:lang="English language"', "is not a language tag"),
        ("</feed>", "<feed>", "this is not XML"),
    ],
)  # fmt: skip
def test_broken_atom_is_found(old: str, new: str, problem: str, info: FeedInfo, story: Entry) -> None:
    good = write_atom(info, [story]).decode()
    broken = good.replace(old, new, 1)
    assert broken != good
    problems = validate(broken.encode())
    assert any(problem in found for found in problems), problems
    assert all(found.startswith("line ") for found in problems)


def test_two_atom_entries_with_one_id_are_found(info: FeedInfo, story: Entry) -> None:
    body = write_atom(info, [story]).decode()
    start, end = body.index("<entry"), body.index("</feed>")
    twice = body[:end] + body[start:end] + "</feed>"
    assert [line for line in validate(twice.encode()) if "is used before" in line]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('version="2.0"', 'version="0.92"', "version '0.92'"),
        ("<title>The Courier &amp; friends</title>", "", "the channel has no <title>"),
        ('rel="self"', 'rel="via"', "no atom:link with rel=self"),
        ("Sat, 28 Feb 2026", "Sun, 28 Feb 2026", "not a date of RFC 822"),
        ("Sat, 28 Feb 2026 23:00:00 +0000", "2026-02-28", "not a date of RFC 822"),
        ('<guid isPermaLink="false">tag:courier.example,2026:story/41</guid>', "", "has no guid"),
        ('<guid isPermaLink="false">tag:courier.example,2026:story/41', "<guid>41", "guid '41' is no URL"),
        ("https://courier.example/map/", "/map/", "the content has the relative link '/map/'"),
        ('length="1234"', "", "enclosure has the length None"),
        ("</pubDate>", "</pubDate><author>Inés</author>", "author 'Inés' is not an e-mail address"),
        ("<pubDate>", "<enclosure url='https://x/' length='1' type='a/b'/><pubDate>", "one <enclosure>"),
        ("<pubDate>", "<updated>2026</updated><pubDate>", "<updated> is no element of an RSS item"),
        ("<pubDate>", '<x xmlns="urn:mine"/><pubDate>', "namespace 'urn:mine'"),
        ("<language>en</language>", "<language>in English</language>", "is not a language tag"),
        ("<rss ", "<!DOCTYPE rss [<!ENTITY a 'b'>]>\n<rss ", "no document type"),
        ("<rss ", "\x08<rss ", "this is not XML"),
    ],
)  # fmt: skip
def test_broken_rss_is_found(old: str, new: str, problem: str, info: FeedInfo, story: Entry) -> None:
    good = write_rss(info, [story]).decode()
    broken = good.replace(old, new, 1)
    assert broken != good
    problems = validate(broken.encode())
    assert any(problem in found for found in problems), problems


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"version": "2"}, "version '2'"),
        ({"title": ""}, "the title is missing"),
        ({"feed_url": None}, "no feed_url"),
        ({"items": {}}, "items must be a list"),
        ({"home_page_url": "/"}, "home_page_url '/' is not an absolute URL"),
        ({"items": [{"id": 1, "content_text": ""}]}, "item 1: the id is missing or no text"),
        ({"items": [{"id": "a"}]}, "neither content_html nor content_text"),
        ({"items": [{"id": "a", "content_html": "<img src=x>"}]}, "relative link 'x'"),
        ({"items": [{"id": "a", "content_text": "", "date_published": "today"}]}, "not a date of RFC 3339"),
        ({"items": [{"id": "a", "content_text": ""}] * 2}, "is used before"),
        ({"items": ["a"]}, "an item is an object"),
    ],
)
def test_broken_json_is_found(change: dict[str, Any], problem: str, info: FeedInfo, story: Entry) -> None:
    document = json.loads(write_json(info, [story])) | change
    problems = validate(json.dumps(document).encode())
    assert any(problem in found for found in problems), problems


@pytest.mark.parametrize("body", [b"", b"<html/>", b"{", b"[]", b"plain", b"\xff\xfe"])
def test_what_is_no_feed_is_said_to_be_none(body: bytes) -> None:
    assert len(validate(body)) == 1


def test_entities_are_not_expanded() -> None:
    bomb = "<!DOCTYPE rss [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><rss><channel>&b;</channel></rss>"
    assert any("no document type" in problem for problem in validate(bomb.encode()))
