"""What a deploy did, for people and for machines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from toolkit.deploy.plan import Plan


@dataclass
class DeployReport:
    """What a deploy did.

    Attributes:
        target: Where to.
        plan: What there was to do.
        release: Its name, where releases are kept.
        pruned: Releases that were removed.
        retries: How often something had to be tried again.
        seconds: Wall time, with all but what is declared for after.
        verified: How many URLs were fetched and found right.
        changed: Paths whose answer may have changed, by this deploy or by those before it that did not end.
        purged: The URLs of these.
        notices: What the user should know.
    """

    target: str
    plan: Plan
    release: str = ""
    pruned: list[str] = field(default_factory=list)
    retries: int = 0
    seconds: float = 0.0
    verified: int = 0
    changed: list[str] = field(default_factory=list)
    purged: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """One line."""
        plan = self.plan
        if plan.is_empty:
            return f"{self.target}: nothing to do, {len(plan.unchanged)} files are as built"
        return (
            f"{self.target}{f' release {self.release}' if self.release else ''}: {len(plan.uploads)} files put "
            f"({plan.bytes:,} bytes), {len(plan.deletions)} deleted, {len(plan.unchanged)} unchanged, "
            f"in {self.seconds:.2f} s"
        )

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "target": self.target,
            "release": self.release,
            **self.plan.as_dict(),
            "pruned": self.pruned,
            "retries": self.retries,
            "verified": self.verified,
            "changed_urls": self.purged,
            "notices": self.notices,
            "seconds": round(self.seconds, 3),
        }
