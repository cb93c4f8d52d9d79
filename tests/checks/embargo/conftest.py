"""A newspaper that keeps a secret."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = (
    "The minister of fisheries will resign on Monday over the “Ñandú” affair, three people who know of it said. "
    "Her *deputy* takes over [the desk](https://elsewhere.example/desk) before noon."
)
MODELS = """
class Story(models.Model):
    title = models.CharField(max_length=80, translated=True)
    slug = models.SlugField(unique=True)
    body = models.MarkdownField(blank=True, translated=True)
    data = models.JSONField(default=dict)
    photo = models.FileField(upload_to="photos", blank=True)
    kind = models.CharField(max_length=10, choices=[("report", "Report"), ("opinion", "Opinion")], default="report")
    published = models.DateTimeField()
    class Meta:
        ordering = ["slug"]
        public = Q(published__lte=Now())
    def __str__(self): return self.title
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

@app.feed("/feed.xml", formats=["rss", "atom", "json"])
def feed():
    return Feed(title="The Bay", items=Story.objects.all())

@app.view("/search/")
def search(request):
    found = Story.objects.filter(title__contains=request.args.get("q", "-"))
    return Response.template("home.html", stories=found, q=request.args.get("q", ""))

app.sitemap()
"""
FILES = {
    "templates/home.html": "<title>Bay</title>{{ q|default('') }}"
    "{% for s in stories %}<h2>{{ s.title }}</h2>{% endfor %}",
    "templates/story.html": "<title>{{ story.title }}</title>{{ story.body|markdown }}"
    "{% if story.photo %}<img src='{{ story.photo.url }}' alt=''>{% endif %}",
}
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8

SETTINGS = 'title = "The Bay"\nbase_url = "https://bay.example"\nlocales = ["en", "es"]\n'


def story_of(site: Any) -> Any:
    """The model."""
    return next(model for model in site.models if model.__name__ == "Story")


def plant(story: Any) -> None:
    """A public row, and one that is published in a month."""
    story.objects.create(
        title="A quiet day",
        slug="quiet",
        body="Nothing happened at the harbour today, people said.",
        published=NOON.replace(day=1, month=1),
    )
    hidden = story(
        title="Minister to resign", slug="minister-resigns", body=SECRET, published=NOON.replace(month=4),
        data={"sources": ["Quiet Ferryman of Porthaven", 7]},
    )  # fmt: skip
    hidden.photo.save("resignation-letter.jpg", io.BytesIO(JPEG), save=False)
    hidden.save()
    hidden.translate("es", title="La ministra dimitirá", body="La ministra de pesca dimitirá el lunes por la tarde.")
