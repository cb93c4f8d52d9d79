"""Kinds of databases: the toolkit's own, and those that other distributions bring."""

from toolkit.database.backends.base import Backend
from toolkit.database.backends.registry import backend_for, spelling

__all__ = ["Backend", "backend_for", "spelling"]
