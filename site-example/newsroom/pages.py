"""Every page of the Courier, declared once: it is built, served, fed, listed in the sitemap and translated."""

from __future__ import annotations

from typing import Any

from toolkit.feeds import Feed
from toolkit.http import Request, Response
from toolkit.models import QuerySet
from toolkit.sitemaps import News

from . import app
from .models import Author, Place, Section, Story, Tag


@app.context_processor
def everywhere() -> dict[str, Any]:
    """What every page shows: the sections in its masthead, and the town under its maps."""
    return {"sections": Section.objects.all(), "atlas": Place.objects.all()}


@app.page("/", template="home.html")
def home() -> dict[str, Any]:
    leading = Story.objects.leading()[:4]
    return {
        "leading": leading,
        "latest": Story.objects.exclude(pk__in=[story.pk for story in leading])[:12],
    }


@app.listing("/<slug>/", each=Section.objects.all(), template="section.html", per_page=8)
def section(section: Section) -> QuerySet[Story]:
    return section.stories.all()


@app.page(
    "/<section__slug>/<slug>/",
    each=Story.objects.all(),
    template="story.html",
    sitemap=News(lastmod="updated", title="title"),
)
def story(story: Story) -> dict[str, Any]:
    return {"related": story.related(4)}


@app.listing("/people/<slug>/", each=Author.objects.all(), template="author.html", per_page=10)
def author(author: Author) -> QuerySet[Story]:
    return author.stories.all()


@app.listing("/topics/<slug>/", each=Tag.objects.all(), template="tag.html", per_page=10)
def tag(tag: Tag) -> QuerySet[Story]:
    return tag.stories.all()


@app.page("/places/<slug>/", each=Place.objects.all(), template="place.html")
def place(place: Place) -> dict[str, Any]:
    return {
        "stories": place.stories.all(),
        "nearby": Place.objects.exclude(pk=place.pk).exclude(kind="land").nearest(place.geometry)[:5],
    }


@app.page("/map/", template="map.html")
def map_page() -> dict[str, Any]:
    return {"places": Place.objects.all()}


@app.page("/people/", template="people.html")
def people() -> dict[str, Any]:
    return {"authors": Author.objects.all()}


@app.page("/about/", template="about.html")
def about() -> dict[str, Any]:
    return {}


@app.feed("/feed.xml")
def feed() -> Feed:
    return Feed(title="The Alder Bay Courier", items=Story.objects.all()[:30])


@app.feed("/<slug>/feed.xml", each=Section.objects.all())
def section_feed(section: Section) -> Feed:
    return Feed(title=section.name, items=section.stories.all()[:30])


app.sitemap("/sitemap.xml")
app.robots("/robots.txt")
app.error_page(404, template="404.html")
app.error_page(500, template="500.html")

app.source("content/sections.yaml", model=Section, key="slug")
app.source("content/people.yaml", model=Author, key="slug")
app.source("content/topics.csv", model=Tag, key="slug")
app.source("content/places.geojson", model=Place, key="slug")
app.source("content/stories/*.md", model=Story, key="slug")


@app.view("/search/")
def search(request: Request) -> Response:
    """Answered by the server only; the build leaves it out and says so."""
    words = request.args.get("q", "").strip()
    found = Story.objects.search(words)[:20] if words else []
    return Response.template("search.html", words=words, found=found)
