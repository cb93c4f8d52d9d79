"""Records into rows: all of them, or none, and every problem told with its place."""

from __future__ import annotations

import lzma
import zlib
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from toolkit.errors import ContentError, Problems, ToolkitError, ValidationError, did_you_mean, near_names
from toolkit.models import ModelNameField
from toolkit.models.circles import referred_first
from toolkit.models.fields.several import parts_of
from toolkit.serialization.connecting import Connector
from toolkit.serialization.formats import Format
from toolkit.serialization.keys import NaturalKeys
from toolkit.serialization.records import KEEP_ONE, Place, Record, contradiction, from_plain
from toolkit.serialization.settling import Settler
from toolkit.serialization.spool import REFUSED, Row, Spool
from toolkit.serialization.writing import TableWriter
from toolkit.trace import EDITOR, Scope, entered

MOST_PROBLEMS = 100
"""Problems that are told; by then it is clear that the file is not what it should be."""


@dataclass
class Loaded:
    """What a load did.

    Attributes:
        added: New rows.
        changed: Rows that had other values, partners or translations.
        unchanged: Rows that were so already.
        skipped: Rows that were there, with ``only_new``.
        notes: What was loaded all the same, but somebody should know: generic references to rows that are not there.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0
    notes: tuple[str, ...] = ()

    def __add__(self, other: Loaded) -> Loaded:
        """What two loads did."""
        return Loaded(
            self.added + other.added,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.skipped + other.skipped,
            (*self.notes, *other.notes)[:MOST_PROBLEMS],
        )


def load(
    scope: Scope,
    kind: Format,
    source: IO[bytes],
    *,
    path: Path | str = "",
    ignore_unknown: bool = False,
    only_new: bool = False,
    unsure: set[Any] | None = None,
) -> Loaded:
    """Make the rows of a dump be in the database. Loading it again changes nothing.

    The file is read record by record, and its rows wait on disk: a load of any size takes the same memory.

    Args:
        scope: Gives the database.
        kind: The format.
        source: The file.
        path: Its name, for messages.
        ignore_unknown: Pass over models and fields that are not known; generic references may name such models.
        only_new: Leave rows alone that are there.
        unsure: Models of which another file had rows that could not be loaded: what refers to those is not told of.
            Those of this file are added, if it cannot be loaded.

    Raises:
        Problems: All that is wrong, each with file, line, record and field. Nothing was loaded.
    """
    unsure = set() if unsure is None else unsure
    editor = Scope(scope.site, scope.database, EDITOR, scope.default_locale, scope.default_locale, scope.moment)
    with (
        entered(editor),
        closing(Spool(list(scope.database.schema.by_label.values()))) as spool,
        scope.database.atomic(),
    ):
        loading = Loading(
            editor, spool, textual=kind.textual, path=str(path), ignore_unknown=ignore_unknown, only_new=only_new
        )
        loading.unsure |= unsure
        try:
            for record in kind.read(source):
                loading.take(record)
        except ContentError as error:
            loading.fail(error)
        except (EOFError, OSError, lzma.LZMAError, zlib.error) as error:
            broken = ContentError(f"the file cannot be read to its end: {error}", path=str(path) or None)
            loading.problems.insert(0, broken)  # for it may be the cause of others
            loading.is_readable = False
        try:
            loading.write()
        except Problems:
            unsure |= loading.lacking
            raise
        return loading.done


def _unknown(meta: Any, name: str, known: Sequence[str]) -> tuple[str, str | None]:
    """What to tell of a name that a record of a model cannot have: the problem, and what to do."""
    found = meta.by_name.get(name) or meta.virtual.get(name)
    if found is None:
        return f"{meta.label} has no field {name!r}", did_you_mean(name, known)
    if found.is_several:
        return f"{meta.label}.{name} is of several fields", f"Name these: {', '.join(p.name for p in parts_of(found))}."
    owner = found.through if found in meta.local_many_to_many else found.model  # of a parent, or of a table of its own
    return f"{meta.label}.{name} stands in the records of {owner._meta.label}", "Write it there."


def _not_there(target: Any, given: Any, name: str) -> str:
    return f"{target._meta.label} {given!r:.80} is not there, and {name!r} refers to it"


def _names_of_key(model: Any) -> set[str]:
    return {"pk", *(name for part in model._meta.key for name in (part.name, part.attname))}


class Loading:
    """One load: takes records, then writes them table by table.

    Args:
        scope: Gives the database, in a transaction.
        spool: Where rows wait.
        textual: The format has only text.
        path: The file's name.
        ignore_unknown: Pass over models and fields that are not known.
        only_new: Leave rows alone that are there.
    """

    def __init__(
        self, scope: Scope, spool: Spool, *, textual: bool, path: str, ignore_unknown: bool, only_new: bool
    ) -> None:
        self.scope, self.spool, self.textual, self.path = scope, spool, textual, path
        self.ignore_unknown, self.only_new = ignore_unknown, only_new
        self.schema = scope.database.schema
        self.by_label = {model._meta.label: model for model in self.schema if not model._meta.hidden}
        self._by_lower = {label.lower(): model for label, model in self.by_label.items()}
        self.problems: list[ToolkitError] = []
        self.notes: list[str] = []
        self.is_readable = True
        self._failures = 0
        self.unsure: set[Any] = set()
        """Models with records whose key is not known: what refers to one of those is not told of."""
        self.naturals = NaturalKeys(spool, dialect=scope.database.dialect, textual=textual)
        self._settler = Settler(scope.database, spool, self.naturals, self.problem, self.not_there)
        self._states: Counter[str] = Counter()
        self._writers: dict[Any, TableWriter] = {}

    @property
    def lacking(self) -> set[Any]:
        """The models whose rows are not there where this load fails: any, if it is not known what the file has."""
        models = self.spool.models if self.is_readable else self.by_label.values()
        levels = (level for model in models for level in model._meta.levels)
        return self.unsure | {level._meta.concrete_model for level in levels}

    @property
    def done(self) -> Loaded:
        """What became of the rows."""
        added, changed, unchanged, skipped = (
            self._states[name] for name in ("added", "changed", "unchanged", "skipped")
        )
        return Loaded(added, changed, unchanged, skipped, tuple(self.notes))

    # problems

    def fail(self, error: ContentError) -> None:
        """Note a problem with the file."""
        error.path = error.path or self.path or None
        self._failures += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(error)

    def problem(self, place: Place, told: str, *, column: str | None = None, hint: str | None = None) -> None:
        """Note a problem with a record."""
        self.fail(self._error(place, told, column=column, hint=hint))

    def _error(self, place: Place, told: str, *, column: str | None, hint: str | None = None) -> ContentError:
        row = place.number if place.line is None else None
        return ContentError(
            place.said(told), path=self.path or None, line=place.line, row=row, column=column, hint=hint
        )

    def not_there(self, place: Place, name: str, target: Any, given: Any) -> None:
        """Note that a record refers to a row that is not there."""
        if target._meta.concrete_model in self.unsure:
            return
        self.problem(place, _not_there(target, given, name), column=name)

    def note_not_there(self, place: Place, name: str, target: Any, given: Any) -> None:
        """Note that a record refers to a row that is not there, by a reference that no database keeps.

        It is no problem: rows are deleted, and a dump of what is left has to come back.
        """
        if len(self.notes) < MOST_PROBLEMS:
            self.notes.append(str(self._error(place, _not_there(target, given, name), column=name)))

    def is_in_file(self, target: Any, fields: Sequence[Any], value: Any) -> bool:
        """Whether a record has the row that another refers to, and could not be written, for which it is told of."""
        if not self._failures:
            return False
        model = target._meta.concrete_model
        if tuple(fields) == tuple(model._meta.key):
            return self._settler.has(model, value)
        return model in self.spool.models

    def refuse_if_wrong(self) -> None:
        """Raise what was found, if anything was."""
        if self.problems:
            raise Problems(self.problems)

    # taking records

    def take(self, record: Record | ContentError) -> None:
        """Read a record's values by its model's fields."""
        if isinstance(record, ContentError):
            self.fail(record)
            self.is_readable = False
            return
        model = self.by_label.get(record.model) or self._by_lower.get(record.model.lower())
        if model is None:
            if not self.ignore_unknown:
                self._refuse_model(record)
            return
        row, before = Row(record.place, frozenset(record.fields), {}), self._failures
        wrong = self._take_fields(model, row, record)
        if self._failures > before:
            row.state = REFUSED
        if wrong & {*model._meta.natural_key, *_names_of_key(model)}:
            self.unsure.add(model)
        if wrong & _names_of_key(model):
            return
        self._settler.note(model, row)
        try:
            self.spool.add(model, row)
        except RecursionError:  # of pickle, which goes less deep than the reader of JSON
            self.problem(row.place, "a value is nested too deeply")

    def _take_fields(self, model: Any, row: Row, record: Record) -> set[str]:
        """Take all that the record says. The names of what is wrong are given."""
        wrong = set()
        for name, value in record.fields.items():
            before = self._failures
            self._take_field(model, row, name, value)
            wrong |= {name} if self._failures > before else set()
        self._take_translations(model, row, record.translations)
        before = self._failures
        self._take_key(model, row, record.pk)
        return wrong | ({"pk"} if self._failures > before else set())

    def _refuse_model(self, record: Record) -> None:
        """Note that the database has no such rows."""
        other = self.schema.by_label.get(record.model)
        if other is not None and not other._meta.hidden:
            hint = f"{record.model} is in another one: --database {other._meta.database}."
            self.problem(record.place, f"{record.model!r} is no model of this database", hint=hint)
            return
        hint = did_you_mean(record.model, self.by_label)
        self.unsure.update(self.by_label[near] for near in near_names(record.model, list(self.by_label)))
        self.problem(record.place, f"{record.model!r} is no model of this site", hint=hint)

    def _refuse_named(self, place: Place, label: str, name: str) -> None:
        """Note that a generic reference is to a model that is none."""
        if not self.ignore_unknown:
            known = [known for known, model in self.schema.by_label.items() if not model._meta.hidden]
            hint = did_you_mean(label, known) or "Load it as it is with --ignore-unknown."
            self.problem(place, f"{label!r} is no model of this site", column=name, hint=hint)

    def _take_field(self, model: Any, row: Row, name: str, value: Any) -> None:
        meta = model._meta
        every = (*meta.local_fields, *meta.local_many_to_many)
        found = next((f for f in every if name in (f.name, f.attname)), None)
        if found is None or (found in meta.local_many_to_many and not found.through._meta.hidden):
            if not self.ignore_unknown:
                told, hint = _unknown(meta, name, [f.name for f in every])
                self.problem(row.place, told, column=name, hint=hint)
        elif found.is_generated:
            self.problem(row.place, f"{meta.label}.{name} is computed by the database", column=name)
        elif found in meta.local_many_to_many:
            if value is not None and (not isinstance(value, list) or None in value):
                self.problem(row.place, f"{value!r:.60} is no list of keys", column=name)
            else:
                row.many[found.name] = value
        elif found.is_relation and isinstance(value, list):
            row.waiting[found.name] = value
        elif value is None and not found.null and found not in meta.key:
            self.problem(row.place, f"{meta.label}.{found.name} cannot be NULL", column=name)
        else:
            read = self.value(row.place, found, value, name)
            if isinstance(found, ModelNameField) and read is not None and read not in self.schema.by_label:
                self._refuse_named(row.place, read, name)
            self._hold(row, found, read, name)

    def _take_translations(self, model: Any, row: Row, given: dict[str, dict[str, Any]]) -> None:
        meta = model._meta
        if meta.translation is None:
            if given and not self.ignore_unknown:
                self.problem(row.place, f"{meta.label} has no translated field", column="translations")
            return
        own = meta.translation._meta.by_name
        known = {each.name: own[each.name] for each in meta.translated}
        for locale, values in given.items():
            if self.value(row.place, own["locale"], locale, "translations") == "":
                self.problem(row.place, f"{locale!r:.60} is no locale", column="translations")
            told = row.translations[locale] = {}
            for name, value in values.items():
                if name in known:
                    read = self.value(row.place, known[name], value, f"{name} ({locale})")
                    told[known[name].attname] = read
                elif not self.ignore_unknown:
                    self.problem(row.place, f"{meta.label}.{name} is not translated", column=name)

    def _hold(self, row: Row, found: Any, value: Any, name: str) -> None:
        """Take a value, if the record does not say another one in another place: as ``pk``, or by the column's name."""
        known = row.values.get(found.attname)
        if None not in (known, value) and known != value:
            self.problem(row.place, contradiction(found, known, value), column=name, hint=KEEP_ONE)
        if value is not None or known is None:
            row.values[found.attname] = value

    def _take_key(self, model: Any, row: Row, given: Any) -> None:
        """The key, as the record has it or among its fields; without one it has the default's, if there is one."""
        key = model._meta.key
        if given is not None:
            parts = given if len(key) > 1 else [given]
            if not isinstance(parts, list) or len(parts) != len(key):
                self.problem(row.place, f"{given!r:.60} is no key of {model._meta.label}", column="pk")
                return
            read = [self.value(row.place, part, value, "pk") for part, value in zip(key, parts, strict=True)]
            for part, value in zip(key, read, strict=True):
                self._hold(row, part, value, "pk")
        found = [row.values.get(part.attname) for part in key]
        if None not in found:
            row.pk = found[0] if len(key) == 1 else tuple(found)

    def value(self, place: Place, found: Any, value: Any, name: str) -> Any:
        """The Python value, if the field can hold it; None and a problem if not."""
        try:
            read = from_plain(found, value, textual=self.textual)
            if read is not None:
                found.db_value_of(self.scope.database.dialect)(read)
        except ValidationError as error:
            self.problem(place, error.message, column=name, hint=error.hint)
        except (TypeError, ValueError, ArithmeticError, RecursionError) as error:
            self.problem(place, f"{value!r:.60} cannot be read: {error}", column=name)
        else:
            return read
        return None

    # writing

    def write(self) -> None:
        """Write all rows, those that others refer to first, and then what connects them.

        Rows are written, and forgotten with the transaction, if others cannot be: what the database refuses, and what
        refers to nothing, is told together with the rest.

        Raises:
            Problems: Anything is wrong.
        """
        if not self.is_readable or len(self.problems) >= MOST_PROBLEMS:
            self.refuse_if_wrong()  # who knows what the rest of the file is
        order = referred_first(self.spool.models)
        connector = Connector(self)
        with self.scope.database.references_held():
            self._settler.settle(order)
            for model in order:
                for rows in self.spool.chunks(model):
                    self._write(model, rows, connector)
            for model in order:
                for rows in self.spool.chunks(model):
                    connector.link(model, rows)
                    self._states.update(row.state for row in rows)
            for model in order:
                connector.check_references(model)
                connector.check_generic(model)
            self.refuse_if_wrong()
        for model in order:
            self.writer(model).keys_were_given()

    def _write(self, model: Any, rows: list[Row], connector: Connector) -> None:
        """Write some rows; those that have links to come are kept."""
        self.writer(model).write(
            [row for row in rows if row.state != REFUSED],
            only_new=self.only_new,
            refuse=lambda row, error: self._refused(model, row, error),
        )
        kept = [row for row in rows if row.state != "skipped" and row.pk not in (None, ())]
        connector.translate(model, kept)
        connector.note_references(model, kept)
        linked = [row for row in kept if row.many and (row.state != "added" or any(row.many.values()))]
        later = set(linked)
        done = [row for row in rows if row not in later]
        self._states.update(row.state for row in done)
        self.spool.drop(done)
        self.spool.keep(linked)

    def writer(self, model: Any) -> TableWriter:
        """Who writes to the table of a model."""
        if model not in self._writers:
            self._writers[model] = TableWriter(self.scope, model)
        return self._writers[model]

    def _refused(self, model: Any, row: Row, error: ToolkitError) -> None:
        fields = getattr(error, "fields", ())
        told = f"{model._meta.label}: {error.message}"
        self.problem(row.place, told, column=fields[0] if fields else None, hint=error.hint)
