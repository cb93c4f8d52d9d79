"""What a build did, and why."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from toolkit.builder.queries import QueryReport
from toolkit.builder.times import Times

if TYPE_CHECKING:
    from toolkit.builder.paranoid import Difference


class Event(msgspec.Struct, frozen=True):
    """One thing that happened.

    Args:
        kind: ``rendered``, ``written``, ``removed`` or ``redirected``.
        subject: The URL of a page, or the path of a file.
        reason: Why.
    """

    kind: str
    subject: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}" + (f": {self.reason}" if self.reason else "")


class BuildReport(msgspec.Struct):
    """The result of a build.

    Attributes:
        output: The output folder.
        moment: The instant the build shows.
        pages: How many pages the site has.
        rendered: How many were rendered.
        unchanged: How many files stayed as they were.
        times: How long rendering took.
        events: What happened, page by page and file by file.
        notices: What the user should know.
        seconds: Wall time, in all and by phase.
        encoded: How many renditions of images were made, rather than found in their store.
        left_out: Views, which only the server answers.
        queries: What rendering asked the database, if the build was told to count.
        differences: Pages that would have been skipped and are others, if the build was paranoid.
        base_path: The path below which the pages expect to be published.
    """

    output: str
    moment: datetime
    pages: int = 0
    rendered: int = 0
    unchanged: int = 0
    times: Times = msgspec.field(default_factory=Times)
    events: list[Event] = msgspec.field(default_factory=list)
    notices: list[str] = msgspec.field(default_factory=list)
    seconds: dict[str, float] = msgspec.field(default_factory=dict)
    encoded: int = 0
    left_out: list[str] = msgspec.field(default_factory=list)
    queries: QueryReport | None = None
    differences: list[Difference] = msgspec.field(default_factory=list)
    base_path: str = ""

    def add(self, kind: str, subject: str, reason: str = "") -> None:
        """Note an event."""
        self.events.append(Event(kind, subject, reason))

    def count(self, kind: str) -> int:
        """How many events of a kind."""
        return Counter(event.kind for event in self.events)[kind]

    def summary(self) -> str:
        """One line."""
        return f"{self.counts()}, in {self.seconds.get('all', 0.0):.2f} s"

    def counts(self) -> str:
        """What was done, without how long it took."""
        written, removed = self.count("written"), self.count("removed")
        verified = self.pages - self.rendered
        return (
            f"{self.pages} pages: {self.rendered} rendered, {verified} verified; {written} files written, "
            f"{self.unchanged} unchanged, {removed} removed"
        )

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "output": self.output,
            "base_path": self.base_path,
            "moment": self.moment.isoformat(),
            "pages": self.pages,
            "rendered": self.rendered,
            "written": self.count("written"),
            "unchanged": self.unchanged,
            "removed": self.count("removed"),
            "encoded": self.encoded,
            "events": [{"kind": e.kind, "subject": e.subject, "reason": e.reason} for e in self.events],
            "notices": self.notices,
            "left_out": self.left_out,
            "seconds": {name: round(value, 4) for name, value in self.seconds.items()},
            "templates": self.times.as_list(),
            "differences": [{"url": one.url, "what": one.what, "reads": list(one.reads)} for one in self.differences],
            **({"queries": self.queries.as_dict()} if self.queries is not None else {}),
        }
