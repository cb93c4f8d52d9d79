"""``--paranoid`` names the pages that a build would have left wrong, and what they read that no trace knows of."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

READS = """
from . import app
import datetime, os, random, time, functools, itertools, socket, urllib.request, uuid
from pathlib import Path

HERE = Path(__file__).parent.parent
TICKS = itertools.count()
SEEN: dict[str, int] = {{}}

class Counter:
    total = 0

def count():
    Counter.total += 1
    return Counter.total

@functools.cache
def remembered(_):
    return HERE.joinpath("data/hidden.bin").stat().st_size

def remember(text):
    SEEN[text] = SEEN.get(text, os.getpid()) + 1
    return SEEN[text]

@app.page("/odd/")
def odd():
    return f"<p>line one\\n<b>{{{read}}}</b>"
"""


@pytest.fixture
def odd(press: Any) -> Any:
    """``odd(expression)``: the press with a page that shows it, built twice, the second time paranoid."""

    def make(read: str) -> Any:
        press.write("press/odd.py", READS.format(read=read))
        site = (press.folder / "press/site.py").read_text()
        press.write("press/site.py", site.replace("from . import app\n", "from . import app, odd  # noqa\n"))
        press.build()
        return press

    return make


@pytest.mark.parametrize(
    ("read", "says"),
    [
        ("getattr(time, 'time_ns')()", "the wall clock (time.time_ns) at press/odd.py:"),
        ("(lambda now: now())(datetime.datetime.now)", "the wall clock (datetime.now) at press/odd.py:"),
        ("random.random()", "chance (random.random) at press/odd.py:"),
        ("uuid.uuid4()", "chance (os.urandom) at press/odd.py:"),
        ("os.getpid()", "the process (os.getpid) at press/odd.py:"),
        ("next(TICKS) + os.getpid()", "press.odd.TICKS, which changes while pages are rendered"),
        ("count() * os.getpid()", "press.odd.Counter.total, which changes while pages are rendered"),
        ("remember('x')", "press.odd.SEEN, which changes while pages are rendered"),
    ],
)
def test_an_untracked_read_is_named(odd: Any, read: str, says: str) -> None:
    press = odd(read)
    report = press.build(paranoid=True)
    difference, _ = report.differences
    assert [one.url for one in report.differences] == ["/es/odd/", "/odd/"]
    assert difference.what.startswith("line 2 was '<b>")
    assert any(says in one for one in difference.reads), difference.reads


def test_a_page_that_differs_is_mended(odd: Any) -> None:
    press = odd("(HERE / 'data/times').stat().st_mtime_ns if False else os.stat(HERE / 'data/votes.json').st_mtime_ns")
    os.utime(press.folder / "data/votes.json", (1, 1))
    assert press.build().rendered == 0, "what a file's times are is in no trace"
    difference, _ = press.build(paranoid=True).differences
    assert any("what the system says of a file (os.stat)" in one for one in difference.reads)
    assert "1000000000" in press.read("odd/index.html")
    assert press.build(paranoid=True).differences == []


def test_a_hidden_cache_of_a_filter_is_named(press: Any) -> None:
    press.write(
        "press/odd.py",
        "from . import app\nimport os\n\ndef make():\n    known = {}\n    def shout(text):\n"
        "        return known.setdefault(text, f'{text} {os.getpid()} {len(known)}')\n    return shout\n\n"
        "app.filter('shout')(make())\n",
    )
    site = (press.folder / "press/site.py").read_text()
    press.write("press/site.py", site.replace("from . import app\n", "from . import app, odd  # noqa\n"))
    press.replace("templates/stats.html", "{{ week }}", "{{ week }} {{ 'x'|shout }}")
    press.build()
    found = {one.url: one for one in press.build(paranoid=True).differences}
    assert found.keys() == {"/stats/", "/es/stats/"}
    assert any("known of " in one or "os.getpid" in one for one in found["/stats/"].reads), found["/stats/"].reads


def test_a_read_of_a_template_is_named_by_its_line_there(press: Any) -> None:
    lines = (press.folder / "templates/stats.html").read_text()
    press.write("templates/stats.html", lines.replace("{{ week }}", "\n\n\n{{ week }}\n{{ range(10 ** 9)|random }}"))
    number = (press.folder / "templates/stats.html").read_text().split("|random")[0].count("\n") + 1
    press.build()
    found = press.build(paranoid=True).differences
    assert f"at templates/stats.html:{number}" in found[0].reads[0]


def test_a_list_of_pages_that_no_trace_knows_of_is_named(press: Any) -> None:
    press.write(
        "press/odd.py",
        "from . import app\nimport os\n\ndef each():\n    return [{'pid': str(os.getpid())}]\n\n"
        "@app.page('/odd/<pid>/', each=each)\ndef odd(pid):\n    return 'x'\n",
    )
    site = (press.folder / "press/site.py").read_text()
    press.write("press/site.py", site.replace("from . import app\n", "from . import app, odd  # noqa\n"))
    press.build()
    told = [str(one) for one in press.build(paranoid=True).differences]
    assert any("it would not have been made" in one for one in told)
    assert any("it would have stayed" in one and "os.getpid" in one for one in told)


def test_a_press_without_untracked_reads_has_no_differences(press: Any) -> None:
    press.take_built()
    report = press.build(paranoid=True)
    assert report.differences == []
    assert report.rendered == report.pages
    assert report.count("written") == 0
    assert press.build().rendered == 0


def test_pages_that_are_stale_anyway_are_no_differences(press: Any) -> None:
    press.take_built()
    press.sql("UPDATE press_story SET title = 'Another' WHERE id = 1")
    report = press.build(paranoid=True, workers=2)
    assert report.differences == []
    reasons = {event.reason for event in report.events if event.kind == "rendered"}
    assert "to see whether its trace tells everything" in reasons
    assert any("changed" in reason for reason in reasons), reasons


# reads that are tracked


@pytest.mark.parametrize(
    ("read", "name", "value"),
    [
        ("os.environ.get('DESK')", "DESK", "news"),
        ("os.getenv('DESK', 'none')", "DESK", "news"),
        ("'DESK' in os.environ", "DESK", "news"),
        ("sorted(k for k in os.environ if k.startswith('DESK'))", "DESK_TWO", "x"),
    ],
)
def test_variables_of_the_environment_are_inputs(
    odd: Any, monkeypatch: pytest.MonkeyPatch, read: str, name: str, value: str
) -> None:
    press = odd(read)
    assert press.build().rendered == 0
    monkeypatch.setenv(name, value)
    report = press.same()
    assert [event.subject for event in report.events if event.kind == "rendered"] == ["/odd/", "/es/odd/"]


@pytest.mark.parametrize("read", ["(HERE / 'data/new.txt').exists()", "os.path.isdir(HERE / 'data/new.txt')"])
def test_looking_for_a_file_is_an_input(odd: Any, read: str) -> None:
    press = odd(read)
    assert press.build().rendered == 0
    if "isdir" in read:
        (press.folder / "data/new.txt").mkdir()
        (press.folder / "data/new.txt/x").write_text("x")
    else:
        press.write("data/new.txt", "x")
    assert {"/odd/", "/es/odd/"} <= {event.subject for event in press.same().events if event.kind == "rendered"}


@pytest.fixture
def host() -> Iterator[int]:
    """Says another number to each who asks."""
    server = socket.create_server(("127.0.0.1", 0))
    numbers = iter(range(100, 200))

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client:
                client.recv(1000)
                client.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n%d" % next(numbers))

    thread = threading.Thread(target=serve)
    thread.start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


def test_a_page_that_asks_another_host_is_made_by_every_build(odd: Any, host: int) -> None:
    press = odd(f"urllib.request.urlopen('http://127.0.0.1:{host}/').read().decode()")
    first = press.read("odd/index.html")
    report = press.build()
    rendered = {event.subject: event.reason for event in report.events if event.kind == "rendered"}
    assert rendered.keys() == {"/odd/", "/es/odd/"}
    assert "what was asked outside" in rendered["/odd/"]
    assert press.read("odd/index.html") != first


def test_a_page_that_runs_a_program_is_made_by_every_build(odd: Any) -> None:
    press = odd("__import__('subprocess').run(['date', '+%N'], capture_output=True, text=True).stdout")
    assert {event.subject for event in press.build().events if event.kind == "rendered"} == {"/odd/", "/es/odd/"}
