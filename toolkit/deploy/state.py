"""What the toolkit put at a target, kept there: our own hashes of each file, and what a deploy was about to do."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass, field
from typing import NamedTuple

from toolkit.deploy.targets.base import STATE, Target
from toolkit.errors import DeployError

FORMAT = 1
IN_PLACE = f"{STATE}/manifest.json.gz"
RELEASES = "releases"


class Kept(NamedTuple):
    """A file as it was put.

    Args:
        digest: Of its content.
        size: In bytes.
        mark: Of its headers.
        phase: When it went.
    """

    digest: str
    size: int
    mark: str
    phase: int


@dataclass
class TargetState:
    """The manifest at a target, or of one release there.

    Attributes:
        files: Path to what is there.
        pending: Paths that a deploy which did not end was about to write or to remove: nobody knows what is there.
        moment: The instant that its build shows.
        at: When it was deployed.
        complete: Whether the deploy came to its end.
        known: Whether there was a manifest at all.
        untold: Paths that deploys which did not end changed or were about to: no CDN was told of them.
        rejected: Whether it is a release that the verification found wrong, so that readers were taken back.
        left: Whether it is a release that somebody went back from: going back once more passes over it.
        carried: Assets of the release before, which this one has for readers who still hold a page of that.
    """

    files: dict[str, Kept] = field(default_factory=dict)
    pending: dict[str, int] = field(default_factory=dict)
    moment: str = ""
    at: str = ""
    complete: bool = True
    known: bool = False
    carried: set[str] = field(default_factory=set)
    untold: set[str] = field(default_factory=set)
    rejected: bool = False
    left: bool = False

    @property
    def ours(self) -> set[str]:
        """Every path that may hold a file of ours."""
        return self.files.keys() | self.pending.keys()


def read_state(target: Target, path: str = IN_PLACE) -> TargetState:
    """The manifest that a target has.

    Raises:
        DeployError: It cannot be read.
    """
    body = target.read(path)
    if body is None:
        return TargetState()
    try:
        data = json.loads(gzip.decompress(body))
        if data["format"] != FORMAT:
            raise DeployError(
                f"the manifest at {target.name} is of another version of the toolkit",
                hint="Deploy with --full, which compares what is there by content.",
            )
        files = {name: Kept(*row) for name, row in data["files"].items()}
        carried = set(data.get("carried", ()))
        pending = {name: int(phase) for name, phase in data["pending"].items()}
        untold = {*pending, *data.get("untold", ())}
        complete, rejected = bool(data["complete"]), bool(data.get("rejected"))
        left = bool(data.get("left"))
        return TargetState(files, pending, data["moment"], data["at"], complete, True, carried, untold, rejected, left)
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise DeployError(
            f"the manifest {path} at {target.name} is damaged: {error}",
            hint="Deploy with --full, which compares what is there by content.",
        ) from error


def write_state(target: Target, state: TargetState, path: str = IN_PLACE) -> None:
    """Keep a manifest at a target."""
    data = {
        "format": FORMAT,
        "moment": state.moment,
        "at": state.at,
        "complete": state.complete,
        "files": dict(sorted(state.files.items())),
        "pending": dict(sorted(state.pending.items())),
        **({"carried": sorted(state.carried)} if state.carried else {}),
        **({"untold": sorted(state.untold)} if state.untold else {}),
        **({"rejected": True} if state.rejected else {}),
        **({"left": True} if state.left else {}),
    }
    body = gzip.compress(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode(), 6, mtime=0)
    target.retries.run(
        lambda: target.put(path, body, {"Content-Type": "application/gzip", "Cache-Control": "no-store"})
    )


def state_path(release: str) -> str:
    """Where the manifest of a release is kept."""
    return f"{STATE}/{RELEASES}/{release}.json.gz"
