"""Records into rows: all of them, or none, and every problem told with its place."""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from toolkit.errors import ContentError, DatabaseError, Problems, ToolkitError, ValidationError, did_you_mean
from toolkit.models import QuerySet
from toolkit.models.fields import DATABASE_DEFAULT
from toolkit.models.sqltext import CHUNK_KEYS
from toolkit.serialization.formats import Format
from toolkit.serialization.keys import NaturalKeys, new_keys
from toolkit.serialization.records import Place, Record, columns_of, from_plain, tells_itself
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
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0

    def __add__(self, other: Loaded) -> Loaded:
        """What two loads did."""
        return Loaded(
            self.added + other.added,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.skipped + other.skipped,
        )


@dataclass(slots=True, eq=False)
class Row:
    """A record on its way into its table.

    Args:
        record: What was read.
        values: Attribute to value, for the table's own columns.
        waiting: Foreign keys given as natural keys, and those.
        many: Many-to-many fields, and what was given for them.
        pk: The primary key; None until it is known.
        state: What became of it: ``added``, ``changed``, ``unchanged`` or ``skipped``.
    """

    record: Record
    values: dict[str, Any] = field(default_factory=dict)
    waiting: dict[Any, Any] = field(default_factory=dict)
    many: dict[Any, Any] = field(default_factory=dict)
    pk: Any = None
    state: str = "unchanged"


def load(
    scope: Scope,
    kind: Format,
    source: IO[bytes],
    *,
    path: Path | str = "",
    ignore_unknown: bool = False,
    only_new: bool = False,
) -> Loaded:
    """Make the rows of a dump be in the database. Loading it again changes nothing.

    Args:
        scope: Gives the database.
        kind: The format.
        source: The file.
        path: Its name, for messages.
        ignore_unknown: Pass over models and fields that are not known.
        only_new: Leave rows alone that are there.

    Raises:
        Problems: All that is wrong, each with file, line, record and field. Nothing was loaded.
    """
    editor = Scope(scope.site, scope.database, EDITOR, scope.default_locale, scope.default_locale, scope.moment)
    loading = Loading(editor, textual=kind.textual, path=str(path), ignore_unknown=ignore_unknown, only_new=only_new)
    with entered(editor):
        try:
            for record in kind.read(source):
                loading.take(record)
        except ContentError as error:
            loading.fail(error)
        except (EOFError, OSError, lzma.LZMAError, zlib.error) as error:
            loading.fail(ContentError(f"the file cannot be read to its end: {error}"))
        loading.refuse_if_wrong()
        with scope.database.atomic():
            loading.write()
    return loading.done


class Loading:
    """One load: takes records, then writes them table by table."""

    def __init__(self, scope: Scope, *, textual: bool, path: str, ignore_unknown: bool, only_new: bool) -> None:
        self.scope, self.textual, self.path = scope, textual, path
        self.ignore_unknown, self.only_new = ignore_unknown, only_new
        self.schema = scope.database.schema
        self.by_label = {model._meta.label.lower(): model for model in self.schema if not model._meta.hidden}
        self.rows: dict[Any, list[Row]] = {}
        self.problems: list[ToolkitError] = []
        self.naturals = NaturalKeys(textual=textual)
        self._writers: dict[Any, Any] = {}

    @property
    def done(self) -> Loaded:
        """What became of the rows."""
        states = [row.state for rows in self.rows.values() for row in rows]
        return Loaded(*(states.count(name) for name in ("added", "changed", "unchanged", "skipped")))

    # problems

    def fail(self, error: ContentError) -> None:
        """Note a problem with the file."""
        error.path = error.path or self.path or None
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(error)

    def problem(self, place: Place, told: str, *, column: str | None = None, hint: str | None = None) -> None:
        """Note a problem with a record."""
        row = place.number if place.line is None else None
        self.fail(ContentError(told, line=place.line, row=row, column=column, hint=hint))

    def refuse_if_wrong(self) -> None:
        """Raise what was found, if anything was."""
        if self.problems:
            raise Problems(self.problems)

    def _not_there(self, row: Row, key: Any, target: Any, given: Any) -> None:
        told = f"{target._meta.label} {given!r:.80} is not there, and {key.name!r} refers to it"
        self.problem(row.record.place, told, column=key.name)

    # taking records

    def take(self, record: Record | ContentError) -> None:
        """Read a record's values by its model's fields."""
        if isinstance(record, ContentError):
            self.fail(record)
            return
        model = self.by_label.get(record.model.lower())
        if model is None:
            if not self.ignore_unknown:
                labels = [each._meta.label for each in self.by_label.values()]
                hint = did_you_mean(record.model, labels)
                self.problem(record.place, f"{record.model!r} is no model of this site", hint=hint)
            return
        row, before = Row(record), len(self.problems)
        for name, value in record.fields.items():
            self._take_field(model, row, name, value)
        self._take_key(model, row)
        if len(self.problems) == before:
            self.rows.setdefault(model, []).append(row)

    def _take_field(self, model: Any, row: Row, name: str, value: Any) -> None:
        meta = model._meta
        every = (*meta.local_fields, *meta.local_many_to_many)
        found = next((f for f in every if name in (f.name, f.attname)), None)
        if found is None or (found in meta.local_many_to_many and not found.through._meta.hidden):
            if not self.ignore_unknown:
                hint = did_you_mean(name, [f.name for f in every])
                self.problem(row.record.place, f"{meta.label} has no field {name!r}", column=name, hint=hint)
        elif found.is_generated:
            self.problem(row.record.place, f"{meta.label}.{name} is computed by the database", column=name)
        elif found in meta.local_many_to_many:
            row.many[found] = value
        elif found.is_relation and isinstance(value, list):
            row.waiting[found] = value
        elif value is None and not found.null and found not in meta.key:
            self.problem(row.record.place, f"{meta.label}.{found.name} cannot be NULL", column=name)
        else:
            row.values[found.attname] = self._value(row, found, value, name)

    def _take_key(self, model: Any, row: Row) -> None:
        """The key, as the record has it or among its fields; without one it has the default's, if there is one."""
        given, key = row.record.pk, model._meta.key
        if given is not None:
            parts = given if len(key) > 1 else [given]
            if not isinstance(parts, list) or len(parts) != len(key):
                self.problem(row.record.place, f"{given!r:.60} is no key of {model._meta.label}", column="pk")
                return
            read = [self._value(row, part, value, "pk") for part, value in zip(key, parts, strict=True)]
            row.values |= {part.attname: value for part, value in zip(key, read, strict=True)}
        found = [row.values.get(part.attname) for part in key]
        if None not in found:
            row.pk = found[0] if len(key) == 1 else tuple(found)

    def _value(self, row: Row, found: Any, value: Any, name: str) -> Any:
        """The Python value, if the field can hold it."""
        try:
            read = from_plain(found, value, textual=self.textual)
            if read is not None:
                found.db_value_of(self.scope.database.dialect)(read)
        except ValidationError as error:
            self.problem(row.record.place, error.message, column=name, hint=error.hint)
        except (TypeError, ValueError, ArithmeticError, RecursionError) as error:
            self.problem(row.record.place, f"{value!r:.60} cannot be read: {error}", column=name)
        else:
            return read
        return None

    # writing

    def write(self) -> None:
        """Write all rows, those that others refer to first, and then what connects them."""
        order = [model for model in self.schema.sorted() if model in self.rows]
        with self.scope.database.references_held():
            self._settle_all(order)
            self.refuse_if_wrong()
            for model in order:
                self._writer(model).write(self.rows[model], only_new=self.only_new, refuse=self._refused)
            self.refuse_if_wrong()
            for model in order:
                self._connect(model, [row for row in self.rows[model] if row.state != "skipped"])
            for model in order:
                self._check_references(model, [row for row in self.rows[model] if row.state != "skipped"])
            self.refuse_if_wrong()
        for model in order:
            self._writer(model).keys_were_given()

    def _writer(self, model: Any) -> TableWriter:
        if model not in self._writers:
            self._writers[model] = TableWriter(self.scope, model)
        found: TableWriter = self._writers[model]
        return found

    def _refused(self, row: Row, error: ToolkitError) -> None:
        fields = getattr(error, "fields", ())
        told = f"{row.record.model}: {error.message}"
        self.problem(row.record.place, told, column=fields[0] if fields else None, hint=error.hint)

    # keys

    def _settle_all(self, order: Sequence[Any]) -> None:
        """Give each row its primary key, and the keys of the rows that it refers to, whatever their order."""
        keys = {model: self._new_keys(model) for model in order}
        for model in order:
            if tells_itself(model, self.schema):
                for row in self.rows[model]:
                    if row.pk is not None:
                        self._note_natural(model, row)
        pending = [(model, row) for model in order for row in self.rows[model] if row.pk is None or row.waiting]
        while pending:
            left = [(model, row) for model, row in pending if not self._settle(model, row, keys[model])]
            if len(left) == len(pending):
                break
            pending = left
        for _, row in pending:
            for key, given in row.waiting.items():
                self._not_there(row, key, key.target, given)
        for model in order:
            self._refuse_twice(model, self.rows[model])

    def _new_keys(self, model: Any) -> Iterator[Any]:
        rows = self.rows[model]
        keyless = sum(row.pk is None for row in rows)
        return new_keys(self.scope.database, model, keyless, [row.pk for row in rows if row.pk is not None])

    def _settle(self, model: Any, row: Row, keys: Iterator[Any]) -> bool:
        """Find what the row refers to, and then its own key; False if something is not known yet."""
        for key, given in list(row.waiting.items()):
            try:
                found = self.naturals.find(key.target, given)
            except ToolkitError as error:
                self.problem(row.record.place, error.message, column=key.name)
                del row.waiting[key]
                continue
            if found is not None:
                row.values[key.attname] = found
                del row.waiting[key]
        names = {key.name for key in row.waiting}
        if row.pk is None and not names & set(model._meta.natural_key):
            self._give_key(model, row, keys)
        return row.pk is not None and not row.waiting

    def _give_key(self, model: Any, row: Row, keys: Iterator[Any]) -> None:
        """The key of the row that is there, or a new one."""
        meta = model._meta
        natural = self._natural_of(model, row) if tells_itself(model, self.schema) else None
        known = None if natural is None else self.naturals.of(model).get(natural)
        if known is None and len(meta.key) == 1:
            default = meta.pk.get_default()
            is_given = default is not None and default != "" and default is not DATABASE_DEFAULT
            known = default if is_given else next(keys, None)
        if known is None:
            self.problem(row.record.place, f"{meta.label}: the record has no key", hint="Give it a pk.")
            row.waiting.clear()
            return
        row.pk = row.values[meta.pk.attname] = known
        if natural is not None:
            self.naturals.of(model)[natural] = known

    def _natural_of(self, model: Any, row: Row) -> tuple[Any, ...] | None:
        names = [model._meta.get_field(name).attname for name in model._meta.natural_key]
        return tuple(row.values[name] for name in names) if all(name in row.values for name in names) else None

    def _note_natural(self, model: Any, row: Row) -> None:
        natural = self._natural_of(model, row)
        if natural is not None:
            self.naturals.of(model).setdefault(natural, row.pk)

    def _refuse_twice(self, model: Any, rows: Sequence[Row]) -> None:
        seen: dict[Any, Place] = {}
        for row in rows:
            if row.pk is not None and row.pk in seen:
                told = f"{model._meta.label} {row.pk!r:.60} stands twice: record {seen[row.pk].number} is it too"
                self.problem(row.record.place, told)
            seen.setdefault(row.pk, row.record.place)

    # what connects rows

    def _connect(self, model: Any, rows: Sequence[Row]) -> None:
        """Links of many-to-many fields, and translations."""
        for found in model._meta.local_many_to_many:
            if found.through._meta.hidden:
                self._link(found, [row for row in rows if found in row.many])
        if model._meta.translation is not None:
            self._translate(model._meta, rows)

    def _link(self, found: Any, rows: Sequence[Row]) -> None:
        own, other = found.link_fields()
        partners = {row: self._partners(found, row) for row in rows}
        wanted = {key for keys in partners.values() for key in keys}
        there = self._writer(found.target).present(found.target._meta.key, wanted)
        links: dict[Row, list[dict[str, Any]]] = {}
        for row, keys in partners.items():
            for key in keys:
                if key not in there:
                    self._not_there(row, found, found.target, key)
            links[row] = [{**_spelt(own, row.pk), **_spelt(other, key)} for key in keys]
        self._replace(found.through, own, links)

    def _partners(self, found: Any, row: Row) -> list[Any]:
        given = row.many[found]
        if given is not None and not isinstance(given, list):
            self.problem(row.record.place, f"{given!r:.60} is no list of keys", column=found.name)
            return []
        keys = [self._partner(found, row, each) for each in given or ()]
        return list(dict.fromkeys(key for key in keys if key is not None))

    def _partner(self, found: Any, row: Row, given: Any) -> Any:
        key = found.target._meta.key
        if not isinstance(given, list):
            return self._value(row, found.target._meta.pk, given, found.name)
        if len(key) > 1 and len(given) == len(key):
            return tuple(self._value(row, part, value, found.name) for part, value in zip(key, given, strict=True))
        try:
            known = self.naturals.find(found.target, given)
        except ToolkitError as error:
            self.problem(row.record.place, error.message, column=found.name)
            return None
        if known is None:
            self._not_there(row, found, found.target, given)
        return known

    def _translate(self, meta: Any, rows: Sequence[Row]) -> None:
        """Let the translations be those of the record. One that names some of the fields only leaves the others be."""
        source = meta.translation._meta.by_name["source"]
        names = {each.name for each in meta.translated}
        partial = [row for row in rows if not names <= row.record.fields.keys()]
        before = self._translations(meta.translation, [row.pk for row in partial])
        made: dict[Row, list[dict[str, Any]]] = {}
        for row in rows:
            told = {
                locale: self._translated(meta, row, locale, values)
                for locale, values in row.record.translations.items()
            }
            kept = before.get(row.pk, {})
            made[row] = [
                {**_spelt(source, row.pk), "locale": locale, **kept.get(locale, {}), **told.get(locale, {})}
                for locale in dict.fromkeys([*kept, *told])
            ]
        self._replace(meta.translation, source, made)

    def _translations(self, translation: Any, pks: Sequence[Any]) -> dict[Any, dict[str, dict[str, Any]]]:
        meta = translation._meta
        found: dict[Any, dict[str, dict[str, Any]]] = {}
        names = [f.attname for f in meta.local_fields if not f.is_relation and f not in meta.key and f.name != "locale"]
        rows: QuerySet[Any] = QuerySet(translation).unrestricted()
        for start in range(0, len(pks), CHUNK_KEYS):
            for each in rows.filter(source__in=pks[start : start + CHUNK_KEYS]):
                values = {name: getattr(each, name) for name in names}
                found.setdefault(getattr(each, meta.by_name["source"].attname), {})[each.locale] = values
        return found

    def _translated(self, meta: Any, row: Row, locale: str, values: dict[str, Any]) -> dict[str, Any]:
        known = {each.name: meta.translation._meta.by_name[each.name] for each in meta.translated}
        told = {}
        for name, value in values.items():
            if name in known:
                told[known[name].attname] = self._value(row, known[name], value, f"{name} ({locale})")
            elif not self.ignore_unknown:
                self.problem(row.record.place, f"{meta.label}.{name} is not translated", column=name)
        return told

    def _replace(self, model: Any, owner: Any, rows: dict[Row, list[dict[str, Any]]]) -> None:
        if self.problems:
            return
        by_pk = {row.pk: row for row in rows}
        try:
            touched = self._writer(model).replace(owner, {row.pk: links for row, links in rows.items()})
        except DatabaseError as error:
            self.fail(ContentError(f"{model._meta.label}: {error.message}", hint=error.hint))
            return
        for pk in touched:
            by_pk[pk].state = "changed" if by_pk[pk].state == "unchanged" else by_pk[pk].state

    def _check_references(self, model: Any, rows: Iterable[Row]) -> None:
        """Tell each reference to a row that is not there, by the record that has it."""
        meta = model._meta
        for key in (*meta.spread_keys, *(f for f in meta.local_fields if f.is_relation)):
            if not key.db_constraint:
                continue
            names = [part.attname for part in columns_of(key)]
            wanted: dict[Any, list[Row]] = {}
            for row in rows:
                values = tuple(row.values.get(name) for name in names)
                if None not in values:
                    wanted.setdefault(values[0] if len(names) == 1 else values, []).append(row)
            target = columns_of(key.target_field) if key.target_field.is_several else (key.target_field,)
            there = self._writer(key.target).present(target, wanted)
            for value, referring in wanted.items():
                for row in referring if value not in there else ():
                    self._not_there(row, key, key.target, value)


def _spelt(key: Any, pk: Any) -> dict[str, Any]:
    """Attribute to value, of a reference to a row."""
    parts = columns_of(key)
    return {part.attname: value for part, value in zip(parts, pk if len(parts) > 1 else (pk,), strict=True)}
