"""JSON, with the place of every value; and GeoJSON, whose features are rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from json.decoder import scanstring  # type: ignore[attr-defined]  # part of the module since 2.6
from typing import Any

from toolkit.content.place import Place, Step, content_error
from toolkit.errors import ContentError

_SPACE = " \t\r\n"


class JsonDocument:
    """The rows of a JSON text.

    Args:
        rows: What was read.
        text: The text.
        first_line: Line of the file on which it begins, from 1.
        prefixes: The path of each row in the text; by default its index.
        routes: Key of a row to its path below the prefix, where that is not the key itself.
    """

    def __init__(
        self,
        rows: Sequence[Mapping[str, Any]],
        text: str,
        *,
        first_line: int = 1,
        prefixes: list[tuple[Step, ...]] | None = None,
        within: tuple[Step, ...] = (),
        routes: Mapping[str, tuple[Step, ...]] | None = None,
    ) -> None:
        self.rows = rows
        self._text, self._first_line = text, first_line
        self._prefixes, self._within, self._routes = prefixes, within, routes or {}

    def locate(self, row: int, path: tuple[Step, ...] = (), *, key: bool = False) -> Place:
        prefix = self._prefixes[row] if self._prefixes is not None else (row,)
        full = prefix
        if path:
            route = self._routes.get(str(path[0]))
            full = prefix + (route + path[1:] if route is not None else self._within + path)
        return place_at(self._text, find_offset(self._text, full, key=key), self._first_line)

    def text_of(self, row: int, path: tuple[Step, ...]) -> str | None:
        return None


def place_at(text: str, offset: int, first_line: int = 1) -> Place:
    """Line and column of an offset."""
    line = text.count("\n", 0, offset)
    return Place(line + first_line, offset - text.rfind("\n", 0, offset))


def find_offset(text: str, path: tuple[Step, ...], *, key: bool = False) -> int:
    """Where the value at a path begins, or its key; as far as the path leads. The text is sound JSON."""
    at = _skip(text, 0)
    for number, step in enumerate(path):
        found = _member(text, at, step)
        if found is None:
            return at
        at = found[0] if key and number == len(path) - 1 else found[1]
    return at


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _member(text: str, at: int, step: Step) -> tuple[int, int] | None:
    """Offsets of a member's key and value in the object or array that begins here."""
    if text[at] not in "{[":
        return None
    decode = json.JSONDecoder().raw_decode
    named, index = text[at] == "{", 0
    at = _skip(text, at + 1)
    while text[at] not in "}]":
        begin, name = at, index
        if named:
            name, at = scanstring(text, at + 1, True)
            at = _skip(text, _skip(text, at) + 1)
        if name == step:
            return begin, at
        at = _skip(text, decode(text, at)[1])
        at, index = (_skip(text, at + 1) if text[at] == "," else at), index + 1
    return None


class _Duplicate(Exception):
    pass


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        raise _Duplicate(next(name for name, _ in pairs if name in seen or seen.add(name)))  # type: ignore[func-returns-value]  # add() gives None
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def load_json(text: str, *, path: str, first_line: int = 1) -> Any:
    """What a JSON text (RFC 8259) says.

    Raises:
        ContentError: It is no JSON, or an object repeats a key.
    """
    try:
        return json.loads(text, object_pairs_hook=_refuse_duplicates, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        place = Place(error.lineno + first_line - 1, error.colno)
        raise content_error(f"the JSON cannot be read: {error.msg}", path, place) from None
    except _Duplicate as error:
        lines = _lines_of_key(text, str(error), first_line)
        told = f"the key {error.args[0]!r} is twice in one object; it is on lines {', '.join(map(str, lines))}"
        raise content_error(told, path, Place(lines[-1] if lines else None), "Remove one of them.") from None
    except (ValueError, RecursionError) as error:
        raise content_error(f"the JSON cannot be read: {error}", path, Place(first_line)) from None


def _lines_of_key(text: str, name: str, first_line: int) -> list[int]:
    """Lines that hold this key; which object repeats it is for the reader to see."""
    written = json.dumps(name, ensure_ascii=False)
    return [number for number, line in enumerate(text.split("\n"), first_line) if written in line]


def parse_json(text: str, *, path: str, first_line: int = 1, single: bool = False) -> JsonDocument:
    """Read a JSON text: an object, or an array of objects.

    Raises:
        ContentError: It is something else.
    """
    value = load_json(text, path=path, first_line=first_line)
    is_one = isinstance(value, dict)
    if single and not is_one:
        raise content_error("an object is expected", path, Place(first_line), 'Write { "key": "value" }.')
    rows = [value] if is_one else value
    if not isinstance(rows, list):
        raise content_error("an array of objects is expected", path, Place(first_line, 1))
    prefixes: list[tuple[Step, ...]] = [()] if is_one else [(number,) for number in range(len(rows))]
    document = JsonDocument(rows, text, first_line=first_line, prefixes=prefixes)
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise content_error(f"an object is expected, not {row!r:.40}", path, document.locate(number))
    return document


def parse_geojson(text: str, *, path: str, geometry: str) -> JsonDocument:
    """Read a FeatureCollection or Feature (RFC 7946): properties and the geometry, one row for each feature.

    Args:
        geometry: The field that takes the geometry.

    Raises:
        ContentError: It is something else, or names another reference than WGS 84.
    """
    value = load_json(text, path=path)
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in ("FeatureCollection", "Feature"):
        raise content_error(f"a FeatureCollection is expected, not {kind!r}", path, Place(1, 1))
    features = [value] if kind == "Feature" else value.get("features")
    if not isinstance(features, list):
        raise content_error("'features' must be an array", path, Place(1, 1))
    _refuse_other_reference(value, text, path)
    paths: list[tuple[Step, ...]] = [()] if kind == "Feature" else [("features", n) for n in range(len(features))]
    rows: list[Mapping[str, Any]] = []
    for feature, at in zip(features, paths, strict=True):
        rows.append(_feature_row(feature, geometry, path, place_at(text, find_offset(text, at))))
    return JsonDocument(rows, text, prefixes=paths, within=("properties",), routes={geometry: ("geometry",)})


def _refuse_other_reference(value: dict[str, Any], text: str, path: str) -> None:
    """The ``crs`` member of GeoJSON before RFC 7946."""
    crs = value.get("crs")
    if crs is not None and "CRS84" not in json.dumps(crs) and "4326" not in json.dumps(crs):
        raise content_error(
            "the coordinates are in another reference than WGS 84",
            path,
            place_at(text, find_offset(text, ("crs",), key=True)),
            "Transform the file to EPSG:4326 (RFC 7946 §4).",
        )


def _feature_row(feature: Any, geometry: str, path: str, place: Place) -> dict[str, Any]:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise content_error("a Feature is expected", path, place)
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        raise content_error("'properties' must be an object", path, place)
    if geometry in properties and geometry != "geometry":
        raise ContentError(f"the property {geometry!r} is the name of the geometry field", path=path, line=place.line)
    return {**properties, geometry: feature.get("geometry")}
