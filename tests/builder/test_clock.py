"""Rows appear and vanish on time: in pages, lists, feeds, sitemaps, search and files; and it is known beforehand."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from toolkit.builder import Builder, Manifest
from toolkit.builder.foresight import Foresight
from toolkit.testing import temporary_site

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOURS = (-100, -6, 0, 6, 7, 30, 31, 54, 200, 7, -100)
"""Instants, in hours from noon; the last ones go back."""

MODELS = """
class Section(models.Model):
    name = models.CharField(max_length=60)
    slug = models.SlugField()

class Story(models.Model):
    title = models.CharField(max_length=60)
    slug = models.SlugField()
    body = models.MarkdownField(blank=True)
    section = models.ForeignKey(Section, on_delete=models.CASCADE, related_name="stories")
    photo = models.FileField(upload_to="photos", blank=True)
    published = models.DateTimeField()
    expires = models.DateTimeField(null=True)
    search = models.Search(title=2, body=1)
    def __str__(self): return self.title
    class Meta:
        ordering = ["-published"]
        public = Q(published__lte=Now()) & ~Q(expires__lte=Now())
"""
PAGES = """
import json
from toolkit import url_for
from toolkit.feeds import Feed
from toolkit.models import Count, Max

@app.page("/", template="home.html")
def home():
    return {"stories": Story.objects.all()[:3], "latest": Story.objects.aggregate(at=Max("published"))}

@app.page("/still/")
def still():
    return "<p>never changes</p>"

@app.listing("/<slug>/", each=Section.objects.all(), template="section.html", per_page=1)
def section(section):
    return section.stories.all()

@app.page("/<section__slug>/<slug>/", each=Story.objects.all(), template="story.html")
def story(story):
    return {}

def days():
    before = None
    for day in sorted({str(s.published.date()) for s in Story.objects.all()}):
        yield {"day": day, "before": before}
        before = day

@app.page("/days/<day>/", each=days)
def of_day(day, before):
    return f"<p>{day} {before} {Story.objects.filter(published__date=day).count()}</p>"

@app.page("/found.json")
def found():
    return json.dumps([[s.title, url_for(s)] for s in Story.objects.search("ferry")])

@app.page("/upcoming/")
def upcoming():
    return str(Story.objects.filter(expires__gt=Now()).count())

@app.feed("/feed.xml", formats=["rss", "atom", "json"])
def feed():
    return Feed(title="All", items=Story.objects.all())

app.sitemap()
"""
FILES = {
    "templates/home.html": "{{ latest.at }}"
    "{% for s in stories %}<a href='{{ url_for(s) }}'>{{ s.title }}</a>{% endfor %}",
    "templates/section.html": "{{ section.name }} {{ section.stories.count() }} {{ listing.items|join }}",
    "templates/story.html": "{{ story.title }}{% if story.photo %}<img src='{{ story.photo.url }}'>{% endif %}",
}
SETTINGS = 'title = "Bay"\nbase_url = "https://bay.example"\n'


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def bay(tmp_path: Path) -> Any:
    """Four stories: one always there, one from six hours on, one until thirty, and one between, with a photo."""
    with temporary_site(tmp_path / "site", FILES, models=MODELS, pages=PAGES, settings=SETTINGS) as site:
        section, story = (next(m for m in site.models if m.__name__ == name) for name in ("Section", "Story"))
        town = section.objects.create(name="Town", slug="town")
        for slug, begins, ends in (("old", -99, None), ("soon", 6, None), ("brief", -9, 30), ("between", 7, 54)):
            row = story(
                title=f"The ferry {slug}", slug=slug, section=town, published=NOON + timedelta(hours=begins),
                expires=NOON + timedelta(hours=ends) if ends is not None else None, body=f"A ferry, {slug}.",
            )  # fmt: skip
            if slug == "between":
                path = tmp_path / "photo.jpg"
                path.write_bytes(b"photo")
                with path.open("rb") as file:
                    row.photo.save("pier.jpg", file, save=False)
            row.save()
        yield site


def build(site: Any, name: str, hours: float, **options: Any) -> Any:
    return Builder(
        site, output=site.folder.parent / name, workers=1, moment=NOON + timedelta(hours=hours), **options
    ).build()


def test_at_each_instant_an_incremental_build_equals_a_clean_one(bay: Any) -> None:
    for place, hours in enumerate(HOURS):
        build(bay, "out", hours)
        build(bay, f"clean{place}", hours)
        assert tree(bay.folder.parent / "out") == tree(bay.folder.parent / f"clean{place}"), hours


@pytest.mark.parametrize(
    ("slug", "hours", "there"),
    [
        ("soon", 5.99, False),
        ("soon", 6, True),
        ("brief", 29.99, True),
        ("brief", 30, False),
        ("between", 6.99, False),
        ("between", 7, True),
        ("between", 54, False),
    ],
)
def test_a_row_is_in_everything_or_in_nothing(bay: Any, slug: str, hours: float, there: bool) -> None:
    build(bay, "out", hours)
    files = tree(bay.folder.parent / "out")
    told = {path for path, body in files.items() if f"ferry {slug}".encode() in body}
    everywhere = {"found.json", "feed.xml", "feed.atom", "feed.json", f"town/{slug}/index.html"}
    assert told >= everywhere if there else told == set()
    assert (f"/town/{slug}/".encode() in files["sitemap.xml"]) == there
    if slug == "between":
        assert any(path.endswith("pier.jpg") for path in files) == there


def test_what_an_instant_changes_is_known_before(bay: Any) -> None:
    build(bay, "out", 0)
    manifest = Manifest(bay.folder.parent / "out.manifest.db", reading=True)
    moments = [NOON + timedelta(hours=hours) for hours in (6, 7, 30, 54)]
    coming = list(Foresight(bay, manifest).look(NOON, moments))
    manifest.close()
    before, hours = tree(bay.folder.parent / "out"), (6, 7, 30, 54)
    for one, hour in zip(coming, hours, strict=True):
        build(bay, "out", hour)
        after = tree(bay.folder.parent / "out")
        pages = {path for path in before.keys() | after.keys() if not path.endswith((".jpg", ".db"))}
        really = {path for path in pages if before.get(path) != after.get(path)}
        foreseen = {
            os.path.join(url.lstrip("/"), "index.html") if url.endswith("/") else url.lstrip("/")
            for url in (*one.changed, *one.new, *one.gone)
        }
        assert really <= foreseen, (hour, really - foreseen)
        assert {"still/index.html", "days/2026-02-25/index.html"}.isdisjoint(foreseen)
        before = after
    assert ["/town/soon/" in coming[0].new, "/town/between/" in coming[1].new] == [True, True]
    assert "/town/brief/" in coming[2].gone
