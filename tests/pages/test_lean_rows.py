"""A sitemap whose declaration names a property: it is another one when what the property reads is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

MODELS = """
class Section(Model):
    slug = SlugField(unique=True)
    changed = DateField(null=True)

class Story(Model):
    title = CharField(max_length=40)
    slug = SlugField(unique=True)
    headline = CharField(max_length=40, translated=True, blank=True)
    published = DateField()
    corrected = DateField(null=True)
    section = ForeignKey(Section, on_delete=CASCADE, related_name="stories")

    @property
    def updated(self):
        if self.slug == "odd":
            return self.corrected or self.published
        return self.published

    @property
    def of_section(self):
        return self.section.changed

    @property
    def of_headline(self):
        return self.published if self.headline else None

    @property
    def wrong(self):
        return self.nothing
"""
PAGES = """
@app.page("/<slug>/", each={each}, sitemap=Sitemap(lastmod="{name}"))
def story(story): return story.title

app.sitemap()
"""
EVERY = "Story.objects.all()"


@pytest.fixture
def paper(make_site: Any, models_of: Any, build: Any) -> Callable[..., Any]:
    """(models, a function that builds and tells whether the sitemap was rendered, and what dates it has)."""

    def make(name: str, each: str = EVERY, settings: str = "") -> Any:
        site = make_site(PAGES.format(name=name, each=each), models=MODELS, settings=settings)
        models = models_of(site)
        with site:
            section = models.Section.objects.create(slug="town", changed="2026-01-09")
            for number, slug in enumerate(("even", "odd", "other"), 1):
                models.Story.objects.create(title="x", slug=slug, published=f"2026-01-0{number}", section=section)

        def run() -> tuple[bool, list[str]]:
            report, files = build(site)
            rendered = any(event.subject == "/sitemap.xml" and event.kind == "rendered" for event in report.events)
            return rendered, [part.partition("<")[0][-2:] for part in files["sitemap.xml"].split("<lastmod>")[1:]]

        return site, models, run

    return make


@pytest.mark.parametrize(
    "each",
    [
        EVERY,
        'Story.objects.exclude(slug="nobody").order_by("published")',
        'Story.objects.order_by("slug").distinct()',
        'Story.objects.annotate(n=F("pk"))',
        'Story.objects.select_related("section")',
        'Story.objects.prefetch_related("section")',
        "Story.objects.fetch_mode(FETCH_ONE)",
    ],
)
def test_it_follows_what_the_property_reads(paper: Any, each: str) -> None:
    site, models, run = paper("updated", each)
    assert run() == (True, ["01", "02", "03"])
    with site:
        models.Story.objects.filter(slug="other").update(published="2026-01-05")
    assert run() == (True, ["01", "02", "05"])
    with site:  # a column that it reads of one row only, and not of the first
        models.Story.objects.filter(slug="odd").update(corrected="2026-01-06")
    assert run() == (True, ["01", "06", "05"])
    with site:
        models.Story.objects.filter(slug="even").delete()
    assert run() == (True, ["06", "05"])


def test_a_headline_is_nothing_to_a_sitemap_that_does_not_read_it(paper: Any) -> None:
    site, models, run = paper("updated")
    run()
    with site:
        models.Story.objects.filter(slug="even").update(title="y", headline="z")
        models.Section.objects.update(changed=None)
    assert run() == (False, ["01", "02", "03"])


def test_it_follows_relations(paper: Any) -> None:
    site, models, run = paper("of_section")
    assert run()[1] == ["09"] * 3
    with site:
        models.Section.objects.update(changed="2026-01-08")
    assert run() == (True, ["08"] * 3)
    with site:
        other = models.Section.objects.create(slug="other", changed="2026-01-07")
        models.Story.objects.filter(slug="odd").update(section=other)
    assert run() == (True, ["08", "07", "08"])


def test_it_follows_translated_values(paper: Any) -> None:
    site, models, run = paper("of_headline", settings='locales = ["en", "es"]')
    assert run()[1] == []
    with site:
        models.Story.objects.filter(slug="odd").update(headline="Odd")
    rendered, found = run()
    assert rendered
    assert found == ["02", "02"]


def test_a_property_that_fails_is_told_of_its_row(paper: Any) -> None:
    *_, run = paper("wrong")
    with pytest.raises(Exception, match="has no 'wrong'"):
        run()


def test_there_may_be_no_rows(paper: Any) -> None:
    site, models, run = paper("updated")
    with site:
        models.Story.objects.all().delete()
    assert run() == (True, [])
    with site:
        section = models.Section.objects.get()
        models.Story.objects.create(title="x", slug="new", published="2026-01-04", section=section)
    assert run() == (True, ["04"])
