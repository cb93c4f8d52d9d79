"""``toolkit serve``, over a real socket."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .conftest import in_process
from .test_inspection import edit


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(folder: Path, *args: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """(URL, process) of a server that answers."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "toolkit", "serve", "--port", str(port), *args],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    url = f"http://127.0.0.1:{port}"
    try:
        yield url, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def fetch(url: str, seconds: float = 20) -> str:
    """The body of a URL, once somebody listens there."""
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=seconds) as answer:
                body: bytes = answer.read()
                return body.decode()
        except ConnectionError:
            if time.monotonic() > end:
                raise
        except urllib.error.HTTPError as error:
            return error.read().decode()
        except urllib.error.URLError:
            if time.monotonic() > end:
                raise
        time.sleep(0.05)


def test_a_new_site_is_served_at_once_with_its_content(folder: Path) -> None:
    with serving(folder) as (url, process):
        assert "The first edition" in fetch(f"{url}/")
        assert "reload.js" not in fetch(f"{url}/")
    assert process.returncode == 0


def test_a_preview_shows_drafts(folder: Path) -> None:
    edit(folder, "content/stories/first-edition.md", "status: live", "status: draft")
    with serving(folder, "--preview") as (url, _):
        page = fetch(f"{url}/stories/first-edition/")
    assert "The first edition" in page
    assert "reload.js" in page


def test_content_that_cannot_be_loaded_stops_a_server_and_not_a_preview(folder: Path) -> None:
    edit(folder, "content/stories/first-edition.md", "status: live", "status: alive")
    told = in_process(folder, "serve", "--port", str(free_port()))
    assert told.returncode == 1
    assert "content/stories/first-edition.md:5" in told.stderr
    with serving(folder, "--preview") as (url, _):
        assert "alive" in fetch(f"{url}/")


def test_a_port_that_is_taken_is_named(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = in_process(folder, "serve", "--port", str(port))
    assert told.returncode == 1
    assert f"cannot listen at 127.0.0.1:{port}: it is taken" in told.stderr
