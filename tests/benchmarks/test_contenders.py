"""What contenders leave behind."""

from __future__ import annotations

from pathlib import Path

from .contenders import put_aside


def test_what_was_built_is_put_aside_and_not_removed(tmp_path: Path) -> None:
    site = tmp_path / "site"
    for number in range(2):
        (site / "build").mkdir(parents=True)
        (site / "build" / "index.html").write_text(str(number))
        put_aside(site, "build", "cache")
        assert list(site.iterdir()) == []
    assert sorted(path.read_text() for path in tmp_path.glob("aside-*/build/index.html")) == ["0", "1"]
