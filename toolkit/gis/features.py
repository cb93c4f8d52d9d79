"""A feature: a geometry with what is said of it (RFC 7946 §3.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.errors import GeometryError

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Reader = str | Callable[[Any], Any]
Properties = Sequence[str] | Mapping[str, Reader]


@dataclass(frozen=True, slots=True)
class Feature:
    """A geometry with its properties.

    Args:
        geometry: In longitude and latitude; None for a thing without a place.
        properties: Names to values of text, numbers, booleans, None, lists and dicts of those.
        id: Stable name of the thing, text or number.
    """

    geometry: BaseGeometry | None
    properties: Mapping[str, Any] = field(default_factory=dict)
    id: str | int | float | None = None


def iter_features(
    things: Iterable[Any], *, properties: Properties = (), geometry: str = "", identifier: str = ""
) -> Iterator[Feature]:
    """Features of anything that has a geometry.

    Args:
        things: Features (kept as they are), shapely geometries, or objects such as the rows of a query.
        properties: Attributes to read, ``section.name`` or ``section__name`` for a related one; or a mapping
            of
            property names to attributes or functions of the object.
        geometry: The attribute that holds the geometry; by default the object's only one.
        identifier: The attribute that holds the id; by default none.

    Raises:
        GeometryError: An object has no geometry, or several.
    """
    from shapely.geometry.base import BaseGeometry

    readers = dict(properties) if isinstance(properties, Mapping) else dict(zip(properties, properties, strict=True))
    for thing in things:
        if isinstance(thing, Feature):
            yield thing
        elif isinstance(thing, BaseGeometry):
            yield Feature(thing)
        else:
            said = {name: _read(thing, reader) for name, reader in readers.items()}
            name = _read(thing, identifier) if identifier else None
            yield Feature(_geometry_of(thing, geometry), said, name)


def _read(thing: Any, reader: Reader) -> Any:
    if callable(reader):
        return reader(thing)
    for part in reader.replace("__", ".").split("."):
        if thing is None:
            return None
        thing = getattr(thing, part)
    return thing


def _geometry_of(thing: Any, attribute: str) -> BaseGeometry | None:
    from shapely.geometry.base import BaseGeometry

    names = [attribute] if attribute else _geometry_names(thing)
    if len(names) != 1:
        given = f"has {len(names)}: {', '.join(names)}" if names else "has none"
        raise GeometryError(
            f"a feature needs one geometry, and {type(thing).__name__} {given}",
            hint="Name the attribute: geometry='area'",
        )
    value = getattr(thing, names[0])
    if value is not None and not isinstance(value, BaseGeometry):
        raise GeometryError(f"{type(thing).__name__}.{names[0]} is {value!r:.60}, not a shapely geometry")
    return value


def _geometry_names(thing: Any) -> list[str]:
    """Its model's geometry fields; for other objects the attributes that are geometries."""
    from shapely.geometry.base import BaseGeometry

    meta = getattr(type(thing), "_meta", None)
    if meta is not None:
        return [each.name for each in meta.fields if hasattr(each, "geometry_type")]
    return [name for name, value in getattr(thing, "__dict__", {}).items() if isinstance(value, BaseGeometry)]
