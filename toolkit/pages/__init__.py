"""The pipeline: routes, plans, URLs, and the one renderer."""

from toolkit.pages.matching import Match, match_url
from toolkit.pages.plan import Plan, Planned, Unit
from toolkit.pages.render import render
from toolkit.pages.rendering import Rendering
from toolkit.pages.routes import Page, Route
from toolkit.pages.urls import url_for

__all__ = ["Match", "Page", "Plan", "Planned", "Rendering", "Route", "Unit", "match_url", "render", "url_for"]
