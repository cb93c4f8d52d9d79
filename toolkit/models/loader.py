"""Rows into instances, by the cheapest route that measurement found: one generated function for each shape.

Assigning a ready-made dict to ``__dict__`` costs 0.5 us a row over the bare sqlite3 loop, where ``setattr`` in turn
costs 0.6 and ``zip`` 0.8 (CPython 3.11, ten columns).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit.errors import DatabaseError

Row = tuple[Any, ...]
Loader = Callable[[Any], list[Any]]


@dataclass
class Part:
    """The columns of a row that make one instance.

    Args:
        model: The model class.
        columns: (attribute, reader or None) for each column, in order.
        start: Index of the first column in the row.
        masked: The columns' names when they are not all of the model's; None otherwise.
        extras: (attribute, index, reader) of annotations.
        children: (attribute, part) of the relations selected along.
        pk_index: Index of the primary key in the row.
    """

    model: Any
    columns: Sequence[tuple[str, Callable[[Any], Any] | None]]
    start: int
    pk_index: int
    masked: tuple[str, ...] | None = None
    extras: Sequence[tuple[str, int, Callable[[Any], Any] | None]] = ()
    children: list[tuple[str, Part]] = field(default_factory=list)


def make_loader(root: Part, width: int) -> Loader:
    """The function that turns rows of this shape into a list of instances that know each other as peers."""
    names: dict[str, Any] = {}
    lines = ["def load(rows):", "    out = []", "    append = out.append"]
    body = ["    for r in rows:"]
    _write(root, names, lines, body, variable="o", width=width, peers="out")
    body.append("        append(o)")
    lines += [*body, "    return out"]
    exec("\n".join(lines), names)  # noqa: S102 - made of our own names and indexes, no value of a user's
    generated: Loader = names["load"]

    def load(rows: Any) -> list[Any]:
        try:
            return generated(rows)
        except (ValueError, TypeError, ArithmeticError) as error:
            raise _unreadable(root, rows, error) from error

    return load


def _unreadable(part: Part, rows: Sequence[Row], error: Exception) -> Exception:
    """The error for the value that could not be read: SQLite keeps whatever another program writes."""
    for each in (part, *(child for _, child in part.children)):
        for row in rows:
            for number, (attribute, read) in enumerate(each.columns, each.start):
                try:
                    if read is not None and row[number] is not None:
                        read(row[number])
                except (ValueError, TypeError, ArithmeticError) as found:
                    meta = each.model._meta
                    return DatabaseError(
                        f"{meta.table}.{attribute} of row {row[each.pk_index]!r} is {row[number]!r}, "
                        f"which is no {type(meta.get_field(attribute)).__name__}: {found}",
                        hint="Mend the row; it was not written through the models.",
                    )
    return error


def _write(
    part: Part,
    names: dict[str, Any],
    head: list[str],
    body: list[str],
    *,
    variable: str,
    width: int,
    peers: str,
) -> None:
    """Lines that make one instance in ``variable``."""
    names[f"new_{variable}"] = part.model.__new__
    names[f"cls_{variable}"] = part.model
    end = part.start + len(part.columns)
    items = [
        f"{attribute!r}: {_value(part.start + number, reader, names)}"
        for number, (attribute, reader) in enumerate(part.columns)
    ]
    items += [f"{attribute!r}: {_value(index, reader, names)}" for attribute, index, reader in part.extras]
    row = "r" if part.start == 0 and end == width else f"r[{part.start}:{end}]"
    items += [f"'_row': {row}", f"'_peers': {peers}"]
    if part.masked is not None:
        names[f"mask_{variable}"] = part.masked
        items.append(f"'_mask': mask_{variable}")
    body.append(f"        {variable} = new_{variable}(cls_{variable})")
    for number, (attribute, child) in enumerate(part.children):
        name = f"{variable}_{number}"
        head.append(f"    peers_{name} = []")
        body.append(f"        if r[{child.pk_index}] is None: {name} = None")
        body.append("        else:")
        inner: list[str] = []
        _write(child, names, head, inner, variable=name, width=width, peers=f"peers_{name}")
        body += [f"    {line}" for line in inner]
        body.append(f"            peers_{name}.append({name})")
        items.append(f"{attribute!r}: {name}")
    body.append(f"        {variable}.__dict__ = {{{', '.join(items)}}}")


def _value(index: int, reader: Callable[[Any], Any] | None, names: dict[str, Any]) -> str:
    if reader is None:
        return f"r[{index}]"
    name = f"read_{index}"
    names[name] = reader
    return f"None if r[{index}] is None else {name}(r[{index}])"
