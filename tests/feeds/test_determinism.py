"""The machine leaves no mark on the bytes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import hashlib
from datetime import UTC, datetime
from toolkit.feeds import Entry, FeedInfo, Person, write_atom, write_json, write_rss
from toolkit.sitemaps import SitemapURL, write_sitemaps

day = datetime(2026, 3, 1, 8, tzinfo=UTC)
info = FeedInfo(id="tag:x.example,2026:f", title="T", url="https://x.example/", feed_url="https://x.example/f")
html = '<p class="a" id="b" title="c" lang="es"><img width="1" src="a" alt="x" srcset="a 1x" height="2"></p>'
entry = Entry(id="tag:x.example,2026:1", url="https://x.example/1/", title="1", updated=day, content=html,
              authors=(Person("A"),), categories=("b", "a"), point=(1.1, 2.2))
files = [write(info, [entry]) for write in (write_rss, write_atom, write_json)]
files += [body for _, body in write_sitemaps([SitemapURL("https://x.example/1/", day)], base_url="https://x.example")]
print(hashlib.sha256(b"".join(files)).hexdigest())
"""


def run(**environment: str) -> str:
    root = str(Path(__file__).parents[2])
    python_path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": python_path, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return finished.stdout.strip()


def test_hash_seed_time_zone_and_locale_change_nothing() -> None:
    first = run(PYTHONHASHSEED="1", TZ="UTC", LC_ALL="C")
    assert len(first) == len(hashlib.sha256().hexdigest())
    assert run(PYTHONHASHSEED="2", TZ="Pacific/Auckland", LC_ALL="C.UTF-8") == first
