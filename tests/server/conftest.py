"""A small publication in a temporary folder, and ways to ask it."""

from __future__ import annotations

import itertools
import sqlite3
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest
from sqlalchemy.schema import CreateIndex, CreateTable

from toolkit.server import freshness, pages, shown
from toolkit.server.application import Application
from toolkit.server.client import Got, get
from toolkit.site import Site, load_site
from toolkit.trace import EDITOR, entered

MODELS = """
from toolkit import models
from toolkit.models import Now, Q

class Section(models.Model):
    name = models.CharField(max_length=60)
    slug = models.SlugField(unique=True)
    class Meta:
        ordering = ["slug"]

class Story(models.Model):
    title = models.CharField(max_length=160)
    slug = models.CharField(max_length=80, unique=True)
    body = models.TextField(blank=True)
    section = models.ForeignKey(Section, on_delete=models.PROTECT, related_name="stories")
    status = models.CharField(max_length=10, default="live")
    published = models.DateTimeField()
    expires = models.DateTimeField(null=True, blank=True)
    class Meta:
        ordering = ["-published"]
        public = Q(status="live", published__lte=Now()) & ~Q(expires__lte=Now())
"""

PAGES = """
from __future__ import annotations
from toolkit.errors import NotFound
from toolkit.http import Request, Response, get_object_or_404, redirect, require_methods
from . import app
from .models import Section, Story

@app.page("/", template="home.html")
def home():
    return {"stories": Story.objects.all()[:20]}

@app.page("/about/", template="about.html")
def about():
    return {}

@app.page("/<section__slug>/<slug>/", each=Story.objects.all(), template="story.html")
def story(story):
    return {}

@app.listing("/<slug>/", each=Section.objects.all(), template="section.html", per_page=2)
def section(section):
    return section.stories.all()

@app.page("/data.json")
def data():
    return '{"stories": %d}' % Story.objects.count()

@app.page("/broken/", template="broken.html")
def broken():
    return {"words": "<b>"}

app.sitemap("/sitemap.xml")
app.robots("/robots.txt")
app.error_page(404, template="404.html")
app.error_page(500, template="500.html")

@app.view("/search/")
def search(request: Request):
    words = request.args.get("q", "")
    return Response.template("search.html", words=words, found=Story.objects.filter(title__icontains=words))

@app.view("/api/<int:number>/", methods=["GET", "POST"])
def api(request, number):
    if request.method == "POST":
        return {"number": number, "form": request.form.get("name"), "locale": request.locale}
    return {"number": number, "title": get_object_or_404(Story, pk=number).title, "locale": request.locale}

@app.view("/out/")
def out(request):
    return redirect(request.args["to"])

@app.view("/text/")
def text(request):
    return "<p>" + request.host

@app.view("/nothing/")
def nothing(request):
    return None

@app.view("/gone/")
def gone(request):
    raise NotFound("it is gone")

@app.view("/wrong/")
def wrong(request):
    raise ZeroDivisionError("<script>")

@app.view("/stream/")
def stream(request):
    return Response((story.title for story in Story.objects.all()), mimetype="text/plain")

@app.view("/file/")
def file(request):
    return Response.file(request.site.folder / "letters.txt", download_name="letters.txt")

@app.view("/only/", methods=["GET", "POST"])
@require_methods("POST")
def only(request):
    return "posted"
"""

SITE = """
from toolkit import Site
from . import app

site = Site(__file__, apps=[app])
wsgi = site.wsgi
"""

TEMPLATES = {
    "base.html": '<!doctype html><html lang="{{ locale }}"><head><title>{% block title %}{{ site.title }}{% endblock %}'
    "</title>{{ page.head }}</head><body>{% block content %}{% endblock %}</body></html>\n",
    "home.html": '{% extends "base.html" %}{% block content %}<link href="{{ asset(\'site.css\') }}">'
    '{% for story in stories %}<a href="{{ url_for(story) }}">{{ story.title }}</a>{% endfor %}{% endblock %}',
    "about.html": '{% extends "base.html" %}{% block content %}About us{% endblock %}',
    "story.html": '{% extends "base.html" %}{% block content %}'
    "<h1>{{ story.title }}</h1>{{ story.body }}{% endblock %}",
    "section.html": '{% extends "base.html" %}{% block content %}{{ section.name }}'
    "{% for story in listing.items %}<p>{{ story.title }}</p>{% endfor %}{% endblock %}",
    "search.html": '{% extends "base.html" %}{% block content %}<form action="{{ page.url }}">{{ words }}:'
    "{% for story in found %}{{ story.title }};{% endfor %}{% endblock %}",
    "broken.html": '{% extends "base.html" %}{% block content %}\n{{ wordz }}\n{% endblock %}',
    "404.html": '{% extends "base.html" %}{% block content %}No such page ({{ locale }}){% endblock %}',
    "500.html": "<!doctype html><title>Broken</title>Something broke",
}

_numbers = itertools.count()


@dataclass
class Newsroom:
    """The site, its folder, and its application behind ``wsgiref.validate``."""

    folder: Path
    site: Site
    application: Application
    options: dict[str, Any] = field(default_factory=dict)

    def get(self, path: str, **options: Any) -> Got:
        return get(validator(self.application), path, **options)

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def model(self, name: str) -> Any:
        return next(model for model in self.site.models if model.__name__ == name)

    def sql(self, statement: str, *parameters: Any) -> None:
        """Write as somebody else would: by a connection of one's own."""
        with sqlite3.connect(self.folder / "site.db") as connection:
            connection.execute(statement, parameters)
        connection.close()

    def story(self, slug: str, *, days: float = -1, **values: Any) -> Any:
        """Publish a story this many days from now."""
        with entered(self.site.scope(viewer=EDITOR)):
            section, _ = self.model("Section").objects.get_or_create(slug="town", defaults={"name": "Town"})
            values = {"title": slug.title(), "published": datetime.now(UTC) + timedelta(days=days), **values}
            return self.model("Story").objects.create(slug=slug, section=section, **values)


def create_tables(site: Site) -> None:
    for table in site.database.schema.metadata.sorted_tables:
        site.database.execute(str(CreateTable(table).compile(dialect=site.database.sqlalchemy_dialect)))
        for index in table.indexes:
            site.database.execute(str(CreateIndex(index).compile(dialect=site.database.sqlalchemy_dialect)))


@pytest.fixture
def make_newsroom(tmp_path: Path) -> Iterator[Callable[..., Newsroom]]:
    """``make_newsroom(preview=True, pages="...", settings="...")``"""
    made: list[Newsroom] = []
    packages: list[str] = []

    def make(
        *,
        preview: bool = False,
        models: str = "",
        pages: str = "",
        settings: str = "",
        files: dict[str, str] | None = None,
    ) -> Newsroom:
        package = f"newsroom{next(_numbers)}"
        packages.append(package)
        folder = tmp_path / package
        sources = {
            "toolkit.toml": f'site = "{package}.site:site"\ntitle = "The Bay"\nlocales = ["en", "es"]\n'
            f'base_url = "https://bay.example"\n{settings}',
            f"{package}/__init__.py": f'from toolkit import App\napp = App("{package}")\n',
            f"{package}/models.py": MODELS + textwrap.dedent(models),
            f"{package}/pages.py": PAGES + textwrap.dedent(pages),
            f"{package}/site.py": SITE,
            "static/site.css": "body { color: black }",
            "public/favicon.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
            **{f"templates/{name}": text for name, text in TEMPLATES.items()},
            **(files or {}),
        }
        for name, text in sources.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, "utf-8")
        site = load_site(folder).prepare()
        create_tables(site)
        made.append(Newsroom(folder, site, Application(site, preview=preview)))
        return made[-1]

    yield make
    for newsroom in made:
        newsroom.application.close()
        newsroom.site.database.close()
        sys.path[:] = [entry for entry in sys.path if entry != str(newsroom.folder)]
    for name in [name for name in sys.modules if name.partition(".")[0] in packages]:
        del sys.modules[name]


@pytest.fixture
def newsroom(make_newsroom: Callable[..., Newsroom]) -> Newsroom:
    made = make_newsroom()
    made.story("flood", body="Water & words")
    return made


@pytest.fixture
def pass_seconds(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let the server's clock go on at once, instead of waiting."""

    def forward(seconds: float) -> None:
        class Later(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:
                return datetime.now(tz) + timedelta(seconds=seconds)

        for module in (freshness, pages, shown):
            monkeypatch.setattr(module, "datetime", Later)

    return forward
