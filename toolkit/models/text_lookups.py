"""Lookups of text: parts of it, with or without regard to case, and regular expressions."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from toolkit.errors import FieldError, ValidationError
from toolkit.i18n import gettext_lazy
from toolkit.models.folding import folded
from toolkit.models.lookups import LookupContext, LookupFunction, open_to_expressions
from toolkit.validators.base import refusal

_NULL_CHARACTER = gettext_lazy("text may not contain a null character")
_NOT_UNICODE = gettext_lazy("%(shown)s is not valid Unicode: %(reason)s")


def refuse_unsound(value: str) -> None:
    """Refuse text that some database or file could not keep.

    Raises:
        ValidationError: It has a null character, or half of a surrogate pair.
    """
    if "\x00" in value:
        raise ValidationError(_NULL_CHARACTER, code="null_characters")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise refusal(_NOT_UNICODE, value, reason=error.reason) from error


def as_text(value: Any) -> str:
    """Text that is searched for.

    Raises:
        FieldError: It is no text, nor a number, date or the like, or no database could have it.
    """
    forgotten_call = callable(value) or hasattr(value, "_meta")
    if forgotten_call or isinstance(value, bool | bytes | bytearray | list | tuple | set | frozenset | dict):
        raise FieldError(f"{value!r:.200} is not text that can be searched for")
    text = str.__str__(value) if isinstance(value, str) else str(value)
    try:
        refuse_unsound(text)
    except ValidationError as error:
        raise FieldError(f"{error.message} (in a text that is searched for)") from error
    return text


def _type() -> Any:
    import sqlalchemy as sa

    return sa.String()


def _column(context: LookupContext, *, fold: bool) -> Any:
    return folded(context.column, context.dialect) if fold else context.column


def _bound(context: LookupContext, *, fold: bool) -> Any:
    """The text that was asked for, in the form of the column."""
    if context.right is not None:
        return folded(context.right, context.dialect) if fold else context.right
    if fold and context.dialect == "sqlite":
        return context.bind(_as_folded, _type())
    bound = context.bind(as_text, _type())
    return folded(bound, context.dialect) if fold else bound


def _like(context: LookupContext, before: str, after: str, *, fold: bool) -> Any:
    if context.right is not None:
        pattern = _pattern_of(context.right, before, after)
    else:
        pattern = context.bind(partial(_as_pattern, before, after), _type())
    if fold:
        pattern = folded(pattern, context.dialect)
    return _column(context, fold=fold).like(pattern, escape="\\")


def _as_folded(value: Any) -> str:
    return as_text(value).casefold()


def _as_pattern(before: str, after: str, value: Any) -> str:
    return f"{before}{_escape(as_text(value))}{after}"


def _escape(value: str) -> str:
    """The text with the wildcards of LIKE made plain."""
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _pattern_of(text: Any, before: str, after: str) -> Any:
    """The same of an expression: the database makes the wildcards in it plain."""
    import sqlalchemy as sa

    for wildcard in "\\%_":
        text = sa.func.replace(text, sa.literal(wildcard), sa.literal(f"\\{wildcard}"), type_=_type())
    return sa.literal(before) + text + sa.literal(after) if before else text + sa.literal(after)


def _contains(*, fold: bool) -> LookupFunction:
    @open_to_expressions
    def build(context: LookupContext) -> Any:
        import sqlalchemy as sa

        if context.dialect == "sqlite":  # whose LIKE takes no long patterns, and no regard to case
            return sa.func.instr(_column(context, fold=fold), _bound(context, fold=fold)) > 0
        return _like(context, "%", "%", fold=fold)

    return build


def _startswith(*, fold: bool) -> LookupFunction:
    @open_to_expressions
    def build(context: LookupContext) -> Any:
        import sqlalchemy as sa

        if context.dialect == "sqlite":
            length = sa.func.length(_bound(context, fold=fold))
            return sa.func.substr(_column(context, fold=fold), 1, length) == _bound(context, fold=fold)
        return _like(context, "", "%", fold=fold)

    return build


def _endswith(*, fold: bool) -> LookupFunction:
    @open_to_expressions
    def build(context: LookupContext) -> Any:
        import sqlalchemy as sa

        if context.dialect != "sqlite":
            return _like(context, "%", "", fold=fold)
        column = _column(context, fold=fold)
        length = sa.func.length(_bound(context, fold=fold))
        tail = sa.func.substr(column, sa.func.length(column) - length + 1)
        fits = sa.func.length(column) >= sa.func.length(_bound(context, fold=fold))
        return sa.and_(fits, tail == _bound(context, fold=fold))

    return build


@open_to_expressions
def iexact(context: LookupContext) -> Any:
    """``title__iexact``: the same text, in whatever case."""
    return _column(context, fold=True) == _bound(context, fold=True)


LONGEST_PATTERN = 1_000
"""Characters of a regular expression: PostgreSQL needs seconds, and then refuses, what is much longer."""


def _pattern(value: Any) -> str:
    """A regular expression that Python can read; what a database makes of it is its own affair."""
    text = as_text(value)
    if len(text) > LONGEST_PATTERN:
        raise FieldError(
            f"the regular expression has {len(text)} characters; at most {LONGEST_PATTERN} are taken",
            hint="Databases take seconds to read long ones. Use __in for a list of words.",
        )
    try:
        with warnings.catch_warnings():  # of sets within sets, which a later Python may read as others do
            warnings.simplefilter("ignore", FutureWarning)
            re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise FieldError(f"{text!r:.200} is no regular expression: {error}") from error
    return text


_BOUNDARIES = re.compile(r"\\([bB])|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
"""The ends of words in a regular expression, or what they are not: another escape, a set of characters."""


def _postgresql_pattern(value: Any) -> str:
    r"""A regular expression with the ends of words as PostgreSQL has them: ``\b`` is a backspace there."""
    spelt = {"b": r"\y", "B": r"\Y"}
    return _BOUNDARIES.sub(lambda found: spelt[found[1]] if found[1] else found[0], _pattern(value))


def _asked_pattern(context: LookupContext) -> Any:
    return context.bind(_postgresql_pattern if context.dialect == "postgresql" else _pattern, _type())


def _folding_pattern(value: Any) -> str:
    return f"(?i){_pattern(value)}"


@open_to_expressions
def regex(context: LookupContext) -> Any:
    """``title__regex``: a regular expression finds something, upper and lower case apart."""
    import sqlalchemy as sa

    if context.dialect == "sqlite":
        return sa.func.toolkit_matches(context.column, context.bind(_pattern, _type())).is_(sa.true())
    return context.column.regexp_match(_asked_pattern(context))


@open_to_expressions
def iregex(context: LookupContext) -> Any:
    """``title__iregex``: a regular expression finds something, in whatever case."""
    import sqlalchemy as sa

    if context.dialect not in ("sqlite", "mysql"):  # for MariaDB, SQLAlchemy writes the flags as a parameter
        return context.column.regexp_match(_asked_pattern(context), flags="i")
    bound = context.bind(_folding_pattern, _type())
    bound = sa.literal_column("'(?i)'").concat(context.right) if context.right is not None else bound
    if context.dialect == "sqlite":
        return sa.func.toolkit_matches(context.column, bound).is_(sa.true())
    return context.column.regexp_match(bound)


TEXT: Mapping[str, LookupFunction | None] = {
    "iexact": iexact,
    "contains": _contains(fold=False),
    "icontains": _contains(fold=True),
    "startswith": _startswith(fold=False),
    "istartswith": _startswith(fold=True),
    "endswith": _endswith(fold=False),
    "iendswith": _endswith(fold=True),
    "regex": regex,
    "iregex": iregex,
}
"""Lookups of fields that hold text."""


def _spelt(build: LookupFunction) -> LookupFunction:
    @open_to_expressions
    def build_spelt(context: LookupContext) -> Any:
        import sqlalchemy as sa

        return build(replace(context, column=sa.cast(context.column, sa.Text())))

    return build_spelt


AS_TEXT: Mapping[str, LookupFunction | None] = {name: _spelt(build) for name, build in TEXT.items() if build}
"""The same for fields whose values all databases spell the same as text: whole numbers, dates."""
