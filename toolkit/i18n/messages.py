"""Translating text: ``gettext`` and its kin.

They read the current scope (``toolkit.trace.current``): its site's catalogs and its locale. Outside any
scope, as when a module is imported, they answer the source text; a text that is declared at import and shown
later is declared lazy. The names and the order of arguments are those of Python's :mod:`gettext` and of
Django.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.trace import current

if TYPE_CHECKING:
    from .catalogs import Catalogs


def gettext(message: str) -> str:
    """The message in the current language."""
    return translate(message)


def ngettext(singular: str, plural: str, n: int) -> str:
    """The message in the current language, in the form that goes with ``n`` things."""
    return translate(singular, plural=plural, n=n)


def pgettext(context: str, message: str) -> str:
    """The message in the current language; ``context`` tells it from the same words elsewhere."""
    return translate(message, context=context)


def npgettext(context: str, singular: str, plural: str, n: int) -> str:
    """Both: a context, and the form that goes with ``n`` things."""
    return translate(singular, context=context, plural=plural, n=n)


def gettext_noop(message: str) -> str:
    """The message as it is: marks it for extraction where it is translated elsewhere."""
    return message


def translate(msgid: str, *, context: str | None = None, plural: str | None = None, n: int | None = None) -> str:
    """What all the others are made of."""
    scope = current.get()
    catalogs: Catalogs | None = getattr(scope.site, "catalogs", None) if scope is not None else None
    if scope is None or catalogs is None:
        return msgid if plural is None or n == 1 else plural
    return catalogs.lookup(scope.locale, msgid, context=context, plural=plural, n=n)
