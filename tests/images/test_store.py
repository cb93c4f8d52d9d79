"""The store keeps whole files only, and one process at a time makes them."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.images.making import photograph, saved
from toolkit.errors import ImageError
from toolkit.images import Images, Operations, RenditionStore
from toolkit.images.store import SUFFIX, UNFINISHED

KEY = "0123456789abcdef"


@pytest.fixture
def store(tmp_path: Path) -> RenditionStore:
    return RenditionStore(tmp_path / "store")


def test_what_is_kept_is_found(store: RenditionStore) -> None:
    assert store.find(KEY) is None
    store.keep(KEY, b"body")
    assert store.find(KEY) == b"body" and list(store.keys()) == [KEY]


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b"", lambda b: b[:16], lambda b: b[:16] + b"BODY"])
def test_a_damaged_file_is_not_found(store: RenditionStore, damage: Any) -> None:
    store.keep(KEY, b"body")
    (path,) = store.folder.glob("*/*")
    path.write_bytes(damage(path.read_bytes()))
    assert store.find(KEY) is None


def test_a_damaged_rendition_is_made_again(images: Images, files: dict[str, bytes]) -> None:
    wanted = images.renditions(("asset", "", "photo.jpg", Operations().text()))
    before = images.make(wanted)
    for path in images.store.folder.glob(f"*/*{SUFFIX}"):
        path.write_bytes(path.read_bytes()[:40])
    assert images.make(wanted) == before
    assert images.encoded == 2 * len(before)


def test_pruning_removes_what_nobody_needs_and_what_was_left_by_the_dead(store: RenditionStore) -> None:
    store.keep(KEY, b"body")
    store.keep("ff" + KEY[2:], b"old")
    for name, age in (("new", 0), ("old", 7200)):
        path = store.folder / "01" / f"{UNFINISHED}{name}"
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age, time.time() - age))
    told = store.prune([KEY], dry_run=True)
    assert [name for name, _ in told] == [f"{UNFINISHED}old", f"ff{KEY[2:]}{SUFFIX}"]
    assert store.find("ff" + KEY[2:]) == b"old"
    assert store.prune([KEY]) == told
    assert list(store.keys()) == [KEY] and not (store.folder / "ff").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = RenditionStore(tmp_path / "file" / "store")
    with pytest.raises(ImageError, match=r"the store of renditions .*file/store cannot be written: Not a directory"):
        store.keep(KEY, b"body")
    assert store.find(KEY) is None


def _make(images: Images, key: Any, start: Any, made: Any) -> None:
    start.wait()
    images.make(images.renditions(key))
    made.put(images.encoded)


def test_two_processes_make_nothing_twice(images: Images, files: dict[str, bytes]) -> None:
    files["photo.jpg"] = saved(photograph(1200, 800), quality=95)
    key = ("asset", "", "photo.jpg", Operations(widths=(600, 1200)).text())
    context = multiprocessing.get_context("fork")
    start, made = context.Barrier(3), context.SimpleQueue()
    workers = [context.Process(target=_make, args=(images, key, start, made)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(made.get() for _ in workers) == [0, 0, len(images.renditions(key))]
    made.close()


def test_a_second_machine_with_the_store_makes_nothing(make_images: Any, files: dict[str, bytes]) -> None:
    key = ("asset", "", "photo.jpg", Operations().text())
    first, second = make_images(), make_images()
    bodies = first.make(first.renditions(key))
    assert second.make(second.renditions(key)) == bodies
    assert (first.encoded, second.encoded) == (len(bodies), 0)
