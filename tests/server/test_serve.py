"""Real servers over real sockets."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.validate import validator

import pytest

from toolkit.errors import ToolkitError
from toolkit.server.serve import THREADS, check_address

ROOT = Path(__file__).parents[2]
SILENT = "nothing is wrong, not even that more threads than cores are meant to wait for slow readers"


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def port(newsroom: Any) -> Iterator[int]:
    """The newsroom's ``site.wsgi`` in the standard library's server."""
    with make_server("127.0.0.1", 0, validator(newsroom.site.wsgi), handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def ask(port: int, path: str, *, method: str = "GET", headers: dict[str, str] | None = None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers=headers or {})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, dict(response.getheaders()), body


def test_any_wsgi_server_serves_the_site(newsroom: Any, port: int) -> None:
    status, headers, body = ask(port, "/town/flood/")
    assert (status, body) == (200, newsroom.get("/town/flood/").body)
    assert ask(port, "/town/flood/", headers={"If-None-Match": headers["ETag"]})[::2] == (304, b"")
    assert ask(port, "/town/flood/", method="HEAD")[2] == b""
    assert ask(port, "/town")[:2][1]["Location"] == "/town/"
    assert ask(port, "/favicon.svg", headers={"Range": "bytes=0-3"})[::2] == (206, b"<svg")
    assert ask(port, "/search/?q=flood")[0] == 200
    assert ask(port, "/nowhere/")[0] == 404


def test_raw_paths_of_attackers_find_nothing(newsroom: Any, port: int) -> None:
    """What no client library would send."""
    for path in (
        b"/../toolkit.toml",
        b"//../toolkit.toml",
        b"/%2e%2e/toolkit.toml",
        b"/..%5c..%5ctoolkit.toml",
        b"/\xff",
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
            raw.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: raw.recv(65536), b""))
        assert answer.split()[1] in (b"400", b"404"), path
        assert b"base_url" not in answer


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ToolkitError, match=rf"cannot listen at 127\.0\.0\.1:{port}: it is taken.*--port"):
            check_address("127.0.0.1", port)


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(ToolkitError, match=r"cannot listen at 192\.0\.2\.1:8000: .*another --host"):
        check_address("192.0.2.1", 8000)


# granian


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Granian:
    """``serve(site)`` in a process of its own."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.port = free_port()
        code = (
            "import sys; from pathlib import Path\n"
            "from toolkit.site import load_site; from toolkit.server import serve\n"
            f"serve(load_site(Path({str(folder)!r})), port={self.port}, **{options!r})\n"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._await_first_answer()

    def _await_first_answer(self) -> None:
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            try:
                ask(self.port, "/")
            except OSError:
                time.sleep(0.05)
            else:
                return
        self.kill()
        raise AssertionError("it did not begin to answer")

    def kill(self) -> None:
        """End it and its workers, whatever they do."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate(timeout=10)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=20)
        return self.process.returncode, output


@pytest.fixture
def start(newsroom: Any) -> Iterator[Any]:
    started: list[Granian] = []

    def begin(**options: Any) -> Granian:
        newsroom.site.database.close()
        started.append(Granian(newsroom.folder, **options))
        return started[-1]

    yield begin
    for server in started:
        server.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_embedded_server_serves_and_stops(newsroom: Any, start: Any, number: int) -> None:
    server = start(workers=2)
    etags = {ask(server.port, "/town/flood/")[1]["etag"] for _ in range(8)}
    assert etags == {newsroom.get("/town/flood/").headers["etag"]}
    assert ask(server.port, "/town/flood/", headers={"If-None-Match": etags.pop()})[0] == 304
    assert ask(server.port, "/town/flood/", method="HEAD")[2] == b""
    assert ask(server.port, "/favicon.svg", headers={"Range": "bytes=0-3"})[::2] == (206, b"<svg")
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    pids = [int(pid) for pid in children.read_text().split()] if children.exists() else []
    code, output = server.stop(number)
    assert code in (0, -number), output
    assert "Traceback" not in output
    time.sleep(0.1)
    assert not [pid for pid in pids if _is_alive(pid)], "no process is left behind"
    with pytest.raises(OSError, match="refused"):
        ask(server.port, "/")


def test_requests_that_are_half_sent_keep_no_other_waiting(start: Any) -> None:
    """A body that is awaited takes a thread, of which there are more than cores; a head takes none."""
    server = start()
    head = b"POST /api/1/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    body = head + b"Content-Length: 1000\r\n\r\nname="
    with contextlib.ExitStack() as held:
        for part in [head] * 20 + [body] * (THREADS - 1):
            raw = held.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=5))
            raw.sendall(part)
        time.sleep(0.2)
        assert ask(server.port, "/town/flood/")[0] == 200


def test_a_row_that_another_process_writes_is_served_at_once(newsroom: Any, start: Any) -> None:
    server = start()
    ask(server.port, "/town/flood/")
    for number in range(5):
        newsroom.sql("UPDATE {} SET body = 'state {}'".format(newsroom.model("Story")._meta.table, number))
        assert f"state {number}".encode() in ask(server.port, "/town/flood/")[2]
    assert server.stop()[1] == "", SILENT


def test_a_preview_shows_what_is_wrong_with_the_code_until_it_is_mended(newsroom: Any, start: Any) -> None:
    server = start(preview=True)
    pages = newsroom.folder / newsroom.folder.name / "pages.py"
    right = pages.read_text()
    pages.write_text(right + "\ndef broken(:\n")
    _, _, body = await_body(server.port, "/about/", b"SyntaxError")
    token = re.search(rb'data-failed="([^"]+)"', body)[1].decode()  # type: ignore[index]  # the page has it
    assert ask(server.port, "/_toolkit/wait?page=/about/&token=of-the-page-before")[0] == 200, "it is to show the error"
    assert ask(server.port, f"/_toolkit/wait?page=/about/&token={token}")[0] == 503, "it does"
    assert ask(server.port, "/_toolkit/reload.js")[0] == 200
    pages.write_text(right)
    await_body(server.port, "/about/", b"About us")
    assert ask(server.port, f"/_toolkit/wait?page=/about/&token={token}")[0] == 200


def test_a_preview_sees_changed_settings(newsroom: Any, start: Any) -> None:
    server = start(preview=True)
    settings = newsroom.folder / "toolkit.toml"
    settings.write_text(settings.read_text().replace("The Bay", "The Gulf"))
    await_body(server.port, "/about/", b"<title>The Gulf</title>")
    assert server.stop()[1] == "", SILENT


def await_body(port: int, path: str, part: bytes) -> Any:
    """The answer, once its body has this in it."""
    end = time.monotonic() + 20
    got: Any = (0, {}, b"")
    while part not in got[2]:
        assert time.monotonic() < end, got
        try:
            got = ask(port, path)
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
    return got


def test_a_preview_sees_changed_code_and_stops_while_pages_wait(newsroom: Any, start: Any) -> None:
    server = start(preview=True)
    _, headers, _ = ask(server.port, "/data.json")
    token = headers["server-timing"].partition('"')[2].rstrip('"')
    pages = newsroom.folder / newsroom.folder.name / "pages.py"
    pages.write_text(pages.read_text().replace('{"stories": %d}', '{"news": %d}'))
    await_body(server.port, "/data.json", b"news")
    assert ask(server.port, f"/_toolkit/wait?page=/data.json&token={token}")[0] == 200
    ask(server.port, "/about/")
    answers: list[Any] = []
    waiting = threading.Thread(
        target=lambda: answers.append(ask(server.port, "/_toolkit/wait?page=/about/")), daemon=True
    )
    waiting.start()
    time.sleep(0.3)
    code, output = server.stop()
    waiting.join(timeout=20)
    assert code in (0, -signal.SIGTERM), output
    assert [status for status, _, _ in answers] == [204], "it was let go"


def test_workers_end_when_the_server_is_killed(start: Any) -> None:
    server = start(workers=2)
    server.process.kill()
    server.process.communicate(timeout=10)  # returns when the last of them closed the output
    with pytest.raises(OSError, match="refused"):
        ask(server.port, "/")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
