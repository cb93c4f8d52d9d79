"""Which row of the database a row of a file is: so that an edited file keeps its row's primary key.

A Markdown file is one row whatever its slug says: changing the slug keeps the row, and its redirects. A row of a file
with many is known by its key. A row that moved to another file is known by its key, and a renamed Markdown file by
its content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from toolkit.content.keys import key_text
from toolkit.content.layout import Layout
from toolkit.content.levels import root_field, root_key
from toolkit.content.parsing import Parsed
from toolkit.content.records import Record, RowKey
from toolkit.content.spool import Head


class Entry(msgspec.Struct, eq=False):
    """A row of a file on its way to the database.

    Attributes:
        layout: Of its source.
        path: Its file.
        row: What tells it.
        pk: Primary key; None until one is reserved.
        earlier: The key under which the row was loaded before; None for a new row.
        before: What the database has in fields that others know the row by, if it was loaded before; the keys that are
            reserved for its further parents.
        mention: Where a file names it, if that is why it is made.
        state: What becomes of it: ``"added"``, ``"changed"`` or ``"unchanged"``.
    """

    layout: Layout
    path: str
    row: Head
    pk: Any = None
    earlier: Any = None
    state: str = "added"
    mention: MentionPlace | None = None
    before: dict[Any, Any] = msgspec.field(default_factory=dict)

    @property
    def key(self) -> Any:
        """The key in the file, as records hold it."""
        return key_text(self.row.key)

    @property
    def said_pk(self) -> Any:
        """The primary key that the file says, when the references in it are resolved."""
        parts = zip(self.layout.key_parts, self.row.pk, strict=True)
        found = [self.referred(part) if part.name in self.layout.references else value for part, value in parts]
        return tuple(found) if len(found) > 1 else found[0]

    def referred(self, relation: Any) -> Any:
        """What the row says of a foreign key; in the end, what is kept of the target."""
        return self.row.references[list(self.layout.references).index(relation.name)]

    def shares(self, reference: Any) -> Iterator[tuple[Any, Any]]:
        """The fields for which a foreign key to a composite key stands, and the values that it gives them."""
        return zip(reference.parts, self.referred(reference) or (), strict=False)

    def named(self, known: Any) -> Any:
        """The driver's value of a field by which files name rows, or others refer to them."""
        if root_field(known) is root_key(self.layout.model):
            return self.said_pk if self.layout.key_references else self.pk
        if known.name in self.layout.references:
            return self.referred(known)
        at = self.layout.spoken.index(root_field(known))
        return self.before.get(root_field(known), self.row.names[at]) if at in self.row.made else self.row.names[at]

    @property
    def is_rekeyed(self) -> bool:
        """Whether the file says another key for one of the row's further parents than the database has."""
        keys = (key for key in self.layout.further if key in self.before)
        return any(self.before[key] != self.named(key) for key in keys)

    @property
    def name(self) -> str:
        """How reports call it: the file, and for one row of many, or one that the file only names, its key."""
        return self.path if self.layout.source.is_single and self.mention is None else f"{self.path}: {self.key}"


class MentionPlace(NamedTuple):
    """Where a file names a row that is made for it: the layout of the file's source, and the relation."""

    layout: Layout
    relation: str


class Leaver(msgspec.Struct, frozen=True):
    """A row whose file, or whose place in it, is gone.

    Args:
        model: Its model.
        pattern: Of the source it came from.
        path: The file.
        digest: The file's content when it was loaded.
        given: Its key and primary key.
    """

    model: Any
    pattern: str
    path: str
    digest: str
    given: RowKey

    @property
    def name(self) -> str:
        """How reports call it."""
        return f"{self.path}: {self.given.key}"


class Matched(NamedTuple):
    """Rows of files, and rows that were loaded before.

    Args:
        entries: The files' rows; one that is not known yet has no primary key.
        leavers: The rows that their own files do not give any more.
    """

    entries: list[Entry]
    leavers: list[Leaver]


def match_rows(
    layouts: Sequence[Layout],
    parsed: Iterable[Parsed],
    *,
    records: Mapping[str, Record],
    keys: Mapping[str, list[RowKey]],
    vanished: Iterable[str],
    models: Mapping[str, Any],
) -> Matched:
    """Pair rows of files with rows that were loaded before from the same files.

    Args:
        layouts: Of all sources.
        parsed: The files that were read.
        records: Path to what was loaded from it.
        keys: Path to the rows it gave, for all files read or vanished.
        vanished: Files that are gone.
        models: Label to model.
    """
    entries: list[Entry] = []
    leavers: list[Leaver] = []
    for item in parsed:
        layout = layouts[item.group.layout]
        fresh = [Entry(layout, item.group.path, row) for row in item.rows or ()]
        before = [(path, given) for path in item.group.paths for given in _given(path, layout, records, keys)]
        left = _pair(layout, fresh, before)
        leavers += [_leaver(layout.model, records[path], given) for path, given in left]
        entries += fresh
        leavers += _strangers(item.group.paths, layout, records, keys, models)
    for path in vanished:
        model = models.get(records[path].model)
        if model is not None:
            leavers += [_leaver(model, records[path], given) for given in keys.get(path, ())]
    return Matched(entries, leavers)


def _given(path: str, layout: Layout, records: Mapping[str, Record], keys: Mapping[str, list[RowKey]]) -> list[RowKey]:
    """The rows that a file gave to the same model."""
    record = records.get(path)
    return keys.get(path, []) if record is not None and record.model == layout.model._meta.label else []


def _strangers(
    paths: Iterable[str],
    layout: Layout,
    records: Mapping[str, Record],
    keys: Mapping[str, list[RowKey]],
    models: Mapping[str, Any],
) -> list[Leaver]:
    """Rows that the files gave to another model, before their source was declared anew."""
    return [
        _leaver(models[records[path].model], records[path], given)
        for path in paths
        if path in records and records[path].model != layout.model._meta.label and records[path].model in models
        for given in keys.get(path, ())
    ]


def _leaver(model: Any, record: Record, given: RowKey) -> Leaver:
    return Leaver(model, record.pattern, record.path, record.digest, given)


def _pair(layout: Layout, fresh: Sequence[Entry], before: list[tuple[str, RowKey]]) -> list[tuple[str, RowKey]]:
    """Give the rows of a file the primary keys they had. Returns the rows that are left over.

    Those that are known by their keys are left to ``claim_rows``.
    """
    if layout.is_keyed:
        for entry in fresh:
            entry.pk = None if layout.key_references else entry.said_pk
        return before
    if layout.source.is_single and fresh and before:
        _settle(fresh[0], before[0][1])
        return before[1:]
    by_key = {given.key: (path, given) for path, given in before}
    for entry in fresh:
        found = by_key.pop(entry.key, None)
        if found is not None:
            _settle(entry, found[1])
    return list(by_key.values())


def _settle(entry: Entry, given: RowKey) -> None:
    entry.pk, entry.earlier = given.pk, given.key


def claim_rows(entries: Iterable[Entry], leavers: Sequence[Leaver]) -> list[Leaver]:
    """Let rows be those that have their primary keys, whatever file gave them before. Returns those that really leave.

    Args:
        entries: Rows of which the files say the primary key.
        leavers: The rows that may leave.
    """
    by_pk = {(leaver.model, leaver.given.pk): leaver for leaver in leavers}
    claimed: set[int] = set()
    for entry in entries:
        leaver = by_pk.pop((entry.layout.model, entry.pk), None) if entry.earlier is None else None
        if leaver is not None:
            entry.earlier = leaver.given.key
            claimed.add(id(leaver))
    return [leaver for leaver in leavers if id(leaver) not in claimed]


def adopt_rows(
    entries: Iterable[Entry], leavers: Sequence[Leaver], digest_of: Callable[[Entry], str | None]
) -> list[Leaver]:
    """Let new rows be rows that left another file. Returns those that really leave.

    Args:
        entries: The files' rows.
        leavers: The rows that their own files do not give any more.
        digest_of: Gives the digest of a Markdown file's content; None of other files.
    """
    if not leavers:
        return []
    by_key = {(leaver.model, leaver.given.key): leaver for leaver in leavers}
    by_digest = {(leaver.model, leaver.digest): leaver for leaver in leavers}
    adopted: set[int] = set()
    new = [entry for entry in entries if entry.pk is None and not entry.layout.is_keyed]
    ways: tuple[tuple[dict[Any, Leaver], Callable[[Entry], Any]], ...] = (
        (by_key, lambda entry: entry.key),
        (by_digest, digest_of),
    )
    for known, name in ways:
        for entry in new:
            leaver = known.get((entry.layout.model, name(entry))) if entry.pk is None else None
            if leaver is not None and id(leaver) not in adopted:
                adopted.add(id(leaver))
                _settle(entry, leaver.given)
    return [leaver for leaver in leavers if id(leaver) not in adopted]
