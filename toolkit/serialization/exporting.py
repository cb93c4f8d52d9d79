"""Rows of one model as a plain table, for a spreadsheet or a program of others."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

from toolkit.errors import ContentError, did_you_mean
from toolkit.models import QuerySet
from toolkit.models.sqltext import CHUNK_KEYS
from toolkit.serialization.cells import joined_cell
from toolkit.serialization.formats.csv import csv_line
from toolkit.serialization.formulas import guarded
from toolkit.serialization.records import teller, to_plain
from toolkit.trace import EDITOR, Scope, entered


def export_rows(
    scope: Scope,
    model: Any,
    out: IO[str],
    *,
    kind: str = "csv",
    fields: Sequence[str] | None = None,
    raw: bool = False,
) -> int:
    """Write a model's rows as a plain table, some at a time.

    In CSV, text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return gets an apostrophe before it:
    a spreadsheet would run it as a formula. An import takes it away.

    Args:
        scope: Gives the database.
        model: The model.
        out: Where to.
        kind: ``csv``, ``json`` or ``jsonl``.
        fields: These fields, in this order; all by default.
        raw: Without the apostrophes.

    Returns:
        How many rows.
    """
    editor = Scope(scope.site, scope.database, EDITOR, scope.default_locale, scope.default_locale, scope.moment)
    chosen = _chosen(model, fields)
    write = _WRITERS.get(kind)
    if write is None:
        raise ContentError(f"a table is not written as {kind}", hint="Use csv, json or jsonl; or toolkit data dump.")
    with entered(editor), scope.database.snapshot():
        return write(out, [field.name for field in chosen], _table(model, chosen, textual=kind == "csv", raw=raw))


def _chosen(model: Any, names: Sequence[str] | None) -> list[Any]:
    meta = model._meta
    links = set(meta.parents.values())
    known = {f.name: f for f in (*meta.fields, *meta.many_to_many) if f not in links and not f.is_generated}
    for name in names or ():
        if name not in known:
            raise ContentError(f"{meta.label} has no field {name!r}", hint=did_you_mean(name, known))
    return [known[name] for name in (known if names is None else names)]


def _table(model: Any, fields: Sequence[Any], *, textual: bool, raw: bool) -> Iterator[list[Any]]:
    many = model._meta.many_to_many
    home = model._meta.database
    related = [f.name for f in fields if f.is_relation and f not in many and f.target._meta.database == home]
    rows: QuerySet[Any] = QuerySet(model).unrestricted().order_by("pk")
    rows = rows.select_related(*related) if related else rows
    every = rows.iterator(chunk_size=CHUNK_KEYS)
    while chunk := list(itertools.islice(every, CHUNK_KEYS)):
        links = {field: _links(field, [row.pk for row in chunk]) for field in fields if field in many}
        for row in chunk:
            yield [
                _many_cell(links[field].get(row.pk, []), textual=textual, raw=raw)
                if field in many
                else _one_cell(field, row, textual=textual, raw=raw)
                for field in fields
            ]


def _links(field: Any, pks: Sequence[Any]) -> dict[Any, list[Any]]:
    """Key of a row to what tells its partners."""
    own, other = field.link_fields()
    told = teller(field.target)
    links: QuerySet[Any] = QuerySet(field.through).unrestricted().filter(**{f"{own.name}__in": list(pks)})
    found: dict[Any, list[Any]] = {}
    for link in links.select_related(other.name).order_by("pk"):
        value = getattr(getattr(link, other.name), told.attname)
        found.setdefault(getattr(link, own.attname), []).append(to_plain(told, value, textual=False))
    return found


def _one_cell(field: Any, row: Any, *, textual: bool, raw: bool) -> Any:
    if field.is_relation:
        partner = getattr(row, field.name)
        field, row = (teller(field.target), partner) if partner is not None else (field, row)
    value = getattr(row, field.attname)
    plain = to_plain(field, value, textual=textual)
    return _guarded(plain, raw=raw) if textual and isinstance(value, str) else plain


def _many_cell(partners: Sequence[Any], *, textual: bool, raw: bool) -> Any:
    return _guarded(joined_cell(map(str, partners)), raw=raw) if textual else list(partners)


def _guarded(text: str, *, raw: bool) -> str:
    return text if raw else guarded(text)


def _write_csv(out: IO[str], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    out.write(csv_line(names))
    count = 0
    for row in rows:
        count += 1
        out.write(csv_line(["" if cell is None else str(cell) for cell in row]))
    return count


def _write_json(out: IO[str], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    count = 0
    for count, row in enumerate(rows, 1):
        out.write("[\n" if count == 1 else ",\n")
        out.write(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False))
    out.write("\n]\n" if count else "[]\n")
    return count


def _write_lines(out: IO[str], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    count = 0
    for row in rows:
        count += 1
        out.write(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n")
    return count


_WRITERS = {"csv": _write_csv, "json": _write_json, "jsonl": _write_lines}
