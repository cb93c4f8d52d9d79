"""Rendering in this process, be it the one that builds or a worker."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence

import msgspec

from toolkit.builder.batches import Batch, Job, Numbering, render_pages
from toolkit.builder.queries import QueryReport
from toolkit.errors import BuildError
from toolkit.pages.routes import Page

FEW_PAGES = 48
"""Up to so many pages, forking costs more than it saves."""

OLDER_COLLECTION = 16
"""Every so many batches the garbage collector looks at what the batches since then have left, too."""

FULL_COLLECTION = 256
"""Every so many it looks at all of a worker's memory, fragments and their inputs above all: it has found nothing there,
and at every 16th batch took 3 % of rendering 10,000 stories."""


class Here(msgspec.Struct):
    """The state of a worker process."""

    job: Job | None = None
    numbering: Numbering = msgspec.field(default_factory=Numbering)
    batches: int = 0


here = Here()


def render_batch(pages: Sequence[Page]) -> Batch:
    """Render pages of one route and locale, in a worker or in the parent."""
    job = here.job
    if job is None:
        raise BuildError("a worker was asked to render before it was set up")
    if here.numbering.is_full:
        here.numbering = Numbering()
    batch = Batch(here.numbering.sender, queries=QueryReport() if job.queries else None)
    render_pages(job, pages, batch, here.numbering)
    here.batches += 1
    # Rows loaded together refer to each other, so only the collector frees them. It is off: all that the batch made
    # is in the youngest generation.
    gc.collect(generation_after(here.batches))
    return batch


def generation_after(batches: int) -> int:
    """How far the garbage collector looks after so many batches."""
    return 2 if batches % FULL_COLLECTION == 0 else 1 if batches % OLDER_COLLECTION == 0 else 0


def render_here(job: Job, batches: Sequence[Sequence[Page]]) -> Iterator[list[Batch]]:
    """Render in this process."""
    here.job, here.numbering = job, Numbering()
    gc.freeze()
    try:
        for pages in batches:
            yield [render_batch(pages)]
    finally:
        gc.unfreeze()
        here.job = None
