"""Upper and lower case as Unicode has them, on each database.

SQLite calls Python's ``str.upper`` and ``str.lower``, PostgreSQL asks ICU, which gives the same. MariaDB maps single
characters to single ones, by a collation that knows all scripts: the others are replaced first.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from toolkit.models.folding import ICU


def cased(expression: Any, dialect: str, name: str) -> Any:
    """SQL of a text in another case.

    Args:
        expression: The text.
        dialect: The dialect.
        name: ``"upper"`` or ``"lower"``.
    """
    import sqlalchemy as sa

    if dialect == "sqlite":
        return getattr(sa.func, f"toolkit_{name}")(expression, type_=sa.String())
    if dialect == "postgresql":
        found = getattr(sa.func, name)(sa.collate(expression, ICU), type_=sa.String())
        return sa.collate(found, "C")  # in the order of all other text
    if dialect == "mysql":
        return _elements()[name](expression)
    return getattr(sa.func, name)(expression, type_=sa.String())


def exactly_compared(expression: Any) -> Any:
    """A text that MySQL computed, with the collation that all columns have."""
    return _elements()["exact"](expression)


@cache
def _elements() -> dict[str, Any]:
    """Functions whose SQL depends on the server: MariaDB's and MySQL's collations have different names."""
    import sqlalchemy as sa
    from sqlalchemy.ext.compiler import compiles
    from sqlalchemy.sql.functions import FunctionElement

    class Exact(FunctionElement[str]):
        type = sa.String()
        inherit_cache = True
        name = "exact"

    class Upper(Exact):
        inherit_cache = True
        name = "upper"

    class Lower(Exact):
        inherit_cache = True
        name = "lower"

    @compiles(Exact)
    def compile_exact(element: Any, compiler: Any, **options: Any) -> str:
        text = compiler.process(element.clauses, **options)
        return f"({text} COLLATE {_collations(compiler)[0]})"

    @compiles(Upper)
    def compile_upper(element: Any, compiler: Any, **options: Any) -> str:
        text = compiler.process(element.clauses, **options)
        exact, unicode = _collations(compiler)
        for character, upper in _several():
            text = f"REPLACE({text}, '{character}', '{upper}')"
        return f"(UPPER({text} COLLATE {unicode}) COLLATE {exact})"

    @compiles(Lower)
    def compile_lower(element: Any, compiler: Any, **options: Any) -> str:
        text = compiler.process(element.clauses, **options)
        exact, unicode = _collations(compiler)
        text = f"REPLACE({text} COLLATE {exact}, 'İ', 'i̇')"
        final = _FINAL_SIGMA if compiler.dialect.is_mariadb else "(?<=[[:alpha:]])Σ(?![[:alpha:]])"
        text = f"REGEXP_REPLACE({text}, '{final}', 'ς')"
        return f"(LOWER({text} COLLATE {unicode}) COLLATE {exact})"

    return {"exact": Exact, "upper": Upper, "lower": Lower}


_LETTER = r"[\\p{Lu}\\p{Ll}\\p{Lt}]"
_IGNORED = r"[\\p{Mn}\\p{Me}\\p{Cf}\\p{Lm}\\p{Sk}.:''’·]*"
_FINAL_SIGMA = rf"{_LETTER}{_IGNORED}\\KΣ(?!{_IGNORED}{_LETTER})"
"""Σ behind a letter and before none, as a literal of SQL. Source: the Unicode Standard, table 3-17, Final_Sigma."""


def _collations(compiler: Any) -> tuple[str, str]:
    if compiler.dialect.is_mariadb:
        return "utf8mb4_nopad_bin", "utf8mb4_uca1400_as_ci"
    return "utf8mb4_0900_bin", "utf8mb4_0900_as_ci"


@cache
def _several() -> list[tuple[str, str]]:
    """Characters whose upper case is several characters, with it."""
    every = (chr(number) for number in range(0x80, 0x2FFFF) if not 0xD800 <= number < 0xE000)
    return [(character, character.upper()) for character in every if len(character.upper()) > 1]
