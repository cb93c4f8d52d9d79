"""Text that a spreadsheet would run as a formula. Source: OWASP, "CSV Injection"."""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def guarded(text: str) -> str:
    """The text with an apostrophe before it, if it is like a formula, or would be without those that it has."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """What was guarded."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
