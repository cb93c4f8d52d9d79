"""The pipeline: routes, plans, URLs, and the one renderer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.lazily import names_from
from toolkit.pages.render import render

if TYPE_CHECKING:
    from toolkit.pages.matching import Match, match_url
    from toolkit.pages.plan import Plan, Planned, Unit
    from toolkit.pages.rendering import Rendering
    from toolkit.pages.routes import Page, Route
    from toolkit.pages.urls import url_for

__all__ = ["Match", "Page", "Plan", "Planned", "Rendering", "Route", "Unit", "match_url", "render", "url_for"]

__getattr__ = names_from(
    __name__,
    {
        "matching": ["Match", "match_url"],
        "plan": ["Plan", "Planned", "Unit"],
        "rendering": ["Rendering"],
        "routes": ["Page", "Route"],
        "urls": ["url_for"],
    },
)
