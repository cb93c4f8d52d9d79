"""The build edge: from the plan to files, doing only what must be done.

What builds is loaded when it is first asked for: ``toolkit why`` reads a manifest, and is answered before the rest of
the builder would be there.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.builder.build import Builder
    from toolkit.builder.manifest import Manifest
    from toolkit.builder.report import BuildReport, Event
    from toolkit.builder.selections import Segment, Shard
    from toolkit.builder.shards import merge

__all__ = ["BuildReport", "Builder", "Event", "Manifest", "Segment", "Shard", "merge"]

_HOMES = {
    "Builder": "build",
    "Manifest": "manifest",
    "BuildReport": "report",
    "Event": "report",
    "Segment": "selections",
    "Shard": "selections",
    "merge": "shards",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
