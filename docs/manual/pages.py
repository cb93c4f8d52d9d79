"""The pages of the manual."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from toolkit import url_for

from . import app
from .models import Chapter, Part
from .reading import read_chapter, render_code

SAMPLE = """\
@app.page("/<section__slug>/<slug>/", each=Story.objects.all(),
          template="story.html", sitemap=News(lastmod="updated"))
def story(story):
    return {"related": story.related(4)}

@app.listing("/<slug>/", each=Section.objects.all(),
             template="section.html", per_page=20)
def section(section):
    return section.stories.all()

@app.feed("/feed.xml")
def feed():
    return Feed(title="The Courier", items=Story.objects.all()[:30])
"""


@app.context_processor
def everywhere() -> dict[str, Any]:
    """The table of contents, which every page shows beside its text."""
    return {"parts": Part.objects.all()}


@app.page("/", template="home.html")
def home() -> dict[str, Any]:
    return {"sample": render_code("python:pages.py", SAMPLE)}


@app.page("/<slug>/", each=Part.objects.all(), template="part.html")
def part(part: Part) -> dict[str, Any]:
    return {"chapters": Chapter.objects.filter(part=part)}


@app.page("/<part__slug>/<slug>/", each=Chapter.objects.all(), template="chapter.html")
def chapter(chapter: Chapter) -> dict[str, Any]:
    order = list(Chapter.objects.all())
    place = order.index(chapter)
    return {
        "text": read_chapter(chapter),
        "previous": order[place - 1] if place else None,
        "next": order[place + 1] if place + 1 < len(order) else None,
    }


@app.page("/search.json", sitemap=False)
def search_index() -> str:
    """Every heading of the manual with its address, for the search box."""
    return json.dumps([entry for chapter in Chapter.objects.all() for entry in _entries(chapter)], ensure_ascii=False)


def _entries(chapter: Chapter) -> Iterator[dict[str, str]]:
    url = url_for(chapter)
    known = {"chapter": chapter.title, "part": chapter.part.name}
    yield {"heading": chapter.title, "url": url, **known}
    for heading in read_chapter(chapter).headings:
        yield {"heading": heading.text, "url": f"{url}#{heading.id}", **known}


app.sitemap("/sitemap.xml")
app.robots("/robots.txt")
app.error_page(404, template="404.html")

app.source("content/parts.yaml", model=Part, key="slug")
app.source("content/*/*.md", model=Chapter, key="slug")
