"""Pages for stories, authors, tags and months; feeds of everything and of each tag; a sitemap."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from toolkit.feeds import Feed
from toolkit.models import QuerySet
from toolkit.sitemaps import Sitemap

from . import app
from .models import Author, Story, Tag


@app.page("/", template="home.html")
def home() -> dict[str, Any]:
    return {"stories": Story.objects.all()[:20]}


@app.page("/posts/<slug>/", each=Story.objects.all(), template="story.html", sitemap=Sitemap(lastmod="date"))
def story(story: Story) -> dict[str, Any]:
    return {"related": story.related(5)}


@app.listing("/tags/<slug>/", each=Tag.objects.all(), template="list.html", per_page=50)
def tag(tag: Tag) -> QuerySet[Story]:
    return tag.stories.all()


@app.listing("/authors/<slug>/", each=Author.objects.all(), template="list.html", per_page=50)
def author(author: Author) -> QuerySet[Story]:
    return author.stories.all()


def months() -> Iterator[dict[str, int]]:
    """The months in which something was published, newest first."""
    times = Story.objects.values_list("date", flat=True)
    for year, month in sorted({(time.year, time.month) for time in times}, reverse=True):
        yield {"year": year, "month": month}


def first_day(year: int, month: int) -> datetime:
    """The first instant of a month; month 13 is the next year's January."""
    return datetime(year + month // 13, (month - 1) % 12 + 1, 1, tzinfo=UTC)


@app.listing("/archive/<int:year>/<int(fixed_digits=2):month>/", each=months, template="list.html", per_page=50)
def month(year: int, month: int) -> QuerySet[Story]:
    return Story.objects.filter(date__gte=first_day(year, month), date__lt=first_day(year, month + 1))


@app.page("/tags/", template="names.html")
def tags() -> dict[str, Any]:
    return {"title": "Tags", "rows": Tag.objects.all()}


@app.page("/authors/", template="names.html")
def authors() -> dict[str, Any]:
    return {"title": "Authors", "rows": Author.objects.all()}


@app.page("/archive/", template="archive.html")
def archive() -> dict[str, Any]:
    return {"months": list(months())}


@app.feed("/feed.xml")
def feed() -> Feed:
    return Feed(title="The Corpus", description="All new stories", items=Story.objects.all()[:20])


@app.feed("/tags/<slug>/feed.xml", each=Tag.objects.all())
def tag_feed(tag: Tag) -> Feed:
    return Feed(
        title=tag.name, description=f"New stories on {tag.name}", items=tag.stories.all()[:20], full_content=False
    )


app.sitemap("/sitemap.xml")

app.source(
    "posts/**/[0-9]*.md",
    model=Story,
    date="date",
    dated_keys=True,  # three posts are called andrew-hyder-award
    create=("authors", "tags"),
    ignore=(
        # what an earlier blog's software wanted to know
        "layout",
        "hero",
        "github",
        "tumblr_url",
        "permalink",
        "redirect_from",
        # one post each, beside ``image`` and ``image_caption``
        "images",
        "image_figcaption",
        # one post's excerpt goes on below an empty line, where YAML takes it for a key
        "<p>*",
    ),
)
