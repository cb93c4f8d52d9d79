"""Plural forms: which of a message's translations goes with which number.

A catalog says its own rule in its header (``Plural-Forms``), and that is the rule used for it. A new catalog
gets the rule of its language from CLDR, by way of Babel.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from gettext import c2py

import msgspec

from toolkit.errors import CatalogError

from .locales import babel_locale

PluralRule = Callable[[int], int]
"""A number to the index of its form."""

_HEADER = re.compile(r"\s*nplurals\s*=\s*(\d+)\s*;\s*plural\s*=\s*([^;]+?)\s*;?\s*\Z")
_CONDITION = re.compile(r"(?P<operand>[a-z]) (?:mod (?P<modulus>\d+) )?(?P<not>not )?in (?P<ranges>\S+)\Z")
_CATEGORIES = ("zero", "one", "two", "few", "many", "other")
_TRIED = (*range(1001), 1002, 1003, 1011, 10_000, 100_000)
_LIMIT = 1001


class PluralForms(msgspec.Struct, frozen=True):
    """The ``Plural-Forms`` of a language.

    Args:
        count: How many forms there are.
        expression: The C expression over ``n`` that picks one, from 0.
    """

    count: int
    expression: str

    def __str__(self) -> str:
        return f"nplurals={self.count}; plural={self.expression};"

    def compile(self) -> PluralRule:
        """The expression as a function, evaluated without ``eval`` of foreign text.

        Raises:
            CatalogError: The expression is no C expression, or picks a form that is not there.
        """
        return _compile(self.count, self.expression)


ONE_AND_MANY = PluralForms(2, "(n != 1)")
"""English, and what gettext takes when a header says nothing."""


def parse_plural_forms(value: str) -> PluralForms:
    """Read the value of a ``Plural-Forms`` header.

    Raises:
        CatalogError: It is not of the form ``nplurals=COUNT; plural=EXPRESSION;``.
    """
    match = _HEADER.match(value)
    if match is None:
        raise CatalogError(f"Plural-Forms is {value!r}", hint="Write it as 'nplurals=2; plural=(n != 1);'.")
    return PluralForms(int(match[1]), match[2])


@lru_cache(maxsize=64)
def _compile(count: int, expression: str) -> PluralRule:
    """Compile with the standard library's parser, then try numbers as ``msgfmt --check`` does."""
    try:
        rule: PluralRule = c2py(expression)
        indexes = {rule(number) for number in range(_LIMIT)}
    except (ValueError, ZeroDivisionError, RecursionError) as problem:
        raise CatalogError(f"the plural expression {expression!r} cannot be read: {problem}") from problem
    if max(indexes) >= count:
        raise CatalogError(
            f"the plural expression {expression!r} picks form {max(indexes)}, but nplurals is {count}",
            hint=f"Set nplurals={max(indexes) + 1}, or mend the expression.",
        )
    return rule


@lru_cache(maxsize=256)
def plural_forms(tag: str) -> PluralForms:
    """The plural forms of a language, in CLDR's order (zero, one, two, few, many, other), for whole numbers.

    CLDR's categories for fractions are left out, since gettext counts whole things, and so are those that
    only millions reach ("1 000 000 de…" in Spanish, French, Portuguese): gettext's own tables, Poedit and
    Weblate leave them out as well, so that catalogs of these languages keep two forms.

    Args:
        tag: BCP 47 tag, such as ``"ar"`` or ``"pt-BR"``.
    """
    rule = babel_locale(tag).plural_form
    reached = {rule(number) for number in _TRIED}
    names = [name for name in _CATEGORIES if name in reached]
    if len(names) == 1:
        return PluralForms(1, "0")
    return PluralForms(len(names), _c_choice([_c_condition(rule.rules[name]) for name in names[:-1]]))


def _c_choice(conditions: list[str]) -> str:
    """``a ? 0 : b ? 1 : 2``; the two shortest in the spelling that every tool knows."""
    usual = {"n==1": "(n != 1)", "n==0 || n==1": "(n > 1)", "n<=1": "(n > 1)"}
    if len(conditions) == 1 and conditions[0] in usual:
        return usual[conditions[0]]
    choice = "".join(f"{condition} ? {index} : " for index, condition in enumerate(conditions))
    return f"({choice}{len(conditions)})"


def _c_condition(rule: str) -> str:
    """A CLDR rule, as Babel writes it, in C over whole numbers (UTS #35, Language Plural Rules)."""
    alternatives = [_c_all(part.split(" and ")) for part in rule.split(" or ")]
    kept = [alternative for alternative in alternatives if alternative is not None]
    return " || ".join(kept) if kept else "0"


def _c_all(conditions: list[str]) -> str | None:
    """The conditions joined by ``&&``; None when a whole number can never meet them."""
    terms = [_c_relation(condition) for condition in conditions]
    if any(term is False for term in terms):
        return None
    return " && ".join(str(term) for term in terms if term is not True) or "1"


def _c_relation(condition: str) -> str | bool:
    """One relation in C; a bool when it is about fractions, which a whole number has not."""
    match = _CONDITION.match(condition.strip())
    if match is None:
        raise CatalogError(f"the plural rule {condition!r} is not understood")
    ranges = [_range(part) for part in match["ranges"].split(",")]
    negated = match["not"] is not None
    if match["operand"] not in "ni":  # v, w, f, t, c, e are 0 for whole numbers
        return any(low <= 0 <= high for low, high in ranges) != negated
    operand = f"n%{match['modulus']}" if match["modulus"] else "n"
    return _c_outside(operand, ranges) if negated else _c_inside(operand, ranges)


def _range(text: str) -> tuple[int, int]:
    low, _, high = text.partition("..")
    return int(low), int(high or low)


def _c_inside(operand: str, ranges: list[tuple[int, int]]) -> str:
    parts = [_c_between(operand, low, high) for low, high in ranges]
    joined = " || ".join(parts)
    return f"({joined})" if len(parts) > 1 and operand != "n" else joined


def _c_between(operand: str, low: int, high: int) -> str:
    if low == high:
        return f"{operand}=={low}"
    return f"{operand}<={high}" if low == 0 else f"{operand}>={low} && {operand}<={high}"


def _c_outside(operand: str, ranges: list[tuple[int, int]]) -> str:
    parts = [f"{operand}!={low}" if low == high else f"({operand}<{low} || {operand}>{high})" for low, high in ranges]
    return " && ".join(parts)


def header_forms(header: Mapping[str, str], locale: str | None) -> PluralForms:
    """The forms that a catalog's header declares, or else those of its language.

    Raises:
        CatalogError: The header's value cannot be read.
    """
    value = header.get("Plural-Forms", "")
    if value and "INTEGER" not in value:  # "nplurals=INTEGER; plural=EXPRESSION;" is msginit's blank
        return parse_plural_forms(value)
    return plural_forms(locale) if locale else ONE_AND_MANY
