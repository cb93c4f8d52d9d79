"""Who called: the line of a template that makes a query, for errors and for the log of queries."""

from __future__ import annotations

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
