"""Rows that are looked at one after the other: in little memory, whatever else happens meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.schema import CreateTable

from tests.models import streamed
from tests.models.streamed import ROWS
from toolkit.errors import DatabaseError
from toolkit.models import F, Window
from toolkit.models.functions import RowNumber
from toolkit.models.schema import Schema

ROOT = Path(__file__).parents[2]
PLACES = {"sqlite": "SELECT ''", "postgresql": "SELECT current_schema()", "mysql": "SELECT database()"}
NUMBERS = {
    "sqlite": f"(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) SELECT i FROM n)",
    "postgresql": f"(SELECT i FROM generate_series(1, {ROWS}) AS g(i))",
    "mysql": f"(SELECT seq AS i FROM seq_1_to_{ROWS})",
}
FLAT_KILOBYTES = 3_000
"""As much for 300,000 rows as for 25,000 (STREAMED_ROWS sets the number), which as instances are 10,000 and more."""


@pytest.fixture
def lines(shared_database: Any, newsroom_models: Any, tmp_path: Path) -> Iterator[Any]:
    """A database with very many rows, which another process opens by URL and place."""
    assert not streamed.PROBLEMS
    url = shared_database.url if shared_database.dialect != "sqlite" else f"sqlite:///{tmp_path}/lines.db"
    made = newsroom_models.opened_apart(url)
    made.schema = Schema(streamed.MODELS, made.dialect)
    for table in made.schema.metadata.sorted_tables:
        made.execute(str(CreateTable(table).compile(dialect=made.sqlalchemy_dialect)))
    text = "repeat('x', 100)" if made.dialect != "sqlite" else "printf('%.100c', 'x')"
    made.execute(f"INSERT INTO streamed_line (text, number) SELECT {text}, i FROM {NUMBERS[made.dialect]} AS n")
    yield SimpleNamespace(url=url, place=made.fetch(PLACES[made.dialect])[0][0])
    made.drop()


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells how much memory was needed")
def test_memory_does_not_grow_with_the_rows(lines: Any) -> None:
    command = [sys.executable, "-m", "tests.models.streamed", lines.url, lines.place]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert {count for count, _ in told.values()} == {ROWS}
    _, at_once = told.pop("at once")
    assert at_once > FLAT_KILOBYTES
    assert all(grown < FLAT_KILOBYTES for _, grown in told.values()), told


@pytest.mark.parametrize("atomic", [False, True])
def test_other_questions_may_be_asked_meanwhile(m: Any, newsroom: Any, atomic: bool) -> None:
    database = newsroom.database
    seen = []
    with database.atomic() if atomic else database.wrap(lambda execute, *rest: execute(*rest)):
        for story in m.Story.objects.order_by("pk").iterator(3):
            seen.append((story.pk, story.section.slug, [tag.slug for tag in story.tags.all()]))
            m.Story.objects.filter(pk=story.pk).update(weight=F("weight") + 1)
            with database.atomic():
                m.Tag.objects.create(name="Tag", slug=f"new-{story.pk}")
    assert [key for key, _, _ in seen] == [story.pk for story in newsroom.stories]
    assert {len(tags) for _, _, tags in seen} == {2}


def test_an_iteration_may_outlive_a_transaction_or_be_given_up(m: Any, newsroom: Any) -> None:
    database = newsroom.database
    with database.atomic():
        rows = m.Story.objects.order_by("pk").iterator(chunk_size=5)
        first = next(rows)
    assert [first, *rows] == newsroom.stories
    given_up = m.Story.objects.iterator(chunk_size=2)
    next(given_up)
    given_up.close()
    assert m.Story.objects.count() == 20


def test_values_and_windows_are_given_in_chunks_too(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.order_by("pk")
    assert list(stories.values("pk").iterator(chunk_size=3)) == [{"pk": story.pk} for story in newsroom.stories]
    assert list(stories.values_list("slug", flat=True).iterator(chunk_size=7))[:2] == ["story-0", "story-1"]
    numbered = stories.annotate(n=Window(RowNumber(), order_by="-pk"))
    assert [story.n for story in numbered.iterator(chunk_size=4)] == list(range(20, 0, -1))
    assert [story.n for story in numbered.filter(n__lt=3).iterator(chunk_size=1)] == [2, 1]
    union = m.Story.objects.filter(weight=0).union(m.Story.objects.filter(weight=1))
    assert len(list(union.iterator(chunk_size=3))) == 8


def test_keys_of_any_kind_are_kept(m: Any, scope: Any) -> None:
    cameras = [m.Camera.objects.create(name=f"Camera {n}") for n in range(5)]
    assert list(m.Camera.objects.order_by("name").iterator(chunk_size=2)) == cameras


def test_what_the_database_refuses_is_told_in_the_words_of_the_toolkit(m: Any, scope: Any) -> None:
    m.Everything.objects.bulk_create([m.Everything(big=2**62) for _ in range(2)])
    rows = scope.database.stream("SELECT no_such_column FROM news_everything", size=2)
    with pytest.raises(DatabaseError, match="no_such_column"):
        list(rows)
    assert m.Everything.objects.count() == 2


def test_each_chunk_looks_for_partners_of_its_own_rows(m: Any, newsroom: Any) -> None:
    """All that have some, found anew for each chunk, took 86 s of CPU for 136,000 rows of 200,000 on SQLite."""
    stories = m.Story.objects.filter(tags__slug="tag-1").exclude(tags__stories__slug="story-2").order_by("pk")
    with newsroom.database.counted() as queries:
        found = [story.slug for story in stories.iterator(chunk_size=2)]
    assert found == [story.slug for story in stories] != []
    chunks = [query for query in queries if "tag" in query][1:]
    assert len(chunks) == -(-len(found) // 2)
    assert not [query for query in chunks if "IN (SELECT" in query] and "EXISTS (SELECT 1" in chunks[0]
