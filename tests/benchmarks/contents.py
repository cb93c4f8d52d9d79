"""Whether contenders made the same pages: not byte for byte, but of the same stories in the same order."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from .contenders import kind_of, paths_of

SAMPLE = 25
"""Pages of each kind that are looked at."""

HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
STORY = re.compile(r'<h3><a href="?([^">]+)"?>(.*?)</a></h3>', re.DOTALL)
TAG = re.compile(r'rel="?tag"? href="?([^">]+)')
ITEM = re.compile(r"<item>.*?<link>(.*?)</link>", re.DOTALL)
LOCATION = re.compile(r"<loc>([^<]*/posts/[^<]*)</loc>")


@dataclass(frozen=True)
class Gist:
    """What a page says, whoever wrote it.

    Args:
        heading: Its first heading.
        stories: (URL, title) of the stories that it lists, in order.
        tags: URLs of a story's tags; their order is each generator's own.
        entries: URLs of a feed's entries, in order.
        located: Stories in a sitemap.
    """

    heading: str
    stories: tuple[tuple[str, str], ...]
    tags: frozenset[str]
    entries: tuple[str, ...]
    located: frozenset[str]


def gist_of(text: str) -> Gist:
    """Read a page, a feed or a sitemap."""
    heading = HEADING.search(text)
    return Gist(
        _plain(heading[1]) if heading else "",
        tuple((unescape(url), _plain(title)) for url, title in STORY.findall(text)),
        frozenset(TAG.findall(text)),
        tuple(ITEM.findall(text)),
        frozenset(LOCATION.findall(text)),
    )


def _plain(markup: str) -> str:
    return " ".join(unescape(markup).split())


def sample(output: Path) -> list[str]:
    """Some files of each kind, the same for all contenders."""
    kinds: dict[str, list[str]] = {}
    for path in sorted(paths_of(output)):
        kinds.setdefault(kind_of(path), []).append(path)
    kinds.pop("asset", None)
    chance = random.Random(18)
    return [path for paths in kinds.values() for path in chance.sample(paths, min(SAMPLE, len(paths)))]


def differing(outputs: Sequence[tuple[str, Path]], *, related: bool = True) -> Iterable[str]:
    """A line for each page of the sample that some contender wrote otherwise.

    Args:
        outputs: (name, folder) of each; the first is compared with the others.
        related: Compare the related stories too.
    """
    (first, folder), *others = outputs
    for path in sample(folder):
        expected = gist_of((folder / path).read_text("utf-8"))
        for name, other in others:
            found = gist_of((other / path).read_text("utf-8"))
            for part in ("heading", "stories", "tags", "entries", "located"):
                if part == "stories" and not related and kind_of(path) == "story":
                    continue
                one, two = getattr(expected, part), getattr(found, part)
                if one != two:
                    yield f"{path}: {part} of {first}: {_short(one)}; of {name}: {_short(two)}"


def _short(value: object) -> str:
    return str(sorted(value) if isinstance(value, frozenset) else value)[:300]
