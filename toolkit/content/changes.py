"""What is to be done: which files changed, what they say now, and which rows that makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from toolkit.content.creating import Creator
from toolkit.content.files import Listing
from toolkit.content.held import note_before
from toolkit.content.keys import key_reader, key_text
from toolkit.content.layout import Layout
from toolkit.content.matching import Entry, Leaver, adopt_rows, claim_rows, match_rows
from toolkit.content.parsing import Group, Parsed, group_files, parse_groups, plain_base
from toolkit.content.records import Record, RowKey, read_keys
from toolkit.content.spool import Spool
from toolkit.errors import ContentError
from toolkit.stamps import Stamp, is_settled


class TooLittle(Exception):
    """What is told of the files is not enough: all of them have to be gone through."""


class Changes:
    """The difference between the files and what was loaded from them.

    Args:
        folder: The site's folder.
        layouts: Of all sources.
        listings: Their files, in the same order.
        records: What was loaded, by path.
        unknown: Files that may have changed, as far as their stamps tell.
        workers: See ``parse_groups``.
        told: There are more files and records, of which nothing changed.

    Attributes:
        parsed: The files that were read, by path of their group.
        entries: The rows in them; known after ``match``.
        leavers: The rows that no file has any more; known after ``match``.
        vanished: Files that are gone.
        creator: What was found out about rows that files only name; known after ``match``.
        spool: Has what the rows say, until it is closed.
        problems: Everything wrong that was found.
        faulty: (model, path) of files in which something is wrong, so that they may give fewer rows than they say.
    """

    def __init__(
        self,
        folder: Path,
        layouts: Sequence[Layout],
        listings: Sequence[Listing],
        records: Mapping[str, Record],
        unknown: Set[str],
        *,
        workers: int | None = None,
        told: bool = False,
    ) -> None:
        self.told = told
        self._folder, self._layouts, self._listings, self._records = folder, layouts, listings, records
        self._unknown, self._workers = unknown, workers
        self.problems: list[ContentError] = []
        self.parsed: dict[str, Parsed] = {}
        self.same: dict[str, Parsed] = {}
        self.entries: list[Entry] = []
        self.leavers: list[Leaver] = []
        self.owner: dict[str, int] = {}
        self.groups: list[Group] = []
        self.creator: Creator | None = None
        self.spool = Spool()
        self.faulty: list[tuple[Any, str]] = []
        self._renamed: set[Any] = set()
        self._find_groups()
        self.vanished = {path: None for path in records if path not in self.owner}

    def _find_groups(self) -> None:
        for number, (layout, listing) in enumerate(zip(self._layouts, self._listings, strict=True)):
            paths = []
            for path in listing.stamps:
                other = self.owner.setdefault(path, number)
                if other != number:
                    self.problems.append(_claimed_twice(path, layout, self._layouts[other]))
                elif layout.longest_path is not None and len(path) > layout.longest_path:
                    told = f"the path has {len(path)} characters; the database keeps {layout.longest_path}"
                    self.problems.append(ContentError(told, path=path, hint="Give its folders shorter names."))
                else:
                    paths.append(path)
            groups, problems = group_files(number, layout, paths)
            self.groups += groups
            self.problems += problems

    def stamp_of(self, path: str) -> Stamp:
        """The stamp of a file that is there."""
        return self._listings[self.owner[path]].stamps[path]

    def is_settled(self, path: str) -> bool:
        """Whether its stamp alone will prove it unchanged."""
        return is_settled(self.stamp_of(path), at_ns=self._listings[self.owner[path]].now)

    # reading

    def read(self) -> None:
        """Read the files that may have changed."""
        bereft = {plain_base(path) for path in self.vanished}
        doubtful = [group for group in self.groups if self._is_doubtful(group, bereft)]
        expected = {
            path: record.digest
            for path, record in self._recorded(doubtful)
            if path not in bereft and record.declared == self._layouts[self.owner[path]].declared
        }
        self._parse(doubtful, expected)

    def _is_doubtful(self, group: Group, bereft: set[str]) -> bool:
        """Whether any of a group's files may have changed, or one is gone."""
        if group.path in self._unknown or group.path in bereft:
            return True
        return any(path in self._unknown for path, _ in group.translations)

    def _recorded(self, groups: Iterable[Group]) -> Iterator[tuple[str, Record]]:
        """The files of some groups that were loaded before, with what was."""
        for path in (path for group in groups for path in group.paths):
            record = self._records.get(path)
            if record is not None:
                yield path, record

    def _parse(self, groups: Sequence[Group], expected: Mapping[str, str]) -> None:
        found = parse_groups(self._folder, self._layouts, groups, expected, workers=self._workers)
        for group, item in zip(groups, found, strict=True):
            self.problems += item.problems
            if item.problems:
                self.faulty.append((self._layouts[group.layout].model, group.path))
            if item.rows is None:
                self.same[group.path] = item
            else:
                rows = self.spool.add(item.rows, item.contents)
                self.parsed[group.path] = Parsed(group, item.digests, rows)

    # matching

    def match(self, database: Any) -> None:
        """Pair the rows with those in the database; read files again that name rows which are gone."""
        models = {model._meta.label: model for model in database.schema}
        creator = Creator(database, self._layouts, models, self.owner, self.spool)
        self.creator = creator if creator.is_needed else None
        while True:
            self._match(database, models)
            dependent = self._dependent()
            if not dependent:
                return
            self._parse(dependent, {})

    def _match(self, database: Any, models: Mapping[str, Any]) -> None:
        parsed = [self.parsed[path] for path in sorted(self.parsed)]
        asked = [*self.vanished, *(path for item in parsed for path in item.group.paths)]
        entries, leavers = match_rows(
            self._layouts,
            parsed,
            records=self._records,
            keys=self._given(database, models, asked) if self._records else {},
            vanished=self.vanished,
            models=models,
        )
        if self.creator is not None:
            made, left = self.creator.create(parsed, self.vanished, entries, leavers)
            entries, leavers = [*entries, *made], [*leavers, *left]
        leavers = claim_rows([entry for entry in entries if not entry.layout.key_references], leavers)
        self.entries, self.leavers = entries, adopt_rows(entries, leavers, self._digest_of)
        self._renamed = note_before(database, self.entries)

    def claim(self, database: Any) -> None:
        """Pair the rows whose primary keys hold references, when these are resolved."""
        late = [entry for entry in self.entries if entry.layout.key_references]
        for entry in late:
            entry.pk = entry.said_pk
        self.leavers = claim_rows(late, self.leavers)
        note_before(database, late)

    def _given(self, database: Any, models: Mapping[str, Any], paths: Sequence[str]) -> dict[str, list[RowKey]]:
        """The rows that files gave, with their primary keys as the driver has them."""
        readers = {name: key_reader(model, database.dialect) for name, model in models.items()}
        found = {}
        for path, rows in read_keys(database, paths).items():
            read = readers.get(self._records[path].model)
            known = [RowKey(key, read(pk)) for key, pk in rows] if read is not None else []
            found[path] = [row for row in known if row.pk is not None]
        return found

    def _digest_of(self, entry: Entry) -> str | None:
        """Of the content of a Markdown file."""
        is_file = entry.layout.source.is_single and entry.mention is None
        return self.parsed[entry.path].digests[0] if is_file else None

    def _gone_models(self) -> tuple[set[Any], set[Any]]:
        """Models of which a key is gone, and those of which a key names another row now."""
        gone = {(leaver.model, leaver.given.key) for leaver in self.leavers}
        gone |= {(e.layout.model, e.earlier) for e in self.entries if e.earlier not in (None, e.key)}
        present = {(entry.layout.model, entry.key) for entry in self.entries}
        missing = _levels_of({model for model, key in gone if (model, key) not in present})
        late = [layout for layout in self._layouts if layout.key_references]
        same = {layout.model for layout in late if layout.key_field.is_several}
        moved = _levels_of({model for model, key in gone if (model, key) in present} - same)
        moved |= self._renamed
        for _ in late:  # a key follows those that it refers to, and they may follow others
            moved |= {layout.model for layout in late if _key_targets(layout) & (moved | missing)}
        return missing, moved

    def _dependent(self) -> list[Group]:
        """Unread groups whose rows may name a row that is not there any more, or is another.

        A row that was made for those who name it is gone only when nobody does.
        """
        gone, moved = self._gone_models()
        numbers = {
            number
            for number, layout in enumerate(self._layouts)
            for name in layout.natural
            for target in layout.targets_of(name)
            if target in moved or (target in gone and name not in layout.source.create)
        }
        if numbers and self.told:
            raise TooLittle
        return [group for group in self.groups if group.layout in numbers and group.path not in self.parsed]


def _levels_of(models: Iterable[Any]) -> set[Any]:
    """Models, and those that they inherit a table from: whoever names a row there may mean one of theirs."""
    return {level for model in models for level in model._meta.levels}


def _key_targets(layout: Layout) -> set[Any]:
    """The models that the primary key refers to."""
    return {layout.model._meta.by_name[name].target for name in layout.key_references}


def is_known(record: Record | None, stamp: Stamp, declared: str) -> bool:
    """Whether a file needs no look: it was loaded, with this declaration, and its stamp proves it the same."""
    return record is not None and record[5:9] == stamp and record.settled == 1 and record.declared == declared


def _claimed_twice(path: str, layout: Layout, other: Layout) -> ContentError:
    one, two = other.source, layout.source
    told = f"two sources take this file: {one.pattern!r} ({one.declared_at}) and {two.pattern!r} ({two.declared_at})"
    return ContentError(told, path=path, hint="Make their patterns differ.")


def find_collisions(entries: Iterable[Entry]) -> list[ContentError]:
    """Rows of one model that have one key."""
    first: dict[tuple[Any, Any], Entry] = {}
    problems = []
    for entry in entries:
        other = first.setdefault((entry.layout.model, key_text(entry.row.key)), entry)
        if other is not entry:
            problems.append(collision(entry, other.path))
    return problems


def collision(entry: Entry, other: str) -> ContentError:
    """Two files, or a file and something else, want one key."""
    label, key = entry.layout.model._meta.object_name, entry.layout.source.key
    twice = "twice in this file" if other == entry.path else f"in {other} too"
    told = f"the {key} {entry.key!r} of this {label} is {twice}"
    return ContentError(told, path=entry.path, hint=f"Give one of them another {key}.")
