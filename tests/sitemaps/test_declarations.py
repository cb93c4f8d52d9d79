from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from toolkit.errors import DeclarationError, FieldError
from toolkit.sitemaps import News, NewsItem, Sitemap, SitemapURL

MARCH = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class Section:
    updated: datetime = MARCH


@dataclass
class Story:
    title: str = "Flood"
    published: datetime = MARCH
    updated: datetime = MARCH
    image: str = "img/flood.svg"
    second: str = ""
    weight: float = 0.3
    section: Section | None = None


def test_a_declaration_names_fields_of_the_subject() -> None:
    sitemap = Sitemap(lastmod="updated", priority="weight", changefreq="daily", images=("image", "second"))
    assert sitemap.fields == ("updated", "weight", "image", "second")
    made = sitemap.make_url(Story(), "https://x.example/f/", resolve_image=lambda path: f"https://x.example/{path}")
    images = ("https://x.example/img/flood.svg",)
    assert made == SitemapURL("https://x.example/f/", MARCH, images=images, changefreq="daily", priority=0.3)


def test_nothing_is_said_that_was_not_declared() -> None:
    assert Sitemap().make_url(Story(), "https://x.example/") == SitemapURL("https://x.example/")
    assert Sitemap().fields == ()


def test_fields_are_read_through_relations() -> None:
    sitemap = Sitemap(lastmod="section__updated")
    assert sitemap.make_url(Story(section=Section()), "https://x.example/").lastmod == MARCH
    assert sitemap.make_url(Story(section=None), "https://x.example/").lastmod is None


def test_news_says_who_published_it() -> None:
    declared = News(lastmod="updated", title="title")
    assert declared.fields == ("updated", "title", "published")
    assert declared.make_news(Story(), publication="Courier", language="en") == NewsItem(
        "Courier", "en", "Flood", MARCH
    )
    own = News(publication="Sunday Courier", language="es")
    assert own.make_news(Story(), publication="Courier", language="en").publication == "Sunday Courier"


def test_a_misspelt_field_is_named_with_the_nearest() -> None:
    with pytest.raises(FieldError, match=r"names 'updatd', but Story has no 'updatd'. Did you mean 'updated'"):
        Sitemap(lastmod="updatd").make_url(Story(), "https://x.example/")


def test_values_that_sitemaps_do_not_know_are_refused_at_once() -> None:
    with pytest.raises(DeclarationError, match=r"changefreq 'dayly' .* Did you mean 'daily'"):
        Sitemap(changefreq="dayly")
    with pytest.raises(DeclarationError, match=r"priority 5 is not between"):
        News(priority=5)
