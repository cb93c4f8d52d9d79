"""Filters of the press."""

from __future__ import annotations

from . import app

MARK = "!"


@app.filter("loud")
def loud(text: str) -> str:
    return f"{str(text).upper()}{MARK}"
