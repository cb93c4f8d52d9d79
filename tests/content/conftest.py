"""A small newsroom: models that exercise every way a file may fill a row, and a desk to edit its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.servers import made_once
from toolkit import models
from toolkit.content import LoadReport, Source, load_sources
from toolkit.database import Database
from toolkit.errors import Problems, ValidationError
from toolkit.models.resolve import resolve_models
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered


class ShapeField(models.Field[Any]):
    """A geometry, as far as loading content can tell: it has an SRID, takes GeoJSON and gives it."""

    srid = 4326

    def to_python(self, value: Any) -> Any:
        import json

        if isinstance(value, str):
            value = json.loads(value)
        shape = getattr(value, "__geo_interface__", value)
        if not isinstance(shape, dict) or "coordinates" not in shape:
            raise ValidationError(f"{value!r} is no geometry", hint="Give GeoJSON.")
        return Shape(shape)

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.JSON()

    def db_writer(self, dialect: str) -> Any:
        import json

        return lambda value: json.dumps(value.__geo_interface__)

    def db_reader(self, dialect: str) -> Any:
        import json

        return lambda text: Shape(json.loads(text))


@dataclass(frozen=True)
class Shape:
    """A geometry that says what it is."""

    __geo_interface__: dict[str, Any] = field(hash=False)


class Section(models.Model):
    name = models.CharField(max_length=60, translated=True)
    slug = models.SlugField(unique=True)
    parent = models.ForeignKey("Section", on_delete=models.PROTECT, null=True, blank=True)


class Author(models.Model):
    name = models.CharField(max_length=60)
    slug = models.SlugField(unique=True)
    bio = models.MarkdownField(blank=True, translated=True)


class Tag(models.Model):
    name = models.CharField(max_length=60)
    slug = models.SlugField(unique=True)


class Place(models.Model):
    name = models.CharField(max_length=60, translated=True)
    slug = models.SlugField(unique=True)
    shape = ShapeField()


class Story(models.Model):
    title = models.CharField(max_length=80, translated=True)
    slug = models.SlugField(unique=True, translated=True)
    section = models.ForeignKey(Section, on_delete=models.PROTECT, related_name="stories")
    authors = models.ManyToManyField(Author, related_name="stories", blank=True)
    tags = models.ManyToManyField(Tag, related_name="stories", blank=True)
    published = models.DateTimeField(null=True, blank=True)
    day = models.DateField(null=True, blank=True)
    weight = models.IntegerField(default=0)
    price = models.DecimalField(max_digits=6, decimal_places=2, default=Decimal(0))
    live = models.BooleanField(default=True)
    extra = models.JSONField(null=True, blank=True)
    saved = models.DateTimeField(auto_now_add=True)
    body = models.MarkdownField(blank=True, translated=True)

    def clean(self) -> None:
        if self.title == "Forbidden":
            raise ValidationError("the title is forbidden", hint="Choose another.")


class Link(models.Model):
    """Has a key of its own, and a second unique column."""

    code = models.CharField(max_length=20, primary_key=True)
    url = models.CharField(max_length=60, unique=True)
    kind = models.CharField(max_length=10, choices=[("web", "Web"), ("mail", "Mail")], default="web")


SOURCES = {
    "sections": Source("content/sections.yaml", Section),
    "authors": Source("content/authors/*.md", Author),
    "tags": Source("content/tags.csv", Tag),
    "places": Source("content/places.geojson", Place),
    "links": Source("content/links.json", Link, key="code"),
    "stories": Source("content/stories/**/*.md", Story, date="day", declared_at="pages.py:7"),
}


@dataclass
class Desk:
    """A folder of content files, and the database they are loaded into."""

    folder: Path
    scope: Scope
    sources: list[Source] = field(default_factory=list)
    locales: tuple[str, ...] = ("en", "es", "ar")

    def use(self, *names: str) -> Desk:
        """Declare some of ``SOURCES``."""
        self.sources = [SOURCES[name] for name in names]
        return self

    def write(self, path: str, text: str) -> Path:
        """Write a file, its line breaks as they are given."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8", newline="")
        return place

    def delete(self, path: str) -> None:
        (self.folder / path).unlink()

    def load(self, **options: Any) -> LoadReport:
        return load_sources(self.scope, self.sources, self.folder, locales=self.locales, **options)

    def problems(self) -> list[str]:
        """Load, and give the problems as text."""
        with pytest.raises(Problems, match="found") as caught:
            self.load()
        return [str(problem) for problem in caught.value.problems]

    def counts(self) -> tuple[int, int, int, int]:
        """Load; rows added, changed, unchanged, removed."""
        report = self.load()
        return report.added, report.changed, report.unchanged, report.removed

    def story(self, slug: str) -> Any:
        return Story.objects.get(slug=slug)

    def dump(self) -> dict[str, list[Any]]:
        """All rows of all tables, without the keys that the database gave."""
        found = {}
        for model in self.scope.database.schema:
            skip = {"saved"} | ({"id"} if "id" in model._meta.columns else set())
            names = [name for name in model._meta.columns if name not in skip]
            rows = self.scope.database.fetch(f"SELECT {', '.join(names)} FROM {model._meta.table}")
            found[model.__name__] = sorted(map(repr, rows))
        return found


@cache
def tables() -> tuple[Schema, list[str]]:
    """The tables, and the statements that make them: written once, for some tests make hundreds of databases."""
    from sqlalchemy.dialects import sqlite
    from sqlalchemy.schema import CreateTable

    resolved, problems = resolve_models({"news": [Section, Author, Tag, Place, Story, Link]})
    assert not problems
    schema = Schema(resolved, "sqlite")
    return schema, [
        str(CreateTable(table).compile(dialect=sqlite.dialect())) for table in schema.metadata.sorted_tables
    ]


def make_scope(path: Path | None = None) -> Scope:
    """A scope with an empty database, in memory or in a file."""
    database = Database("sqlite://" if path is None else f"sqlite:///{path}")
    database.schema, statements = tables()  # type: ignore[attr-defined]  # the site sets it
    for statement in statements:
        database.execute(statement)
    return Scope(None, database)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    scope = make_scope()
    with entered(scope):
        yield Desk(tmp_path, scope)
    scope.database.close()


@pytest.fixture
def newsroom(desk: Desk) -> Desk:
    """Sections, an author, tags, and one story."""
    desk.use("sections", "authors", "tags", "stories")
    desk.write("content/sections.yaml", "- {slug: news, name: News}\n- {slug: sea, name: Sea}\n")
    desk.write("content/authors/ines.md", "---\nname: Inés\n---\nWrites.\n")
    desk.write("content/tags.csv", "slug,name\nweather,Weather\nfood,Food\n")
    desk.write("content/stories/storm.md", STORM)
    return desk


STORM = """---
title: The storm
section: news
authors: [ines]
tags: [weather]
---

It blew.
"""


@pytest.fixture(scope="module")
def find_shared(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Any]]:
    """The database of a URL, made once by the ``make`` of the tests' module."""
    with made_once(request.module.make) as find:
        yield find
