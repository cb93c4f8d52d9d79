"""The filters every template may use, beside Jinja's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

FILTERS: dict[str, Callable[..., Any]] = {}
"""Name to function. An environment gets a copy."""
