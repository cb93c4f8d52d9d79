"""Whatever the format: valid, stable, and true to the entries."""

from __future__ import annotations

import json
import locale
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta, timezone, tzinfo

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.errors import FeedError, Problems
from toolkit.feeds import (
    Deleted,
    Enclosure,
    Entry,
    FeedInfo,
    Person,
    validate,
    write_atom,
    write_json,
    write_rss,
)

from .conftest import MORNING, other

Write = Callable[[FeedInfo, Iterable[Entry]], bytes]
xml_formats = pytest.mark.parametrize("write", [write_rss, write_atom])
all_formats = pytest.mark.parametrize("write", [write_rss, write_atom, write_json])


@all_formats
def test_a_feed_breaks_no_rule(write: Write, info: FeedInfo, story: Entry) -> None:
    assert validate(write(info, [story, other(story)])) == []


@xml_formats
def test_a_feed_reader_reads_what_was_written(write: Write, info: FeedInfo, story: Entry) -> None:
    feed = feedparser.parse(write(info, [story, other(story)]))
    assert not feed.bozo
    assert feed.feed.title == "The Courier & friends"
    assert feed.feed.link == "https://courier.example/"
    assert feed.feed.language == "en"
    assert {"rel": "self", "href": "https://courier.example/feed.xml"}.items() <= feed.feed.links[
        [link.rel for link in feed.feed.links].index("self")
    ].items()
    first, second = feed.entries
    assert first.title == "Water < 2 m & rising"
    assert first.id == "tag:courier.example,2026:story/41"
    assert first.link == "https://courier.example/news/flood/"
    assert first.published_parsed[:6] == (2026, 2, 28, 23, 0, 0)
    assert first.updated_parsed[:6] == (2026, 3, 1, 8, 0, 30)
    assert [author.name for author in first.authors][:1] == ["Inés Roca"]
    assert [tag.term for tag in first.tags] == ["Weather", "Alder & Bay"]
    assert 'href="https://courier.example/map/"' in first.content[0].value
    assert 'src="https://courier.example/news/flood/f.jpg"' in first.content[0].value
    assert "no()" not in first.content[0].value
    assert first.enclosures[0]["href"] == "https://courier.example/flood.mp3"
    assert first.enclosures[0]["length"] == "1234"
    assert first.where.coordinates == (-3.5, 40.25)
    assert second.title == "Second"


@all_formats
def test_two_runs_give_the_same_bytes_whatever_the_clock_says(
    write: Write, info: FeedInfo, story: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    class AnyDatetime(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, datetime)

    class Earlier(metaclass=AnyDatetime):
        @staticmethod
        def now(zone: tzinfo) -> datetime:
            return datetime(1999, 1, 1, tzinfo=zone)

    before = write(info, [story])
    monkeypatch.setattr("feedgen.feed.datetime", Earlier)
    monkeypatch.setattr("feedgen.entry.datetime", Earlier)
    assert write(info, [story]) == before
    assert b"1999" not in before


@all_formats
def test_the_locale_of_the_process_is_left_alone(
    write: Write, info: FeedInfo, story: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> str:
        raise AssertionError("locale.setlocale was called")

    monkeypatch.setattr(locale, "setlocale", refuse)
    write(info, [story])


@xml_formats
def test_the_feed_is_as_new_as_its_newest_entry(write: Write, info: FeedInfo, story: Entry) -> None:
    newer = other(story, updated=MORNING + timedelta(hours=1))
    assert feedparser.parse(write(info, [story, newer])).feed.updated_parsed[:5] == (2026, 3, 1, 9, 0)


@all_formats
def test_dates_are_written_in_utc(write: Write, info: FeedInfo, story: Entry) -> None:
    bogota = MORNING.astimezone(timezone(timedelta(hours=-5))).replace(microsecond=999)
    assert write(info, [replace(story, updated=bogota)]) == write(info, [story])


@all_formats
def test_an_empty_feed_says_the_date_it_was_given_and_never_the_clocks(write: Write, info: FeedInfo) -> None:
    with pytest.raises(FeedError, match=r"no entries, and no date .* Give FeedInfo\(updated=\.\.\.\)"):
        write(info, [])
    body = write(replace(info, updated=MORNING), [])
    assert validate(body) == []
    assert write is write_json or feedparser.parse(body).feed.updated_parsed[:3] == (2026, 3, 1)


@all_formats
def test_an_id_used_twice_names_both_stories(write: Write, info: FeedInfo, story: Entry) -> None:
    with pytest.raises(FeedError, match=r"two entries have the id .*'Water .*flood/\) and 'Second'"):
        write(info, [story, replace(other(story), id=story.id)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"title": " \x08 "}, "the title is empty"),
        ({"url": "/news/flood/"}, "url '/news/flood/' is not an absolute URL"),
        ({"url": "javascript:alert(1)"}, r"url 'javascript:alert\(1\)' is not an address of the web"),
        ({"id": "41"}, "id '41' is not an absolute URL"),
        ({"updated": datetime(2026, 3, 1)}, "updated is .* without a time zone"),  # noqa: DTZ001  # the mistake under test
        ({"published": "yesterday"}, "published is 'yesterday', without a time zone"),
        ({"language": "Spanish!"}, "language 'Spanish!' is not a language tag"),
        ({"point": (40.25, -103.5)}, r"point \(40.25, -103.5\) is not on Earth"),
        ({"point": (float("nan"), 0.0)}, "is not on Earth"),
        ({"enclosures": (Enclosure("/a.mp3", "audio/mpeg", 1),)}, "an enclosure's url '/a.mp3' is not"),
        ({"enclosures": (Enclosure("https://x.example/a", "mp3", 1),)}, "has the type 'mp3'"),
        ({"enclosures": (Enclosure("https://x.example/a", "audio/mpeg", -1),)}, "has the length -1"),
        ({"authors": (Person("A", url="me"),)}, "an author's url 'me' is not an absolute URL"),
    ],
)
def test_what_no_reader_could_read_is_refused(
    change: dict[str, object], message: str, info: FeedInfo, story: Entry
) -> None:
    for write in (write_rss, write_atom, write_json):
        with pytest.raises(FeedError, match=message) as caught:
            write(info, [replace(story, **change)])
        assert caught.value.url == info.feed_url


def test_all_problems_of_a_feed_are_reported_at_once(info: FeedInfo, story: Entry) -> None:
    with pytest.raises(Problems, match=r"feed.xml has 5 problems") as caught:
        write_rss(replace(info, feed_url="feed.xml"), [story, replace(story, title=""), replace(story, url="x")])
    letters = [str(problem) for problem in caught.value.problems]
    assert sum("is not an absolute URL" in letter for letter in letters) == 2
    assert sum("two entries have the id" in letter for letter in letters) == 2
    assert sum("the title is empty" in letter for letter in letters) == 1


def test_rss_keeps_markup_like_text_as_text(info: FeedInfo, story: Entry) -> None:
    body = write_rss(info, [story]).decode()
    assert "<description>The river is &amp;lt;high&amp;gt; &amp;amp; rising.</description>" in body
    assert feedparser.parse(body).entries[0].summary == "The river is &lt;high&gt; &amp; rising."


def test_rss_has_one_enclosure_and_carries_others_as_media(info: FeedInfo, story: Entry) -> None:
    body = write_rss(info, [story]).decode()
    assert body.count("<enclosure ") == 1
    assert '<media:content url="https://courier.example/flood.pdf" fileSize="99" type="application/pdf"/>' in body
    assert "ines@" not in body


def test_namespaces_are_declared_only_where_they_are_used(info: FeedInfo, story: Entry) -> None:
    plain = write_rss(info, [other(story)]).decode() + write_atom(info, [other(story)]).decode()
    assert not [prefix for prefix in ("dc", "georss", "media", "at") if f"xmlns:{prefix}=" in plain]


def test_atom_links_keep_relation_type_and_length(info: FeedInfo, story: Entry) -> None:
    links = [dict(link) for link in feedparser.parse(write_atom(info, [story])).entries[0].links]
    assert links == [
        {"href": "https://courier.example/news/flood/", "rel": "alternate", "type": "text/html"},
        {
            "href": "https://courier.example/flood.mp3",
            "rel": "enclosure",
            "type": "audio/mpeg",
            "length": "1234",
        },
        {
            "href": "https://courier.example/flood.pdf",
            "rel": "enclosure",
            "type": "application/pdf",
            "length": "99",
        },
    ]


def test_atom_names_the_publication_where_an_entry_has_no_author(info: FeedInfo, story: Entry) -> None:
    assert feedparser.parse(write_atom(info, [other(story)])).feed.author == "The Courier & friends"
    assert "author" not in feedparser.parse(write_atom(info, [story])).feed
    named = replace(info, authors=(Person("Newsdesk"),))
    assert feedparser.parse(write_atom(named, [other(story)])).feed.author == "Newsdesk"


def test_a_withdrawn_story_leaves_a_tombstone(info: FeedInfo, story: Entry) -> None:
    body = write_atom(info, [story], deleted=[Deleted("tag:courier.example,2026:story/9", MORNING)])
    tombstone = '<at:deleted-entry ref="tag:courier.example,2026:story/9" when="2026-03-01T08:00:30+00:00"/>'
    assert tombstone in body.decode()
    assert validate(body) == []
    with pytest.raises(FeedError, match=r"a withdrawn entry: when is .* without a time zone"):
        write_atom(info, [story], deleted=[Deleted("tag:x.example,2026:1", datetime(2026, 1, 1))])  # noqa: DTZ001


def test_options_of_the_feed_are_written(info: FeedInfo, story: Entry) -> None:
    full = replace(
        info,
        description="All the news",
        copyright="© Courier",
        icon="https://courier.example/i.png",
        logo="https://courier.example/l.png",
        ttl_minutes=30,
        hubs=("https://hub.example/",),
        pages=(("next", "https://courier.example/feed-2.xml"),),
        stylesheet_url="/static/feed.xsl?a=1&b=2",
        language="es_MX",
    )
    rss, atom = write_rss(full, [story]).decode(), write_atom(full, [story]).decode()
    for body in (rss, atom):
        assert '<?xml-stylesheet type="text/xsl" href="/static/feed.xsl?a=1&amp;b=2"?>' in body
        assert validate(body.encode()) == []
        links = {link.rel: link.href for link in feedparser.parse(body).feed.links}
        assert links["hub"] == "https://hub.example/"
        assert links["next"] == "https://courier.example/feed-2.xml"
    assert "<ttl>30</ttl>" in rss and "<language>es-MX</language>" in rss
    assert 'xml:lang="es-MX"' in atom and "<icon>https://courier.example/i.png</icon>" in atom
    document = json.loads(write_json(full, [story]))
    assert document["next_url"] == "https://courier.example/feed-2.xml"
    with pytest.raises(FeedError, match=r"'nxt' is not a relation of pages. Did you mean 'next'"):
        write_rss(replace(info, pages=(("nxt", "https://x.example/"),)), [story])


def test_json_feed_has_one_content_always(info: FeedInfo, story: Entry) -> None:
    first, second = json.loads(write_json(info, [story, other(story, summary="")]))["items"]
    assert first["content_html"].startswith("<p>See")
    assert first["_geometry"] == {"type": "Point", "coordinates": [-3.5, 40.25]}
    assert second["content_text"] == "Second"
    assert first["attachments"][1] == {
        "url": "https://courier.example/flood.pdf",
        "mime_type": "application/pdf",
        "size_in_bytes": 99,
    }


@settings(max_examples=60)
@given(title=st.text(), summary=st.text(), content=st.text(), category=st.text())
def test_any_text_gives_a_valid_feed(
    title: str, summary: str, content: str, category: str, info: FeedInfo, story: Entry
) -> None:
    entry = replace(story, title=f"T{title}", summary=summary, content=content, categories=(category,))
    for write in (write_rss, write_atom, write_json):
        assert validate(write(info, [entry])) == []
