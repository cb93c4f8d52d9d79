"""Rendering in processes: batches of pages of one route, whose subjects and relations load together.

Workers are forked once the site is prepared and planned, so they start with all of it. Each opens its own connection
and its own snapshot; the parent makes sure that all snapshots show the same state. A worker writes the files it
renders into the staging folder itself, and sends back what the manifest needs, each input only once.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import BrokenBarrierError
from typing import Any

from toolkit.builder.manifest import encode_key
from toolkit.builder.queries import QueryReport, logged
from toolkit.errors import BuildError, NoSuchPage, ToolkitError
from toolkit.pages.patterns import output_path
from toolkit.pages.plan import Plan, load_subjects
from toolkit.pages.render import render
from toolkit.pages.routes import Page, Route
from toolkit.trace import digest_bytes, entered

BATCH_PAGES = 100
"""Pages in one batch: enough that relations load together, few enough that memory stays small."""

BATCH_ROWS = 1000
"""Rows that the listings of one batch show together, for the same reason."""

FEW_PAGES = 48
"""Up to so many pages, forking costs more than it saves."""

FULL_COLLECTION = 16
"""Every so many batches the garbage collector looks at all of a worker's memory."""

BARRIER_SECONDS = 60


@dataclass(frozen=True)
class Job:
    """What all workers share.

    Args:
        site: The prepared site.
        plan: The whole plan.
        staging: Folder for rendered files.
        snapshots: Names of the parent's snapshots by database, where snapshots have names.
        queries: Whether what is asked is counted, and timed.
        known: Digest of each page's file as it stands in the output, by path: an equal one is not written.
    """

    site: Any
    plan: Plan
    staging: Path
    known: Mapping[str, bytes]
    snapshots: Mapping[str, str] = field(default_factory=dict)
    queries: bool = False


@dataclass
class Result:
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


@dataclass
class Batch:
    """What a worker sends back.

    Args:
        sender: The worker's process id.
        results: The pages.
        inputs: Inputs met for the first time: (number, kind, encoded key, digest).
        shapes: Records of query shapes met for the first time.
        problems: What went wrong.
        queries: What was asked, if the job wants to know.
    """

    sender: int
    results: list[Result] = field(default_factory=list)
    inputs: list[tuple[int, str, bytes, bytes]] = field(default_factory=list)
    shapes: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    problems: list[ToolkitError] = field(default_factory=list)
    queries: QueryReport | None = None


class Numbering:
    """Numbers for inputs and shapes, in one process: each is told once."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._shapes: set[str] = set()

    def take(self, trace: Any, batch: Batch) -> array[int]:
        """The numbers of a trace's inputs; new inputs and shapes are added to the batch."""
        numbers = self._numbers
        found = array("I")
        for (kind, key), value in trace.inputs.items():
            known = (kind, key, value)
            number = numbers.get(known)
            if number is None:
                number = numbers[known] = len(numbers)
                batch.inputs.append((number, kind, encode_key(key), value))
            found.append(number)
        for name, shape in trace.shapes.items():
            if name not in self._shapes:
                self._shapes.add(name)
                batch.shapes[name] = shape.record()
        return found


@dataclass
class _Here:
    """The state of a worker process."""

    job: Job | None = None
    numbering: Numbering = field(default_factory=Numbering)
    batches: int = 0


_here = _Here()


def render_batch(pages: Sequence[Page]) -> Batch:
    """Render pages of one route and locale, in a worker or in the parent."""
    job = _here.job
    if job is None:
        raise BuildError("a worker was asked to render before it was set up")
    batch = Batch(os.getpid(), queries=QueryReport() if job.queries else None)
    databases = job.site.databases.homes
    route = job.site.routes_by_id[pages[0].route]
    try:
        with entered(job.plan.scope(pages[0].locale)), logged(databases, pages[0].url, batch.queries):
            subjects = _load(job.plan, route, pages)
    except ToolkitError as error:
        batch.problems.append(error)
        return batch
    for page in pages:
        try:
            if page.key not in subjects:
                raise NoSuchPage(f"the subject {page.key!r} of {route.name!r} is gone", url=page.url)
            with logged(databases, page.url, batch.queries):
                batch.results.append(_render_page(job, page, subjects[page.key], batch))
        except ToolkitError as error:
            batch.problems.append(error)
        except OSError as error:
            raise BuildError(f"{page.url} could not be written: {error}") from error
    del subjects
    _here.batches += 1
    # Rows loaded together refer to each other, so only the collector frees them. It is off: all that the batch made
    # is in the youngest generation.
    gc.collect(2 if _here.batches % FULL_COLLECTION == 0 else 0)
    return batch


def _load(plan: Plan, route: Route, pages: Sequence[Page]) -> Mapping[Any, Any]:
    """The subjects of pages, by key."""
    if route.each is not None and route.model is None:
        return plan.objects(route, pages[0].locale).by_key
    return load_subjects(route, list(dict.fromkeys(page.key for page in pages)))


def _render_page(job: Job, page: Page, subject: Any, batch: Batch) -> Result:
    rendering = render(job.site, page, subject, plan=job.plan, moment=job.plan.moment)
    path = output_path(page.url)
    value, written = _stage(job, path, rendering.body)
    attachments = []
    for url, body in rendering.attachments:
        extra = output_path(url)
        extra_digest, extra_written = _stage(job, extra, body)
        attachments.append((extra, extra_digest, len(body), extra_written))
    return Result(
        page,
        path,
        value,
        len(rendering.body),
        rendering.content_type,
        rendering.status,
        written,
        _here.numbering.take(rendering.trace, batch),
        tuple(attachments),
    )


def _stage(job: Job, path: str, body: bytes) -> tuple[bytes, bool]:
    """Write a file into the staging folder, unless the output has it already."""
    value = digest_bytes(body)
    if job.known.get(path) == value:
        return value, False
    target = f"{job.staging}/{path}"
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120 - half the cost of pathlib
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        view = memoryview(body)
        while view:
            view = view[os.write(descriptor, view) :]
    finally:
        os.close(descriptor)
    return value, True


def batch_size(route: Route) -> int:
    """How many pages of a route go together: fewer where each shows many rows."""
    return max(BATCH_PAGES // 10, min(BATCH_PAGES, BATCH_ROWS // (route.per_page or 1)))


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


def render_here(job: Job, batches: Sequence[Sequence[Page]]) -> Iterator[list[Batch]]:
    """Render in this process."""
    _here.job, _here.numbering = job, Numbering()
    gc.freeze()
    try:
        for pages in batches:
            yield [render_batch(pages)]
    finally:
        gc.unfreeze()
        _here.job = None


class Pool:
    """Worker processes that all see one snapshot.

    Args:
        job: What they share; inherited by fork.
        count: How many.
    """

    def __init__(self, job: Job, count: int) -> None:
        self._context = multiprocessing.get_context("fork")
        self._barrier = self._context.Barrier(count + 1)
        self._job = job
        self._count = count
        _here.job = job
        self._executor = ProcessPoolExecutor(
            count, mp_context=self._context, initializer=_start, initargs=(self._barrier,)
        )

    def start(self) -> None:
        """Fork the workers and wait until each is in its snapshot.

        Raises:
            BuildError: A worker died at once.
        """
        futures = [self._executor.submit(os.getpid) for _ in range(self._count)]
        try:
            self._barrier.wait(BARRIER_SECONDS)
        except BrokenBarrierError as error:
            for future in futures:
                with suppress(BrokenProcessPool):
                    future.result(0)
            raise BuildError("the rendering processes did not start", hint="Try again with --workers 1.") from error

    def run(self, batches: Sequence[Sequence[Page]]) -> Iterator[list[Batch]]:
        """Render batches; few are under way at a time, so that memory stays bounded.

        Yields:
            Batches that are done. An input is told in a worker's first batch that has it, which is in the same list
            as, or in an earlier one than, all that refer to it.
        """
        waiting = list(reversed(batches))
        running: set[Future[Batch]] = set()
        try:
            while waiting or running:
                while waiting and len(running) < self._count * 2:
                    running.add(self._executor.submit(render_batch, waiting.pop()))
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield [future.result() for future in done]
        except BrokenProcessPool as error:
            raise BuildError(
                "a rendering process was ended from outside", hint="Was the machine out of memory? Build again."
            ) from error

    def close(self) -> None:
        """End the workers."""
        self._executor.shutdown(cancel_futures=True)
        _here.job = None


def _start(barrier: Any) -> None:
    """In each new worker: forget the parent's connections, open the snapshot, keep the collector off what is shared."""
    job = _here.job
    if job is None:
        return
    _here.numbering = Numbering()
    job.site.databases.forget()
    gc.freeze()
    gc.disable()
    job.site.databases.begin_snapshots(job.snapshots)
    barrier.wait(BARRIER_SECONDS)
