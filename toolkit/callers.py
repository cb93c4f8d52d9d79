"""Who called: the line of a template that makes a query, for errors and for the log of queries."""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import NamedTuple


class TemplateLine(NamedTuple):
    """A line of a template.

    Args:
        template: The template's name, such as ``"story.html"``.
        line: The line in its source, from 1.
    """

    template: str
    line: int

    def __str__(self) -> str:
        return f"{self.template}:{self.line}"


def find_template_line() -> TemplateLine | None:
    """The innermost line of a template that is being rendered in this thread; None outside of templates.

    Jinja leaves the template among the globals of the code that it compiles it to.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        template = frame.f_globals.get("__jinja_template__")
        if template is not None:
            return TemplateLine(template.name or "<template>", template.get_corresponding_lineno(frame.f_lineno))
        frame = frame.f_back
    return None


def find_caller() -> str:
    """The line that asks: the innermost one of a template, else of Python code that is not the toolkit's.

    Returns:
        ``story.html:14``, or ``/site/newsroom/pages.py:20``; empty if everything is the toolkit's own.
    """
    line = find_template_line()
    if line is not None:
        return str(line)
    place = find_code_line()
    return "" if place is None else f"{place[0]}:{place[1]}"


def find_code_line() -> tuple[str, int] | None:
    """File and line of the innermost Python code that is not the toolkit's; None if everything is its own."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(_COMMANDS):
            return None  # what called the command is no reason for what it asks
        if not _is_between(path):
            return path, frame.f_lineno
        frame = frame.f_back
    return None


def is_of_toolkit(path: str) -> bool:
    """Whether a file of code is the toolkit's own."""
    return path.startswith(_TOOLKIT)


def _is_between(path: str) -> bool:
    """Whether a file is the toolkit's, Python's own, or made while running: it asks for somebody else."""
    return path.startswith((_TOOLKIT, "<")) or (path.startswith(_PYTHON) and "site-packages" not in path)


_TOOLKIT = os.path.dirname(__file__) + os.sep  # noqa: PTH120 - to compare with the names in frames
_COMMANDS = _TOOLKIT + "cli" + os.sep
_PYTHON = os.path.dirname(os.__file__) + os.sep  # noqa: PTH120 - a text is wanted
