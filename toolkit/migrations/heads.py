"""The file ``HEAD`` of an app's migrations: the name of the last one, and nothing else.

Two branches that both add a migration both change this line, so git stops at the merge, where Python files of
different names would go side by side without a word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from toolkit.files import write_whole

HEAD = "HEAD"

_CONFLICT = re.compile(r"^<{7} .*?\n(?P<ours>.*?)(?:^\|{7}.*?)?^={7}\n(?P<theirs>.*?)^>{7} ", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Head:
    """What a ``HEAD`` file says.

    Args:
        name: The last migration; empty when git left two.
        ours: What the branch says onto which something is merged, or rebased.
        theirs: What the branch says that comes.
    """

    name: str = ""
    ours: str = ""
    theirs: str = ""

    @property
    def is_conflict(self) -> bool:
        """Whether git left both sides in it."""
        return bool(self.ours or self.theirs)


def read_head(folder: Path | None) -> Head | None:
    """What the file of a folder says, or None when there is none."""
    if folder is None:
        return None
    try:
        text = (folder / HEAD).read_text("utf-8")
    except FileNotFoundError:
        return None
    found = _CONFLICT.search(text)
    if found is not None:
        return Head(ours=_last(found["ours"]), theirs=_last(found["theirs"]))
    return Head(_last(text))


def write_head(folder: Path, name: str) -> None:
    """Say which migration is the last."""
    write_whole(folder / HEAD, f"{name}\n".encode())


def is_rebasing(folder: Path) -> bool:
    """Whether git is in the middle of a rebase there: then "ours" is the branch onto which one rebases."""
    for place in (folder, *folder.parents):
        git = place / ".git"
        if git.is_file():  # a worktree: the file names the folder
            git = Path(git.read_text("utf-8").removeprefix("gitdir:").strip())
        if git.is_dir():
            return (git / "rebase-merge").is_dir() or (git / "rebase-apply").is_dir()
    return False


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
