"""Writing loaded rows: only what differs, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from toolkit.content import tables
from toolkit.content.held import settle_gone
from toolkit.content.keys import key_text
from toolkit.content.layout import Layout
from toolkit.content.levels import root_field, root_key
from toolkit.content.matching import Entry, Leaver
from toolkit.content.place import content_error
from toolkit.content.references import locate
from toolkit.content.spool import Content, Spool
from toolkit.errors import NON_FIELD_ERRORS, ContentError, IntegrityError, ValidationError
from toolkit.models import AutoField
from toolkit.models.circles import referred_first
from toolkit.models.fields.several import parts_of
from toolkit.trace import Scope

T = TypeVar("T")

ROWS = 100
"""Rows with all that they say in memory at a time."""

Put = tuple[Entry, Sequence[Any]]
"""A row's values, and the entry to blame if the database refuses them."""


class Saver:
    """Writes one load.

    Args:
        scope: An unrestricted scope, which is current.
        folder: The site's folder, to look up places for errors.
        spool: Has what the rows say. Of that, only so much is in memory at a time.
    """

    def __init__(self, scope: Scope, folder: Path, spool: Spool) -> None:
        self._scope, self._database, self._folder, self._spool = scope, scope.database, folder, spool
        self.problems: list[ContentError] = []
        self.removed: list[Leaver] = []

    def save(self, entries: Sequence[Entry], leavers: Sequence[Leaver]) -> None:
        """Write the rows, their translations and links, and remove those that left. Sets ``Entry.state``.

        Those that left go first, and those that change before those that are new, so that others may take their names;
        what refers to them is dealt with last, when it is known what still does.
        """
        dropped = self._drop(leavers)
        found: dict[Any, list[Entry]] = {}
        for entry in entries:
            found.setdefault(entry.layout.model, []).append(entry)
        groups = [found[model] for model in referred_first(found)]
        for group in groups:
            self._save_known(group)
        for group in groups:
            self._save_new(group)
        for group in groups:
            self._save_beside(group)
        self._scope.database.memo.clear()
        self._settle_references_to(dropped)
        self._check_rows(entries)
        self.removed = [leaver for leaver, _ in dropped]

    # rows

    def _save_known(self, entries: list[Entry]) -> None:
        """Change the rows of a model that were loaded before, where they are others now."""
        model = entries[0].layout.model
        for chunk in _chunks(entry for entry in entries if entry.earlier is not None):
            self._compare(model, chunk)
        self._update(model, [entry for entry in entries if entry.state == "changed"])

    def _save_new(self, entries: list[Entry]) -> None:
        """Add the new rows of a model."""
        model, fields = entries[0].layout.model, entries[0].layout.fields
        for chunk in _chunks(entry for entry in entries if entry.state == "added"):
            self._insert(model, fields, [(entry, _values(entry, said, None)) for entry, said in self._said(chunk)])

    def _save_beside(self, entries: list[Entry]) -> None:
        """Save the translations and links of all rows of a model that the files give."""
        for layout in dict.fromkeys(entry.layout for entry in entries):
            own = [entry for entry in entries if entry.layout is layout]
            self._save_translations(layout, own)
            for field in layout.many:
                self._save_links(field, own)

    def _said(self, entries: Sequence[Entry]) -> list[tuple[Entry, Content]]:
        """What the files say of some rows."""
        return list(zip(entries, self._spool.read([entry.row for entry in entries]), strict=True))

    def _compare(self, model: Any, entries: Sequence[Entry]) -> None:
        """Which of the rows that were loaded before are others now."""
        existing = tables.fetch_rows(self._database, model, [entry.pk for entry in entries])
        for entry, said in self._said(entries):
            before = existing.get(entry.pk)
            if before is None:
                continue  # somebody removed it
            self._check_identity(entry, before)
            entry.state = "unchanged" if list(before) == _values(entry, said, before) else "changed"

    def _changed(self, model: Any, entries: Sequence[Entry]) -> list[Put]:
        """The new values of rows that are there."""
        existing = tables.fetch_rows(self._database, model, [entry.pk for entry in entries])
        return [
            (entry, _stamped(entry, said, _values(entry, said, existing[entry.pk])))
            for entry, said in self._said(entries)
        ]

    def _check_identity(self, entry: Entry, before: Sequence[Any]) -> None:
        """A row that somebody gave another key in the database may be another row by now: never overwrite it."""
        if entry.layout.key_field.is_several:
            return
        key = key_text(before[entry.layout.fields.index(entry.layout.key_field)])
        if key not in (entry.earlier, entry.key):
            name, label = entry.layout.source.key, entry.layout.model._meta.object_name
            told = (
                f"its row, {label} {entry.pk}, was given the {name} {key!r} in the database; here it is {entry.key!r}"
            )
            hint = f"Write {key!r} here, or give the row its {name} back."
            place = locate(self._folder, entry, name)
            self.problems.append(content_error(told, entry.path, place, hint))

    def _update(self, model: Any, entries: Sequence[Entry]) -> None:
        """Change rows in place; where they swap unique values, or one gets another key, take them out first."""
        if any(entry.is_rekeyed for entry in entries):
            self._replace(model, entries)
            return
        try:
            with self._database.atomic():
                for chunk in _chunks(entries):
                    tables.update_rows(self._database, model, [values for _, values in self._changed(model, chunk)])
        except IntegrityError:
            self._replace(model, entries)

    def _replace(self, model: Any, entries: Sequence[Entry]) -> None:
        """Write rows anew. All of them: what a file does not say is known from the row itself."""
        puts = [put for chunk in _chunks(entries) for put in self._changed(model, chunk)]
        for chunk in _chunks(entries):
            gone = tables.fetch_rows(self._database, model, [entry.pk for entry in chunk])
            tables.delete_rows(self._database, model, list(gone.values()))
        self._insert(model, entries[0].layout.fields, puts)

    def _insert(self, model: Any, fields: Sequence[Any], puts: Sequence[Put]) -> None:
        """Insert rows; if the database refuses, find out which."""
        try:
            with self._database.atomic():
                tables.insert_rows(self._scope, model, fields, [values for _, values in puts])
        except IntegrityError:
            for entry, values in puts:
                self._insert_one(model, fields, entry, values)

    def _insert_one(self, model: Any, fields: Sequence[Any], entry: Entry, values: Sequence[Any]) -> None:
        try:
            with self._database.atomic():
                tables.insert_rows(self._scope, model, fields, [values])
        except IntegrityError as error:
            self._tell_refused(entry, error)

    def _tell_refused(self, entry: Entry, error: IntegrityError) -> None:
        """A constraint's own words where it is a declared one, at the field that it is about."""
        if error.validation is not None:
            self._tell_invalid(entry, error.validation, _OTHER_ROW if error.kind == "unique" else None)
            return
        told = error.message.partition(" (in: ")[0].partition("\n")[0]
        place = locate(self._folder, entry, "")
        hint = "Another row has the same value, or a constraint of the model forbids it."
        self.problems.append(content_error(f"the database refuses the row: {told}", entry.path, place, hint))

    def _tell_invalid(self, entry: Entry, error: ValidationError, hint: str | None = None) -> None:
        """Every fault that validation found, each where its field stands."""
        for name, found in error.by_field().items():
            field = "" if name == NON_FIELD_ERRORS else name
            place = locate(self._folder, entry, field)
            for one in found:
                told = f"{field}: {one.message}" if field else one.message
                self.problems.append(content_error(told, entry.path, place, one.hint or hint))

    # translations and links

    def _save_translations(self, layout: Layout, entries: Sequence[Entry]) -> None:
        start = 0
        for model, fields in layout.translations:
            self._save_translations_of(model, fields, entries, slice(start, start + len(fields)))
            start += len(fields)

    def _save_translations_of(
        self, model: Any, translated: Sequence[Any], entries: Sequence[Entry], part: slice
    ) -> None:
        """Save the translations of one table: a part of the values that rows have in each locale."""
        meta = model._meta
        source, locale, pk = meta.by_name["source"], meta.by_name["locale"], meta.pk
        fields, held = [source, locale, *translated], root_field(source.target_field)
        fresh: list[tuple[Entry, str, Any]] = []
        for chunk in _chunks(entry for entry in entries if entry.state != "added" or entry.row.locales):
            known, before = _known_as(held, chunk), {}
            for row in tables.fetch_columns(self._database, model, (pk, *fields), source, known):
                key, owner, name, *values = row
                before[owner, name] = (key, values)
            found = self._find_fresh(chunk, held, before, part)
            tables.delete_by(self._database, model, pk, [key for *_, key in found if key is not None])
            tables.delete_by(self._database, model, pk, [key for key, _ in before.values()])
            _mark_changed(chunk, held, {owner for owner, _ in before} | {entry.named(held) for entry, *_ in found})
            fresh += found
        for keyed in (True, False):
            for parts in _chunks(item for item in fresh if (item[2] is not None) == keyed):
                self._insert(model, [pk, *fields] if keyed else fields, self._translated(parts, held, part))

    def _find_fresh(
        self, entries: Sequence[Entry], held: Any, before: dict[Any, tuple[Any, list[Any]]], part: slice
    ) -> list[tuple[Entry, str, Any]]:
        """The translations to write, and the keys of those in whose place they come.

        Args:
            entries: The rows.
            held: The key by which translations know them.
            before: (row, locale) to key and values of what is there; in the end, of what has to go.
            part: See ``_save_translations_of``.
        """
        fresh = []
        for entry, said in self._said(entries):
            for name, every in said.translations.items():
                values = every[part]
                if all(value is None for value in values):
                    continue
                old = before.pop((entry.named(held), name), None)
                if old is None:
                    fresh.append((entry, name, None))
                elif old[1] != list(values):
                    fresh.append((entry, name, old[0]))
        return fresh

    def _translated(self, fresh: Sequence[tuple[Entry, str, Any]], held: Any, part: slice) -> list[Put]:
        """The values of translations, with their keys where these are known."""
        said = self._said([entry for entry, *_ in fresh])
        return [
            (entry, [*([] if key is None else [key]), entry.named(held), name, *content.translations[name][part]])
            for (entry, name, key), (_, content) in zip(fresh, said, strict=True)
        ]

    def _save_links(self, field: Any, entries: Sequence[Entry]) -> None:
        for chunk in tables.chunks_of(entries):
            self._save_links_of(field, chunk)

    def _save_links_of(self, field: Any, entries: Sequence[Entry]) -> None:
        through, (own, other) = field.through, field.link_fields()
        meta, held = through._meta, root_field(own.target_field)
        owners = {entry: entry.named(held) for entry in entries}
        rows = tables.fetch_columns(self._database, through, (meta.pk, own, other), own, _known_as(held, entries))
        before = {(owner, target): key for key, owner, target in rows}
        linked = [*parts_of(own), *parts_of(other)]
        extra = [item for item in meta.fields if not isinstance(item, AutoField) and item not in linked]
        fields = [own, other, *extra]
        added: list[Put] = [
            (entry, [owners[entry], target, *(self._defaults(extra) if extra else ())])
            for entry in entries
            for target in entry.row.links[entry.layout.many.index(field)]
            if before.pop((owners[entry], target), None) is None
        ]
        tables.delete_by(self._database, through, meta.pk, before.values())
        self._insert(through, fields, added)
        _mark_changed(entries, held, {owner for owner, _ in before} | {owners[entry] for entry, _ in added})

    def _defaults(self, fields: Iterable[Any]) -> list[Any]:
        """The values of further columns in a table between that the site declared itself."""
        values = []
        for field in fields:
            value, write = field.get_default(), field.db_writer(self._database.dialect)
            values.append(value if write is None or value is None else write(value))
        return values

    # rows that left

    def _drop(self, leavers: Sequence[Leaver]) -> list[tuple[Leaver, Sequence[Any]]]:
        """Delete rows, and tell which, with their values. One that has another key by now is somebody else's."""
        dropped: list[tuple[Leaver, Sequence[Any]]] = []
        for model, group in _by_model(leavers):
            rows = tables.fetch_rows(self._database, model, [leaver.given.pk for leaver in group])
            own = [leaver for leaver in group if _is_same(leaver, rows.get(leaver.given.pk, ()))]
            found = [rows[leaver.given.pk] for leaver in own]
            for level in model._meta.levels:
                translation, key_of_row = level._meta.translation, tables.key_getter(model, root_key(level))
                if translation is not None:
                    source = translation._meta.by_name["source"]
                    tables.delete_by(self._database, translation, source, map(key_of_row, found))
            tables.delete_rows(self._database, model, found)
            dropped += list(zip(own, found, strict=True))
        return dropped

    def _settle_references_to(self, dropped: Iterable[tuple[Leaver, Sequence[Any]]]) -> None:
        """Do what ``on_delete`` says for the rows that still refer to them."""
        for leaver, row in dropped:
            try:
                settle_gone(self._scope, leaver, row)
            except IntegrityError as error:
                told = f"the row {leaver.given.key!r} is not here any more, but {_after_colon(error.message)}"
                self.problems.append(ContentError(told, path=leaver.path, hint=error.hint))

    # rows as a whole

    def _check_rows(self, entries: Iterable[Entry]) -> None:
        """Call ``full_clean()``, where there is more to check than each field by itself."""
        for entry in entries:
            if not entry.layout.checks_rows or entry.state == "unchanged":
                continue
            instance = entry.layout.model.objects.unrestricted().filter(pk=entry.pk).first()
            if instance is None:
                continue  # the database refused it, which was told
            try:
                instance.full_clean(validate_constraints=False)  # the database has checked them
            except ValidationError as error:
                self._tell_invalid(entry, error)


_OTHER_ROW = "Another row has the same value: change one of the two."


def _chunks(values: Iterable[T]) -> Iterator[list[T]]:
    return tables.chunks_of(values, size=ROWS)


def _values(entry: Entry, said: Content, before: Sequence[Any] | None) -> list[Any]:
    """The row's values, with all its keys; what the file did not give stays as it was made at first."""
    values, layout = said.values, entry.layout
    for places, key in zip(layout.references.values(), entry.row.references, strict=True):
        if len(places) == 1 or key is not None:  # without one, each of several fields has what the file says of it
            for at, part in zip(places, key if len(places) > 1 else (key,), strict=True):
                values[at] = part
    for at, part in zip(layout.key_parts.values(), entry.pk if len(layout.key_parts) > 1 else (entry.pk,), strict=True):
        values[at] = part
    for key, at in layout.further.items():
        values[at] = entry.named(key)
    if before is not None:
        for at in said.made:
            values[at] = before[at]
    return values


def _stamped(entry: Entry, said: Content, values: list[Any]) -> list[Any]:
    """Set ``auto_now`` fields of a row that changes."""
    for at in said.made:
        field = entry.layout.fields[at]
        if field.auto_now:
            write: Callable[[Any], Any] | None = entry.layout.writers[at]
            now = field.stamp(datetime.now(UTC))
            values[at] = now if write is None else write(now)
    return values


def _known_as(held: Any, entries: Iterable[Entry]) -> list[Any]:
    """Under which values others may know rows that are there, now and before."""
    return [
        value
        for entry in entries
        if entry.state != "added"
        for value in {entry.named(held), entry.before.get(held, entry.named(held))}
    ]


def _mark_changed(entries: Iterable[Entry], held: Any, owners: set[Any]) -> None:
    for entry in entries:
        if entry.state == "unchanged" and entry.named(held) in owners:
            entry.state = "changed"


def _is_same(leaver: Leaver, row: Sequence[Any]) -> bool:
    """Whether a row has the key that it had; one with a composite key is known by that."""
    return bool(row) and (isinstance(leaver.given.pk, tuple) or leaver.given.key in map(key_text, row))


def _by_model(leavers: Iterable[Leaver]) -> Iterable[tuple[Any, list[Leaver]]]:
    found: dict[Any, list[Leaver]] = {}
    for leaver in leavers:
        found.setdefault(leaver.model, []).append(leaver)
    return found.items()


def _after_colon(message: str) -> str:
    return message.partition(": ")[2] or message
