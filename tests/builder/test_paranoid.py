"""``--paranoid`` names the pages that a build would have left wrong, and what they read that no trace knows of."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
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

@app.page("/{name}/")
def {name}():
    return f"<p>line one\\n<b>{{{read}}}</b>"
"""


def add_odd(press: Any, **reads: str) -> Any:
    """Give the press pages that show these expressions, each of a module of its own, and build it."""
    for name, read in reads.items():
        press.write(f"press/{name}.py", READS.format(name=name, read=read))
    press.replace("press/site.py", "from . import app\n", f"from . import app, {', '.join(reads)}  # noqa\n")
    press.build()
    return press


@pytest.fixture
def odd(press: Any) -> Callable[[str], Any]:
    """``odd(expression)``: the press with a page that shows it, built."""
    return lambda read: add_odd(press, odd=read)


def both(*names: str) -> list[str]:
    """The pages of these modules, in both languages."""
    return sorted(url for name in names for url in (f"/{name}/", f"/es/{name}/"))


def rendered(report: Any) -> list[str]:
    return sorted(event.subject for event in report.events if event.kind == "rendered")


UNTRACKED = {
    "wall": ("getattr(time, 'time_ns')()", "the wall clock (time.time_ns) at press/wall.py:"),
    "now": ("(lambda now: now())(datetime.datetime.now)", "the wall clock (datetime.now) at press/now.py:"),
    "chance": ("random.random()", "chance (random.random) at press/chance.py:"),
    "urandom": ("uuid.uuid4()", "chance (os.urandom) at press/urandom.py:"),
    "process": ("os.getpid()", "the process (os.getpid) at press/process.py:"),
    "ticks": ("next(TICKS) + os.getpid()", "press.ticks.TICKS, which changes while pages are rendered"),
    "total": ("count() * os.getpid()", "press.total.Counter.total, which changes while pages are rendered"),
    "seen": ("remember('x')", "press.seen.SEEN, which changes while pages are rendered"),
}


def test_an_untracked_read_is_named(press: Any) -> None:
    add_odd(press, **{name: read for name, (read, _) in UNTRACKED.items()})
    found = {one.url: one for one in press.build(paranoid=True).differences}
    assert sorted(found) == both(*UNTRACKED)
    for name, (_, says) in UNTRACKED.items():
        difference = found[f"/es/{name}/"]
        assert difference.what.startswith("line 2 was '<b>"), name
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


def test_variables_of_the_environment_are_inputs(press: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = {
        "one": "os.environ.get('DESK')",
        "default": "os.getenv('CHAIR', 'none')",
        "absent": "'LAMP' in os.environ",
        "names": "sorted(k for k in os.environ if k.startswith('SHELF'))",
    }
    add_odd(press, **reads)
    assert press.build().rendered == 0
    for name in ("DESK", "CHAIR", "LAMP", "SHELF_TWO"):
        monkeypatch.setenv(name, "news")
    assert rendered(press.same()) == both(*reads)


def test_looking_for_a_file_is_an_input(press: Any) -> None:
    add_odd(press, file="(HERE / 'data/new.txt').exists()", folder="os.path.isdir(HERE / 'data/new')")
    assert press.build().rendered == 0
    (press.folder / "data/new").mkdir()
    (press.folder / "data/new/x").write_text("x")
    press.write("data/new.txt", "x")
    assert {*both("file", "folder")} <= {*rendered(press.same())}


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
