"""Times of day and lengths of time: written as people write them, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.servers import SERVERS
from tests.tables import opened_with, resolved
from toolkit import models
from toolkit.content import Source, export_model
from toolkit.trace import Scope, entered

from .conftest import Desk


class Shop(models.Model):
    slug = models.SlugField(unique=True)
    opens = models.TimeField(null=True)
    lasts = models.DurationField(null=True)
    text = models.MarkdownField(blank=True)


MODELS = resolved({"street": [Shop]})
FILES = {
    "shops/a.md": "---\nopens: 10:30\nlasts: 1:30:00\n---\n",
    "shops/b.md": "+++\nopens = 10:30:00\nlasts = '1:30:00'\n+++\n",
    "shops/c.md": '{"opens": "10:30", "lasts": "PT1H30M"}\n',
    "shops/d.md": "---\nopens: '10:30'\nlasts: 0 1:30:00\n---\n",
}
TIMES = {
    "noon": (time(12), timedelta()),
    "past": (time(0, 0, 5, 7), timedelta(days=-3, seconds=5)),
    "long": (time(23, 59, 59, 999_999), timedelta(days=400, microseconds=1)),
    "open": (None, None),
}


def make(url: str) -> Any:
    return opened_with(url, MODELS)


@pytest.fixture(params=["sqlite://", *SERVERS], ids=lambda url: url.partition(":")[0])
def street(request: pytest.FixtureRequest, find_shared: Callable[[str], Any], tmp_path: Path) -> Iterator[Desk]:
    with entered(Scope(None, find_shared(request.param))) as scope:
        desk = Desk(tmp_path, scope, [Source("shops/*.md", Shop)])
        yield desk
        desk.sources = []
        desk.load()  # the rows of all files go
        Shop.objects.all().delete()


def test_they_are_read_as_they_are_written(street: Desk) -> None:
    for path, text in FILES.items():
        street.write(path, text)
    street.load()
    assert set(Shop.objects.values_list("opens", "lasts")) == {(time(10, 30), timedelta(hours=1, minutes=30))}
    assert Shop.objects.count() == len(FILES)


def test_what_is_no_time_is_told_as_it_is_written(street: Desk) -> None:
    street.write("shops/a.md", "---\nopens: 25:30\nlasts: soon\n---\n")
    one, two = street.problems()
    assert one.startswith("shops/a.md:2:8: opens: '25:30' is not a time of day.")
    assert two.startswith("shops/a.md:3:8: lasts: 'soon' is not a length of time.")


@pytest.mark.parametrize("pattern", ["out/*.md", "out.yaml", "out.json", "out.csv"])
def test_an_export_gives_them_back(street: Desk, pattern: str) -> None:
    for slug, (opens, lasts) in TIMES.items():
        Shop.objects.create(slug=slug, opens=opens, lasts=lasts)
    street.sources = [Source(pattern, Shop, body="text")]
    export_model(street.scope, street.sources[0], street.folder, sources=street.sources, adopt=True)
    assert street.counts() == (0, 0, 4, 0)
    Shop.objects.update(opens=None, lasts=None)
    for path in [path for path in street.folder.rglob("out*") if path.is_file()] + list(street.folder.glob("out/*")):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("---\n", "---\n# again\n", 1) if path.suffix == ".md" else f"{text}\n", "utf-8")
    street.load()
    assert {row.slug: (row.opens, row.lasts) for row in Shop.objects.all()} == TIMES
