"""Builds on a full disk, beside another build, onto what may not be written, from a spoilt manifest.

Each ends with a clear message, leaves the last good output as it was, and the next build equals a clean one.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builder.conftest import in_child
from tests.builder.test_interrupted import kill, start
from toolkit.errors import BuildError, ToolkitError


def change(press: Any) -> None:
    """Make every page stale, and longer."""
    press.write("templates/parts/banner.html", "<b>new</b>" + "x" * 3000)


def rename(press: Any) -> None:
    """Make the pages that show one story stale."""
    press.sql("UPDATE press_story SET title = title || '!' WHERE id = 2")


@pytest.fixture(scope="module")
def clean_after(
    planted: Path, make_press: Any, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Callable[[Any], None]], dict[str, bytes]]:
    """The files of a build from nothing after an edit: the same whatever attack was between, so each is made once."""

    @functools.cache
    def clean(edit: Callable[[Any], None]) -> dict[str, bytes]:
        press = make_press(tmp_path_factory.mktemp("clean") / "site")
        shutil.copytree(planted, press.folder)
        edit(press)
        files: dict[str, bytes] = press.clean()
        return files

    return clean


# no room


def limited(size: int, function: Callable[[], Any]) -> Any:
    """Run a function in a process whose files cannot grow beyond a size, as on a disk that is full."""

    def run() -> Any:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        return function()

    return in_child(run)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("size", [0, 2000, 60_000])
def test_files_that_cannot_grow_leave_the_last_good_output_or_the_whole_new_one(
    press: Any, tree_of: Any, clean_after: Any, size: int, workers: int
) -> None:
    """Pages, the manifest, or both: whichever is the first that does not fit."""
    press.take_built()
    before = tree_of(press.out)
    change(press)
    with pytest.raises(ToolkitError, match=r"(?i)too large|disk|full|could not be written|cannot be written"):
        limited(size, lambda: press.build(workers=workers))
    left = tree_of(press.out)
    assert not press.out.with_name(".out.staging").exists()
    assert press.build().rendered > 0
    assert tree_of(press.out) == clean_after(change)
    assert left in (before, tree_of(press.out))  # the new one if only the manifest, which is the last, did not fit


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no small disk can be mounted here: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_named_and_the_next_build_with_room_is_exact(
    press: Any, tree_of: Any, clean_after: Any, small_disk: Path
) -> None:
    out = small_disk / "out"
    press.build(out)
    before = tree_of(out)
    change(press)
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    with pytest.raises(ToolkitError, match=r"(?i)no space|disk is full|database or disk"):
        press.build(out)
    assert tree_of(out) == before
    filler.unlink()
    press.build(out)
    assert tree_of(out) == clean_after(change)


@pytest.mark.parametrize("linked", [False, True])
def test_an_output_that_is_another_disk_is_built_into(
    press: Any, tree_of: Any, clean_after: Any, small_disk: Path, tmp_path: Path, linked: bool
) -> None:
    """Such as the volume of a container: nothing can be renamed into it."""
    out = small_disk
    if linked:
        out = tmp_path / "link"
        out.symlink_to(small_disk)
    press.build(out)
    change(press)
    press.build(out)
    assert tree_of(out) == clean_after(change)


# not ours to write


def test_an_output_that_may_only_be_read_is_named(press: Any, tree_of: Any, clean_after: Any, tmp_path: Path) -> None:
    """A disk mounted read-only, since the tests may run as root."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(disk)], capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        press.build(disk / "out")
        before = tree_of(disk / "out")
        change(press)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(BuildError, match=r"disk cannot be written.*[Rr]ead-only.*Choose another 'output'"):
            press.build(disk / "out")
        assert tree_of(disk / "out") == before
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        press.build(disk / "out")
        assert tree_of(disk / "out") == clean_after(change)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_an_output_that_is_a_file_is_named(press: Any) -> None:
    press.out.write_text("somebody's notes")
    with pytest.raises(BuildError, match=r"out is a file\..*Choose another 'output'"):
        press.build()
    assert press.out.read_text() == "somebody's notes"


# two at once


def test_two_builds_at_once_the_second_is_refused_and_both_end_exact(
    press: Any, tree_of: Any, clean_after: Any
) -> None:
    press.take_built()
    change(press)
    with press.out.with_name(".out.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BuildError, match=r"another build or deploy of .*out is running. Wait for it"):
            press.build()
    press.build()
    assert tree_of(press.out) == clean_after(change)


def test_the_lock_of_a_killed_build_is_free(press: Any, tree_of: Any, clean_after: Any) -> None:
    press.take_built()
    change(press)
    pid = start(lambda: press.build(workers=2))
    lock = press.out.with_name(".out.staging")
    for _ in range(2000):
        if lock.exists():
            break
        with contextlib.suppress(OSError):
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        signal.sigtimedwait([], 0.002)
    kill(pid)
    press.build()
    assert tree_of(press.out) == clean_after(change)


# the manifest


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])


def zeroed(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[8192:32768] = bytes(24576)
    path.write_bytes(bytes(body))


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def all_zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def of_text(path: Path) -> None:
    path.write_text("Not a manifest, but a note of somebody's.\n" * 50)


def a_header_alone(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00" + bytes(500))


def of_another_version(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE meta SET value = '999' WHERE name = 'format'")
        connection.commit()


def another_database(path: Path) -> None:
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE readers (name TEXT)")
        connection.commit()


def without_a_table(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE inputs")
        connection.commit()


def without_a_column(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE pages DROP COLUMN reason")
        connection.commit()


def with_nonsense_in_it(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE units SET planned = x'c1c1c1'")
        connection.commit()


def with_a_value(table: str, column: str, value: bytes | str) -> Callable[[Path], None]:
    """SQLite finds nothing wrong with it."""

    def spoil(path: Path) -> None:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute(
                f"UPDATE {table} SET {column} = ? WHERE rowid = (SELECT min(rowid) FROM {table})", [value]
            )
            connection.commit()

    spoil.__name__ = f"{value!r} as {table}.{column}"
    return spoil


def with_pages_elsewhere(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE pages SET path = 'elsewhere/' || path")
        connection.commit()


def with_a_name_in_another_coding(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE shapes SET id = CAST(x'ff' AS TEXT) WHERE id = (SELECT min(id) FROM shapes)")
        connection.commit()


def with_shapes_of_no_text(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE shapes SET record = x'81a1ff01'")
        connection.commit()


def with_shapes_of_nothing(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE shapes SET record = x'80'")
        connection.commit()


def with_inputs_missing(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM inputs WHERE id % 2")
        connection.commit()


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "note.txt").write_text("somebody's")


def a_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


SPOILS = [
    truncated, zeroed, emptied, all_zero, of_text, a_header_alone, of_another_version, another_database,
    without_a_table,
    without_a_column, with_nonsense_in_it, with_inputs_missing, a_folder, a_loop,
    with_a_name_in_another_coding, with_shapes_of_no_text, with_shapes_of_nothing,
    with_a_value("topics", "kind", "tmplate"), with_a_value("inputs", "topic", b"x"),
    with_a_value("pages", "key", b"\x80"), with_pages_elsewhere,
    with_a_value("units", "planned", b"x"),
]  # fmt: skip


@pytest.mark.parametrize("spoil", SPOILS, ids=lambda spoil: spoil.__name__)
def test_a_spoilt_manifest_is_set_aside_and_the_build_is_exact(
    press: Any, tree_of: Any, clean_after: Any, spoil: Callable[[Path], None]
) -> None:
    press.take_built()
    manifest = press.out.with_name("out.manifest.db")
    spoil(manifest)
    rename(press)
    report = press.build()
    assert tree_of(press.out) == clean_after(rename)
    assert any("set aside as out.manifest.db.bad-1" in notice for notice in report.notices) or spoil is emptied
    assert press.build().events == []


def test_the_manifest_of_another_site_is_not_believed(
    press: Any, tree_of: Any, tmp_path: Path, make_press: Any
) -> None:
    """Of a copy with other rows: what it says of files is compared with the files."""
    other = make_press(tmp_path / "elsewhere" / "site")
    shutil.copytree(press.folder, other.folder)
    other.sql("UPDATE press_story SET title = 'Other', slug = 'other-' || slug WHERE id < 6")
    other.build()
    press.take_built()
    shutil.copyfile(other.out.with_name("out.manifest.db"), press.out.with_name("out.manifest.db"))
    press.same()


def test_a_manifest_that_somebody_holds_is_named_and_nothing_is_lost(
    press: Any, tree_of: Any, clean_after: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.builder.manifest.BUSY_SECONDS", 0.2)
    press.take_built()
    before = tree_of(press.out)
    change(press)
    manifest = press.out.with_name("out.manifest.db")
    holder = sqlite3.connect(manifest, isolation_level=None)
    try:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(BuildError, match=r"out.manifest.db .*locked"):
            press.build()
    finally:
        holder.close()
    assert tree_of(press.out) == before
    assert not list(press.out.parent.glob("*.bad-*"))
    press.build()
    assert tree_of(press.out) == clean_after(change)


# the database


def test_a_table_that_is_dropped_in_the_middle_ends_the_build_and_nothing_is_published(
    press: Any, tree_of: Any
) -> None:
    press.take_built()
    before = tree_of(press.out)
    pages = (press.folder / "press/pages.py").read_text()
    press.write("press/pages.py", pages + DROPPER)
    with pytest.raises(ToolkitError, match="press_gone"):
        press.build()
    assert tree_of(press.out) == before
    press.write("press/pages.py", pages)
    press.same()


DROPPER = """

@app.page("/dropped/")
def dropped() -> str:
    from toolkit.models import RawSQL

    return str(list(Story.objects.raw("SELECT * FROM press_gone")))
"""
