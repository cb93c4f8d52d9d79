"""A publishing toolkit: models, templates and pages, declared once, published as files and on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.lazily import names_from

if TYPE_CHECKING:
    from toolkit.apps import App
    from toolkit.errors import ToolkitError
    from toolkit.pages.urls import url_for
    from toolkit.site import Site

__all__ = ["App", "Site", "ToolkitError", "url_for"]

__getattr__ = names_from(
    __name__, {"apps": ["App"], "site": ["Site"], "errors": ["ToolkitError"], "pages.urls": ["url_for"]}
)
