"""Counting how far a translation has come."""

from __future__ import annotations

import json

from toolkit.i18n.catalog import Catalog, Message
from toolkit.i18n.stats import catalog_stats

CATALOG = Catalog(
    (
        Message("Read more", translations=("Sigue leyendo",)),
        Message("one", plural="%(n)d <b>stories</b> don't", translations=("uno", "")),
        Message("Map", translations=("Mapa",), flags=("fuzzy",)),
        Message("Places", translations=("",)),
        Message("Gone", translations=("Ido",), obsolete=True),
    ),
    locale="es",
)


def test_each_message_is_counted_once() -> None:
    stats = catalog_stats(CATALOG)
    assert (stats.messages, stats.translated, stats.fuzzy, stats.untranslated, stats.obsolete) == (4, 1, 1, 2, 1)
    assert stats.percent == 25


def test_words_are_those_a_translator_has_to_write() -> None:
    stats = catalog_stats(CATALOG)
    assert (stats.words, stats.translated_words, stats.percent_words) == (7, 2, 28)


def test_one_hundred_percent_means_all() -> None:
    messages = tuple(Message(str(number), translations=("x",)) for number in range(999))
    assert catalog_stats(Catalog((*messages, Message("last", translations=("",))))).percent == 99
    assert catalog_stats(Catalog(messages)).percent == 100
    assert catalog_stats(Catalog()).percent == 100


def test_counts_can_be_written_as_json() -> None:
    assert json.loads(json.dumps(catalog_stats(CATALOG).as_dict()))["percent"] == 25
