"""Files are replaced whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.files import replacing, write_if_changed, write_whole


def test_a_file_is_written_with_its_folders_and_only_when_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "es" / "messages.po"
    assert [write_if_changed(path, body) for body in (b"1", b"1", b"2")] == [True, False, True]
    assert path.read_bytes() == b"2"
    assert list(path.parent.iterdir()) == [path]


def test_a_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "messages.po"
    path.write_bytes(b"1")
    path.chmod(0o640)
    write_if_changed(path, b"2")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    place = tmp_path / "messages.po"
    (place / "in the way").mkdir(parents=True)
    with pytest.raises(OSError, match=r"messages\.po"):
        write_whole(place, b"2")
    assert list(tmp_path.iterdir()) == [place]


def test_a_block_that_fails_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "messages.po"
    path.write_bytes(b"1")
    with pytest.raises(ValueError, match="no more rows"), replacing(path) as beside:
        beside.write_bytes(b"2")
        raise ValueError("no more rows")
    assert path.read_bytes() == b"1"
    assert list(tmp_path.iterdir()) == [path]
