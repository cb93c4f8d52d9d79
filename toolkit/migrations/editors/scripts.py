"""A script of SQL, taken apart into its statements: drivers run one at a time."""

from __future__ import annotations

import re

_TOKENS = r"""
    (?P<text> {text} | "(?:[^"]|"")*" | `[^`]*` | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
  | (?P<comment> {comment} )
  | (?P<end> ; )
  | (?P<block> \bBEGIN\b )
  | \s+ | \w+ | .
"""


def _scanner(text: str, *, comment: str) -> re.Pattern[str]:
    return re.compile(_TOKENS.format(text=text, comment=comment), re.VERBOSE | re.DOTALL | re.IGNORECASE)


_SCANNER = _scanner(r"'(?:[^']|'')*'", comment=r"--[^\n]* | /\*.*?\*/")
_MARIADB = _scanner(r"'(?:[^'\\]|\\.|'')*'", comment=r"--(?!\S)[^\n]* | \#[^\n]* | /\*(?!M?!).*?\*/")
"""In MariaDB's texts a backslash goes before a quote; ``--1`` is a number there, and what ``/*!`` begins is run."""


def split_script(sql: str, dialect: str) -> list[str]:
    """The statements of a script, without the semicolons between them.

    What has a ``BEGIN`` in it, such as the body of a trigger, is left whole: semicolons inside of it end nothing.

    Args:
        sql: Statements with semicolons between them.
        dialect: Whose texts are in it.
    """
    scanner = _scanner_of(dialect)
    statements: list[str] = []
    start, says_something = 0, False
    for token in scanner.finditer(sql):
        kind = token.lastgroup
        if kind == "block":
            return [sql]
        if kind == "end":
            if says_something:
                statements.append(sql[start : token.start()].strip())
            start, says_something = token.end(), False
        elif kind != "comment" and not token[0].isspace():
            says_something = True
    return [*statements, sql[start:].strip()] if says_something else statements


def without_comments(statement: str, dialect: str) -> str:
    """A statement with a space in the place of each comment."""
    return "".join(
        " " if token.lastgroup == "comment" else token[0] for token in _scanner_of(dialect).finditer(statement)
    ).strip()


def _scanner_of(dialect: str) -> re.Pattern[str]:
    return _MARIADB if dialect == "mysql" else _SCANNER
