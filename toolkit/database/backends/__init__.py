"""Kinds of databases: the toolkit's own, and those that other distributions bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.lazily import names_from

if TYPE_CHECKING:
    from toolkit.database.backends.base import Backend
    from toolkit.database.backends.registry import backend_for, spelling

__all__ = ["Backend", "backend_for", "spelling"]

__getattr__ = names_from(
    __name__,
    {
        "base": ["Backend"],
        "registry": ["backend_for", "spelling"],
    },
)
