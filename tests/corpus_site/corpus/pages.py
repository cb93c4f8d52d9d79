"""The pages of ../../benchmarks/hugo: one for each story, author, tag and month, in the same markup."""

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


@app.page("/posts/<slug>/", each=Story.objects.all(), template="story.html", sitemap=Sitemap(lastmod="updated"))
def story(story: Story) -> dict[str, Any]:
    return {"related": story.related(5)}


@app.listing("/tags/<slug>/", each=Tag.objects.all(), template="tag.html", per_page=50, stable=False)
def tag(tag: Tag) -> QuerySet[Story]:
    return tag.stories.all()


@app.listing("/authors/<slug>/", each=Author.objects.all(), template="author.html", per_page=50, stable=False)
def author(author: Author) -> QuerySet[Story]:
    return author.stories.all()


def months() -> Iterator[dict[str, int]]:
    """The months in which something was published, newest first."""
    times = Story.objects.values_list("published", flat=True)
    for year, month in sorted({(time.year, time.month) for time in times}, reverse=True):
        yield {"year": year, "month": month}


def first_day(year: int, month: int) -> datetime:
    """The first instant of a month; month 13 is the next year's January."""
    return datetime(year + month // 13, (month - 1) % 12 + 1, 1, tzinfo=UTC)


@app.listing(
    "/archive/<int:year>/<int(fixed_digits=2):month>/", each=months, template="month.html", per_page=50, stable=False
)
def month(year: int, month: int) -> QuerySet[Story]:
    return Story.objects.filter(published__gte=first_day(year, month), published__lt=first_day(year, month + 1))


@app.page("/tags/", template="tags.html")
def tags() -> dict[str, Any]:
    return {"tags": Tag.objects.all()}


@app.page("/authors/", template="authors.html")
def authors() -> dict[str, Any]:
    return {"authors": Author.objects.all()}


@app.page("/archive/", template="archive.html")
def archive() -> dict[str, Any]:
    return {"months": [{**month, "first_day": first_day(month["year"], month["month"])} for month in months()]}


@app.feed("/feed.xml", formats=("rss",))
def feed() -> Feed:
    return Feed(
        title="The Corpus",
        description="All new stories",
        items=Story.objects.all()[:20],
        full_content=False,
    )


@app.feed("/tags/<slug>/feed.xml", each=Tag.objects.all(), formats=("rss",))
def tag_feed(tag: Tag) -> Feed:
    return Feed(
        title=tag.name,
        description=f"New stories on {tag.name}",
        items=tag.stories.all()[:20],
        full_content=False,
    )


app.sitemap("/sitemap.xml")

app.source("authors.csv", model=Author, key="slug")
app.source("tags.csv", model=Tag, key="slug")
app.source("content/posts/*.md", model=Story, key="slug")
