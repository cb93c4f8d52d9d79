"""Looking through every byte and name of an output for what is hidden, in time that grows with the output alone."""

from __future__ import annotations

import hashlib
import multiprocessing
import re
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from toolkit.checks.embargo.contents import contents_of, texts_of
from toolkit.checks.embargo.fingerprints import Fingerprints
from toolkit.checks.embargo.hidden import Hidden
from toolkit.checks.embargo.packing import Unreadable
from toolkit.checks.embargo.words import words_of
from toolkit.checks.findings import Finding
from toolkit.cores import usable_cores
from toolkit.errors import BuildError
from toolkit.trace import digest_bytes

BATCH = 40
FEW_FILES = 100
_URL = re.compile(r"(?:https?:)?/[^\s\"'<>()\\^`{|}]+")
_MANY = 3
"""Leaks of one row that are told of a file."""


@dataclass(slots=True)
class Looked:
    """What was looked at.

    Attributes:
        path: Below the output folder.
        digest: SHA-256 of its bytes, as hexadecimal digits.
        size: In bytes.
        findings: What is wrong.
    """

    path: str
    digest: str
    size: int
    findings: list[Finding] = field(default_factory=list)


class Scanner:
    """Looks for what is hidden.

    Args:
        hidden: Files and URLs.
        fingerprints: Of the rows.
        base_url: The site's, without a slash at its end.
    """

    def __init__(self, hidden: Hidden, fingerprints: Fingerprints, base_url: str) -> None:
        self.hidden = hidden
        self.fingerprints = fingerprints
        self.base_url = base_url
        self._base_path = urlsplit(base_url).path

    def look_at_file(self, output: Path, path: str) -> Looked:
        """Look at one file: its name, its bytes, and what is packed in them."""
        place = output / path
        try:
            body = place.read_bytes()
        except OSError as error:
            finding = Finding("embargo.unread", f"it cannot be read: {error.strerror}", path=str(place))
            return Looked(path, "", 0, [finding])
        looked = Looked(path, hashlib.sha256(body).hexdigest(), len(body))
        looked.findings += self._look_at_name(place, path)
        try:
            for content in contents_of(path, body):
                looked.findings += self.look(content.body, path=str(place), inside=content.inside)
        except Unreadable as error:
            looked.findings.append(Finding("embargo.unread", str(error), path=str(place)))
        return looked

    def _look_at_name(self, place: Path, path: str) -> Iterator[Finding]:
        url = f"/{path}".removesuffix(".gz").removesuffix(".br")
        for one in (url, url.removesuffix("index.html")):
            if one in self.hidden.urls:
                yield Finding("embargo.url", f"it is the file of {self.hidden.urls[one]}", path=str(place))
                return
        for hit in self.fingerprints.find(words_of(path)):
            yield Finding("embargo.leak", f"its name has the {hit.field} of {hit.row}", path=str(place))
            return

    def look(
        self,
        body: bytes,
        *,
        path: str | None = None,
        inside: str = "",
        url: str | None = None,
        said: frozenset[str] = frozenset(),
    ) -> Iterator[Finding]:
        """Look at a piece of content.

        Args:
            body: Its bytes.
            path: Its file, for the letter.
            inside: Where in the file.
            url: Where it was asked for.
            said: Words that the asker said himself: their echo gives nothing away.
        """
        where = f" (in {self._discreet(inside)})" if inside else ""
        kind = "embargo.http" if url is not None else "embargo.leak"
        name = self.hidden.files.get(digest_bytes(body)) if self.hidden.files else None
        if name is not None:
            check = "embargo.http" if url is not None else "embargo.file"
            yield Finding(check, f"it is the file {name}, which only hidden rows use{where}", path=path, url=url)
        told: dict[tuple[str, str], int] = {}
        urls: dict[str, None] = {}
        lines: dict[tuple[str, str], int | None] = {}
        for text in texts_of(body):
            for hit in self.fingerprints.find(words_of(text)):
                key = (hit.row, hit.field)
                if said.issuperset(hit.run):
                    continue
                told[key] = told.get(key, 0) + 1
                if key not in lines:
                    lines[key] = _line_of(text, hit.run)
            if self.hidden.urls:
                urls.update(dict.fromkeys(self._hidden_urls(text)))
        for (row, one), count in told.items():
            much = f"{count} pieces" if count > 1 else "a piece"
            message = f"it has {much} of the {one} of {row}, which readers may not see{where}"
            yield Finding(kind, message, path=path, line=lines[row, one] if not inside else None, url=url)
        for found in list(urls)[:_MANY]:
            if words_of(found) and said.issuperset(words_of(found)):
                continue
            message = f"it leads to the URL of {self.hidden.urls[found]}{where}"
            yield Finding("embargo.http" if url is not None else "embargo.url", message, path=path, url=url)

    def _discreet(self, inside: str) -> str:
        """Where in a file, unless that gives away by itself what the letter must not tell."""
        return "what is packed in it" if any(self.fingerprints.find(words_of(inside))) else inside

    def _hidden_urls(self, text: str) -> Iterator[str]:
        """The hidden URLs in a text."""
        for found in _URL.findall(text):
            address = found
            if not found.startswith("/") or found.startswith("//"):
                if not found.startswith(self.base_url):
                    continue
                address = urlsplit(found).path or "/"
            path = unquote(address.partition("#")[0].partition("?")[0])
            if path.startswith(f"{self._base_path}/"):
                path = path[len(self._base_path) :]
            for one in (path, path.rstrip(".,;:!?"), f"{path}/"):
                if one in self.hidden.urls:
                    yield one
                    break


def _line_of(text: str, run: Sequence[str]) -> int | None:
    """The line of a text in which a run of words begins, as well as it can be told."""
    pattern = r"[\W_]+".join(map(re.escape, run))
    found = re.search(pattern, text, re.IGNORECASE)
    return text.count("\n", 0, found.start()) + 1 if found else None


def scan_output(scanner: Scanner, output: Path, *, workers: int | None = None) -> Iterator[Looked]:
    """Look at every file of an output folder, by several processes, in the order of names.

    Args:
        scanner: What to look for.
        output: The folder.
        workers: Processes; one for each core by default.
    """
    paths = sorted(
        place.relative_to(output).as_posix() for place in output.rglob("*") if place.is_file() or place.is_symlink()
    )
    count = workers or usable_cores()
    if count == 1 or len(paths) <= FEW_FILES:
        for path in paths:
            yield scanner.look_at_file(output, path)
        return
    _here.scanner, _here.output, _here.paths = scanner, output, paths
    pool = ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("fork"))
    try:
        waiting: deque[Future[list[Looked]]] = deque()
        for start in range(0, len(paths), BATCH):
            waiting.append(pool.submit(_look_at_batch, start))
            if len(waiting) > count * 3:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        _here.scanner = None


@dataclass
class _Here:
    """What the processes inherit."""

    scanner: Scanner | None = None
    output: Path = Path()
    paths: Sequence[str] = ()


_here = _Here()


def _look_at_batch(start: int) -> list[Looked]:
    scanner = _here.scanner
    if scanner is None:
        raise BuildError("a process was asked to read files before it was set up")
    return [scanner.look_at_file(_here.output, path) for path in _here.paths[start : start + BATCH]]
