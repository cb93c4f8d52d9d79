"""What is on a map: shapes with a kind, a label and a link, in the order they are drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.gis.features import Feature, iter_features

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Reader = str | Callable[[Any], Any]

KINDS = ("land", "water", "area", "street", "line", "landmark")
"""Kinds of shape from the bottom of the map to its top; each is a class in the style sheet."""
OTHER = "landmark"


@dataclass(frozen=True, slots=True)
class Shape:
    """One thing on a map.

    Args:
        geometry: In longitude and latitude, not empty.
        kind: One of ``KINDS``, or ``"focus"``: how it is drawn.
        label: Its name in the reader's language; empty for none.
        url: Where its name leads on an interactive map; empty for nowhere.
        text: A sentence under the name, on an interactive map.
    """

    geometry: BaseGeometry
    kind: str = OTHER
    label: str = ""
    url: str = ""
    text: str = ""


def collect_shapes(
    features: Iterable[Any],
    *,
    kind: Reader = "kind",
    label: Reader = "name",
    url: Reader = "url",
    text: Reader = "",
    geometry: str = "",
) -> list[Shape]:
    """The shapes of features or objects, bottom first; those without a place are left out.

    Args:
        features: Features, shapely geometries, or objects such as the rows of a query.
        kind: Property, attribute or function that gives the kind; what is no kind is drawn as a landmark.
        label: The same for the name.
        url: The same for the link.
        text: The same for the sentence.
        geometry: The attribute that holds the geometry, when there are several.
    """
    shapes = []
    for thing in features:
        if isinstance(thing, Shape):
            shapes.append(thing)
            continue
        (feature,) = iter_features([thing], geometry=geometry)
        if feature.geometry is None or feature.geometry.is_empty:
            continue
        said = [_say(thing, reader) for reader in (kind, label, url, text)]
        shapes.append(Shape(feature.geometry, said[0] if said[0] in KINDS else OTHER, *said[1:]))
    return sorted(shapes, key=_depth)


def _depth(shape: Shape) -> tuple[int, float]:
    """Kinds from the bottom up; of one kind the small above the large, so that an island hides no quay."""
    kind = KINDS.index(shape.kind) if shape.kind in KINDS else len(KINDS)
    return kind, -float(shape.geometry.area)


def _say(thing: Any, reader: Reader) -> str:
    if callable(reader):
        value = reader(thing)
    elif isinstance(thing, Feature):
        value = thing.properties.get(reader)
    else:
        value = getattr(thing, reader, None) if reader else None
        if callable(value):
            value = value()
    return "" if value is None else str(value)
