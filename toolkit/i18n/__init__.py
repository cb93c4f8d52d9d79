"""Translations, languages and formats: what running pages need.

The tools that work on catalogs are imported from their modules: ``extract``, ``update``, ``compile``,
``check``, ``stats`` and ``pseudo``.
"""

from .catalog import Catalog, Message
from .catalogs import Catalogs
from .collation import sort_key
from .formats import (
    format_currency,
    format_date,
    format_datetime,
    format_list,
    format_number,
    format_percent,
    format_time,
    format_timedelta,
    timesince,
)
from .lazy import (
    LazyFormat,
    LazyText,
    format_lazy,
    gettext_lazy,
    ngettext_lazy,
    npgettext_lazy,
    pgettext_lazy,
)
from .locales import Locale, direction, get_locale, isolate, validate_tag
from .messages import gettext, gettext_noop, ngettext, npgettext, pgettext

__all__ = [
    "gettext",
    "ngettext",
    "pgettext",
    "npgettext",
    "gettext_lazy",
    "ngettext_lazy",
    "pgettext_lazy",
    "npgettext_lazy",
    "gettext_noop",
    "format_lazy",
    "LazyText",
    "LazyFormat",
    "Catalogs",
    "Catalog",
    "Message",
    "Locale",
    "get_locale",
    "validate_tag",
    "direction",
    "isolate",
    "format_date",
    "format_time",
    "format_datetime",
    "format_number",
    "format_percent",
    "format_currency",
    "format_list",
    "format_timedelta",
    "timesince",
    "sort_key",
]
