"""Two pages that want one file are refused, and named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from toolkit.errors import Problems

STORY = '@app.page("/<slug>/", each=Story.objects.all())\ndef story(story): return story.title\n'


@pytest.fixture
def add(models_of: Any) -> Callable[..., None]:
    """Makes a story of each slug."""

    def stories(site: Any, *slugs: str) -> None:
        with site:
            for slug in slugs:
                models_of(site).Story.objects.create(title=slug, slug=slug)

    return stories


@pytest.mark.parametrize(
    ("first", "second", "how"),
    [
        ("flood", "flood", "both are published at /flood/"),
        ("flood", "Flood", "differ only by case or form"),
        ("café", "cafe\u0301", "differ only by case or form"),
        ("straße", "strasse", "differ only by case or form"),
    ],
)
def test_two_pages_for_one_file_are_refused_naming_both(
    make_site: Any, add: Any, build: Any, first: str, second: str, how: str
) -> None:
    site = make_site(STORY)
    add(site, first, second)
    with pytest.raises(Problems, match=rf"page 'story' of 1 \(.*pages.py:\d+\) and page 'story' of 2 .*{how}"):
        build(site)


def test_a_page_and_a_listing_page_on_one_url_are_refused(make_site: Any, add: Any, build: Any) -> None:
    site = make_site(
        STORY + '@app.listing("/", per_page=1, template="x")\ndef home(): return Story.objects.all()\n'
        '@app.page("/page/<slug>/", each=Story.objects.all())\ndef other(story): return "x"'
    )
    add(site, "1", "a")
    with pytest.raises(Problems, match=r"'home'.*'other'.*both are published at /page/1/"):
        build(site)


def test_a_page_that_is_a_file_where_another_needs_a_folder_is_refused(make_site: Any, build: Any) -> None:
    site = make_site(
        """
        @app.page("/a.html")
        def file(): return "a"

        @app.page("/A.html/b/")
        def below(): return "b"
        """
    )
    with pytest.raises(Problems, match=r"page 'file' .* is the file /a.html, and page 'below' .* needs a folder"):
        build(site)
