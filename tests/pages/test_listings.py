"""Listings: which items stand on which page, what a page depends on, and where its neighbours are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import NoSuchPage, NotFound
from toolkit.pages.listings import Listing, count_pages, pages_for
from toolkit.pages.routes import Route
from toolkit.pages.urls import url_for


def route(per_page: int, *, stable: bool) -> Route:
    return Route("list", "press", "listing", "/list/", None, per_page=per_page, stable=stable)


def pages_of(items: Any, per_page: int, *, stable: bool) -> list[Listing]:
    declared = route(per_page, stable=stable)
    count = max(count_pages(items, declared), 1)

    def url_of(number: int) -> str | None:
        return declared.page_url("/list/", number) if number <= count else None

    return [
        Listing(items, declared, number=number, url_of=url_of, pages_of=lambda: count) for number in range(1, count + 1)
    ]


def follow(pages: list[Listing]) -> list[Listing]:
    """The pages in the order in which a reader finds them, from the first on."""
    of = {page._url_of(page._number): page for page in pages}
    found = [pages[0]]
    while (url := found[-1].next_url) is not None:
        found.append(of[url])
    return found


sizes = st.integers(1, 7)
stability = st.booleans()


@given(st.integers(0, 60), sizes, stability)
def test_a_reader_who_follows_the_pages_sees_every_item_once_in_order(total: int, size: int, stable: bool) -> None:
    items = list(range(total))
    pages = follow(pages_of(items, size, stable=stable))
    assert [item for page in pages for item in page.items] == items
    assert len(pages) == pages[0].pages == max(pages_for(total, route(size, stable=stable)), 1)


@given(st.integers(0, 60), sizes, stability)
def test_the_way_back_is_the_way_there(total: int, size: int, stable: bool) -> None:
    pages = follow(pages_of(list(range(total)), size, stable=stable))
    urls = [page._url_of(page._number) for page in pages]
    assert [page.previous_url for page in pages] == [None, *urls[:-1]]
    assert [url for _, url, _ in pages[0].page_urls] == urls
    assert [here for _, _, here in pages[-1].page_urls] == [False] * (len(urls) - 1) + [True]
    assert [number for number, _, _ in pages[0].page_urls] == [page.number for page in pages]


@given(st.integers(0, 60), sizes)
def test_new_items_leave_the_pages_of_a_stable_listing_as_they_were(total: int, size: int) -> None:
    before = pages_of(list(range(total)), size, stable=True)
    after = pages_of(["new", *range(total)], size, stable=True)
    kept = len(before) - 1
    assert [page.items for page in after[1 : kept + 1]] == [page.items for page in before[1:]]
    assert [page.next_url for page in after[1 : kept + 1]] == [page.next_url for page in before[1:]]
    assert len(after) - len(before) in (0, 1)


@given(st.integers(0, 60), sizes)
def test_the_first_page_of_a_stable_listing_is_neither_short_nor_long(total: int, size: int) -> None:
    first, *others = pages_of(list(range(total)), size, stable=True)
    assert len(first.items) == total or size <= len(first.items) < 2 * size
    assert all(len(page.items) == size for page in others)


def test_numbers_as_readers_see_them() -> None:
    stable = pages_of(list(range(7)), 2, stable=True)
    assert [(page.number, page.is_first) for page in stable] == [(3, True), (1, False), (2, False)]
    plain = pages_of(list(range(7)), 2, stable=False)
    assert [page.number for page in plain] == [1, 2, 3, 4]
    assert [page.first_url for page in plain] == ["/list/"] * 4


PAGES = (
    '@app.listing("/<slug>/", each=Section.objects.all(), template="list.html", per_page=2)\n'
    'def section(section): return section.stories.order_by("-published")\n'
)
TEMPLATE = {
    "list.html": "{% for s in listing.items %}{{ s.slug }} {% endfor %}"
    "{{ listing.previous_url or '' }}|{{ listing.next_url or '' }}"
}


def newsroom(make_site: Any, models_of: Any, pages: str = PAGES, template: dict[str, str] = TEMPLATE) -> Any:
    site = make_site(pages, templates=template)
    m = models_of(site)
    with site:
        town = m.Section.objects.create(name="Town", slug="town")

        def publish(number: int, day: int | None = None) -> Any:
            at = f"2026-01-{day or number:02}T12:00Z"
            return m.Story.objects.create(title="x", slug=f"s{number}", section=town, published=at)

        for number in range(1, 6):
            publish(number)
    return site, publish


def test_a_new_story_renders_the_first_page_of_the_listing_alone(make_site: Any, models_of: Any, build: Any) -> None:
    site, publish = newsroom(make_site, models_of)
    _, files = build(site)
    assert files["town/index.html"] == "s5 s4 s3 |/town/page/1/"
    assert files["town/page/1/index.html"] == "s2 s1 /town/|"
    with site:
        publish(6)
    _, files = build(site)
    assert files["town/index.html"] == "s6 s5 |/town/page/2/"
    assert files["town/page/2/index.html"] == "s4 s3 /town/|/town/page/1/"
    assert files["town/page/1/index.html"] == "s2 s1 /town/page/2/|"
    with site:
        publish(7)
    report, files = build(site)
    assert report.rendered == 1
    assert files["town/index.html"] == "s7 s6 s5 |/town/page/2/"


def test_an_old_story_that_is_found_late_moves_what_came_after_it(make_site: Any, models_of: Any, build: Any) -> None:
    site, publish = newsroom(make_site, models_of)
    build(site)
    with site:
        publish(9, day=1)
    _, files = build(site)
    assert files["town/page/1/index.html"] == "s1 s9 /town/page/2/|"  # a tie, broken by the key
    assert files["town/page/2/index.html"] == "s3 s2 /town/|/town/page/1/"


def test_what_cannot_be_turned_round_is_counted_instead(make_site: Any, models_of: Any, build: Any) -> None:
    site, _ = newsroom(make_site, models_of, PAGES.replace('"-published")', '"-published")[:4]'))
    _, files = build(site)
    assert files["town/index.html"] == "s5 s4 |/town/page/1/"
    assert files["town/page/1/index.html"] == "s3 s2 /town/|"


def test_pages_numbered_from_the_first(make_site: Any, models_of: Any, build: Any) -> None:
    site, publish = newsroom(make_site, models_of, PAGES.replace("per_page=2", "per_page=2, stable=False"))
    _, files = build(site)
    assert files["town/index.html"] == "s5 s4 |/town/page/2/"
    assert files["town/page/3/index.html"] == "s1 /town/page/2/|"
    with site:
        publish(6)
    assert build(site)[0].rendered == 3


def test_a_page_that_shows_how_many_there_are_depends_on_it(make_site: Any, models_of: Any, build: Any) -> None:
    site, publish = newsroom(make_site, models_of, template={"list.html": "{{ listing.number }}/{{ listing.total }}"})
    build(site)
    with site:
        publish(6)
        publish(7)
    _, files = build(site)
    assert files["town/page/1/index.html"] == "1/7"
    assert files["town/index.html"] == "3/7"


@pytest.mark.parametrize(("stable", "rendered"), [(True, [3, 1, 4]), (False, [1, 4, 1])])
def test_a_page_that_shows_how_many_pages_there_are_changes_when_one_comes_or_goes(
    make_site: Any, models_of: Any, build: Any, stable: bool, rendered: list[int]
) -> None:
    order = '"-published"' if stable else '"published"'  # so that a new item moves no other
    pages = PAGES.replace("per_page=2", f"per_page=2, stable={stable}").replace('"-published"', order)
    template = {"list.html": "{% for s in listing.items %}{{ s.slug }} {% endfor %}{{ listing.pages }}"}
    site, publish = newsroom(make_site, models_of, pages, template)
    build(site)
    told = []
    for number in range(6, 9):
        with site:
            publish(number)
        report, files = build(site)
        told.append(report.rendered)
        count = number // 2 if stable else -(-number // 2)
        assert len(files) == count
        assert all(body.endswith(f" {count}") for body in files.values())
    assert told == rendered


def test_one_page_by_its_number(make_site: Any, models_of: Any, reader: Any) -> None:
    site, _ = newsroom(make_site, models_of)
    assert site.render("section", slug="town", number=2).body == b"s2 s1 /town/|"
    with pytest.raises(NotFound, match="there is no such page of /town/"):
        site.render("section", slug="town", number=3)
    with reader(site), pytest.raises(NoSuchPage, match="has no page"):
        url_for("section", slug="town", number=3)
