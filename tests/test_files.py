"""Files are replaced whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.files import write_if_changed


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


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "messages.po"
    path.write_bytes(b"1")

    def refuse(self: Path, target: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        write_if_changed(path, b"2")
    assert path.read_bytes() == b"1"
    assert list(tmp_path.iterdir()) == [path]
