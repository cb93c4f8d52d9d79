"""Where a build lands: a folder of this machine, or a place in a storage on the net."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from toolkit.ahead import Ahead
from toolkit.builder.manifest import Manifest
from toolkit.builder.outputs import Output, Staging, find_suspects
from toolkit.builder.reader import manifest_path
from toolkit.builder.records import FileRecord
from toolkit.builder.stages import Stage
from toolkit.errors import BuildError


class TargetStaging(Protocol):
    """Holds a build's files until they are put in place."""

    @property
    def stage(self) -> Stage:
        """Takes what is rendered."""

    @property
    def is_due(self) -> bool:
        """Whether there is something to place though no file changed."""

    @property
    def meta(self) -> Mapping[str, str]:
        """What the manifest keeps of how files are placed."""

    def put(self, path: str, body: bytes) -> None:
        """Stage a file's content."""

    def copy(self, path: str, source: Path) -> None:
        """Stage a copy of a file."""

    def check_way(self, staged: Iterable[Output], removed: Iterable[str]) -> None:
        """Refuse to begin where somebody else's file stands in the way."""

    def place(self, outputs: Iterable[Output], removed: Iterable[str]) -> list[FileRecord]:
        """Put staged files in place, and remove what the site no longer has."""


class Target(Protocol):
    """Where a build lands."""

    @property
    def title(self) -> str:
        """Its folder or URL."""

    @property
    def manifest_path(self) -> Path:
        """The manifest's file on this machine."""

    def check(self, site: Any) -> None:
        """Refuse a place that holds what the site is made from."""

    def locked(self) -> AbstractContextManager[None]:
        """One build at a time."""

    def renew(self) -> None:
        """Say that the build is still at work; called often."""

    def manifest(self) -> AbstractContextManager[Manifest]:
        """The manifest, while a build works."""

    def find_suspects(
        self, files: Mapping[str, FileRecord], pending: Iterable[str]
    ) -> tuple[set[str], list[FileRecord]]:
        """See ``outputs.find_suspects``."""

    def has_files(self) -> bool:
        """Whether anything lies there."""

    def staging(self) -> AbstractContextManager[TargetStaging]:
        """A new, empty staging."""


class FolderTarget:
    """A folder; its manifest, its lock and its staging folder are beside it.

    Args:
        output: The folder.
        ahead: What was seen of its files when the command began.
    """

    def __init__(self, output: Path, ahead: Ahead | None = None) -> None:
        self.output = Path(os.path.abspath(output))  # noqa: PTH100 - links are kept as they are written
        self._ahead = ahead
        self._is_known = False

    @property
    def title(self) -> str:
        """The folder."""
        return str(self.output)

    @property
    def manifest_path(self) -> Path:
        """Beside the folder, never within what is published."""
        return manifest_path(self.output)

    def check(self, site: Any) -> None:
        """Refuse a folder that holds what the site is made from, or lies within; and a file.

        Raises:
            BuildError: It does, or is one.
        """
        if self.output.exists() and not self.output.is_dir():
            raise BuildError(f"{self.output} is a file", hint="Choose another 'output', or move it away.")
        output = self.output.resolve()
        sources = {"the site itself": site.folder, "its state": site.state_folder}
        sources |= {f"the app {app.label!r}": app.folder for app in site.apps}
        for name in ("templates", "static", "public", "locale_folder"):
            sources[f"the folder {name!r}"] = site.folder / site.settings.peek(name)
        for one in (one for app in site.apps for one in app.sources):
            place = one.pattern if one.is_literal else one.folder
            sources[f"the content {one.pattern!r}"] = site.folder / place
        for what, source in sources.items():
            folder = source.resolve()
            inside = output in folder.parents or output == folder
            has_room = source in (site.folder, site.state_folder)
            if inside or (not has_room and folder in output.parents):
                raise BuildError(
                    f"the output folder {self.output} is, holds or is within {what}", hint="Choose another 'output'."
                )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One build of an output at a time.

        Raises:
            BuildError: Another one is running, or the folder above cannot be written.
        """
        path = self.output.with_name(f".{self.output.name}.lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = path.open("a+")
        except OSError as error:
            raise BuildError(f"{path.parent} cannot be written: {error}", hint="Choose another 'output'.") from error
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise BuildError(
                    f"another build or deploy of {self.output} is running",
                    hint="Wait for it, or build to another folder.",
                ) from error
            yield

    def renew(self) -> None:
        """The lock of a process lives as long as the process."""

    @contextmanager
    def manifest(self) -> Iterator[Manifest]:
        """The manifest, closed afterwards."""
        path = self.manifest_path
        self._is_known = self._ahead is not None and self._ahead.knows(str(path))
        manifest = Manifest(path, sound=self._is_known)
        try:
            yield manifest
        finally:
            manifest.close()

    def find_suspects(
        self, files: Mapping[str, FileRecord], pending: Iterable[str]
    ) -> tuple[set[str], list[FileRecord]]:
        """See ``outputs.find_suspects``."""
        ahead, self._ahead = self._ahead, None  # what is found later is to be of later
        if ahead is not None and self._is_known and ahead.stands(str(self.output)):
            return set(pending), []
        seen = ahead.files(str(self.output)) if ahead is not None else None
        return find_suspects(self.output, files, pending, seen)

    def has_files(self) -> bool:
        """Whether anything lies in the folder."""
        return self.output.is_dir() and any(self.output.iterdir())

    def staging(self) -> Staging:
        """A folder beside it."""
        return Staging(self.output)
