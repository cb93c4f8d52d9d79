"""Content: rows from Markdown, YAML, JSON, CSV and GeoJSON files, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.lazily import names_from

if TYPE_CHECKING:
    from toolkit.content.export import export_model
    from toolkit.content.loading import load_sources
    from toolkit.content.report import LoadReport, SourceReport
    from toolkit.content.source import Source

__all__ = ["LoadReport", "Source", "SourceReport", "export_model", "load_sources"]

__getattr__ = names_from(
    __name__,
    {
        "export": ["export_model"],
        "loading": ["load_sources"],
        "report": ["LoadReport", "SourceReport"],
        "source": ["Source"],
    },
)
