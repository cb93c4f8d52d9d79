"""Builds into a storage that is no S3: fsspec's own, in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.builder import Builder
from toolkit.builder.remote import stamp_of
from toolkit.errors import BuildError
from toolkit.testing import temporary_site

PAGES = """
@app.page("/")
def home():
    return "Hello, reader"

@app.page("/other/")
def other():
    return "Other"
"""


def test_a_build_lands_in_any_storage_and_only_changes_are_written(tmp_path: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    with temporary_site(tmp_path / "site", {"public/robots.txt": "hi"}, pages=PAGES) as site:
        assert Builder(site, output="memory://live").build().count("written") == 3
        assert memory.cat("/live/index.html") == b"Hello, reader"
        memory.pipe("/live/foreign.txt", b"somebody's")
        memory.pipe("/live/index.html", b"Hello, friend")
        (site.folder / "public/robots.txt").unlink()
        report = Builder(site, output="memory://live").build()
        assert [str(event) for event in report.events] == [
            "rendered /: its file was changed or removed",
            "written index.html",
            "removed robots.txt",
        ]
        assert sorted(memory.find("/live")) == ["/live/foreign.txt", "/live/index.html", "/live/other/index.html"]
        assert memory.cat("/live/index.html") == b"Hello, reader"


def test_a_kind_of_storage_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    told = r"nowhere://live cannot be opened: Protocol not known: nowhere"
    with temporary_site(tmp_path / "site", pages=PAGES) as site, pytest.raises(BuildError, match=told):
        Builder(site, output="nowhere://live").build()


def test_a_fingerprint_decides_before_a_time() -> None:
    assert stamp_of({"ETag": "a", "LastModified": 1}) == stamp_of({"ETag": "a", "LastModified": 2})
    assert stamp_of({"created": 1}) != stamp_of({"created": 2})
