"""Primary keys of every kind: what was loaded is known again, on every database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.servers import SERVERS
from tests.tables import opened_with, resolved
from toolkit import models
from toolkit.content import Source
from toolkit.content.export import export_model
from toolkit.trace import Scope, entered

from .conftest import Desk

FIELDS: dict[str, tuple[Any, str, Any]] = {
    "uuid": (models.UUIDField, "6f1c9d1e-7a53-4a6b-9d0e-3f6a1c2b4d5e", UUID("6f1c9d1e-7a53-4a6b-9d0e-3f6a1c2b4d5e")),
    "day": (models.DateField, "2024-02-29", date(2024, 2, 29)),
    "instant": (models.DateTimeField, "2024-02-29 12:30:01+02:00", datetime(2024, 2, 29, 10, 30, 1, tzinfo=UTC)),
    "hour": (models.TimeField, "12:30:01", time(12, 30, 1)),
    "span": (models.DurationField, "1 12:30:01", timedelta(days=1, hours=12, minutes=30, seconds=1)),
    "amount": (lambda **o: models.DecimalField(max_digits=6, decimal_places=2, **o), "1.5", Decimal("1.50")),
    "ratio": (models.FloatField, "1.25", 1.25),
    "number": (models.IntegerField, "17", 17),
    "host": (models.GenericIPAddressField, "10.0.0.1", "10.0.0.1"),
    "word": (lambda **o: models.CharField(max_length=20, **o), "Ünder 'one'", "Ünder 'one'"),
    "flag": (models.BooleanField, "true", True),
}


class Made(models.Model):
    """Has a key that a function makes."""

    key = models.UUIDField(primary_key=True, default=uuid4)
    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=40, blank=True, translated=True)
    others = models.ManyToManyField("Made", related_name="+", blank=True, symmetrical=False)
    first = models.ForeignKey("Made", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    text = models.MarkdownField(blank=True, translated=True)


def keyed(name: str) -> Any:
    """A model with a key of some kind."""
    key = FIELDS[name][0](primary_key=True)
    space = {"__module__": __name__, "key": key, "title": models.CharField(max_length=40)}
    return type(name.title(), (models.Model,), space)


KEYED = {name: keyed(name) for name in FIELDS}


class Use(models.Model):
    slug = models.SlugField(unique=True)
    word = models.ForeignKey(KEYED["word"], on_delete=models.CASCADE, related_name="+")


MODELS = resolved({"keys": [Made, Use, *KEYED.values()]})


class Sum(models.Model):
    """Has bytes as its key, which MariaDB does not take."""

    key = models.BinaryField(primary_key=True)
    title = models.CharField(max_length=40)


SUMS = resolved({"sums": [Sum]})


def make(url: str) -> Any:
    """A database with all the models that it takes."""
    return opened_with(url, MODELS if url.startswith("mysql") else [*MODELS, *SUMS])


@pytest.fixture(params=["sqlite://", *SERVERS], ids=lambda url: url.partition(":")[0])
def desk(request: pytest.FixtureRequest, find_shared: Callable[[str], Any], tmp_path: Path) -> Iterator[Desk]:
    with entered(Scope(None, find_shared(request.param))) as scope:
        desk = Desk(tmp_path, scope)
        yield desk
        desk.sources = []
        desk.load()  # the rows of all files go


@pytest.mark.parametrize("name", FIELDS)
def test_a_row_is_known_again_by_its_key(desk: Desk, name: str) -> None:
    model, (_, written, value) = KEYED[name], FIELDS[name]
    desk.sources = [Source("rows.csv", model, key="key")]
    desk.write("rows.csv", f"key,title\n{written},One\n")
    assert desk.counts() == (1, 0, 0, 0)
    assert model.objects.values_list("pk", "title").get() == (value, "One")
    desk.write("rows.csv", f"key,title\n{written},One\n\n")
    assert desk.counts() == (0, 0, 1, 0)
    desk.write("rows.csv", f"key,title\n{written},Two\n")
    assert desk.counts() == (0, 1, 0, 0)
    assert model.objects.values_list("pk", "title").get() == (value, "Two")
    export_model(desk.scope, desk.sources[0], desk.folder, adopt=True)
    assert desk.counts() == (0, 0, 1, 0)
    desk.write("rows.csv", "key,title\n")
    assert desk.counts() == (0, 0, 0, 1)
    model.objects.create(key=value, title="Here")
    desk.write("rows.csv", f"key,title\n{written},One\n")
    assert "which came from no file" in desk.problems()[0]
    model.objects.all().delete()


def test_bytes_as_a_key(desk: Desk) -> None:
    if desk.scope.database.dialect == "mysql":
        pytest.skip("MariaDB takes no bytes of any length as a key")
    desk.sources = [Source("sums.yaml", Sum, key="key")]
    desk.write("sums.yaml", "- {key: !!binary aGVsbG8=, title: One}\n")
    assert desk.counts() == (1, 0, 0, 0)
    desk.write("sums.yaml", "- {key: !!binary aGVsbG8=, title: Two}\n")
    assert desk.counts() == (0, 1, 0, 0)
    desk.write("sums.yaml", "[]\n")
    assert desk.counts() == (0, 0, 0, 1)


MADE = "---\ntitle: {title}\nothers: [a, b]\nfirst: b\n---\n"


def test_keys_that_a_function_makes_stay(desk: Desk) -> None:
    desk.sources = [Source("rows/*.md", Made, create=())]
    desk.write("rows/a.md", MADE.format(title="A"))
    desk.write("rows/a.es.md", "---\ntitle: Á\n---\n")
    desk.write("rows/b.md", MADE.format(title="B"))
    assert desk.counts() == (2, 0, 0, 0)
    keys = dict(Made.objects.values_list("slug", "key"))
    desk.write("rows/a.md", MADE.format(title="A") + "\n")
    desk.write("rows/b.md", MADE.format(title="B") + "\n")
    assert desk.counts() == (0, 0, 2, 0)
    desk.write("rows/a.md", MADE.format(title="A2"))
    desk.write("rows/a.es.md", "---\ntitle: Á2\n---\n")
    assert desk.counts() == (0, 1, 1, 0)
    assert dict(Made.objects.values_list("slug", "key")) == keys
    desk.delete("rows/a.md")
    desk.delete("rows/a.es.md")
    desk.write("rows/c.md", MADE.format(title="A2"))  # a file that moved, and one that changes with it
    desk.write("rows/b.md", "---\ntitle: B\nothers: [c]\nfirst: c\n---\n")
    desk.write("rows/c.md", "---\ntitle: C\n---\n")
    assert desk.counts() == (1, 1, 0, 1)
    assert {one.slug: one.first and one.first.slug for one in Made.objects.all()} == {"b": "c", "c": None}
    desk.delete("rows/c.md")
    desk.write("rows/b.md", "---\ntitle: B\n---\n")
    assert desk.counts() == (0, 1, 0, 1)


def test_partners_with_keys_that_a_function_makes(desk: Desk) -> None:
    desk.sources = [Source("rows/*.md", Made, create=("others",))]
    desk.write("rows/a.md", "---\ntitle: A\nothers: [Sea, Sun]\n---\n")
    assert desk.counts() == (3, 0, 0, 0)
    keys = dict(Made.objects.values_list("slug", "key"))
    desk.write("rows/a.md", "---\ntitle: A\nothers: [SEA, Sun]\n---\n")
    assert desk.counts() == (0, 1, 2, 0)
    assert dict(Made.objects.values_list("slug", "key")) == keys
    desk.write("rows/a.md", "---\ntitle: A\nothers: [Sun]\n---\n")
    assert desk.counts() == (0, 1, 1, 1)
    assert sorted(Made.objects.values_list("slug", flat=True)) == ["a", "sun"]


def test_a_row_that_moves_to_another_file_keeps_those_that_refer_to_it(desk: Desk) -> None:
    word = KEYED["word"]
    desk.sources = [Source("words/*.json", word, key="key"), Source("uses.csv", Use)]
    desk.write("words/a.json", '[{"key": "sea", "title": "Sea"}]')
    desk.write("uses.csv", "slug,word\none,sea\n")
    assert desk.counts() == (2, 0, 0, 0)
    Use.objects.create(slug="wild", word_id="sea")
    (desk.folder / "words/a.json").rename(desk.folder / "words/b.json")
    assert desk.counts() == (0, 0, 2, 0)
    assert sorted(Use.objects.values_list("slug", flat=True)) == ["one", "wild"]
    Use.objects.filter(slug="wild").delete()
