"""A site below a path of its host: the same pages, and every address that browsers ask for begins with the path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from toolkit.builder import Builder
from toolkit.checks import Wanted, check_site
from toolkit.site import Site, load_site
from toolkit.testing import Client, forget_modules, temporary_site

MODELS = """
class Story(models.Model):
    title = models.CharField(max_length=80, translated=True)
    slug = models.SlugField(unique=True)
    body = models.MarkdownField(blank=True)
    photo = models.FileField(blank=True)
    published = models.DateTimeField()
    class Meta:
        ordering = ["slug"]
        untranslated = "hide"
"""

PAGES = """
from toolkit.feeds import Feed
from toolkit.http import Response
from toolkit.pages import url_for
from toolkit.sitemaps import Sitemap

@app.listing("/", template="home.html", per_page=2)
def home():
    return Story.objects.all()

@app.page("/<slug>/", each=Story.objects.all(), template="story.html", aliases=["/s/<slug>/"],
          sitemap=Sitemap(lastmod="published"))
def story(story):
    return {}

@app.page("/data.json")
def data():
    import json
    return json.dumps([url_for(story) for story in Story.objects.all()])

@app.feed("/feed.xml")
def feed():
    return Feed(title="The Bay", items=Story.objects.all())

app.sitemap()
app.robots()
app.error_page(404, template="404.html")

@app.view("/search/")
def search(request):
    return Response.template("search.html")

@app.view("/lucky/")
def lucky(request):
    from toolkit.http import redirect
    return redirect(url_for("home"))
"""

FILES = {
    "templates/base.html": """
        <!doctype html><html lang="{{ page.locale }}" dir="ltr"><head>
        <meta charset="utf-8"><title>{{ site.title }}</title>
        {{ stylesheet("site.css") }}{{ script("js/a.js") }}<link rel="icon" href="{{ '/favicon.ico'|relative_url }}">
        {{ page.head }}</head>
        <body><a href="{{ url_for('home') }}">Home</a> <a href="{{ url_for('search') }}">Search</a>
        {% for one in page.alternates %}<a href="{{ one.url }}">{{ one.autonym }}</a>{% endfor %}
        <main data-here="{{ page.url }}" data-share="{{ page.absolute_url }} {{ '/data.json'|absolute_url }}">
        {% block content %}{% endblock %}</main></body></html>
        """,
    "templates/home.html": """
        {% extends "base.html" %}{% block content %}<h1>{{ site.title }}</h1>
        {% for story in listing.items %}<a href="{{ url_for(story) }}">{{ story.title }}</a>{% endfor %}
        {% if listing.next_url %}<a href="{{ listing.next_url }}">next</a>{% endif %}
        {% if listing.previous_url %}<a href="{{ listing.previous_url }}">back</a>{% endif %}{% endblock %}
        """,
    "templates/story.html": """
        {% extends "base.html" %}{% block content %}<h1>{{ story.title }}</h1>{{ story.body|markdown }}
        {{ image("img/dot.png", alt="A dot") }}
        {% if story.photo %}<a href="{{ story.photo.url }}">photo</a>{% endif %}{% endblock %}
        """,
    "templates/404.html": '{% extends "base.html" %}{% block content %}<h1>404</h1>{% endblock %}',
    "templates/search.html": '{% extends "base.html" %}{% block content %}<h1>Search</h1>{% endblock %}',
    "templates/shortcodes/to.html": "<a href=\"{{ url_for('search') }}\">{{ text }}</a>",
    "static/site.css": "main { background: url(/static/img/dot.png) }\n@font-face { src: url(img/dot.png) }\n",
    "static/js/a.js": 'import "/static/js/b.js";\n',
    "static/js/b.js": "export const b = 1;\n",
    "public/favicon.ico": "x",
    "redirects.csv": "from,to,status\n/old/,/flood/,301\n/away/,https://elsewhere.example/,302\n",
}

SETTINGS = 'title = "The Bay"\nlocales = ["en", "es"]\n'
BODY = """
[from the root](/drought/#top), [by name](story:drought), [elsewhere](https://bay.example/other/), [beside](../drought/)

![a picture](/media/flood.txt) <a href="/search/">raw</a> [a host](//cdn.example/x)
"""


def png() -> bytes:
    from io import BytesIO

    from PIL import Image

    kept = BytesIO()
    Image.new("RGB", (8, 8), "red").save(kept, "PNG")
    return kept.getvalue()


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[Any]:
    """``sites(base_url)``: the site, built, in a folder of its own."""
    from contextlib import ExitStack

    with ExitStack() as outer:
        stack = outer.enter_context(ExitStack())

        def make(base_url: str) -> Site:
            stack.close()  # one site at a time has the modules
            folder = tmp_path / re.sub(r"\W+", "-", base_url)
            folder.mkdir()
            files = {**FILES, "static/img/dot.png": png(), "media/flood.txt": b"flood"}
            settings = f'{SETTINGS}base_url = "{base_url}"\n'
            site = stack.enter_context(temporary_site(folder, files, models=MODELS, pages=PAGES, settings=settings))
            fill(site)
            Builder(site, workers=1).build()
            return site

        yield make


def fill(site: Site) -> None:
    (model,) = [model for model in site.models if model.__name__ == "Story"]
    for number, slug in enumerate(("flood", "drought", "thaw")):
        story = model(title=slug.title(), slug=slug, published=f"2026-01-0{number + 1}T00:00:00+00:00", body=BODY)
        story.photo = "flood.txt" if slug == "flood" else ""
        story.save()


def tree(site: Site) -> dict[str, bytes]:
    output = site.folder / "build"
    return {path.relative_to(output).as_posix(): path.read_bytes() for path in output.rglob("*") if path.is_file()}


def test_the_pages_are_those_of_the_root_and_every_address_begins_with_the_path(sites: Any) -> None:
    root = tree(sites("https://bay.example"))
    below = tree(sites("https://bay.example/town/news"))
    assert below.keys() == root.keys()
    for path, body in below.items():
        found = body.replace(b"https://bay.example/town/news/", b"https://bay.example/")
        found = re.sub(rb"""(["'(=\s,>])/town/news/""", rb"\1/", found)
        assert found == root[path], path
        addresses = re.findall(rb"""(?:href|src|action|data-here|url)=["']?(/(?!/)[^"'\s>]*)""", body)
        addresses += re.findall(rb"(?<=[\s\"])(/(?!/)\S+) \d+w", body)
        assert all(one.startswith(b"/town/news/") for one in addresses), (path, addresses)
    assert b'"/town/news/drought/"' in below["data.json"]
    assert b"https://bay.example/town/news/data.json" in below["index.html"]


def test_what_is_written_in_markdown_from_the_root_means_the_root_of_the_site(sites: Any) -> None:
    body = tree(sites("https://bay.example/blog"))["flood/index.html"].decode()
    assert '<a href="/blog/drought/#top">from the root</a>' in body
    assert '<a href="/blog/drought/">by name</a>' in body
    assert '<a href="https://bay.example/other/">elsewhere</a>' in body
    assert '<a href="../drought/">beside</a>' in body
    assert 'src="/blog/media/flood.txt"' in body
    assert 'href="/blog/search/"' in body
    assert 'href="//cdn.example/x"' in body


def test_feeds_and_sitemaps_name_each_page_once_below_the_path(sites: Any) -> None:
    built = tree(sites("https://bay.example/blog"))
    locations = [one.text for one in ElementTree.fromstring(built["sitemap.xml"]).iter() if one.tag.endswith("loc")]
    assert "https://bay.example/blog/flood/" in locations
    assert all(str(one).startswith("https://bay.example/blog/") for one in locations)
    feed = built["feed.xml"].decode()
    assert "https://bay.example/blog/drought/#top" in feed, "links in the content are whole, too"
    assert "blog/blog" not in feed
    assert b"Sitemap: https://bay.example/blog/sitemap.xml" in built["robots.txt"]


def test_the_server_answers_below_the_path_alone(sites: Any) -> None:
    site = sites("https://bay.example/blog")
    client = Client(site)
    assert client.get("/blog/flood/").body == tree(site)["flood/index.html"]
    assert client.get("/blog/media/flood.txt").body == b"flood"
    style = re.search(r'href="(/blog/static/[^"]+)"', client.get("/blog/").text)
    assert style is not None
    assert client.get(style[1]).status == 200
    assert client.get("/flood/").status == 404
    assert client.get("/blogger/").status == 404
    assert "/blog/static/" in client.get("/nothing/").text, "it is the site's own page that says so"
    for asked, leads in {
        "/": "/blog/",
        "/blog": "/blog/",
        "/blog?a=b": "/blog/?a=b",
        "/blog/flood": "/blog/flood/",
        "/blog/s/flood/": "/blog/flood/",
        "/blog/old/": "/blog/flood/",
        "/blog/lucky/": "/blog/",
        "/blog/away/": "https://elsewhere.example/",
    }.items():
        answer = client.get(asked)
        assert (asked, answer.headers.get("location")) == (asked, leads), answer


def test_a_build_is_asked_as_a_host_has_it(sites: Any) -> None:
    client = Client(build=sites("https://bay.example/blog").folder / "build", base_path="/blog")
    assert "<h1>Flood</h1>" in client.get("/blog/flood", follow=True).text
    assert client.get("/flood/").status == 404


@pytest.mark.parametrize(
    ("mount", "path"), [("", "/apps/blog/flood/"), ("/apps", "/blog/flood/"), ("/apps/blog", "/flood/")]
)
def test_a_wsgi_server_may_mount_it_anywhere_on_the_way(sites: Any, mount: str, path: str) -> None:
    from toolkit.server.client import get

    site = sites("https://bay.example/apps/blog")
    assert get(site.wsgi, path, mount=mount).body == tree(site)["flood/index.html"]


def test_the_checks_follow_links_below_the_path(sites: Any) -> None:
    site = sites("https://bay.example/blog")
    report = check_site(site, Wanted(workers=1, parity=True))
    assert [
        one.message for one in report.findings if one.id.startswith(("links", "assets", "parity", "canonical"))
    ] == []


def test_who_writes_from_the_root_of_the_host_is_told(sites: Any) -> None:
    site = sites("https://bay.example/blog")
    (site.folder / "templates/404.html").write_text(
        '<a href="/flood/">x</a><img src="/favicon.ico" alt=""><a href="/x/">'
    )
    (site.folder / "static/site.css").write_text("main { background: url(/favicon.ico) }")
    report = check_site(site, Wanted(workers=1))
    told = [(one.url, one.message) for one in report.findings if one.id == "links.outside"]
    assert ("/404.html", "/flood/ leads to the root of the host, and the site is below /blog") in told
    assert ("/404.html", "/favicon.ico leads to the root of the host, and the site is below /blog") in told
    assert any(url.endswith(".css") for url, _ in told)
    assert not any("/x/" in message for _, message in told), "it may be another site of the host"


def test_another_path_makes_every_page_anew(sites: Any) -> None:
    site = sites("https://bay.example")
    settings = (site.folder / "toolkit.toml").read_text()
    (site.folder / "toolkit.toml").write_text(settings.replace("bay.example", "bay.example/blog"))
    site.databases.close()
    forget_modules(site.folder)
    moved = load_site(site.folder).prepare()
    with moved:
        report = Builder(moved, workers=1).build()
        found = tree(moved)
        Builder(moved, workers=1, clean=True).build()
    assert found == tree(moved)
    assert b'href="/blog/flood/"' in found["index.html"]
    assert report.rendered == report.pages > 0
    moved.databases.close()


@pytest.mark.parametrize("url", ["https://bay.example/a//b", "https://bay.example/../x", "https://bay.example/a b"])
def test_a_path_that_browsers_would_write_another_way_is_refused(tmp_path: Path, url: str) -> None:
    from toolkit.errors import ToolkitError

    (tmp_path / "toolkit.toml").write_text(f'base_url = "{url}"\n')
    with pytest.raises(ToolkitError, match=r"its path may have letters, digits"):
        load_site(tmp_path)
