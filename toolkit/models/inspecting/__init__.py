"""Models for a database that is there already: ``toolkit data inspect``."""

from toolkit.models.inspecting.module import inspect_models
from toolkit.models.inspecting.tables import view_names

__all__ = ["inspect_models", "view_names"]
