"""Builds by threads, by pools that somebody brings, and by a real Dask cluster: the same bytes as one process."""

from __future__ import annotations

import importlib
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.builder.cluster import Cluster, running_cluster
from tests.builder.conftest import NOON, in_child
from tests.builder.test_interrupted import many
from tests.s3 import S3, running_s3
from tests.servers import SERVERS
from toolkit.builder import Builder
from toolkit.builder.records import decode_key
from toolkit.errors import BuildError
from toolkit.site import load_site
from toolkit.testing import temporary_site
from toolkit.testing.sites import write_site

POSTGRESQL = next((url for url in SERVERS if url.startswith("postgres")), "")


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    for name in ("distributed", "s3fs"):
        importlib.import_module(name)  # once here, rather than in every forked child
    with running_s3() as server:
        server.make_bucket("press")
        patch = pytest.MonkeyPatch()
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server
        patch.undo()


@pytest.fixture(scope="module")
def dask(s3: S3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler and two workers."""
    folder = tmp_path_factory.mktemp("cluster")
    with running_cluster(folder, workers=2, environment=s3.environment) as cluster:
        yield cluster


@pytest.fixture
def cluster(dask: Cluster) -> Cluster:
    """The same, both workers alive."""
    dask.mend(2)
    return dask


@contextmanager
def on_postgresql(press: Any, *edits: Any) -> Iterator[Any]:
    """A press whose rows are in a schema of their own in PostgreSQL, made by these edits; built."""
    if not POSTGRESQL:
        pytest.skip("TOOLKIT_TEST_DATABASES names no PostgreSQL")
    import psycopg

    schema = f"toolkit_{os.getpid()}_{press.folder.parent.name}"
    with psycopg.connect(POSTGRESQL, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    press.replace("toolkit.toml", "sqlite:///press.db", f"{POSTGRESQL}?options=-csearch_path%3D{schema}")
    press.build()
    for edit in edits:
        press.edit(edit)
    press.build()
    yield press
    with psycopg.connect(POSTGRESQL, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture(scope="module")
def fresh_press(
    planted: Path, make_press: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Any]:
    """A press that the tests of this module share, in a folder of this name."""

    def make(name: str) -> Any:
        folder = tmp_path_factory.mktemp(name) / "site"
        shutil.copytree(planted, folder)
        return make_press(folder)

    return make


@pytest.fixture(scope="module")
def big(fresh_press: Callable[[str], Any], small_batches: None) -> Any:
    """A press of some 120 pages, and its build by one process."""
    press = fresh_press("big")
    press.edit(many)
    press.build()
    return press


@pytest.fixture(scope="module")
def served(planter: Any, fresh_press: Callable[[str], Any], small_batches: None) -> Iterator[Any]:
    """As ``big``, in PostgreSQL."""
    with on_postgresql(fresh_press("served"), planter, many) as press:
        yield press


@pytest.fixture(scope="module")
def served_few(planter: Any, fresh_press: Callable[[str], Any]) -> Iterator[Any]:
    """A press of some 50 pages in PostgreSQL, for a storage takes several requests for each."""
    with on_postgresql(fresh_press("few"), planter) as press:
        yield press


INPUTS = "SELECT i.id, t.kind, i.key, i.digest FROM inputs i JOIN topics t ON t.id = i.topic"


def meaning(manifest: Path) -> dict[str, Any]:
    """What a manifest says, without the numbers that inputs have in it and the times of files.

    Of rows it says which were read, and not which columns: rows that are rendered together load their columns
    together, and what was loaded is recorded, so that another batch records a row coarser or finer.
    """
    connection = sqlite3.connect(manifest)
    try:
        inputs = {row[0]: named(*row[1:]) for row in connection.execute(INPUTS)}

        def read(numbers: bytes) -> set[Any]:
            return {inputs[number] for number in memoryview(numbers).cast("I")}

        pages = connection.execute(
            "SELECT route, key, locale, number, url, path, digest, size, content_type, status, attachments, inputs "
            "FROM pages"
        )
        units = connection.execute("SELECT route, locale, planned, digest, inputs FROM units")
        files = connection.execute("SELECT path, digest, size, owner FROM files")
        return {
            "pages": {row[:4]: (*row[4:-1], read(row[-1])) for row in pages},
            "units": {row[:2]: (*row[2:-1], read(row[-1])) for row in units},
            "files": sorted(files),
            "shapes": sorted(name for (name,) in connection.execute("SELECT id FROM shapes")),
        }
    finally:
        connection.close()


def named(kind: str, key: bytes, value: bytes) -> tuple[Any, ...]:
    """An input, without its number."""
    if kind != "row":
        return kind, key, value
    table, _, primary_key = decode_key(key)
    return kind, table, primary_key


def same_manifests(one: Path, other: Path) -> None:
    """Both say the same of pages, units and files.

    What rows a page read may be noted coarser or finer: it depends on what was loaded before in the same process.
    """
    first, second = meaning(one), meaning(other)
    assert (first["units"], first["files"]) == (second["units"], second["files"])
    assert {key: page[:-1] for key, page in first["pages"].items()} == {
        key: page[:-1] for key, page in second["pages"].items()
    }


# on this machine


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_an_executor_by_name_makes_the_same_files_and_manifest(big: Any, tree_of: Any, executor: str) -> None:
    other = big.out.with_name(executor)
    report = big.build(other, executor=executor, workers=2)
    assert report.rendered == report.pages > 100
    assert tree_of(other) == tree_of(big.out)
    same_manifests(big.out.with_name("out.manifest.db"), other.with_name(f"{executor}.manifest.db"))
    assert big.build(other).rendered == 0


PAGES = """
@app.page("/<int:n>/", each=lambda: [{"n": n} for n in range(120)])
def number(n):
    return f"<p>{n}"
"""


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_any_executor_will_do_and_stays_open(tmp_path: Path, kind: Any) -> None:
    with temporary_site(tmp_path / "site", pages=PAGES) as site, kind(2) as executor:
        assert Builder(site, executor=executor).build().rendered == 120
        assert (site.folder / "build/119/index.html").read_text() == "<p>119"
        assert executor.submit(int, "3").result() == 3


def test_an_unknown_executor_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    told = r"no executor 'thread'. Did you mean 'threads'"
    with temporary_site(tmp_path / "site", pages=PAGES) as site, pytest.raises(BuildError, match=told):
        Builder(site, executor="thread")


def test_a_scheduler_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.builder.executors.CONNECT_SECONDS", 0.5)
    with temporary_site(tmp_path / "site", pages=PAGES) as site:
        with pytest.raises(BuildError, match=r"no Dask scheduler answers at 127.0.0.1:1"):
            Builder(site, executor="dask://127.0.0.1:1").build()
        assert not (site.folder / "build").exists()


WRITER = """
import select, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
number = 0
while not select.select([sys.stdin], [], [], 0.002)[0]:
    number += 1
    connection.execute("UPDATE press_story SET title = 'mark-' || ? || '-'", (number,))
    if number == 1:
        print("writing", flush=True)
connection.close()
"""
"""Writes until its input ends."""


def test_threads_show_one_state_while_somebody_writes(big: Any, tree_of: Any) -> None:
    """A thread that comes too late to see the build's state leaves its batch to the process that does."""
    command = [sys.executable, "-c", WRITER, str(big.folder / "press.db")]
    # a process, not a thread: a fork in the middle of a thread's statement keeps SQLite's locks for ever
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"writing\n"
        other = big.out.with_name("marked")
        big.build(other, executor="threads", workers=3, clean=True)
        writer.communicate()
    assert writer.returncode == 0
    text = b"".join(body for path, body in tree_of(other).items() if "es/" not in path)
    assert len({mark.split(b"-")[0] for mark in text.split(b"mark-")[1:]}) == 1
    assert big.same().rendered > 0


# on a cluster


def test_a_cluster_on_postgresql_builds_the_same_into_a_shared_folder(
    served: Any, cluster: Cluster, tree_of: Any
) -> None:
    other = served.out.with_name("shared")
    report = served.build(other, executor=cluster.executor)
    assert report.rendered == report.pages > 100
    assert tree_of(other) == tree_of(served.out)
    same_manifests(served.out.with_name("out.manifest.db"), other.with_name("shared.manifest.db"))
    assert served.build(other).rendered == 0


def test_a_cluster_builds_the_same_into_a_storage_and_goes_on_from_there(
    served_few: Any, cluster: Cluster, s3: S3, tree_of: Any
) -> None:
    url = "s3://press/live"
    report = served_few.build(url, executor=cluster.executor)
    assert report.rendered == report.pages > 50
    assert s3.tree(url) == tree_of(served_few.out)
    assert served_few.build(url, executor=cluster.executor).events == []
    shutil.rmtree(served_few.folder / ".toolkit" / "outputs")  # another machine
    s3.file_system().pipe_file("press/live/index.html", b"somebody else's")
    served_few.edit(lambda m: m.Story.objects.filter(pk=2).update(slug="moved"))
    report = served_few.build(url)
    assert 0 < report.rendered < report.pages
    served_few.build()
    assert s3.tree(url) == tree_of(served_few.out)
    assert not [path for path in s3.file_system().find("press/") if "staging" in path or path.endswith(".lock")]


FEW_PAGES = """
@app.page("/")
def home():
    return "<p>" + "home " * 200

@app.page("/<int:n>/", each=lambda: [{"n": n} for n in range(2)])
def number(n):
    return "<p>" + f"{n} " * 200
"""


def test_headers_that_change_alone_reach_every_object(make_press: Any, tmp_path: Path, s3: S3) -> None:
    """S3 keeps them beside each object, and no file of the build is another."""
    write_site(tmp_path / "site", pages=FEW_PAGES)
    press, kept = make_press(tmp_path / "site"), s3.file_system()

    def told(path: str) -> Any:
        head = kept.call_s3("head_object", Bucket="press", Key=path)
        return head.get("CacheControl"), head["ContentType"], head.get("ContentEncoding")

    url, settings = "s3://press/headers", {"precompress": ["gz"]}
    assert press.build(url, settings=settings).rendered == 3
    before = s3.tree(url)
    assert press.build(url, settings=settings).events == []
    settings["headers"] = {"/*": {"Cache-Control": "public, max-age=77"}}
    report = press.build(url, settings=settings)
    assert (report.rendered, report.events) == (0, [])
    assert told("headers/index.html") == ("public, max-age=77", "text/html; charset=utf-8", None)
    assert told("headers/index.html.gz") == ("public, max-age=77", "text/html; charset=utf-8", "gzip")
    assert s3.tree(url) == before
    again = {path: info["LastModified"] for path, info in kept.find("press/headers", detail=True).items()}
    assert press.build(url, settings=settings).events == []
    assert {path: info["LastModified"] for path, info in kept.find("press/headers", detail=True).items()} == again


def test_s3_is_not_asked_for_each_file_that_is_copied_into_place(press: Any, s3: S3) -> None:
    def build() -> dict[str, int]:
        from s3fs import S3FileSystem

        asked = Counter[str]()
        call = S3FileSystem._call_s3

        async def counted(system: Any, method: str, *arguments: Any, **options: Any) -> Any:
            asked[method] += 1
            return await call(system, method, *arguments, **options)

        S3FileSystem._call_s3 = counted
        Builder(load_site(press.folder).prepare(), output="s3://press/asked", moment=NOON).build()
        return asked

    asked = in_child(build)
    assert asked["copy_object"] > 60
    assert asked["head_object"] < 10


def test_a_storage_takes_one_build_at_a_time(served_few: Any, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.file_system().pipe_file("press/busy.lock", b"2999-01-01T00:00:00+00:00 desk-7, process 12")
    with pytest.raises(BuildError, match="another build of s3://press/busy is running on desk-7, process 12"):
        served_few.build("s3://press/busy")
    monkeypatch.setattr("toolkit.builder.storage_lock.SETTLE_SECONDS", 0.01)
    s3.file_system().pipe_file("press/busy.lock", b"2001-01-01T00:00:00+00:00 desk-7, process 12")
    assert served_few.build("s3://press/busy", workers=2).rendered > 50


def test_a_storage_without_room_or_that_refuses_is_named(press: Any, s3: S3) -> None:
    with pytest.raises(BuildError, match="s3://press has no room for the manifest"):
        press.build("s3://press")
    with pytest.raises(BuildError, match=r"the storage s3://no-such-bucket/live refuses: .*bucket"):
        press.build("s3://no-such-bucket/live")


KILLER = """

import os as _os, signal as _signal


@app.page("/killer/<int:n>/", each=lambda: [{{"n": n}} for n in range(60)])
def killer(n):
    grave = Path({grave!r})
    if n == 30 and not grave.exists():
        grave.touch()
        _os.kill(_os.getpid(), _signal.SIGKILL)
    return f"<p>{{n}}"
"""


@pytest.fixture
def deadly(big: Any, tmp_path: Path, make_press: Callable[[Path], Any]) -> Any:
    """The press on SQLite, and a page whose first rendering kills whoever renders it."""
    folder = tmp_path / "site"
    shutil.copytree(big.folder, folder)
    press = make_press(folder)
    pages = folder / "press/pages.py"
    pages.write_text(pages.read_text() + KILLER.format(grave=str(tmp_path / "grave")))
    return press


def test_a_worker_of_a_cluster_that_dies_loses_nothing(
    deadly: Any, cluster: Cluster, tmp_path: Path, tree_of: Any
) -> None:
    report = deadly.build(executor=cluster.executor)
    assert (tmp_path / "grave").exists()
    assert report.rendered == report.pages > 160
    assert sum(worker.poll() is None for worker in cluster.workers) == 1
    assert tree_of(deadly.out) == deadly.clean()


def test_workers_with_other_code_are_refused_and_the_difference_is_named(big: Any, s3: S3, tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    shutil.copytree(root / "toolkit", tmp_path / "other/toolkit")
    slugs = tmp_path / "other/toolkit/text/slugs.py"
    slugs.write_text(slugs.read_text() + "# edited\n")
    with running_cluster(tmp_path, workers=1, environment={"PYTHONPATH": str(tmp_path / "other")}) as other:
        with pytest.raises(BuildError, match=r"the code of .* is another: toolkit/text/slugs.py\."):
            big.build(big.out.with_name("never"), executor=other.executor)
        assert not big.out.with_name("never").exists()


def test_a_scheduler_that_dies_leaves_the_last_good_output(big: Any, dask: Cluster, tree_of: Any) -> None:
    dask.mend(1)
    big.build()
    before = tree_of(big.out)
    big.replace("templates/story.html", "{% block", "{# edited #}{% block")
    big.sql("UPDATE press_story SET weight = weight + 1")

    def kill_later() -> None:
        for _ in range(2000):
            if any(big.out.with_name(".out.staging").glob("*")):
                break
            threading.Event().wait(0.005)
        dask.scheduler.kill()

    thread = threading.Thread(target=kill_later)
    thread.start()
    try:
        with pytest.raises(BuildError, match=r"the executor dask://127.0.0.1:\d+ failed while it rendered"):
            big.build(executor=dask.executor)
    finally:
        thread.join()
    assert tree_of(big.out) == before
    assert big.same().rendered > 100
