"""Loading content: the files of all sources become rows, all of them or none."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.ahead import Ahead
from toolkit.content import tables
from toolkit.content.changes import Changes, TooLittle, collision, find_collisions, is_known
from toolkit.content.creating import created_layouts
from toolkit.content.files import Listing, list_files, list_told
from toolkit.content.held import find_left_behind
from toolkit.content.keys import pk_text
from toolkit.content.layout import Layout, make_layouts
from toolkit.content.levels import root_key
from toolkit.content.matching import Entry, Leaver
from toolkit.content.parsing import PARALLEL_FILES, Parsed
from toolkit.content.records import (
    Record,
    RowKey,
    count_rows,
    data_version,
    ensure_table,
    find_giver,
    read_narrow,
    read_records,
    refresh_stamps,
    replace_records,
    sum_rows,
    summarize,
)
from toolkit.content.references import References, keys_by_table, locate
from toolkit.content.report import LoadReport, SourceReport
from toolkit.content.saving import Saver
from toolkit.content.source import Source
from toolkit.errors import ContentError, DatabaseError, Problems, ToolkitError
from toolkit.lazily import LazyModule
from toolkit.models import AutoField
from toolkit.trace import EDITOR, Scope, entered

if TYPE_CHECKING:
    from toolkit.content import mentions
else:
    mentions = LazyModule("toolkit.content.mentions")


TRIES = 3
"""How often a load begins that another process overtakes: a build beside a preview, for instance."""


def load_sources(
    scope: Scope,
    sources: Iterable[Source],
    folder: Path,
    *,
    locales: Sequence[str] | None = None,
    workers: int | None = None,
    ahead: Ahead | None = None,
) -> LoadReport:
    """Make the rows of the sources be what their files say.

    Only files that changed are read, and only what differs is written, in one transaction. A file's row keeps its
    primary key while it is edited, renamed or given another slug. Rows that no file gave are never touched.

    Args:
        scope: Gives the database and the default locale.
        sources: All sources of the site: rows of a source that is not among them are removed.
        folder: The site's folder.
        locales: The site's locales; by default those of its settings. If there are none, any locale will do.
        workers: Processes that read files; by default as many as are worth it.
        ahead: What was seen of the files since the command began.

    Raises:
        Problems: Everything that is wrong in the files; nothing was written.
    """
    declared = list(sources)
    problems: list[ToolkitError] = [problem for source in declared for problem in source.problems(declared)]
    if problems:
        raise Problems(problems)
    layouts = make_layouts(
        declared,
        dialect=scope.database.dialect,
        locales=locales_of(scope) if locales is None else locales,
        default_locale=scope.default_locale,
        timezone=timezone_of(scope),
    )
    loading = Loading(scope, layouts, Path(folder), workers=workers)
    with suppress(_Overtaken):
        return loading.run(ahead)
    for _ in range(TRIES - 2):
        with suppress(_Overtaken):
            return loading.run()
    return loading.run()


class _Overtaken(Problems):
    """Another process loaded content at the same time: what it left has to be looked at anew."""

    def __init__(self) -> None:
        hint = "Run it again when the other has ended."
        super().__init__([ContentError("another process loaded content at the same time", hint=hint)])


def locales_of(scope: Scope) -> tuple[str, ...]:
    """The locales in the site's settings; empty when there is no site."""
    return tuple(getattr(getattr(scope.site, "settings", None), "locales", ()))


def timezone_of(scope: Scope) -> str:
    """The time zone in the site's settings."""
    return str(getattr(getattr(scope.site, "settings", None), "timezone", "UTC"))


class Loading:
    """One load.

    Args:
        scope: Gives the database and the default locale.
        layouts: Of all sources.
        folder: The site's folder.
        workers: See ``parse_groups``.
    """

    def __init__(self, scope: Scope, layouts: Sequence[Layout], folder: Path, *, workers: int | None = None) -> None:
        local = scope.default_locale
        self._scope = Scope(scope.site, scope.database, EDITOR, local, local, scope.moment)
        self._database, self._layouts, self._folder = scope.database, layouts, folder
        self._workers = workers
        self._version: int | None = None

    def run(self, ahead: Ahead | None = None) -> LoadReport:
        """Load what changed."""
        if ahead is not None and self._database.dialect == "sqlite" and self._database.path:
            with suppress(TooLittle):
                return self._run_told(ahead)
        listings = [list_files(self._folder, layout.source.pattern, ahead) for layout in self._layouts]
        self._version = data_version(self._database)
        records = read_records(self._database)
        unknown = _unknown_files(self._layouts, listings, records)
        if not unknown and sum(len(listing.stamps) for listing in listings) == len(records):
            return self._report(listings, sum_rows(records.values()), [], [])
        many = sum(len(listing.stamps) for listing in listings) - len(records) > PARALLEL_FILES
        with _collector_resting() if many else nullcontext():
            return self._load(listings, records, unknown)

    def _run_told(self, ahead: Ahead) -> LoadReport:
        """Load what changed, where that is told of the files of large folders, so that neither all of them nor the
        records of all need be gone through.

        Raises:
            TooLittle: Nothing is told, or not all that must be known.
        """
        self._version = data_version(self._database)
        told = ahead.told(str(self._database.path), summarize(self._database))
        listings: list[Listing] = []
        folders: list[str] = []
        asked: list[str] = []
        for layout in self._layouts:
            known = list_told(self._folder, layout.source, layout.declared, ahead, told)
            if known is not None:
                folders.append(f"{layout.source.folder}/")
                asked += known.stamps
            listings.append(known or list_files(self._folder, layout.source.pattern, ahead))
        below = sum(path.startswith(tuple(folders)) for listing in listings for path in listing.stamps)
        if not folders or len(set(folders)) < len(folders) or below > len(asked):
            raise TooLittle  # nothing is told, or two sources may take one file
        records = read_narrow(self._database, folders, asked)
        unknown = _unknown_files(self._layouts, listings, records)
        if not unknown and sum(len(listing.stamps) for listing in listings) == len(records):
            return self._report(listings, count_rows(self._database), [], [])
        return self._load(listings, records, unknown, told=True)

    def _load(
        self, listings: Sequence[Listing], records: dict[str, Record], unknown: set[str], *, told: bool = False
    ) -> LoadReport:
        """Read and write what may have changed.

        Args:
            listings: The files.
            records: What was loaded from them.
            unknown: Those that may have changed.
            told: There are more files and records, of which nothing changed.
        """
        changes = Changes(self._folder, self._layouts, listings, records, unknown, workers=self._workers, told=told)
        with closing(changes.spool):
            return self._apply(changes, listings, records)

    def _apply(self, changes: Changes, listings: Sequence[Listing], records: dict[str, Record]) -> LoadReport:
        changes.problems += self._missing_files(listings)
        changes.read()
        if not changes.problems and not changes.parsed and not changes.vanished:
            self._refresh(changes)
            totals = count_rows(self._database) if changes.told else sum_rows(records.values())
            return self._report(listings, totals, [], [])
        ensure_table(self._database)
        if any(layout.source.create for layout in self._layouts):
            mentions.ensure_mention_tables(self._database)
        with entered(self._scope), self._database.atomic():
            if self._is_overtaken(records):
                raise TooLittle if changes.told else _Overtaken
            removed = self._save(changes)
            self._note(changes)
        return self._report(listings, count_rows(self._database), changes.entries, removed)

    def _is_overtaken(self, records: dict[str, Record]) -> bool:
        """Whether another process noted files meanwhile; in a transaction, so that none can now."""
        version = data_version(self._database)
        if version is not None and version == self._version:
            return False
        return read_records(self._database) != records

    def _missing_files(self, listings: Sequence[Listing]) -> list[ContentError]:
        """A pattern without ``*`` names a file that must be there."""
        return [
            ContentError(
                f"the file of the source for {layout.model._meta.object_name} is not there",
                path=layout.source.pattern,
                hint=f"Write it, or remove the source{_declared_at(layout.source)}.",
            )
            for layout, listing in zip(self._layouts, listings, strict=True)
            if layout.source.is_literal and not listing.stamps
        ]

    # writing

    def _save(self, changes: Changes) -> list[Leaver]:
        """Resolve everything, then write it. Raises all problems found until then."""
        changes.match(self._database)
        problems: list[ToolkitError] = [*changes.problems, *find_collisions(changes.entries)]
        self._reserve(changes.entries)
        references = References(self._database, changes.entries, changes.leavers, self._folder, faulty=changes.faulty)
        references.resolve()
        changes.claim(self._database)
        problems += self._taken_keys(changes)
        _raise([*problems, *references.problems])
        with self._database.references_held():
            saver = Saver(self._scope, self._folder, changes.spool)
            saver.save(changes.entries, changes.leavers)
            saver.problems += find_left_behind(self._database, changes.entries, self._folder)
            _raise(saver.problems)
        return saver.removed

    def _reserve(self, entries: Iterable[Entry]) -> None:
        """Give new rows their primary keys ahead, so that rows may refer to each other in any order."""
        new: dict[Any, list[Entry]] = {}
        for entry in entries:
            layout = entry.layout
            if entry.pk is None and not layout.key_references:
                new.setdefault(root_key(layout.model), []).append(entry)  # models may share a table at the root
            for key in layout.further:
                if key in layout.counted and key not in entry.before:
                    new.setdefault(key, []).append(entry)
        for key, group in new.items():
            if not isinstance(key, AutoField):  # made by its default, a UUID for example
                for entry in group:
                    entry.pk = entry.said_pk
                continue
            for entry, value in zip(group, tables.reserve_keys(self._database, key, len(group)), strict=True):
                if key is root_key(entry.layout.model):
                    entry.pk = value
                else:
                    entry.before[key] = value

    def _taken_keys(self, changes: Changes) -> list[ContentError]:
        """Rows whose key belongs to a row that is not being loaded."""
        there = (entry for entry in changes.entries if entry.earlier is not None)
        moving = keys_by_table(self._database, there, changes.leavers)
        by_field: dict[tuple[Any, Any], dict[Any, Entry]] = {}
        for entry in changes.entries:
            field = entry.layout.key_field
            value = entry.pk if field.is_several else entry.row.key
            by_field.setdefault((entry.layout.model, field), {})[value] = entry
        problems = []
        for (model, field), found in by_field.items():
            for key, pk in tables.fetch_keys(self._database, model, field, found):
                if pk not in moving.get(model, ()):
                    problems.append(self._taken(found[key], model, pk))
        return problems

    def _taken(self, entry: Entry, model: Any, pk: Any) -> ContentError:
        giver = find_giver(self._database, model._meta.label, pk_text(pk))
        other = giver or f"the database ({model._meta.object_name} {pk}, which came from no file)"
        problem = collision(entry, other)
        place = locate(self._folder, entry, entry.layout.source.key)
        problem.line, problem.column, problem.row = place.line, place.column, place.row
        return problem

    # records

    def _note(self, changes: Changes) -> None:
        """Record what was loaded."""
        given: dict[str, list[Entry]] = {}
        for entry in changes.entries:
            if entry.mention is None:
                given.setdefault(entry.path, []).append(entry)
        replace_records(self._database, changes.vanished, [])
        for items in tables.chunks_of(changes.parsed.values()):
            noted = [one for item in items for one in self._noted(changes, item, given)]
            replace_records(self._database, (), noted)
        if (creator := changes.creator) is not None:
            created = {named: pk_text(entry.pk) for named, entry in creator.created.items()}
            mentions.replace_created(self._database, creator.touched, created)

    def _noted(
        self, changes: Changes, item: Parsed, given: Mapping[str, Sequence[Entry]]
    ) -> Iterator[tuple[Record, list[RowKey]]]:
        """A record of each file of a group, and the rows that the file gave."""
        for path, digest in zip(item.group.paths, item.digests, strict=True):
            keys = [RowKey(entry.key, pk_text(entry.pk)) for entry in given.get(path, ())]
            yield self._record(changes, path, digest, len(keys)), keys

    def _record(self, changes: Changes, path: str, digest: str, rows: int) -> Record:
        layout = self._layouts[changes.owner[path]]
        stamp, settled = changes.stamp_of(path), int(changes.is_settled(path))
        label = layout.model._meta.label
        return Record(path, layout.source.pattern, label, layout.declared, digest, *stamp, settled, rows)

    def _refresh(self, changes: Changes) -> None:
        """Note new stamps of files whose content is the same, so that they are not read the next time."""
        fresh = [
            (*changes.stamp_of(path), int(changes.is_settled(path)), path)
            for item in changes.same.values()
            for path in item.group.paths
            if changes.is_settled(path)
        ]
        try:
            refresh_stamps(self._database, fresh)
        except DatabaseError as error:  # the stamps only spare work: a database that cannot be written does without
            if "readonly" not in str(error) and "read-only" not in str(error):
                raise

    # telling

    def _report(
        self,
        listings: Sequence[Listing],
        totals: Mapping[tuple[str, str], int],
        entries: Sequence[Entry],
        removed: Sequence[Leaver],
    ) -> LoadReport:
        gone: dict[tuple[str, str], int] = {}
        for leaver in removed:
            name = (leaver.pattern, leaver.model._meta.label)
            gone[name] = gone.get(name, 0) + 1
        reports, notes = [], []
        for layout, listing in zip(self._layouts, listings, strict=True):
            name = (layout.source.pattern, layout.model._meta.label)
            states = [entry.state for entry in entries if entry.layout is layout]
            added, changed = states.count("added"), states.count("changed")
            unchanged = totals.get(name, 0) - added - changed
            reports.append(SourceReport(*name, listing.count, added, changed, unchanged, gone.pop(name, 0)))
            if not listing.count:
                notes.append(f"{layout.source.pattern} matches no file{_declared_at(layout.source)}")
        reports += self._created_reports(entries, gone)
        reports += [SourceReport(*name, removed=number) for name, number in gone.items()]
        events = [(entry.state, entry.name) for entry in entries if entry.state != "unchanged"]
        events += [("removed", leaver.name) for leaver in removed]
        return LoadReport(tuple(reports), tuple(events), tuple(notes))

    def _created_reports(self, entries: Sequence[Entry], gone: dict[tuple[str, str], int]) -> list[SourceReport]:
        """What became of the rows that files only name."""
        targets = created_layouts(self._layouts)
        totals = mentions.count_created(self._database) if targets else {}
        reports = []
        for label, layout in targets.items():
            states = [e.state for e in entries if e.mention is not None and e.layout.model is layout.model]
            added, changed = states.count("added"), states.count("changed")
            name = (layout.source.pattern, label)
            unchanged = totals.get(label, 0) - added - changed
            reports.append(SourceReport(*name, 0, added, changed, unchanged, gone.pop(name, 0)))
        return reports


def _declared_at(source: Source) -> str:
    return f" declared at {source.declared_at}" if source.declared_at else ""


def _unknown_files(layouts: Sequence[Layout], listings: Sequence[Listing], records: Mapping[str, Record]) -> set[str]:
    """Files that are not as they were loaded, as far as stamps can prove it; and what must be there, and is not."""
    find, unknown = records.get, set()
    for layout, listing in zip(layouts, listings, strict=True):
        declared = layout.declared
        if layout.source.is_literal and not listing.stamps:
            unknown.add(layout.source.pattern)
        for path, stamp in listing.stamps.items():
            if not is_known(find(path), stamp, declared):
                unknown.add(path)
    return unknown


@contextmanager
def _collector_resting() -> Iterator[None]:
    """Keep Python from walking a hundred thousand new rows again and again: a tenth of a first load's time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _raise(problems: Sequence[ToolkitError]) -> None:
    if problems:
        raise Problems(problems)
