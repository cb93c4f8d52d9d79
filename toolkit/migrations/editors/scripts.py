"""A script of SQL, taken apart into its statements: drivers run one at a time."""

from __future__ import annotations

import re

_TOKENS = r"""
    (?P<text> {text} | "(?:[^"]|"")*" | `[^`]*` | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
  | (?P<comment> --[^\n]* | /\*.*?\*/ )
  | (?P<end> ; )
  | (?P<block> \bBEGIN\b )
  | \s+ | \w+ | .
"""


def _scanner(text: str) -> re.Pattern[str]:
    return re.compile(_TOKENS.format(text=text), re.VERBOSE | re.DOTALL | re.IGNORECASE)


_SCANNER = _scanner(r"'(?:[^']|'')*'")
_WITH_BACKSLASHES = _scanner(r"'(?:[^'\\]|\\.|'')*'")
"""MariaDB's texts, in which a backslash goes before a quote."""


def split_script(sql: str, dialect: str) -> list[str]:
    """The statements of a script, without the semicolons between them.

    What has a ``BEGIN`` in it, such as the body of a trigger, is left whole: semicolons inside of it end nothing.

    Args:
        sql: Statements with semicolons between them.
        dialect: Whose texts are in it.
    """
    scanner = _WITH_BACKSLASHES if dialect == "mysql" else _SCANNER
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
