"""What can be asked of rows besides the rows: how many, whether, their totals, and the dates in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from typing import TYPE_CHECKING, Any, TypeVar

from toolkit.errors import FieldError, did_you_mean
from toolkit.lazily import LazyModule
from toolkit.models.asking import Answers
from toolkit.models.expressions import Expression
from toolkit.models.fields import DateField
from toolkit.models.fields.base import Field
from toolkit.models.nesting import lift_nested
from toolkit.models.scopes import find_shape

if TYPE_CHECKING:
    from toolkit.models import aggregates as totalling
    from toolkit.models import splitting
    from toolkit.models.aggregates import Aggregate
    from toolkit.models.functions import truncating
    from toolkit.models.queryset import QuerySet
else:
    splitting = LazyModule("toolkit.models.splitting")
    totalling = LazyModule("toolkit.models.aggregates")
    truncating = LazyModule("toolkit.models.functions.truncating")

M = TypeVar("M", covariant=True)


class Summaries(Answers[M]):
    """A question that can be answered in short."""

    def count(self) -> int:
        """How many rows."""
        kept = self._kept()
        if kept is not None:
            return len(kept)
        return int(self._ask("count"))

    def exists(self) -> bool:
        """Whether there is any row."""
        kept = self._kept()
        if kept is not None:
            return bool(kept)
        return bool(self._ask("exists"))

    def contains(self, item: Any) -> bool:
        """Whether an object is among the rows, asked of the database unless they are loaded.

        Args:
            item: A saved instance of the model.
        """
        if self._gives != "instances":
            raise FieldError("contains() cannot follow values()", hint="Filter by the value, and ask exists().")
        if not hasattr(item, "_meta"):
            raise FieldError(f"contains({item!r}): it is no instance of a model")
        if not isinstance(item, self.model._meta.concrete_model):
            return False
        if item.pk is None:
            raise FieldError(f"contains(): an unsaved {self.model.__name__} is nowhere", hint="Save it first.")
        if self._kept() is not None or self._start or self._stop is not None:
            return item in self._fetch()
        if self._is_looking_around():
            return self._replaced((), ()).filter(pk__in=self).filter(pk=item.pk).exists()
        return self.filter(pk=item.pk).exists()

    def aggregate(self, /, *aggregates: Aggregate, **named: Expression) -> dict[str, Any]:
        """Totals over all rows of the question; over its groups, its distinct values or its slice, if it has them.

        Args:
            aggregates: Aggregates of fields, known by names such as ``weight__sum``.
            named: Aggregates, and what is computed of several: ``share=Sum("words") / Count("pk")``, or with
                ``F("total")`` of one that is named before.
        """
        self._refuse_combined("aggregate")
        for item in (*aggregates, *named.values()):
            if not isinstance(item, Expression):
                raise FieldError(f"aggregate({item!r}): that is no aggregate", hint="Such as total=Sum('weight').")
        for item in aggregates:
            if not hasattr(item, "default_alias"):
                raise FieldError(f"aggregate({item!r}) needs a name", hint=f"Write aggregate(name={item!r}).")
        for alias in named:
            if not alias.isidentifier():
                raise FieldError(
                    f"aggregate(): {alias!r} cannot be the name of a value", hint="Such as total=Sum(...)."
                )
        every = {**{item.default_alias: item for item in aggregates}, **named}
        if not every:
            return {}
        _, values = self._query("aggregate")
        collected = list(values)
        totals = splitting.with_totals((alias, lift_nested(item, collected)) for alias, item in every.items())
        known = totalling.of_nothing(every) if self._is_nothing() else None
        if known is not None:
            find_shape(self._scope(), self._query("aggregate", totals)[0])  # refuses what cannot be asked
            return known
        row = self._ask("aggregate", totals, tuple(collected[len(values) :]))[0]
        return dict(zip(every, row, strict=True))

    def dates(self, name: str, kind: str, order: str = "ASC", *, tzinfo: tzinfo | None = None) -> QuerySet[date]:
        """The distinct years, months, weeks or days of a date field, as dates.

        Args:
            name: A date or datetime field, or an annotation.
            kind: ``"year"``, ``"month"``, ``"week"`` (from Monday on) or ``"day"``: the first day of each is given.
            order: ``"ASC"``, the oldest first, or ``"DESC"``.
            tzinfo: Whose calendar, for instants; UTC if not given.
        """
        return self._beginnings("dates", name, kind, order, tzinfo)

    def datetimes(
        self, name: str, kind: str, order: str = "ASC", *, tzinfo: tzinfo | None = None
    ) -> QuerySet[datetime]:
        """The distinct years, months, hours or the like of a datetime field, as the instants at which they begin.

        Args:
            name: A datetime field, or an annotation.
            kind: ``"year"``, ``"month"``, ``"week"``, ``"day"``, ``"hour"``, ``"minute"`` or ``"second"``.
            order: ``"ASC"``, the oldest first, or ``"DESC"``.
            tzinfo: Whose clocks and calendar; UTC if not given.
        """
        return self._beginnings("datetimes", name, kind, order, tzinfo)

    def _beginnings(self, method: str, name: str, kind: str, order: str, zone: tzinfo | None) -> QuerySet[Any]:
        kinds, form = _BEGINNINGS[method]
        if not isinstance(name, str):
            raise FieldError(f"{method}() takes the name of a field, not {name!r}")
        if kind not in kinds:
            raise FieldError(f"{method}() knows no {kind!r}", hint=did_you_mean(kind, kinds))
        if order not in ("ASC", "DESC"):
            raise FieldError(f"{method}(order={order!r}) is 'ASC' or 'DESC'")
        self._check_names([name])
        alias = f"{kind}_of_{name.replace('__', '_')}"
        found: QuerySet[Any] = (
            self.order_by()
            ._giving("flat", (), {alias: truncating.Trunc(name, kind, form, zone)})
            .filter(**{f"{name}__isnull": False})
        )
        if zone is not None:  # where the calendar of the zone has no such year there is none
            found = found.filter(**{f"{alias}__isnull": False})
        return found.distinct().order_by(alias if order == "ASC" else f"-{alias}")


_BEGINNINGS: Mapping[str, tuple[tuple[str, ...], Field[Any] | None]] = {
    "dates": (("year", "month", "week", "day"), DateField[Any]()),
    "datetimes": (("year", "month", "week", "day", "hour", "minute", "second"), None),
}
"""What ``dates()`` and ``datetimes()`` know, and the field of what they give."""
