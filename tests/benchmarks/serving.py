"""How many pages a second ``toolkit serve`` answers: each page once, and one page again and again."""

from __future__ import annotations

import http.client
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

from .measure import CommandFailed

HOST = "127.0.0.1"
START_SECONDS = 60
WRK_SECONDS = 5
WRK_CONNECTIONS = 8
_WRK_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")


@dataclass(frozen=True, slots=True)
class Rates:
    """Pages a second.

    Args:
        distinct: Each page of the site asked for once, over ``clients`` connections: none is in the cache.
        cached: One page asked for again and again.
        pages: How many distinct pages there were.
        clients: Connections at a time.
        client: What asked for the cached page: ``wrk``, or Python, which is itself the limit.
    """

    distinct: float
    cached: float
    pages: int
    clients: int
    client: str

    def __str__(self) -> str:
        return (
            f"toolkit serve: {self.distinct:,.0f} pages a second of {self.pages:,} that it had not answered before "
            f"({self.clients} connections), {self.cached:,.0f} of one page ({self.client})"
        )


def measure_serving(site: Path, paths: Sequence[str], *, clients: int = 4, workers: int = 1) -> Rates:
    """Serve a site and ask for its pages.

    Args:
        site: The site's folder.
        paths: The paths of its pages, each beginning with ``/``.
        clients: Connections at a time.
        workers: Processes that answer.

    Raises:
        CommandFailed: The server does not start, or answers something else than 200.
    """
    with serving(site, workers=workers) as port:
        started = time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(ask, repeat(port), [paths[number::clients] for number in range(clients)]))
        distinct = len(paths) / (time.perf_counter() - started)
        wrk = shutil.which("wrk")
        cached = ask_by_wrk(wrk, port, paths[0]) if wrk else ask_again(port, paths[0], clients=clients)
    return Rates(distinct, cached, len(paths), clients, "wrk" if wrk else "a client in Python")


@contextmanager
def serving(site: Path, *, workers: int, preview: bool = False) -> Iterator[int]:
    """The port of a server that runs as long as the block."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "toolkit", "serve", "--port", str(port), "--workers", str(workers)]
    command += ["--preview"] if preview else []
    with (site / "serve.log").open("wb") as log:
        server = subprocess.Popen([*command, "--site", str(site)], stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_for(server, port, site / "serve.log")
            yield port
        finally:
            server.terminate()
            server.wait(10)


def wait_for(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until the server listens.

    Raises:
        CommandFailed: It ended, or takes too long.
    """
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise CommandFailed(f"toolkit serve did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-4000:]}")


def ask(port: int, paths: Sequence[str]) -> None:
    """Ask for pages one after the other, over one connection.

    Raises:
        CommandFailed: An answer is no 200.
    """
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    for path in paths:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise CommandFailed(f"toolkit serve answered {answer.status} for {path}")
    connection.close()


def ask_again(port: int, path: str, *, clients: int, times: int = 2000) -> float:
    """Answers a second for one page, asked for by threads."""
    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(ask, repeat(port), [[path] * (times // clients)] * clients))
    return times / (time.perf_counter() - started)


def ask_by_wrk(wrk: str, port: int, path: str) -> float:
    """Answers a second for one page, asked for by wrk.

    Raises:
        CommandFailed: wrk says of no rate, or that some answers were no 200.
    """
    options = ["--threads", "1", "--connections", str(WRK_CONNECTIONS), "--duration", f"{WRK_SECONDS}s"]
    ended = subprocess.run([wrk, *options, f"http://{HOST}:{port}{path}"], capture_output=True, text=True, check=False)
    rate = _WRK_RATE.search(ended.stdout)
    if rate is None or "Non-2xx" in ended.stdout:
        raise CommandFailed(f"wrk did not measure:\n{ended.stdout}{ended.stderr}")
    return float(rate[1])
