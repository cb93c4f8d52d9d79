"""A small publication to try the tools on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit.site import Site
from toolkit.testing import temporary_site

MODELS = """
class Story(models.Model):
    title = models.CharField(max_length=80)
    slug = models.SlugField(unique=True)
    body = models.MarkdownField(blank=True)
    published = models.DateTimeField()
    class Meta:
        ordering = ["slug"]
        public = Q(published__lte=Now())
"""

PAGES = """
from toolkit.http import redirect

@app.page("/", template="home.html")
def home():
    return {"stories": Story.objects.all()}

@app.page("/<slug>/", each=Story.objects.all(), template="story.html")
def story(story):
    return {}

app.error_page(404, template="404.html")
app.source("content/*.md", model=Story)

@app.view("/echo/", methods=["GET", "POST"])
def echo(request):
    return {"method": request.method, "form": dict(request.form), "query": dict(request.args), "seen": request.cookies}

@app.view("/go/")
def go(request):
    return redirect("/echo/?from=go")

@app.view("/for-ever/")
def for_ever(request):
    return redirect("/for-ever/")

@app.view("/cookies/")
def cookies(request):
    from toolkit.http import Response
    response = Response("two")
    response.set_cookie("a", "1", max_age=60)
    response.set_cookie("b", "2", expires="Thu, 01 Jan 2037 00:00:00 GMT")
    return response
"""

FILES = {
    "templates/home.html": "<!doctype html><html lang=en><title>Home</title>"
    "{% for story in stories %}<a href='{{ url_for(story) }}'>{{ story.title }}</a>{% endfor %}",
    "templates/story.html": "<!doctype html><html lang=en><title>{{ story.title }}</title><h1>{{ story.title }}</h1>",
    "templates/404.html": "<!doctype html><html lang=en><title>No</title>No such page",
    "content/flood.md": """
        ---
        title: The flood
        published: 2026-01-01T00:00:00+00:00
        ---
        """,
    "content/later.md": """
        ---
        title: Later
        published: 2040-01-01T00:00:00+00:00
        ---
        """,
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with temporary_site(tmp_path / "site", FILES, models=MODELS, pages=PAGES) as made:
        yield made
