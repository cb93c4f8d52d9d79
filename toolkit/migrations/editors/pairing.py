"""The table of old and new keys, which is there while a key changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

from toolkit.errors import MigrationError, Problems
from toolkit.migrations.editors.conversions import (
    SHOWN_PROBLEMS,
    Refusals,
    conversion,
    held_by,
    same_storage,
)
from toolkit.migrations.editors.keys import TABLE, made_by_owner
from toolkit.models import AutoField, IntegerField, UUIDField
from toolkit.models.fields import MISSING

CHUNK_ROWS = 5000
"""How many rows are in memory at once, where values need Python."""

SHOWN_ROWS = 500
NUMBER = "row_number() OVER (ORDER BY {})"


@dataclass(frozen=True)
class Part:
    """Where a part of a new key comes from: SQL, or a function that is asked for each row.

    Args:
        sql: An expression in which the columns of the old table stand.
        make: Takes the old value and the row's old key.
        reads: The column that ``make`` gets the value of.
    """

    sql: str = "NULL"
    make: Callable[[Any, Any], Any] | None = None


class KeyTable:
    """The pairs of old and new keys, one for each row of a model.

    Args:
        editor: Of the database.
        old: The model as it is.
        new: The model as it shall be.
    """

    def __init__(self, editor: Any, old: Any, new: Any) -> None:
        self._editor, self.old, self.new = editor, old, new
        self.name = editor.quote(TABLE)

    def write(self, fill: Callable[[], object]) -> None:
        """Make the table and fill it; where that is refused nothing is left of it.

        It is made beside the journal, which cannot take back a table: whoever was interrupted begins it again.
        """
        if not self._editor.journal.is_resuming:
            self.drop()
            for statement in self._statements():
                self._editor.execute_aside(statement)
        try:
            self._editor.write_rows(fill)
        except Exception:
            if self._editor.database.dialect == "mysql":  # elsewhere it goes with the transaction
                self.drop()
            raise

    def drop(self) -> None:
        """Drop the table, if it is there."""
        self._editor.execute_aside(f"DROP TABLE IF EXISTS {self.name}")

    def _statements(self) -> list[str]:
        dialect = self._editor.database.sqlalchemy_dialect
        kinds = {
            f"{side}_{number}": str(field.sql_type().compile(dialect=dialect))
            for side, model in (("old", self.old), ("new", self.new))
            for number, field in enumerate(model._meta.key)
        }
        spelled = ", ".join(f"{name} {kind}{' NOT NULL' * name.startswith('old')}" for name, kind in kinds.items())
        old, new = (", ".join(name for name in kinds if name.startswith(side)) for side in ("old", "new"))
        return [
            f"CREATE TABLE {self.name} (number INTEGER PRIMARY KEY, {spelled}, UNIQUE ({old}))",
            f"CREATE INDEX {self._editor.quote(TABLE + '_new')} ON {self.name} ({new})",
        ]

    # filling

    def fill(self, *, fill: Any = MISSING) -> None:
        """Pair the keys of all rows with what they become.

        Args:
            fill: A function that makes a new key for each row.

        Raises:
            Problems: Rows whose values cannot be keys.
            MigrationError: There is nothing that makes keys.
        """
        made = made_by_owner(self.old._meta, self.new._meta)
        refusals = Refusals(self.new)
        before = self.old._meta.pk if len(self.old._meta.key) == 1 else None
        parts = []
        for field in self.new._meta.key:
            if field.name not in made:
                parts.append(Part(self._column(self.old._meta.by_name[field.name])))
                continue
            same = before if before is not None and before.name == field.name else None
            parts.append(self.part(same, field, fill=fill, refusals=refusals))
        self.insert([part.sql for part in parts])
        for number, part in enumerate(parts):
            if part.make is not None:
                self.make(number, part.make, refusals)
        self.check()

    def part(self, before: Any, field: Any, *, refusals: Refusals, fill: Any = MISSING) -> Part:
        """How the values of a field of the new key come about.

        Args:
            before: The key in whose place it stands; None where the field is new.
            field: The field.
            refusals: Gets what cannot be converted.
            fill: What the operation says.
        """
        dialect = self._editor.database.dialect
        held = held_by(field)
        write = held.db_value_of(dialect)
        if callable(fill):
            return Part(make=lambda _, __: write(held.to_python(fill())))
        if before is not None and not are_foreign(before, field):
            if same_storage(held_by(before), held):
                return Part(self._column(before))
            return Part(make=refusals.guarded(conversion(held_by(before), held, dialect=dialect), field))
        if isinstance(held, AutoField) or (before is not None and isinstance(held, IntegerField)):
            return Part(NUMBER.format(self.own()))
        if callable(field.default):
            return Part(make=lambda _, __: write(held.to_python(field.default())))
        return Part(make=partial(_refuse, field))

    def insert(self, parts: Sequence[str], *, joined: str = "", order: str = "") -> None:
        """Write all old keys, and beside them what SQL can say of the new ones.

        Args:
            parts: An expression for each part of the new key.
            joined: What stands behind the table in ``FROM``.
            order: What rows are numbered by, before their old key.
        """
        own = self.own()
        columns = [f"{side}_{n}" for side in ("old", "new") for n in range(len(self._key(side)))]
        number = NUMBER.format(f"{order}{own}")
        table = self._editor.quote(self.old._meta.table)
        self._editor.database.execute(
            f"INSERT INTO {self.name} (number, {', '.join(columns)}) "  # noqa: S608 - quoted
            f"SELECT {number}, {own}, {', '.join(parts)} FROM {table} {joined}"
        )

    def make(self, position: int, make: Callable[[Any, Any], Any], refusals: Refusals, *, where: str = "") -> None:
        """Let a function make a part of the new keys, some thousand at a time.

        Args:
            position: The number of the part.
            make: Takes the old value and the row's old key.
            refusals: Where ``make`` notes what it refuses.
            where: A condition that rows must meet.
        """
        self._editor.remark(f"Python writes the new keys into {self.name}")
        condition = f" AND {where}" if where else ""
        mark, database = self._editor.mark, self._editor.database
        old = ", ".join(f"old_{number}" for number in range(len(self._key("old"))))
        for first, last in self.chunks():
            rows = database.fetch(
                f"SELECT number, {old} FROM {self.name} WHERE number BETWEEN {first} AND {last}{condition} ORDER BY 1"  # noqa: S608 - numbers
            )
            made = [(make(key[0], _shown(tuple(key))), number) for number, *key in rows]
            refusals.check()
            if made:
                database.executemany(
                    f"UPDATE {self.name} SET new_{position} = {mark} WHERE number = {mark}",  # noqa: S608 - numbers
                    made,
                )

    def chunks(self) -> Iterator[tuple[int, int]]:
        """(first, last) of some thousand rows at a time."""
        return chunks(self._editor)

    def own(self) -> str:
        """The columns of the old key, as SQL."""
        return ", ".join(self._column(field) for field in self.old._meta.key)

    def _column(self, field: Any) -> str:
        return f"{self._editor.quote(self.old._meta.table)}.{self._editor.quote(field.column)}"

    def _key(self, side: str) -> Sequence[Any]:
        return list((self.old if side == "old" else self.new)._meta.key)

    # what is wrong

    def check(self) -> None:
        """Refuse keys that are NULL, or that two rows would have.

        Raises:
            Problems: Each with its rows.
        """
        names = ", ".join(field.name for field in self.new._meta.key)
        table = self.new._meta.table
        problems = [MigrationError(f"{table}, row {_listed(row)}: {names} is NULL") for row in self._nulls()]
        for key, rows in self._doubles().items():
            told = ", ".join(map(_listed, rows))
            problems.append(MigrationError(f"{table}, rows {told} all have {names} = {_shown(key)!r}"))
        if problems:
            raise Problems(
                problems[:SHOWN_PROBLEMS],
                summary=f"{self.new._meta.label}: {names} cannot be the key. Mend the rows, or do "
                "it in a RunPython before",
            )

    def _nulls(self) -> list[tuple[Any, ...]]:
        old, new = (self._listed(side) for side in ("old", "new"))
        absent = " OR ".join(f"{name} IS NULL" for name in new)
        return [
            tuple(row)
            for row in self._editor.database.fetch(
                f"SELECT {', '.join(old)} FROM {self.name} k WHERE {absent} ORDER BY number LIMIT {SHOWN_PROBLEMS}"  # noqa: S608 - constants
            )
        ]

    def _doubles(self) -> dict[tuple[Any, ...], list[tuple[Any, ...]]]:
        """The old keys of rows, by the new one that they would all have."""
        old, new = (self._listed(side) for side in ("old", "new"))
        named = ", ".join(name.removeprefix("k.") for name in new)
        whole = " AND ".join(f"{name} IS NOT NULL" for name in new)
        same = " AND ".join(f"{name} = d.{name.removeprefix('k.')}" for name in new)
        several = f"SELECT {named} FROM {self.name} k WHERE {whole} GROUP BY {', '.join(new)} HAVING count(*) > 1"  # noqa: S608 - constants
        shown = ", ".join(name.replace("k.", "d.") for name in new)
        rows = self._editor.database.fetch(
            f"SELECT {shown}, {', '.join(old)} FROM ({several} LIMIT {SHOWN_PROBLEMS}) d "  # noqa: S608 - constants
            f"JOIN {self.name} k ON {same} ORDER BY k.number LIMIT {SHOWN_ROWS}"
        )
        found: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
        for row in rows:
            found.setdefault(tuple(row[: len(new)]), []).append(tuple(row[len(new) :]))
        return found

    def _listed(self, side: str) -> list[str]:
        return [f"k.{side}_{number}" for number in range(len(self._key(side)))]


def chunks(editor: Any) -> Iterator[tuple[int, int]]:
    """(first, last) of the numbers of the table of keys, some thousand at a time."""
    for first in range(1, editor.count(TABLE) + 1, CHUNK_ROWS):
        yield first, first + CHUNK_ROWS - 1


def are_foreign(old: Any, new: Any) -> bool:
    """Whether values of one key say nothing in the other: numbers and UUIDs."""
    held = [held_by(field) for field in (old, new)]
    kinds = {kind for field in held for kind in (IntegerField, UUIDField) if isinstance(field, kind)}
    return len(kinds) == 2


def _refuse(field: Any, value: Any, row: Any) -> NoReturn:
    """Refuse to make a key for a row.

    Raises:
        MigrationError: Always.
    """
    hint = "Give the field a default that makes keys (default=uuid.uuid4), or write fill=... into the operation."
    if field.is_relation:
        hint = f"Remove the rows before, or copy those of {field.target._meta.label} to a new model with RunPython."
    raise MigrationError(
        f"{field.model._meta.label}.{field.name}: each row needs a key of its own, and nothing makes a "
        f"{type(held_by(field)).__name__} of row {row}",
        hint=hint,
    )


def _listed(key: tuple[Any, ...]) -> str:
    return str(_shown(key))


def _shown(key: tuple[Any, ...]) -> Any:
    return key[0] if len(key) == 1 else key
