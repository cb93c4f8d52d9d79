"""Real posts that nobody tidied become a whole site, and only what an edit touches is rendered again.

The posts' own links are not looked at: they lead to files that were never part of the corpus, or hold template tags
of another generator (``{{site.baseurl}}``). Everything else in the pages is the toolkit's or the site's.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import feedparser
import html5lib
import pytest
import yaml

from toolkit.text import slugify

from .conftest import OLD, Builds

BASE = "https://corpus.example"
ZONE = ZoneInfo("America/New_York")
BODY = re.compile(r"<!-- body -->.*?<!-- /body -->", re.DOTALL)
LINK = re.compile(r'(?:href|src)="([^"]+)"')
MATTER = re.compile(r"---[ \t]*\n(.*?)\n---[ \t]*\n", re.DOTALL)
KINDS = {
    "story": r"posts/[^/]+/index\.html",
    "tag": r"tags/[^/]+(/page/\d+)?/index\.html",
    "author": r"authors/[^/]+(/page/\d+)?/index\.html",
    "month": r"archive/\d{4}/\d\d(/page/\d+)?/index\.html",
    "overview": r"(tags|authors|archive)/index\.html",
    "feed": r"(tags/[^/]+/)?feed\.(xml|atom)",
    "home": r"index\.html",
    "sitemap": r"sitemap\.xml",
}


@cache
def front_matter(path: Path) -> dict[str, Any]:
    """What a post says, read without the toolkit."""
    matter = MATTER.match(path.read_text(encoding="utf-8").replace("\r\n", "\n"))
    assert matter is not None
    found: dict[str, Any] = yaml.safe_load(re.sub(r"[ \t]+$", "", matter[1], flags=re.MULTILINE))
    return found


def month_of(path: Path) -> str:
    """The month in UTC in which a post was published."""
    given = front_matter(path).get("date") or "-".join(part.zfill(2) for part in path.name.split("-")[:3])
    moment = datetime.fromisoformat(str(given))
    return f"{moment.astimezone(UTC) if moment.tzinfo else moment:%Y-%m}"


def named(posts: list[Path], key: str) -> Counter[str]:
    """Slug to the number of posts that name it."""
    return Counter(slug for path in posts for slug in {slugify(str(text)) for text in front_matter(path)[key] or ()})


def numbered(counts: Counter[str]) -> int:
    """Pages of stable listings with fifty stories each: the first has up to 99."""
    return sum(max(count // 50, 1) for count in counts.values())


def pages(builds: Builds) -> dict[str, str]:
    return {path: body.decode() for path, body in builds.files.items() if path.endswith(".html")}


def url_of(path: str) -> str:
    return "/" + path.removesuffix("index.html")


def test_every_kind_of_page_is_there_as_often_as_it_should_be(builds: Builds) -> None:
    tags, authors = named(builds.posts, "tags"), named(builds.posts, "authors")
    months = Counter(map(month_of, builds.posts))
    kinds = Counter(
        next((kind for kind, pattern in KINDS.items() if re.fullmatch(pattern, path)), path) for path in builds.files
    )
    assert kinds == {
        "story": len(builds.posts),
        "tag": numbered(tags),
        "author": numbered(authors),
        "month": numbered(months),
        "overview": 3,
        "feed": 2 + 2 * len(tags),
        "home": 1,
        "sitemap": 1,
    }
    assert builds.first.said["pages"] == builds.first.said["rendered"] == len(builds.files)


def test_every_page_is_html_that_a_strict_parser_accepts(builds: Builds) -> None:
    """The posts' bodies too: their raw HTML was closed and cleaned on the way."""
    for path, text in pages(builds).items():
        try:
            html5lib.HTMLParser(strict=True).parse(text)
        except html5lib.html5parser.ParseError as error:
            pytest.fail(f"{path}: {error}")


def test_every_link_of_our_own_leads_to_a_file(builds: Builds) -> None:
    there = {url_of(path) for path in builds.files}
    dead = {
        (path, link)
        for path, text in pages(builds).items()
        for link in LINK.findall(BODY.sub("", text))
        if link.removeprefix(BASE).startswith("/") and urlsplit(link.removeprefix(BASE)).path not in there
    }
    assert not dead


def test_feeds_parse_without_complaint_and_have_entries(builds: Builds) -> None:
    feeds = {path: body for path, body in builds.files.items() if path.endswith((".xml", ".atom")) and "feed." in path}
    for path, body in feeds.items():
        read = feedparser.parse(body, sanitize_html=False, resolve_relative_uris=False)
        assert not read.bozo, f"{path}: {read.get('bozo_exception')}"
        assert 1 <= len(read.entries) <= 20, path
        assert all(entry.link.startswith(f"{BASE}/posts/") and entry.id and entry.title for entry in read.entries), path


def test_the_sitemap_has_exactly_the_pages(builds: Builds) -> None:
    listed = re.findall(r"<loc>([^<]+)</loc>", builds.files["sitemap.xml"].decode())
    assert sorted(listed) == sorted(BASE + url_of(path) for path in pages(builds))


def test_a_second_build_renders_and_writes_nothing(builds: Builds) -> None:
    assert builds.again.said["events"] == []


def test_an_edit_of_one_body_renders_one_page(builds: Builds) -> None:
    assert builds.body.of("rendered") == [f"/posts/{OLD.removesuffix('.md')}/"]
    assert builds.body.of("written") == [f"posts/{OLD.removesuffix('.md')}/index.html"]


def test_a_story_with_another_tag_renders_what_shows_it_and_no_more(builds: Builds) -> None:
    """The story, both tags, the feeds of one of them, and stories that had it beside theirs by that tag."""
    rendered, written = builds.retagged.of("rendered"), builds.retagged.of("written")
    assert written == sorted(url.removeprefix("/") + "index.html" * url.endswith("/") for url in rendered)
    assert {f"/posts/{OLD.removesuffix('.md')}/", "/tags/api/", "/tags/api/feed.xml", "/tags/open-data/"} <= {*rendered}
    rest = {url for url in rendered if not url.startswith(("/tags/api/", "/tags/open-data/"))}
    changed = {url for url in rest if OLD.removesuffix(".md") in builds.files[f"{url[1:]}index.html"].decode()}
    assert rest == changed


def test_incremental_builds_end_as_a_clean_one_does_elsewhere(builds: Builds) -> None:
    assert builds.incremental.keys() == builds.clean.keys()
    assert [path for path, body in builds.incremental.items() if body != builds.clean[path]] == []


def test_posts_that_give_no_date_take_that_of_their_file(builds: Builds) -> None:
    undated = [path for path in builds.posts if "date" not in front_matter(path)]
    assert len(undated) > 50
    for path in undated:
        page = builds.files[f"posts/{path.stem.replace('.', '-')}/index.html"].decode()
        begun = datetime.fromisoformat(path.name[:10]).replace(tzinfo=ZONE).astimezone(UTC)
        assert f'<time datetime="{begun.isoformat()}">' in page, "the day begins in the blog's time zone"
