"""A branch of a git repository, which a Pages host publishes: one commit a deploy, pushed at its end."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from toolkit.deploy.retries import Retries
from toolkit.deploy.targets.base import STATE, Listed, Target
from toolkit.errors import DeployError, TargetLocked

AUTHOR = "toolkit deploy <deploy@localhost>"


class GitTarget(Target):
    """A branch. Nothing is seen before the push, which git refuses if somebody else pushed in between.

    Args:
        to: The repository: ``git+ssh://…``, ``git@host:path.git`` or a folder.
        branch: The branch; it is made if it is not there.
        scratch: A folder of this machine for a bare copy.
        parallel: Not used: git takes one file after the other.
        retries: How failures are met.
    """

    is_whole = True
    needs_lock = False

    def __init__(
        self, to: str, branch: str, scratch: Path, *, parallel: int = 8, retries: Retries | None = None
    ) -> None:
        super().__init__(parallel=1, retries=retries)
        self.to = to.removeprefix("git+")
        self.branch = branch
        self.scratch = scratch
        self.tip = ""
        self._importer: subprocess.Popen[bytes] | None = None
        self._marks: dict[str, int] = {}
        self._removed: list[str] = []
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The repository and the branch."""
        return f"{self.to}#{self.branch}"

    def open(self) -> None:
        """Fetch the branch as it is.

        Raises:
            DeployError: The repository cannot be reached.
        """
        self._marks, self._removed, self.tip = {}, [], ""
        self.scratch.mkdir(parents=True, exist_ok=True)
        depth = []
        if not (self.scratch / "HEAD").is_file():
            self._git("init", "--quiet", "--bare")
            depth = ["--depth=1"]  # a copy that is kept has the history, and fetches what is new
        try:
            found = self.retries.run(lambda: self._git("ls-remote", "--heads", self.to, f"refs/heads/{self.branch}"))
            if found.strip():
                self.retries.run(lambda: self._git("fetch", "--quiet", *depth, self.to, f"refs/heads/{self.branch}"))
                self.tip = self._git("rev-parse", "FETCH_HEAD").decode().strip()
        except OSError as error:
            raise DeployError(f"{self.to} cannot be reached: {error}", hint=f"Try: git ls-remote {self.to}.") from error

    def close(self) -> None:
        if self._importer is not None:
            self._importer.kill()
            self._importer.communicate()
            self._importer = None

    def _git(self, *args: str) -> bytes:
        """What git says.

        Raises:
            OSError: It failed.
        """
        environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_DIR": str(self.scratch)}
        try:
            done = subprocess.run(["git", *args], env=environment, capture_output=True, check=False)
        except FileNotFoundError as error:
            raise DeployError("there is no git on this machine", hint="Install it.") from error
        if done.returncode:
            raise OSError(_causes(done.stderr) or f"git {args[0]} failed")
        return done.stdout

    def read(self, path: str) -> bytes | None:
        if not self.tip or path not in self._there([path]):
            return None
        return self._git("cat-file", "blob", f"{self.tip}:{path}")

    def _there(self, paths: Sequence[str]) -> set[str]:
        wanted = set(paths)
        return {listed.path for listed in self._tree() if listed.path in wanted}

    def _tree(self) -> Iterator[Listed]:
        if not self.tip:
            return
        for entry in self._git("ls-tree", "-r", "-l", "-z", self.tip).decode().split("\0"):
            about, _, path = entry.partition("\t")
            if path:
                size = about.split()[3]
                yield Listed(path, int(size) if size.isdigit() else 0)

    def find(self, paths: Sequence[str]) -> set[str]:
        return self._there(paths)

    def list(self, folder: str = "") -> Iterator[Listed]:
        for listed in self._tree():
            if not listed.path.startswith(f"{STATE}/") and listed.path.startswith(f"{folder}/" if folder else ""):
                yield listed

    def put(self, path: str, body: bytes, headers: Mapping[str, str], *, redirect: str = "") -> None:
        with self._lock:
            number = self._marks[path] = len(self._marks) + 1
            self._stream.write(b"blob\nmark :%d\ndata %d\n%s\n" % (number, len(body), body))

    def create(self, path: str, body: bytes) -> bool:
        self.put(path, body, {})
        return True

    def remove(self, path: str) -> None:
        with self._lock:
            self._removed.append(path)

    @property
    def _stream(self) -> IO[bytes]:
        """What ``git fast-import`` reads."""
        if self._importer is None:
            environment = {**os.environ, "GIT_DIR": str(self.scratch)}
            self._importer = subprocess.Popen(
                ["git", "fast-import", "--quiet", "--done", "--force"],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        stream = self._importer.stdin
        if stream is None:
            raise TypeError("the importer has no input")
        return stream

    def commit(self, message: str) -> None:
        """Make the commit, and push it.

        Raises:
            TargetLocked: Somebody pushed to the branch meanwhile.
            DeployError: It cannot be pushed.
        """
        ref = f"refs/toolkit/{self.branch}"
        text = message.encode()
        lines = [
            f"reset {ref}\ncommit {ref}\ncommitter {AUTHOR} {int(time.time())} +0000\ndata {len(text)}\n".encode(),
            text,
            b"\n",
        ]
        if self.tip:
            lines.append(f"from {self.tip}\n".encode())
        lines += [f"D {_quoted(path)}\n".encode() for path in self._removed]
        lines += [f"M 100644 :{number} {_quoted(path)}\n".encode() for path, number in self._marks.items()]
        self._stream.write(b"".join([*lines, b"done\n"]))
        importer, self._importer = self._importer, None
        if importer is not None:
            _, told = importer.communicate()
            if importer.returncode:
                raise DeployError(f"git could not make the commit: {told.decode(errors='replace').strip()[-300:]}")
        self._push(ref)

    def _push(self, ref: str) -> None:
        try:
            self.retries.run(lambda: self._push_once(ref))
        except OSError as error:
            raise DeployError(f"{self.name} cannot be pushed to: {error}", hint="Look at your rights there.") from error

    def _push_once(self, ref: str) -> None:
        try:
            self._git("push", "--quiet", self.to, f"{ref}:refs/heads/{self.branch}")
        except OSError as error:
            if "[rejected]" in str(error) or "fetch first" in str(error) or "non-fast-forward" in str(error):
                raise TargetLocked(
                    f"somebody pushed to {self.name} while this deploy was made", hint="Deploy again."
                ) from error
            raise


def _causes(told: bytes) -> str:
    """What went wrong, without git's advice to people."""
    lines = [line.strip() for line in told.decode(errors="replace").splitlines()]
    marked = [line for line in lines if line.startswith(("fatal:", "error:", "remote:", "!"))]
    return "; ".join((marked or [line for line in lines if line])[-3:]).rstrip(".")


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
