"""Rows of one model from a table that anybody may have made."""

from __future__ import annotations

import codecs
import csv
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

from toolkit.errors import ContentError, DatabaseError, Problems, ToolkitError, ValidationError, did_you_mean
from toolkit.models import DateTimeField, QuerySet
from toolkit.models.fields.dates import in_zone
from toolkit.models.scopes import current_scope
from toolkit.models.sqltext import CHUNK_KEYS
from toolkit.serialization.formats.base import kind_of
from toolkit.serialization.formats.json import iter_lines, iter_values
from toolkit.serialization.formats.reading import PIECE_BYTES, RECORD_BYTES, too_long
from toolkit.serialization.keys import REMEMBERED
from toolkit.serialization.records import Place, from_plain, teller
from toolkit.serialization.spool import Spool
from toolkit.serialization.writing import TableWriter
from toolkit.trace import EDITOR, Scope, entered

DELIMITERS = ",;\t|"

_END = re.compile(r"\r\n|\n|\r")


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


def kind_of_table(path: Path) -> str:
    """The kind of a table by its file's ending: tab-separated values are CSV with another mark between.

    Raises:
        ContentError: It tells none.
    """
    return "csv" if ".tsv" in path.suffixes[-2:] else kind_of(path)


def read_table(source: IO[bytes], kind: str, *, encoding: str | None = None) -> Iterator[tuple[Any, Place]]:
    """The rows of a file, each as column to value.

    Args:
        source: The file.
        kind: ``csv``, ``json`` or ``jsonl``.
        encoding: Of a CSV file; by default UTF-8, or UTF-16 if it begins with a mark that says so.

    Raises:
        ContentError: It is no such file.
    """
    if kind == "json":
        return iter_values(source)
    if kind == "jsonl":
        return iter_lines(source)
    if kind == "csv":
        return _read_csv(_decoded(source, encoding))
    raise ContentError(
        f"a table is not read from {kind}", hint="Use csv, json or jsonl; for a dump: toolkit data load."
    )


def _decoded(source: IO[bytes], encoding: str | None) -> Iterator[str]:
    """The lines of a CSV file, whichever way they end."""
    piece = source.read(PIECE_BYTES)
    marked = "utf-16" if piece.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    line, text = 1, ""
    try:
        decoder = codecs.getincrementaldecoder(encoding or marked)()
        while piece or text:
            more = decoder.decode(piece, final=not piece)
            text += more
            if not piece or "\n" in more or "\r" in more:
                *lines, text = _split(text, is_last=not piece)
                line += len(lines)
                yield from lines
            if len(text) > RECORD_BYTES:
                raise too_long(line=line)
            piece = source.read(PIECE_BYTES) if piece else b""
    except (UnicodeError, LookupError) as error:
        told = f"the file is not {encoding or marked.removesuffix('-sig').upper()}: {error}"
        raise ContentError(told, line=line, hint="Say which it is: --encoding latin-1.") from error


def _split(text: str, *, is_last: bool) -> list[str]:
    """The lines of a text with their ends, and what follows the last of these."""
    ends = [found.end() for found in _END.finditer(text)]
    if not is_last and text.endswith("\r"):
        ends.pop()  # the next piece may begin with the other half of its end
    lines = [text[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
    rest = text[ends[-1] if ends else 0 :]
    return [*lines, rest, ""] if is_last and rest else [*lines, "" if is_last else rest]


def _read_csv(lines: Iterator[str]) -> Iterator[tuple[Any, Place]]:
    head = next(lines, "")
    delimiter = max(DELIMITERS, key=head.count)
    before = csv.field_size_limit(RECORD_BYTES)  # the module has one for the whole process
    reader = csv.reader(itertools.chain([head], lines), delimiter=delimiter, strict=True)
    header: list[str] = []
    number = line = 0
    try:
        for cells in reader:
            begin, line = line + 1, reader.line_num
            if not any(cells):
                continue
            if not header:
                header = _header(cells)
                continue
            number += 1
            if len(cells) != len(header):
                raise ContentError(f"the row has {len(cells)} cells, and the header {len(header)}", line=begin)
            yield dict(zip(header, cells, strict=True)), Place(begin, number)
    except csv.Error as error:
        raise ContentError(f"the file is no CSV: {error}", line=line + 1) from error
    finally:
        csv.field_size_limit(before)


def _header(cells: Sequence[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ContentError(f"the column {twice!r} stands twice", line=1)
    return names


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
        key: The field that tells whether a row is there already; by default the model's own (see ``teller``). If the
            table has no such column, all rows are new.
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
        key: The field that tells rows.
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
        if key is not None and key not in self.fields:
            raise ContentError(f"{meta.label} has no field {key!r}", hint=did_you_mean(key, self.fields))
        self.key = self.fields[key] if key is not None else teller(model)
        self.done = Imported()
        self.problems: list[ToolkitError] = []
        self._spool = Spool([model])
        self.later: list[tuple[Any, Any, Any, str, Place]] = []
        self._partners: dict[tuple[Any, Any], Any] = {}
        self._unknown: set[str] = set()

    def problem(self, place: Place, column: str | None, told: str, hint: str | None = None) -> None:
        """Note what is wrong."""
        row = place.number if place.line is None else None
        self.problems.append(
            ContentError(told, path=self.path or None, line=place.line, row=row, column=column, hint=hint)
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
        for instance, field, given, column, place in self.later:
            found = self._partner(field, given)
            if found is None:
                self._missing(field, given, column, place)
            else:
                setattr(instance, field.attname, found)
                self._save(instance, place, {field.name: column})

    def _take_chunk(self, chunk: Sequence[tuple[Any, Place]]) -> None:
        read = [self._read(data, place) for data, place in chunk]
        told = [found[0][self.key] for found in read if found and found[0].get(self.key) is not None]
        rows: QuerySet[Any] = QuerySet(self.model).unrestricted().filter(**{f"{self.key.name}__in": told})
        there = {getattr(row, self.key.attname): row for row in rows} if told else {}
        for found, (_, place) in zip(read, chunk, strict=True):
            if found is not None:
                self._take(*found, place, there)

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
        for column, given in data.items():
            name = self.columns.get(column, column)
            field = self.fields.get(name)
            if field is None:
                self._refuse_column(column, name, Place(1, 0) if self.textual else place)
                continue
            columns[field.name] = column
            if given != "" or field.null or self._is_many(field) or isinstance(field.empty, str):
                values[field] = self._value(field, given, column, place)  # else nothing is said, as of a new row
        return (values, columns) if len(self.problems) == before else None

    def _refuse_column(self, column: str, name: str, place: Place) -> None:
        if name and column not in self._unknown:
            self._unknown.add(column)
            hint = did_you_mean(name, self.fields) or f"Pass it over with --map '{column}='."
            self.problem(place, column, f"{self.model._meta.label} has no field {name!r}", hint)

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
            if field is self.key:  # rows are looked for by it before they are checked
                field.db_value_of(current_scope().database.dialect)(value)
            return value
        except ValidationError as error:
            self.problem(place, column, error.message, error.hint)
        except (TypeError, ValueError, ArithmeticError) as error:
            self.problem(place, column, f"{given!r:.60} cannot be read: {error}")
        return None

    def _take(self, values: dict[Any, Any], columns: dict[str, str], place: Place, there: Mapping[Any, Any]) -> None:
        told = values.get(self.key)
        twin = None if told is None else self._spool.note_key(self.model, _spelt(told), place.number)
        if twin is not None:
            self.problem(place, columns[self.key.name], f"{told!r:.60} stands twice: in row {twin} too")
            return
        known = there.get(told) if told is not None else None
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
        found = self._partner(field, given)
        if found is not None:
            return found
        if field.target is self.model and field.null:
            self.later.append((instance, field, given, column, place))
            return instance.__dict__.get(field.attname)
        self._missing(field, given, column, place)
        return None

    def _partner(self, field: Any, given: Any) -> Any:
        """The key that is stored for a row of another model, by what tells it in tables."""
        place = (field, given if isinstance(given, str | int) else repr(given))
        if self._partners.get(place) is None:
            if len(self._partners) >= REMEMBERED:
                self._partners.clear()
            told = teller(field.target)
            rows: QuerySet[Any] = QuerySet(field.target).unrestricted()
            try:
                value = told.from_string(given.strip()) if isinstance(given, str) else told.to_python(given)
                row = rows.filter(**{told.name: value}).first()
            except (ToolkitError, TypeError, ValueError):
                row = None
            self._partners[place] = None if row is None else (row.pk if self._is_many(field) else field.value_of(row))
        return self._partners[place]

    def _missing(self, field: Any, given: Any, column: str, place: Place) -> None:
        target = field.target
        self.problem(place, column, f"no {target._meta.label} has {teller(target).name} {given!r:.60}")

    def _link(self, instance: Any, field: Any, given: Any, column: str, place: Place) -> bool:
        """Set the partners of a many-to-many relation; whether they are others."""
        texts = [text for text in map(str.strip, given.split(",")) if text] if isinstance(given, str) else given or []
        keys = []
        for text in texts if isinstance(texts, list) else [texts]:
            key = self._partner(field, text)
            if key is None:
                self._missing(field, text, column, place)
            else:
                keys.append(key)
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
        except DatabaseError as error:
            fields = getattr(error, "fields", ())
            self.problem(place, columns.get(fields[0]) if fields else None, error.message, error.hint)
        else:
            return True
        return False


def _spelt(told: Any) -> str:
    """A value as text: what is equal is one text, 1.0 and 1.00 too."""
    return repr(told.normalize() if isinstance(told, Decimal) else told)
