"""A small world with everything that rows can have."""

from __future__ import annotations

import io
import uuid
from typing import Any

import sqlalchemy as sa

from tests.models.money import MoneyField
from tests.servers import SERVERS, opened_apart
from tests.tables import resolved
from toolkit import models
from toolkit.models.schema import Schema
from toolkit.serialization import Loaded, dump, format_of, load
from toolkit.trace import Scope

URLS = ["sqlite://", *SERVERS]
FORMATS = ["json", "jsonl", "yaml", "xml", "csv"]


class Topic(models.Model):
    """Told by its parent and its slug; it is translated, and has relatives."""

    slug = models.SlugField()
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="children")
    name = models.CharField(max_length=50, translated=True)
    facts = models.JSONField(null=True, translated=True)
    akin = models.ManyToManyField("self", related_name="akin_to")

    class Meta:
        natural_key = ("parent", "slug")


class Country(models.Model):
    name = models.CharField(max_length=40, unique=True)
    capital = models.ForeignKey("City", on_delete=models.CASCADE, related_name="+")

    class Meta:
        natural_key = ("name",)


class City(models.Model):
    """A country has a capital, and each city a country: neither can be first."""

    name = models.CharField(max_length=40, unique=True)
    country = models.ForeignKey(Country, on_delete=models.CASCADE, related_name="cities")
    twin = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    topics = models.ManyToManyField(Topic, related_name="cities")

    class Meta:
        natural_key = ("name",)


class Guild(models.Model):
    """Its members are told by their names, which may have commas."""

    title = models.CharField(max_length=40)
    countries = models.ManyToManyField(Country, related_name="guilds")


class Seat(models.Model):
    pk = models.CompositePrimaryKey("hall", "number")
    hall = models.CharField(max_length=10)
    number = models.IntegerField()
    padded = models.BooleanField(default=False)


class Ticket(models.Model):
    code = models.UUIDField(primary_key=True, default=uuid.uuid4)
    seat = models.ForeignKey(Seat, on_delete=models.CASCADE, related_name="tickets")


class Place(models.Model):
    name = models.CharField(max_length=40)
    stars = models.IntegerField(db_default=3)
    points = models.GeneratedField(
        expression=models.F("stars") * 10, output_field=models.IntegerField(), db_persist=True
    )


class Restaurant(Place):
    dish = models.CharField(max_length=40)
    topics = models.ManyToManyField(Topic, related_name="restaurants")


class Note(models.Model):
    """A note on a row of any model."""

    content_type = models.ModelNameField()
    object_id = models.CharField(max_length=40)
    about = models.GenericForeignKey()
    text = models.TextField()


class Everything(models.Model):
    """One field of each kind."""

    char = models.CharField(max_length=200, null=True)
    text = models.TextField(null=True)
    slug = models.SlugField(null=True)
    markdown = models.MarkdownField(null=True)
    email = models.EmailField(null=True)
    url = models.URLField(null=True)
    integer = models.IntegerField(null=True)
    positive = models.PositiveIntegerField(null=True)
    small = models.SmallIntegerField(null=True)
    big = models.BigIntegerField(null=True)
    positive_small = models.PositiveSmallIntegerField(null=True)
    positive_big = models.PositiveBigIntegerField(null=True)
    float = models.FloatField(null=True)
    decimal = models.DecimalField(max_digits=12, decimal_places=3, null=True)
    boolean = models.BooleanField(null=True)
    date = models.DateField(null=True)
    instant = models.DateTimeField(null=True)
    time = models.TimeField(null=True)
    duration = models.DurationField(null=True)
    json = models.JSONField(null=True)
    uuid = models.UUIDField(null=True)
    binary = models.BinaryField(null=True)
    address = models.GenericIPAddressField(null=True)
    file = models.FileField()
    price = MoneyField(null=True)


ALL = [Topic, Country, City, Guild, Seat, Ticket, Place, Restaurant, Note, Everything]
MODELS = resolved({"world": ALL})


def make(url: str) -> Any:
    """A database with the tables of the world."""
    database = opened_apart(url)
    database.schema = Schema(MODELS, database.dialect)

    def run(statement: Any, *_: Any) -> None:
        database.execute(str(statement.compile(dialect=database.sqlalchemy_dialect)))

    engine = sa.create_mock_engine(f"{database.dialect}://", run)
    engine.dialect.supports_alter = database.dialect != "sqlite"
    database.schema.metadata.create_all(engine, checkfirst=False)
    return database


def dumped(scope: Scope, kind: str = "jsonl", **options: Any) -> str:
    """What a dump says."""
    out = io.StringIO(newline="")
    dump(scope, format_of(kind), out, **options)
    return out.getvalue()


def loaded(scope: Scope, text: str | bytes, kind: str = "jsonl", **options: Any) -> Loaded:
    """Load a text."""
    source = io.BytesIO(text.encode() if isinstance(text, str) else text)
    return load(scope, format_of(kind), source, path=f"rows.{kind}", **options)
