"""CREATE TABLE statements, taken apart into columns and constraints.

SQLite keeps the text that made a table, and that text is the only place that knows everything about it: generated
columns, collations, the constraints that somebody added by hand. A rebuild keeps what the models know nothing of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|\w+|\s+|.""", re.DOTALL
)
_CONSTRAINT_WORDS = frozenset({"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"})
_NAMED = re.compile(r"""CONSTRAINT\s+("(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|\w+)\s+""", re.IGNORECASE)


@dataclass(frozen=True)
class TableSQL:
    """The parts of a CREATE TABLE statement.

    Args:
        columns: Column name to its whole definition, in order.
        constraints: The table's constraints, each as its whole text.
        suffix: What follows the closing bracket, such as ``WITHOUT ROWID``.
    """

    columns: dict[str, str]
    constraints: list[str]
    suffix: str

    def create(self, table: str) -> str:
        """The statement again, for a table of this name."""
        body = ",\n\t".join([*self.columns.values(), *self.constraints])
        return f"CREATE TABLE {quote(table)} (\n\t{body}\n){self.suffix}"


def parse_table(sql: str, *, words: Iterable[str] = ()) -> TableSQL:
    """Take a CREATE TABLE statement apart.

    Args:
        sql: The statement.
        words: Words that a constraint begins with, beside the usual ones.
    """
    marks = _CONSTRAINT_WORDS.union(words)
    tokens = [token for token in _TOKEN.findall(sql) if not token.startswith(("--", "/*"))]
    start = tokens.index("(")
    end = len(tokens) - 1 - tokens[::-1].index(")")
    columns: dict[str, str] = {}
    constraints: list[str] = []
    for definition in _split(tokens[start + 1 : end]):
        first = next(token for token in definition if not token.isspace())
        text = "".join(definition).strip()
        if first.upper() in marks:
            constraints.append(text)
        else:
            columns[unquote(first)] = text
    return TableSQL(columns, constraints, "".join(tokens[end + 1 :]).rstrip())


def constraint_key(text: str) -> str:
    """What a constraint says, whatever it is called and however it is written."""
    text = _NAMED.sub("", text, count=1)
    parts = [unquote(token) if token[0] in '"`[' else token for token in _TOKEN.findall(text)]
    return "".join(part for part in parts if not part.isspace())


def checks_of(table: TableSQL) -> set[str]:
    """The CHECK conditions of a table, normalised."""
    return {key for text in table.constraints if (key := constraint_key(text)).upper().startswith("CHECK")}


def words_of(sql: str) -> list[str]:
    """The words, names, literals and signs of a statement, without what is between them."""
    return [token for token in _TOKEN.findall(sql) if not token.isspace() and not token.startswith(("--", "/*"))]


def generated_of(definition: str) -> str | None:
    """The expression of a generated column, from its definition, normalised; None if it is no such column."""
    words = words_of(definition)
    start = next((place for place, word in enumerate(words) if word.upper() == "AS"), None)
    return None if start is None else constraint_key(" ".join(words[start + 1 :]))


def quote(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def unquote(token: str) -> str:
    """The name that an identifier stands for."""
    opening = token[:1]
    if opening == "[":
        return token[1:-1]
    if opening in ('"', "`"):
        return token[1:-1].replace(opening * 2, opening)
    return token


def _split(tokens: list[str]) -> Iterator[list[str]]:
    """The definitions between the brackets: split at the commas that are in no bracket of their own."""
    depth = 0
    current: list[str] = []
    for part in tokens:
        depth += (part == "(") - (part == ")")
        if part == "," and depth == 0:
            yield current
            current = []
        else:
            current.append(part)
    yield current
