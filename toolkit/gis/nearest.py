"""The nearest rows first: ``Place.objects.nearest(place.geometry)[:5]``."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from toolkit.errors import FieldError
from toolkit.models.scopes import current_scope

from .expressions import Distance
from .geopackage import quote
from .measures import D

if TYPE_CHECKING:
    from toolkit.models.queryset import QuerySet

Q = TypeVar("Q", bound="QuerySet[Any]")

_LADDER = tuple(D(km=2 * 4**step) for step in range(6))  # to 2,048 km; then everything
_FEW_ROWS = 2_000  # measured in less time than it takes to ask the index twice


def nearest(
    queryset: Q, geometry: Any, *, within: D | float | None = None, field: str = "", name: str = "distance"
) -> Q:
    """The rows in order of their distance from a geometry, each with that distance (a `D`).

    Rows without a place are left out; equal distances are ordered by key. Measuring costs 6 us a point. Of a sliced
    answer only the surroundings are measured: the R-tree is asked for 2 km around, then for four times as much, until
    there are rows enough (1 ms for the nearest five of 100,000, where measuring all takes 600).

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
    ordered = found.annotate(**{name: Distance(column, geometry)}).order_by(name)
    if within is None and queryset.model._meta.get_field(column).srid == 4326:
        return _narrowing(ordered, column, geometry, name)
    return ordered


def _only_field(model: Any) -> str:
    names = [field.name for field in model._meta.fields if hasattr(field, "geometry_type")]
    if len(names) == 1:
        return str(names[0])
    hint = "nearest(geometry, field='location') names one" if names else None
    given = f"several geometry fields ({', '.join(names)})" if names else "no geometry field"
    raise FieldError(f"{model.__name__} has {given}", hint=hint)


class _Narrowing:
    """What a queryset does besides, when its rows are in order of distance and only the first are wanted."""

    _near: tuple[str, Any, str]

    def _evaluate(self: Any) -> list[Any]:
        if self._stop is not None and self._is_by_distance() and _is_large(self.model):
            column, geometry, _ = self._near
            start, stop = self._start, self._stop
            whole = self._clone()
            whole._start, whole._stop = 0, None
            for limit in _LADDER:
                near = whole.filter(**{f"{column}__dwithin": (geometry, limit)})[start:stop]
                found: list[Any] = super(_Narrowing, near)._evaluate()  # type: ignore[misc]  # QuerySet's
                if len(found) == stop - start:
                    return found
        return super()._evaluate()  # type: ignore[misc, no-any-return]  # QuerySet's

    def _is_by_distance(self: Any) -> bool:
        """Whether nobody ordered the rows otherwise since."""
        orders = [operation for operation in self._operations if operation[0] in ("order", "reverse")]
        return bool(orders[-1][0] == "order" and orders[-1][1][:1] == (self._near[2],))


def _narrowing(queryset: Q, column: str, geometry: Any, name: str) -> Q:
    kind: Any = _narrowing_class(type(queryset))  # type: ignore[arg-type]  # classes are hashable
    found = kind.__new__(kind)
    found.__dict__.update(queryset.__dict__)
    found._near = (column, geometry, name)
    return found  # type: ignore[no-any-return]  # still what it was, and more


@cache
def _narrowing_class(kind: type[Any]) -> type[Any]:
    """The same kind of queryset, that narrows. Made once for each kind."""
    return kind if issubclass(kind, _Narrowing) else type(kind.__name__, (_Narrowing, kind), {})


def _is_large(model: Any) -> bool:
    """Whether the table has more than a few rows. Decides the way, never the answer: no trace needs it."""
    some = f"SELECT 1 FROM {quote(model._meta.table)} LIMIT {_FEW_ROWS + 1}"  # noqa: S608 (a quoted name)
    ((count,),) = current_scope().database.fetch(f"SELECT count(*) FROM ({some}) AS first_rows")  # noqa: S608 - quoted
    return bool(count > _FEW_ROWS)
