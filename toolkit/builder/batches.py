"""Rendering pages in batches: of one route and locale, so that their subjects and relations load together.

Whoever renders, in this process, in a forked one or on another machine, gives a ``Batch``: what the manifest needs,
each input only once. The files themselves go to a stage.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

import msgspec

from toolkit.builder.queries import QueryReport, logged
from toolkit.builder.records import encode_key
from toolkit.builder.stages import Stage
from toolkit.errors import BuildError, NoSuchPage, ToolkitError
from toolkit.http.compression import SUFFIXES, compressed_files
from toolkit.pages.patterns import output_path
from toolkit.pages.plan import Plan
from toolkit.pages.render import render
from toolkit.pages.routes import Page, Route
from toolkit.pages.subjects import load_subjects
from toolkit.trace import digest_bytes, entered

BATCH_PAGES = 100
"""Pages in one batch: enough that relations load together, few enough that memory stays small."""

FEED_ROWS = 40
"""So many rows a feed counts for: it has some twenty, and each takes as long as two in a list."""

BATCH_ROWS = 1000
"""Rows that the listings of one batch show together, for the same reason."""


NUMBERED = 20_000
"""Inputs that a process remembers to have told; some megabytes. Then it tells them again."""


class Job(msgspec.Struct, frozen=True):
    """What all batches of a build share.

    Args:
        site: The prepared site.
        plan: The whole plan.
        stage: Takes the rendered files.
        same_codings: Whether the output's compressed files were made by the same libraries.
        known: Digest of each page's file as it stands in the output, by path: an equal one is not written.
        snapshots: Names of the parent's snapshots by database, where snapshots have names.
        queries: Whether what is asked is counted, and timed.
    """

    site: Any
    plan: Plan
    stage: Stage
    known: Mapping[str, bytes]
    snapshots: Mapping[str, str] = msgspec.field(default_factory=dict)
    queries: bool = False
    same_codings: bool = False


class Result(msgspec.Struct):
    """One rendered page.

    Args:
        page: The page.
        path: Its file.
        digest: Of its content.
        size: In bytes.
        content_type: Its media type.
        status: Its HTTP status.
        written: Whether its file is in the staging folder, because its content is new.
        inputs: Numbers of its inputs in the sender's counting.
        attachments: (path, digest, size, written) of further files.
        seconds: What rendering it took.
    """

    page: Page
    path: str
    digest: bytes
    size: int
    content_type: str
    status: int
    written: bool
    inputs: array[int]
    attachments: tuple[tuple[str, bytes, int, bool], ...] = ()
    seconds: float = 0.0


class Batch(msgspec.Struct):
    """What a worker sends back.

    Args:
        sender: A number of whoever rendered it, in whose counting inputs are told.
        results: The pages.
        inputs: Inputs met for the first time: (number, kind, encoded key, digest).
        shapes: Records of query shapes met for the first time.
        problems: What went wrong.
        queries: What was asked, if the job wants to know.
        alone: Whether it tells all of its inputs, and its sender is not met again.
    """

    sender: int
    results: list[Result] = msgspec.field(default_factory=list)
    inputs: list[tuple[int, str, bytes, bytes]] = msgspec.field(default_factory=list)
    shapes: dict[str, Mapping[str, Any]] = msgspec.field(default_factory=dict)
    problems: list[ToolkitError] = msgspec.field(default_factory=list)
    queries: QueryReport | None = None
    alone: bool = False


class Numbering:
    """Numbers for inputs and shapes, in one process: each is told once.

    Attributes:
        sender: A number of its own.
    """

    def __init__(self) -> None:
        self.sender = uuid4().int
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._shapes: set[str] = set()

    @property
    def is_full(self) -> bool:
        """Whether it is time to begin anew, so that memory does not grow with the site."""
        return len(self._numbers) > NUMBERED

    def take(self, trace: Any, batch: Batch) -> array[int]:
        """The numbers of a trace's inputs; new inputs and shapes are added to the batch."""
        found = self._take_own(trace, batch)
        for part in trace.parts:
            found += self._take_part(part, batch)
        for name, shape in trace.shapes.items():
            if name not in self._shapes:
                self._shapes.add(name)
                batch.shapes[name] = shape.record()
        return array("I", dict.fromkeys(found) if trace.parts else found)

    def _take_own(self, trace: Any, batch: Batch) -> list[int]:
        numbers, found = self._numbers, []
        for read, value in trace.own.items():
            number = numbers.get((read, value))
            found.append(self._number(batch, read, value) if number is None else number)
        return found

    def _number(self, batch: Batch, read: tuple[str, tuple[Any, ...]], value: bytes) -> int:
        """The number of an input, which is told if it is new."""
        known = (read, value)
        number = self._numbers.get(known)
        if number is None:
            number = self._numbers[known] = len(self._numbers)
            batch.inputs.append((number, read[0], encode_key(read[1]), value))
        return number

    def _take_part(self, part: Any, batch: Batch) -> array[int]:
        """The numbers of a part's inputs; found once for all pages that have it."""
        if part.summary is not None:
            return array("I", [self._number(batch, part.summary[:2], part.summary.digest)])
        if part.numbered is not None and part.numbered[0] == self.sender:
            known: array[int] = part.numbered[1]
            return known
        found = self._take_own(part, batch)
        for inner in part.parts:
            found += self._take_part(inner, batch)
        numbers = array("I", found)
        part.numbered = (self.sender, numbers)
        return numbers


def render_pages(job: Job, pages: Sequence[Page], batch: Batch, numbering: Numbering) -> None:
    """Render pages of one route and locale into a batch.

    Args:
        job: The build.
        pages: The pages.
        batch: Is filled.
        numbering: Of its sender.

    Raises:
        BuildError: A file could not be written.
    """
    databases = job.site.databases.homes
    route = job.site.routes_by_id[pages[0].route]
    try:
        with entered(job.plan.scope(pages[0].locale)), logged(databases, pages[0].url, batch.queries):
            subjects = load_pages(job.plan, route, pages)
    except ToolkitError as error:
        batch.problems.append(error)
        return
    for page in pages:
        try:
            if page.key not in subjects:
                raise NoSuchPage(f"the subject {page.key!r} of {route.name!r} is gone", url=page.url)
            with logged(databases, page.url, batch.queries):
                batch.results.append(_render_page(job, page, subjects[page.key], batch, numbering))
        except ToolkitError as error:
            batch.problems.append(error)
        except OSError as error:
            raise BuildError(f"{page.url} could not be written: {error}") from error
    try:
        job.stage.flush()
    except OSError as error:
        raise BuildError(f"{pages[0].url} and its neighbours could not be written: {error}") from error


def load_pages(plan: Plan, route: Route, pages: Sequence[Page]) -> Mapping[Any, Any]:
    """The subjects of pages, by key."""
    if route.is_given:
        return plan.objects(route, pages[0].locale).by_key
    return load_subjects(route, list(dict.fromkeys(page.key for page in pages)))


def _render_page(job: Job, page: Page, subject: Any, batch: Batch, numbering: Numbering) -> Result:
    started = time.perf_counter()
    rendering = render(job.site, page, subject, plan=job.plan, moment=job.plan.moment)
    seconds = time.perf_counter() - started
    path = output_path(page.url)
    value, written = _put(job, path, rendering.body)
    attachments = list(_compressed(job, path, rendering.body, written))
    for url, body in rendering.attachments:
        extra = output_path(url)
        extra_digest, extra_written = _put(job, extra, body)
        attachments.append((extra, extra_digest, len(body), extra_written))
        attachments += _compressed(job, extra, body, extra_written)
    return Result(
        page,
        path,
        value,
        len(rendering.body),
        rendering.content_type,
        rendering.status,
        written,
        numbering.take(rendering.trace, batch),
        tuple(attachments),
        seconds,
    )


def _compressed(job: Job, path: str, body: bytes, written: bool) -> Iterator[tuple[str, bytes, int, bool]]:
    """(path, digest, size, written) of the compressed files beside one; of an unchanged one, as the output has them."""
    kinds = job.site.settings.peek("precompress")
    beside = [path + SUFFIXES[kind] for kind in kinds]
    if not written and beside and job.same_codings and all(name in job.known for name in beside):
        yield from ((name, job.known[name], 0, False) for name in beside)
        return
    for name, packed in compressed_files(path, body, kinds):
        value, new = _put(job, name, packed)
        yield name, value, len(packed), new


def _put(job: Job, path: str, body: bytes) -> tuple[bytes, bool]:
    """Stage a file, unless the output has it already."""
    value = digest_bytes(body)
    if job.known.get(path) == value:
        return value, False
    job.stage.write(path, body)
    return value, True


def batch_size(route: Route) -> int:
    """How many pages of a route go together: fewer where each shows many rows."""
    rows = FEED_ROWS if route.kind == "feed" else route.per_page or 1
    return max(BATCH_PAGES // 10, min(BATCH_PAGES, BATCH_ROWS // rows))


def make_batches(pages: Sequence[Page], size_of: Callable[[str], int]) -> list[list[Page]]:
    """Pages in batches of one route and locale; routes that make one big page first, since nothing overtakes them."""
    groups: dict[tuple[str, str], list[Page]] = {}
    for page in pages:
        groups.setdefault((page.route, page.locale), []).append(page)
    batches = []
    for (route, _), group in groups.items():
        step = size_of(route)
        batches += [group[start : start + step] for start in range(0, len(group), step)]
    return sorted(batches, key=lambda batch: len(batch) > 1)
