"""Which pages are stale, and why: the trace of the last build, asked again in bulk.

The cost follows the change. Tables whose token stands are not looked at. On another table the rows are compared by
digest, and of its queries only those are asked again whose rows are chosen or ordered by a column that changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec

from toolkit.builder.kept import KeptPages
from toolkit.builder.manifest import Manifest
from toolkit.builder.naming import names_of
from toolkit.builder.partial import Left, Outside, leave
from toolkit.builder.reasons import describe
from toolkit.builder.records import DamagedManifest, Identity, Key, PageRecord, UnitRecord, unit_topic
from toolkit.builder.selections import Segment, Shard
from toolkit.errors import Problems, ToolkitError
from toolkit.lazily import LazyModule
from toolkit.models.options import located
from toolkit.models.states import TableState, capture, crossed
from toolkit.pages.plan import Plan, Unit
from toolkit.pages.routes import Page, Route
from toolkit.site.verifying import DATABASE_KINDS, PLAN_KINDS, SUBJECT_KIND, Verifier
from toolkit.trace import READER, Scope, Trace

if TYPE_CHECKING:
    from toolkit.pages import collisions
else:
    collisions = LazyModule("toolkit.pages.collisions")


class Decision(msgspec.Struct):
    """What a build has to do.

    Attributes:
        plan: The plan, every unit known.
        tables: Today's state of the tables.
        tables_before: Their state then.
        broken: The numbers of inputs that would be read differently: no kept page has one.
        stale: Pages to render, with the reason.
        before: Of those, how they were last built.
        kept: Pages whose trace verifies.
        gone: Records of pages that are no more.
        replanned: Units that were made anew.
        touched: Whether any table changed.
        left: What is left as it is, by a build of a segment.
        is_empty: Whether what was asked for has no page.
        is_planned_same: Whether all pages of the last build, and no others, are to be had again, at the same URLs.
    """

    plan: Plan
    tables: dict[str, TableState]
    tables_before: Mapping[str, TableState] = msgspec.field(default_factory=dict)
    broken: Collection[int] = ()
    stale: list[tuple[Page, str]] = msgspec.field(default_factory=list)
    before: dict[Identity, PageRecord] = msgspec.field(default_factory=dict)
    kept: list[PageRecord] | KeptPages = msgspec.field(default_factory=list)
    gone: list[PageRecord] = msgspec.field(default_factory=list)
    replanned: list[Unit] = msgspec.field(default_factory=list)
    touched: bool = False
    left: Left = msgspec.field(default_factory=Left)
    is_empty: bool = False
    is_planned_same: bool = False


class Decider:
    """Compares the last build with today.

    Args:
        site: A prepared site, its database in a snapshot.
        manifest: The last build.
        moment: The moment of this build.
        suspect: Paths of files that are missing, changed or pending: their pages are stale whatever they read.
        part: Decide for a part of the site only.
    """

    def __init__(
        self, site: Any, manifest: Manifest, moment: datetime, suspect: set[str], part: Shard | Segment | None = None
    ) -> None:
        self.site = site
        self.manifest = manifest
        self.moment = moment
        self.suspect = suspect
        self.part = part
        self.before = manifest.tables()
        self.shapes = manifest.shapes()
        self.plan = Plan(site, viewer=READER, moment=moment)
        self.verifier = Verifier(self.plan, self.shapes)
        self.names = names_of(site)
        self._inputs: dict[int, tuple[str, Key, bytes]] = {}
        self._broken: dict[int, str] = {}
        self._broken_urls: dict[int, Identity] = {}
        self._marks: set[int] | None = None

    def decide(self) -> Decision:
        """Verify everything that was read, plan anew where needed, and name the stale pages."""
        names = [
            located(table, database.place)
            for database in self.site.databases.homes
            for table in database.schema.table_names
        ]
        tables = capture(self._scope(), names, self.before)
        decision = Decision(self.plan, tables, self.before)
        if (self.manifest.page_count() or self.manifest.units()) and not self._code_changed():
            self._verify_world()
            decision.touched = self._verify_database(tables)
        self._plan(decision)
        self._sort(decision)
        decision.broken = self._broken.keys()
        self.manifest.forget_inputs()
        return decision

    def _scope(self) -> Scope:
        scope: Scope = self.site.scope(viewer=READER, moment=self.moment)
        return scope

    # verifying

    def _code_changed(self) -> bool:
        """Whether other code would make the pages: then all are stale, and what the old code asked says nothing."""
        self._verify(self.manifest.inputs(kinds={"code"}))
        return bool(self._broken)

    def _verify_world(self) -> None:
        """Templates, messages, assets, files, settings, clock."""
        kinds = self.manifest.kinds()
        if unknown := kinds - self.verifier.kinds:
            raise DamagedManifest(ValueError(f"there is no input of the kind {min(map(repr, unknown))}"))
        kinds -= DATABASE_KINDS | PLAN_KINDS | {SUBJECT_KIND, "code"}
        self._verify(self.manifest.inputs(kinds=kinds))

    def _verify(self, inputs: Mapping[int, tuple[str, Key, bytes]]) -> None:
        """Ask these inputs, and remember the broken ones."""
        broken = self.verifier.broken(inputs.values())
        for number, (kind, key, _) in inputs.items():
            if (kind, key) in broken:
                self._broken[number] = describe(self.names, self.shapes, kind, key)
                if kind == "url":
                    self._broken_urls[number] = key

    def _verify_database(self, tables: Mapping[str, TableState]) -> bool:
        """Rows and queries; whether any table changed."""
        changed = {
            (name, column) for name, state in tables.items() for column in state.changed_since(self.before.get(name))
        }
        gone = {(name, column) for name in self.before.keys() - tables.keys() for column in self.before[name].columns}
        changed |= gone
        inputs = self.manifest.inputs_about("query", self._affected_shapes(changed))
        parts = _ChangedParts(changed)
        for name in sorted(parts.tables):
            buckets = tables[name].buckets_since(self.before.get(name)) if name in tables else None
            rows = self.manifest.inputs_about("row", [name], buckets)
            inputs |= {number: item for number, item in rows.items() if parts.touch(name, item[1][1])}
        self._verify(inputs)
        return bool(changed)

    def _affected_shapes(self, changed: set[tuple[str, str]]) -> set[str]:
        """Shapes whose answer may be another: a column they depend on changed, or an instant was passed."""
        affected = set()
        passed: dict[tuple[str, str, int], bool] = {}
        since = self.manifest.moment
        for name, record in self.shapes.items():
            # what a statement by hand depends on is not known: it is asked again
            if record.get("opaque") or any((table, column) in changed for table, column in record["footprint"]):
                affected.add(name)
                continue
            for table, column, later in record["clock"]:
                if (table, column, later) not in passed:
                    passed[(table, column, later)] = crossed(self._scope(), table, column, since, later)
                if passed[(table, column, later)]:
                    affected.add(name)
        return affected

    # planning

    def _plan(self, decision: Decision) -> None:
        """Units of the plan: those whose trace verifies as they were, the others anew."""
        records = self.manifest.units()
        kept: dict[tuple[str, str], UnitRecord] = {}
        stale: list[tuple[Route, str, UnitRecord | None]] = []
        for route, locale in self.plan.routes():
            record = records.pop((route.id, locale), None)
            if record is not None and self._broken.keys().isdisjoint(record.inputs):
                self.plan.adopt(Unit(route, locale, record.planned, Trace()))
                kept[(route.id, locale)] = record
            else:
                stale.append((route, locale, record))
        changed = self._replan(decision, stale) | records.keys()
        self._check_collisions(bool(changed))
        while changed and self.manifest.page_count():
            self._verify_urls(changed)
            changed = self._replan(decision, self._now_stale(kept))
            self._check_collisions(bool(changed))

    def _now_stale(self, kept: dict[tuple[str, str], UnitRecord]) -> list[tuple[Route, str, UnitRecord | None]]:
        """Kept units that read a URL which is another now."""
        found: list[tuple[Route, str, UnitRecord | None]] = []
        for key, record in list(kept.items()):
            if not self._broken.keys().isdisjoint(record.inputs):
                route, locale = self.site.routes_by_id[key[0]], key[1]
                self.plan.drop(route, locale)
                found.append((route, locale, kept.pop(key)))
        return found

    def _replan(
        self, decision: Decision, stale: Iterable[tuple[Route, str, UnitRecord | None]]
    ) -> set[tuple[str, str]]:
        """Make units anew; those whose pages are others now.

        Raises:
            Problems: Everything that is wrong in all of them.
        """
        changed = set()
        problems: list[ToolkitError] = []
        for route, locale, record in stale:
            try:
                unit = self.plan.unit(route, locale)
            except Problems as error:
                problems += error.problems
                continue
            except ToolkitError as error:
                problems.append(error)
                continue
            decision.replanned.append(unit)
            if route.is_given:  # where what its function read is as it was, so are the subjects
                self._verify(self.manifest.inputs_about(SUBJECT_KIND, [unit_topic(route.id, locale)]))
            if record is None or record.digest != unit.digest:
                changed.add((route.id, locale))
        if problems:
            raise Problems(problems, summary="the pages of the site could not be planned; nothing was published")
        return changed

    def _verify_urls(self, units: set[tuple[str, str]]) -> None:
        """URLs and lists of pages, where the plan changed."""
        topics = [unit_topic(*unit) for unit in sorted(units)]
        for kind in sorted(PLAN_KINDS):
            self._verify(self.manifest.inputs_about(kind, topics))

    def _check_collisions(self, changed: bool) -> None:
        if changed:
            collisions.check_collisions(self._pages(), self.site.routes_by_id)

    def _pages(self) -> Iterable[Page]:
        for route, locale in self.plan.routes():
            yield from self.plan.unit(route, locale).pages()

    # sorting

    def _sort(self, decision: Decision) -> None:
        """Pages into stale, kept and gone."""
        same = (self.manifest.meta("part") or "") == (str(self.part) if isinstance(self.part, Shard) else "")
        whole = same and not isinstance(self.part, Segment)
        if whole and not decision.replanned and not self.suspect:
            self._sort_same(decision)
            return
        records = self.manifest.pages()
        has = self.part.bind(self.plan) if self.part is not None else None
        decision.is_empty = True
        kept = decision.kept = []
        outside: list[Outside] = []
        moved: set[Identity] = set()
        for page in self._pages():
            record = records.pop(page.identity, None)
            reason = self._reason(page, record)
            inside = has is None or has(page)
            decision.is_empty &= not inside
            if record is not None and not reason:
                kept.append(record)
            elif not inside:
                outside.append(Outside(page, record, reason))
            else:
                decision.stale.append((page, reason))
                if record is not None:
                    decision.before[page.identity] = record
                if record is None or record.url != page.url:
                    moved.add(page.identity)
        decision.gone = list(records.values())
        if isinstance(self.part, Segment) and has is not None:
            self.part.check_paths(
                chain((page.url for page in self._pages()), (record.url for record in records.values())), self.site
            )
            decision.left = leave(outside, decision.stale, decision.gone, moved, has, self._broken_links)

    def _sort_same(self, decision: Decision) -> None:
        """Where the plan is as it was, only the pages are read that are stale."""
        decision.is_planned_same = True
        decision.before = {record.identity: record for record in self.manifest.pages_reading(self._broken)}
        decision.kept = KeptPages(self.manifest, decision.before)
        units = {(route, locale) for route, _, locale, _ in decision.before}
        for route, locale in self.plan.routes():
            if (route.id, locale) in units:
                wanted = {key for name, key, one, _ in decision.before if (name, one) == (route.id, locale)}
                for page in self.plan.unit(route, locale).pages(wanted):
                    record = decision.before.get(page.identity)
                    if record is not None:
                        decision.stale.append((page, self._reason(page, record)))
        if len(decision.stale) != len(decision.before):
            raise DamagedManifest(ValueError("it has pages that are not in its plan"))

    def _broken_links(self, record: PageRecord) -> set[Identity]:
        """The pages whose URL a page read, and which may have another now.

        Of a page that an earlier build left stale all may: what it read has been written over by those that were made.
        """
        if self._marks is None:
            self._marks = set(self.manifest.inputs(kinds={"part"}))
        if self._marks.isdisjoint(record.inputs):
            return {self._broken_urls[number] for number in record.inputs if number in self._broken_urls}
        urls = self.manifest.inputs(kinds={"url"})
        return {urls[number][1] for number in record.inputs if number in urls}

    def _reason(self, page: Page, record: PageRecord | None) -> str:
        """Why a page must be rendered; empty if it need not."""
        if record is None:
            return "new"
        if record.url != page.url:
            return f"its URL was {record.url}"
        if record.path in self.suspect or not self.suspect.isdisjoint(record.attachments):
            return "its file was changed or removed"
        if self._broken.keys().isdisjoint(record.inputs):
            return ""
        broken = [self._broken[number] for number in record.inputs if number in self._broken]
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        return f"{broken[0]} changed{more}"


def unit_record(unit: Unit, inputs: Any) -> UnitRecord:
    """What the manifest keeps of a unit."""
    return UnitRecord(unit.route.id, unit.locale, unit.planned, unit.digest, inputs)


class _ChangedParts:
    """Which parts of rows may be another: those with a column in which any row changed.

    Args:
        changed: (table, column) pairs.
    """

    def __init__(self, changed: set[tuple[str, str]]) -> None:
        self._changed = changed
        self.tables = {table for table, _ in changed}
        self._known: dict[tuple[str, Any], bool] = {}

    def touch(self, table: str, columns: Sequence[str] | None) -> bool:
        """Whether rows of a table, in these columns (None for all), must be asked again."""
        key = (table, columns)
        found = self._known.get(key)
        if found is None:
            parts = ((table, column) in self._changed for column in columns or ())
            found = self._known[key] = table in self.tables if columns is None else any(parts)
        return found
