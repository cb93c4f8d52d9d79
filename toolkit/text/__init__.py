"""Text: slugs, escaping, truncation, word counts, links. Pure functions, no state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.lazily import names_from

if TYPE_CHECKING:
    from toolkit.text.escaping import escape_attribute, escape_html, json_for_html, xml_text
    from toolkit.text.links import absolute_links, absolute_url, below, is_absolute, relative_links, to_uri
    from toolkit.text.plain import plain_text
    from toolkit.text.slugs import slugify
    from toolkit.text.truncate import truncate_chars, truncate_html, truncate_words
    from toolkit.text.words import reading_time_minutes, word_count

__all__ = [
    "absolute_links",
    "absolute_url",
    "below",
    "escape_attribute",
    "escape_html",
    "is_absolute",
    "json_for_html",
    "plain_text",
    "reading_time_minutes",
    "relative_links",
    "slugify",
    "to_uri",
    "truncate_chars",
    "truncate_html",
    "truncate_words",
    "word_count",
    "xml_text",
]

__getattr__ = names_from(
    __name__,
    {
        "escaping": ["escape_attribute", "escape_html", "json_for_html", "xml_text"],
        "links": ["absolute_links", "absolute_url", "below", "is_absolute", "relative_links", "to_uri"],
        "plain": ["plain_text"],
        "slugs": ["slugify"],
        "truncate": ["truncate_chars", "truncate_html", "truncate_words"],
        "words": ["reading_time_minutes", "word_count"],
    },
)
