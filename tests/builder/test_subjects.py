"""Pages whose subjects a function gives: rendered when their own subject is another, and not for the others' sake."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.builder.conftest import NOON
from tests.builder.given import add_given
from tests.cli.test_impact import a_place_on
from tests.servers import SERVERS
from toolkit.builder import Builder
from toolkit.cli.main import cli
from toolkit.testing import Client, temporary_site

MODELS = """
class Story(models.Model):
    slug = models.SlugField(unique=True)
    month = models.IntegerField()
    body = models.MarkdownField(blank=True)
"""
PAGES = """
from pathlib import Path
from toolkit.trace import current

def asset(name):
    return current.get().site.asset(name)

FILE = Path(__file__).parent.parent / "votes.txt"

def months():
    found = sorted(set(Story.objects.values_list("month", flat=True)))
    for place, month in enumerate(found):
        yield {"month": month, "before": found[place - 1] if place else None}

@app.page("/months/<int:month>/", each=months)
def in_month(month, before):
    return f"{month} after {before}"

def wrapped():
    return [{"slug": story.slug, "story": story} for story in Story.objects.all()]

@app.page("/wrapped/<slug>/", each=wrapped)
def of_wrapped(slug, story):
    return str(story.body)

def held():
    return [{"slug": story.slug, "story": story, "ask": lambda: 0} for story in Story.objects.all()]

@app.page("/held/<slug>/", each=held)
def of_held(slug, story, ask):
    return str(story.body)

def icons():
    for story in Story.objects.all():
        yield {"slug": story.slug, "icon": asset(f"icon-{story.month}.svg")}

@app.page("/icons/<slug>/", each=icons)
def of_icon(slug, icon):
    return icon

def asked():
    for month in sorted(set(Story.objects.values_list("month", flat=True))):
        yield {"month": month, "stories": Story.objects.filter(month=month).order_by("pk")}

@app.page("/asked/<int:month>/", each=asked)
def of_asked(month, stories):
    return " ".join(story.slug for story in stories)

def votes():
    return [{"slug": line.split()[0], "text": line} for line in FILE.read_text().splitlines()]

@app.page("/votes/<slug>/", each=votes)
def vote(slug, text):
    return text

def asking():
    count = Story.objects.count()
    return [{"slug": "asking", "ask": lambda: count}]

@app.page("/<slug>/", each=asking)
def ask(slug, ask):
    return str(ask())

@app.page("/")
def home():
    return "home"
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Any]:
    files = {f"static/icon-{month}.svg": f"<svg>{month}</svg>" for month in range(1, 7)}
    with temporary_site(tmp_path, {"votes.txt": "yes 1\nno 2\n", **files}, models=MODELS, pages=PAGES) as made:
        Story = story_of(made)
        for month in (1, 3, 5):
            Story.objects.create(slug=f"in-{month}", month=month, body=f"text {month}")
        yield made


def story_of(site: Any) -> Any:
    return next(model for model in site.models if model.__name__ == "Story")


@pytest.fixture
def build(site: Any) -> Callable[[], dict[str, str]]:
    """Builds; gives the pages that were rendered, with the reasons."""

    def run() -> dict[str, str]:
        report = Builder(site, workers=1).build()
        return {event.subject: event.reason for event in report.events if event.kind == "rendered"}

    return run


def told(rendered: dict[str, str]) -> dict[str, str]:
    """Without pages that other tests are about."""
    return {url: reason for url, reason in rendered.items() if not url.startswith(("/held/", "/icons/", "/asked/"))}


def read(site: Any, url: str) -> str:
    return str((site.folder / f"build{url}index.html").read_text("utf-8"))


def test_a_new_row_renders_the_pages_whose_subject_it_changes(site: Any, build: Any) -> None:
    build()
    story_of(site).objects.create(slug="again", month=3)
    assert told(build()).keys() == {"/asking/", "/wrapped/again/"}
    story_of(site).objects.create(slug="between", month=2)
    assert told(build()) == {
        "/months/2/": "new",
        "/months/3/": "the subject 3 of in_month in en changed",
        "/asking/": "a query on Story changed",
        "/wrapped/between/": "new",
    }
    assert read(site, "/months/3/") == "3 after 2"


def test_a_removed_row_renders_its_neighbour_and_takes_its_page_away(site: Any, build: Any) -> None:
    build()
    story_of(site).objects.get(month=3).delete()
    assert told(build()).keys() == {"/months/5/", "/asking/"}
    assert read(site, "/months/5/") == "5 after 1"
    assert not (site.folder / "build/months/3").exists()


def test_what_was_left_out_of_a_row_within_a_subject_is_an_input_of_each_page_that_shows_it(
    site: Any, build: Any
) -> None:
    """Texts in Markdown are loaded when they are touched, for all the rows that were loaded together."""
    build()
    for month in (1, 3, 5):
        story_of(site).objects.filter(month=month).update(body="*other*")
        rendered = build().keys()
        assert {url for url in rendered if url.startswith("/wrapped/")} == {f"/wrapped/in-{month}/"}
        for kind in ("wrapped", "held"):
            assert "other" in read(site, f"/{kind}/in-{month}/")


def test_a_queryset_within_a_subject_is_asked_by_its_page(site: Any, build: Any) -> None:
    build()
    story_of(site).objects.create(slug="again", month=3)
    assert {url for url in build() if "asked" in url} == {"/asked/3/"}
    assert read(site, "/asked/3/") == "in-3 again"
    story_of(site).objects.filter(slug="again").update(month=5, slug="moved")
    assert {url for url in build() if "asked" in url} == {"/asked/3/", "/asked/5/"}
    assert [read(site, f"/asked/{month}/") for month in (3, 5)] == ["in-3", "in-5 moved"]


def test_assets_that_a_function_names_are_published_while_it_names_them(site: Any, build: Any) -> None:
    def published() -> list[str]:
        return sorted(path.name[:6] for path in (site.folder / "build/static").iterdir())

    build()
    story_of(site).objects.filter(month=1).update(month=6)
    build()
    assert published() == ["icon-3", "icon-5", "icon-6"]


def test_a_file_that_a_function_reads_renders_the_pages_of_the_lines_that_changed(site: Any, build: Any) -> None:
    build()
    (site.folder / "votes.txt").write_text("no 2\nyes 3\nmaybe 4\n")
    assert build().keys() == {"/votes/yes/", "/votes/maybe/"}
    assert build() == {}


def test_a_page_that_nothing_can_stand_for_depends_on_all_that_the_function_read(site: Any, build: Any) -> None:
    build()
    story_of(site).objects.filter(month=1).update(slug="renamed")
    assert "/asking/" not in build()
    story_of(site).objects.filter(month=1).delete()
    assert "/asking/" in build()
    assert read(site, "/asking/") == "2"


def test_subjects_are_not_asked_for_where_nothing_changed_that_they_are_made_from(
    site: Any, build: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    build()
    asked: list[str] = []
    route = site.find_route("in_month")
    monkeypatch.setitem(route.__dict__, "each", lambda: asked.append("months") or [])
    story_of(site).objects.filter(month=1).update(body="another body")
    assert told(build()).keys() == {"/wrapped/in-1/"}
    assert asked == []


def test_every_form_of_subject_is_exact(press: Any) -> None:
    add_given(press)
    press.build()
    hour = timedelta(hours=1)
    changes: list[tuple[str, datetime]] = [
        ("UPDATE press_story SET published = '2026-02-20 12:00:00' WHERE id = 4", NOON),
        ("UPDATE press_story SET weight = 9, title = 'Heavy' WHERE id = 2", NOON),
        ("UPDATE press_story SET body = '*other*', author_id = 1", NOON),
        ("UPDATE press_author SET name = 'Somebody'", NOON + hour),
        ("DELETE FROM press_story_tags WHERE story_id = 5", NOON + hour),
        ("UPDATE press_section SET slug = 'city' WHERE slug = 'town'", NOON + 3 * hour),
        ("UPDATE press_story SET status = 'draft' WHERE id = 3", NOON + 3 * hour),
    ]
    for sql, moment in changes:
        press.sql(sql)
        press.same(moment=moment)


def test_a_paranoid_build_finds_nothing_to_tell(press: Any) -> None:
    add_given(press)
    press.build()
    press.sql("UPDATE press_story SET published = '2026-02-20 12:00:00', weight = 7 WHERE id = 4")
    assert press.build(paranoid=True).differences == []


# telling


def ask(site: Any, *asked: str) -> Any:
    result = CliRunner().invoke(cli, [*asked, "--json", "--site", str(site.folder)])
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_what_a_function_reads_is_told_of_the_pages_that_it_gives_subjects_to(site: Any, build: Any) -> None:
    build()
    assert ask(site, "impact", "file:votes.txt")["read_by"] == ["/votes/no/", "/votes/yes/"]
    impact = ask(site, "impact", "story:in-1")
    assert impact["read_by"] == ["/asked/1/", "/held/in-1/", "/held/in-3/", "/held/in-5/", "/wrapped/in-1/"]
    assert {"/months/1/", "/months/3/", "/wrapped/in-3/"} <= set(impact["queried_by"])
    assert not {"/", "/votes/yes/"} & set(impact["queried_by"])
    inputs = ask(site, "why", "/months/3/")["inputs"]
    assert inputs["subject"] == ["a query on Story"]
    assert "query" not in inputs


def test_the_server_shows_another_subject_at_once(site: Any) -> None:
    client = Client(site)
    assert client.get("/months/5/").text == "5 after 3"
    story_of(site).objects.filter(month=3).delete()
    assert client.get("/months/5/").text == "5 after 1"
    assert client.get("/votes/yes/").text == "yes 1"
    (site.folder / "votes.txt").write_text("yes 2\n")
    assert client.get("/votes/yes/").text == "yes 2"


# what a subject keeps of what a page asked it

KEEPING = """
from functools import cached_property

class Section(models.Model):
    slug = models.SlugField(unique=True)

    @cached_property
    def newest(self):
        return self.stories.order_by("-pk").first()

class Story(models.Model):
    slug = models.SlugField(unique=True)
    section = models.ForeignKey(Section, on_delete=models.CASCADE, related_name="stories")
"""
KEPT = """
from functools import cached_property

class Shelf:
    def __init__(self, section):
        self.slug, self.key = section.slug, section.pk

    @cached_property
    def stories(self):
        return list(Story.objects.filter(section=self.key).order_by("pk"))

@app.listing("/<slug>/", each=Section.objects.all(), template="list.html", per_page=2)
def section(section):
    return section.stories.order_by("-pk")

@app.page("/one/<int:pk>/", each=Story.objects.all(), template="one.html")
def one(story):
    return {}

@app.listing("/shelves/<slug>/", each=lambda: [Shelf(one) for one in Section.objects.all()], template="shelf.html",
             per_page=2, stable=False)
def shelf(shelf):
    return shelf.stories
"""
KEPT_FILES = {
    "templates/one.html": "{{ story.section.newest.slug }}",
    "templates/list.html": "{{ section.newest.slug }}: {% for one in listing.items %}{{ one.slug }} {% endfor %}",
    "templates/shelf.html": "{{ subject.stories[-1].slug }}: {% for one in listing.items %}{{ one.slug }} {% endfor %}",
}


def test_what_a_subject_keeps_for_one_page_is_an_input_of_the_others_too(tmp_path: Path) -> None:
    with temporary_site(tmp_path, KEPT_FILES, models=KEEPING, pages=KEPT) as site:
        town = next(model for model in site.models if model.__name__ == "Section").objects.create(slug="town")
        stories = story_of(site).objects
        for number in range(6):
            stories.create(slug=f"s{number}", section=town)
        Builder(site, workers=1).build()
        for number in range(6):
            stories.filter(slug=f"s{number}").update(slug=f"t{number}")
            Builder(site, workers=1).build()
            pages = [path.read_text() for path in (site.folder / "build").rglob("index.html")]
            assert len(pages) == 12
            assert not any(f"s{number}" in page for page in pages)


# on servers

TYPED = """
import uuid

class Author(models.Model):
    name = models.CharField(max_length=20)

class Story(models.Model):
    slug = models.SlugField(unique=True)
    token = models.UUIDField(default=uuid.uuid4)
    price = models.DecimalField(max_digits=8, decimal_places=2, default=1)
    data = models.JSONField(default=dict)
    published = models.DateTimeField()
    took = models.DurationField(null=True)
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="stories")
    body = models.MarkdownField(blank=True)
"""
TYPED_PAGES = """
def rows():
    return list(Story.objects.select_related("author").order_by("pk"))

@app.page("/rows/<slug>/", each=rows)
def row(story):
    return f"{story.price} {story.data} {story.published} {story.author.name} {story.took} {story.body}"

def authors():
    for author in Author.objects.prefetch_related("stories"):
        yield {"name": author.name, "author": author, "count": len(author.stories.all())}

@app.page("/authors/<name>/", each=authors)
def of_author(name, author, count):
    return f"{name} {count} {[story.slug for story in author.stories.all()]}"

def values():
    yield from Story.objects.values("slug", "token", "price", "data", "published", "took", "author__name")

@app.page("/values/<slug>/", each=values)
def of_values(slug, **more):
    return f"{slug} {more}"
"""


@pytest.mark.parametrize("url", SERVERS, ids=lambda url: url.partition(":")[0])
def test_a_site_that_moves_to_another_kind_of_database_is_built_anew(url: str, tmp_path: Path) -> None:
    """What its pages asked is kept as SQL of the other kind, with marks that this one does not know."""
    pages = """
    @app.page("/")
    def home():
        return " ".join(author.name for author in Author.objects.filter(name__gt="a"))
    """
    with a_place_on(url, tmp_path) as place:
        for database, name in ((f"sqlite:///{tmp_path}/own.db", "ada"), (place, "bob")):
            settings = f'database = "{database}"\n'
            with temporary_site(tmp_path / "site", models=TYPED, pages=pages, settings=settings) as site:
                next(model for model in site.models if model.__name__ == "Author").objects.create(name=name)
                assert Builder(site, workers=1).build().rendered == 1
                assert Builder(site, workers=1).build().rendered == 0
                assert name in read(site, "/")


@pytest.mark.parametrize("url", SERVERS, ids=lambda url: url.partition(":")[0])
def test_values_of_every_type_are_told_apart_on_servers(url: str, tmp_path: Path) -> None:
    with (
        a_place_on(url, tmp_path) as place,
        temporary_site(tmp_path / "site", models=TYPED, pages=TYPED_PAGES, settings=f'database = "{place}"\n') as site,
    ):
        authors, stories = (
            next(model for model in site.models if model.__name__ == name).objects for name in ("Author", "Story")
        )
        for name in ("ada", "bob"):
            author = authors.create(name=name)
            for number in range(2):
                stories.create(
                    slug=f"{name}-{number}", author=author, data={"x": [number]}, published=NOON, body="text",
                    took=timedelta(hours=number) if number else None,
                )  # fmt: skip

        def build() -> set[str]:
            report = Builder(site, workers=1).build()
            return {event.subject for event in report.events if event.kind == "rendered"}

        assert len(build()) == 10
        assert build() == set()
        stories.filter(slug="ada-0").update(data={"x": [7]})
        assert build() == {"/rows/ada-0/", "/values/ada-0/", "/authors/ada/"}
        authors.filter(name="bob").update(name="rob")
        assert build() == {"/authors/rob/", *(f"/{kind}/bob-{n}/" for kind in ("rows", "values") for n in (0, 1))}
        stories.filter(slug="bob-1").update(body="*other*")
        assert build() == {"/rows/bob-1/"}
        stories.filter(slug="bob-0").update(took=timedelta(minutes=1))
        assert build() == {"/rows/bob-0/", "/values/bob-0/", "/authors/rob/"}
        stories.filter(slug="ada-1").delete()
        assert build() == {"/authors/ada/"}
        assert "ada-1" not in read(site, "/authors/ada/")
