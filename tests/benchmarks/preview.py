"""How long a preview takes from saving a story to its page in the browser, in parts.

    python -m tests.benchmarks.preview --stories 2000 --repeat 10

``toolkit serve --preview`` runs in a process of its own, and every page was looked at before. An editor adds a sentence
to a story and changes its title; the time is taken from the end of the writing until the waiting request of the story's
page answers, and until the page that is then asked for has arrived with the sentence in it. The home page and the page
of a tag, which show the title, are then asked for too, and have to show it.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from .corpus import default_source, read_corpus, write_corpus
from .serving import HOST, serving
from .toolkit_contender import Toolkit

WAIT_SECONDS = 30
_TOKEN = re.compile(r'desc="?([^",;]+)')
_TITLE = re.compile(r"^title: .*$", re.MULTILINE)


class Shown(NamedTuple):
    """A page as it was answered, and what stands for it."""

    body: str
    token: str


@dataclass(frozen=True)
class Edit:
    """One edit.

    Args:
        told: Seconds from the end of the writing until the waiting request was answered.
        shown: Seconds until the story's page was there with the new words.
        others: Seconds until the home page and a tag's page were there as well.
    """

    told: float
    shown: float
    others: float


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--stories", type=int, default=2_000)
    parser.add_argument("--repeat", type=int, default=10)
    asked = parser.parse_args()
    source = default_source()
    if source is None:
        parser.error("TOOLKIT_CORPUS is not set")
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        paths = write_corpus(read_corpus(source), Path(folder) / "corpus", stories=asked.stories)
        Toolkit(related=True).prepare(Path(folder) / "corpus", site)
        edits = list(measure_edits(site, max(path.stem for path in paths), repeat=asked.repeat))
    for name in ("told", "shown", "others"):
        seconds = [getattr(edit, name) for edit in edits]
        print(
            f"{name:7} median {statistics.median(seconds):.3f} s, best {min(seconds):.3f} s, worst {max(seconds):.3f} s"
        )


def measure_edits(site: Path, slug: str, *, repeat: int) -> Iterator[Edit]:
    """Edit a story again and again, beside a server that previews it.

    Raises:
        AssertionError: A page does not show the edit.
    """
    place = site / "content/posts" / f"{slug}.md"
    with serving(site, workers=1, preview=True) as port:
        newest = _make_newest(place, port)
        tag = re.search(r'href="(/tags/[^"]+/)"', get(port, newest).body)
        others = ["/", *([tag[1]] if tag else [])]
        for path in others:
            get(port, path)
        for number in range(repeat):
            yield _edit(place, port, newest, others, f"edit number {number} of this story")


def _make_newest(place: Path, port: int) -> str:
    """Date the story after all others, so that every list begins with it; gives its URL."""
    text = place.read_text("utf-8")
    place.write_text(
        re.sub(r"^published: .*$", "published: 2026-01-01T12:00:00+00:00", text, flags=re.MULTILINE), "utf-8"
    )
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        found = re.search(rf'href="([^"]*/{place.stem}/)"', get(port, "/").body)
        if found:
            return found[1]
        time.sleep(0.1)
    raise AssertionError("the home page never showed the newest story")


def _edit(place: Path, port: int, url: str, others: list[str], note: str) -> Edit:
    token = get(port, url).token
    answered = threading.Event()
    waiting = threading.Thread(target=_wait, args=(port, url, token, answered))
    waiting.start()
    time.sleep(1.0)  # the editor thinks, and the watching is at rest
    text = _TITLE.sub(f'title: "The {note}"', place.read_text("utf-8"))
    place.write_text(f"{text}\nCorrection: {note}.\n", "utf-8")
    saved = time.perf_counter()
    assert answered.wait(WAIT_SECONDS), "the waiting request was not answered"
    told = time.perf_counter()
    page = get(port, url)
    shown = time.perf_counter()
    assert f"Correction: {note}." in page.body and f"The {note}" in page.body, "the page does not show the edit"
    for other in others:
        assert f"The {note}" in get(port, other).body, f"{other} does not show the edit"
    done = time.perf_counter()
    waiting.join()
    return Edit(told - saved, shown - saved, done - saved)


def _wait(port: int, url: str, token: str, answered: threading.Event) -> None:
    with _connection(port) as connection:
        connection.request("GET", f"/_toolkit/wait?{urlencode({'page': url, 'token': token})}")
        if connection.getresponse().status == 200:
            answered.set()


def get(port: int, url: str) -> Shown:
    """A page, as a browser gets it."""
    with _connection(port) as connection:
        connection.request("GET", url)
        answer = connection.getresponse()
        body = answer.read().decode("utf-8")
        found = _TOKEN.search(answer.headers.get("Server-Timing", ""))
        assert answer.status == 200, f"{url}: {answer.status}"
        return Shown(body, found[1] if found else "")


@contextmanager
def _connection(port: int) -> Iterator[HTTPConnection]:
    connection = HTTPConnection(HOST, port, timeout=WAIT_SECONDS)
    try:
        yield connection
    finally:
        connection.close()


if __name__ == "__main__":
    main()
