"""The rows of a sitemap, with the columns that its declaration reads, through properties too, and no others.

A sitemap reads every row of a route. With all columns it would be another one whenever a headline is corrected; and
each row would be an input of its own, fifty thousand of them. So the columns are found out, and one question for these,
of all rows, is the input.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from toolkit.models.batches import note_row
from toolkit.models.combining import CONDITIONS, ORDERS
from toolkit.models.fetching import FETCH_PEERS
from toolkit.pages.plan import Plan
from toolkit.pages.routes import Route
from toolkit.pages.subjects import plain_key
from toolkit.sitemaps.declarations import read_field
from toolkit.trace import Scope, Trace, entered

_WHICH = (*CONDITIONS, *ORDERS)


class LeanRows(dict[Any, Any]):
    """The rows of a route by key. What their properties ask for beyond the columns that are known is loaded then.

    Args:
        plan: Of the pages.
        route: The route.
        locale: In which locale.
        scope: Of the sitemap, which has read what choosing the rows reads.
    """

    def __init__(self, plan: Plan, route: Route, locale: str, scope: Scope) -> None:
        self._plan, self._route, self._locale = plan, route, locale
        trace = Trace()
        with entered(plan.scope(locale, trace)):
            rows = list(route.each.only("pk", *self._likely_fields()))
        super().__init__((plain_key(row.pk), row) for row in rows)
        if scope.trace is not None:
            for (kind, key), value in trace.own.items():
                if kind != "row":
                    scope.trace.record(kind, key, value)
            scope.trace.shapes.update(trace.shapes)

    @staticmethod
    def suits(route: Route) -> bool:
        """Whether the rows of a route can be loaded in part: where it says which rows there are, and nothing else."""
        each = route.each
        return each._mode is FETCH_PEERS and all(operation[0] in _WHICH for operation in each._operations)

    def _likely_fields(self) -> list[str]:
        """The fields that the declaration reads of the first row."""
        with entered(self._plan.scope(self._locale)):
            first = self._route.each.only("pk").first()
            for name in self._route.sitemap.fields if first is not None else ():
                with suppress(Exception):  # it is told of the row in the sitemap
                    read_field(first, name)
        return self._fields_of([first]) if first is not None else []

    def _fields_of(self, rows: Any) -> list[str]:
        held: set[str] = set()
        for row in rows:
            held.update(row.__dict__)
        return [field.name for field in self._route.model._meta.fields if field.attname in held]

    def note(self, scope: Scope) -> None:
        """Record the columns that were read, when all rows have been asked."""
        if scope.trace is None:
            return
        names = self._fields_of(self.values())
        if any(self._route.model._meta.get_field(name).translated for name in names):
            for row in self.values():  # the question would answer in one language
                note_row(scope.trace, row)
            return
        with entered(self._plan.scope(self._locale, scope.trace)):
            list(self._route.each.values_list("pk", *names))
