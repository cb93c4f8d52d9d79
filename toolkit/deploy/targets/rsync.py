"""A folder of another machine, by rsync over ssh. The other side needs a shell, rsync and GNU's tools."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from toolkit.deploy.files import DeployFile
from toolkit.deploy.retries import Retries
from toolkit.deploy.targets.base import STATE, Done, Listed, Target, leads_out
from toolkit.errors import DeployError
from toolkit.trace import digest_bytes

CURRENT = "current"
AT_A_TIME = 500
"""Files that one call of rsync sends; the deploy notes how far it came after each."""

_ABSENT, _THERE = 44, 45
"""Exit statuses of our scripts: there is no such file; there is one already."""

_SSH_FAILED = 255


class RsyncTarget(Target):
    """A folder, reached by ssh; releases are linked there, and switched by renaming a symbolic link.

    Args:
        to: ``rsync://user@host:port/folder``.
        options: ``key_filename``, ``known_hosts``; whatever else ssh shall know stands in ``~/.ssh/config``.
        parallel: Not used: rsync has one connection.
        retries: How failures are met.
    """

    keeps_releases = True

    def __init__(
        self, to: str, options: Mapping[str, Any], *, parallel: int = 8, retries: Retries | None = None
    ) -> None:
        super().__init__(parallel=1, retries=retries)
        parts = urlsplit(to)
        self.to = to
        self.host = f"{parts.username}@{parts.hostname}" if parts.username else parts.hostname or ""
        self.root = unquote(parts.path).rstrip("/") or "/"
        self.ssh = ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=20"]
        self._socket: tempfile.TemporaryDirectory[str] | None = None
        if parts.port:
            self.ssh += ["-p", str(parts.port)]
        if "key_filename" in options:
            self.ssh += ["-i", str(options["key_filename"]), "-o", "IdentitiesOnly=yes"]
        if "known_hosts" in options:
            self.ssh += ["-o", f"UserKnownHostsFile={options['known_hosts']}"]
        self._plain_ssh = self.ssh

    @property
    def name(self) -> str:
        """Its URL."""
        return self.to

    def open(self) -> None:
        """Ask the other side for what is needed.

        Raises:
            DeployError: It cannot be reached, or has no rsync.
        """
        self._share()
        done = self._run("command -v rsync >/dev/null", here=False)
        if done.returncode:
            self.close()
        if done.returncode == _SSH_FAILED:
            told = _last_line(done.stderr).rstrip(".")
            raise DeployError(
                f"{self.to} cannot be reached: {told}",
                hint=f"Try it with: {shlex.join([*self._plain_ssh, self.host])} true",
            )
        if done.returncode:
            raise DeployError(f"{self.to}: there is no rsync on the other side", hint="Install it there.")

    def _share(self) -> None:
        """All calls of ssh share one connection, which the first makes (ssh_config, ControlMaster)."""
        self._socket = tempfile.TemporaryDirectory(prefix="tk-")
        shared = ["-o", "ControlMaster=auto", "-o", f"ControlPath={self._socket.name}/s", "-o", "ControlPersist=60"]
        self.ssh = [*self._plain_ssh, *shared]

    def close(self) -> None:
        if self._socket is not None:
            subprocess.run([*self.ssh, "-O", "exit", self.host], capture_output=True, check=False)
            self._socket.cleanup()
        self._socket, self.ssh = None, self._plain_ssh

    def _run(self, script: str, body: bytes = b"", *, here: bool = True) -> subprocess.CompletedProcess[bytes]:
        """Run a script of the shell on the other side, in the target's folder."""
        root = shlex.quote(self.root)
        text = f"mkdir -p {root} && cd {root} && {{ {script}\n}}" if here else script
        try:
            return subprocess.run([*self.ssh, self.host, text], input=body, capture_output=True, check=False)
        except FileNotFoundError as error:
            raise DeployError("there is no ssh on this machine", hint="Install an OpenSSH client.") from error

    def _do(self, script: str, body: bytes = b"", *, allowed: Sequence[int] = ()) -> subprocess.CompletedProcess[bytes]:
        """The same, where failing is an error.

        Raises:
            OSError: It failed.
        """
        done = self._run(script, body)
        if done.returncode and done.returncode not in allowed:
            raise OSError(f"ssh {self.host}: {_last_line(done.stderr) or f'status {done.returncode}'}")
        return done

    def read(self, path: str) -> bytes | None:
        place = shlex.quote(path)
        script = f"[ -f {place} ] || exit {_ABSENT}; cat {place}"
        done = self.retries.run(lambda: self._do(script, allowed=[_ABSENT]))
        return None if done.returncode == _ABSENT else done.stdout

    def put(self, path: str, body: bytes, headers: Mapping[str, str], *, redirect: str = "") -> None:
        self._do(f"{_folder(path)}cat > {_unfinished(path)} && mv -fT {_unfinished(path)} {shlex.quote(path)}", body)

    def create(self, path: str, body: bytes) -> bool:
        fresh = f"{STATE}/$$.new"  # linked into place: seen whole or not at all
        script = f"{_folder(path)}cat > {fresh} || exit 1; ln -T {fresh} {shlex.quote(path)} 2>/dev/null; was=$?"
        done = self._do(f"{script}; rm -f {fresh}; [ $was = 0 ] || exit {_THERE}", body, allowed=[_THERE])
        return done.returncode != _THERE

    def remove(self, path: str) -> None:
        self._remove("", [path])

    def _remove(self, prefix: str, paths: Sequence[str]) -> None:
        names = [prefix + path for path in paths]
        self._check_inside(sorted({name.rpartition("/")[0] for name in names if "/" in name}))
        self._do("xargs -0 -r rm -f --", _joined(names))
        folders = sorted({name.rpartition("/")[0] for name in names if "/" in name}, reverse=True)
        self._do("xargs -0 -r rmdir -p --ignore-fail-on-non-empty -- 2>/dev/null; true", _joined(folders))

    def _check_inside(self, folders: Sequence[str]) -> None:
        """Follow no symbolic link of others out of the target."""
        each = 'root=$(pwd -P); for p; do if there=$(cd -- "$p" 2>/dev/null && pwd -P); then '
        each += 'case "$there/" in "$root"/*) ;; *) printf "%s\\0" "$p" ;; esac; fi; done'
        done = self._do(f"xargs -0 -r sh -c {shlex.quote(each)} sh", _joined(folders))
        outside = done.stdout.decode().partition("\0")[0]
        if outside:
            raise leads_out(outside)

    def remove_all(self, prefix: str, paths: Sequence[str], done: Done) -> None:
        for some in _chunks(paths):
            try:
                self.retries.run(lambda some=some: self._remove(prefix, some))  # type: ignore[misc]  # mypy gives a default of a lambda no type
            except OSError as error:
                raise DeployError(f"files could not be removed: {error}", hint="Deploy again.") from error
            for path in some:
                done(path)

    def list(self, folder: str = "") -> Iterator[Listed]:
        start = shlex.quote(folder or ".")
        skip = f"-path ./{STATE} -prune -o " if not folder else ""
        script = f"[ -d {start} ] || exit 0; find {start} {skip}! -type d -printf '%s %p\\0'"
        for line in self.retries.run(lambda: self._do(script)).stdout.decode().split("\0"):
            size, _, path = line.partition(" ")
            if path:
                yield Listed(path.removeprefix("./"), int(size))

    def find(self, paths: Sequence[str]) -> set[str]:
        each = 'for p; do if [ -e "$p" ] || [ -L "$p" ]; then printf "%s\\0" "$p"; fi; done'
        done = self.retries.run(lambda: self._do(f"xargs -0 -r sh -c {shlex.quote(each)} sh", _joined(paths)))
        return {path for path in done.stdout.decode().split("\0") if path}

    def is_same(self, path: str, file: DeployFile) -> bool:
        """By the digest that the other side's ``b2sum`` finds, so that nothing is sent."""
        place = shlex.quote(path)
        done = self._do(f"[ -f {place} ] || exit {_ABSENT}; b2sum -l 128 < {place}", allowed=[_ABSENT, 127])
        if done.returncode == 127:
            body = self.read(path)
            return body is not None and digest_bytes(body).hex() == file.digest
        return done.stdout.decode().partition(" ")[0] == file.digest

    def same(self, files: Mapping[str, DeployFile]) -> set[str]:
        """The same for many, of which one call over ssh asks."""
        script = f"command -v b2sum >/dev/null || exit {_ABSENT}; xargs -0 -r b2sum -l 128 -z -- 2>/dev/null; true"
        found: set[str] = set()
        for some in _chunks(list(files)):
            done = self.retries.run(lambda some=some: self._do(script, _joined(some), allowed=[_ABSENT]))  # type: ignore[misc]  # mypy gives a default of a lambda no type
            if done.returncode == _ABSENT:
                return super().same(files)
            there = (line.partition("  ") for line in done.stdout.decode().split("\0"))
            found |= {path for digest, _, path in there if path in files and files[path].digest == digest}
        return found

    # many

    def put_all(self, prefix: str, files: Sequence[DeployFile], done: Done) -> None:
        self._clear_folders([prefix + file.path for file in files])
        with tempfile.TemporaryDirectory() as scratch:
            for some in _chunks(files):
                groups: dict[Path, list[str]] = {}
                for file in some:
                    groups.setdefault(_root_of(file, Path(scratch)), []).append(file.path)
                for root, paths in groups.items():
                    self._send(root, prefix, paths)
                for file in some:
                    done(file.path)

    def _clear_folders(self, paths: Sequence[str]) -> None:
        """A file may be due where an empty folder is left."""
        each = 'for p; do if [ -d "$p" ]; then find "$p" -type d -empty -delete; fi; done'
        self.retries.run(lambda: self._do(f"xargs -0 -r sh -c {shlex.quote(each)} sh", _joined(paths)))

    def _send(self, root: Path, prefix: str, paths: Sequence[str]) -> None:
        self._do(f"mkdir -p {shlex.quote(prefix)}") if prefix else None
        place = f"{self.host}:{self.root}/{prefix}"
        command = [
            "rsync", "--recursive", "--links", "--ignore-times", "--compress", "--chmod=D755,F644", "--from0",
            "--files-from=-", "--protect-args", "-e", shlex.join(self.ssh), f"{root}/", place,
        ]  # fmt: skip

        def run() -> None:
            sent = subprocess.run(command, input=_joined(paths), capture_output=True, check=False)
            if sent.returncode:
                raise OSError(f"rsync: {_first_cause(sent.stderr)}")

        try:
            self.retries.run(run)
        except FileNotFoundError as error:
            raise DeployError("there is no rsync on this machine", hint="Install it.") from error
        except OSError as error:
            raise DeployError(
                f"files could not be put to {self.to}: {error}", hint="Deploy again: it goes on from there."
            ) from error

    # releases

    def link_all(self, source: str, prefix: str, paths: Sequence[str], done: Done) -> None:
        for some in _chunks(paths):
            script = f"root=$PWD; mkdir -p {shlex.quote(prefix)}; cd {shlex.quote(source)} || exit {_ABSENT}; "
            script += f'xargs -0 -r cp -lf --parents -t "$root/"{shlex.quote(prefix)} --'
            found = self._run(script, _joined(some))
            if found.returncode:
                raise FileNotFoundError(_last_line(found.stderr))
            for path in some:
                done(path)

    def current(self) -> str:
        done = self.retries.run(
            lambda: self._do(f"[ -L {CURRENT} ] || exit {_ABSENT}; readlink {CURRENT}", allowed=[_ABSENT])
        )
        return "" if done.returncode else done.stdout.decode().strip().rpartition("/")[2]

    def switch(self, release: str) -> None:
        target = shlex.quote(f"releases/{release}")
        script = f"if [ -e {CURRENT} ] && [ ! -L {CURRENT} ]; then exit {_THERE}; fi; "
        script += f"ln -sfnT {target} .{CURRENT}.new && mv -fT .{CURRENT}.new {CURRENT}"
        done = self.retries.run(lambda: self._do(script, allowed=[_THERE]))
        if done.returncode:
            raise DeployError(f"{self.to}/{CURRENT} is there and no symbolic link", hint="Move it away.")

    def remove_tree(self, folder: str) -> None:
        self.retries.run(lambda: self._do(f"rm -rf -- {shlex.quote(folder)}"))


def _root_of(file: DeployFile, scratch: Path) -> Path:
    """The folder below which the file has its path; files that are only in memory are written to one."""
    if isinstance(file.source, Path):
        if file.source.as_posix().endswith(f"/{file.path}"):
            return Path(file.source.as_posix().removesuffix(f"/{file.path}"))
        body = file.source.read_bytes()
    else:
        body = file.source
    place = scratch / file.path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(body)
    return scratch


def _chunks(items: Sequence[Any]) -> Iterator[list[Any]]:
    waiting = iter(items)
    while some := list(islice(waiting, AT_A_TIME)):
        yield some


def _joined(paths: Sequence[str]) -> bytes:
    return "".join(f"{path}\0" for path in paths).encode()


def _folder(path: str) -> str:
    folder = path.rpartition("/")[0]
    return f"mkdir -p {shlex.quote(folder)} {STATE} && " if folder else f"mkdir -p {STATE} && "


def _unfinished(path: str) -> str:
    return shlex.quote(f"{STATE}/{digest_bytes(path.encode()).hex()}.unfinished")


def _first_cause(told: bytes) -> str:
    """What rsync says went wrong; its last line only says in which part of it that was."""
    lines = [line for line in told.decode(errors="replace").splitlines() if line.strip()]
    causes = [line for line in lines if not line.startswith(("rsync error: ", "Warning: "))]
    own = [line.removeprefix("rsync: ") for line in causes if line.startswith("rsync: ")]
    return next(iter(own + causes + lines), "it failed")


def _last_line(told: bytes) -> str:
    lines = told.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
