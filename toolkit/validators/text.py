"""Rules for text: patterns, slugs, lists of numbers, lengths."""

from __future__ import annotations

import re
from typing import Any

from toolkit.errors import DeclarationError
from toolkit.i18n import gettext_lazy
from toolkit.validators.base import Validator


class RegexValidator(Validator):
    """The text has a match of a regular expression (``re.search``, so anchor it: ``\\A…\\Z``).

    The time that an expression takes is its author's affair: one with nested repetition can take for ever.

    Args:
        regex: A pattern, compiled or as text.
        message: What to say.
        code: The error's stable name.
        inverse_match: Refuse text that has a match instead.
        flags: Of the module ``re``, for a pattern given as text.
    """

    regex: Any = ""
    inverse_match = False
    flags: int = 0

    def __init__(
        self,
        regex: str | re.Pattern[str] | None = None,
        message: Any = None,
        code: str | None = None,
        inverse_match: bool | None = None,
        flags: int | None = None,
    ) -> None:
        super().__init__(message, code)
        if regex is not None:
            self.regex = regex
        if inverse_match is not None:
            self.inverse_match = inverse_match
        if flags is not None:
            self.flags = flags
        if self.flags and not isinstance(self.regex, str):
            raise DeclarationError(
                "RegexValidator: flags are given, and the pattern is compiled already",
                hint="Give the flags to re.compile(), or the pattern as text.",
            )
        self.pattern = re.compile(self.regex, self.flags)

    def __call__(self, value: Any) -> None:
        if bool(self.pattern.search(str(value))) == self.inverse_match:
            raise self.refuse(value)


_SLUG_HINT = gettext_lazy("Use letters, digits, hyphens and underscores, without spaces.")


class _Whole(RegexValidator):
    """One of the toolkit's own patterns: for the whole text, in ASCII unless it says otherwise."""

    def __call__(self, value: Any) -> None:
        if not self.pattern.fullmatch(str(value)):
            raise self.refuse(value)


class SlugValidator(_Whole):
    """Letters, digits, hyphens and underscores.

    Args:
        allow_unicode: Letters of all scripts.
        message: What to say.
        code: The error's stable name.
    """

    message = gettext_lazy("%(shown)s is not a slug")
    code = "slug"
    hint = _SLUG_HINT

    def __init__(self, allow_unicode: bool = False, message: Any = None, code: str | None = None) -> None:
        super().__init__(r"[-\w]+", message, code, flags=0 if allow_unicode else re.ASCII)


class _IntegerValidator(_Whole):
    regex = r"-?[0-9]+"
    message = gettext_lazy("%(shown)s is not a whole number")


class _IntegerListValidator(_Whole):
    message = gettext_lazy("%(shown)s is not a list of whole numbers")


validate_slug = SlugValidator()
"""ASCII letters, digits, hyphens and underscores."""

validate_unicode_slug = SlugValidator(allow_unicode=True)
"""Letters of all scripts, digits, hyphens and underscores."""

validate_integer = _IntegerValidator()
"""ASCII digits, with a minus sign before them or without one."""


def int_list_validator(
    sep: str = ",", message: Any = None, code: str = "invalid", allow_negative: bool = False
) -> RegexValidator:
    """A validator of whole numbers with a separator between them, and nothing else.

    Args:
        sep: What stands between two numbers.
        message: What to say.
        code: The error's stable name.
        allow_negative: A minus sign may stand before each.
    """
    number = "-?[0-9]+" if allow_negative else "[0-9]+"
    return _IntegerListValidator(f"{number}(?:{re.escape(sep)}{number})*", message, code)


validate_comma_separated_integer_list = int_list_validator()
"""Such as ``1,2,3``."""


class ProhibitNullCharactersValidator(Validator):
    """The text has no null character: PostgreSQL cannot keep one, and C programs end a text there."""

    message = gettext_lazy("text may not contain a null character")
    code = "null_characters_not_allowed"

    def __call__(self, value: Any) -> None:
        if "\x00" in str(value):
            raise self.refuse(value)
