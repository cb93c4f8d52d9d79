"""Rendering in forked processes.

Workers are forked once the site is prepared and planned, so they start with all of it. Each opens its own connection
and its own snapshot; the parent makes sure that all snapshots show the same state. A worker that dies loses nothing:
others do its batches again.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from threading import BrokenBarrierError
from typing import Any

from toolkit.builder.batches import Batch, Job, Numbering
from toolkit.builder.inprocess import here, render_batch, render_here
from toolkit.errors import BuildError
from toolkit.pages.routes import Page

BARRIER_SECONDS = 60

DEATHS = 3
"""So often workers may die in one build before it is given up."""


class Pool:
    """Worker processes that all see one snapshot.

    Args:
        job: What they share; inherited by fork.
        count: How many.
        agrees: Tells whether processes that begin now see the state that the parent sees.
    """

    def __init__(self, job: Job, count: int, agrees: Callable[[], bool]) -> None:
        self._job = job
        self._count = count
        self._agrees = agrees
        self._deaths = 0
        self._fork()

    def _fork(self) -> None:
        context = multiprocessing.get_context("fork")
        self._barrier = context.Barrier(self._count + 1)
        here.job = self._job
        self._executor = ProcessPoolExecutor(
            self._count, mp_context=context, initializer=_start, initargs=(self._barrier,)
        )

    def start(self) -> bool:
        """Fork the workers and wait until each is in its snapshot.

        Returns:
            Whether all of them see what the parent sees.

        Raises:
            BuildError: A worker died at once.
        """
        if not self._agrees():
            return False
        futures = [self._executor.submit(os.getpid) for _ in range(self._count)]
        try:
            self._barrier.wait(BARRIER_SECONDS)
        except BrokenBarrierError as error:
            for future in futures:
                with suppress(BrokenProcessPool):
                    future.result(0)
            raise BuildError("the rendering processes did not start", hint="Try again with --workers 1.") from error
        return self._agrees()

    def run(self, batches: Sequence[Sequence[Page]]) -> Iterator[list[Batch]]:
        """Render batches; few are under way at a time, so that memory stays bounded.

        Yields:
            Batches that are done. An input is told in a worker's first batch that has it, which is in the same list
            as, or in an earlier one than, all that refer to it.
        """
        waiting = deque(batches)
        running: dict[Future[Batch], Sequence[Page]] = {}
        while waiting or running:
            done: list[Batch] = []
            try:
                while waiting and len(running) < self._count * 2:
                    running[self._executor.submit(render_batch, waiting[0])] = waiting[0]
                    waiting.popleft()
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    done.append(future.result())
                    del running[future]
            except BrokenProcessPool as error:
                waiting.extendleft(running.values())
                running.clear()
                yield done
                if not self._replace(waiting, error):
                    yield from render_here(self._job, list(waiting))
                    return
            else:
                yield done

    def _replace(self, waiting: Sequence[Sequence[Page]], error: BrokenProcessPool) -> bool:
        """Fork other workers in place of dead ones; False where those would see another state of the database.

        Raises:
            BuildError: They die again and again.
        """
        self._executor.shutdown(cancel_futures=True)
        self._deaths += 1
        if self._deaths > DEATHS:
            raise BuildError(
                f"rendering processes were ended from outside {self._deaths} times; at work on {waiting[0][0].url} "
                "and others",
                hint="Was the machine out of memory? Build with fewer --workers.",
            ) from error
        self._fork()
        return self.start()

    def close(self) -> None:
        """End the workers."""
        self._executor.shutdown(cancel_futures=True)
        here.job = None


def _start(barrier: Any) -> None:
    """In each new worker: forget the parent's connections, open the snapshot, keep the collector off what is shared."""
    job = here.job
    if job is None:
        return
    here.numbering = Numbering()
    job.site.databases.forget()
    gc.freeze()
    gc.disable()
    job.site.databases.begin_snapshots(job.snapshots)
    barrier.wait(BARRIER_SECONDS)
