"""An S3-compatible server on loopback, as a process of its own, spoken to over HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

SECONDS = 30


@dataclass(frozen=True)
class S3:
    """A running server.

    Args:
        endpoint: Its URL.
    """

    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        """What its clients need."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "NO_PROXY": "127.0.0.1",
        }

    def file_system(self) -> Any:
        """s3fs on it, shared with nobody but tests."""
        return _file_system(self.endpoint)

    def make_bucket(self, name: str) -> None:
        """An empty bucket."""
        self.file_system().mkdir(name)

    def tree(self, url: str) -> dict[str, bytes]:
        """Every object below a URL, by its path."""
        system = self.file_system()
        root = url.removeprefix("s3://").rstrip("/") + "/"
        return {path.removeprefix(root): body for path, body in system.cat(system.find(root)).items()}


@cache
def _file_system(endpoint: str) -> Any:
    """One for all tests: each takes 0.1 s to read what S3 can do."""
    import s3fs

    return s3fs.S3FileSystem(
        key="testing", secret="testing", endpoint_url=endpoint, skip_instance_cache=True, use_listings_cache=False
    )


@contextmanager
def running_s3() -> Iterator[S3]:
    """moto's server on a free port, ended afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"},
    )
    try:
        found = S3(f"http://127.0.0.1:{port}")
        for _ in range(SECONDS * 10):
            try:
                urllib.request.urlopen(f"{found.endpoint}/moto-api/").close()
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        else:
            raise TimeoutError(f"the S3 server did not begin within {SECONDS} s")
        yield found
    finally:
        server.terminate()
        server.wait()
