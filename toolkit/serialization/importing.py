"""Rows of one model from a table that anybody may have made."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from toolkit.errors import (
    ContentError,
    DatabaseError,
    DatabaseUnavailable,
    Problems,
    ToolkitError,
    ValidationError,
    did_you_mean,
)
from toolkit.models import DateTimeField, QuerySet
from toolkit.models.fields.dates import in_zone
from toolkit.models.scopes import current_scope
from toolkit.models.sqltext import CHUNK_KEYS
from toolkit.serialization.cells import split_cell
from toolkit.serialization.keys import REMEMBERED, Told, rows_with
from toolkit.serialization.records import Place, from_plain, holder, teller, tellers
from toolkit.serialization.spool import Spool
from toolkit.serialization.writing import TableWriter
from toolkit.trace import EDITOR, Scope, entered


@dataclass
class Imported:
    """What an import did.

    Attributes:
        added: New rows.
        changed: Rows that had other values.
        unchanged: Rows that were so already.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0


def import_rows(
    scope: Scope,
    model: Any,
    rows: Iterable[tuple[Any, Place]],
    *,
    path: Path | str = "",
    columns: Mapping[str, str] | None = None,
    key: str | None = None,
    textual: bool = False,
    dry_run: bool = False,
) -> Imported:
    """Make rows of a table be rows of a model: checked with ``full_clean()``, all of them or none.

    Args:
        scope: Gives the database.
        model: The model.
        rows: See ``read_table``.
        path: The file's name, for messages.
        columns: Column to field, for those with other names. Nothing ("") passes a column over.
        key: The field, or fields with commas between, that tell whether a row is there already; by default the model's
            own (see ``tellers``), the first for which the table has all columns. If it has none, all rows are new.
        textual: All values are text, as in CSV.
        dry_run: Check everything, and take it back.

    Raises:
        Problems: All that is wrong, each with line and column. Nothing was written.
    """
    editor = Scope(scope.site, scope.database, EDITOR, scope.default_locale, scope.default_locale, scope.moment)
    with entered(editor), scope.database.atomic():
        zone = ZoneInfo(str(getattr(getattr(scope.site, "settings", None), "timezone", "UTC")))
        importing = Importing(model, str(path), columns or {}, key, textual=textual, zone=zone)
        with closing(importing):
            importing.run(rows)
        if importing.problems:
            raise Problems(importing.problems)
        for level in model._meta.levels:  # the file may have given keys
            TableWriter(editor, level).keys_were_given()
        if dry_run:
            scope.database.set_rollback(True)
    return importing.done


class Importing:
    """One import.

    Args:
        model: The model.
        path: The file's name.
        columns: Column to field.
        key: The fields that tell rows.
        textual: All values are text.
        zone: Of times without an offset.
    """

    def __init__(
        self, model: Any, path: str, columns: Mapping[str, str], key: str | None, *, textual: bool, zone: tzinfo
    ) -> None:
        self.model, self.path, self.columns, self.textual, self.zone = model, path, columns, textual, zone
        meta = model._meta
        self.fields = {field.name: field for field in (*meta.fields, *meta.many_to_many)}
        self.fields |= {field.attname: field for field in meta.fields if field.attname not in self.fields}
        self.fields.setdefault("pk", meta.pk)
        self._told_key = key
        self._tellers = tellers(model) if key is None else [self._named(key)]
        self.key: tuple[Any, ...] = ()
        self.done = Imported()
        self.problems: list[ToolkitError] = []
        self._spool = Spool([model])
        self.later: list[tuple[Any, Any, Any, str, Place]] = []
        self._partners: dict[tuple[Any, Any], Any] = {}
        self._unknown: set[str] = set()
        self._seen: set[str] = set()

    def _named(self, key: str) -> tuple[Any, ...]:
        names = [name.strip() for name in key.split(",")]
        for name in names:
            if name not in self.fields:
                hint = did_you_mean(name, self.fields)
                raise ContentError(f"{self.model._meta.label} has no field {name!r}", hint=hint)
        return tuple(self.fields[name] for name in names)

    def problem(self, place: Place, column: str | None, told: str, hint: str | None = None) -> None:
        """Note what is wrong."""
        row = place.number if place.line is None else None
        self.problems.append(
            ContentError(place.said(told), path=self.path or None, line=place.line, row=row, column=column, hint=hint)
        )

    def close(self) -> None:
        """Forget which rows were seen."""
        self._spool.close()

    def run(self, rows: Iterable[tuple[Any, Place]]) -> None:
        """Take all rows, and then what refers to rows further down."""
        every = iter(rows)
        try:
            while chunk := list(itertools.islice(every, CHUNK_KEYS)):
                self._take_chunk(chunk)
        except ContentError as error:
            error.path = error.path or self.path or None
            self.problems.append(error)
        for column, name in self.columns.items():
            if name and self._seen and column not in self._seen:
                hint = did_you_mean(column, self._seen)
                self.problem(Place(1, 0), None, f"there is no column {column!r}, which stands for a field", hint)
        for instance, field, given, column, place in self.later:
            found = self._partner_in(field, given, column, place)
            if found is not None:
                setattr(instance, field.attname, found)
                self._save(instance, place, {field.name: column})

    def _take_chunk(self, chunk: Sequence[tuple[Any, Place]]) -> None:
        if not self.key:
            self.key = self._key_in(chunk[0][0])
            self._refuse_without_key(chunk)
        read = [self._read(data, place) for data, place in chunk]
        told = [None if found is None else self._told(found[0]) for found in read]
        names = [field.attname for field in self.key]
        wanted = [one for one in told if one is not None]
        there: dict[Told, list[Any]] = {}
        for row in rows_with(self.model, names, wanted):
            there.setdefault(tuple(getattr(row, name) for name in names), []).append(row)
        for found, one, (_, place) in zip(read, told, chunk, strict=True):
            if found is not None:
                self._take(*found, place, one, there)

    def _key_in(self, data: Any) -> tuple[Any, ...]:
        """The first of the keys for which a row has all columns; the first of all, if it has none."""
        names = {self.columns.get(column, column) for column in data} if isinstance(data, dict) else ()
        there = {self.fields[name] for name in names if name in self.fields}
        return next((key for key in self._tellers if there.issuperset(key)), self._tellers[0])

    def _refuse_without_key(self, rows: Sequence[tuple[Any, Place]]) -> None:
        """Refuse a table without a column that shall tell whether a row is there: all would be new.

        Raises:
            ContentError: It has none.
        """
        names = {self.columns.get(column, column) for data, _ in rows if isinstance(data, dict) for column in data}
        there = {self.fields[name] for name in names if name in self.fields}
        missing = next((field for field in self.key if field not in there), None)
        if self._told_key is not None and names and missing is not None:
            told = f"there is no column {missing.name!r}, and the key is {self._told_key!r}"
            raise ContentError(told, line=1 if self.textual else None, hint=did_you_mean(missing.name, names))

    def _told(self, values: Mapping[Any, Any]) -> Told | None:
        """What tells a row; None if nothing is given, or a part of it refers to what is not there (yet)."""
        told = []
        for field in self.key:
            given = values.get(field)
            if field.is_relation:
                found = None
                with suppress(ValidationError):  # it is told when it is set
                    found = None if given == "" or given is None else self._partner(field, given)
                if found is None and given:
                    return None
                given = found
            told.append(given)
        return tuple(told) if any(part is not None for part in told) else None

    def _read(self, data: Any, place: Place) -> tuple[dict[Any, Any], dict[str, str]] | None:
        """Field to value, and field name to its column; None if something is wrong."""
        if isinstance(data, ContentError):
            data.path = data.path or self.path or None
            self.problems.append(data)
            return None
        if not isinstance(data, dict):
            self.problem(place, None, f"{data!r:.60} is no row: columns with values")
            return None
        before = len(self.problems)
        values: dict[Any, Any] = {}
        columns: dict[str, str] = {}
        self._seen.update(data)
        for column, given in data.items():
            name = self.columns.get(column, column)
            field = self.fields.get(name)
            if field is None or field.is_generated or field.name in columns:
                self._refuse_column(column, name, columns, Place(1, 0) if self.textual else place)
                continue
            columns[field.name] = column
            if given != "" or field.null or self._is_many(field) or isinstance(field.empty, str):
                values[field] = self._value(field, given, column, place)  # else nothing is said, as of a new row
        return (values, columns) if len(self.problems) == before else None

    def _refuse_column(self, column: str, name: str, others: Mapping[str, str], place: Place) -> None:
        """Tell, once, of a column that no field can take."""
        if not name or column in self._unknown:
            return
        self._unknown.add(column)
        label, field, hint = self.model._meta.label, self.fields.get(name), f"Pass it over with --map '{column}='."
        if field is None:
            self.problem(place, column, f"{label} has no field {name!r}", did_you_mean(name, self.fields) or hint)
        elif field.is_generated:
            self.problem(place, column, f"{label}.{field.name} is computed by the database", hint)
        else:
            self.problem(place, column, f"{label}.{field.name} is the column {others[field.name]!r} already", hint)

    def _is_many(self, field: Any) -> bool:
        return field in self.model._meta.many_to_many

    def _value(self, field: Any, given: Any, column: str, place: Place) -> Any:
        if field.is_relation or field in self.model._meta.many_to_many:
            return given
        if given is None or (given == "" and not isinstance(field.empty, str)):
            return None
        try:
            if isinstance(field, DateTimeField):
                given = in_zone(given, self.zone)
            value = from_plain(field, given, textual=self.textual)
            if field in self.key:  # rows are looked for by it before they are checked
                field.db_value_of(current_scope().database.dialect)(value)
            return value
        except ValidationError as error:
            self.problem(place, column, error.message, error.hint)
        except (TypeError, ValueError, ArithmeticError) as error:
            self.problem(place, column, f"{given!r:.60} cannot be read: {error}")
        return None

    def _take(
        self,
        values: dict[Any, Any],
        columns: dict[str, str],
        place: Place,
        told: Told | None,
        there: Mapping[Told, Sequence[Any]],
    ) -> None:
        twin = None if told is None else self._spool.note_key(self.model, _spelt(told), place.number)
        if twin is not None:
            shown = ", ".join(f"{part!r:.60}" for part in told or ())
            self.problem(place, columns[self.key[0].name], f"{shown} stands twice: in row {twin} too")
            return
        same = there.get(told, ()) if told is not None else ()
        if len(same) > 1:
            self.problem(
                place, columns[self.key[0].name], _several(same), "Tell the rows by --key, or change one of them."
            )
            return
        known = same[0] if same else None
        instance = known if known is not None else self.model()
        before = len(self.problems)
        changed = [
            self._set(instance, field, values[field], columns, place) for field in values if not self._is_many(field)
        ]
        if len(self.problems) > before:
            return
        if (known is None or any(changed)) and not self._save(instance, place, columns):
            return
        many = [field for field in values if self._is_many(field)]
        linked = [self._link(instance, field, values[field], columns[field.name], place) for field in many]
        state = "added" if known is None else "changed" if any((*changed, *linked)) else "unchanged"
        setattr(self.done, state, getattr(self.done, state) + 1)

    def _set(self, instance: Any, field: Any, value: Any, columns: dict[str, str], place: Place) -> bool:
        """Set a value; whether it is another one."""
        if field.is_relation:
            value = self._key_of(instance, field, value, columns[field.name], place)
        before = instance.__dict__.get(field.attname)
        if before == value and type(before) is type(value):
            return False
        setattr(instance, field.attname, value)
        return True

    def _key_of(self, instance: Any, field: Any, given: Any, column: str, place: Place) -> Any:
        if given is None or given == "":
            return None
        later, before = field.target is self.model and field.null, len(self.problems)
        found = self._partner_in(field, given, column, place, later=later)
        if found is None and later and len(self.problems) == before:
            self.later.append((instance, field, given, column, place))
            return instance.__dict__.get(field.attname)
        return found

    def _partner(self, field: Any, given: Any) -> Any:
        """The key that is stored for a row of another model, by what tells it in tables; None if there is none.

        Raises:
            ValidationError: What is given can tell no row.
        """
        place = (field, given if isinstance(given, str) else repr(given))
        if self._partners.get(place) is None:
            if len(self._partners) >= REMEMBERED:
                self._partners.clear()
            told = teller(field.target)
            value = from_plain(told, given.strip() if isinstance(given, str) else given, textual=self.textual)
            holder(told).db_value_of(current_scope().database.dialect)(value)
            rows: QuerySet[Any] = QuerySet(field.target).unrestricted()
            same = list(rows.filter(**{told.name: value})[:2])
            if len(same) > 1:
                raise ValidationError(f"{told.name} {given!r:.60}: {_several(same)}", hint="Change one of them.")
            row = next(iter(same), None)
            self._partners[place] = None if row is None else (row.pk if self._is_many(field) else field.value_of(row))
        return self._partners[place]

    def _partner_in(self, field: Any, given: Any, column: str, place: Place, *, later: bool = False) -> Any:
        """The same, where it is told if there is none; ``later`` if a row further down may be it."""
        target = field.target
        try:
            found = self._partner(field, given)
        except ValidationError as error:
            self.problem(place, column, error.message, error.hint)
            return None
        if found is None and not later:
            self.problem(place, column, f"no {target._meta.label} has {teller(target).name} {given!r:.60}")
        return found

    def _link(self, instance: Any, field: Any, given: Any, column: str, place: Place) -> bool:
        """Set the partners of a many-to-many relation; whether they are others."""
        texts = split_cell(given) if isinstance(given, str) else given or []
        keys = []
        for text in texts if isinstance(texts, list) else [texts]:
            key = self._partner_in(field, text, column, place)
            keys += [] if key is None else [key]
        manager = getattr(instance, field.name)
        if set(manager.all().unrestricted().values_list("pk", flat=True)) == set(keys):
            return False
        manager.set(keys)
        return True

    def _save(self, instance: Any, place: Place, columns: Mapping[str, str]) -> bool:
        """Check and write a row; whether it was written."""
        try:
            instance.full_clean()
            instance.save()
        except ValidationError as error:
            for name, errors in error.by_field().items():
                for each in errors:
                    told = f"{name}: {each.message}" if name in self.fields and name not in columns else each.message
                    self.problem(place, columns.get(name), told, each.hint)
        except DatabaseUnavailable:  # it is no fault of a row's
            raise
        except DatabaseError as error:
            fields = getattr(error, "fields", ())
            self.problem(place, columns.get(fields[0]) if fields else None, error.message, error.hint)
        else:
            return True
        return False


def _several(rows: Sequence[Any]) -> str:
    """What to tell where one or another row of the database may be meant."""
    keys = " and ".join(f"{row.pk!r:.40}" for row in rows[:2])
    return f"the rows {keys} of {rows[0]._meta.label} both have this"


def _spelt(told: Told) -> str:
    """Values as text: what is equal is one text, 1.0 and 1.00 too."""
    return repr([part.normalize() if isinstance(part, Decimal) else part for part in told])
