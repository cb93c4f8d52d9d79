"""A primary and a further database of any two kinds: migrations of each, pages of both, search in either, copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.migrations.conftest import fresh_database
from toolkit import migrations
from toolkit.builder import Builder
from toolkit.errors import DatabaseError, IntegrityError, Problems
from toolkit.testing import temporary_site
from toolkit.trace import entered

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MODELS = """
class Desk(models.Model):
    name = models.CharField(max_length=40)

    class Meta:
        database = "archive"


class Wire(models.Model):
    text = models.CharField(max_length=60)
    desk = models.ForeignKey(Desk, on_delete=models.CASCADE, related_name="wires")

    class Meta:
        database = "archive"
        ordering = ["pk"]


class Story(models.Model):
    title = models.CharField(max_length=40)
    wire = models.ForeignKey(Wire, on_delete=models.DO_NOTHING, db_constraint=False, null=True, related_name="stories")
"""
PAGES = """
from .models import Story, Wire

@app.page("/", template="home.html")
def home():
    return {"stories": Story.objects.order_by("pk"), "wires": Wire.objects.all()}

@app.page("/about/", template="about.html")
def about():
    return {}
"""
TEMPLATES = {
    "templates/home.html": "{% for s in stories %}{{ s.title }}: {{ s.wire.text }};{% endfor %}"
    "{% for w in wires %}{{ w.desk.name }}/{{ w.text }} {% endfor %}",
    "templates/about.html": "about",
    "press/migrations/__init__.py": "",
}
PAIRS = [
    ("sqlite", "sqlite"),
    ("sqlite", "postgresql"),
    ("postgresql", "sqlite"),
    ("sqlite", "mysql"),
    ("mysql", "postgresql"),
]
Make = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(params=PAIRS, ids=["-".join(pair) for pair in PAIRS])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes the site on two fresh databases."""
    for name in ("site", "primary", "further"):
        (tmp_path / name).mkdir()
    with (
        fresh_database(request.param[0], tmp_path / "primary") as primary,
        fresh_database(request.param[1], tmp_path / "further") as further,
    ):

        def make(models: str = MODELS, **files: str) -> AbstractContextManager[Any]:
            settings = f'database = "{primary.url}"\ndatabases.archive = {{url = "{further.url}"}}\n'
            written = {**TEMPLATES, **{f"press/{name}.py": text for name, text in files.items()}}
            return temporary_site(tmp_path / "site", written, models=models, pages=PAGES, settings=settings)

        yield make


def model(site: Any, name: str) -> Any:
    return next(found for found in site.models if found.__name__ == name)


def migrated(site: Any, **options: Any) -> dict[str, list[str]]:
    """Alias to the steps that were done there."""
    found = migrations.migrated_databases(site.databases.homes, site.apps, site.router)
    return {
        one.alias: [str(step) for step in migrations.apply(one, site.apps, router=site.router, **options)]
        for one in found
    }


def tables(site: Any, alias: str) -> set[str]:
    return {name for name in site.databases[alias].table_names() if name.startswith("press_")}


def problems(site: Any) -> list[str]:
    return [
        str(problem)
        for database in site.databases.homes
        for problem in migrations.check(database, site.apps, router=site.router)
    ]


def render(site: Any) -> str:
    Builder(site, moment=NOON, workers=1).build()
    return str((site.folder / "build" / "index.html").read_text())


def test_each_model_is_migrated_where_it_lives_and_pages_are_made_of_both(make: Make) -> None:
    with make() as site:
        (made,) = migrations.make(site.apps)
        assert 'options={"database": "archive", "ordering": ["pk"]}' in made.path.read_text()
        told = problems(site)
        assert any(one.endswith("is not applied. Run: toolkit migrations apply.") for one in told)
        assert any("is not applied in the database 'archive'" in one for one in told)
        done = migrated(site)
        assert done == {"default": ["Apply press.0001_initial"], "archive": ["Apply press.0001_initial"]}
        assert tables(site, "default") == {"press_story"}
        assert tables(site, "archive") == {"press_desk", "press_wire"}
        assert problems(site) == []
        with site:
            desk = model(site, "Desk").objects.create(name="Sea")
            wire = model(site, "Wire").objects.create(text="storm", desk=desk)
            model(site, "Story").objects.create(title="Rain", wire=wire)
            with pytest.raises(IntegrityError), site.databases["archive"].atomic():
                model(site, "Wire").objects.create(text="lost", desk_id=99)
        assert render(site) == "Rain: storm;Sea/storm "
        site.databases["archive"].execute("UPDATE press_wire SET text = 'flood'")
        assert render(site) == "Rain: flood;Sea/flood "
        assert {one: migrations.apply(site.databases[one], site.apps, "press.zero") != [] for one in done} == {
            "default": True,
            "archive": True,
        }
        assert tables(site, "default") == tables(site, "archive") == set()


def test_a_new_pair_is_brought_up_by_the_build(make: Make) -> None:
    with make() as site:
        migrations.make(site.apps)
        assert render(site) == ""
        assert tables(site, "archive") == {"press_desk", "press_wire"}
        migrations.apply(site.databases["archive"], site.apps, "press.zero", router=site.router)
        site.databases["archive"].execute("CREATE TABLE press_desk (id INTEGER PRIMARY KEY)")
        with pytest.raises(Problems, match="the database 'archive' does not fit the models"):
            Builder(site, moment=NOON, workers=1, output=site.folder / "again").build()
        site.databases["archive"].execute("DROP TABLE press_desk")


ROUTED = """
from toolkit import Site
from . import app

class Desk:
    def allow_migrate(self, db, app_label, model_name=None, **hints):
        if model_name == "story":
            return True
        return hints.get("everywhere")

site = Site(__file__, apps=[app], router=Desk())
"""
STEPS = """
from toolkit import migrations

def fill(models, database):
    if "press.Wire" in models:
        desk = models("press.Desk").objects.create(name="Sea")
        models("press.Wire").objects.create(text="by hand", desk=desk)
    else:
        models("press.Story").objects.create(title="by hand")

class Migration(migrations.Migration):
    dependencies = [("press", "0001_initial")]
    operations = [
        migrations.RunPython(fill, reverse_code=migrations.RunPython.noop, database="archive"),
        migrations.RunSQL(
            "INSERT INTO press_story (title) VALUES ('everywhere')", reverse_sql="", hints={"everywhere": True}
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL("UPDATE press_desk SET name = 'Far'", database="archive")]
        ),
    ]
"""


def test_a_router_says_what_is_made_where_and_steps_of_ones_own_say_it_themselves(make: Make) -> None:
    with make(site=ROUTED) as site:
        migrations.make(site.apps)
        (site.folder / "press" / "migrations" / "0002_rows.py").write_text(STEPS)
        migrated(site)
        assert tables(site, "default") == {"press_story"}
        assert tables(site, "archive") == {"press_desk", "press_wire", "press_story"}
        assert site.databases["archive"].fetch("SELECT name FROM press_desk") == [("Far",)]
        for alias in ("default", "archive"):
            assert site.databases[alias].fetch("SELECT title FROM press_story") == [("everywhere",)]
        assert problems(site) == []
        lines = migrations.sql(site.database, site.apps, "press.0002", router=site.router)
        assert "-- (in another database)" in lines


def test_a_reference_across_is_refused_when_the_site_is_prepared(make: Make) -> None:
    told = r"press\.Story\.wire refers to press\.Wire, which is in another database"
    with pytest.raises(Problems, match=told), make(MODELS.replace("DO_NOTHING, db_constraint=False", "CASCADE")):
        pass


def test_a_model_that_moves_to_another_database_is_refused(make: Make) -> None:
    with make() as site:
        migrations.make(site.apps)
        for one in ("Desk", "Wire"):
            model(site, one)._meta.database = "default"
        with pytest.raises(Problems, match="moves from the database 'archive' to 'default'"):
            migrations.make(site.apps)


SEARCHED = MODELS.replace(
    "    desk = models.ForeignKey(", "    search = models.Search(text=1)\n    desk = models.ForeignKey("
)


def test_what_lives_in_the_further_database_is_searched_there(make: Make, request: pytest.FixtureRequest) -> None:
    if "mysql" in request.node.callspec.id.split("-")[1]:
        pytest.skip("MariaDB has no search here")
    with make(SEARCHED) as site:
        migrations.make(site.apps)
        migrated(site)
        with site:
            desk = model(site, "Desk").objects.create(name="Sea")
            wire = model(site, "Wire").objects.create(text="a storm over the sea", desk=desk)
            model(site, "Wire").objects.create(text="calm", desk=desk)
            assert list(model(site, "Wire").objects.search("storms")) == [wire]
            model(site, "Wire").objects.filter(pk=wire.pk).update(text="a flood")
            assert list(model(site, "Wire").objects.search("storm")) == []
        assert "Sea/calm" in render(site)
        with site:
            assert model(site, "Wire").objects.search("flooding").count() == 1


def test_a_copy_is_read_under_a_primary_on_a_server(tmp_path: Path) -> None:
    """Two schemas stand for the primary and its copy: what matters here is who is asked, not how rows get there."""
    for name in ("site", "primary", "copy"):
        (tmp_path / name).mkdir()
    with fresh_database("postgresql", tmp_path) as primary, fresh_database("postgresql", tmp_path) as copy:
        settings = f'database = "{primary.url}"\ndatabases.copy = {{url = "{copy.url}", replica_of = "default"}}\n'
        models = "class Story(models.Model):\n    title = models.CharField(max_length=40)\n"
        with temporary_site(tmp_path / "site", {}, models=models, settings=settings) as site:
            story = model(site, "Story")
            for database, title in ((primary, "On the primary"), (copy, "On the copy")):
                migrations.create_tables(database, [story])
                database.execute("INSERT INTO press_story (title) VALUES (%s)", (title,))
            assert migrations.migrated_databases(site.databases.homes, site.apps) == [site.database]
            with entered(site.scope()):
                assert story.objects.get().title == "On the copy"
                told = r"read-only.*databases\.copy says replica_of = 'default'.*Write to 'default'"
                with pytest.raises(DatabaseError, match=told):
                    story.objects.using("copy").update(title="x")
                with site.database.atomic():
                    assert story.objects.get().title == "On the primary"
                story.objects.create(title="Another")
                assert story.objects.count() == 2
