"""The models beside Django's, on the same rows in the same database, in one run.

    python -m tests.benchmarks.django_models                              # SQLite, in a temporary file
    python -m tests.benchmarks.django_models postgresql://user@host/name  # in a schema of its own
    python -m tests.benchmarks.django_models 'postgresql://user@/name?host=/var/run/postgresql'  # by its local socket
    python -m tests.benchmarks.django_models --only lookups --rounds 9

Django is asked in the best way it has: ``select_related`` and ``prefetch_related`` for the lists, where the models here
are given no hint. Beside both stands the raw loop: the driver alone, with statements and tuples by hand; on PostgreSQL,
for lookups, also the floor: libpq's own calls for a statement that was prepared, and no cursor. All work in turns, so
that a busy machine harms them alike; each figure is the best of several rounds. Beside the time by the clock stands the
CPU time of this process alone, without the server's, which neighbours change less. The exit status is 1 when a ratio by
the clock is below its target.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from sqlalchemy.schema import CreateIndex, CreateTable

from toolkit import models
from toolkit.database import Database
from toolkit.models.resolve import resolve_models
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered

ROWS, LOOKUPS, LISTS, LIST_LENGTH, INSERTED, ROUNDS = 100_000, 20_000, 100, 50, 100_000, 3
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
TARGETS = {"rows": 3.0, "lookups": 15.0, "lists": 5.0, "inserts": 2.0}
RAW_BOUND = 1.5


class Author(models.Model):
    name = models.CharField(max_length=50)


class Section(models.Model):
    name = models.CharField(max_length=50)


class Tag(models.Model):
    name = models.CharField(max_length=50)


class Story(models.Model):
    title = models.CharField(max_length=200)
    slug = models.SlugField()
    summary = models.TextField()
    section = models.ForeignKey(Section, on_delete=models.PROTECT, related_name="stories")
    author = models.ForeignKey(Author, on_delete=models.PROTECT, related_name="stories")
    tags = models.ManyToManyField(Tag, related_name="stories")
    status = models.CharField(max_length=10, default="live")
    weight = models.IntegerField(default=0)
    free = models.BooleanField(default=True)
    published = models.DateTimeField()
    expires = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["section", "-published"], name="bench_story_newest")
        ]  # what is measured is not a sort


class Note(models.Model):
    """The table that rows are inserted into."""

    title = models.CharField(max_length=200)
    text = models.TextField()
    weight = models.IntegerField(default=0)
    free = models.BooleanField(default=True)
    published = models.DateTimeField()


COLUMNS = "id, title, slug, summary, section_id, author_id, status, weight, free, published, expires"


def make_database(url: str) -> Any:
    """A database with the rows that both sides read."""
    found, problems = resolve_models({"bench": [Author, Section, Tag, Story, Note]})
    assert not problems
    database: Any = Database(url)
    database.schema = Schema(found, database.dialect)
    if database.dialect == "postgresql":
        name = f"bench_{uuid4().hex[:12]}"
        database.execute(f"CREATE SCHEMA {name}")
        database.close()
        database.on_connect(lambda connection: connection.execute(f"SET search_path TO {name}"))
        database.bench_schema = name
    for table in database.schema.metadata.sorted_tables:
        database.execute(str(CreateTable(table).compile(dialect=database.sqlalchemy_dialect)))
        for index in table.indexes:
            database.execute(str(CreateIndex(index).compile(dialect=database.sqlalchemy_dialect)))
    with entered(Scope(None, database)):
        _fill()
    if database.dialect == "postgresql":
        database.execute("ANALYZE " + ", ".join(table.name for table in database.schema.metadata.sorted_tables))
    return database


def _fill() -> None:
    sections = Section.objects.bulk_create(Section(name=f"Section {n}") for n in range(10))
    authors = Author.objects.bulk_create(Author(name=f"Author {n}") for n in range(300))
    tags = Tag.objects.bulk_create(Tag(name=f"Tag {n}") for n in range(150))
    stories = Story.objects.bulk_create(
        Story(
            title=f"Story number {n}",
            slug=f"story-{n}",
            summary="What happened, and to whom, in a sentence or two.",
            section=sections[n % 10],
            author=authors[n % 300],
            weight=n % 7,
            published=FIRST + timedelta(minutes=n),
        )
        for n in range(ROWS)
    )
    link: Any = Story._meta.by_name["tags"].through  # type: ignore[attr-defined]  # a many-to-many field
    link.objects.bulk_create(
        link(story=story, tag=tags[(n * k) % 150]) for n, story in enumerate(stories) for k in (3, 7) if (n * 4) % 150
    )


# Django's side


def configure_django(database: Any) -> None:
    """Django on the same database; its models describe the tables that are there."""
    import django
    from django.conf import settings

    if database.dialect == "sqlite":
        told = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(database.path)}
    else:
        parts = urlsplit(database.url)
        told = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.path.lstrip("/"),
            "USER": parts.username or "",
            "PASSWORD": parts.password or "",
            "HOST": parts.hostname or dict(parse_qsl(parts.query)).get("host", ""),
            "PORT": str(parts.port or ""),
            "OPTIONS": {"options": f"-c search_path={database.bench_schema}"},
        }
    settings.configure(
        INSTALLED_APPS=["tests.benchmarks"],  # relations back are known for the models of installed apps alone
        DATABASES={"default": told},
        USE_TZ=True,
        TIME_ZONE="UTC",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()


def make_django_models() -> dict[str, Any]:
    """The same models in Django's words."""
    from django.db import models as dj

    def make(kind: str, **fields: Any) -> Any:
        meta = type("Meta", (), {"app_label": "benchmarks", "db_table": f"bench_{kind.lower()}", "managed": False})
        return type(kind, (dj.Model,), {"__module__": __name__, "Meta": meta, **fields})

    section = make("Section", name=dj.CharField(max_length=50))
    author = make("Author", name=dj.CharField(max_length=50))
    tag = make("Tag", name=dj.CharField(max_length=50))
    story = make(
        "Story",
        title=dj.CharField(max_length=200),
        slug=dj.SlugField(),
        summary=dj.TextField(),
        section=dj.ForeignKey(section, on_delete=dj.PROTECT),
        author=dj.ForeignKey(author, on_delete=dj.PROTECT),
        tags=dj.ManyToManyField(tag, db_table="bench_story_tags"),
        status=dj.CharField(max_length=10, default="live"),
        weight=dj.IntegerField(default=0),
        free=dj.BooleanField(default=True),
        published=dj.DateTimeField(),
        expires=dj.DateTimeField(null=True),
    )
    note = make(
        "Note",
        title=dj.CharField(max_length=200),
        text=dj.TextField(),
        weight=dj.IntegerField(default=0),
        free=dj.BooleanField(default=True),
        published=dj.DateTimeField(),
    )
    return {"Story": story, "Note": note}


# the work; each function is one side's way to do the same


def load(story: Any) -> int:
    """All rows as instances."""
    return len(list(story.objects.order_by("pk")))


def look_up(story: Any) -> int:
    """Instances by key, one by one."""
    get = story.objects.get
    for key in range(1, LOOKUPS + 1):
        get(pk=key)
    return LOOKUPS


def list_here() -> int:
    """Lists of fifty, with author and tags of each; no hint given."""
    seen = 0
    for number in range(LISTS):
        stories = Story.objects.filter(section=number % 10 + 1, weight__gt=number % 3).order_by("-published")[
            :LIST_LENGTH
        ]
        for story in stories:
            seen += len(story.author.name) + sum(len(tag.name) for tag in story.tags.all())
    return seen


def list_there(story: Any) -> int:
    """The same with the hints that Django needs."""
    seen = 0
    for number in range(LISTS):
        asked = story.objects.filter(section=number % 10 + 1, weight__gt=number % 3).order_by("-published")
        for found in asked.select_related("author").prefetch_related("tags")[:LIST_LENGTH]:
            seen += len(found.author.name) + sum(len(tag.name) for tag in found.tags.all())
    return seen


def insert(note: Any, *, batch_size: int) -> int:
    """Many rows, made and inserted in one transaction."""
    made = [note(title=f"Note {n}", text="A line or two.", weight=n % 9, published=FIRST) for n in range(INSERTED)]
    return len(note.objects.bulk_create(made, batch_size=batch_size))


def raw_rows(database: Any) -> int:
    """The hand-written loop: tuples, with the conversions that the models make."""
    rows = database.connection.execute(f"SELECT {COLUMNS} FROM bench_story ORDER BY id")
    if database.dialect != "sqlite":
        return len(rows.fetchall())
    parse = datetime.fromisoformat
    return len(
        [(*r[:8], bool(r[8]), parse(r[9]).replace(tzinfo=UTC), None if r[10] is None else parse(r[10])) for r in rows]
    )


def raw_lookups(database: Any) -> int:
    """The same by key."""
    mark = "?" if database.dialect == "sqlite" else "%s"
    sql = f"SELECT {COLUMNS} FROM bench_story WHERE id = {mark}"
    execute, parse = database.connection.execute, datetime.fromisoformat
    if database.dialect != "sqlite":
        for key in range(1, LOOKUPS + 1):
            execute(sql, (key,)).fetchone()
        return LOOKUPS
    for key in range(1, LOOKUPS + 1):
        r = execute(sql, (key,)).fetchone()
        (*r[:8], bool(r[8]), parse(r[9]).replace(tzinfo=UTC), None if r[10] is None else parse(r[10]))
    return LOOKUPS


def floor_lookups(database: Any) -> int:
    """Tuples by key with libpq's own calls: what the server, the wire and the adapters take."""
    from psycopg.adapt import Transformer

    connection = database.connection
    server, values = connection.pgconn, Transformer(connection)
    if connection not in _READY:
        server.prepare(b"floor", f"SELECT {COLUMNS} FROM bench_story WHERE id = $1".encode(), [20])
        _READY.append(connection)
    for key in range(1, LOOKUPS + 1):
        result = server.exec_prepared(b"floor", [b"%d" % key])
        values.set_pgresult(result)
        values.load_rows(0, result.ntuples, tuple)
    return LOOKUPS


_READY: list[Any] = []
"""Connections that have the statement."""


def raw_lists(database: Any) -> int:
    """Three statements a list, and tuples put together by hand: less than this no library on the driver can do."""
    mark = "?" if database.dialect == "sqlite" else "%s"
    stories_sql = (
        f"SELECT {COLUMNS} FROM bench_story WHERE section_id = {mark} AND weight > {mark}"
        f" ORDER BY published DESC, id LIMIT {LIST_LENGTH}"
    )
    execute = database.connection.execute
    seen = 0
    for number in range(LISTS):
        stories = execute(stories_sql, (number % 10 + 1, number % 3)).fetchall()
        keys = sorted({story[5] for story in stories})
        marks = ", ".join([mark] * len(keys))
        authors = dict(execute(f"SELECT id, name FROM bench_author WHERE id IN ({marks})", keys).fetchall())
        tags: dict[int, list[str]] = {}
        for owner, name in execute(_tags_sql(mark, len(stories)), [story[0] for story in stories]).fetchall():
            tags.setdefault(owner, []).append(name)
        for story in stories:
            seen += len(authors[story[5]]) + sum(len(name) for name in tags.get(story[0], ()))
    return seen


def _tags_sql(mark: str, count: int) -> str:
    return (
        "SELECT link.story_id, tag.name FROM bench_tag tag JOIN bench_story_tags link ON link.tag_id = tag.id"
        f" WHERE link.story_id IN ({', '.join([mark] * count)}) ORDER BY tag.id"
    )


@dataclass(frozen=True)
class Task:
    """One kind of work, and who does it."""

    name: str
    count: int
    ours: Callable[[], int]
    django: Callable[[], int]
    raw: Callable[[], int] | None = None
    floor: Callable[[], int] | None = None
    between: Callable[[], None] | None = None
    rounds: int = 1


def make_tasks(database: Any, theirs: dict[str, Any]) -> list[Task]:
    def empty() -> None:
        database.execute("DELETE FROM bench_note")

    return [
        Task("rows", ROWS, lambda: load(Story), lambda: load(theirs["Story"]), lambda: raw_rows(database)),
        Task(
            "lookups",
            LOOKUPS,
            lambda: look_up(Story),
            lambda: look_up(theirs["Story"]),
            lambda: raw_lookups(database),
            floor=(lambda: floor_lookups(database)) if database.dialect == "postgresql" else None,
        ),
        Task(
            "lists",
            LISTS,
            list_here,
            lambda: list_there(theirs["Story"]),
            lambda: raw_lists(database),
            rounds=5,  # a round takes a tenth of a second, which any neighbour on the machine can spoil
        ),
        Task(
            "inserts",
            INSERTED,
            lambda: insert(Note, batch_size=5000),
            lambda: insert(theirs["Note"], batch_size=5000),
            between=empty,
        ),
    ]


@dataclass
class Best:
    """The least of several rounds, in seconds: by the clock, and of this process's CPU."""

    clock: float = float("inf")
    cpu: float = float("inf")

    def note(self, clock: float, cpu: float) -> None:
        self.clock, self.cpu = min(self.clock, clock), min(self.cpu, cpu)


def run(task: Task, rounds: int) -> dict[str, Best]:
    """Best of each side; the sides take turns, and must agree on what they did."""
    every = {"ours": task.ours, "django": task.django, "raw": task.raw, "floor": task.floor}
    sides = {name: work for name, work in every.items() if work is not None}
    best = {name: Best() for name in sides}
    for _ in range(rounds):
        answers = {}
        for name, work in sides.items():
            if task.between is not None:
                task.between()
            clock, cpu = time.perf_counter(), time.process_time()
            answers[name] = work()
            best[name].note(time.perf_counter() - clock, time.process_time() - cpu)
        if len(set(answers.values())) != 1:
            raise SystemExit(f"{task.name}: the sides did not do the same: {answers}")
    return best


def told(task: Task, best: dict[str, Best]) -> str:
    """Microseconds each, by the clock and of CPU, and how they compare."""
    ours, django = best["ours"], best["django"]
    lines = [f"{task.name}: {django.clock / ours.clock:.1f} times, of CPU {django.cpu / ours.cpu:.1f}"]
    lines[0] += f" (target {TARGETS[task.name]:g})"
    for name, one in best.items():
        line = f"  {name:8}{one.clock / task.count * 1e6:10.2f} us, CPU {one.cpu / task.count * 1e6:10.2f}"
        if name in ("raw", "floor"):
            line += f"; Django {django.clock / one.clock:.1f} times, CPU {django.cpu / one.cpu:.1f};"
            line += f" ours {ours.clock / one.clock:.2f}, CPU {ours.cpu / one.cpu:.2f}"
        lines.append(line)
    return "\n".join(lines)


@contextmanager
def opened(url: str | None) -> Iterator[Any]:
    """The filled database; gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        database = make_database(url or f"sqlite:///{Path(folder) / 'bench.db'}")
        try:
            yield database
        finally:
            if database.dialect == "postgresql":
                database.execute(f"DROP SCHEMA {database.bench_schema} CASCADE")
            database.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("url", nargs="?", help="a PostgreSQL database; a temporary SQLite file if left out")
    parser.add_argument("--only", action="append", choices=sorted(TARGETS), help="a kind of work; all if left out")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each; of lists five times as many")
    options = parser.parse_args()
    with opened(options.url) as database:
        configure_django(database)
        import django
        from django.db import connections

        theirs = make_django_models()
        print(f"Django {django.__version__}, Python {sys.version.split()[0]}, {database.dialect}; each the best of")
        print(f"{options.rounds} rounds, of lists {5 * options.rounds}", flush=True)
        missed = []
        with entered(Scope(None, database)):
            for task in make_tasks(database, theirs):
                if options.only and task.name not in options.only:
                    continue
                best = run(task, options.rounds * task.rounds)
                print(told(task, best), flush=True)
                slow = task.name == "rows" and best["ours"].clock > RAW_BOUND * best["raw"].clock
                if best["django"].clock / best["ours"].clock < TARGETS[task.name] or slow:
                    missed.append(task.name)
        connections.close_all()
    print(f"below target: {', '.join(missed)}" if missed else "all targets reached")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
