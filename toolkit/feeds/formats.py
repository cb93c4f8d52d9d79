"""The formats a feed can be published in, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING

from toolkit.errors import DeclarationError, did_you_mean
from toolkit.lazily import LazyModule
from toolkit.text import escape_attribute

if TYPE_CHECKING:
    from toolkit.feeds import atom, jsonfeed, rss
    from toolkit.feeds.entry import Entry
    from toolkit.feeds.info import FeedInfo
else:
    atom, jsonfeed, rss = (LazyModule(f"toolkit.feeds.{name}") for name in ("atom", "jsonfeed", "rss"))

RSS_TYPE = "application/rss+xml"
ATOM_TYPE = "application/atom+xml"
JSON_TYPE = "application/feed+json"


@dataclass(frozen=True, slots=True)
class FeedFormat:
    """A way to write feeds.

    Args:
        name: As in ``Feed(formats=...)``.
        type: Media type, for the response and for autodiscovery.
        suffix: Ends the path where the format is not the first of its feed.
        write: Makes the file of a feed's facts and entries.
    """

    name: str
    type: str
    suffix: str
    write: Callable[[FeedInfo, Iterable[Entry]], bytes]


FORMATS: Mapping[str, FeedFormat] = MappingProxyType(
    {
        "rss": FeedFormat("rss", RSS_TYPE, ".rss", lambda info, entries: rss.write_rss(info, entries)),
        "atom": FeedFormat("atom", ATOM_TYPE, ".atom", lambda info, entries: atom.write_atom(info, entries)),
        "json": FeedFormat("json", JSON_TYPE, ".json", lambda info, entries: jsonfeed.write_json(info, entries)),
    }
)
"""The built-in formats; hand over ``{**FORMATS, "mine": FeedFormat(...)}`` to add one."""


def feed_paths(path: str, formats: Sequence[str], *, known: Mapping[str, FeedFormat] = FORMATS) -> dict[str, str]:
    """Where each format of a feed is published: the first at ``path``, the others beside it.

    ``/news/feed.xml`` as RSS and Atom gives ``/news/feed.xml`` and ``/news/feed.atom``.

    Args:
        path: The declared path.
        formats: Names of formats.
        known: The formats there are.

    Raises:
        DeclarationError: A format is unknown or named twice, or there is none.
    """
    unknown = [name for name in formats if name not in known]
    if unknown:
        raise DeclarationError(
            f"{unknown[0]!r} is not a feed format (feed {path})", hint=did_you_mean(unknown[0], known)
        )
    if not formats or len(set(formats)) != len(formats):
        raise DeclarationError(f"feed {path} needs formats, each named once; it has {list(formats)!r}")
    stem = path[: len(path) - len(PurePosixPath(path).suffix)]
    return {name: path if number == 0 else stem + known[name].suffix for number, name in enumerate(formats)}


def discovery_link(url: str, format: FeedFormat, *, title: str = "") -> str:
    """The ``<link>`` by which readers find a feed from a page.

    Source: HTML Living Standard, link type "alternate" with a feed's media type.
    """
    label = f' title="{escape_attribute(title)}"' if title else ""
    return f'<link rel="alternate" type="{format.type}"{label} href="{escape_attribute(url)}">'
