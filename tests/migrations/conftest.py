"""A newsroom whose models change: declare, make, apply."""

from __future__ import annotations

import atexit
import os
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from toolkit import migrations, models
from toolkit.database import Database
from toolkit.migrations.describing import with_hidden
from toolkit.models.resolve import resolve_models
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered

SERVERS = [url for url in os.environ.get("TOOLKIT_TEST_DATABASES", "").replace(",", " ").split() if url]
KINDS = ["sqlite", "postgresql", "mysql"]


@dataclass
class FakeApp:
    """What migrations ask of an app."""

    label: str
    models: list[Any]
    migrations_folder: Path | None


@dataclass
class Newsroom:
    """One app on one database, whose models are declared again and again."""

    database: Database
    folder: Path
    label: str = "news"
    app: FakeApp = field(init=False)
    questions: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.app = FakeApp(self.label, [], self.folder / self.label / "migrations")

    def declare(self, *declared: Any) -> Newsroom:
        """The models as they are from now on."""
        _, problems = resolve_models({self.label: declared})
        assert not problems, problems
        self.app.models = list(declared)
        self.database.schema = Schema(with_hidden(declared), self.database.dialect)
        return self

    def ask(self, question: str) -> bool:
        """Yes, and remember what was asked."""
        self.questions.append(question)
        return True

    def make(self, *, ask: Any = None, **options: Any) -> list[migrations.WrittenMigration]:
        return migrations.make([self.app], ask or self.ask, **options)

    def apply(self, target: str | None = None) -> list[str]:
        return [str(step) for step in migrations.apply(self.database, [self.app], target)]

    def migrate(self, *declared: Any, **options: Any) -> migrations.WrittenMigration:
        """Declare, make, apply, and see that nothing is left to do."""
        self.declare(*declared)
        (made,) = self.make(**options)
        self.apply()
        assert self.problems() == []
        return made

    def problems(self) -> list[str]:
        return [str(problem) for problem in migrations.check(self.database, [self.app])]

    def rows(self, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.database.fetch(f"SELECT {columns} FROM {table} ORDER BY 1")]

    def save(self, model: Any, **values: Any) -> Any:
        with entered(Scope(None, self.database)):
            return model.objects.create(**values)

    def values(self, model: Any, name: str) -> list[Any]:
        with entered(Scope(None, self.database)):
            return list(model.objects.order_by("pk").values_list(name, flat=True))


def model(name: str, /, meta: dict[str, Any] | None = None, *, inherits: Any = None, **fields: Any) -> Any:
    """A model class, declared in one expression."""
    namespace = {"__module__": "news.models", "__qualname__": name, "Meta": type("Meta", (), meta or {}), **fields}
    return type(models.Model)(name, (inherits or models.Model,), namespace)


@pytest.fixture(name="model", scope="session")
def _model() -> Any:
    return model


@pytest.fixture(name="newsroom_class", scope="session")
def _newsroom_class() -> type[Newsroom]:
    return Newsroom


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each kind."""
    with fresh_database(request.param, tmp_path) as opened:
        yield opened


@pytest.fixture(params=KINDS[1:])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database on each kind of server."""
    with fresh_database(request.param, tmp_path) as opened:
        yield opened


@contextmanager
def fresh_database(kind: str, folder: Path) -> Iterator[Database]:
    """An empty database of a kind: a file, or one of its own on the server."""
    if kind == "sqlite":
        with closing(Database(f"sqlite:///{folder / 'site.db'}")) as opened:
            yield opened
        return
    url = next((url for url in SERVERS if url.startswith(kind)), None)
    if url is None:
        pytest.skip(f"TOOLKIT_TEST_DATABASES names no server of the kind {kind}")
    name = f"toolkit_test_{secrets.token_hex(6)}"
    admin = _admin(url)
    try:
        with closing(Database(_place(admin, url, name))) as opened:
            yield opened
    finally:
        admin.execute(f"DROP SCHEMA {name}" + (" CASCADE" if kind == "postgresql" else ""))


@cache
def _admin(url: str) -> Database:
    """Who makes and drops the places on a server: one for all tests, or each would connect twice."""
    admin = Database(url)
    atexit.register(admin.close_all)
    return admin


def _place(admin: Database, url: str, name: str) -> str:
    """The URL of a new place: a schema on PostgreSQL, a database on MariaDB."""
    admin.execute(f"CREATE SCHEMA {name}")
    if admin.dialect == "mysql":
        return urlsplit(url)._replace(path=f"/{name}").geturl()
    separator = "&" if "?" in url else "?"
    options = f"-c search_path={name},public {os.environ.get('PGOPTIONS', '')}"  # these would stand in its place
    return f"{url}{separator}options={quote(options.strip())}"


@pytest.fixture
def newsroom(database: Database, tmp_path: Path) -> Newsroom:
    """A newsroom on each kind of database."""
    return Newsroom(database, tmp_path)


@pytest.fixture
def sqlite_newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    """A newsroom on SQLite, for what only SQLite must rebuild."""
    opened = Database(f"sqlite:///{tmp_path / 'site.db'}")
    yield Newsroom(opened, tmp_path)
    opened.close()


class Sections:
    """Sections in a tree, and all that may refer to them: stories, tags, a child's table, a part of a composite key."""

    def models(self, *, natural: bool = False, **key: Any) -> list[Any]:
        """The models.

        Args:
            natural: The slug is the key.
            key: Fields of the section that are its key, or were.
        """
        unique = {"primary_key": True} if natural else {"unique": True}
        section = model(
            "Section",
            slug=models.SlugField(max_length=20, **unique),
            parent=models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="+"),
            **key,
        )
        related = {"on_delete": models.CASCADE, "related_name": "+"}
        story = model(
            "Story",
            title=models.CharField(max_length=20, translated=True),
            section=models.ForeignKey(section, null=True, **related),
            sections=models.ManyToManyField(section, related_name="+"),
        )
        front = model("Front", {}, inherits=section, height=models.IntegerField(default=0))
        place = model(
            "Place",
            pk=models.CompositePrimaryKey("section", "number"),
            section=models.ForeignKey(section, **related),
            number=models.IntegerField(),
        )
        return [section, story, front, model("Note", front=models.ForeignKey(front, **related)), place]

    def fill(self, newsroom: Newsroom) -> None:
        """Rows of all of them."""
        section, story, front, note, place = newsroom.app.models
        world = newsroom.save(section, slug="world")
        made = [world, newsroom.save(section, slug="sea", parent=world)]
        home = newsroom.save(front, slug="home", height=3, parent=made[1])
        through = story._meta.get_field("sections").through
        for number, one in enumerate([*made, home]):
            saved = newsroom.save(story, title=f"about {one.slug}", section=one)
            newsroom.save(through, story_id=saved.pk, section_id=one.pk)
            newsroom.save(place, section=one, number=number)
        last = newsroom.save(story, title="about nothing", section=None)
        newsroom.save(note, front=home)
        newsroom.database.execute(
            f"INSERT INTO news_story_translation (source_id, locale, title) VALUES ({last.pk}, 'es', 'nada')"
        )

    def told(self, newsroom: Newsroom, key: str = "id") -> list[list[tuple[Any, ...]]]:
        """What the rows say, without their keys."""
        joined = f"JOIN news_section s ON s.{key} ="
        asked = [
            f"SELECT s.slug, p.slug FROM news_section p {joined} p.parent_id",
            f"SELECT t.title, s.slug FROM news_story t {joined} t.section_id",
            "SELECT title FROM news_story WHERE section_id IS NULL",
            "SELECT t.title, s.slug FROM news_story_sections l JOIN news_story t ON t.id = l.story_id "
            f"{joined} l.section_id",
            f"SELECT s.slug, f.height FROM news_front f {joined} f.section_ptr_id",
            f"SELECT s.slug FROM news_note n {joined} n.front_id",
            f"SELECT s.slug, p.number FROM news_place p {joined} p.section_id",
            "SELECT locale, title FROM news_story_translation",
        ]
        found = [sorted(tuple(row) for row in newsroom.database.fetch(sql)) for sql in asked]
        assert all(found)
        return found


@pytest.fixture(scope="session")
def sections() -> Sections:
    return Sections()
