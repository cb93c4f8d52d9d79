"""Rows back to files: loading what was exported gives the same rows."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from toolkit.content.keys import key_text, pk_text
from toolkit.content.layout import Layout, make_layouts
from toolkit.content.loading import locales_of, timezone_of
from toolkit.content.mentions import (
    MENTIONS,
    Mention,
    ensure_mention_tables,
    replace_created,
    replace_mentions,
)
from toolkit.content.partners import spell_key
from toolkit.content.records import (
    Record,
    RowKey,
    ensure_table,
    has_table,
    replace_records,
)
from toolkit.content.rendering import Unsayable, refused, render_markdown, render_rows
from toolkit.content.sharing import replaced_files
from toolkit.content.source import Source
from toolkit.content.stored import Stored, read_stored
from toolkit.errors import ContentError, Problems, ToolkitError
from toolkit.files import write_if_changed
from toolkit.models.fields.several import parts_of
from toolkit.stamps import is_settled, stamp_of
from toolkit.trace import Scope

NAME_BYTES = 150
"""The longest file name made from a key, without suffix; file systems take 255 bytes."""


def export_model(
    scope: Scope,
    source: Source,
    folder: Path,
    *,
    sources: Iterable[Source] = (),
    locales: Sequence[str] | None = None,
    adopt: bool = False,
) -> list[str]:
    """Write the rows of a source's model to files that the source would load.

    The same rows give the same bytes. A row that came from a file goes back to that file. Of a model with several
    sources each writes the rows of its own files, and the first those that came from none. Rows of a model that
    inherits from it are written by the source of that one, if there is one.

    Args:
        scope: Gives the database and the default locale.
        source: Says which model, what the files are called, and their kind.
        folder: The folder that the pattern is relative to.
        sources: All sources of the site: they say by which key rows refer to each other, and which rows they write.
        locales: The site's locales; by default those of its settings.
        adopt: The folder is the site's own: note that the rows came from these files, so that the next load
            finds nothing to do, and delete the files that gave them before: those of rows that are gone, and those of
            a source that is not declared any more.

    Returns:
        The paths of the files, sorted.

    Raises:
        Problems: Rows that cannot be said in this kind of file; nothing was written.
    """
    site = list(sources)
    declared = [source, *site]
    problems: list[ToolkitError] = [*source.problems(declared)]
    if problems:
        raise Problems(problems)
    known = locales_of(scope) if locales is None else locales
    layout = make_layouts(
        declared,
        dialect=scope.database.dialect,
        locales=known,
        default_locale=scope.default_locale,
        timezone=timezone_of(scope),
    )[0]
    files, rows = _render(layout, read_stored(scope.database, layout, site))
    for path, text in files.items():
        write_if_changed(Path(folder) / path, text.encode())
    if adopt:
        gone = [path for path in replaced_files(scope.database, source, site) if path not in files]
        _adopt(scope, layout, Path(folder), files, rows, gone)
    return sorted(files)


def _render(layout: Layout, stored: Sequence[Stored]) -> tuple[dict[str, str], dict[str, list[Stored]]]:
    """Path to text, and path to the rows in it."""
    files: dict[str, str] = {}
    problems: list[ToolkitError] = []
    rows = _by_path(layout, stored)
    for path, group in rows.items():
        try:
            if layout.source.is_single:
                files |= render_markdown(layout, group[0], path)
            else:
                files[path] = render_rows(layout, group)
        except Unsayable:
            problems += _find_unsayable(layout, path, group)
    if problems:
        raise Problems(problems)
    return files, rows


def _find_unsayable(layout: Layout, path: str, rows: Iterable[Stored]) -> list[ToolkitError]:
    """Which rows of a file cannot be said, and why."""
    problems: list[ToolkitError] = []
    for row in rows:
        try:
            render_markdown(layout, row, path) if layout.source.is_single else render_rows(layout, [row])
        except Unsayable as error:
            problems.append(refused(layout, row, str(error)))
    return problems


# where rows go


def _by_path(layout: Layout, stored: Sequence[Stored]) -> dict[str, list[Stored]]:
    found: dict[str, list[Stored]] = {}
    taken = {row.path.casefold() for row in stored if row.path is not None}
    for row in stored:
        path = row.path
        if path is None and layout.source.is_single:
            path = _free_path(layout, str(row.key), taken)
        elif path is None:
            path = fill_pattern(layout.source, layout.model._meta.model_name)
        found.setdefault(path, []).append(row)
    if not stored and not layout.source.is_single:
        found[fill_pattern(layout.source, layout.model._meta.model_name)] = []
    return dict(sorted(found.items()))


def _free_path(layout: Layout, key: str, taken: set[str]) -> str:
    """A path for a new file; no two differ by case alone, which some file systems do not tell apart."""
    name = re.sub(r"[^\w-]+", "-", key).strip("-") or layout.model._meta.model_name
    name = name.encode()[:NAME_BYTES].decode(errors="ignore")
    path, number = fill_pattern(layout.source, name), 1
    while path.casefold() in taken:
        number += 1
        path, before = fill_pattern(layout.source, f"{name}-{number}"), path
        if path == before:
            told = f"the pattern {layout.source.pattern!r} has room for one row, and there are more"
            raise ContentError(told, hint="Put a '*' in its last part.")
    taken.add(path.casefold())
    return path


def fill_pattern(source: Source, name: str) -> str:
    """A path that matches a source's pattern.

    Raises:
        ContentError: The pattern does not say where a new file goes.
    """
    *folders, last = [part for part in source.pattern.split("/") if part != "**"]
    if any(mark in part for part in folders for mark in "*?[") or any(mark in last for mark in "?["):
        told = f"the pattern {source.pattern!r} does not say where a new file goes"
        raise ContentError(told, hint="Use one '*', for the name of the file.")
    return "/".join([*folders, last.replace("*", name, 1).replace("*", "")])


# adopting


def _adopt(
    scope: Scope,
    layout: Layout,
    folder: Path,
    files: Mapping[str, str],
    rows: Mapping[str, list[Stored]],
    gone: Sequence[str],
) -> None:
    """Note that the rows came from these files; delete files that were theirs and are no more."""
    now = time.time_ns()
    noted = []
    for path, text in files.items():
        keys = [RowKey(_driver_key(layout, row), pk_text(row.pk)) for row in rows.get(path, ())]
        stamp = stamp_of((folder / path).stat())
        digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        label, settled = layout.model._meta.label, int(is_settled(stamp, at_ns=now))
        record = Record(path, layout.source.pattern, label, layout.declared, digest, *stamp, settled, len(keys))
        noted.append((record, keys))
    ensure_table(scope.database)
    if layout.source.create:
        ensure_mention_tables(scope.database)
    with scope.database.atomic():
        replace_records(scope.database, gone, noted)
        if has_table(scope.database, MENTIONS):
            replace_mentions(scope.database, [*gone, *files], _mentions(layout, rows))
            keys = [given.key for _, given_rows in noted for given in given_rows]
            replace_created(scope.database, [(layout.model._meta.label, str(key)) for key in keys], {})
    for path in gone:
        (folder / path).unlink(missing_ok=True)


def _mentions(layout: Layout, rows: Mapping[str, list[Stored]]) -> Iterator[Mention]:
    """Whom the files name now: in each, relations in the order of the model."""
    many = {field.name for field in layout.many}
    relations = [f.name for f in [*layout.fields, *layout.many] if f.name in layout.partner_names]
    for path, group in rows.items():
        named = [
            (name, str(text))
            for row in group
            for name in relations
            for text in (row.links[name] if name in many else [row.values[name]])
            if text is not None
        ]
        for place, (name, text) in enumerate(named):
            key = spell_key(layout.natural[name], text, locale=layout.default_locale)
            target = layout.model._meta.by_name[name].target
            yield Mention(path, place, name, target._meta.label, key, text)


def _driver_key(layout: Layout, row: Stored) -> object:
    """The key of a row as records hold it."""
    parts = parts_of(layout.key_field)
    writers = [layout.natural_writers[p.name] if p.is_relation else p.db_writer(layout.dialect) for p in parts]
    values = row.key if len(parts) > 1 else (row.key,)
    found = [value if write is None else write(value) for write, value in zip(writers, values, strict=True)]
    return key_text(tuple(found) if len(found) > 1 else found[0])
