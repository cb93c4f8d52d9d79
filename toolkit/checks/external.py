"""Links to other hosts: asked politely, and not again for a week.

One request at a time to a host and a pause between two of them; ``HEAD``, and ``GET`` of the first bytes only where a
host does not like ``HEAD``. What a host says for the moment (429, 503) is no fault of the link.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

from toolkit.checks.findings import Finding
from toolkit.files import write_whole

AGENT = "publishing-toolkit-check/0.1"
GOOD_DAYS = 7
"""A link that was good is not asked again for so long."""

HOSTS_AT_ONCE = 8
_MOVED = (301, 308)
_REDIRECTS = (301, 302, 303, 307, 308)
_GONE = (404, 410)
_NO_HEAD = (400, 403, 404, 405, 406, 410, 501)
"""Answers to HEAD that are not believed until GET gave them, too."""

_MOST_REDIRECTS = 5
_SAFE = "/:?#[]@!$&'()*+,;=%~-._"


@dataclass(frozen=True)
class Manners:
    """How other hosts are asked.

    Args:
        timeout_seconds: For connecting, and for each part of an answer.
        pause_seconds: Between two requests to one host.
        most_seconds: For one link with all its redirects.
    """

    timeout_seconds: float = 10.0
    pause_seconds: float = 0.5
    most_seconds: float = 30.0


@dataclass(frozen=True)
class Answer:
    """What became of a link.

    Args:
        status: HTTP status at its end; 0 if none came.
        moved_to: Where it leads for good; empty if it stays where it is.
        why: What went wrong, in words.
        at: When it was asked, in seconds since the epoch.
    """

    status: int
    moved_to: str = ""
    why: str = ""
    at: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether there is something."""
        return 200 <= self.status < 400


def check_external(
    links: Mapping[str, tuple[str, int, int]], cache: Path, *, manners: Manners | None = None
) -> Iterator[Finding]:
    """Ask for every link.

    Args:
        links: URL to the first page with it, its line there, and how many links there are.
        cache: Where answers are kept.
        manners: How to ask.
    """
    known = _load(cache)
    asked: dict[str, list[str]] = {}
    for url in links:
        address = url.partition("#")[0]
        address = f"https:{address}" if address.startswith("//") else address
        asked.setdefault(address, []).append(url)
    fresh = [address for address in asked if not _is_fresh(known.get(address))]
    known.update(_ask_all(fresh, manners or Manners()))
    _save(cache, {address: known[address] for address in asked if known[address].is_good})
    for address, urls in asked.items():
        for url in urls:
            yield from _judge(url, known[address], *links[url])


def _judge(url: str, answer: Answer, page: str, line: int, count: int) -> Iterator[Finding]:
    def finding(check: str, message: str, hint: str | None = None) -> Finding:
        return Finding(check, message, url=page, line=line, hint=hint, others=count - 1, written=url)

    if answer.status in _GONE:
        yield finding("external.broken", f"the link to {url} leads to nothing: {answer.status}")
    elif not answer.is_good:
        yield finding("external.unreachable", f"the link to {url}: {answer.why or f'the host says {answer.status}'}")
    elif answer.moved_to:
        yield finding("external.redirected", f"the link to {url} has moved for good", f"Link to {answer.moved_to}")


def _ask_all(addresses: list[str], manners: Manners) -> dict[str, Answer]:
    """Ask for all of them: hosts side by side, what is of one host one after the other."""
    hosts: dict[str, list[str]] = {}
    for address in addresses:
        hosts.setdefault(urlsplit(address).netloc, []).append(address)
    found: dict[str, Answer] = {}
    lock = threading.Lock()

    def ask_host(urls: list[str]) -> None:
        for place, url in enumerate(urls):
            if place:
                time.sleep(manners.pause_seconds)
            answer = ask(url, manners)
            with lock:
                found[url] = answer

    with ThreadPoolExecutor(HOSTS_AT_ONCE) as pool:
        list(pool.map(ask_host, hosts.values()))
    return found


def ask(url: str, manners: Manners) -> Answer:
    """Ask for one URL, and follow where it leads."""
    began, now = time.monotonic(), time.time()
    place, moved, seen = url, True, {url}
    moved_to = ""
    try:
        while True:
            status, location = _request_politely(place, manners)
            if status not in _REDIRECTS or not location:
                return Answer(status, moved_to if 200 <= status < 400 else "", at=now)
            place = urljoin(place, location)
            moved = moved and status in _MOVED
            moved_to = place if moved else moved_to
            if place in seen or len(seen) > _MOST_REDIRECTS:
                return Answer(0, why="it is redirected in a circle, or too often", at=now)
            if time.monotonic() - began > manners.most_seconds:
                return Answer(0, why=f"it took more than {manners.most_seconds:g} s", at=now)
            seen.add(place)
    except TimeoutError:
        return Answer(0, why=f"no answer in {manners.timeout_seconds:g} s", at=now)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(0, why=str(error) or type(error).__name__, at=now)


def _request_politely(url: str, manners: Manners) -> tuple[int, str]:
    """HEAD; then GET if the host may not like HEAD."""
    status, location = _request("HEAD", url, manners)
    if status in _NO_HEAD:
        time.sleep(manners.pause_seconds)
        status, location = _request("GET", url, manners)
    return status, location


def _request(method: str, url: str, manners: Manners) -> tuple[int, str]:
    """(status, where it is redirected to)."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url} is no URL that can be asked for")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    host = parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else parts.hostname
    connection = kind(host, parts.port, timeout=manners.timeout_seconds)
    target = quote(parts.path or "/", safe=_SAFE) + (f"?{quote(parts.query, safe=_SAFE)}" if parts.query else "")
    try:
        connection.request(method, target, headers={"User-Agent": AGENT, "Accept": "*/*"})
        response = connection.getresponse()
        return response.status, response.getheader("Location") or ""
    finally:
        connection.close()


# answers of the last days


def _is_fresh(answer: Answer | None) -> bool:
    return answer is not None and time.time() - answer.at < GOOD_DAYS * 86400


def _load(cache: Path) -> dict[str, Answer]:
    """What is known; a cache that cannot be read is none."""
    try:
        return {url: Answer(**answer) for url, answer in json.loads(cache.read_bytes()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _save(cache: Path, answers: Mapping[str, Answer]) -> None:
    told = {url: asdict(answer) for url, answer in sorted(answers.items())}
    write_whole(cache, json.dumps(told, indent=1).encode())
