"""Which files that a site's own code reads are inputs, and which are not."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from toolkit.site.verifying import environment_digest, file_digest, folder_digest, link_digest
from toolkit.site.watching import loading, watch_files
from toolkit.trace import ABSENT, Scope, Trace, digest_bytes, entered

CODE = """
import asyncio, concurrent.futures, glob, json, os, sqlite3, threading, tomllib
from pathlib import Path

def run(action, *arguments):
    return eval(action, globals(), {"a": arguments})
"""


class FakeSite:
    """As much of a site as the watch asks for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.code_folders = ((f"{folder}/app/",), (f"{folder}/",))


@pytest.fixture
def site(tmp_path: Path) -> FakeSite:
    folder = tmp_path / "site"
    (folder / "app").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "data/a.json").write_text('{"x": 1}')
    return FakeSite(folder)


@pytest.fixture
def read(site: FakeSite) -> Any:
    """Runs an expression as the app's own code, and gives the inputs it made."""
    watch_files()
    names: dict[str, Any] = {}
    exec(compile(CODE, f"{site.folder}/app/pages.py", "exec"), names)

    def reading(action: str, *arguments: Any) -> dict[tuple[str, str], bytes]:
        scope = Scope(site, None, trace=Trace())
        with entered(scope), suppress(OSError):
            names["run"](action, *arguments)
        assert scope.trace is not None
        return {(kind, key[0]): value for (kind, key), value in scope.trace.inputs.items()}

    return reading


FILE = ("file", "data/a.json")


@pytest.mark.parametrize(
    "action",
    [
        "open(a[0]).read()",
        "open(str(a[0]), 'rb').read()",
        "open(os.fsencode(a[0])).read()",
        "Path(a[0]).read_text()",
        "json.load(open(a[0]))",
        "os.open(a[0], os.O_RDONLY)",
        "Path(a[0]).open().readlines()",
    ],
)
def test_every_way_to_open_a_file_is_seen(read: Any, site: FakeSite, action: str) -> None:
    path = site.folder / "data/a.json"
    assert read(action, path) == {FILE: digest_bytes(path.read_bytes())}


def test_a_file_that_is_not_there_is_an_input_too(read: Any, site: FakeSite) -> None:
    assert read("open(a[0])", site.folder / "data/none.txt") == {("file", "data/none.txt"): ABSENT}


@pytest.mark.parametrize(
    "action",
    [
        "os.listdir(a[0])",
        "list(os.scandir(a[0]))",
        "list(Path(a[0]).iterdir())",
        "glob.glob(str(a[0]) + '/*')",
        "list(os.walk(a[0]))",
    ],
)
def test_every_way_to_list_a_folder_is_seen(read: Any, site: FakeSite, action: str) -> None:
    found = read(action, site.folder / "data")
    assert found[("folder", "data")] == folder_digest(site.folder / "data")


@pytest.mark.parametrize("action", ["os.access(a[0], os.R_OK)", "os.stat(a[0])", "Path(a[0]).exists()"])
def test_every_way_to_look_for_a_file_is_seen(read: Any, site: FakeSite, action: str) -> None:
    path = site.folder / "data/a.json"
    assert read(action, path) == {FILE: digest_bytes(path.read_bytes())}
    path.unlink()
    assert read(action, path) == {FILE: ABSENT, ("folder", "data/a.json"): ABSENT}


@pytest.mark.parametrize(
    "action",
    [
        "os.readlink(a[0])",
        "os.lstat(a[0])",
        "os.stat(a[0], follow_symlinks=False)",
        "Path(a[0]).is_symlink()",
        "Path(a[0]).resolve()",
        "os.path.lexists(a[0])",
        "os.path.realpath(a[0])",
    ],
)
def test_every_way_to_look_at_a_link_is_seen(read: Any, site: FakeSite, action: str) -> None:
    link = site.folder / "data/now"
    link.symlink_to("a.json")
    leads_to_a = read(action, link)["link", "data/now"]
    assert leads_to_a == link_digest(link)
    link.unlink()
    link.symlink_to("b.json")
    leads_to_b = read(action, link)["link", "data/now"]
    link.unlink()
    assert len({leads_to_a, leads_to_b, read(action, link)["link", "data/now"]}) == 3


def test_what_is_exchanged_is_able_to_do_what_it_was() -> None:
    """shutil asks which functions take open folders before it removes a tree in the way that nobody can misuse."""
    watch_files()
    code = (
        "import toolkit.site.watching as w; w.watch_files(); import shutil; print(shutil.rmtree.avoids_symlink_attacks)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    plain = [sys.executable, "-c", "import shutil; print(shutil.rmtree.avoids_symlink_attacks)"]
    assert done.stdout == subprocess.run(plain, check=True, capture_output=True, text=True).stdout
    assert {os.stat, os.access, os.readlink} <= os.supports_dir_fd


def test_where_the_site_lies_is_no_input(read: Any, site: FakeSite) -> None:
    """Another machine has it elsewhere, and code that finds its own folder reads nothing of a page."""
    assert read("Path(a[0]).resolve().parent", site.folder / "app/pages.py").keys() <= {
        ("link", "app"),
        ("link", "app/pages.py"),
    }


@pytest.mark.parametrize(
    "action",
    [
        "concurrent.futures.ThreadPoolExecutor(1).submit(Path(a[0]).read_text).result()",
        "list(concurrent.futures.ThreadPoolExecutor(2).map(lambda path: open(path).read(), [a[0], a[0]]))",
        "[t.start() or t.join() for t in [threading.Thread(target=Path(a[0]).read_text)]]",
        "asyncio.run(asyncio.to_thread(Path(a[0]).read_text))",
    ],
)
def test_what_a_thread_reads_that_a_page_begins_is_the_pages(read: Any, site: FakeSite, action: str) -> None:
    path = site.folder / "data/a.json"
    assert read(action, path)[FILE] == digest_bytes(path.read_bytes())


def test_a_pool_of_threads_reads_for_whoever_gave_it_something_to_do(read: Any, site: FakeSite) -> None:
    (site.folder / "data/b.json").write_text("{}")
    with ThreadPoolExecutor(1) as pool:
        paths = [site.folder / f"data/{name}.json" for name in "ab"]
        first, second = (read("a[0].submit(Path(a[1]).read_text).result()", pool, path) for path in paths)
        assert (set(first), set(second)) == ({FILE}, {("file", "data/b.json")})
        assert read("a[0].submit(len, 'abc').result()", pool) == {}


@pytest.mark.parametrize("action", ["os.environ.get(a[0])", "os.getenv(a[0])", "os.getenvb(os.fsencode(a[0]))"])
def test_every_way_to_a_variable_is_seen(read: Any, action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(action, "PROBE") == {("environment", "PROBE"): ABSENT}
    monkeypatch.setenv("PROBE", "1")
    assert read(action, "PROBE") == {("environment", "PROBE"): environment_digest("PROBE")}


def test_a_process_that_is_forked_reads_what_nobody_sees(read: Any) -> None:
    assert ("outside", "os.fork") in read("os.fork() or os._exit(0)")


def test_relative_paths_and_the_current_folder(read: Any, site: FakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(site.folder / "data")
    assert FILE in read("open('a.json').read()")
    assert ("folder", "data") in read("os.listdir()")


def test_a_folder_reached_through_a_link(read: Any, site: FakeSite, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(site.folder)
    assert FILE in read("open(a[0]).read()", tmp_path / "link/data/a.json")
    (site.folder / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/b").write_text("b")
    assert ("file", "linked/b") in read("open(a[0]).read()", site.folder / "linked/b")


def test_files_beside_the_site_are_inputs(read: Any, tmp_path: Path) -> None:
    (tmp_path / "shared.txt").write_text("x")
    assert ("file", "../shared.txt") in read("open(a[0]).read()", tmp_path / "shared.txt")


def test_a_database_is_an_input_with_its_log(read: Any, site: FakeSite) -> None:
    path = site.folder / "data/b.sqlite"
    sqlite3.connect(path).close()
    found = read("sqlite3.connect(a[0]).close()", path)
    assert {("file", "data/b.sqlite"), ("file", "data/b.sqlite-wal")} <= set(found)


def test_what_is_written_is_no_input(read: Any, site: FakeSite) -> None:
    assert read("open(a[0], 'w').write('x')", site.folder / "data/log.txt") == {}
    assert read("open(a[0], 'a').write('x')", site.folder / "data/log.txt") == {}


def test_pythons_own_files_and_modules_are_none(read: Any, site: FakeSite) -> None:
    (site.folder / "app/lazy.py").write_text("x = 1")
    assert read("open(a[0]).read()", site.folder / "app/lazy.py") == {}
    assert read("open(json.__file__).read()") == {}
    assert read("open('/dev/null').read()") == {}


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="there is no folder in memory")
def test_a_file_in_memory_is_an_input(read: Any) -> None:
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as file:
        assert [kind for kind, _ in read("open(a[0]).read()", file.name)] == ["file"]


def test_looking_for_modules_and_distributions_is_none_either(read: Any) -> None:
    """Pygments looks for its plugins so: a file beside the site would have made the page anew."""
    vars(importlib.metadata)["FastPath"].__new__.cache_clear()
    assert read("__import__('importlib.metadata').metadata.entry_points(group='nothing')") == {}


def test_what_others_read_is_none_of_the_pages_business(site: FakeSite) -> None:
    """This test's file is no code of the site."""
    watch_files()
    scope = Scope(site, None, trace=Trace())
    with entered(scope):
        json.loads((site.folder / "data/a.json").read_text())
        os.listdir(site.folder)
    assert scope.trace is not None and len(scope.trace) == 0


def test_digests_of_what_cannot_be_read(tmp_path: Path) -> None:
    assert file_digest(tmp_path) == file_digest(tmp_path / "none") == ABSENT
    assert folder_digest(tmp_path / "none") == ABSENT
    shutil.rmtree(tmp_path / "none", ignore_errors=True)


@pytest.fixture(autouse=True)
def closed_files() -> Iterator[None]:
    """The expressions above leave files to the collector."""
    import gc
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.freeze()  # for the collector looks at what the test leaves, and not at all that was imported
        yield
        gc.collect()


def test_a_file_that_is_opened_while_python_ends_is_nobodys() -> None:
    text = """
import builtins
from toolkit.site.watching import loading, watch_files

watch_files()

class Late:
    def __del__(self, open=open):
        open("/dev/null").close()

builtins.late = Late()
"""
    done = subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True)
    assert not done.stderr


@pytest.mark.parametrize(
    ("code", "wrote"),
    [
        ("x = 1", False),
        ("open(__file__ + '.txt', 'w').close()", True),
        ("import os\nos.close(os.open(__file__ + '.txt', os.O_WRONLY | os.O_CREAT))", True),
        ("import os\nopen(os.open(__file__ + '.txt', os.O_WRONLY | os.O_CREAT), 'w').close()", True),
    ],
)
def test_a_module_that_writes_a_file_is_not_one_whose_bytecode_python_keeps(
    site: FakeSite, monkeypatch: pytest.MonkeyPatch, code: str, wrote: bool
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.syspath_prepend(site.folder)
    (site.folder / "written_while_loading.py").write_text(code)
    with loading(site.folder) as loaded:
        importlib.import_module("written_while_loading")
    del sys.modules["written_while_loading"]
    assert list((site.folder / "__pycache__").iterdir())
    assert loaded.wrote is wrote
