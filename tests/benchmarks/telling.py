"""How long ``toolkit why`` and ``toolkit impact`` take on a site of many pages.

    python -m tests.benchmarks.telling --pages 50000

The site is real, and so are its rows; a build of its first pages is copied in the manifest to as many as are wanted,
with the inputs that each page would have: its own row, five related ones, the queries that found those, and what all
pages share. Each command runs in a process of its own, as in a shell.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from toolkit.builder import Builder, Manifest
from toolkit.builder.changes import Changes
from toolkit.builder.records import encode_key, pack
from toolkit.testing import temporary_site

MODELS = """
class Story(models.Model):
    title = models.CharField(max_length=80)
    slug = models.SlugField(unique=True)
    section = models.IntegerField(db_index=True)
    published = models.DateTimeField()
    class Meta:
        ordering = ["slug"]
        public = Q(published__lte=Now())
    def __str__(self): return self.title
"""
PAGES = """
@app.page("/<slug>/", each=Story.objects.filter(pk__lte=20), template="story.html")
def story(story):
    return {"related": Story.objects.filter(section=story.section)[:5]}
"""
FILES = {
    "templates/base.html": "<title>{{ site.title }}</title>{% block body %}{% endblock %}",
    "templates/story.html": '{% extends "base.html" %}{% block body %}{{ story.title }}'
    "{% for one in related %}{{ one.title }}{% endfor %}{% endblock %}",
}
COMMANDS = (("why", "/story-4711/"), ("impact", "story:story-4711"), ("impact", "template:base.html"))


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=50_000)
    parser.add_argument("--repeat", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make_site(Path(folder), asked.pages)
        for command in COMMANDS:
            seconds, printed = measure(Path(folder), command, asked.repeat)
            print(
                f"{' '.join(command):34} median {statistics.median(seconds):.3f} s, best {min(seconds):.3f} s; "
                f"{printed.splitlines()[0]}"
            )


def make_site(folder: Path, pages: int) -> None:
    """A site whose manifest says that it has so many pages."""
    with temporary_site(folder, FILES, models=MODELS, pages=PAGES) as site:
        model = next(model for model in site.models if model.__name__ == "Story")
        noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
        model.objects.bulk_create(
            model(title=f"Story {n}", slug=f"story-{n}", section=n // 20, published=noon) for n in range(1, pages + 1)
        )
        builder = Builder(site, workers=1)
        builder.build()
        multiply(Manifest(builder.manifest_path), pages)


def multiply(manifest: Manifest, pages: int) -> None:
    """Give the manifest as many pages as are wanted."""
    connection = manifest.connection
    first = manifest.find_page("/story-1/")
    assert first is not None
    kept = {number: item for number, item in manifest.inputs().items() if number in set(first.inputs)}
    shared = [number for number, (kind, *_) in kept.items() if kind not in ("row", "query")]
    (columns,) = {item[1][1] for item in kept.values() if item[0] == "row"} or {None}
    (table,) = {item[1][0] for item in kept.values() if item[0] == "row"}
    shapes = [item[1] for item in kept.values() if item[0] == "query"]
    start = 1 + max(manifest.inputs())
    rows = [(start + n, "row", encode_key((table, columns, n)), b"x" * 16) for n in range(pages + 1)]
    asked = start + pages + 1
    queries = [(asked + n * len(shapes) + k, key, n) for n in range(pages) for k, key in enumerate(shapes)]
    rows += [(number, "query", encode_key((key[0], f"{key[1:]} {n}")), b"x" * 16) for number, key, n in queries]
    manifest.replace(Changes(datetime.now(UTC), inputs=rows))
    connection.execute("BEGIN")
    connection.execute("DELETE FROM pages")
    sql = (
        "INSERT INTO pages (route, key, locale, number, url, path, digest, size, content_type, status, reason, inputs)"
        " VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, 200, 'new', ?)"
    )
    connection.executemany(
        sql, (_page(first, n, pages, shared, start, asked, len(shapes)) for n in range(1, pages + 1))
    )
    connection.execute("COMMIT")
    manifest.close()


def _page(first: Any, n: int, pages: int, shared: list[int], start: int, asked: int, shapes: int) -> tuple[Any, ...]:
    route, _, locale, _ = first.identity
    related = [start + (n // 20 * 20 + k) % pages for k in range(1, 6)]
    inputs = [*shared, start + n, *related, *range(asked + (n - 1) * shapes, asked + n * shapes)]
    url = f"/story-{n}/"
    key = encode_key(n)  # type: ignore[arg-type]  # a plain key, as the manifest keeps it
    return (route, key, locale, url, f"story-{n}/index.html", b"x" * 16, 900, "text/html", pack(inputs))


def measure(folder: Path, command: tuple[str, ...], repeat: int) -> tuple[list[float], str]:
    """Seconds of CPU of each run, as the clock has them on a machine that does nothing else; and what was printed."""
    seconds, printed = [], ""
    for _ in range(repeat + 1):
        started = _children_seconds()
        done = subprocess.run(
            [sys.executable, "-m", "toolkit", *command],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.getcwd(), "PYTHONDONTWRITEBYTECODE": ""},
            check=True,
            capture_output=True,
            text=True,
        )
        seconds.append(_children_seconds() - started)
        printed = done.stdout
    return seconds[1:], printed  # the first wrote bytecode


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
