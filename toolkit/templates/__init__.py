"""Templates: Jinja2, strict and escaping, with filters, Markdown and fingerprinted assets."""

from __future__ import annotations

from toolkit.templates.assets import Assets, FoundAsset
from toolkit.templates.environment import TemplateEnvironment, make_environment
from toolkit.templates.folders import Candidate, TemplateFolder, TemplateFolders, TemplateSearch

__all__ = [
    "Assets",
    "Candidate",
    "FoundAsset",
    "TemplateEnvironment",
    "TemplateFolder",
    "TemplateFolders",
    "TemplateSearch",
    "make_environment",
]
