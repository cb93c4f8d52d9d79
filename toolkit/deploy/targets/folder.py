"""A folder of this machine, or one mounted from another."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from toolkit.deploy.retries import Retries
from toolkit.deploy.targets.base import STATE, Done, Listed, Target, leads_out
from toolkit.errors import DeployError

CURRENT = "current"
"""The symbolic link that readers are served from, where releases are kept."""

UNFINISHED = f"{STATE}/unfinished"


class FolderTarget(Target):
    """A folder; each file is written beside its place and renamed into it.

    Args:
        folder: It is made if it is not there.
        parallel: Files at a time.
        retries: How failures are met.
    """

    keeps_releases = True

    def __init__(self, folder: Path, *, parallel: int = 8, retries: Retries | None = None) -> None:
        super().__init__(parallel=parallel, retries=retries)
        self.folder = folder
        self._made: set[Path] = set()

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.folder)

    def open(self) -> None:
        """Nothing is made before something is put."""
        self._made.clear()

    def close(self) -> None:
        """Leave no empty folder behind."""
        with suppress(OSError):
            (self.folder / UNFINISHED).rmdir()

    def clear(self) -> None:
        """Remove files that a deploy which was ended from outside left on their way."""
        shutil.rmtree(self.folder / UNFINISHED, ignore_errors=True)
        self._made.discard(self.folder / UNFINISHED)

    def read(self, path: str) -> bytes | None:
        try:
            return (self.folder / path).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    def has(self, path: str) -> bool:
        return (self.folder / path).is_file()

    def find(self, paths: Sequence[str]) -> set[str]:
        return {path for path in paths if os.path.lexists(self.folder / path)}

    def put(self, path: str, body: bytes, headers: Mapping[str, str], *, redirect: str = "") -> None:
        place, unfinished = self._place(path), self._unfinished()
        try:
            unfinished.write_bytes(body)
            _clear_empty_folders(place)
            unfinished.replace(place)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink()
            raise

    def create(self, path: str, body: bytes) -> bool:
        place, unfinished = self._place(path), self._unfinished()
        unfinished.write_bytes(body)
        try:
            os.link(unfinished, place)  # fails if it is there, and shows the content whole
        except FileExistsError:
            return False
        finally:
            unfinished.unlink()
        return True

    def remove(self, path: str) -> None:
        place = self.folder / path
        self._check_inside(place.parent)
        with suppress(FileNotFoundError, NotADirectoryError):
            place.unlink()
        for parent in place.parents:
            if parent == self.folder:
                return
            try:
                parent.rmdir()
            except OSError:
                return
            self._made.discard(parent)

    def list(self, folder: str = "") -> Iterator[Listed]:
        start = os.fspath(self.folder / folder)
        for place, folders, names in os.walk(start):
            if place == os.fspath(self.folder) and STATE in folders:
                folders.remove(STATE)
            inside = os.path.relpath(place, self.folder).replace(os.sep, "/")
            links = [name for name in folders if os.path.islink(os.path.join(place, name))]  # noqa: PTH114, PTH118 - os.walk gives texts
            for name in [*names, *links]:
                path = name if inside == "." else f"{inside}/{name}"
                with suppress(FileNotFoundError):
                    yield Listed(path, os.lstat(os.path.join(place, name)).st_size)  # noqa: PTH118 - the same

    def link_all(self, source: str, prefix: str, paths: Sequence[str], done: Done) -> None:
        for path in paths:
            self._link(self.folder / (source + path), self._place(prefix + path))
            done(path)

    def _link(self, source: Path, place: Path) -> None:
        """A hard link, where the file system has them: nothing here ever writes into a file that is in place."""
        with suppress(FileNotFoundError):
            place.unlink()
        try:
            os.link(source, place)
        except FileNotFoundError:
            raise
        except OSError:
            shutil.copyfile(source, place)

    def current(self) -> str:
        link = self.folder / CURRENT
        return link.readlink().name if link.is_symlink() else ""

    def switch(self, release: str) -> None:
        link, fresh = self.folder / CURRENT, self.folder / f".{CURRENT}-{os.getpid()}"
        if link.exists() and not link.is_symlink():
            raise DeployError(
                f"{link} is there and no symbolic link, so no release can be switched to", hint="Move it away."
            )
        with suppress(FileNotFoundError):
            fresh.unlink()
        fresh.symlink_to(Path("releases") / release)
        fresh.replace(link)

    def remove_tree(self, folder: str) -> None:
        self._check_inside((self.folder / folder).parent)
        shutil.rmtree(self.folder / folder, ignore_errors=True)
        self._made.clear()

    def _place(self, path: str) -> Path:
        place = self.folder / path
        if place.parent not in self._made:
            place.parent.mkdir(parents=True, exist_ok=True)
            self._check_inside(place.parent)
            self._made.add(place.parent)
        return place

    def _check_inside(self, folder: Path) -> None:
        """Follow no symbolic link of others out of the target."""
        if not folder.resolve().is_relative_to(self.folder.resolve()):
            raise leads_out(str(folder))

    def _unfinished(self) -> Path:
        return self._place(f"{UNFINISHED}/{os.getpid()}-{threading.get_ident()}")


def _clear_empty_folders(place: Path) -> None:
    """A file may be due where a folder was, all of whose files are gone."""
    if place.is_dir() and not place.is_symlink():
        for folder, _, _ in os.walk(place, topdown=False):
            with suppress(OSError):
                Path(folder).rmdir()
