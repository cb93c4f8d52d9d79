"""What a geometry may be given as: shapely, WKT, GeoJSON, a pair of numbers, a box."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError, GeometryError, ValidationError
from toolkit.i18n import gettext_lazy
from toolkit.validators.base import refusal

from .geojson import parse_geometry
from .measures import D
from .transform import transform
from .validity import LONGITUDE_FIRST, find_problem

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

ACCEPTED = gettext_lazy("Give a shapely geometry, WKT text, a GeoJSON object or, for a point, (longitude, latitude)")
_NO_GEOMETRY = gettext_lazy("%(shown)s is no geometry")
_NO_GEOJSON = gettext_lazy("%(shown)s is no GeoJSON: %(reason)s")
_NO_WKT = gettext_lazy("%(shown)s is no WKT: %(reason)s")


def to_geometry(value: Any, *, srid: int = 4326) -> BaseGeometry:
    """A geometry from any of the accepted forms, in the wanted reference.

    Args:
        value: A shapely geometry (transformed, when it carries another SRID), WKT or EWKT text, a GeoJSON object or its
            text, or a pair or triple of numbers for a point.
        srid: Spatial reference of numbers that carry none.

    Raises:
        ValidationError: It is none of these.
    """
    from shapely.geometry.base import BaseGeometry

    try:
        if isinstance(value, BaseGeometry):
            return _in_reference(value, srid)
        if isinstance(value, str):
            return _from_text(value.strip(), srid)
        if isinstance(value, Mapping):
            return parse_geometry(value, place="the geometry")
        if _is_position(value):
            return _point(value)
    except GeometryError as error:
        raise ValidationError(error.message, code="invalid", hint=error.hint) from error
    raise refusal(_NO_GEOMETRY, value, hint=ACCEPTED)


def to_usable_geometry(value: Any, *, srid: int = 4326) -> BaseGeometry:
    """The same, refused when it is invalid or out of range.

    Raises:
        ValidationError: With the reason and the position.
    """
    geometry = to_geometry(value, srid=srid)
    problem = find_problem(geometry, srid=srid)
    if problem is not None:
        raise ValidationError(problem.message, code="invalid_geometry", hint=problem.hint)
    return geometry


def to_box(value: Any, *, srid: int = 4326) -> BaseGeometry:
    """The box of a ``bbox`` lookup: (west, south, east, north), or the envelope of a geometry.

    West greater than east means a box over longitude 180, as in RFC 7946 §5.2; it comes as two.

    Raises:
        ValidationError: It is neither.
    """
    import shapely

    if not (isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 4):
        return to_geometry(value, srid=srid).envelope
    if not all(isinstance(number, (int, float)) for number in value):
        raise ValidationError(f"{value!r:.80} is no box", code="invalid", hint="Give (west, south, east, north)")
    west, south, east, north = value
    if south > north:
        hint = "Give (west, south, east, north)"
        raise ValidationError(f"the box {value!r:.80} has its south above its north", code="invalid", hint=hint)
    if west <= east:
        return shapely.box(west, south, east, north)
    if srid != 4326:
        raise ValidationError(f"the box {value!r:.80} has its west beyond its east", code="invalid")
    return shapely.MultiPolygon([shapely.box(west, south, 180, north), shapely.box(-180, south, east, north)])


def to_metres(value: Any) -> float:
    """The distance of a lookup in metres (in the reference's units, where it is flat).

    Raises:
        FieldError: It is no distance.
    """
    if isinstance(value, D):
        return value.m
    if isinstance(value, (int, float)) and not isinstance(value, bool) and not math.isnan(value):
        return float(value)
    raise FieldError(f"{value!r:.60} is no distance", hint="Give D(km=5), or a number of metres")


def split_distance(value: Any, lookup: str) -> tuple[Any, Any]:
    """The geometry and the distance of ``dwithin=(geometry, D(km=5))``.

    Raises:
        FieldError: It is no such pair.
    """
    if isinstance(value, (tuple, list)) and len(value) == 2:
        return value[0], value[1]
    raise FieldError(f"{lookup} takes (geometry, D(km=5)), not {value!r:.60}")


def _in_reference(geometry: BaseGeometry, srid: int) -> BaseGeometry:
    import shapely

    own = int(shapely.get_srid(geometry))
    if own in (0, srid):
        return geometry
    return shapely.set_srid(transform(geometry, own, srid), 0)


def _from_text(text: str, srid: int) -> BaseGeometry:
    import numpy
    import shapely

    if text.startswith("{"):
        try:
            return parse_geometry(json.loads(text), place="the geometry")
        except json.JSONDecodeError as error:
            raise refusal(_NO_GEOJSON, text, reason=error, hint=ACCEPTED) from error
    own, text = _split_ewkt(text)
    if "\0" in text:  # where a reader in C takes it to end
        raise refusal(_NO_WKT, text, reason="it has a null character", hint=ACCEPTED)
    try:
        with numpy.errstate(invalid="ignore"):  # of numbers that are none, which are told where it is used
            geometry = shapely.from_wkt(text)
    except (shapely.errors.ShapelyError, NotImplementedError) as error:  # the latter of curves
        reason = str(error).removeprefix("ParseException: ").removeprefix("IllegalArgumentException: ")
        raise refusal(_NO_WKT, text, reason=reason, hint=ACCEPTED) from error
    return transform(geometry, own, srid) if own else geometry


def _split_ewkt(text: str) -> tuple[int, str]:
    """The SRID in front of EWKT, ``SRID=3857;POINT (…)``; 0 when there is none."""
    head, mark, rest = text.partition(";")
    name, _, number = head.partition("=")
    if mark and name.strip().upper() == "SRID" and number.strip().isdigit():
        return int(number), rest.strip()
    return 0, text


def _is_position(value: Any) -> bool:
    return isinstance(value, (tuple, list)) and all(
        isinstance(number, (int, float)) and not isinstance(number, bool) for number in value
    )


def _point(value: Sequence[float]) -> BaseGeometry:
    import shapely

    if len(value) not in (2, 3):
        raise ValidationError(f"{value!r:.60} is no position", code="invalid", hint=LONGITUDE_FIRST)
    return shapely.Point(value)
