"""Regular expressions for SQLite, which has none, in a time that is bounded.

Patterns come from whoever searches, and Python's ``re`` cannot be stopped and lets no other thread run: ``(a+)+$``
takes years for forty letters. The package ``regex`` reads the same patterns, gives up when told, and works beside other
threads.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from toolkit.database.sqlguards import refuse

SECONDS = 2
"""So long, of the process's own time, one text may take: it is a thousand times what it takes with a useful pattern."""

_MAY_TAKE_LONG = re.compile(r"[*+?{]|\[\[")
"""What repeats; without, ``re`` is done once it has passed over the text, and is told no bound, which takes 4 us. And
sets by name such as ``[[:alpha:]]``, which ``re`` does not know."""

_PLAIN_BRACE = re.compile(r"(?<!\\)(?<!\\N)\{(?!(\d+|\d*,\d*)\})")
"""One that does not say how often. ``regex`` would read how many letters may differ: ``(flood){e<=1}``."""


def matches(text: Any, pattern: str | None) -> bool | None:
    """Whether a pattern is found in a text, for SQLite; NULL of NULL."""
    if text is None or pattern is None:
        return None
    try:
        return _finder(pattern)(str(text)) is not None
    except TimeoutError:
        told = f"it took more than {SECONDS} seconds for one text. Write it with fewer * + and {{}}, or as several"
    except (ValueError, RecursionError) as error:  # of a pattern that a column has, or that ``regex`` reads otherwise
        told = f"it is none: {error}"
    refuse(f"the regular expression {pattern!r:.200} is refused: {told}")


@lru_cache(maxsize=64)
def _finder(pattern: str) -> Callable[[str], Any]:
    """A function that finds a pattern in a text.

    Raises:
        ValueError: It is no regular expression.
    """
    import regex

    try:
        if not _MAY_TAKE_LONG.search(pattern):
            return re.compile(pattern).search
        search = regex.compile(_PLAIN_BRACE.sub(r"\{", pattern)).search
    except (re.error, regex.error) as error:
        raise ValueError(error) from error
    return lambda text: search(text, timeout=SECONDS, concurrent=True)
