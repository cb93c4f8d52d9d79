"""Links to other hosts, asked of a real server on this machine: good, gone, moved, slow, fussy, and circles."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from toolkit.checks import Wanted, check_site
from toolkit.checks.external import AGENT, Manners, check_external

from .conftest import found, with_body

MANNERS = Manners(timeout_seconds=0.4, pause_seconds=0.0, most_seconds=5)


class Host(BaseHTTPRequestHandler):
    """Answers by path."""

    asked: list[tuple[str, str, str]] = []

    def do_GET(self) -> None:
        self.asked.append((self.command, self.path, self.headers["User-Agent"]))
        path = self.path.partition("?")[0]
        if path == "/slow":
            time.sleep(1)
        if path == "/cut":
            self.close_connection = True
            return
        if path == "/fussy" and self.command == "HEAD":
            self.answer(405)
        elif path in ("/moved", "/away", "/circle", "/other-circle"):
            to = {"/moved": "/good", "/away": "/good", "/circle": "/other-circle", "/other-circle": "/circle"}[path]
            self.answer(302 if path == "/away" else 301, Location=to)
        else:
            self.answer({"/gone": 404, "/busy": 429, "/broken": 500}.get(path, 200))

    do_HEAD = do_GET

    def answer(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def host() -> Iterator[str]:
    Host.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def told(host: str, cache: Path, *paths: str) -> list[tuple[str, str]]:
    links = {f"{host}{path}": ("/page/", 7, 1) for path in paths}
    found = check_external(links, cache, manners=MANNERS)
    return [(one.id, str(one).replace(host, "")) for one in found]


@pytest.mark.parametrize(
    ("path", "check", "says"),
    [
        ("/gone", "external.broken", "/page/: the link to /gone leads to nothing: 404 (line 7 of the page)"),
        ("/moved", "external.redirected", "the link to /moved has moved for good (line 7 of the page). Link to /good"),
        ("/circle", "external.unreachable", "in a circle"),
        ("/slow", "external.unreachable", "no answer in 0.4 s"),
        ("/busy", "external.unreachable", "the host says 429"),
        ("/broken", "external.unreachable", "the host says 500"),
        ("/cut", "external.unreachable", "closed connection"),
    ],
)
def test_what_is_wrong_is_told(host: str, tmp_path: Path, path: str, check: str, says: str) -> None:
    ((check_id, letter),) = told(host, tmp_path / "cache.json", path)
    assert check_id == check
    assert says in letter


def test_good_links_are_good_even_if_a_host_is_fussy_or_sends_elsewhere_for_now(host: str, tmp_path: Path) -> None:
    assert told(host, tmp_path / "c.json", "/good", "/fussy", "/away", "/ünï?q=ä b", "/good#part") == []
    assert all(agent == AGENT for _, _, agent in Host.asked)
    assert ("GET", "/fussy", AGENT) in Host.asked


def test_a_host_that_is_not_there(tmp_path: Path) -> None:
    found = list(check_external({"http://127.0.0.1:9/": ("/", 1, 1)}, tmp_path / "c.json", manners=MANNERS))
    assert [one.id for one in found] == ["external.unreachable"]
    assert "refused" in found[0].message


def test_good_answers_are_kept_and_bad_ones_asked_again(host: str, tmp_path: Path) -> None:
    cache = tmp_path / "state" / "c.json"
    told(host, cache, "/good", "/gone")
    Host.asked.clear()
    assert told(host, cache, "/good", "/gone") != []
    assert {path for _, path, _ in Host.asked} == {"/gone"}
    kept = json.loads(cache.read_text())
    kept[f"{host}/good"]["at"] -= 8 * 86400
    cache.write_text(json.dumps(kept))
    Host.asked.clear()
    told(host, cache, "/good")
    assert [path for _, path, _ in Host.asked] == ["/good"]


def test_a_cache_that_cannot_be_read_is_none(host: str, tmp_path: Path) -> None:
    cache = tmp_path / "c.json"
    cache.write_text("[1, 2")
    assert told(host, cache, "/good") == []


def test_a_site_s_links_are_followed_only_when_asked(host: str, make_site: Any) -> None:
    body = with_body(f"<h1>A</h1><a href='{host}/gone'>x</a>")
    base = {"templates/base.html": make_site.__globals__["BASE"].replace("https://elsewhere.example/nothing", host)}
    site = make_site({**body, **base})
    assert found(check_site(site, Wanted(workers=1))) == []
    assert Host.asked == []
    report = check_site(site, Wanted(workers=1, external=True))
    ((check_id, letter),) = found(report)
    assert check_id == "external.broken"
    assert "(and on 1 more page)" in letter
