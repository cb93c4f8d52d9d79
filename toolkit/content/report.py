"""What a load did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class SourceReport:
    """What became of one source's rows.

    Args:
        pattern: The source's pattern.
        model: Label of its model.
        files: How many files it has now, translations included.
        added: Rows that are new.
        changed: Rows of which a value, a translation or a link changed.
        unchanged: Rows that stayed as they were.
        removed: Rows that left the files.
    """

    pattern: str
    model: str
    files: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0

    def __str__(self) -> str:
        told = ", ".join(
            f"{number} {verb}"
            for verb in ("added", "changed", "removed", "unchanged")
            if (number := getattr(self, verb))
        )
        return f"{self.pattern} ({self.model}): {told or 'no rows'}"


@dataclass(frozen=True)
class LoadReport:
    """What a load did, source by source.

    Args:
        sources: In the order of declaration; sources that are not declared any more come last.
        events: (verb, name) of each row that was added, changed or removed, in the order of their files.
        notes: What is odd but no problem: a pattern that no file matches.
    """

    sources: tuple[SourceReport, ...]
    events: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = field(default=())

    def __iter__(self) -> Iterator[SourceReport]:
        return iter(self.sources)

    def __str__(self) -> str:
        return "\n".join(map(str, (*self.sources, *self.notes)))

    def _sum(self, verb: str) -> int:
        return sum(getattr(source, verb) for source in self.sources)

    @property
    def added(self) -> int:
        """Rows that are new, in all sources."""
        return self._sum("added")

    @property
    def changed(self) -> int:
        """Rows that changed, in all sources."""
        return self._sum("changed")

    @property
    def unchanged(self) -> int:
        """Rows that stayed, in all sources."""
        return self._sum("unchanged")

    @property
    def removed(self) -> int:
        """Rows that left, in all sources."""
        return self._sum("removed")

    @property
    def is_empty(self) -> bool:
        """Whether the database is as it was."""
        return not (self.added or self.changed or self.removed)
