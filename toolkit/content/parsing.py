"""Reading files into rows, in parallel when there are many."""

from __future__ import annotations

import gc
import hashlib
import os
import re
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from toolkit.content.csv_files import parse_csv
from toolkit.content.json_files import parse_geojson, parse_json
from toolkit.content.layout import Layout
from toolkit.content.markdown_files import parse_markdown
from toolkit.content.place import Document, Place, content_error
from toolkit.content.rows import Row, RowReader
from toolkit.content.spool import Head, split_row
from toolkit.content.yaml_files import parse_yaml
from toolkit.cores import usable_cores
from toolkit.errors import ContentError, did_you_mean

if TYPE_CHECKING:
    from concurrent.futures import Future

PARALLEL_FILES = 500
"""Fewer files than these are read faster by one process than workers start."""

CHUNK_FILES = 100
"""Files in one message of a worker: some hundred kilobytes."""

AHEAD = 3
"""Chunks under way for each worker: whoever takes the rows may fall behind, and what waits stays small."""

_LOCALE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")


class Group(NamedTuple):
    """A file that gives rows, and its translations.

    Args:
        layout: Index of its source.
        path: The file.
        translations: (path, locale) of the files beside it.
    """

    layout: int
    path: str
    translations: tuple[tuple[str, str], ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """All its files."""
        return (self.path, *(path for path, _ in self.translations))


class Parsed(NamedTuple):
    """What a group's files say.

    Args:
        group: The group.
        digests: Of the contents of ``group.paths``, hexadecimal.
        rows: Its rows; None when the content is what was expected, and was not looked into.
        problems: What is wrong.
        contents: What each row says, packed, until a spool takes it.
    """

    group: Group
    digests: tuple[str, ...]
    rows: tuple[Head, ...] | None
    problems: Sequence[ContentError] = ()
    contents: tuple[bytes, ...] = ()


def group_files(number: int, layout: Layout, paths: Iterable[str]) -> tuple[list[Group], list[ContentError]]:
    """The groups of one source's files, and translations that belong to nothing.

    Args:
        number: Index of the layout.
        layout: The source's layout.
        paths: Its files.
    """
    if not layout.source.is_single:
        return [Group(number, path) for path in paths], []
    present = list(paths)
    beside: dict[str, list[tuple[str, str]]] = {}
    problems: list[ContentError] = []
    known = set(present) if any(path.count(".") > 1 for path in present) else set()
    translations = set()
    for path in present if known else ():
        base, locale = _base_of(path, layout)
        if base is None or locale is None:
            continue
        problem = _misplaced(path, base, locale, layout, known)
        if problem is not None:
            problems.append(problem)
        if problem is not None or base in known:
            translations.add(path)
            beside.setdefault(base, []).append((path, locale))
    groups = [Group(number, path, tuple(beside.get(path, ()))) for path in present if path not in translations]
    return groups, problems


def _base_of(path: str, layout: Layout) -> tuple[str | None, str | None]:
    """``a/b.md`` and ``es`` of ``a/b.es.md``."""
    stem, suffix = _parts(path)
    base, dot, tag = stem.rpartition(".")
    if not dot or not base or base.endswith("/") or "/" in tag or not _LOCALE.fullmatch(tag):
        return None, None
    spellings = {locale.replace("-", "_").lower(): locale for locale in layout.locales}
    return base + suffix, spellings.get(tag.replace("-", "_").lower(), tag)


def _misplaced(path: str, base: str, locale: str, layout: Layout, present: set[str]) -> ContentError | None:
    """What is wrong with a file that is named as a translation."""
    if locale == layout.default_locale:
        hint = f"Rename it to {base}."
        return ContentError(f"{locale!r} is the site's own language, and needs no name", path=path, hint=hint)
    if layout.locales and locale not in layout.locales:
        if base not in present:
            return None
        hint = did_you_mean(locale, layout.locales)
        return ContentError(f"{locale!r} is no locale of this site", path=path, hint=hint)
    if base not in present:
        if not layout.locales:
            return None
        hint = "Write that file first, or rename this one."
        return ContentError(f"it is a translation of {base}, which is not there", path=path, hint=hint)
    if not layout.translated:
        return ContentError(f"{layout.model._meta.object_name} has no translated field", path=path)
    return None


def parse_group(folder: Path, layout: Layout, group: Group, expected: Mapping[str, str]) -> Parsed:
    """Read a group's files, unless all have the expected digests.

    Args:
        folder: The site's folder.
        layout: Of the group's source.
        group: The group.
        expected: Path to digest; a path that is not in it is read.
    """
    bodies: dict[str, bytes] = {}
    try:
        for path in group.paths:
            with open(f"{folder}/{path}", "rb", buffering=0) as file:  # noqa: PTH123 - once for each file
                bodies[path] = file.read()
    except OSError as error:
        told = f"the file cannot be read: {error.strerror or error}"
        return Parsed(group, (), (), [ContentError(told, path=path)])
    digests = tuple(hashlib.blake2b(body, digest_size=16).hexdigest() for body in bodies.values())
    if all(expected.get(path) == digest for path, digest in zip(bodies, digests, strict=True)):
        return Parsed(group, digests, None)
    rows, problems = _read_rows(layout, group, bodies)
    parts = [split_row(layout, row) for row in rows]
    return Parsed(group, digests, tuple(head for head, _ in parts), problems, tuple(content for _, content in parts))


def _read_rows(layout: Layout, group: Group, bodies: Mapping[str, bytes]) -> tuple[list[Row], list[ContentError]]:
    rows: list[Row] = []
    problems: list[ContentError] = []
    try:
        reader = RowReader(layout, parse_document(layout, group.path, bodies[group.path]), group.path)
        rows, problems = reader.read(), reader.problems
    except ContentError as error:
        problems.append(error)
    for path, locale in group.translations:
        try:
            reader = RowReader(layout, parse_document(layout, path, bodies[path]), path)
            _add_translation(rows, locale, path, reader, problems)
        except ContentError as error:
            problems.append(error)
    return rows, problems


def _add_translation(rows: list[Row], locale: str, path: str, reader: RowReader, problems: list[ContentError]) -> None:
    values = reader.read_translation()
    problems += reader.problems
    for row in rows:
        if locale in row.translations:
            told = f"the {locale!r} translation is given twice: here, and in the front matter of the file itself"
            problems.append(ContentError(told, path=path, line=1, hint="Remove one of them."))
        elif any(value is not None for value in values):
            row.translations[locale] = values


def parse_document(layout: Layout, path: str, body: bytes) -> Document:
    """Parse one file as its source's kind.

    Raises:
        ContentError: It cannot be parsed.
    """
    text = _decode(path, body)
    source = layout.source
    if source.kind == "markdown":
        return parse_markdown(text, path=path, body=source.body_field)
    if source.kind == "csv":
        return parse_csv(text, path=path)
    if source.kind == "geojson":
        return parse_geojson(text, path=path, geometry=source.geometry_field or "")
    return (parse_yaml if source.kind == "yaml" else parse_json)(text, path=path)


def _decode(path: str, body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = Place(body.count(b"\n", 0, error.start) + 1)
        told = f"the file is not UTF-8: byte 0x{error.object[error.start]:02x}"
        raise content_error(told, path, place, "Save it as UTF-8.") from None


# in parallel


class _Worker:
    """What a worker process was forked with. Set in workers only, before their first task."""

    folder: Path
    layouts: Sequence[Layout]
    expected: Mapping[str, str]


def _start_worker(folder: Path, layouts: Sequence[Layout], expected: Mapping[str, str]) -> None:
    gc.disable()  # a worker lives for one load, and makes nothing that refers to itself
    _Worker.folder, _Worker.layouts, _Worker.expected = folder, layouts, expected


def _work(groups: Sequence[Group]) -> list[Parsed]:
    folder, layouts, expected = _Worker.folder, _Worker.layouts, _Worker.expected
    return [parse_group(folder, layouts[group.layout], group, expected) for group in groups]


def parse_groups(
    folder: Path,
    layouts: Sequence[Layout],
    groups: Sequence[Group],
    expected: Mapping[str, str],
    *,
    workers: int | None = None,
) -> Iterator[Parsed]:
    """Read many groups, in order.

    Args:
        folder: The site's folder.
        layouts: Of all sources.
        groups: What to read.
        expected: See ``parse_group``.
        workers: Processes; by default one for each CPU when there are many files, and none otherwise.
    """
    count = workers if workers is not None else _worker_count(len(groups))
    if count < 2:
        for group in groups:
            yield parse_group(folder, layouts[group.layout], group, expected)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    size = max(1, min(CHUNK_FILES, len(groups) // (count * 4)))
    chunks = deque(groups[start : start + size] for start in range(0, len(groups), size))
    with ProcessPoolExecutor(
        count, mp_context=get_context("fork"), initializer=_start_worker, initargs=(folder, layouts, expected)
    ) as pool:
        running: deque[Future[list[Parsed]]] = deque()
        while chunks or running:
            while chunks and len(running) < count * AHEAD:
                running.append(pool.submit(_work, chunks.popleft()))
            yield from running.popleft().result()


def _worker_count(files: int) -> int:
    """Workers are forked, which is not safe while other threads run."""
    if files <= PARALLEL_FILES or threading.active_count() > 1 or not hasattr(os, "fork"):
        return 0
    return usable_cores()


def plain_base(path: str) -> str:
    """The file of which this one would be a translation, or itself."""
    stem, suffix = _parts(path)
    base, dot, tag = stem.rpartition(".")
    return base + suffix if dot and _LOCALE.fullmatch(tag) else path


def _parts(path: str) -> tuple[str, str]:
    """``a/b.es`` and ``.md`` of ``a/b.es.md``."""
    stem, dot, suffix = path.rpartition(".")
    return (stem, dot + suffix) if stem and "/" not in suffix else (path, "")
