"""What a reader may not see does not exist: nothing of an embargoed story is in any file of the build."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

PAGES = """
from toolkit.models import Count, Max
from toolkit.sitemaps import News, Sitemap

@app.context_processor
def everywhere(): return {"ticker": Story.objects.all()}

@app.page("/", template="home.html")
def home():
    return {
        "stories": Story.objects.all(),
        "joined": Story.objects.select_related("author", "lead").order_by("slug"),
        "sections": Section.objects.annotate(n=Count("stories"), last=Max("stories__published")),
        "values": list(Story.objects.values("title", "author__name", "lead__title")),
        "names": list(Story.objects.values_list("lead__title", flat=True)),
        "by": list(Story.objects.order_by("author__name").values_list("title", flat=True)),
        "found": list(Section.objects.filter(stories__title__contains="Xylograph").values_list("name", flat=True)),
        "total": Story.objects.count(),
        "bulk": Story.objects.in_bulk([1, 2, 3, 4]),
        "any": Story.objects.filter(title__contains="Xylograph").exists(),
        "tops": Story.objects.aggregate(m=Max("title")),
        "prefetched": list(Section.objects.prefetch_related("stories", "stories__author")),
    }

@app.listing("/<slug>/", each=Section.objects.all(), template="section.html", per_page=1)
def section(section): return section.stories.all()

@app.listing("/tags/<slug>/", each=Tag.objects.all(), template="tag.html", per_page=1)
def tag(tag): return tag.stories.all()

@app.page("/<section__slug>/<slug>/", each=Story.objects.all(), template="story.html",
          sitemap=News(lastmod="published", title="title"))
def story(story): return {"related": story.related(9)}

@app.page("/by/<pk>/", each=Author.objects.all(), template="author.html")
def author(author): return {}

@app.page("/all.json")
def everything():
    import json
    return json.dumps([[s.title, s.slug, str(s.author), str(s.lead), url_for(s)] for s in Story.objects.all()])

@app.feed("/feed.xml", formats=["rss", "atom", "json"])
def feed(): return Feed(title="All", items=Story.objects.all())

app.sitemap("/sitemap.xml")
app.sitemap("/news.xml", news=True)
app.robots()
app.error_page(404, template="home404.html")
"""
MODELS = """
class Section(models.Model):
    name = models.CharField(max_length=60)
    slug = models.SlugField()
    def __str__(self): return self.name

class Tag(models.Model):
    name = models.CharField(max_length=60)
    slug = models.SlugField()
    def __str__(self): return self.name

class Author(models.Model):
    name = models.CharField(max_length=60)
    hidden = models.BooleanField(default=False)
    def __str__(self): return self.name
    class Meta:
        public = Q(hidden=False)

class Story(models.Model):
    title = models.CharField(max_length=60)
    slug = models.SlugField()
    body = models.MarkdownField(blank=True)
    section = models.ForeignKey(Section, on_delete=models.CASCADE, related_name="stories")
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="stories")
    lead = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="followers")
    tags = models.ManyToManyField(Tag, related_name="stories")
    published = models.DateTimeField()
    expires = models.DateTimeField(null=True)
    related = models.Similar("tags")
    def __str__(self): return self.title
    class Meta:
        ordering = ["-published"]
        public = Q(published__lte=Now()) & ~Q(expires__lte=Now())
"""
LIST = """
{% for s in %s %}{{ s.title }} {{ s.author }} {{ s.author.name if s.author }} {{ s.lead }} {{ url_for(s) }}{% endfor %}
"""
BASE = """
<html><head>{{ page.head }}</head><body>
%s{% block body %}{% endblock %}</body></html>
""".replace("%s", LIST.replace("%s", "ticker"))
HOME = """
{% for s in sections %}{{ s.name }} {{ s.n }} {{ s.last }} {{ s.stories.count() }}{{ s.stories.all()|join }}{% endfor %}
{% for s in prefetched %}{{ s.stories.all()|join }}{% endfor %}
{{ values }} {{ names }} {{ by }} {{ found }} {{ total }} {{ any }} {{ tops }}
"""
STORY = """
{{ story.title }} {{ story.body|markdown }} {{ story.author }} {{ story.lead }} {{ story.followers.all()|join }}
{{ story.tags.all()|join }}{{ related|join }}{{ story.section.stories.count() }}
{{ story.author.stories.count() if story.author }}
"""
LISTING = "{{ listing.total }}" + LIST.replace("%s", "listing.items")


def extending(body: str) -> str:
    return '{% extends "base.html" %}{% block body %}' + body + "{% endblock %}"


TEMPLATES = {
    "base.html": BASE,
    "home404.html": extending("{{ status }}"),
    "home.html": extending(HOME + "".join(LIST.replace("%s", name) for name in ("stories", "joined", "bulk.values()"))),
    "section.html": extending(LISTING),
    "tag.html": extending(LISTING),
    "story.html": extending(STORY),
    "author.html": extending("{{ author.name }}{{ author.stories.all()|join }}"),
}
WORDS = ("Xylograph", "xylograph", "Ghostwriter")


@pytest.fixture
def paper(make_site: Any, models_of: Any) -> Any:
    """Four stories; the one with the rare word appears at noon and expires a day later. One author is hidden."""
    site = make_site(PAGES, models=MODELS, templates=TEMPLATES)
    m = models_of(site)
    noon = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
    with site:
        town = m.Section.objects.create(name="Town", slug="town")
        ines = m.Author.objects.create(name="Ines")
        ghost = m.Author.objects.create(name="Ghostwriter", hidden=True)
        tag = m.Tag.objects.create(name="Sea", slug="sea")
        rare = m.Story.objects.create(
            title="Zz Xylograph", slug="xylograph", body="A xylograph.", section=town, author=ines, published=noon,
            expires=noon + timedelta(days=1),
        )  # fmt: skip
        for number in range(3):
            row = m.Story.objects.create(
                title=f"Story {number}", slug=f"s{number}", section=town, author=(ines, ghost)[number % 2], lead=rare,
                published=noon - timedelta(days=number + 1), body="x",
            )  # fmt: skip
            row.tags.set([tag])
        rare.tags.set([tag])
    return site


@pytest.mark.parametrize("hours", [-48, -0.0003, 24, 24.0003, 999])
def test_no_file_tells_of_a_story_before_its_hour_or_after_its_end(paper: Any, build: Any, hours: float) -> None:
    moment = datetime.fromisoformat("2026-03-01T12:00:00+00:00") + timedelta(hours=hours)
    _, files = build(paper, moment=moment)
    assert len(files) > 5
    leaks = [(name, word) for name, text in files.items() for word in WORDS if word in name or word in text]
    assert not leaks


def test_the_story_is_everywhere_from_its_hour_on_and_leaves_without_a_trace(paper: Any, build: Any) -> None:
    noon = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
    _, before = build(paper, moment=noon - timedelta(seconds=1))
    assert '"Ghostwriter' not in "".join(before.values())
    _, during = build(paper, moment=noon)
    shown = {name for name, text in during.items() if "Xylograph" in text}
    assert {
        "index.html",
        "town/xylograph/index.html",
        "feed.xml",
        "feed.json",
        "news.xml",
        "all.json",
        "by/1/index.html",
    } <= shown
    assert "Ghostwriter" not in "".join(during.values())
    _, after = build(paper, moment=noon + timedelta(days=1))
    assert not [name for name, text in after.items() if "Xylograph" in text or "xylograph" in name]
