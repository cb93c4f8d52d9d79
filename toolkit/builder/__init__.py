"""The build edge: from the plan to files, doing only what must be done."""

from toolkit.builder.build import Builder
from toolkit.builder.manifest import Manifest
from toolkit.builder.report import BuildReport, Event

__all__ = ["BuildReport", "Builder", "Event", "Manifest"]
