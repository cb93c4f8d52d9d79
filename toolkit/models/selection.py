"""What one statement is made of: its bound values, and what the operations of a query amount to."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from toolkit.models.fields import DateTimeField
from toolkit.models.locking import Lock
from toolkit.models.shapes import KEYS, MOMENT, SLOT, Bind

if TYPE_CHECKING:
    from toolkit.models.orderings import Directed

_MOMENT: DateTimeField[Any] = DateTimeField()


def own_slots(index: int) -> Bind:
    """The query's own values."""
    return Bind(SLOT, index)


class Binds(msgspec.Struct):
    """What one statement, subqueries included, is bound to and depends on.

    Attributes:
        kept_in: The field of instants that is to keep what is being computed; empty where it is only read.
        guards: Values that no column can hold are refused, where the database would not do so itself.
    """

    dialect: str
    plan: dict[str, Bind] = msgspec.field(default_factory=dict)
    numbers: Iterator[int] = msgspec.field(default_factory=itertools.count)
    aliases: Iterator[int] = msgspec.field(default_factory=lambda: itertools.count(1))
    footprint: set[tuple[str, str]] = msgspec.field(default_factory=set)
    home: str = ""
    clock: set[tuple[str, str, int]] = msgspec.field(default_factory=set)
    opaque: bool = False
    searches: set[Any] = msgspec.field(default_factory=set)
    correlated: set[Any] = msgspec.field(default_factory=set)
    kept_in: str = ""
    guards: ClassVar[bool] = True

    def add(self, bind: Bind, kind: Any = None) -> Any:
        """A bound parameter of SQLAlchemy for this source."""
        import sqlalchemy as sa

        name = f"p{next(self.numbers)}"
        self.plan[name] = bind
        if bind.source == KEYS:
            return sa.bindparam(name, expanding=True, type_=kind)
        return sa.bindparam(name, type_=kind) if kind is not None else sa.bindparam(name)

    def depend_on_all(self, schema: Iterable[Any]) -> None:
        """Depend on every table, for SQL that nobody read."""
        for model in schema:
            self.footprint.update((model._meta.table, column) for column in model._meta.columns)

    def moment(self, later: int | None = None) -> Any:
        """The moment of the scope, or one so many microseconds later."""
        return self.add(Bind(MOMENT, later, _MOMENT.db_writer(self.dialect)), _MOMENT.sql_type())


class Selection(msgspec.Struct):
    """What the operations of a query amount to, gathered in their order."""

    where: list[Any] = msgspec.field(default_factory=list)
    having: list[Any] = msgspec.field(default_factory=list)
    qualify: list[Any] = msgspec.field(default_factory=list)
    order: list[tuple[Any, Directed]] = msgspec.field(default_factory=list)
    ordered: bool = False
    reverse: bool = False
    values: list[str] | None = None
    grouped: bool = False
    groups: list[str] = msgspec.field(default_factory=list)
    aggregates: set[str] = msgspec.field(default_factory=set)
    annotated: list[str] = msgspec.field(default_factory=list)
    distinct: bool = False
    distinct_on: tuple[str, ...] = ()
    only: set[str] | None = None
    defer: set[str] = msgspec.field(default_factory=set)
    related: list[str] = msgspec.field(default_factory=list)
    related_all: bool = False
    combined: bool = False
    unrestricted: bool = False
    keyed: str | None = None
    none: bool = False
    rank: Any = None
    lock: Lock | None = None
