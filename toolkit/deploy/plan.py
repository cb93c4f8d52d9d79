"""What a deploy would do: a build against what a target has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from toolkit.deploy.files import ASSETS, LISTS, PAGES, DeployFile
from toolkit.deploy.state import TargetState
from toolkit.errors import DeployError

SHOWN = 20
"""Paths that a refusal names."""


@dataclass(frozen=True)
class Plan:
    """Uploads and deletions, in the order in which they happen.

    Attributes:
        uploads: New files, changed ones, and those of which nobody knows what is there.
        deletions: Files of ours that the build no longer has.
        reasons: Path of an upload to ``new``, ``changed``, ``headers`` or ``unknown``.
        unchanged: Paths of files that are there already.
        obstacles: Files of others where one of ours is due.
        known: How many files of ours were there.
    """

    uploads: list[DeployFile]
    deletions: list[str]
    reasons: Mapping[str, str]
    unchanged: list[str]
    obstacles: list[str] = field(default_factory=list)
    known: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.uploads and not self.deletions

    @property
    def bytes(self) -> int:
        """How much is sent."""
        return sum(file.size for file in self.uploads)

    @property
    def changed_paths(self) -> list[str]:
        """Every path whose answer may change."""
        return sorted({*(file.path for file in self.uploads), *self.deletions})

    def phase(self, number: int) -> list[DeployFile]:
        """The uploads of a phase."""
        return [file for file in self.uploads if file.phase == number]

    def in_the_way(self) -> list[str]:
        """Files that go, and stand where a new one needs a folder, or lie in a folder where it needs a file."""
        if not self.deletions:
            return []
        names = {file.path for file in self.uploads}
        folders = {folder for name in names for folder in _folders_of(name)}
        return [path for path in self.deletions if path in folders or not names.isdisjoint(_folders_of(path))]

    def check_obstacles(self) -> None:
        """Refuse to write over files of others.

        Raises:
            DeployError: There are some.
        """
        if self.obstacles:
            raise DeployError(
                f"{len(self.obstacles)} files at the target are not the toolkit's, and the build has other files of "
                f"their names: {_listed(self.obstacles)}; nothing was changed",
                hint="Move them away, or write over them with --adopt.",
            )

    def check_deletions(self, most: int | str) -> None:
        """Refuse to delete more than was agreed.

        Args:
            most: A number, or a percentage of the files that are there.

        Raises:
            DeployError: There are more.
        """
        agreed = int(most[:-1]) * self.known // 100 if isinstance(most, str) else most
        if 0 <= agreed < len(self.deletions):
            told = f"{most} of {self.known}, which is {agreed}" if isinstance(most, str) else str(most)
            raise DeployError(
                f"{len(self.deletions)} files would be deleted, and at most {told} may be: {_listed(self.deletions)}; "
                "nothing was changed",
                hint=f"If that is meant, deploy with --max-deletes {len(self.deletions)}.",
            )

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "uploads": [
                {"path": file.path, "size": file.size, "phase": file.phase, "reason": self.reasons[file.path]}
                for file in self.uploads
            ],
            "deletions": self.deletions,
            "unchanged": len(self.unchanged),
            "bytes": self.bytes,
            "obstacles": self.obstacles,
        }


def make_plan(files: Mapping[str, DeployFile], state: TargetState, *, keeps_headers: bool) -> Plan:
    """What must be done for a target to have exactly these files, and whatever others put there.

    Args:
        files: The build's, by path.
        state: The target's manifest.
        keeps_headers: Whether the target keeps headers beside each file.
    """
    uploads, reasons, unchanged = [], {}, []
    for path, file in files.items():
        reason = _reason(file, state, keeps_headers=keeps_headers)
        if reason:
            uploads.append(file)
            reasons[path] = reason
        else:
            unchanged.append(path)
    uploads.sort(key=lambda file: (file.phase, file.path))
    gone = sorted(state.ours - files.keys(), key=lambda path: (_last_first(state, path), path))
    return Plan(uploads, gone, reasons, unchanged, known=len(state.ours))


def _reason(file: DeployFile, state: TargetState, *, keeps_headers: bool) -> str:
    if file.path in state.pending:
        return "unknown"
    kept = state.files.get(file.path)
    if kept is None:
        return "new"
    if kept.digest != file.digest:
        return "changed"
    return "headers" if keeps_headers and kept.mark != file.mark else ""


def _last_first(state: TargetState, path: str) -> int:
    """What leads to pages goes before pages, and pages before what they need."""
    kept = state.files.get(path)
    phase = kept.phase if kept is not None else state.pending.get(path, ASSETS)
    return {LISTS: 0, PAGES: 1, ASSETS: 2}[phase]


def _folders_of(path: str) -> Iterable[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _listed(paths: list[str]) -> str:
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return ", ".join(paths[:SHOWN]) + more
