"""How long rendering took, template by template."""

from __future__ import annotations

from typing import Any

import msgspec

SLOWEST = 5
"""Templates that are told."""

WORTH_TELLING_SECONDS = 2.0
"""Rendering that took less is told only on demand."""


class TemplateTime(msgspec.Struct):
    """The renderings of one template.

    Attributes:
        name: The template, or the kind of route where there is none.
        pages: How many pages were rendered with it.
        seconds: What they took together, in all processes.
        slowest: The URL of the slowest.
        most: What that one took.
    """

    name: str
    pages: int = 0
    seconds: float = 0.0
    slowest: str = ""
    most: float = 0.0

    def __str__(self) -> str:
        each = self.seconds / self.pages * 1000 if self.pages else 0.0
        return (
            f"{self.name}: {self.seconds:.2f} s for {self.pages} pages, {each:.1f} ms each; "
            f"{self.most * 1000:.1f} ms for {self.slowest}"
        )


class Times(msgspec.Struct):
    """The renderings of a build.

    Attributes:
        templates: By name.
    """

    templates: dict[str, TemplateTime] = msgspec.field(default_factory=dict)

    def add(self, template: str, url: str, seconds: float) -> None:
        """Count a rendering."""
        one = self.templates.setdefault(template, TemplateTime(template))
        one.pages += 1
        one.seconds += seconds
        if seconds > one.most:
            one.slowest, one.most = url, seconds

    @property
    def seconds(self) -> float:
        """What all of it took, in all processes together."""
        return sum(one.seconds for one in self.templates.values())

    def slowest(self) -> list[TemplateTime]:
        """The templates that took most, the most first."""
        return sorted(self.templates.values(), key=lambda one: (-one.seconds, one.name))

    def as_list(self) -> list[dict[str, Any]]:
        """For ``--json``."""
        return [
            {
                "template": one.name,
                "pages": one.pages,
                "seconds": round(one.seconds, 6),
                "slowest": one.slowest,
                "most": round(one.most, 6),
            }
            for one in self.slowest()
        ]
