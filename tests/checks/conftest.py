"""A publication in which nothing is wrong, to break in one place at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from toolkit.checks import CheckReport, Wanted, check_site
from toolkit.site import Site
from toolkit.testing import temporary_site

MODELS = """
class Story(models.Model):
    title = models.CharField(max_length=80, translated=True)
    slug = models.SlugField(unique=True, verbose_name="address")
    body = models.MarkdownField(blank=True, translated=True)
    published = models.DateTimeField()
    class Meta:
        ordering = ["slug"]
        untranslated = "hide"
"""

PAGES = """
from toolkit.feeds import Feed
from toolkit.http import Response

@app.page("/", template="home.html")
def home():
    return {"stories": Story.objects.all()}

@app.page("/stories/<slug>/", each=Story.objects.all(), template="story.html")
def story(story):
    return {}

@app.feed("/feed.xml")
def feed():
    return Feed(title="The Bay", items=Story.objects.all())

app.sitemap()
app.robots()
app.error_page(404, template="404.html")
app.source("content/*.md", model=Story)

@app.view("/search/")
def search(request):
    return Response.template("search.html")
"""

BASE = """
<!doctype html>
<html lang="{{ page.locale }}" dir="{{ page.direction }}">
<head><meta charset="utf-8"><title>{% block title %}{{ site.title }}{% endblock %}</title>
<link rel="stylesheet" href="{{ asset('site.css') }}">
{{ page.head }}
</head>
<body>
<nav><a href="{{ url_for('home') }}">{% trans %}Home{% endtrans %}</a> <a href="/search/?q=x">Search</a>
<a href="https://elsewhere.example/nothing">Elsewhere</a> <a href="mailto:desk@bay.example">Write</a></nav>
<main id="main">{% block content %}{% endblock %}</main>
</body>
</html>
"""

FILES = {
    "templates/base.html": BASE,
    "templates/home.html": """
        {% extends "base.html" %}
        {% block content %}<h1>{{ site.title }}</h1>
        {% for story in stories %}<a href="{{ url_for(story) }}#main">{{ story.title }}</a>{% endfor %}
        <img src="{{ asset('dot.svg') }}" alt="" width="8" height="8">{% endblock %}
        """,
    "templates/story.html": """
        {% extends "base.html" %}
        {% block title %}{{ story.title }}{% endblock %}
        {% block content %}<h1>{{ story.title }}</h1>{{ story.body|markdown }}{% endblock %}
        """,
    "templates/404.html": '{% extends "base.html" %}\n{% block content %}<h1>404</h1>{% endblock %}\n',
    "templates/search.html": '{% extends "base.html" %}\n{% block content %}<h1>Search</h1>{% endblock %}\n',
    "static/site.css": "main { background: url(dot.svg) }\n",
    "static/dot.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>\n',
    "public/favicon.ico": "x",
    "content/flood.md": """
        ---
        title: The flood
        published: 2026-01-01T00:00:00+00:00
        ---

        It [rained](/stories/flood/#main).
        """,
    "content/flood.es.md": """
        ---
        title: La riada
        ---

        Llovió.
        """,
    "locale/es/LC_MESSAGES/messages.po": """
        msgid ""
        msgstr ""
        "Language: es\\n"
        "Content-Type: text/plain; charset=UTF-8\\n"
        "Plural-Forms: nplurals=2; plural=(n != 1);\\n"

        msgid "Home"
        msgstr "Portada"

        msgid "address"
        msgstr "dirección"
        """,
}

SETTINGS = """
title = "The Bay"
base_url = "https://bay.example"
locales = ["en", "es"]
"""

MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[MakeSite]:
    """``make_site(files={...}, pages="...", settings="...")``: the good site, with these files in place of its own."""
    with ExitStack() as stack:

        def make(
            files: dict[str, str] | None = None,
            *,
            pages: str = "",
            models: str = MODELS,
            settings: str = "",
        ) -> Site:
            own = {**FILES, **(files or {})}
            made = temporary_site(tmp_path, own, models=models, pages=PAGES + pages, settings=SETTINGS + settings)
            return stack.enter_context(made)

        yield make


@pytest.fixture
def check(make_site: MakeSite) -> Callable[..., CheckReport]:
    """Make a site as ``make_site`` does, and check it."""

    def run(
        files: dict[str, str] | None = None,
        *,
        pages: str = "",
        settings: str = "",
        models: str = MODELS,
        parity: bool = False,
    ) -> CheckReport:
        return check_site(
            make_site(files, pages=pages, settings=settings, models=models), Wanted(workers=1, parity=parity)
        )

    return run


def found(report: CheckReport) -> list[tuple[str, str]]:
    """(check, letter) of every finding."""
    return [(finding.id, str(finding)) for finding in report.findings]


def with_body(text: str) -> dict[str, str]:
    """A home page with this HTML in its body."""
    stories = "{% for story in stories %}<a href='{{ url_for(story) }}'>{{ story.title }}</a>{% endfor %}"
    return {"templates/home.html": '{% extends "base.html" %}{% block content %}' + text + stories + "{% endblock %}"}
