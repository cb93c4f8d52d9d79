"""Links to rows in Markdown: ``[the flood](story:flood)``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from toolkit.builder import Builder
from toolkit.errors import Problems
from toolkit.testing import temporary_site
from toolkit.trace import entered

MODELS = """
class Story(models.Model):
    slug = models.SlugField()
    body = models.MarkdownField(blank=True)
    published = models.DateTimeField()

    class Meta:
        public = models.Q(published__lte=models.Now())
"""
PAGES = """
from .models import Story

@app.page("/<slug>/", each=Story.objects.all(), template="story.html")
def story(story):
    return {}
"""
BEFORE, AFTER = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Any]:
    templates = {"templates/story.html": "{{ story.body|markdown }}"}
    with temporary_site(tmp_path / "site", templates, models=MODELS, pages=PAGES) as made:
        yield made


def write(site: Any, slug: str, body: str, published: datetime) -> None:
    with entered(site.scope()):
        site.models[0].objects.create(slug=slug, body=body, published=published)


def test_a_link_to_a_hidden_story_is_plain_text_until_the_story_is_published(site: Any) -> None:
    write(site, "river", "See [the flood](story:flood#dams).", BEFORE)
    write(site, "flood", "Water.", datetime(2026, 3, 2, tzinfo=UTC))
    page = site.folder / "build" / "river" / "index.html"
    Builder(site, moment=BEFORE).build()
    assert page.read_text() == "<p>See <a>the flood</a>.</p>\n"
    Builder(site, moment=AFTER).build()
    assert page.read_text() == '<p>See <a href="/flood/#dams">the flood</a>.</p>\n'
    Builder(site, moment=BEFORE).build()
    assert page.read_text() == "<p>See <a>the flood</a>.</p>\n"


def test_a_link_to_no_story_at_all_stops_the_build_and_names_the_nearest(site: Any) -> None:
    write(site, "river", "See [the flood](story:flod).", BEFORE)
    write(site, "flood", "Water.", BEFORE)
    with pytest.raises(Problems, match=r"'story:flod' leads to no published story.*Did you mean 'flood'"):
        Builder(site, moment=AFTER).build()
