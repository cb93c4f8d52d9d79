"""Content: rows from Markdown, YAML, JSON, CSV and GeoJSON files, and back."""

from toolkit.content.export import export_model
from toolkit.content.loading import load_sources
from toolkit.content.report import LoadReport, SourceReport
from toolkit.content.source import Source

__all__ = ["LoadReport", "Source", "SourceReport", "export_model", "load_sources"]
