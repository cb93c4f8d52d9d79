"""Shards made one: outputs and manifests of ``toolkit build --shard 1/5`` to ``5/5`` become those of the whole site.

Nothing is rendered and no site is needed. What the shards saw is compared first: the same code, moment, rows, plan,
redirects, and the same digest of every input that two of them read.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from toolkit.builder.changes import Changes
from toolkit.builder.interning import UNSURE
from toolkit.builder.manifest import Manifest
from toolkit.builder.outputs import Output, Staging, check_outputs, stage_body
from toolkit.builder.records import FORMAT, FileRecord, PageRecord, UnitRecord, encode
from toolkit.builder.redirects import BuildRedirects
from toolkit.builder.selections import Shard
from toolkit.builder.targets import FolderTarget
from toolkit.errors import BuildError, Problems, ToolkitError
from toolkit.http.compression import compressed_files
from toolkit.pages.patterns import output_path
from toolkit.site.code import code_sources
from toolkit.site.redirects import Redirect
from toolkit.trace import digest_bytes

SHOWN = 5


def shard_record(site: Any, redirects: Mapping[str, Any]) -> bytes:
    """What a shard's manifest keeps for the merge: the sources of its code by name, and the redirects of the site."""
    sources = {name: value.hex() for name, value in code_sources(site).items()}
    record = {"code": sources, "redirects": redirects, "precompress": list(site.settings.peek("precompress"))}
    return msgspec.msgpack.encode(record, order="deterministic")


@dataclass
class Part:
    """One shard, as it was built.

    Args:
        folder: Its output.
        manifest: Of its build.
        shard: Which.
        record: See ``shard_record``.
    """

    folder: Path
    manifest: Manifest
    shard: Shard
    record: dict[str, Any]

    @property
    def moment(self) -> datetime | None:
        """The instant that it shows."""
        return self.manifest.moment


@dataclass(frozen=True)
class MergeReport:
    """What a merge did.

    Args:
        output: The folder.
        pages: How many pages the site has.
        written: How many files were written.
        removed: How many files were removed.
    """

    output: str
    pages: int
    written: int
    removed: int


def merge(folders: Sequence[Path], output: Path) -> MergeReport:
    """Merge the outputs of all shards into one, whose next build goes on from there.

    Args:
        folders: The shards' outputs, in any order; their manifests are beside them.
        output: Where the whole goes; what an earlier merge or build left there is brought up to date.

    Raises:
        Problems: Shards are missing, doubled, damaged or do not fit together. Nothing was touched.
        BuildError: The output cannot be written.
    """
    target = FolderTarget(output)
    with ExitStack() as stack:
        stack.enter_context(target.locked())
        parts = _open_parts(folders, stack)
        _check_complete(parts)
        _check_fit(parts)
        merged = _Merged(parts)
        manifest = stack.enter_context(target.manifest())
        return _publish(target, manifest, merged)


# what may be merged


def _open_parts(folders: Sequence[Path], stack: ExitStack) -> list[Part]:
    parts: list[Part] = []
    problems: list[ToolkitError] = []
    for folder in folders:
        try:
            parts.append(_open_part(folder, stack))
        except BuildError as error:
            problems.append(error)
    if problems:
        raise Problems(problems, summary="the shards cannot be merged")
    return sorted(parts, key=lambda part: part.shard.number)


def _open_part(folder: Path, stack: ExitStack) -> Part:
    target = FolderTarget(folder)
    path = target.manifest_path
    if not path.is_file() or not folder.is_dir():
        raise BuildError(f"{folder} is no shard: it needs its manifest {path.name} beside it")
    stack.enter_context(target.locked())
    _check_sound(path)
    manifest = stack.enter_context(target.manifest())
    mark = manifest.meta("part") or ""
    if not mark or mark == "?":
        raise BuildError(f"{folder} is no shard: it was built without --shard")
    if manifest.pending():
        raise BuildError(f"the build of {folder} was interrupted", hint="Build that shard again.")
    return Part(folder, manifest, Shard.parse(mark), msgspec.msgpack.decode(manifest.meta("shard")))


def _check_sound(path: Path) -> None:
    """Refuse a damaged or foreign manifest: a build sets it aside and begins anew, which a merge cannot."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            sound = connection.execute("PRAGMA quick_check").fetchone()[0] == "ok"
            found = connection.execute("SELECT value FROM meta WHERE name = 'format'").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise BuildError(f"{path} is no manifest: {error}", hint="Build that shard again.") from error
    if not sound or found != (FORMAT,):
        what = "is of another version of the toolkit" if sound else "is damaged"
        raise BuildError(f"{path} {what}", hint="Build that shard again.")


def _check_complete(parts: Sequence[Part]) -> None:
    """Refuse missing and doubled shards."""
    problems: list[ToolkitError] = []
    first = parts[0]
    seen: dict[int, Part] = {}
    for part in parts:
        if part.shard.count != first.shard.count:
            told = f"{first.folder} is the shard {first.shard}, and {part.folder} the shard {part.shard}"
            problems.append(BuildError(told, hint="All must be of the same number."))
        elif part.shard.number in seen:
            told = f"{seen[part.shard.number].folder} and {part.folder} are both the shard {part.shard}"
            problems.append(BuildError(told))
        seen.setdefault(part.shard.number, part)
    missing = [f"{number}/{first.shard.count}" for number in range(1, first.shard.count + 1) if number not in seen]
    if missing:
        problems.append(BuildError(f"missing: {_listed(missing)}", hint="Build and name every shard."))
    if problems:
        raise Problems(problems, summary="the shards cannot be merged")


def _check_fit(parts: Sequence[Part]) -> None:
    """Refuse shards that were made of different things."""
    first = parts[0]
    problems: list[ToolkitError] = []
    for part in parts[1:]:
        between = f"{first.folder} and {part.folder} show"
        problems += [BuildError(f"{between} {told}") for told in _differences(first, part)]
    if problems:
        raise Problems(problems, summary="the shards do not fit together")


def _differences(one: Part, other: Part) -> Iterator[str]:
    code = _unequal(one.record["code"], other.record["code"])
    if code:
        yield f"other code: {_listed(code)}"
    if one.moment != other.moment:
        yield f"other moments, {one.moment} and {other.moment}: give all builds the same --at"
    tables = _unequal(_columns(one), _columns(other))
    if tables:
        yield f"other rows, in {_listed(tables)}"
    units = _unequal(_planned(one), _planned(other))
    if units:
        yield f"other pages of {_listed([f'{route} in {locale}' for route, locale in units])}"
    if one.record["precompress"] != other.record["precompress"]:
        yield "other settings, in precompress"
    if one.record["redirects"] != other.record["redirects"]:
        yield "other redirects"


def _unequal(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> list[Any]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _columns(part: Part) -> dict[str, Any]:
    return {name: (state.columns, state.buckets) for name, state in part.manifest.tables().items()}


def _planned(part: Part) -> dict[tuple[str, str], bytes]:
    return {key: unit.digest for key, unit in part.manifest.units().items()}


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


# the whole


class _Merged:
    """The manifests of all shards as one. Inputs are numbered in the order of their kinds and keys.

    Args:
        parts: Of one site.

    Raises:
        Problems: Shards read one thing differently.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts
        inputs = self._inputs()
        self._numbers = {key: number for number, key in enumerate(sorted(inputs), 1)}
        self.inputs = {number: (key, inputs[key]) for key, number in self._numbers.items()}
        self.shapes = {name: record for part in parts for name, record in part.manifest.shapes().items()}
        self.pages: list[PageRecord] = []
        self.owners: dict[str, tuple[Part, FileRecord]] = {}
        for part in parts:
            renumbered = self._renumbering(part)
            for record in part.manifest.pages().values():
                record.inputs = array("I", [renumbered[number] for number in record.inputs])
                self.pages.append(record)
            for path, file in part.manifest.files().items():
                self.owners.setdefault(path, (part, file))
        self.units = self._units(parts[0])

    def redirects(self, paths: Iterable[str]) -> BuildRedirects:
        """Those of the site, given the files that all shards have."""
        told = self.parts[0].record["redirects"]
        written = [Redirect(*one) for one in told["written"]]
        moved, aliases, base_path = told["moved"], told["aliases"], told["base_path"]
        return BuildRedirects(None, moved=moved, aliases=aliases, paths=paths, written=written, base_path=base_path)

    def _inputs(self) -> dict[tuple[str, bytes], bytes]:
        found: dict[tuple[str, bytes], bytes] = {}
        wrong: dict[str, None] = {}
        for part in self.parts:
            for _, kind, key, value in part.manifest.input_rows():
                known = found.setdefault((kind, key), value)
                if known == value:
                    continue
                if UNSURE in (known, value):
                    found[kind, key] = UNSURE
                else:
                    wrong[f"{kind} {_key_text(key)}"] = None
        if wrong:
            raise Problems(
                [BuildError(f"shards read it differently: {what}") for what in wrong],
                summary="the shards do not fit together",
            )
        return found

    def _renumbering(self, part: Part) -> dict[int, int]:
        return {number: self._numbers[kind, key] for number, kind, key, _ in part.manifest.input_rows()}

    def _units(self, part: Part) -> list[UnitRecord]:
        renumbered = self._renumbering(part)
        units = list(part.manifest.units().values())
        for unit in units:
            unit.inputs = array("I", [renumbered[number] for number in unit.inputs])
        return units


def _key_text(key: bytes) -> str:
    return " ".join(str(value) for value in msgspec.msgpack.decode(key))


def _publish(target: FolderTarget, manifest: Manifest, merged: _Merged) -> MergeReport:
    files, pending = manifest.files(), manifest.pending()
    suspect, restamped = target.find_suspects(files, pending)
    with target.staging() as staging:
        outputs = [_take(staging, files, suspect, part, file) for part, file in merged.owners.values()]
        redirects = merged.redirects([item.path for item in outputs])
        kinds = merged.parts[0].record["precompress"]
        for url, to in sorted(redirects.files().items()):
            path, body = output_path(url), redirects.page(to)
            for name, content in [(path, body), *compressed_files(path, body, kinds)]:
                outputs.append(stage_body(staging, files, suspect, name, content, "redirect"))
        check_outputs(outputs)
        removed = sorted((files.keys() | pending) - {item.path for item in outputs})
        staged = [item for item in outputs if item.staged]
        staging.check_way(staged, removed)
        manifest.announce([*(item.path for item in staged), *removed])
        placed = staging.place(outputs, removed) if staged or removed or staging.is_due else []
    manifest.forget()
    gone = set(removed)
    manifest.replace(
        _changes(merged, redirects.meta(), [*(one for one in restamped if one.path not in gone), *placed], removed)
    )
    return MergeReport(target.title, len(merged.pages), len(staged), len(removed))


def _take(staging: Staging, files: Mapping[str, FileRecord], suspect: set[str], part: Part, file: FileRecord) -> Output:
    """A shard's file, staged unless the output has it already.

    Raises:
        BuildError: It is not what the shard's build wrote.
    """
    known = files.get(file.path)
    fresh = known is None or known.digest != file.digest or file.path in suspect
    if fresh:
        source, target = part.folder / file.path, staging.folder / file.path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        except FileNotFoundError as error:
            raise _changed(source) from error
        if os.stat(target).st_size != file.size or digest_bytes(target.read_bytes()) != file.digest:  # noqa: PTH116 - often
            raise _changed(source)
    return Output(file.path, file.digest, file.size, file.owner, fresh)


def _changed(source: Path) -> BuildError:
    return BuildError(f"{source} was changed or removed since its shard was built", hint="Build that shard again.")


def _changes(merged: _Merged, meta: Mapping[str, str], placed: list[FileRecord], removed: list[str]) -> Changes:
    parts = merged.parts
    first = parts[0].manifest
    return Changes(
        moment=first.moment or datetime.now(UTC),
        meta={
            "history": first.meta("history"),
            "compression": first.meta("compression"),
            "names": first.meta("names"),
            "references": encode({name: found for one in parts for name, found in one.manifest.references().items()}),
            "part": "",
            "shard": None,
            **meta,
        },
        tables=first.tables(),
        shapes=merged.shapes,
        inputs=((number, *name, value) for number, (name, value) in merged.inputs.items()),
        units=merged.units,
        pages=sorted(merged.pages, key=lambda record: record.path),
        files=placed,
        dropped_files=removed,
    )
