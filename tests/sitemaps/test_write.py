from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from toolkit.errors import RouteError
from toolkit.sitemaps import SitemapURL, hreflang_alternates, write_sitemaps

BASE = "https://courier.example"
NS = {
    "s": "http://www.sitemaps.org/schemas/sitemap/0.9",
    "x": "http://www.w3.org/1999/xhtml",
    "i": "http://www.google.com/schemas/sitemap-image/1.1",
}
# sitemap.xsd: the elements of a url, each at most once, in this order; then other namespaces.
ORDER = ["loc", "lastmod", "changefreq", "priority"]
MARCH = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def locs(body: bytes) -> list[str]:
    """The URLs of a sitemap or an index, after checking what its schema checks."""
    root = etree.fromstring(body)
    kind = etree.QName(root).localname
    assert etree.QName(root).namespace == NS["s"]
    assert kind in ("urlset", "sitemapindex")
    for child in root:
        assert child.tag == f"{{{NS['s']}}}{'url' if kind == 'urlset' else 'sitemap'}"
        names = [etree.QName(part).localname for part in child if etree.QName(part).namespace == NS["s"]]
        assert names == [name for name in ORDER if name in names]
        own = [etree.QName(part).namespace == NS["s"] for part in child]
        assert own == sorted(own, reverse=True)
        assert all(loc.text.isascii() and loc.text.startswith("https://") for loc in child.iter("{*}loc"))
    return [loc.text or "" for loc in root.iterfind("*/s:loc", NS)]


def pages(count: int) -> Iterator[SitemapURL]:
    return (SitemapURL(f"{BASE}/news/{number}/", MARCH + timedelta(minutes=number)) for number in range(count))


def test_a_small_site_has_one_file() -> None:
    [(path, body)] = write_sitemaps(pages(3), base_url=BASE)
    assert path == "/sitemap.xml"
    assert locs(body) == [f"{BASE}/news/{number}/" for number in range(3)]


def test_a_large_site_has_parts_and_an_index_after_them() -> None:
    files = list(write_sitemaps(pages(7), base_url=f"{BASE}/", path="/en/sitemap.xml", limit=3))
    assert [path for path, _ in files] == [
        "/en/sitemap-1.xml",
        "/en/sitemap-2.xml",
        "/en/sitemap-3.xml",
        "/en/sitemap.xml",
    ]
    assert [len(locs(body)) for _, body in files] == [3, 3, 1, 3]
    index = etree.fromstring(files[-1][1])
    assert locs(files[-1][1])[0] == f"{BASE}/en/sitemap-1.xml"
    assert [lastmod.text for lastmod in index.iterfind("*/s:lastmod", NS)] == [
        "2026-03-01T08:02:00+00:00",
        "2026-03-01T08:05:00+00:00",
        "2026-03-01T08:06:00+00:00",
    ]


def test_exactly_the_limit_needs_no_index() -> None:
    assert [path for path, _ in write_sitemaps(pages(3), base_url=BASE, limit=3)] == ["/sitemap.xml"]


def test_files_are_split_by_bytes_too() -> None:
    files = list(write_sitemaps(pages(200), base_url=BASE, max_bytes=4096))
    assert len(files) > 3
    assert all(len(body) <= 4096 for _, body in files)
    assert sum(len(locs(body)) for _, body in files[:-1]) == 200


def test_a_hundred_and_twenty_thousand_urls_make_three_parts() -> None:
    urls = (SitemapURL(f"{BASE}/{number}/") for number in range(120_001))
    sizes = {path: body.count(b"<loc>") for path, body in write_sitemaps(urls, base_url=BASE)}
    assert sizes == {
        "/sitemap-1.xml": 50_000,
        "/sitemap-2.xml": 50_000,
        "/sitemap-3.xml": 20_001,
        "/sitemap.xml": 3,
    }


def test_files_are_handed_out_before_all_urls_are_read() -> None:
    read: list[int] = []

    def watched() -> Iterator[SitemapURL]:
        for number, url in enumerate(pages(100)):
            read.append(number)
            yield url

    first = next(write_sitemaps(watched(), base_url=BASE, limit=10))
    assert first[0] == "/sitemap-1.xml"
    assert len(read) == 11


def test_a_url_says_all_it_knows() -> None:
    url = SitemapURL(
        f"{BASE}/n/?a=1&b=2",
        MARCH.astimezone(timezone(timedelta(hours=-5))),
        hreflang_alternates({"en": f"{BASE}/n/", "es_MX": f"{BASE}/es/ñ/"}, default="en"),
        (f"{BASE}/a.jpg",),
        changefreq="daily",
        priority=0.75,
    )
    [(_, body)] = write_sitemaps([url], base_url=BASE)
    assert locs(body) == [f"{BASE}/n/?a=1&b=2"]
    root = etree.fromstring(body)
    assert root.findtext("*/s:lastmod", None, NS) == "2026-03-01T08:00:00+00:00"
    assert root.findtext("*/s:priority", None, NS) == "0.8"
    assert root.findtext("*/i:image/i:loc", None, NS) == f"{BASE}/a.jpg"
    links = [dict(link.attrib) for link in root.iterfind("*/x:link", NS)]
    assert links == [
        {"rel": "alternate", "hreflang": "en", "href": f"{BASE}/n/"},
        {"rel": "alternate", "hreflang": "es-MX", "href": f"{BASE}/es/%C3%B1/"},
        {"rel": "alternate", "hreflang": "x-default", "href": f"{BASE}/n/"},
    ]


def test_lastmod_may_be_a_day_or_missing_but_never_the_clock() -> None:
    [(_, body)] = write_sitemaps([SitemapURL(f"{BASE}/a/", date(2026, 3, 1)), SitemapURL(f"{BASE}/b/")], base_url=BASE)
    assert body.count(b"<lastmod>") == 1
    assert b"<lastmod>2026-03-01</lastmod>" in body


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (SitemapURL("/news/"), "loc '/news/' is not absolute. Set base_url"),
        (SitemapURL("mailto:desk@courier.example"), "is not absolute"),
        (SitemapURL("https://[bad/"), "is not absolute"),
        (SitemapURL(f"{BASE}/{'x' * 2048}"), "a sitemap allows 2047"),
        (SitemapURL(f"{BASE}/", datetime(2026, 3, 1)), "has no time zone"),  # noqa: DTZ001  # the mistake under test
        (SitemapURL(f"{BASE}/", alternates=(("es", "/es/"),)), "alternate es '/es/' is not absolute"),
        (SitemapURL(f"{BASE}/", images=("a.jpg",)), "image 'a.jpg' is not absolute"),
    ],
)
def test_a_url_that_engines_would_refuse_is_named(url: SitemapURL, message: str) -> None:
    with pytest.raises(RouteError, match=message) as caught:
        list(write_sitemaps([url], base_url=BASE))
    assert caught.value.url == url.loc


def test_a_url_listed_twice_is_named() -> None:
    with pytest.raises(RouteError, match=r"courier.example/a/: this URL is listed twice"):
        list(write_sitemaps([SitemapURL(f"{BASE}/a/")] * 2, base_url=BASE))


def test_a_site_without_pages_still_has_the_file_that_robots_names() -> None:
    [(path, body)] = write_sitemaps([], base_url=BASE)
    assert path == "/sitemap.xml"
    assert locs(body) == []


def test_editions_are_linked_only_where_there_are_several() -> None:
    assert hreflang_alternates({"en": "https://x.example/"}, default="en") == ()
    assert hreflang_alternates({"es": "https://x.example/es/", "ar": "https://x.example/ar/"}, default="en") == (
        ("es", "https://x.example/es/"),
        ("ar", "https://x.example/ar/"),
    )


paths = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=50)
@given(st.lists(paths, unique=True, max_size=8), st.integers(1, 4), st.integers(1500, 6000))
def test_splitting_loses_nothing_and_keeps_every_limit(names: list[str], limit: int, max_bytes: int) -> None:
    urls = [
        SitemapURL(f"{BASE}/{number}/{name}", MARCH, images=(f"{BASE}/{name}",)) for number, name in enumerate(names)
    ]
    files = list(write_sitemaps(urls, base_url=BASE, limit=limit, max_bytes=max_bytes))
    parts = files[:-1] if len(files) > 1 else files
    listed = [loc for _, body in parts for loc in locs(body)]
    assert len(listed) == len(urls)
    assert all(len(body) <= max_bytes and len(locs(body)) <= limit for _, body in parts)
    assert files == list(write_sitemaps(iter(urls), base_url=BASE, limit=limit, max_bytes=max_bytes))
