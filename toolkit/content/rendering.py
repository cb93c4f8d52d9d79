"""Rows as the text of files: the same rows give the same bytes, and loading them gives the same rows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from toolkit.content.keys import key_text
from toolkit.content.layout import Layout
from toolkit.content.levels import is_made, translated_fields
from toolkit.content.markdown_files import date_of
from toolkit.content.partners import default_of
from toolkit.content.rows import as_typed
from toolkit.content.stored import Stored
from toolkit.errors import ContentError, ToolkitError
from toolkit.models import JSONField, JSONNull
from toolkit.models.fields.base import MISSING
from toolkit.models.fields.several import parts_of
from toolkit.text.yaml_writing import written

_SPECIAL = re.compile('[,;"\t\r\n]')
_QUOTED = re.compile("[\r\x85\u2028\u2029]")


class Unsayable(Exception):
    """A value that this kind of file cannot hold."""


def plain(layout: Layout, field: Any, value: Any) -> Any:
    """A value as a file of the source's kind holds it.

    Raises:
        Unsayable: It cannot, or loading it would give another value.
    """
    if value is None:
        return None
    if isinstance(value, JSONNull):
        raise Unsayable(f"{field.name}: the null of JSON would be read as no value")
    said = _native(value, has_dates=layout.source.kind in ("yaml", "markdown"))
    if layout.source.kind == "csv":
        said = _cell(field, said)
    try:
        read = json.loads(said) if layout.source.kind == "csv" and isinstance(field, JSONField) else said
        read = as_typed(field, read, layout)
        same = field.clean(read) == value
    except ToolkitError as error:
        raise Unsayable(f"{field.name}: {error.message}") from error
    if not same:
        raise Unsayable(f"{field.name}: {value!r:.60} would be read as {field.clean(read)!r:.60}")
    return said


def _native(value: Any, *, has_dates: bool) -> Any:
    if hasattr(value, "__geo_interface__"):
        return json.loads(json.dumps(value.__geo_interface__))
    if isinstance(value, Decimal | UUID | time | timedelta):
        return str(value)
    if isinstance(value, date):
        return value if has_dates else value.isoformat()
    if isinstance(value, bytes) and not has_dates:
        raise Unsayable("bytes can be said in YAML only")
    return value


def _cell(field: Any, value: Any) -> str:
    if isinstance(field, JSONField) or isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, float) else str(value)


def absent(field: Any) -> Any:
    """What a field that a file does not mention becomes; ``MISSING`` if it must be mentioned."""
    return MISSING if is_made(field) else default_of(field)


def say_row(layout: Layout, row: Stored) -> dict[str, Any]:
    """Key to value for one row, without translations; what a file need not mention is left out.

    Raises:
        Unsayable: A value cannot be said.
    """
    key = layout.key_field
    said: dict[str, Any] = {} if key.is_several else {key.name: plain(layout, key, row.key)}
    for field in layout.fields:
        value = row.values[field.name]
        if field is key or field in layout.counted or field in layout.hidden:
            continue
        if field.is_relation:
            if value is not None or (field.default is not MISSING and not field.null):
                said[field.name] = _plain_key(layout, field, value)
        elif not _equal(value, absent(field)):
            said[field.name] = plain(layout, field, value)
    for field in layout.spread:  # one that stands for declared fields is said by them
        if row.values[field.name] is not None and layout.hidden.issuperset(field.parts):
            said[field.name] = _plain_key(layout, field, row.values[field.name])
    for field in layout.many:
        if not row.links[field.name] and not field.blank:
            name = field.target._meta.object_name
            raise Unsayable(f"{field.name}: a file names at least one {name}, and it has none")
        if row.links[field.name]:
            said[field.name] = [_plain_key(layout, field, key) for key in row.links[field.name]]
    return said


def _equal(value: Any, other: Any) -> bool:
    return type(value) is type(other) and bool(value == other)


def _plain_key(layout: Layout, field: Any, key: Any) -> Any:
    if isinstance(key, tuple):
        return _plain_parts(layout, field, [_native(part, has_dates=False) for part in key])
    said = _native(key, has_dates=False)
    if layout.source.kind == "csv" and isinstance(said, str) and (said != said.strip() or "|" in said or not said):
        raise Unsayable(f"{field.name}: the key {key!r} cannot stand in a list in a cell")
    return said


def _plain_parts(layout: Layout, field: Any, parts: list[Any]) -> Any:
    """A composite key, as a list; in CSV as one text, of which a list is held apart by commas."""
    if layout.source.kind != "csv":
        return parts
    for part in map(str, parts):
        if part != part.strip() or not part or (field in layout.many and "," in part):
            raise Unsayable(f"{field.name}: {part!r}, of the key {key_text(tuple(parts))!r}, cannot stand in a cell")
    return key_text(tuple(parts))


def say_translations(layout: Layout, row: Stored) -> dict[str, dict[str, Any]]:
    """Locale to key to value."""
    by_name = {field.name: field for field in layout.translated}
    return {
        locale: {name: plain(layout, by_name[name], value) for name, value in given.items()}
        for locale, given in row.translations.items()
    }


# files with many rows


def render_rows(layout: Layout, rows: Sequence[Stored]) -> str:
    """The text of a YAML, JSON, CSV or GeoJSON file.

    Raises:
        Unsayable: A value cannot be said.
    """
    if layout.source.kind == "csv":
        return _render_csv(layout, rows)
    said = [_with_translations(layout, row) for row in rows]
    if layout.source.kind == "yaml":
        return dump_yaml(said) if said else "[]\n"
    if layout.source.kind == "json":
        return json.dumps(said, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    return _render_geojson(layout, said)


def _with_translations(layout: Layout, row: Stored) -> dict[str, Any]:
    """``name: {en: Harbour, es: Puerto}``."""
    said = say_row(layout, row)
    translations = say_translations(layout, row)
    for field in translated_fields(layout.model):
        by_locale = {locale: given[field.name] for locale, given in translations.items() if field.name in given}
        if by_locale or (field.name in said and isinstance(said[field.name], Mapping)):
            own = said[field.name] if field.name in said else plain(layout, field, row.values[field.name])
            said[field.name] = {layout.default_locale: own, **by_locale}
    return said


def _render_geojson(layout: Layout, rows: Sequence[dict[str, Any]]) -> str:
    geometry = layout.source.geometry_field or ""
    lines = [
        json.dumps({"type": "Feature", "properties": row, "geometry": shape}, ensure_ascii=False, allow_nan=False)
        for row in rows
        for shape in [row.pop(geometry, None)]
    ]
    return '{"type": "FeatureCollection", "features": [\n' + ",\n".join(lines) + "\n]}\n"


def _render_csv(layout: Layout, rows: Sequence[Stored]) -> str:
    table = [_csv_row(layout, row) for row in rows]
    keys = [part.name for part in parts_of(layout.key_field)]
    used = {name for row in table for name in row} | set(keys)
    order = list(keys)
    for name in (field.name for field in [*layout.fields, *layout.many]):
        order += [name, *(f"{name}_{locale}" for locale in layout.locales)]
    header = [name for name in dict.fromkeys(order) if name in used]
    header += sorted(used - set(header))
    lines = [header, *([row.get(name, "") for name in header] for row in table)]
    return "".join(",".join(map(_quoted, line)) + "\n" for line in lines)


def _quoted(cell: str) -> str:
    """A cell in quotes if it needs them; Python's writer forgets a lone carriage return."""
    return '"' + cell.replace('"', '""') + '"' if _SPECIAL.search(cell) else cell


def _csv_list(layout: Layout, name: str, keys: Sequence[Any]) -> str:
    """Keys in one cell."""
    if layout.natural[name].is_several:
        return ", ".join(keys)
    return "|".join(map(str, keys)) + "|" * (len(keys) == 1 and "," in str(keys[0]))


def _csv_row(layout: Layout, row: Stored) -> dict[str, str]:
    cells = {}
    for name, value in say_row(layout, row).items():
        cell = _csv_list(layout, name, value) if isinstance(value, list) else value
        if cell is None or cell == "":
            raise Unsayable(f"{name}: CSV cannot tell an empty value from one that is not given")
        cells[name] = str(cell)
    for locale, given in say_translations(layout, row).items():
        cells |= {f"{name}_{locale}": value for name, value in given.items()}
    return cells


# Markdown


def render_markdown(layout: Layout, row: Stored, path: str) -> dict[str, str]:
    """The file of a row and those of its translations, by path.

    Raises:
        Unsayable: A value cannot be said.
    """
    source = layout.source
    said = say_row(layout, row)
    if said.get(source.key) == layout.key_of_file(path):
        del said[source.key]
    if source.date is not None and source.date not in said and date_of(path):
        raise Unsayable(f"{source.date}: the row has none, but the file's name begins with a date")
    body = row.values[source.body_field] if source.body_field else ""
    said.pop(source.body_field or "", None)
    files = {path: _markdown(said, source.body_field, body)}
    stem, _, suffix = path.rpartition(".")
    for locale, given in say_translations(layout, row).items():
        text = given.pop(source.body_field or "", "")
        files[f"{stem}.{locale}.{suffix}"] = _markdown(given, source.body_field, text)
    return files


def _markdown(matter: dict[str, Any], body_name: str | None, body: str | None) -> str:
    if body_name is not None and (body is None or "\r" in body):
        matter, body = {**matter, body_name: body}, ""  # in front matter, where it can be quoted
    front = f"---\n{dump_yaml(matter) if matter else ''}---\n"
    return f"{front}\n{body}\n" if body else front


# YAML


def dump_yaml(value: Any) -> str:
    """YAML as people write it: keys in their order, long lines whole, texts of several lines as blocks."""
    return written(value, _dumper_class)


@cache
def _dumper_class(base: Any) -> Any:
    class Dumper(base):  # type: ignore[misc]  # one of two classes
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def represent_text(dumper: Any, text: str) -> Any:
        style = '"' if _QUOTED.search(text) else "|" if "\n" in text else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, represent_text)
    return Dumper


def refused(layout: Layout, row: Stored, reason: str) -> ContentError:
    """A row that cannot be written to the source's kind of file."""
    told = f"{layout.model._meta.object_name} {row.key!r} cannot be written: {reason}"
    return ContentError(told, path=row.path or layout.source.pattern, hint="Mend the row, or use YAML.")
