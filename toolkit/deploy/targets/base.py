"""What a deploy asks of the place that it puts files to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import Self, TypeVar

from toolkit.deploy.files import DeployFile
from toolkit.deploy.retries import Retries
from toolkit.errors import DeployError
from toolkit.trace import digest_bytes

T = TypeVar("T")

STATE = ".toolkit-deploy"
"""The folder at the target that is the toolkit's: what was put there, the lock, files on their way."""

Done = Callable[[str], None]
"""Told the path of each file that is there now."""


def leads_out(folder: str) -> DeployError:
    """The refusal to follow a symbolic link that somebody else put into a target."""
    return DeployError(f"{folder} is or lies behind a symbolic link that leads out of the target", hint="Move it away.")


@dataclass(frozen=True, slots=True)
class Listed:
    """A file that is at a target, whoever put it there.

    Args:
        path: Below the target's root.
        size: In bytes.
    """

    path: str
    size: int


class Target(ABC):
    """A place for files, each addressed by a path with slashes below the place's root.

    Attributes:
        keeps_headers: It keeps headers beside a file, as object storages do.
        keeps_releases: It can hold several releases and switch between them at once.
        is_whole: Everything is written in one piece when the deploy ends; nothing of it is seen before.
        needs_lock: Two deploys at once would disturb each other.
        parallel: Files at a time.
    """

    keeps_headers = False
    keeps_releases = False
    is_whole = False
    needs_lock = True

    def __init__(self, *, parallel: int = 8, retries: Retries | None = None) -> None:
        self.parallel = parallel
        self.retries = retries or Retries(4)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    @abstractmethod
    def name(self) -> str:
        """Where it is, without any secret."""

    def open(self) -> None:  # noqa: B027 - most places need no opening
        """Connect.

        Raises:
            DeployError: It cannot be reached.
        """

    def close(self) -> None:  # noqa: B027 - as above
        """Disconnect."""

    def clear(self) -> None:  # noqa: B027 - as above
        """Remove what an interrupted deploy left on its way. Called by whoever holds the lock."""

    # single files

    @abstractmethod
    def read(self, path: str) -> bytes | None:
        """A file's content, or None if there is no such file."""

    @abstractmethod
    def put(self, path: str, body: bytes, headers: Mapping[str, str], *, redirect: str = "") -> None:
        """Write a file: wholly or not at all, where the place can."""

    @abstractmethod
    def create(self, path: str, body: bytes) -> bool:
        """Write a file that is not there yet; False if it is. The test and the writing are one, where the place can."""

    @abstractmethod
    def remove(self, path: str) -> None:
        """Remove a file; nothing happens if it is not there."""

    @abstractmethod
    def list(self, folder: str = "") -> Iterator[Listed]:
        """Every file below a folder, in any order, without those of ``STATE``."""

    def find(self, paths: Sequence[str]) -> set[str]:
        """Which of these files are there."""
        with ThreadPoolExecutor(self.parallel) as pool:
            return {path for path, there in zip(paths, pool.map(self.has, paths), strict=True) if there}

    def has(self, path: str) -> bool:
        """Whether there is such a file."""
        return self.read(path) is not None

    def is_same(self, path: str, file: DeployFile) -> bool:
        """Whether the place has a file's very content there."""
        body = self.read(path)
        return body is not None and digest_bytes(body).hex() == file.digest

    def same(self, files: Mapping[str, DeployFile]) -> set[str]:
        """Which of these paths have the very content of their file."""
        with ThreadPoolExecutor(self.parallel) as pool:
            found = pool.map(lambda item: self.is_same(*item), files.items())
            return {path for path, is_same in zip(files, found, strict=True) if is_same}

    # many

    def put_all(self, prefix: str, files: Sequence[DeployFile], done: Done) -> None:
        """Write files, several at a time, trying each again.

        Args:
            prefix: Before their paths.
            files: The files.
            done: Told of each; an exception from it ends the whole.

        Raises:
            DeployError: One could not be written however often it was tried.
        """
        self._each(files, lambda file: self._put_one(prefix + file.path, file), lambda file: done(file.path))

    def _put_one(self, path: str, file: DeployFile) -> None:
        body = file.read()
        try:
            self.retries.run(lambda: self.put(path, body, file.headers, redirect=file.redirect))
        except OSError as error:
            raise DeployError(
                f"{file.path} could not be put to {self.name}: {error}", hint="Deploy again: it goes on from there."
            ) from error

    def remove_all(self, prefix: str, paths: Sequence[str], done: Done) -> None:
        """Remove files, several at a time.

        Raises:
            DeployError: One could not be removed.
        """
        self._each(paths, lambda path: self._remove_one(prefix + path), done)

    def _remove_one(self, path: str) -> None:
        try:
            self.retries.run(lambda: self.remove(path))
        except OSError as error:
            raise DeployError(
                f"{path} could not be removed from {self.name}: {error}", hint="Deploy again: it goes on from there."
            ) from error

    def _each(self, items: Sequence[T], function: Callable[[T], None], done: Callable[[T], None]) -> None:
        """Do something with each, several at a time; the first failure ends the whole."""
        waiting = iter(items)
        with ThreadPoolExecutor(self.parallel) as pool:
            running: dict[Future[None], T] = {}
            try:
                while True:
                    for item in islice(waiting, 2 * self.parallel - len(running)):
                        running[pool.submit(function, item)] = item
                    if not running:
                        return
                    finished, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in finished:
                        item = running.pop(future)
                        future.result()
                        done(item)
            finally:
                for future in running:
                    future.cancel()

    # releases

    def link_all(self, source: str, prefix: str, paths: Sequence[str], done: Done) -> None:
        """Have files of one release in another too, without sending them.

        Args:
            source: Before the paths of the files that are there.
            prefix: Before those of the files to be.
            paths: The files.
            done: Told of each.
        """
        raise NotImplementedError

    def current(self) -> str:
        """The release that readers see, or an empty text."""
        raise NotImplementedError

    def switch(self, release: str) -> None:
        """Let readers see another release, from one instant to the next."""
        raise NotImplementedError

    def remove_tree(self, folder: str) -> None:
        """Remove a whole folder."""
        paths = [listed.path for listed in self.list(folder)]
        self.remove_all("", paths, lambda path: None)

    # places that are written in one piece

    def commit(self, message: str) -> None:  # noqa: B027 - most places show each file as it comes
        """Let readers see what was written."""
