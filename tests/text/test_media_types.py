"""The media type that a file is published with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from toolkit.text.media_types import content_type


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/a/b.html", "text/html; charset=utf-8"),
        ("/site.css", "text/css; charset=utf-8"),
        ("/app.mjs", "text/javascript; charset=utf-8"),
        ("/fonts/news.woff2", "font/woff2"),
        ("/photo.avif", "image/avif"),
        ("/photo.JPG", "image/jpeg"),
        ("/favicon.ico", "image/x-icon"),
        ("/site.webmanifest", "application/manifest+json"),
        ("/towns.geojson", "application/geo+json"),
        ("/feed.xml", "application/xml; charset=utf-8"),
        ("/calendar.ics", "text/calendar; charset=utf-8"),
        ("/rows.csv.gz", "application/gzip"),
        ("/rows.csv", "text/csv; charset=utf-8"),
        ("/map.svg", "image/svg+xml; charset=utf-8"),
        ("/what.is-this", "application/octet-stream"),
        ("/CNAME", "application/octet-stream"),
    ],
)
def test_the_ending_decides(path: str, expected: str) -> None:
    assert content_type(path) == expected


def test_the_machine_has_no_say(tmp_path: Path) -> None:
    """Some machines have a file of types, in which anything may be: two of them would publish different headers."""
    types = tmp_path / "mime.types"
    types.write_text("text/x-strange css woff2\n", encoding="utf-8")
    program = (
        f"import mimetypes; mimetypes.init([{str(types)!r}])\n"
        "from toolkit.text.media_types import content_type\n"
        "print(mimetypes.guess_type('a.css')[0], content_type('a.css'), content_type('a.woff2'))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.split() == ["text/x-strange", "text/css;", "charset=utf-8", "font/woff2"]
