"""What instances had before they were written, to be put back when nothing is written after all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from toolkit.database.transactions import Block
from toolkit.models.fields.base import MISSING


class Before:
    """Notes what a write changes of instances.

    Else a row that was refused would be saved anew with a key that was taken back with it, which may be somebody
    else's by then, and without the expressions that were to give its values.

    Args:
        keeps: Note it; not of rows that nobody will have any more.
    """

    def __init__(self, *, keeps: bool = True) -> None:
        self._keeps = keeps
        self._values: list[tuple[dict[str, Any], str, Any]] = []
        self._rows: list[tuple[Any, Any]] = []

    def note(self, instances: Iterable[Any], names: Iterable[str]) -> None:
        """Note the values of attributes, which are about to be changed."""
        if self._keeps:
            found = [instance.__dict__ for instance in instances]
            self._values += [(values, name, values.get(name, MISSING)) for name in names for values in found]

    def note_rows(self, instances: Iterable[Any]) -> None:
        """Note what is known of rows in the database, which are about to be others."""
        if self._keeps:
            self._rows += [(instance, instance._row) for instance in instances]

    def put_back(self) -> None:
        """Give all instances what they had; what was noted first is put back last."""
        for values, name, value in reversed(self._values):
            if value is MISSING:
                values.pop(name, None)
            else:
                values[name] = value
        for instance, row in reversed(self._rows):
            instance._row = row

    def find(self, instance: Any, names: Iterable[str]) -> dict[str, Any]:
        """What an instance had under these names, of those that were noted."""
        noted = ((name, value) for values, name, value in reversed(self._values) if values is instance.__dict__)
        return {name: value for name, value in noted if name in names}


def block_around(database: Any) -> Block | None:
    """The atomic block that is open, for what is written now."""
    transaction = database.transaction
    return None if transaction is None else transaction.block


class Written(tuple[Any, ...]):
    """What is known of a row that was written inside of a block, and what the instance had before.

    When the block is rolled back, ``is_gone`` finds out at the next write of the instance: nobody has to keep all
    that were written until then.
    """

    past: tuple[Block, Any, dict[str, Any]]
    """The block, ``_row`` before it, and what else is put back, by name. Keys are not: others may refer to them."""

    def __add__(self, more: tuple[Any, ...]) -> Written:  # with columns that are loaded later
        made = Written((*self, *more))
        made.past = self.past
        return made

    def __reduce__(self) -> Any:
        return tuple, (tuple(self),)


def known_until(block: Block, row: tuple[Any, ...], before: Any, had: dict[str, Any]) -> Written:
    """What is known of a row that was written inside of a block.

    Many writes in one block are one step back, and so are those of blocks that have ended inside of it.

    Args:
        block: The block, which is open.
        row: The row as it is; empty if it is not read again.
        before: ``_row`` before; None of a new row.
        had: What else is put back.
    """
    while before.__class__ is Written:
        written_in, earlier, values = before.past
        home = written_in if not written_in.is_over else written_in.home
        if home is not block:
            if home is None:
                before = tuple(before)
            elif home is not written_in:
                before = known_until(home, tuple(before), earlier, values)
            break
        before, had = earlier, {**had, **values}
    made = Written(row)
    made.past = (block, before, had)
    return made


def is_gone(instance: Any) -> bool:
    """Give an instance what it had before blocks that were rolled back; whether its row was new in one of them.

    Such a row is not there, and somebody else's may have its key by now. The instance stays as it is then.
    """
    while instance._row.__class__ is Written and instance._row.past[0].is_lost:
        if instance._row.past[1] is None:
            return True
        step_back(instance)
    return False


def step_back(instance: Any) -> None:
    """Give an instance what it had before the block that its row was written in."""
    version = instance._meta.version
    always = {"_mask"} if version is None else {"_mask", version.attname}
    values = instance.__dict__
    _, instance._row, had = instance._row.past
    for name, value in had.items():
        if name in always or name not in values:  # what was set or read meanwhile stays
            values[name] = value
        if values.get(name) is MISSING:
            del values[name]
