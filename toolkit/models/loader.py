"""Rows into instances, by the cheapest route that measurement found: one generated function for each shape.

Assigning a ready-made dict to ``__dict__`` costs 0.5 us a row over the bare sqlite3 loop, where ``setattr`` in turn
costs 0.6 and ``zip`` 0.8 (CPython 3.11, ten columns).
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from itertools import repeat
from typing import Any, ClassVar

import msgspec

from toolkit.database.backends.reading import NoValue, UnreadRows
from toolkit.errors import DatabaseError, ValidationError
from toolkit.models.along import Along
from toolkit.models.fetching import NEIGHBOURS, link, linked
from toolkit.models.generated import made_by, make_function
from toolkit.models.sqltext import quoted
from toolkit.trace import current

Row = tuple[Any, ...]
Loader = Callable[[Any], list[Any]]
Generated = Callable[[Any, Callable[[list[Any]], Sequence[Any]]], list[Any]]
"""Takes the rows, and what makes peers of their instances."""

UNREADABLE = (ValueError, TypeError, ArithmeticError, AttributeError, ValidationError)
"""What a field's reader raises for a value that another program wrote, and that is none of its kind."""


class Part(msgspec.Struct):
    """The columns of a row that make one instance.

    Args:
        model: The model class.
        columns: (attribute, reader or None, may be NULL) for each column, in order.
        start: Index of the first column in the row.
        masked: The columns' names when they are not all of the model's; None otherwise.
        extras: (attribute, index, reader) of annotations.
        children: (attribute, part) of the relations selected along.
        key_indexes: Indexes of the primary key in the row: one, or one for each part of a composite key.
        place: Where it was loaded from, if that is not where the model lives (``using()``).
        back: For the other side of a one-to-one field, the attribute that leads back.
    """

    model: Any
    columns: Sequence[tuple[str, Callable[[Any], Any] | None, bool]]
    start: int
    key_indexes: tuple[int, ...]
    masked: tuple[str, ...] | None = None
    extras: Sequence[tuple[str, int, Callable[[Any], Any] | None]] = ()
    children: list[tuple[str, Part]] = msgspec.field(default_factory=list)
    back: str | None = None
    place: str | None = None
    opaque: ClassVar[bool] = False

    def tables(self) -> Iterator[str]:
        """The tables that the instance is made of, and what was selected along with it."""
        for level in self.model._meta.levels:
            yield level._meta.table
            if level._meta.translation is not None:
                yield level._meta.translation._meta.table
        for _, child in self.children:
            yield from child.tables()


def loaded_now(part: Part) -> Along:
    """What objects that are selected along hold for: they are kept with it (see ``partners``)."""
    scope: Any = current.get()  # that of who asked
    return Along(scope, part.model, part)


def make_loader(root: Part, width: int) -> Loader:
    """The function that turns rows of this shape into a list of instances that know each other as peers."""
    names: dict[str, Any] = {"repeat": repeat}
    lines = ["def load(rows, link):", "    if len(rows) == 1: out, peers = [new_o(cls_o)], None"]
    lines.append("    else: out, peers = list(map(new_o, repeat(cls_o, len(rows)))), []")
    body = ["    for o, r in zip(out, rows):"]
    tail = ["    if peers is not None: peers[:] = link(out)"]
    _write(root, names, (lines, tail), body, variable="o", width=width, peers="peers")
    body.remove("        o = new_o(cls_o)")
    lines += [*body, *tail, "    return out"]
    generated: Generated = make_function("\n".join(lines), names)

    def load(rows: Any) -> list[Any]:
        if rows.__class__ is UnreadRows:
            raise _unreadable(root, rows, ValueError())
        try:
            if len(rows) <= NEIGHBOURS:
                return generated(rows, linked)
            return generated(rows, _weakly) if len(rows) < MANY_ROWS else _without_collecting(generated, rows)
        except UNREADABLE as error:
            raise _unreadable(root, rows, error) from error

    return made_by(load, make_loader, root, width)


MANY_ROWS = 1_000
"""From here on the cyclic garbage collector is held off: it would look at every new instance again and again. They are
then left to it, in a circle: a weak reference to each takes 0.1 us more, of the 0.5 that an instance takes."""


def _without_collecting(generated: Generated, rows: Any) -> list[Any]:
    """Load with the collector off; there is nothing for it to collect."""
    if not gc.isenabled():
        return generated(rows, _strongly)
    gc.disable()
    try:
        return generated(rows, _strongly)
    finally:
        gc.enable()


def _weakly(instances: list[Any]) -> Sequence[Any]:
    """Link the instances of a long list part by part. Nothing is left for the list that few would share."""
    link(instances)
    return ()


def _strongly(instances: list[Any]) -> Sequence[Any]:
    link(instances, weakly=False)
    return ()


def _unreadable(root: Part, rows: Sequence[Row], error: Exception) -> Exception:
    """The error for the value that could not be read: SQLite keeps whatever another program writes."""
    for part in _iter_parts(root):
        meta = part.model._meta
        for row in rows:
            key = tuple(row[index] for index in part.key_indexes)
            for attribute, index, read, null in _values_of(part) if None not in key else ():  # else nothing is there
                found = unread(row[index], read, null=null)
                if found is not None:
                    field = next((one for one in meta.fields if one.attname == attribute), None)
                    if field is not None:
                        return unreadable_in(field, key, row[index], found)
                    told = f"{meta.label}.{attribute} of row {key if len(key) > 1 else key[0]!r}"
                    return unreadable(told, row[index], found)
    return error


def _iter_parts(part: Part) -> Iterator[Part]:
    """A part, and those of all objects that were selected along."""
    yield part
    for _, child in part.children:
        yield from _iter_parts(child)


def _values_of(part: Part) -> Iterator[tuple[str, int, Callable[[Any], Any] | None, bool]]:
    """(attribute, index in the row, reader, may be NULL) of what an instance is given."""
    for number, (attribute, read, null) in enumerate(part.columns, part.start):
        yield attribute, number, read, null
    for attribute, index, read in part.extras:
        yield attribute, index, read, True


def unread(value: Any, read: Callable[[Any], Any] | None, *, null: bool = True) -> Exception | None:
    """Why a driver's value cannot be read; None if it can."""
    if isinstance(value, NoValue):
        return ValueError(value.why)
    try:
        if read is not None and not (null and value is None):
            read(value)
    except UNREADABLE as error:
        return error
    return None


def unreadable_in(field: Any, key: Sequence[Any], value: Any, error: Exception) -> DatabaseError:
    """The error for a field of a row that could not be read, with the statement that mends it."""
    meta, scope = field.model._meta, current.get()
    dialect = "sqlite" if scope is None else scope.of(field.model).database.dialect
    quote, literal = partial(quoted, dialect), partial(_literal, dialect)
    met = " AND ".join(f"{quote(part.column)} = {literal(each)}" for part, each in zip(meta.key, key, strict=True))
    mended = f"UPDATE {quote(meta.table)} SET {quote(field.column)} = ... WHERE {met}"  # noqa: S608 - it is shown
    told = f"{meta.label}.{field.attname} of row {tuple(key) if len(key) > 1 else key[0]!r}"
    return unreadable(told, value, error, type(field).__name__, mended)


def _literal(dialect: str, value: Any) -> str:
    """A key as SQL has it, to be shown."""
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return f"'\\x{value.hex()}'" if dialect == "postgresql" else f"x'{value.hex()}'"
    return "'{}'".format(str(value).replace("'", "''"))


NO_FIELD = "value of that kind"
"""What a value should be that no field has."""


def unreadable(told: str, value: Any, error: Exception, kind: str = NO_FIELD, mended: str = "") -> DatabaseError:
    """The error for a value that could not be read.

    Args:
        told: What has it.
        value: As the driver gave it.
        error: What its reader said.
        kind: What it should be.
        mended: A statement that mends it, where it is known of which row it is.
    """
    return DatabaseError(
        f"{told} is {value!r}, which is no {kind}: {error}",
        hint=f"Mend the row, which was not written through the models{f': {mended}' if mended else ''}."
        + ("" if mended else " Rows that are loaded as instances tell which one it is."),
    )


def _write(
    part: Part,
    names: dict[str, Any],
    around: tuple[list[str], list[str]],
    body: list[str],
    *,
    variable: str,
    width: int,
    peers: str,
) -> None:
    """Lines that make one instance in ``variable``; those around the loop gather the peers of what comes along."""
    head, tail = around
    names[f"new_{variable}"] = part.model.__new__
    names[f"cls_{variable}"] = part.model
    end = part.start + len(part.columns)
    items = [
        (attribute, _value(part.start + number, reader, names, null=null))
        for number, (attribute, reader, null) in enumerate(part.columns)
    ]
    items += [(attribute, _value(index, reader, names)) for attribute, index, reader in part.extras]
    row = "r" if part.start == 0 and end == width else f"r[{part.start}:{end}]"
    if part.masked is not None:
        names[f"mask_{variable}"] = part.masked
        items.append(("_mask", f"mask_{variable}"))
    if part.place is not None:
        items.append(("_database", repr(part.place)))
    body.append(f"        {variable} = new_{variable}(cls_{variable})")
    for number, (attribute, child) in enumerate(part.children):
        name = f"{variable}_{number}"
        head.append(f"    peers_{name} = []")
        tail.append(f"    peers_{name}[:] = link(peers_{name})")
        body.append(f"        if r[{child.key_indexes[0]}] is None: {name} = None")
        body.append("        else:")
        inner: list[str] = []
        _write(child, names, around, inner, variable=name, width=width, peers=f"peers_{name}")
        body += [f"    {line}" for line in inner]
        body.append(f"            peers_{name}.append({name})")
        if child.back is None:
            items.append((attribute, name))
        else:
            names |= {"loaded_now": loaded_now, f"part_{name}": child}
            head.append(f"    along_{name} = loaded_now(part_{name})")
            body.append(f"            {name}.__dict__[{child.back!r}] = {variable}")
            items.append((attribute, f"(along_{name}, [] if {name} is None else [{name}], None)"))
    body += _filled(variable, items, names)
    body.append(f"        {variable}._row = {row}")
    body.append(f"        {variable}._peers = {peers}")


MOST_IN_LITERAL = 15
"""A literal dict with more keys is put together from several of so many, which takes up to twice as long as to fill the
copy of one that has the keys: 24 columns 0.35 us in place of 0.62. Source: CPython, compile.c."""


def _filled(variable: str, items: list[tuple[str, str]], names: dict[str, Any]) -> list[str]:
    """Lines that give an instance its values."""
    if len(items) <= MOST_IN_LITERAL:
        literal = ", ".join(f"{attribute!r}: {value}" for attribute, value in items)
        return [f"        {variable}.__dict__ = {{{literal}}}"]
    names[f"copy_{variable}"] = dict.fromkeys(sys.intern(attribute) for attribute, _ in items).copy
    filling = [f"        d[{attribute!r}] = {value}" for attribute, value in items]
    return [f"        {variable}.__dict__ = d = copy_{variable}()", *filling]


def _value(index: int, reader: Callable[[Any], Any] | None, names: dict[str, Any], *, null: bool = True) -> str:
    if reader is None:
        return f"r[{index}]"
    name = f"read_{index}"
    names[name] = reader
    return f"None if r[{index}] is None else {name}(r[{index}])" if null else f"{name}(r[{index}])"
