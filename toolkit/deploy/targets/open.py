"""From a declaration to its target."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from toolkit.deploy.declarations import Declaration
from toolkit.deploy.retries import Retries
from toolkit.deploy.targets.archive import ArchiveTarget
from toolkit.deploy.targets.base import Target
from toolkit.deploy.targets.folder import FolderTarget
from toolkit.deploy.targets.git import GitTarget
from toolkit.deploy.targets.objects import ObjectsTarget, S3Target
from toolkit.deploy.targets.rsync import RsyncTarget
from toolkit.deploy.targets.sftp import SftpTarget
from toolkit.errors import SettingError

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")


def make_target(site: Any, declared: Declaration) -> Target:
    """The target of a declaration, not yet opened.

    Raises:
        SettingError: It asks for what its place cannot do.
    """
    options = {"parallel": declared.parallel, "retries": Retries(declared.tries)}
    target = _make(site.folder, site.state_folder, declared, options)
    if declared.releases and not target.keeps_releases:
        raise SettingError(
            f"deploy.{declared.name}.releases: {target.name} cannot hold releases", hint="Leave 'releases' out."
        )
    if declared.rollback and not declared.releases:
        raise SettingError(
            f"deploy.{declared.name}.rollback: without releases there is nothing to go back to",
            hint="Write releases = 5.",
        )
    return target


def _make(folder: Path, state_folder: Path, declared: Declaration, options: dict[str, Any]) -> Target:
    to = declared.to
    scheme = _scheme_of(to)
    if scheme in _MAKERS:
        return _MAKERS[scheme](to, declared, options, state_folder)
    if scheme == "archive":
        return ArchiveTarget(folder / to.removeprefix("file://"), **options)
    if scheme == "file":
        to = to.removeprefix("file://")
    elif scheme:
        return ObjectsTarget(to, declared.options, **options)
    return FolderTarget(Path(os.path.normpath(folder / to)), **options)


def _scheme_of(to: str) -> str:
    if to.endswith(".git") or to.startswith("git+"):
        return "git"
    scheme = to.partition("://")[0] if re.match(r"[a-z][a-z0-9+.-]+://", to) else ""
    return "archive" if scheme in ("", "file") and to.endswith(ARCHIVES) else scheme


_Maker = Callable[[str, Declaration, dict[str, Any], Path], Target]


def _s3(to: str, declared: Declaration, options: dict[str, Any], state_folder: Path) -> Target:
    return S3Target(to, declared.options, **options)


def _sftp(to: str, declared: Declaration, options: dict[str, Any], state_folder: Path) -> Target:
    return SftpTarget(to, declared.options, **options)


def _rsync(to: str, declared: Declaration, options: dict[str, Any], state_folder: Path) -> Target:
    return RsyncTarget(to, declared.options, **options)


def _git(to: str, declared: Declaration, options: dict[str, Any], state_folder: Path) -> Target:
    scratch = state_folder / "deploy" / f"{declared.name}.git"
    return GitTarget(to, declared.branch, scratch, **options)


_MAKERS: dict[str, _Maker] = {"s3": _s3, "sftp": _sftp, "rsync": _rsync, "git": _git}
