"""GeoJSON (RFC 7946), read strictly and written the same way every time."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from toolkit.errors import GeometryError, Problems, ToolkitError, did_you_mean

from .features import Feature, Properties, iter_features
from .orient import orient

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

PRECISION = 6
"""Decimals of a degree: 0.1 m, what a town's map can use (RFC 7946 §11.2)."""

# How deep positions are nested in "coordinates".
_DEPTHS = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}
_LARGEST = 1.7976931348623157e308  # a whole number beyond it is JSON, and no coordinate
_TYPES = (*_DEPTHS, "GeometryCollection")
_WGS84_NAMES = (
    "urn:ogc:def:crs:OGC:1.3:CRS84",
    "urn:ogc:def:crs:OGC::CRS84",
    "EPSG:4326",
    "urn:ogc:def:crs:EPSG::4326",
)


def parse(source: str | bytes | Mapping[str, Any], *, path: str | Path | None = None) -> list[Feature]:
    """The features of a GeoJSON text or object: a FeatureCollection, a Feature or a bare geometry.

    Args:
        source: JSON text, or what came of it.
        path: The file it is from, for errors.

    Raises:
        GeometryError: It is no GeoJSON at all.
        Problems: Features are wrong; each is named by its index from 0, and the member at fault.
    """
    document = _load(source, path) if isinstance(source, (str, bytes)) else source
    if not isinstance(document, Mapping):
        raise GeometryError(f"GeoJSON is an object, not {_kind(document)}", path=path)
    _refuse_crs(document, path)
    kind = document.get("type")
    if kind == "Feature":
        return _parse_all([document], path, "feature")
    if kind == "FeatureCollection":
        members = document.get("features")
        if not isinstance(members, list):
            raise GeometryError(f"features is {_kind(members)}, and must be an array", path=path)
        return _parse_all(members, path, "features[{}]")
    if kind in _TYPES:
        return [Feature(parse_geometry(document, path=path))]
    known = (*_TYPES, "Feature", "FeatureCollection")
    raise GeometryError(f"type is {kind!r}, which is no GeoJSON type", path=path, hint=did_you_mean(str(kind), known))


def parse_geometry(
    member: Mapping[str, Any], *, path: str | Path | None = None, place: str = "geometry"
) -> BaseGeometry:
    """A shapely geometry of a GeoJSON geometry object.

    Args:
        member: The object.
        path: The file it is from, for errors.
        place: What the object is called in errors, such as ``features[3].geometry``.

    Raises:
        GeometryError: With the member at fault.
    """
    import shapely

    try:
        _check_geometry(member, place)
    except GeometryError as error:
        error.path = path
        raise
    try:
        return shapely.from_geojson(json.dumps(_without_extras(member)))
    except shapely.errors.ShapelyError as error:
        raise GeometryError(f"{place}: {error}", path=path) from error


def geometry_object(geometry: BaseGeometry, *, precision: int = PRECISION) -> dict[str, Any]:
    """A GeoJSON geometry object: rings wound as RFC 7946 §3.1.6 wants, decimals capped, M left out.

    Args:
        geometry: In longitude and latitude.
        precision: Decimals at most. Rounding moves a position by half a unit of the last one.
    """
    if geometry.geom_type == "GeometryCollection":
        return {
            "type": "GeometryCollection",
            "geometries": [geometry_object(g, precision=precision) for g in geometry.geoms],
        }
    kind = "LineString" if geometry.geom_type == "LinearRing" else geometry.geom_type
    shape = orient(geometry).__geo_interface__["coordinates"] if not geometry.is_empty else []
    has_z = bool(geometry.has_z)
    return {"type": kind, "coordinates": _rounded(shape, precision, 3 if has_z else 2)}


def geojson(
    things: Iterable[Any],
    properties: Properties = (),
    *,
    geometry: str = "",
    identifier: str = "",
    precision: int = PRECISION,
) -> str:
    """A FeatureCollection as JSON text: the same features give the same bytes.

    Args:
        things: Features, geometries, or objects such as the rows of a query, in the order to write.
        properties: What to say of each object (`iter_features`).
        geometry: The attribute that holds the geometry, when there are several.
        identifier: The attribute that holds the id.
        precision: Decimals at most.

    Raises:
        GeometryError: A property cannot be written as JSON, or an object has no geometry.
    """
    found = iter_features(things, properties=properties, geometry=geometry, identifier=identifier)
    members = [feature_object(feature, precision=precision) for feature in found]
    return dumps({"type": "FeatureCollection", "features": members})


def feature_object(feature: Feature, *, precision: int = PRECISION) -> dict[str, Any]:
    """A GeoJSON Feature object."""
    written: dict[str, Any] = {"type": "Feature"}
    if feature.id is not None:
        written["id"] = _plain(feature.id, "id")
    place = feature.geometry
    written["geometry"] = geometry_object(place, precision=precision) if place is not None else None
    written["properties"] = {name: _plain(value, name) for name, value in feature.properties.items()}
    return written


def dumps(document: Any) -> str:
    """Compact JSON, non-ASCII letters as they are."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def dumps_for_script(document: Any) -> str:
    """The same, safe between ``<script type="application/json">`` and its end tag."""
    return dumps(document).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _load(source: str | bytes, path: str | Path | None) -> Any:
    try:
        return json.loads(source)
    except json.JSONDecodeError as error:
        raise GeometryError(f"no JSON: {error.msg}", path=path, line=error.lineno, column=error.colno) from error
    except UnicodeDecodeError as error:
        raise GeometryError(f"not UTF-8: {error.reason} at byte {error.start}", path=path) from error
    except RecursionError as error:
        raise GeometryError("its arrays or objects are nested too deeply to be read", path=path) from error


def _refuse_crs(document: Mapping[str, Any], path: str | Path | None) -> None:
    crs = document.get("crs")
    if crs is None:
        return
    properties = crs.get("properties") if isinstance(crs, Mapping) else None
    name = properties.get("name") if isinstance(properties, Mapping) else crs
    if name not in _WGS84_NAMES:
        raise GeometryError(
            f"crs is {name!r}; GeoJSON is in longitude and latitude (RFC 7946 §4)",
            path=path,
            hint="Export it again in EPSG:4326, or transform it with toolkit.gis.transform",
        )


def _parse_all(members: list[Any], path: str | Path | None, label: str) -> list[Feature]:
    features: list[Feature] = []
    problems: list[ToolkitError] = []
    for index, member in enumerate(members):
        try:
            features.append(_parse_feature(member, path, label.format(index)))
        except GeometryError as error:
            problems.append(error)
    if problems:
        raise Problems(problems)
    return features


def _parse_feature(member: Any, path: str | Path | None, place: str) -> Feature:
    if not isinstance(member, Mapping) or member.get("type") != "Feature":
        found = repr(member.get("type")) if isinstance(member, Mapping) else _kind(member)
        raise GeometryError(f"{place}.type is {found}, and must be 'Feature'", path=path)
    properties = member.get("properties")
    if properties is not None and not isinstance(properties, Mapping):
        raise GeometryError(f"{place}.properties is {_kind(properties)}, and must be an object or null", path=path)
    name = member.get("id")
    if name is not None and (isinstance(name, bool) or not isinstance(name, (str, int, float))):
        raise GeometryError(f"{place}.id is {_kind(name)}, and must be text or a number", path=path)
    if "geometry" not in member:
        raise GeometryError(f"{place}.geometry is missing", path=path, hint="Write null for a feature without a place")
    geometry = member["geometry"]
    shape = None if geometry is None else parse_geometry(geometry, path=path, place=f"{place}.geometry")
    return Feature(shape, dict(properties or {}), name)


def _check_geometry(member: Any, place: str) -> None:
    if not isinstance(member, Mapping):
        raise GeometryError(f"{place} is {_kind(member)}, and must be an object")
    kind = member.get("type")
    if kind not in _TYPES:
        raise GeometryError(f"{place}.type is {kind!r}", hint=did_you_mean(str(kind), _TYPES))
    if kind == "GeometryCollection":
        parts = member.get("geometries")
        if not isinstance(parts, list):
            raise GeometryError(f"{place}.geometries is {_kind(parts)}, and must be an array")
        for index, part in enumerate(parts):
            _check_geometry(part, f"{place}.geometries[{index}]")
        return
    _check_coordinates(member.get("coordinates"), kind, f"{place}.coordinates")


def _check_coordinates(value: Any, kind: str, place: str) -> None:
    if not isinstance(value, list):
        raise GeometryError(f"{place} is {_kind(value)}, and must be an array")
    if value or kind not in ("Point", "LineString"):  # an empty array is an empty geometry (§3.1)
        _check_level(value, _DEPTHS[kind], place, closed=kind.endswith("Polygon"))


def _check_level(value: Any, depth: int, place: str, *, closed: bool) -> None:
    if depth == 0:
        _check_position(value, place)
        return
    if not isinstance(value, list):
        raise GeometryError(
            f"{place} is {_kind(value)}, and must be an array of {'positions' if depth == 1 else 'arrays'}"
        )
    for index, part in enumerate(value):
        _check_level(part, depth - 1, f"{place}[{index}]", closed=closed)
    if closed and depth == 1:
        _check_ring(value, place)


def _check_position(value: Any, place: str) -> None:
    if not isinstance(value, list) or len(value) < 2:
        raise GeometryError(f"{place} is {value!r:.60}, and must be a position: [longitude, latitude]")
    for index, number in enumerate(value):
        if not _is_finite_number(number):
            raise GeometryError(f"{place}[{index}] is {number!r:.60}, and must be a finite number")


def _is_finite_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= _LARGEST and value == value


def _check_ring(ring: list[Any], place: str) -> None:
    if len(ring) < 4:
        raise GeometryError(f"{place} is a ring of {len(ring)} positions, and needs four or more (RFC 7946 §3.1.6)")
    if ring[0] != ring[-1]:
        raise GeometryError(f"{place} is not closed: it begins at {ring[0]} and ends at {ring[-1]}")


def _without_extras(member: Mapping[str, Any]) -> dict[str, Any]:
    """Type and positions alone, positions cut to three numbers (§3.1.1: more have no meaning)."""
    if member["type"] == "GeometryCollection":
        return {
            "type": "GeometryCollection",
            "geometries": [_without_extras(part) for part in member["geometries"]],
        }
    return {"type": member["type"], "coordinates": _cut(member["coordinates"])}


def _cut(value: list[Any]) -> list[Any]:
    return value[:3] if value and not isinstance(value[0], list) else [_cut(part) for part in value]


def _rounded(shape: Any, precision: int, dimensions: int) -> list[Any]:
    if shape and isinstance(shape[0], (int, float)):
        return [_number(value, precision) for value in shape[:dimensions]]
    return [_rounded(part, precision, dimensions) for part in shape]


def _number(value: float, precision: int) -> float | int:
    short = round(float(value), precision)
    return int(short) if short.is_integer() else short  # also turns -0.0 into 0


def _plain(value: Any, place: str) -> Any:
    """What JSON can say; dates in ISO 8601, decimals as numbers."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (float, Decimal)):
        if not math.isfinite(value):
            raise GeometryError(f"property {place!r} is {value}, which JSON cannot say")
        return float(value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(part, f"{place}.{name}") for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part, f"{place}[{index}]") for index, part in enumerate(value)]
    raise GeometryError(
        f"property {place!r} is {type(value).__name__} {value!r:.60}, which JSON cannot say",
        hint="Name one of its attributes, such as 'section.name'",
    )


def _kind(value: Any) -> str:
    names = {
        dict: "an object",
        list: "an array",
        str: "text",
        bool: "a boolean",
        int: "a number",
        float: "a number",
    }
    return "missing" if value is None else names.get(type(value), type(value).__name__)
