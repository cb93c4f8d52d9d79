"""Files of the output that somebody else changed."""

from __future__ import annotations

import os
from pathlib import Path

from toolkit.builder import Builder
from toolkit.testing import temporary_site

PAGES = """
@app.page("/")
def home():
    return "Hello, reader"
"""


def test_a_file_changed_to_the_same_size_with_its_time_set_back_is_seen_and_mended(tmp_path: Path) -> None:
    with temporary_site(tmp_path / "site", pages=PAGES) as site:
        Builder(site).build()
        page = site.folder / "build" / "index.html"
        before = page.stat()
        page.write_text("Hello, friend")
        os.utime(page, ns=(before.st_atime_ns, before.st_mtime_ns))
        report = Builder(site).build()
        assert page.read_text() == "Hello, reader"
        assert next((event.kind, event.reason) for event in report.events) == (
            "rendered",
            "its file was changed or removed",
        )


def test_an_output_whose_times_alone_changed_is_not_written_again(tmp_path: Path) -> None:
    with temporary_site(tmp_path / "site", pages=PAGES) as site:
        Builder(site).build()
        os.utime(site.folder / "build" / "index.html", ns=(1, 1))
        assert Builder(site).build().events == []
