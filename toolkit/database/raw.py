"""SQL that people write by hand: its placeholders, a cursor for it, and its place in a trace.

The placeholders are Django's on every database, ``%s`` and ``%(name)s``; values travel as bound parameters. What a
statement by hand depends on is not known, so a page that asked one asks it again at every build.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from types import FrameType
from typing import TYPE_CHECKING, Any, Self

from toolkit.errors import DatabaseError, did_you_mean
from toolkit.trace import UNVERIFIABLE, current, digest

if TYPE_CHECKING:
    from toolkit.database.connections import Database

Values = Sequence[Any] | Mapping[str, Any]

_MARK = re.compile(r"%(?:(%)|(s)|\((\w+)\)s|(.?))", re.DOTALL)


def positional(sql: str, values: Values | None, database: Database) -> tuple[str, list[Any]]:
    """A statement with the database's own placeholders, and its values in their order.

    Args:
        sql: With ``%s`` for each of a list of values, or ``%(name)s`` for those of a mapping, and ``%%`` for a percent
            sign. Without values it is taken as it stands.
        values: A list or a mapping.
        database: Whose placeholders.

    Raises:
        DatabaseError: The placeholders and the values do not fit.
    """
    doubled = "%" in database.backend.placeholder
    if values is not None and (isinstance(values, str | bytes) or not isinstance(values, Sequence | Mapping)):
        raise _misfit(
            sql, f"was given {values!r:.200}, which is neither a list of values nor a mapping", "Write [...]."
        )
    if not values:
        if values is not None and any(match[2] or match[3] for match in _MARK.finditer(sql)):
            raise _misfit(sql, "has placeholders, and no values were given")
        return (sql.replace("%", "%%") if doubled else sql), []
    taken: list[Any] = []
    used = 0

    def mark(match: re.Match[str]) -> str:
        nonlocal used
        percent, plain, name, other = match.groups()
        if percent:
            return "%%" if doubled else "%"
        if other is not None:
            raise _misfit(
                sql, f"has '%{other}', which is no placeholder", "Write %s, %(name)s, or %% for a percent sign."
            )
        if plain:
            if isinstance(values, Mapping) or used >= len(values):
                raise _misfit(sql, "has more '%s' than values" if used else "has '%s', but the values have names")
            taken.append(_written(values[used], sql, database))
            used += 1
        else:
            if not isinstance(values, Mapping) or name not in values:
                known = values if isinstance(values, Mapping) else ()
                raise _misfit(sql, f"has '%({name})s', and there is no such value", did_you_mean(name, known))
            taken.append(_written(values[name], sql, database))
        return database.backend.placeholder

    text = _MARK.sub(mark, sql)
    if not isinstance(values, Mapping) and used < len(values):
        raise _misfit(sql, f"has {used} placeholders for {len(values)} values")
    return text, taken


def _written(value: Any, sql: str, database: Database) -> Any:
    """A value as the models keep it in columns: else a UUID is looked for as a text that no row has.

    Raises:
        DatabaseError: It is none that a column can have.
    """
    if isinstance(value, Mapping | Set) or hasattr(value, "_meta"):
        hint = "Give its pk." if hasattr(value, "_meta") else "Write it as JSON text: json.dumps(...)."
        raise _misfit(sql, f"was given {value!r}, which is no single value", hint)
    for kind, write in database.backend.writers.items():
        if isinstance(value, kind):
            return write(value)
    return value


def _misfit(sql: str, what: str, hint: str = "") -> DatabaseError:
    return DatabaseError(f"the statement {' '.join(sql.split())[:200]!r} {what}", hint=hint or "Give each its value.")


class RawQuestion:
    """A question by hand, as a trace keeps it.

    Attributes:
        id: Stands for its text.
        opaque: What it depends on is not known.
    """

    opaque = True
    clock: tuple[tuple[str, str], ...] = ()
    footprint: tuple[tuple[str, str], ...] = ()

    def __init__(self, sql: str, count: int, database: Database) -> None:
        self.sql, self.count = sql, count
        self.mark, self.place = database.backend.placeholder, database.place
        self.id = "raw:" + digest([sql, count, self.place]).hex()[:20]

    def note(self, trace: Any, values: Sequence[Any], rows: Sequence[Sequence[Any]]) -> None:
        """Record that it was asked, and what the answer was."""
        trace.shapes[self.id] = self
        trace.record("query", (self.id, *values), digest([list(row) for row in rows]))

    def record(self) -> dict[str, Any]:
        """All that another process needs to ask again."""
        return {
            "id": self.id,
            "sql": self.sql,
            "plan": ["value"] * self.count,
            "moment": "",
            "mark": self.mark,
            "keyed": False,
            "footprint": [],
            "clock": [],
            "place": self.place,
            "opaque": True,
        }


def note_statement(sql: str, caller: FrameType) -> None:
    """Note that a page's own code ran a statement past the models and the cursor: its answer is known to nobody."""
    scope = current.get()
    if scope is not None and scope.trace is not None:
        apps, own = getattr(scope.site, "code_folders", ((), ()))
        if caller.f_code.co_filename.startswith((*apps, *own)):
            scope.trace.record("outside", (f"the statement {' '.join(sql.split())[:100]!r}",), UNVERIFIABLE)


def ask(database: Database, sql: str, values: Values | None) -> tuple[list[str], list[Any]]:
    """The names of the columns and the rows of a question by hand, which the page at hand is noted to have asked."""
    text, taken = positional(sql, values, database)
    cursor = database.execute(text, taken)
    names = [column[0] for column in cursor.description or ()]
    rows = list(database.taken(cursor.fetchall, text, parameters=taken)) if names else []
    scope = current.get()
    if scope is not None and scope.trace is not None and names:
        RawQuestion(text, len(taken), database).note(scope.trace, taken, rows)
    return names, rows


class Cursor:
    """A cursor as PEP 249 has it, with the toolkit's errors, log, signals and trace. Use it in a ``with`` block.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database, self._sql = database, ""
        self._parameters: Sequence[Any] = ()
        self._cursor: Any = None
        self._rows: list[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        if self.__dict__.get("_cursor") is None:
            raise DatabaseError(f"the cursor has no {name!r} before something was executed")
        return getattr(self._cursor, name)

    def execute(self, sql: str, values: Values | None = None) -> Self:
        """Run a statement.

        Args:
            sql: With ``%s`` or ``%(name)s`` for values, on every database.
            values: A list or a mapping.
        """
        text, taken = positional(sql, values, self._database)
        self._cursor, self._sql, self._parameters = self._database.execute(text, taken), text, taken
        self._rows = None
        scope = current.get()
        if scope is not None and scope.trace is not None and self._cursor.description:
            self._rows = list(self._taken("fetchall"))
            RawQuestion(text, len(taken), self._database).note(scope.trace, taken, self._rows)
        return self

    def executemany(self, sql: str, rows: Sequence[Values]) -> None:
        """Run a statement once for each list or mapping of values."""
        made = [positional(sql, row, self._database) for row in rows]
        if made:
            self._database.executemany(made[0][0], [values for _, values in made])

    def _taken(self, name: str, *arguments: Any) -> Any:
        """What a function of the driver's cursor gives."""
        return self._database.taken(self.__getattr__(name), self._sql, *arguments, parameters=self._parameters)

    def fetchone(self) -> Any:
        """The next row; None when there is none."""
        if self._rows is None:
            return self._taken("fetchone")
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int = 1) -> list[Any]:
        """The next rows."""
        if self._rows is None:
            return list(self._taken("fetchmany", size))
        found, self._rows = self._rows[:size], self._rows[size:]
        return found

    def fetchall(self) -> list[Any]:
        """All rows that remain."""
        if self._rows is None:
            return list(self._taken("fetchall"))
        found, self._rows = self._rows, []
        return found

    def __iter__(self) -> Iterator[Any]:
        while (row := self.fetchone()) is not None:
            yield row

    def close(self) -> None:
        """Let go of what was not fetched."""
        if self._cursor is not None:
            self._cursor.close()
            self._cursor = None
