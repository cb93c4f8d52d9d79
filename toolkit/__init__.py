"""A publishing toolkit: models, templates and pages, declared once, published as files and on demand."""

from toolkit.apps import App
from toolkit.errors import ToolkitError
from toolkit.pages.urls import url_for
from toolkit.site import Site

__all__ = ["App", "Site", "ToolkitError", "url_for"]
