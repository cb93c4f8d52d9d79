"""Templates: Jinja2, strict and escaping, with filters and Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.lazily import names_from

if TYPE_CHECKING:
    from toolkit.templates.environment import TemplateEnvironment, make_environment
    from toolkit.templates.equivalents import EQUIVALENTS, Equivalent
    from toolkit.templates.filters import FILTERS, markdown_filter
    from toolkit.templates.folders import Candidate, TemplateFolder, TemplateFolders, TemplateSearch
    from toolkit.templates.lint import Finding, check_templates
    from toolkit.templates.markdown import Markdown, MarkdownOptions
    from toolkit.templates.rendered import Heading, Image, Rendered
    from toolkit.templates.shortcodes import RenderShortcode, Shortcode, template_shortcodes

__all__ = [
    "EQUIVALENTS",
    "FILTERS",
    "Candidate",
    "Equivalent",
    "Finding",
    "Heading",
    "Image",
    "Markdown",
    "MarkdownOptions",
    "RenderShortcode",
    "Rendered",
    "Shortcode",
    "TemplateEnvironment",
    "TemplateFolder",
    "TemplateFolders",
    "TemplateSearch",
    "check_templates",
    "make_environment",
    "markdown_filter",
    "template_shortcodes",
]

__getattr__ = names_from(
    __name__,
    {
        "environment": ["TemplateEnvironment", "make_environment"],
        "equivalents": ["EQUIVALENTS", "Equivalent"],
        "filters": ["FILTERS", "markdown_filter"],
        "folders": ["Candidate", "TemplateFolder", "TemplateFolders", "TemplateSearch"],
        "lint": ["Finding", "check_templates"],
        "markdown": ["Markdown", "MarkdownOptions"],
        "rendered": ["Heading", "Image", "Rendered"],
        "shortcodes": ["RenderShortcode", "Shortcode", "template_shortcodes"],
    },
)
