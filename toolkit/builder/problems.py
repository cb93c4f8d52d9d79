"""What is wrong with a site, told once and in one order, whichever process found it first."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable

from toolkit.errors import ToolkitError

WAY = re.compile(r" \((?:extended by|block of|included from|called from|from) ")
"""Where the message of a template's error begins to tell the way to the place: it differs from page to page."""


def merge_problems(problems: Iterable[ToolkitError]) -> list[ToolkitError]:
    """Each fault once, by file, line and URL: a wrong template fails on every page that is made with it.

    Args:
        problems: As the pages met them, in any order.

    Returns:
        Each fault as the first of its pages in the order of URLs met it; the hint says on how many more it is.
    """
    groups: dict[tuple[str, int, str], list[ToolkitError]] = {}
    for problem in sorted(problems, key=_order):
        groups.setdefault(_fault(problem), []).append(problem)
    return [_told(first, len(others)) for first, *others in groups.values()]


def _order(problem: ToolkitError) -> tuple[str, int, str, str]:
    return str(problem.path or ""), problem.line or 0, problem.url or "", problem.message


def _fault(problem: ToolkitError) -> tuple[str, int, str]:
    return str(problem.path or ""), problem.line or 0, WAY.split(problem.message, maxsplit=1)[0]


def _told(first: ToolkitError, others: int) -> ToolkitError:
    if not others:
        return first
    letter = copy.copy(first)
    more = f"The same on {others} more {'page' if others == 1 else 'pages'}."
    letter.hint = f"{first.hint} {more}" if first.hint else more
    return letter
