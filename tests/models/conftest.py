"""A small newsroom, on SQLite in memory and on each server that TOOLKIT_TEST_DATABASES names (commas between)."""

from __future__ import annotations

import pickle
import re
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.schema import CreateIndex, CreateTable

from tests.servers import SERVERS, made_once, opened_apart
from tests.tables import resolved
from toolkit import models
from toolkit.database.tokens.mysql import YOUNG_SECONDS
from toolkit.models import Now, Q
from toolkit.models.schema import Schema
from toolkit.models.sqltext import quoted
from toolkit.trace import EDITOR, Scope, Trace, Viewer, entered

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
URLS = ["sqlite://", *SERVERS]
KINDS = [url.partition(":")[0] for url in URLS]


class Section(models.Model):
    name = models.CharField(max_length=50, translated=True)
    slug = models.SlugField(unique=True)
    position = models.IntegerField(default=0)
    visible = models.BooleanField(default=True)

    class Meta:
        ordering = ["position"]
        public = Q(visible=True)

    def __str__(self) -> str:
        return self.name


class Author(models.Model):
    name = models.CharField(max_length=50)
    slug = models.SlugField(unique=True)

    class Meta:
        ordering = ["name"]


class Profile(models.Model):
    author = models.OneToOneField(Author, on_delete=models.CASCADE, related_name="profile")
    motto = models.CharField(max_length=80, blank=True)


class Tag(models.Model):
    name = models.CharField(max_length=50)
    slug = models.SlugField(unique=True)

    class Meta:
        ordering = ["name"]


class StoryQuerySet(models.QuerySet["Story"]):
    def weighty(self) -> StoryQuerySet:
        return self.filter(weight__gt=0)


class Story(models.Model):
    title = models.CharField(max_length=200, translated=True)
    slug = models.SlugField(translated=True, unique=True)
    section = models.ForeignKey(Section, on_delete=models.PROTECT, related_name="stories")
    editor = models.ForeignKey("Author", on_delete=models.SET_NULL, null=True, blank=True, related_name="edited")
    authors = models.ManyToManyField(Author, related_name="stories", through="Byline")
    tags = models.ManyToManyField("Tag", related_name="stories")
    weight = models.IntegerField(default=0)
    status = models.CharField(max_length=10, default="live", choices=[("draft", "Draft"), ("live", "Live")])
    published = models.DateTimeField(db_index=True)
    expires = models.DateTimeField(null=True, blank=True)

    objects = StoryQuerySet.as_manager()
    related = models.Similar("tags")

    class Meta:
        ordering = ["-published"]
        get_latest_by = "published"
        untranslated = "hide"
        public = Q(status="live", published__lte=Now()) & ~Q(expires__lte=Now())

    def __str__(self) -> str:
        return self.title


class Byline(models.Model):
    story = models.ForeignKey(Story, on_delete=models.CASCADE, related_name="bylines")
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="bylines")
    position = models.IntegerField(default=0)


class Comment(models.Model):
    story = models.ForeignKey(Story, on_delete=models.CASCADE, related_name="comments")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="answers")
    text = models.TextField()
    score = models.IntegerField(null=True)


class Camera(models.Model):
    """Its key is no number."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=20)


class Photograph(models.Model):
    code = models.CharField(max_length=12, primary_key=True)
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="photographs")


class Everything(models.Model):
    """One field of each kind."""

    char = models.CharField(max_length=20, null=True)
    text = models.TextField(null=True)
    slug = models.SlugField(null=True)
    markdown = models.MarkdownField(null=True)
    email = models.EmailField(null=True)
    url = models.URLField(null=True)
    integer = models.IntegerField(null=True)
    positive = models.PositiveIntegerField(null=True)
    float = models.FloatField(null=True)
    decimal = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    boolean = models.BooleanField(null=True)
    date = models.DateField(null=True)
    instant = models.DateTimeField(null=True)
    json = models.JSONField(null=True)
    uuid = models.UUIDField(null=True)
    binary = models.BinaryField(null=True)
    small = models.SmallIntegerField(null=True)
    big = models.BigIntegerField(null=True)
    positive_small = models.PositiveSmallIntegerField(null=True)
    positive_big = models.PositiveBigIntegerField(null=True)
    time = models.TimeField(null=True)
    duration = models.DurationField(null=True)
    address = models.GenericIPAddressField(null=True)
    free_char = models.CharField(null=True)


ALL = [Section, Author, Profile, Tag, Story, Byline, Comment, Camera, Photograph, Everything]
MODELS = resolved({"news": ALL})


def create_tables(database: Any) -> None:
    """All tables and indexes of the schema."""
    for table in database.schema.metadata.sorted_tables:
        database.execute(str(CreateTable(table).compile(dialect=database.sqlalchemy_dialect)))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            database.execute(str(CreateIndex(index).compile(dialect=database.sqlalchemy_dialect)))


def make_database(url: str, models: Any = None) -> Any:
    """A database with the newsroom's tables, or others; on a server one of its own, which ``drop`` takes away."""
    database = opened_apart(url)
    database.schema = Schema(MODELS if models is None else models, database.dialect)
    create_tables(database)
    return database


def own_database(models: Any) -> Any:
    """``shared_database`` for a module of tests: it has the tables of these models instead of the newsroom's."""

    @pytest.fixture(scope="module", params=URLS, ids=KINDS)
    def shared_database(request: pytest.FixtureRequest) -> Iterator[Any]:
        database = make_database(request.param, models)
        yield database
        database.drop()

    return shared_database


@pytest.fixture(scope="module")
def find_aged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    """The newsroom's database at a URL, apart from that of other tests, and as old as MariaDB's tokens ask.

    All are made as the module begins: they grow old while its tests run on those that need not wait.
    """
    file = tmp_path_factory.mktemp("tokens") / "site.db"
    made = {url: make_database(f"sqlite:///{file}" if url == "sqlite://" else url) for url in URLS}
    old = time.monotonic() + YOUNG_SECONDS + 1.1

    def find(url: str) -> Any:
        if made[url].dialect == "mysql":
            time.sleep(max(0.0, old - time.monotonic()))
        return made[url]

    yield find
    for database in made.values():
        database.drop()


def empty(database: Any, queries: list[str]) -> None:
    """Take all rows away. Keys go on where they were: see ``first_keys``.

    Args:
        database: The database.
        queries: What was executed since it was empty: on servers only the tables that were written are emptied.
    """
    names, hold, release = database.schema.table_names, [], []
    if database.dialect != "sqlite":
        texts = [query.replace("`", "").replace('"', "") for query in queries]
        names = [name for name in names if any(f"INSERT INTO {name} " in query for query in texts)]
        hold, release = UNHELD[database.dialect]
    with database.atomic():
        for statement in (*hold, *(f"DELETE FROM {quoted(database.dialect, name)}" for name in names), *release):
            database.execute(statement)
    database.changed()


UNHELD = {
    "postgresql": (["SET CONSTRAINTS ALL DEFERRED"], []),
    "mysql": (["SET foreign_key_checks = 0"], ["SET foreign_key_checks = 1"]),
}
"""What lets rows go before those that refer to them, and what ends that."""


@dataclass(frozen=True)
class Standing:
    """A newsroom whose rows stand in a database from one test to the next, as long as these only read.

    Args:
        queries: What made them.
        rows: The instances, pickled: each test gets its own.
    """

    queries: list[str]
    rows: bytes


READING = re.compile(r"(?:SELECT|BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|EXPLAIN)\b")
"""What every statement of a test begins with that leaves the rows as they were."""


def clear(database: Any, queries: Sequence[str] = ()) -> None:
    """Take away a newsroom that stands in a database, and what further queries wrote."""
    standing, database.standing = getattr(database, "standing", None), None
    if standing is not None or queries:
        empty(database, [*(standing.queries if standing else ()), *queries])


def number_anew(database: Any) -> None:
    """Let the keys of a database without rows begin at 1 again."""
    clear(database)
    if database.dialect == "postgresql":
        database.fetch(
            "SELECT setval(quote_ident(schemaname) || '.' || quote_ident(sequencename), 1, false) FROM pg_sequences "
            "WHERE schemaname = current_schema() AND last_value IS NOT NULL"
        )
    elif database.dialect == "mysql":
        database.execute("SET foreign_key_checks = 0")
        for (name,) in database.fetch(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND auto_increment > 1"
        ):
            database.execute(f"TRUNCATE `{name}`")
        database.execute("SET foreign_key_checks = 1")
    elif database.fetch("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'"):
        database.execute("DELETE FROM sqlite_sequence")


@pytest.fixture(scope="session")
def find_database() -> Iterator[Callable[[str], Any]]:
    with made_once(make_database) as find:
        yield find


@pytest.fixture(scope="session", params=URLS, ids=KINDS)
def shared_database(request: pytest.FixtureRequest, find_database: Callable[[str], Any]) -> Any:
    return find_database(request.param)


@pytest.fixture
def database(request: pytest.FixtureRequest, shared_database: Any) -> Iterator[Any]:
    """The database of this test: empty but for its newsroom. Keys begin where those of the test before ended."""
    if "newsroom" not in request.fixturenames:
        clear(shared_database)
    with shared_database.counted() as queries:
        shared_database.asked = queries
        yield shared_database
    if not all(map(READING.match, queries)):
        clear(shared_database, queries)
    shared_database.changed()


@pytest.fixture
def first_keys(shared_database: Any) -> None:
    """Keys that begin at 1, for tests that count them: on MariaDB that took a tenth of a second of every test."""
    number_anew(shared_database)


@pytest.fixture
def scope(database: Any) -> Iterator[Scope]:
    """An editor's scope, entered."""
    with entered(Scope(None, database)) as found:
        yield found


@pytest.fixture
def newsroom(scope: Scope) -> SimpleNamespace:
    """Three sections (the last hidden), four authors, five tags, twenty stories: one a day up to two days hence."""
    database: Any = scope.database
    if getattr(database, "standing", None) is None:
        rows = pickle.dumps(open_newsroom())
        database.standing = Standing(database.asked.copy(), rows)
        database.asked.clear()
    return SimpleNamespace(**pickle.loads(database.standing.rows), database=database)


def open_newsroom() -> dict[str, list[Any]]:
    """Make the newsroom's rows."""
    sections = Section.objects.bulk_create(
        [Section(name=f"Section {n}", slug=f"section-{n}", position=n, visible=n < 2) for n in range(3)]
    )
    authors = Author.objects.bulk_create([Author(name=f"Author {n}", slug=f"author-{n}") for n in range(4)])
    tags = Tag.objects.bulk_create([Tag(name=f"Tag {n}", slug=f"tag-{n}") for n in range(5)])
    stories = [
        Story(
            title=f"Story {n}",
            slug=f"story-{n}",
            section=sections[n % 3],
            editor=authors[n % 4] if n % 2 else None,
            published=NOON - timedelta(days=n - 2),
            weight=n % 5,
            status="draft" if n == 7 else "live",
            expires=NOON - timedelta(hours=1) if n == 8 else None,
        )
        for n in range(20)
    ]
    Story.objects.bulk_create(stories)
    Byline.objects.bulk_create([Byline(story=s, author=authors[n % 4], position=n) for n, s in enumerate(stories)])
    link = Story._meta.get_field("tags").through
    link.objects.bulk_create(
        [link(story=story, tag=tags[number % 5]) for n, story in enumerate(stories) for number in (n, n + 1)]
    )
    return {"sections": sections, "authors": authors, "tags": tags, "stories": stories}


def look(
    database: Any, viewer: Viewer = EDITOR, *, locale: str = "en", traced: bool = False, strict: bool = False
) -> Scope:
    """A scope at noon, for ``with entered(...)``."""
    trace = Trace() if traced else None
    return Scope(None, database, viewer, locale, "en", NOON, trace, strict=strict)


@pytest.fixture
def m() -> SimpleNamespace:
    """The models by name, and how to look at them."""
    known = {model.__name__: model for model in ALL}
    return SimpleNamespace(**known, look=look, NOON=NOON, make_database=make_database, MODELS=MODELS)


@pytest.fixture(scope="session")
def newsroom_models() -> SimpleNamespace:
    """How to make further databases with the same tables."""
    return SimpleNamespace(make_database=make_database, opened_apart=opened_apart)
