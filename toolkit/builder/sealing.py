"""Sealing a build: whether files and tokens alone can prove that the next one would find nothing to do."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from itertools import chain
from pathlib import Path

import toolkit
from toolkit.builder.build import Builder
from toolkit.builder.manifest import Manifest
from toolkit.builder.report import BuildReport
from toolkit.builder.tables import bring_up
from toolkit.builder.targets import FolderTarget
from toolkit.content.records import STAMPS, SUMMARY
from toolkit.database import read_tokens
from toolkit.errors import ToolkitError
from toolkit.folders import FILE_NAME
from toolkit.models.passing import first_crossing
from toolkit.seals import (
    FORMAT,
    PASSING,
    Seal,
    TooManyFiles,
    Tree,
    covers,
    files_digest,
    process_digest,
    survey,
    tokens_digest,
)
from toolkit.site.verifying import EVERY_VARIABLE
from toolkit.site.watching import Loading
from toolkit.stamps import RACY_NS, look_at
from toolkit.storage import FileSystemStorage
from toolkit.templates.clock import end_of_moment
from toolkit.trace import entered

_ASIDE = (".git", ".hg", ".svn", ".venv", "venv", "node_modules")
"""What may lie in a site's folder and is large, and no part of it."""

_CLOCK_OR_CHANCE = re.compile(
    r"\b(?:now|utcnow|today|time|time_ns|monotonic|monotonic_ns|perf_counter|localtime|gmtime|strftime|random|randint|"
    r"randrange|uniform|choice|choices|sample|shuffle|uuid1|uuid4|urandom|getrandbits|token_\w+|getpid|gethostname)\s*\("
)

FEW_FILES = 10_000
"""So many files that the site does not publish may lie about without a question of whether it is worth it."""


class _Unsealable(Exception):
    """Something decides about the build that neither files nor tokens tell of."""


def make_seal(builder: Builder, report: BuildReport, *, loaded: Loading, begun_ns: int) -> Seal | None:
    """The seal of a build that just ended; None if the next one has to look for itself.

    Args:
        builder: Who built.
        report: What it did.
        loaded: What the site's modules read while they were imported.
        begun_ns: A moment before any of it was read, nanoseconds since the epoch: what changed later may not be what
            was built.
    """
    try:
        return _Sealing(builder, report, loaded, begun_ns).make()
    except (_Unsealable, TooManyFiles, ToolkitError, OSError, sqlite3.Error):
        return None


class _Sealing:
    def __init__(self, builder: Builder, report: BuildReport, loaded: Loading, begun_ns: int) -> None:
        self.builder, self.report, self.loaded, self.begun_ns = builder, report, loaded, begun_ns
        self.site = builder.site
        self.trees: list[Tree] = []

    def make(self) -> Seal:
        """Make it.

        Raises:
            _Unsealable: It would prove nothing.
        """
        builder, report, site = self.builder, self.report, self.site
        _require(isinstance(builder.target, FolderTarget) and builder.part is None and builder.moment is None)
        _require(not report.notices and not report.differences)
        _require(all(site.settings.source(name) != "code" for name in dir(site.settings)))
        with closing(Manifest(builder.manifest_path, reading=True)) as manifest:
            self.trees = self._find_trees()
            self._check_reads(manifest)
            until = self._until(manifest)
            files = manifest.files()
            manifest.check_files(files)  # what the seal knows as it is, nobody looks at again
            most = FEW_FILES + 4 * len(files)
            sources_digest, youngest = survey(self.trees, most=most)
            _require(youngest + RACY_NS < self.begun_ns)
            output, names = str(builder.output), tuple(files)
            digest = files_digest(output, names)
            suspect, restamped = builder.target.find_suspects(files, manifest.pending())
            _require(not suspect and not restamped)
            tokens = self._tokens(manifest)
            idle = self._idle(manifest.page_count(), len(files))
        seen = look_at(builder.manifest_path)
        if seen is None:
            raise _Unsealable
        return Seal(
            format=FORMAT,
            process=process_digest(),
            sources=tuple(self.trees),
            sources_digest=sources_digest,
            output=output,
            files=names,
            files_digest=digest,
            manifest=(str(builder.manifest_path), seen.stamp),
            database=str(site.database.path),
            tokens=tokens,
            folder=str(site.folder),
            records=STAMPS,
            summary=SUMMARY,
            since=report.moment,
            until=until,
            told=idle.as_dict(),
            counts=idle.counts(),
        )

    # where the site is

    def _find_trees(self) -> list[Tree]:
        """What the site is made from; not what else lies in its folder, such as a log of its builds."""
        site, output = self.site, self.builder.output
        beside = (f".{output.name}.*", f"{output.name}.*")
        database = Path(site.database.path) if site.database.path else None
        without = [site.state_folder, output, *(site.folder / name for name in _ASIDE)]
        without += [path for pattern in beside for path in output.parent.glob(pattern)]
        without += [output.with_name(f"{output.name}.manifest.db{end}") for end in ("", "-wal", "-shm", "-journal")]
        if database is not None:
            without += [database.with_name(f"{database.name}{end}") for end in ("", "-wal", "-shm", "-journal")]
        names = tuple(sorted({str(path) for path in without}))
        found = [Tree(str(site.folder), names, shallow=True)]
        for path in map(str, self._places()):
            if not covers(found, path):
                found.append(Tree(path, tuple(name for name in names if name.startswith(f"{path}{os.sep}"))))
        return found

    def _places(self) -> Iterator[Path]:
        """Every folder, and every file of code, that the site is made from."""
        site, settings = self.site, self.site.settings
        yield Path(toolkit.__file__).parent
        yield site.folder / FILE_NAME
        yield from (app.folder for app in site.apps)
        yield from (site.folder / settings.peek(name) for name in ("templates", "static", "public", "locale_folder"))
        yield site.folder / settings.peek("redirects")
        for name in site.storages:
            storage = site.storages[name]
            _require(isinstance(storage, FileSystemStorage))
            yield storage.folder
        for source in (one for app in site.apps for one in app.sources):
            yield site.folder / (source.pattern if source.is_literal else source.folder)
        for made in site.assets.made.values():
            yield from (site.folder / _fixed_part(pattern) for pattern in made.inputs)
        yield from self._modules()

    def _modules(self) -> Iterator[Path]:
        """Modules that are neither Python's nor installed: the site's own, wherever they are.

        Raises:
            _Unsealable: One of them asks the clock, or chance, perhaps while it is imported.
        """
        for path in self.loaded.modules():
            text = path.read_text("utf-8", "replace") if path.suffix == ".py" else ""
            _require(not _CLOCK_OR_CHANCE.search(text))
            yield path.parent if path.name == "__init__.py" else path

    # what was read

    def _check_reads(self, manifest: Manifest) -> None:
        """Have all that was read among the trees.

        Raises:
            _Unsealable: Something was read that no file is.
        """
        inputs = manifest.inputs(kinds={"file", "folder", "link", "environment", "outside", "imported", "part"})
        read = chain(((kind, key) for kind, key, _ in inputs.values()), self.loaded.inputs)
        for kind, key in read:
            _require(kind not in ("outside", "imported", "part"))
            if kind == "environment":
                _require(key[0] not in PASSING and key[0] != EVERY_VARIABLE)
                continue
            path = os.path.normpath(self.site.folder / key[0])
            _require(kind != "link" or not os.path.islink(path))  # noqa: PTH114 - links are followed, and looked at nowhere
            if not covers(self.trees, path):
                _require(not os.path.isdir(path) or covers([Tree(str(self.site.folder))], path))  # noqa: PTH112 - not of all that is elsewhere
                self.trees.append(Tree(path))
        _require(not any(record.get("opaque") for record in manifest.shapes().values()))

    def _until(self, manifest: Manifest) -> datetime:
        """Until when the clock changes nothing."""
        columns = {tuple(each) for record in manifest.shapes().values() for each in record.get("clock", ())}
        clocks = (key[0] for _, key, _ in manifest.inputs(kinds={"clock"}).values())
        with entered(self.site.scope()):
            crossing = first_crossing(self.site.database, columns, self.report.moment)
        return min([crossing, *(end_of_moment(self.report.moment, granularity) for granularity in clocks)])

    def _tokens(self, manifest: Manifest) -> bytes:
        """Stands for the tables, which are as the build saw them.

        Raises:
            _Unsealable: Somebody wrote meanwhile, or a table cannot vouch for itself.
        """
        database = self.site.database
        _require(self.site.databases.homes == [database] and database.dialect == "sqlite" and not database.read_only)
        _require(database.path is not None)
        built = {name: state.token for name, state in manifest.tables().items()}
        with entered(self.site.scope()):
            bring_up(self.site)
            before = tokens_digest(str(database.path))
            _require(all(built.values()) and read_tokens(database, built) == built)
            _require(tokens_digest(str(database.path)) == before)
        return before

    def _idle(self, pages: int, files: int) -> BuildReport:
        """The report of a build that finds nothing to do."""
        before = self.report
        report = BuildReport(before.output, before.moment, pages=pages, unchanged=files, base_path=before.base_path)
        report.left_out = self.report.left_out
        return report


def _require(condition: object) -> None:
    if not condition:
        raise _Unsealable


def _fixed_part(pattern: str) -> str:
    """The folders that a pattern begins with."""
    parts = []
    for part in Path(pattern).parts:
        if any(mark in part for mark in "*?["):
            break
        parts.append(part)
    return str(Path(*parts)) if parts else "."
