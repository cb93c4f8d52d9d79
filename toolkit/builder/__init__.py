"""The build edge: from the plan to files, doing only what must be done.

What builds is loaded when it is first asked for: ``toolkit why`` reads a manifest, and is answered before the rest of
the builder would be there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.lazily import names_from

if TYPE_CHECKING:
    from toolkit.builder.build import Builder
    from toolkit.builder.manifest import Manifest
    from toolkit.builder.report import BuildReport, Event
    from toolkit.builder.selections import Segment, Shard
    from toolkit.builder.shards import merge

__all__ = ["BuildReport", "Builder", "Event", "Manifest", "Segment", "Shard", "merge"]

__getattr__ = names_from(
    __name__,
    {
        "build": ["Builder"],
        "manifest": ["Manifest"],
        "report": ["BuildReport", "Event"],
        "selections": ["Segment", "Shard"],
        "shards": ["merge"],
    },
)
