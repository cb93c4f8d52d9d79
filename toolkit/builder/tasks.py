"""A batch as a message: what a process anywhere needs in order to render some pages of a build.

The process imports the same site from the same folder, which it shares or has a copy of. It is compared, not trusted:
other code, another state of the database or a stage that it does not see are refused, with what differs. Secrets,
such as the database's URL, do not travel: each machine has them in its own ``toolkit.toml`` or environment.
"""

from __future__ import annotations

import os
import platform
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from toolkit.builder.batches import Batch, Job, Numbering, render_pages
from toolkit.builder.queries import QueryReport
from toolkit.builder.stages import Stage, open_stage
from toolkit.database import read_tokens
from toolkit.errors import BuildError, DatabaseError
from toolkit.pages.plan import Plan
from toolkit.pages.routes import Page
from toolkit.settings import TABLE
from toolkit.site.code import code_sources, forget_modules
from toolkit.site.loading import load_site
from toolkit.trace import READER

SITES = 4
"""Builds whose sites a process keeps loaded, the latest."""

Tokens = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Order:
    """What all tasks of a build share.

    Args:
        build: Its own random name.
        folder: The site's folder.
        settings: Those that are no secrets.
        code: Digest of the code.
        moment: The instant that the build shows.
        stage: Where files go; see ``Stage.place``.
        snapshots: Name of the snapshot of each database, where snapshots have names.
        tokens: By database, the tokens of its tables, where snapshots have none.
        queries: Whether what is asked is counted.
    """

    build: str
    folder: str
    settings: Mapping[str, Any]
    code: bytes
    moment: datetime
    stage: str
    snapshots: Mapping[str, str]
    tokens: Tokens
    queries: bool


@dataclass(frozen=True)
class Task:
    """One batch.

    Args:
        order: What it shares with others.
        pages: Of one route and locale.
        known: Digests of their files as they stand, by path.
    """

    order: Order
    pages: tuple[Page, ...]
    known: Mapping[str, bytes]


@dataclass(frozen=True)
class Refusal:
    """Why a process does not render.

    Args:
        why: ``code``, ``snapshot``, ``state`` or ``stage``.
        host: The machine and process.
        found: For ``code``: the digests of its sources, by name.
        told: What went wrong, in words.
    """

    why: str
    host: str
    found: Mapping[str, str] = field(default_factory=dict)
    told: str = ""


def make_order(job: Job, moment: datetime) -> Order:
    """The order of a build, its databases in their snapshots."""
    site = job.site
    shared = {row.name: site.settings.peek(row.name) for row in TABLE if not row.secret}
    tokens = {
        database.alias: read_tokens(database, database.schema.table_names)
        for database in site.databases.homes
        if not job.snapshots.get(database.alias)
    }
    return Order(
        uuid4().hex,
        str(site.folder),
        shared,
        site.code_digest,
        moment,
        job.stage.place,
        job.snapshots,
        tokens,
        job.queries,
    )


def can_share(site: Any) -> bool:
    """Whether processes elsewhere can see the state of the databases, or at least tell that they do."""
    return all(
        not database.in_memory
        and (
            database.export_snapshot()
            or read_tokens(database, database.schema.table_names).keys() >= set(database.schema.table_names)
        )
        for database in site.databases.homes
    )


# where the task is done


class _Sites:
    """The sites that this process has loaded, by build."""

    def __init__(self) -> None:
        self._loaded: OrderedDict[tuple[str, int], Any] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, build: str, site: Any) -> None:
        """Have a build's tasks in this process use this site."""
        self._loaded[build, os.getpid()] = site

    def drop(self, build: str) -> None:
        """Forget a build."""
        self._loaded.pop((build, os.getpid()), None)

    def get(self, order: Order) -> Any:
        """The site of a build, imported anew for each: files may have changed since the last."""
        key = (order.build, os.getpid())
        with self._lock:
            if key not in self._loaded:
                for other in self._loaded.values():
                    forget_modules(other.folder)
                forget_modules(Path(order.folder))
                site = load_site(Path(order.folder), settings=order.settings).prepare()
                site.environment.freeze()
                site.assets.freeze()
                self._loaded[key] = site
            while len(self._loaded) > SITES:
                self._loaded.popitem(last=False)
            return self._loaded[key]


sites = _Sites()


def render_task(task: Task) -> Batch | Refusal:
    """Render a batch, in whichever process.

    Raises:
        ToolkitError: The site cannot be loaded, or a file not be written.
    """
    order = task.order
    site = sites.get(order)
    if site.code_digest != order.code:
        return Refusal("code", _host(), {name: value.hex() for name, value in code_sources(site).items()})
    try:
        stage = open_stage(order.stage)
    except OSError:
        return Refusal("stage", _host())
    with _same_state(site, order) as wrong:
        return wrong or _render(task, site, stage)


def _render(task: Task, site: Any, stage: Stage) -> Batch:
    order = task.order
    plan = Plan(site, viewer=READER, moment=order.moment)
    job = Job(site, plan, stage, task.known, queries=order.queries)
    numbering = Numbering()
    batch = Batch(numbering.sender, queries=QueryReport() if order.queries else None, alone=True)
    render_pages(job, task.pages, batch, numbering)
    return batch


@contextmanager
def _same_state(site: Any, order: Order) -> Iterator[Refusal | None]:
    """Snapshots of the state that the build shows, or why there are none."""
    databases = site.databases.homes
    begun = []
    try:
        wrong = None
        try:
            for database in databases:
                database.begin_snapshot(order.snapshots.get(database.alias, ""))
                begun.append(database)
        except DatabaseError as error:
            wrong = Refusal("snapshot", _host(), told=error.message)
        yield wrong or _other_state(begun, order)
    finally:
        for database in databases:
            if database in begun:
                database.end_snapshot()
            database.renew()


def _other_state(databases: list[Any], order: Order) -> Refusal | None:
    for database in databases:
        expected = order.tokens.get(database.alias)
        if expected is not None and read_tokens(database, sorted(expected)) != expected:
            return Refusal("state", _host())
    return None


def _host() -> str:
    return f"{platform.node()}, process {os.getpid()}"


def other_code(site: Any, refusal: Refusal) -> BuildError:
    """The error that says in what the code of another process differs."""
    here = {name: value.hex() for name, value in code_sources(site).items()}
    names = sorted(name for name in here.keys() | refusal.found.keys() if here.get(name) != refusal.found.get(name))
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return BuildError(
        f"the code of {refusal.host} is another: {shown}",
        hint="Give all workers the same site and the same versions, start them again, and build again.",
    )
