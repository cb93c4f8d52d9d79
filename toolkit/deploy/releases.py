"""Several whole releases side by side, one of which readers see: switched at once, and back at once."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile

from toolkit.deploy.files import ASSETS
from toolkit.deploy.state import RELEASES, Kept, TargetState, read_state, state_path, write_state
from toolkit.deploy.targets.base import STATE, Target
from toolkit.errors import DeployError, did_you_mean

INDEX = f"{STATE}/releases.txt"
"""Names of releases that were begun, the oldest first; kept because not every place can list its folders."""


@dataclass(frozen=True)
class Release:
    """One release at a target.

    Args:
        id: When it was made, and a few letters that tell two of one second apart.
        at: When it was deployed; empty if that did not end.
        moment: The instant that its build shows.
        files: How many it has.
        is_current: Whether readers see it.
        is_complete: Whether its deploy came to its end, and was not taken back.
        is_rejected: Whether it was taken back, because the verification found it wrong.
        is_left: Whether somebody went back from it.
    """

    id: str
    at: str
    moment: str
    files: int
    is_current: bool
    is_complete: bool
    is_rejected: bool = False
    is_left: bool = False


def new_id() -> str:
    """A name for a release; they sort by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"


def folder_of(release: str) -> str:
    """The prefix of its files."""
    return f"{RELEASES}/{release}/"


def read_index(target: Target) -> list[str]:
    """Names of all releases that were begun, the oldest first."""
    body = target.read(INDEX)
    return body.decode().split() if body else []


def write_index(target: Target, names: list[str]) -> None:
    """Keep the names."""
    body = "".join(f"{name}\n" for name in names).encode()
    target.retries.run(lambda: target.put(INDEX, body, {"Content-Type": "text/plain", "Cache-Control": "no-store"}))


def list_releases(target: Target) -> list[Release]:
    """The releases at a target, the oldest first."""
    current = target.current()
    found = []
    for name in read_index(target):
        state = read_state(target, state_path(name))
        whole = state.known and state.complete and not state.rejected
        found.append(
            Release(
                name,
                state.at,
                state.moment,
                len(state.files),
                name == current,
                whole,
                is_rejected=state.rejected,
                is_left=state.left,
            )
        )
    return found


def reject(target: Target, release: str) -> None:
    """Note that nobody shall go back to a release: it was found wrong. The next deploy removes it."""
    state = read_state(target, state_path(release))
    state.rejected = True
    write_state(target, state, state_path(release))


def note_left(target: Target, release: str, *, left: bool) -> None:
    """Note that somebody went back from a release, or that readers see it again."""
    state = read_state(target, state_path(release))
    if state.known and state.left != left:
        state.left = left
        write_state(target, state, state_path(release))


def find_release(target: Target, wanted: str) -> Release:
    """The release to go back to.

    Args:
        target: The place.
        wanted: Its name, or ``previous`` for the one before that which readers see, and from which nobody went back.

    Raises:
        DeployError: There is no such release, or none before.
    """
    whole = [release for release in list_releases(target) if release.is_complete]
    if wanted != "previous":
        found = next((release for release in whole if release.id == wanted), None)
        if found is None:
            raise DeployError(
                f"{target.name} has no release {wanted!r}", hint=did_you_mean(wanted, [release.id for release in whole])
            )
        return found
    current = target.current()
    before = _before(whole)
    if before is None or not current:
        raise DeployError(f"{target.name} has no release before {current or 'the first'}", hint="Deploy one.")
    return before


def _before(releases: Sequence[Release]) -> Release | None:
    """The release to which readers go back from that which they see."""
    earlier = takewhile(lambda release: not release.is_current, releases)
    found = [release for release in earlier if release.is_complete and not release.is_left]
    return found[-1] if found else None


def changed_paths(before: TargetState, after: TargetState) -> list[str]:
    """Paths whose answer is another where readers see one release in place of another."""
    return sorted(path for path, _ in before.files.items() ^ after.files.items())


def prune(target: Target, keep: int) -> list[str]:
    """Remove the oldest releases, those whose deploy did not end, and those that were taken back.

    Args:
        target: The place.
        keep: How many stay; that which readers see, and the one to which they would go back, stay in any case.

    Returns:
        Their names.
    """
    releases = list_releases(target)
    place = next((number for number, release in enumerate(releases) if release.is_current), len(releases))
    safe = {release.id for release in releases[place:] if release.is_complete}
    if before := _before(releases):
        safe.add(before.id)
    safe |= {release.id for release in [one for one in releases if one.is_complete][-keep:]}
    gone = [release.id for release in releases if release.id not in safe]
    for name in gone:
        target.remove_tree(folder_of(name).rstrip("/"))
        target.remove(state_path(name))
    if gone:
        write_index(target, [release.id for release in releases if release.id in safe])
    return gone


def lasting_assets(files: Mapping[str, object], before: TargetState) -> dict[str, Kept]:
    """Assets of the release before that this one no longer has: a page that a reader holds may still ask for them.

    They last for one release more.

    Args:
        files: What this one has, by path.
        before: The manifest of the release before.
    """
    folders = {folder for path in files for folder in _folders_of(path)}
    return {
        path: kept
        for path, kept in sorted(before.files.items())
        if kept.phase == ASSETS
        and not (path in files or path in before.carried or path in folders)
        and files.keys().isdisjoint(_folders_of(path))
    }


def _folders_of(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]
