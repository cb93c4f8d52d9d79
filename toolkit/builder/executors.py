"""Rendering by any ``concurrent.futures.Executor``: threads here, a Dask cluster, whatever a distribution brings."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import entry_points
from typing import Any

from toolkit.builder.batches import Batch, Job
from toolkit.builder.inprocess import render_here
from toolkit.builder.tasks import Refusal, Task, make_order, other_code, render_task, sites
from toolkit.errors import BuildError, ToolkitError, did_you_mean
from toolkit.http.compression import SUFFIXES
from toolkit.pages.patterns import output_path
from toolkit.pages.routes import Page

GROUP = "toolkit.executors"
"""Entry points of this group are functions (address, workers) that give an executor."""

PROCESSES = "processes"
"""Forked processes of this machine, which share what the parent has: the default, and no executor."""

Opener = Callable[[str, int], Executor]

AHEAD = 2
"""Batches under way for each worker: one that it renders, and the next."""

CONNECT_SECONDS = 10


def check_executor(name: str) -> None:
    """Refuse a name that no executor has.

    Args:
        name: ``processes``, ``threads``, ``dask://host:port``, or what an entry point brings: ``name`` or
            ``name://address``.

    Raises:
        BuildError: There is none of this name.
    """
    kind = name.partition("://")[0]
    found = [PROCESSES, *_openers()]
    if kind not in found:
        raise BuildError(f"there is no executor {name!r}", hint=did_you_mean(kind, found))


def _openers() -> dict[str, Callable[[], Opener]]:
    return {**BUILT_IN, **{point.name: point.load for point in entry_points(group=GROUP)}}


@contextmanager
def opened(executor: Executor | str | None, workers: int) -> Iterator[Executor]:
    """An executor by its name, shut down afterwards; another one as it is, and left open.

    Args:
        executor: It, or its name; see ``check_executor``.
        workers: How many, where it is ours to say.

    Raises:
        BuildError: It cannot be reached.
    """
    if isinstance(executor, Executor):
        yield executor
        return
    name = executor or PROCESSES
    kind, _, address = name.partition("://")
    found = _openers()[kind]()(address, workers)
    try:
        yield found
    finally:
        found.shutdown(cancel_futures=True)


def open_threads(address: str, workers: int) -> Executor:
    """Threads of this process. They pay where rendering waits, as for a database far away."""
    return ThreadPoolExecutor(workers, thread_name_prefix="toolkit-render")


def open_dask(address: str, workers: int) -> Executor:
    """A Dask cluster, by its scheduler's address.

    Raises:
        BuildError: Nobody answers there, or the cluster has no workers.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise BuildError(
            "the executor dask needs dask.distributed", hint="pip install 'publishing-toolkit[dask]'."
        ) from error
    try:
        make: Any = Client
        client = make(f"tcp://{address}", timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise BuildError(
            f"no Dask scheduler answers at {address}: {error}", hint="Start one: dask scheduler, then dask worker."
        ) from error
    return DaskExecutor(client, address)


BUILT_IN: Mapping[str, Callable[[], Opener]] = {
    "threads": lambda: open_threads,
    "dask": lambda: open_dask,
}


class DaskExecutor(Executor):
    """A Dask client as an executor that closes it.

    Args:
        client: A ``distributed.Client``.
        address: The scheduler's, for messages.

    Attributes:
        title: What to call it in messages.
        workers: How many tasks the cluster does at a time.

    Raises:
        BuildError: The cluster has no workers.
    """

    def __init__(self, client: Any, address: str) -> None:
        self._client = client
        self._executor = client.get_executor(pure=False)
        self.title = f"dask://{address}"
        self.workers = sum(client.nthreads().values())
        if not self.workers:
            client.close()
            raise BuildError(
                f"the Dask cluster at {address} has no workers", hint=f"Start some: dask worker tcp://{address}."
            )

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have the cluster call a function."""
        future: Future[Any] = self._executor.submit(fn, *args, **kwargs)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let go of the cluster, which lives on."""
        self._executor.shutdown(wait=wait and self._client.status == "running")
        self._client.close()


class TaskRenderer:
    """Renders batches as tasks of an executor. What cannot be done elsewhere is done here.

    Args:
        job: The build.
        executor: Does the tasks.
        workers: How many tasks it does at a time, unless it tells by an attribute ``workers``.
        moment: The instant that the build shows.
    """

    def __init__(self, job: Job, executor: Executor, *, workers: int, moment: datetime) -> None:
        self._job = job
        self._executor = executor
        self._title = getattr(executor, "title", type(executor).__name__)
        self._ahead = AHEAD * int(getattr(executor, "workers", workers))
        self._order = make_order(job, moment)
        sites.keep(self._order.build, job.site)

    def run(self, batches: Sequence[Sequence[Page]]) -> Iterator[list[Batch]]:
        """Render batches; few are under way at a time.

        Yields:
            Batches that are done; each tells all of its inputs.

        Raises:
            BuildError: The executor failed, or has other code.
        """
        waiting = deque(batches)
        running: dict[Future[Batch | Refusal], Sequence[Page]] = {}
        here: list[Sequence[Page]] = []
        while running or (waiting and not here):
            while waiting and not here and len(running) < self._ahead:
                running[self._submit(waiting[0])] = waiting[0]
                waiting.popleft()
            done = []
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                pages = running.pop(future)
                found = self._result(future)
                if isinstance(found, Batch):
                    done.append(self._without_known(found))
                else:
                    self._refuse(found)
                    here.append(pages)
            yield done
        yield from render_here(self._job, [*here, *waiting])

    def _submit(self, pages: Sequence[Page]) -> Future[Batch | Refusal]:
        known = self._job.known
        suffixes = ["", *(SUFFIXES[kind] for kind in self._job.site.settings.peek("precompress"))]
        paths = [output_path(page.url) + suffix for page in pages for suffix in suffixes]
        task = Task(self._order, tuple(pages), {path: known[path] for path in paths if path in known})
        try:
            return self._executor.submit(render_task, task)
        except (RuntimeError, OSError) as error:
            raise self._lost(error) from error

    def _result(self, future: Future[Batch | Refusal]) -> Batch | Refusal:
        try:
            return future.result()
        except ToolkitError:
            raise
        except (CancelledError, Exception) as error:
            raise self._lost(error) from error

    def _lost(self, error: BaseException) -> BuildError:
        told = " ".join(str(error).split()) or type(error).__name__
        return BuildError(
            f"the executor {self._title} failed while it rendered: {told[:500]}",
            hint="Nothing was published. Look after its workers, and build again.",
        )

    def _refuse(self, refusal: Refusal) -> None:
        """Raise, unless it is only that somebody wrote meanwhile: our own snapshot stands.

        Raises:
            BuildError: A worker cannot do its part.
        """
        if refusal.why == "code":
            raise other_code(self._job.site, refusal)
        if refusal.why == "stage":
            raise BuildError(
                f"{refusal.host} does not see the folder {self._order.stage}",
                hint="Build to a folder that all workers share, or to a storage: --output s3://bucket/site.",
            )
        if refusal.why == "snapshot":
            raise BuildError(
                f"{refusal.host} cannot see the database as this build does: {refusal.told}",
                hint="Has it the same 'database'? Secrets do not travel: set them on each worker.",
            )

    def _without_known(self, batch: Batch) -> Batch:
        """Attachments that the output has already are not written again: a task does not know them."""
        known = self._job.known
        for result in batch.results:
            result.attachments = tuple(
                (path, value, size, new and known.get(path) != value) for path, value, size, new in result.attachments
            )
        return batch

    def close(self) -> None:
        """Forget the build; the executor is the caller's."""
        sites.drop(self._order.build)
