"""A page for every kind of input."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from toolkit import url_for
from toolkit.feeds import Feed
from toolkit.models import Avg, Count, F, Max, Now, QuerySet, Rank, SearchRank, Sum, Window
from toolkit.sitemaps import News, Sitemap

from . import app, filters  # noqa: F401 - declares its filters
from .models import Author, Note, Section, Story, Tag

DATA = Path(__file__).parent.parent / "data"


@app.context_processor
def everywhere() -> dict[str, Any]:
    return {"sections": Section.objects.all(), "ticker": Story.objects.filter(weight__gt=5)[:3]}


@app.page("/", template="home.html", aliases=["/home/"])
def home() -> dict[str, Any]:
    return {"stories": Story.objects.all()[:5], "total": Story.objects.count()}


@app.listing("/<slug>/", each=Section.objects.all(), template="section.html", per_page=3)
def section(section: Section) -> QuerySet[Story]:
    return section.stories.all()


@app.page(
    "/<section__slug>/<slug>/",
    each=Story.objects.all(),
    template="story.html",
    sitemap=News(lastmod="published", title="title"),
    aliases=["/s/<slug>/"],
)
def story(story: Story) -> dict[str, Any]:
    return {"related": story.related(3)}


@app.listing("/tags/<slug>/", each=Tag.objects.all(), template="tag.html", per_page=3, allow_empty=False)
def tag(tag: Tag) -> QuerySet[Story]:
    return tag.stories.order_by("title")


@app.page("/stats/", template="stats.html")
def stats() -> dict[str, Any]:
    leaving = Story.objects.filter(expires__gt=Now())
    found = Story.objects.search("story OR ferry OR text*")
    return {
        "found": found[:4],
        "ranked": found.annotate(rank=SearchRank()).values_list("slug", "rank"),
        "sections": Section.objects.annotate(n=Count("stories")),
        "heavy": Story.objects.exclude(weight__lt=3).values_list("title", "section__name", "author__name"),
        "authors": Author.objects.filter(stories__weight__gt=2).distinct(),
        "week": leaving.count(),
        "recent": Story.objects.filter(published__gte=Now() - timedelta(hours=5)).values_list("slug", flat=True),
        "old": Story.objects.annotate(age=Now() - F("published")).filter(age__gt=timedelta(days=3)).count(),
        "hours": Story.objects.datetimes("published", "hour", tzinfo=ZoneInfo("America/St_Johns")),
        "joined": [str(s.author) for s in Story.objects.select_related("author", "section").order_by("slug")],
    }


def years() -> Iterator[dict[str, int]]:
    """The years that have stories."""
    for year in sorted({when.year for when in Story.objects.values_list("published", flat=True)}):
        yield {"year": year}


@app.page("/archive/<int:year>/", each=years, template="year.html")
def archive(year: int) -> dict[str, Any]:
    return {"stories": Story.objects.filter(published__year=year)}


@dataclass(frozen=True)
class Vote:
    slug: str
    text: str


def votes() -> list[Vote]:
    """From a file; the pages show what it says."""
    return [Vote(slug, text) for slug, text in json.loads((DATA / "votes.json").read_text()).items()]


@app.page("/votes/<slug>/", each=votes)
def vote(vote: Vote) -> str:
    return f"<p>{vote.slug}: {vote.text}</p>"


@app.page("/files/")
def files() -> str:
    with open(DATA / "figures.txt", encoding="utf-8") as file:
        figures = file.read()
    extra = DATA / "extra.txt"
    try:
        more = extra.read_text()
    except FileNotFoundError:
        more = "nothing"
    inlined = (DATA.parent / "static" / "img" / "mark.svg").read_text()
    return f"<pre>{figures}|{more}|{sorted(path.name for path in DATA.iterdir())}|{inlined}</pre>"


@app.page("/inputs/", template="inputs.html")
def inputs() -> dict[str, Any]:
    """Reads by ways of its own: a variable, a file's being there, templates by computed names, aggregates, a menu."""
    heaviest = Story.objects.order_by("-weight", "pk").first()
    return {
        "desk": os.environ.get("PRESS_DESK", "none"),
        "there": [(DATA / name).exists() for name in ("extra.txt", "figures.txt")],
        "part": heaviest.section.slug if heaviest else "none",
        "macros": "parts/stamps.html",
        "totals": Story.objects.aggregate(n=Sum("weight"), most=Max("weight"), mean=Avg("weight")),
        "ranked": Story.objects.annotate(
            place=Window(Rank(), partition_by="section", order_by=F("weight").desc())
        ).values_list("slug", "place"),
        "by_section": Section.objects.annotate(most=Max("stories__weight")),
        "menu": [("home", Story.objects.count()), ("plain", Tag.objects.count()), ("files", 1)],
    }


@app.page("/notes/<slug>/", each=Note.objects.all(), template="note.html")
def note(note: Note) -> dict[str, Any]:
    return {}


@app.page("/index.json")
def index() -> str:
    return json.dumps([{"title": s.title, "url": url_for(s)} for s in Story.objects.all()])


@app.feed("/feed.xml", formats=["rss", "atom", "json"])
def feed() -> Feed:
    return Feed(title="The Press", items=Story.objects.all()[:4])


@app.feed("/<slug>/feed.xml", each=Section.objects.all(), formats=["atom"])
def section_feed(section: Section) -> Feed:
    return Feed(title=section.name, items=section.stories.all()[:4])


@app.page("/plain/", sitemap=Sitemap(priority=0.1))
def plain() -> bytes:
    return b"<p>plain</p>"


@app.view("/search/")
def search(request: Any) -> Any: ...


app.sitemap("/sitemap.xml")
app.sitemap("/news.xml", news=True)
app.robots()
app.error_page(404, template="404.html")
app.source("content/notes/*.md", model=Note, key="slug")
