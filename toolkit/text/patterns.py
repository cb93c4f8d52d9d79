"""Regular expressions that are compiled when they are first used.

Compiling the larger ones took a fifth of the time in which the toolkit is imported, and most commands need none.
"""

from __future__ import annotations

import re
from typing import Any, cast


class _Deferred:
    """Stands for a pattern; once it was asked for, its methods are the pattern's own."""

    def __init__(self, text: str, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        value = self.__dict__[name] = getattr(re.compile(self._text, self._flags), name)
        return value


def deferred(text: str, flags: int = 0) -> re.Pattern[str]:
    """What ``re.compile`` gives, without compiling yet.

    Args:
        text: The pattern. A mistake in it shows when it is first used.
        flags: Such as ``re.DOTALL``.
    """
    return cast("re.Pattern[str]", _Deferred(text, flags))
