"""Telling by a stat that a file did not change."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

import toolkit.stamps
from toolkit.stamps import RACY_NS, FileDigests, Sighting, Stamp, is_settled, look_at, stamp_of
from toolkit.trace import digest_bytes


@pytest.fixture
def place(tmp_path: Path) -> Path:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    return path


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that ``FileDigests`` read, in order."""
    found: list[str] = []
    read = FileDigests.read

    def noted(self: FileDigests, path: str | Path) -> Any:
        found.append(os.path.basename(path))
        return read(self, path)

    monkeypatch.setattr(FileDigests, "read", noted)
    return found


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is ahead, so that the files of a test were written a while ago."""
    now = time.time_ns
    monkeypatch.setattr("toolkit.stamps.time.time_ns", lambda: now() + 2 * RACY_NS)


def rewrite(path: Path, body: bytes) -> None:
    """Edit a file, and set its mtime back."""
    status = path.stat()
    path.write_bytes(body)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


# -- stamps


def test_a_stamp_is_settled_two_seconds_after_the_last_change() -> None:
    stamp = Stamp(1, modified=5, changed=10, inode=1)
    assert not is_settled(stamp, at_ns=10 + RACY_NS)
    assert is_settled(stamp, at_ns=11 + RACY_NS)
    assert not is_settled(stamp._replace(modified=12), at_ns=11 + RACY_NS)


def test_an_inode_fits_into_a_database() -> None:
    stamp = stamp_of(os.stat_result((0o100644, 2**64 - 1, *range(8))))
    assert stamp.inode == 2**63 - 1


def test_only_a_settled_stamp_proves_anything_and_only_of_its_equal() -> None:
    stamp = Stamp(1, modified=5, changed=10, inode=1)
    assert Sighting(stamp, settled=True).proves(stamp)
    assert not Sighting(stamp, settled=False).proves(stamp)
    assert not Sighting(stamp, settled=True).proves(stamp._replace(inode=2))


def test_a_new_file_is_not_settled(place: Path) -> None:
    seen = look_at(place)
    assert seen == Sighting(stamp_of(place.stat()), settled=False)


@pytest.mark.usefixtures("later")
def test_an_old_file_is_settled(place: Path) -> None:
    seen = look_at(place)
    assert seen is not None and seen.proves(stamp_of(place.stat()))


def test_what_is_young_stays_unproven_when_it_has_become_old(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, written = look_at(place), place.stat().st_ctime_ns
    monkeypatch.setattr("toolkit.stamps.time.time_ns", lambda: written + 2 * RACY_NS)
    again = look_at(place)
    assert seen is not None and again is not None
    assert again.settled and not seen.proves(again.stamp)


# -- absence


@pytest.mark.parametrize("name", ["none", "a/inside", "x" * 1000, "loop", "nul\0"])
def test_where_there_is_no_file_there_is_no_stamp_and_no_digest(place: Path, name: str) -> None:
    (place.parent / "loop").symlink_to("loop")
    path = place.parent / name
    assert look_at(path) is None
    assert FileDigests().find(path) is None
    assert FileDigests().read(path) is None


def test_a_folder_has_no_digest(tmp_path: Path) -> None:
    assert look_at(tmp_path) is not None
    assert FileDigests().find(tmp_path) is None
    assert FileDigests().read(tmp_path) is None


def test_a_file_that_is_there_and_cannot_be_read_is_no_absent_file(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(PermissionError, match="denied"):
        FileDigests().find(place)
    monkeypatch.setattr(toolkit.stamps.os, "stat", refuse)
    with pytest.raises(PermissionError, match="denied"):
        look_at(place)


# -- digests


def test_a_digest_is_of_the_content(place: Path) -> None:
    digests = FileDigests()
    assert digests.find(place) == digest_bytes(b"old")
    assert digests.read(place) == (b"old", digest_bytes(b"old"))


@pytest.mark.usefixtures("later")
def test_a_file_that_settled_is_not_read_again(place: Path, readings: list[str]) -> None:
    digests = FileDigests()
    assert digests.find(place) == digests.find(str(place)) == digest_bytes(b"old")
    assert readings == ["a"]


def test_a_young_file_is_read_again(place: Path, readings: list[str]) -> None:
    digests = FileDigests()
    assert digests.find(place) == digests.find(place) == digest_bytes(b"old")
    assert readings == ["a", "a"]


@pytest.mark.parametrize("clock", ["now", "later"])
def test_an_edit_of_the_same_size_and_time_is_seen(place: Path, clock: str, request: pytest.FixtureRequest) -> None:
    if clock == "later":
        request.getfixturevalue("later")
    digests = FileDigests()
    assert digests.find(place) == digest_bytes(b"old")
    time.sleep(0.02)  # beyond a tick of the kernel's clock, by which ctime moves
    rewrite(place, b"new")
    assert digests.find(place) == digest_bytes(b"new")


def test_an_edit_in_the_same_tick_is_seen(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stamp = stamp_of(place.stat())
    monkeypatch.setattr("toolkit.stamps.stamp_of", lambda status: stamp)
    digests = FileDigests()
    assert digests.find(place) == digest_bytes(b"old")
    place.write_bytes(b"new")
    assert digests.find(place) == digest_bytes(b"new")


def test_a_slow_reading_does_not_make_a_young_stamp_old(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stamp, written = stamp_of(place.stat()), place.stat().st_mtime_ns
    clock = iter([written + 1, *[written + 10 * RACY_NS] * 9])
    monkeypatch.setattr("toolkit.stamps.time.time_ns", lambda: next(clock))
    monkeypatch.setattr("toolkit.stamps.stamp_of", lambda status: stamp)
    digests = FileDigests()
    assert digests.find(place) == digest_bytes(b"old")
    place.write_bytes(b"new")  # in the tick of the first writing, while the reading was going on
    assert digests.find(place) == digest_bytes(b"new")


@pytest.mark.usefixtures("later")
def test_a_file_that_is_gone_has_no_digest_though_it_was_known(place: Path) -> None:
    digests = FileDigests()
    digests.find(place)
    place.unlink()
    assert digests.find(place) is None
