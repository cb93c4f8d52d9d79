"""Models for a database that is there already: ``toolkit data inspect``."""

from toolkit.models.inspecting.module import inspect_models

__all__ = ["inspect_models"]
