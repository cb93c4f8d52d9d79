"""A compiled query: SQL text, how to bind values to it, how to read its rows, and what it depends on.

A shape is what stays the same when the values change. It is compiled once for each database and kept; it can also
be written down, so that another process can ask the same question again and compare the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

import msgspec

from toolkit.database import DEFAULT
from toolkit.database.backends.reading import Unread
from toolkit.errors import DatabaseError
from toolkit.models.generated import make_function
from toolkit.models.loader import Part
from toolkit.models.sqltext import flat, key_marks
from toolkit.trace import Trace, digest

KEYS_MARK = "\x00KEYS\x00"
"""Stands in the SQL text where the list of a keyed shape's keys goes."""

SLOT, CONSTANT, MOMENT, LOCALE, KEYS = "slot", "constant", "moment", "locale", "keys"


class Bind(msgspec.Struct, frozen=True):
    """Where one parameter of the statement comes from.

    Args:
        source: SLOT (a value of the query), CONSTANT, MOMENT and LOCALE (of the scope), or KEYS (a list).
        value: The slot's number, the constant, or for a moment the microseconds that it is later (None for none).
        convert: From the Python value to the driver's; None if they are the same.
    """

    source: str
    value: Any = None
    convert: Callable[[Any], Any] | None = None


Binder = Callable[[Sequence[Any], Any, Sequence[Any]], list[Any]]


def make_binder(plan: Sequence[Bind], *, without_moment: bool = False) -> Binder:
    """A generated function ``(values, scope, keys) -> parameters``.

    Args:
        plan: The parameters, in the order of the statement.
        without_moment: Leave out MOMENT and KEYS: what remains names the question in a trace.
    """
    names: dict[str, Any] = {}
    items = []
    for number, bind in enumerate(plan):
        if bind.source == KEYS:
            if without_moment:
                continue
            items.append("*k")
            continue
        if bind.source == MOMENT and without_moment:
            continue
        moment = "s.now()" if bind.value is None else f"s.now() + c{number}"
        source = {SLOT: f"v[{bind.value}]", MOMENT: moment, LOCALE: "s.locale", CONSTANT: f"c{number}"}[bind.source]
        shifted = bind.source == MOMENT and bind.value is not None
        names[f"c{number}"] = timedelta(microseconds=bind.value) if shifted else bind.value
        if bind.convert is not None:
            names[f"f{number}"] = bind.convert
            source = f"None if {source} is None else f{number}({source})"
        items.append(source)
    binder: Binder = make_function(f"def bind(v, s, k): return [{', '.join(items)}]", names)
    return binder


@dataclass(slots=True)
class Statement:
    """SQL text and its parameters.

    Args:
        sql: The text, with ``KEYS_MARK`` where a list of keys goes.
        plan: Where the parameters come from.
        mark: The placeholder of the dialect, ``?`` or ``%s``.
        width: How many columns a key of the list has.
        whole_numbers: What stands for a list of whole numbers as one value; empty where there is no such value.
    """

    sql: str
    plan: Sequence[Bind]
    mark: str
    width: int = 1
    whole_numbers: str = ""
    bind: Binder = field(init=False)
    _in_array: str = field(init=False, default="")

    def __post_init__(self) -> None:
        self.bind = make_binder(self.plan)
        if self.whole_numbers and self.width == 1:
            self._in_array = self.sql.replace(f"IN ({KEYS_MARK})", f"= ANY ({self.whole_numbers})")

    def __reduce__(self) -> tuple[Any, ...]:
        return Statement, (self.sql, self.plan, self.mark, self.width, self.whole_numbers)

    def for_keys(self, keys: list[Any]) -> tuple[str, list[Any]]:
        """The text for a list of keys, and the parameters that they are.

        There are few texts, so that one is prepared once and asked often: lists are as long as a power of two, the last
        key again and again, or one value. On PostgreSQL that is 0.3 ms less for fifty keys.
        """
        if self._in_array and keys[0].__class__ is int:
            return self._in_array, ["{" + ",".join(map(str, keys)) + "}"]
        size = 1 << (len(keys) - 1).bit_length()
        marks = key_marks(self.mark, size, self.width)
        return self.sql.replace(KEYS_MARK, marks), flat(keys + [keys[-1]] * (size - len(keys)), self.width)


@dataclass(slots=True, eq=False)
class Shape:
    """One compiled query.

    Args:
        model: The model it is about.
        form: ``instances``, ``rows``, ``count``, ``exists`` or ``aggregate``.
        statement: What is run.
        identity: What is run to ask again: only the keys and annotations of the rows, in the same order; for
            forms other than ``instances`` the statement itself.
        identity_indexes: Where in a row of ``statement`` the identity's columns are.
        load: Rows into what the caller gets.
        footprint: (table, column) pairs that decide which rows there are, in which order; for other forms, that
            the answer is made of.
        clock: (table, column, microseconds): columns that are compared with the moment, or with one so much later.
        opaque: The answer may be another at every moment: it is asked again whenever it is used.
        keyed: Whether the statement takes a list of keys and its last column says whose each row is.
        names: The names of the columns, for ``values()``.
        place: The alias of the database that it is asked of.
        searches: The ``Search`` of each searched model: its index must be right before this is asked.
        locks: Whether it locks its rows, which only a transaction can.

    Attributes:
        read: What was read when it was compiled, by a lookup of the site's own: who asks it has read that, too.
    """

    model: Any
    form: str
    statement: Statement
    identity: Statement
    identity_indexes: tuple[int, ...]
    load: Callable[[Any], Any]
    footprint: tuple[tuple[str, str], ...]
    clock: tuple[tuple[str, str, int], ...]
    keyed: bool
    names: tuple[str, ...] = ()
    searches: tuple[Any, ...] = ()
    locks: bool = False
    place: str = DEFAULT
    opaque: bool = False
    id: str = field(init=False)
    name_parameters: Binder = field(init=False)
    read: Trace | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        constants = [bind.value if bind.source == CONSTANT else _written(bind) for bind in self.identity.plan]
        parts = [self.identity.sql, [str(constant) for constant in constants], self.form]
        self.id = digest(parts if self.place == DEFAULT else [*parts, self.place]).hex()[:20]
        self.name_parameters = make_binder(self.identity.plan, without_moment=True)

    def __reduce__(self) -> tuple[Any, ...]:
        return Shape, tuple(getattr(self, one.name) for one in fields(self) if one.init)

    @property
    def names_more(self) -> bool:
        """Whether more than their keys names the rows of the answer: annotations, values of joined rows."""
        return len(self.identity_indexes) > len(self.model._meta.key)

    def ask(self, database: Any, sql: str, parameters: Sequence[Any]) -> list[Any]:
        """The rows of the question.

        Raises:
            DatabaseError: One has a value that Python has none for; it says of which field and row.
        """
        try:
            rows: list[Any] = database.ask(sql, parameters)
        except DatabaseError as error:
            self._tell_unread(error)
            raise
        return rows

    def stream(self, database: Any, parameters: Sequence[Any], *, size: int) -> Iterator[list[Any]]:
        """The same, so many rows at a time."""
        try:
            yield from database.stream(self.statement.sql, parameters, size=size)
        except DatabaseError as error:
            self._tell_unread(error)
            raise

    def _tell_unread(self, error: DatabaseError) -> None:
        if isinstance(error.__cause__, Unread):
            self.load(error.__cause__.rows)

    def tables(self) -> Iterator[str]:
        """The tables that the instances of the answer are made of, and those that decide which there are."""
        root: Part = self.load.__dict__["made_by"][1][0]
        yield from root.tables()
        yield from (table.rpartition(":")[2] for table, _ in self.footprint)

    def note(self, scope: Any, values: Sequence[Any], rows: Sequence[Any], key: Any = None) -> None:
        """Record in a trace that this question was asked, and what the answer was.

        Args:
            scope: The scope, with its trace.
            values: The values of the query.
            rows: The rows of the answer; for a keyed shape, those of one key.
            key: That key.
        """
        if self.form == "instances":
            indexes = self.identity_indexes
            answer = [[row[index] for index in indexes] for row in rows]
        else:
            answer = [list(row) for row in rows]
        self.note_answer(scope, values, answer, key)

    def note_answer(self, scope: Any, values: Sequence[Any], answer: Any, key: Any = None) -> None:
        """Record the answer as ``identity`` gives it."""
        parameters = self.name_parameters(values, scope, ())
        if self.keyed:
            parameters = [key, *parameters]
        scope.trace.shapes[self.id] = self
        scope.trace.record("query", (self.id, *parameters), digest(answer))

    def record(self) -> Mapping[str, Any]:
        """All that another process needs to ask again, as plain data."""
        return {
            "id": self.id,
            "sql": self.identity.sql,
            "plan": [_written(b) if b.source in (KEYS, MOMENT) else "value" for b in self.identity.plan],
            "moment": next((_moment_kind(b) for b in self.identity.plan if b.source == MOMENT), ""),
            "mark": self.identity.mark,
            "width": self.identity.width,
            "keyed": self.keyed,
            "footprint": [list(pair) for pair in self.footprint],
            "clock": [list(each) for each in self.clock],
            "place": self.place,
            "opaque": self.opaque,
        }


def _written(bind: Bind) -> str:
    """The source of a parameter; of a moment with the microseconds that it is later: ``moment-604800000000``."""
    return f"{bind.source}{bind.value:+d}" if bind.source == MOMENT and bind.value is not None else bind.source


def _moment_kind(bind: Bind) -> str:
    """How the moment is written for this dialect: as text or as a datetime object."""
    probe = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
    return "text" if bind.convert is not None and isinstance(bind.convert(probe), str) else "object"
