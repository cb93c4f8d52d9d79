"""Text without regard to case, as Unicode's case folding has it, on each database.

SQLite calls Python's ``str.casefold``. PostgreSQL writes upper case as ICU knows it, which makes ß and SS equal; a few
characters, of which that is not so, are replaced first. MariaDB's upper case is of single characters: those that fold
to several are replaced first.
"""

from __future__ import annotations

from functools import cache
from typing import Any

ICU = "und-x-icu"
"""PostgreSQL's collation whose ``upper`` knows all scripts, whatever locale the database was made with."""

DOTLESS = "\ufdd0"
"""Stands for ı, which folds to itself but has the upper case of i. To Unicode it is no character, and in no text."""

_ALONE = ("ıϴ\u2126\u212a\u212b", f"{DOTLESS}θωkå")
"""Characters whose upper case is not that of what they fold to, and what is taken in their place."""


def folded(expression: Any, dialect: str) -> Any:
    """SQL of a text, or of a bound parameter, in a form that is equal for texts which differ by case alone."""
    import sqlalchemy as sa

    if dialect == "sqlite":
        return sa.func.toolkit_fold(expression)
    if dialect == "postgresql" and isinstance(expression, sa.BindParameter) and expression.value is not None:
        # a constant of a declaration: PostgreSQL cannot fold it in a generated column, whose collations it finds later
        return sa.collate(sa.literal(_folded_ahead(expression.value), sa.String()), ICU)
    if dialect == "postgresql":
        text = expression
        for old, new in (("İ", "i\u0307"), ("ẞ", "ss")):
            text = sa.func.replace(text, _written(old), _written(new))
        alone = map(_written, _ALONE)
        return sa.func.upper(sa.collate(sa.func.translate(text, *alone), ICU))
    if dialect == "mysql":
        return _folded_by_replacing()(expression)
    return sa.func.upper(expression)


def _folded_ahead(text: str) -> str:
    """What PostgreSQL makes of a text: ICU writes upper case as Python does."""
    text = text.replace("İ", "i\u0307").replace("ẞ", "ss")
    return text.translate(str.maketrans(*_ALONE)).upper()


def _written(text: str) -> Any:
    import sqlalchemy as sa

    return sa.literal_column(f"'{text}'", sa.String())


@cache
def _folded_by_replacing() -> Any:
    """A function whose SQL depends on the server: MariaDB's and MySQL's collations have different names."""
    import sqlalchemy as sa
    from sqlalchemy.ext.compiler import compiles
    from sqlalchemy.sql.functions import FunctionElement

    class Folded(FunctionElement[str]):
        type = sa.String()
        inherit_cache = True
        name = "folded"

    @compiles(Folded)
    def compile_folded(element: Any, compiler: Any, **options: Any) -> str:
        mariadb = compiler.dialect.is_mariadb
        text = compiler.process(element.clauses, **options)
        for character, folded_to in _several():
            text = f"REPLACE({text}, '{character}', '{folded_to}')"
        upper = "utf8mb4_uca1400_as_ci" if mariadb else "utf8mb4_0900_as_ci"
        exact = "utf8mb4_nopad_bin" if mariadb else "utf8mb4_0900_bin"
        return f"(UPPER({text} COLLATE {upper}) COLLATE {exact})"

    return Folded


@cache
def _several() -> list[tuple[str, str]]:
    """Characters that ``UPPER`` of single characters does not fold, with what they fold to.

    Measured on MariaDB 10.11: all 107 replacements cost 4 µs for a text of 60 characters.
    """
    every = (chr(number) for number in range(0x80, 0x2FFFF) if not 0xD800 <= number < 0xE000)
    found = [(c, c.casefold()) for c in every if len(c.casefold()) > 1 or c in _ALONE[0][1:]]
    return [*found, ("ı", DOTLESS)]
