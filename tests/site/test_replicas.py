"""A primary and a replica of it, two real servers: who is read, how far behind, and what if one of them is gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.replicas import KINDS, Pair, replicated
from toolkit import migrations
from toolkit.builder import Builder
from toolkit.errors import DatabaseError, DatabaseUnavailable, StaleInstanceError
from toolkit.testing import temporary_site

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MODELS = """
class Story(models.Model):
    title = models.CharField(max_length=40)
    version = models.VersionField()

    class Meta:
        ordering = ["pk"]


class Wire(models.Model):
    title = models.CharField(max_length=40)

    class Meta:
        database = "archive"
        managed = False
        db_table = "press_wire"
        ordering = ["pk"]
"""
PAGES = """
from .models import Story, Wire

@app.page("/", template="stories.html")
def home():
    return {"stories": Story.objects.all()}

@app.page("/wires/", template="stories.html")
def wires():
    return {"stories": Wire.objects.all()}

@app.page("/about/", template="about.html")
def about():
    return {}
"""
TEMPLATES = {
    "templates/stories.html": "{% for story in stories %}{{ story.title }} {% endfor %}",
    "templates/about.html": "about",
}


@pytest.fixture(scope="module", params=KINDS)
def servers(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with replicated(request.param) as pair:
        yield pair


@pytest.fixture
def pair(servers: Pair) -> Pair:
    servers.start()
    return servers


@pytest.fixture
def site(pair: Pair, tmp_path: Path) -> Iterator[Any]:
    """A site with one story, which is on both servers."""
    settings = (
        f'database = "{pair.primary.url}"\n'
        f'databases.copy = {{url = "{pair.replica.url}", replica_of = "default"}}\n'
        f'databases.archive = {{url = "{pair.replica.url}", read_only = true}}\n'
    )
    with temporary_site(tmp_path, TEMPLATES, models=MODELS, pages=PAGES, settings=settings) as made:
        made.database.execute("DROP VIEW IF EXISTS press_wire")
        made.database.execute("DROP TABLE IF EXISTS press_story")
        migrations.create_tables(made.database, [story_of(made)])
        made.database.execute("CREATE VIEW press_wire AS SELECT id, title FROM press_story")
        with made:
            story_of(made).objects.create(title="Flood")
        pair.catch_up()
        yield made
        made.databases.close_all()


def story_of(site: Any) -> Any:
    return next(model for model in site.models if model.__name__ == "Story")


def titles(site: Any) -> list[str]:
    """What a view reads that wrote nothing."""
    with site:
        return [story.title for story in story_of(site).objects.all()]


def asked(site: Any, alias: str) -> int:
    return int(site.databases[alias].queries)


def build(site: Any, **options: Any) -> set[str]:
    """The URLs that were rendered."""
    report = Builder(site, moment=NOON, workers=1, **options).build()
    return {event.subject for event in report.events if event.kind == "rendered"}


def test_what_is_written_on_the_primary_is_read_on_the_replica(site: Any, pair: Pair) -> None:
    before = asked(site, "default")
    assert titles(site) == ["Flood"]
    with site:
        assert story_of(site).objects.filter(title__startswith="F").exists()
    assert (asked(site, "copy") > 0, asked(site, "default") == before) == (True, True)
    with site:
        story_of(site).objects.create(title="Ferry")
    pair.catch_up()
    assert titles(site) == ["Flood", "Ferry"]


def test_whoever_writes_reads_what_they_wrote_however_far_the_replica_is_behind(site: Any, pair: Pair) -> None:
    story = story_of(site)
    with pair.lagging():
        with site:
            story.objects.create(title="Ferry")
            assert story.objects.count() == 2
            assert story.objects.get(title="Ferry").version == 1
        assert titles(site) == ["Flood"]
        with site, site.database.atomic():
            assert story.objects.count() == 2
        with site:
            assert story.objects.get_or_create(title="Ferry")[1] is False
        with site:
            assert story.objects.update_or_create(title="Ferry", defaults={"title": "Harbour"})[1] is False
        with site:
            assert story.objects.filter(title="Harbour").delete() == {"press.Story": 1}
        with site, site.database.atomic():
            assert story.objects.select_for_update().get().title == "Flood"


def test_a_row_that_was_read_late_does_not_go_over_a_newer_one_that_has_a_version(site: Any, pair: Pair) -> None:
    story = story_of(site)
    with pair.lagging():
        with site:
            story.objects.filter(title="Flood").update(title="Flooded")
            newer = story.objects.get()
            newer.save()
        with site:
            late = story.objects.get()
            assert late.title == "Flood"
            late.title = "Overwritten"
            with pytest.raises(StaleInstanceError):
                late.save()
            late.refresh_from_db()
            assert late.title == "Flooded"


def test_nothing_is_written_on_the_replica(site: Any) -> None:
    told = r"(?i)read.only.*databases\.copy says replica_of = 'default'.*Write to 'default'"
    with site, pytest.raises(DatabaseError, match=told):
        story_of(site).objects.using("copy").update(title="x")
    assert titles(site) == ["Flood"]


def test_pages_are_made_from_the_primary_while_the_replica_is_behind_or_gone(site: Any, pair: Pair) -> None:
    assert build(site) == {"/", "/wires/", "/about/"}
    with pair.lagging():
        with site:
            story_of(site).objects.update(title="Ferry")
        assert build(site) == {"/"}
    assert (site.folder / "build" / "index.html").read_text().strip() == "Ferry"


def test_pages_of_a_replica_that_stands_for_itself_follow_what_arrives(site: Any, pair: Pair) -> None:
    """Nothing can be put into it, and its rows change by no statement of anybody's."""
    build(site)
    with site:
        story_of(site).objects.update(title="Ferry")
    pair.catch_up()
    assert build(site) == {"/", "/wires/"}
    assert (site.folder / "build" / "wires" / "index.html").read_text().strip() == "Ferry"
    assert build(site) == set()


def test_a_replica_that_is_gone_is_named_and_read_again_when_it_is_back(site: Any, pair: Pair) -> None:
    assert titles(site) == ["Flood"]
    pair.replica.kill()
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable, match=rf"127\.0\.0\.1:{pair.replica.port}.*"):
            titles(site)
    with site:
        assert story_of(site).objects.using("default").count() == 1
        story_of(site).objects.create(title="Ferry")
        assert story_of(site).objects.count() == 2
    pair.replica.start()
    pair.catch_up()
    assert titles(site) == ["Flood", "Ferry"]


def test_a_primary_that_is_gone_is_read_on_the_replica_and_refuses_to_be_written(site: Any, pair: Pair) -> None:
    assert titles(site) == ["Flood"]
    pair.primary.kill()
    assert titles(site) == ["Flood"]
    with site, pytest.raises(DatabaseUnavailable, match=rf"127\.0\.0\.1:{pair.primary.port}"):
        story_of(site).objects.create(title="Lost")
    pair.primary.start()
    with site:
        story_of(site).objects.create(title="Ferry")
    pair.catch_up()
    assert titles(site) == ["Flood", "Ferry"]
