"""Translations, languages and formats: what running pages need.

The tools that work on catalogs are imported from their modules: ``extract``, ``update``, ``compile``,
``check``, ``stats`` and ``pseudo``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.lazily import names_from

if TYPE_CHECKING:
    from toolkit.i18n.catalog import Catalog, Message
    from toolkit.i18n.catalogs import Catalogs
    from toolkit.i18n.collation import sort_key
    from toolkit.i18n.formats import (
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
    from toolkit.i18n.lazy import (
        LazyFormat,
        LazyText,
        format_lazy,
        gettext_lazy,
        ngettext_lazy,
        npgettext_lazy,
        pgettext_lazy,
    )
    from toolkit.i18n.locales import Locale, direction, get_locale, isolate, validate_tag
    from toolkit.i18n.messages import gettext, gettext_noop, ngettext, npgettext, pgettext

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

__getattr__ = names_from(
    __name__,
    {
        "catalog": ["Catalog", "Message"],
        "catalogs": ["Catalogs"],
        "collation": ["sort_key"],
        "formats": [
            "format_currency",
            "format_date",
            "format_datetime",
            "format_list",
            "format_number",
            "format_percent",
            "format_time",
            "format_timedelta",
            "timesince",
        ],
        "lazy": [
            "LazyFormat",
            "LazyText",
            "format_lazy",
            "gettext_lazy",
            "ngettext_lazy",
            "npgettext_lazy",
            "pgettext_lazy",
        ],
        "locales": ["Locale", "direction", "get_locale", "isolate", "validate_tag"],
        "messages": ["gettext", "gettext_noop", "ngettext", "npgettext", "pgettext"],
    },
)
