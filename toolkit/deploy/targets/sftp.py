"""A folder of another machine, by SFTP. Needs paramiko; the other side needs no shell."""

from __future__ import annotations

import getpass
import os
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from toolkit.deploy.retries import Retries
from toolkit.deploy.targets.base import STATE, Listed, Target, leads_out
from toolkit.errors import DeployError

UNFINISHED = f"{STATE}/unfinished"
MOST_SESSIONS = 6
"""Servers allow ten at a time unless told otherwise (sshd_config, MaxSessions)."""


class SftpTarget(Target):
    """A folder, reached by SFTP. The other side must be known: its key is looked up in ``known_hosts``.

    Args:
        to: ``sftp://user@host:port/folder``.
        options: ``key_filename``, ``known_hosts``.
        parallel: Files at a time.
        retries: How failures are met.
    """

    def __init__(
        self, to: str, options: Mapping[str, Any], *, parallel: int = 8, retries: Retries | None = None
    ) -> None:
        super().__init__(parallel=min(parallel, MOST_SESSIONS), retries=retries)
        parts = urlsplit(to)
        self.to = to
        self.host, self.port, self.user = parts.hostname or "", parts.port, parts.username
        self.root = unquote(parts.path).rstrip("/")
        self.options = dict(options)
        self._client: Any = None
        self._local = threading.local()
        self._lock = threading.Lock()
        self._failures: tuple[type[Exception], ...] = (EOFError,)
        self._made: set[str] = set()

    @property
    def name(self) -> str:
        """Its URL."""
        return self.to

    def open(self) -> None:
        try:
            import paramiko
        except ImportError as error:
            raise DeployError(
                f"{self.to} cannot be reached: paramiko is not installed",
                hint="pip install 'publishing-toolkit[sftp]'.",
            ) from error
        self._made.clear()
        self._failures = (paramiko.SSHException, EOFError)
        try:
            self._connect(paramiko)
        except (paramiko.SSHException, OSError) as error:
            raise DeployError(f"{self.to} cannot be reached: {error}", hint=_hint(error)) from error

    def _connect(self, paramiko: Any) -> None:
        client = paramiko.SSHClient()
        known = self.options.get("known_hosts")
        try:
            client.load_host_keys(known) if known else client.load_system_host_keys()
            client.set_missing_host_key_policy(paramiko.RejectPolicy())
            client.connect(**self._settings(paramiko))
        except BaseException:
            client.close()
            raise
        self._local = threading.local()
        self._client = client

    def _settings(self, paramiko: Any) -> dict[str, Any]:
        """How to connect: what is declared, and what ``~/.ssh/config`` says of the host."""
        config = paramiko.SSHConfig()
        place = Path("~/.ssh/config").expanduser()
        if place.is_file():
            config = paramiko.SSHConfig.from_path(str(place))
        said = config.lookup(self.host)
        keys = self.options.get("key_filename") or said.get("identityfile")
        return {
            "hostname": said.get("hostname", self.host),
            "port": self.port or int(said.get("port", 22)),
            "username": self.user or said.get("user") or getpass.getuser(),
            "key_filename": keys,
            "timeout": 20,
            "banner_timeout": 20,
        }

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None

    @property
    def _sftp(self) -> Any:
        """This thread's session; they share one connection, which is made anew when it broke."""
        import paramiko

        with self._lock:
            transport = self._client.get_transport() if self._client is not None else None
            if transport is None or not transport.is_active():
                self._connect(paramiko)
            found = getattr(self._local, "sftp", None)
            if found is None or found.sock.closed:
                found = self._local.sftp = self._client.open_sftp()
            return found

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What paramiko raises of a broken connection becomes an OSError, which may be tried again.

        Raises:
            OSError: The connection broke.
        """
        try:
            yield
        except self._failures as error:
            raise OSError(f"the connection to {self.host} broke: {str(error) or type(error).__name__}") from error

    def _place(self, path: str) -> str:
        return f"{self.root}/{path}"

    def read(self, path: str) -> bytes | None:
        return self.retries.run(lambda: self._read(path))

    def _read(self, path: str) -> bytes | None:
        with self._told():
            return self._read_once(path)

    def _read_once(self, path: str) -> bytes | None:
        try:
            with self._sftp.open(self._place(path), "rb") as file:
                file.prefetch()
                body: bytes = file.read()
        except FileNotFoundError:
            return None
        except OSError:
            if self._is_folder(path):
                return None
            raise
        return body

    def _is_folder(self, path: str) -> bool:
        try:
            return stat.S_ISDIR(self._sftp.stat(self._place(path)).st_mode)
        except FileNotFoundError:
            return False

    def has(self, path: str) -> bool:
        with self._told():
            return self._has(path)

    def _has(self, path: str) -> bool:
        try:
            self._sftp.lstat(self._place(path))
        except FileNotFoundError:
            return False
        return True

    def put(self, path: str, body: bytes, headers: Mapping[str, str], *, redirect: str = "") -> None:
        with self._told():
            self._put(path, body)

    def _put(self, path: str, body: bytes) -> None:
        unfinished = f"{UNFINISHED}/{os.getpid()}-{threading.get_ident()}"
        self._make_folder(unfinished)
        self._make_folder(path)
        with self._sftp.open(self._place(unfinished), "wb") as file:
            file.set_pipelined(True)
            file.write(body)
        if self._is_folder(path):
            self._remove_empty(path)
        self._sftp.posix_rename(self._place(unfinished), self._place(path))

    def _remove_empty(self, path: str) -> None:
        for entry in self._sftp.listdir_attr(self._place(path)):
            if stat.S_ISDIR(entry.st_mode):
                self._remove_empty(f"{path}/{entry.filename}")
        self._sftp.rmdir(self._place(path))

    def create(self, path: str, body: bytes) -> bool:
        with self._told():
            return self._create(path, body)

    def _create(self, path: str, body: bytes) -> bool:
        self._make_folder(path)
        try:
            with self._sftp.open(self._place(path), "wx") as file:
                file.write(body)
        except OSError:
            if self._has(path):
                return False
            raise
        return True

    def remove(self, path: str) -> None:
        with self._told():
            self._remove(path)

    def _remove(self, path: str) -> None:
        folder = path.rpartition("/")[0]
        with suppress(FileNotFoundError):
            self._check_inside(folder)
            self._sftp.remove(self._place(path))
        while folder:
            try:
                self._sftp.rmdir(self._place(folder))
            except OSError:
                return
            self._made.discard(folder)
            folder = folder.rpartition("/")[0]

    def list(self, folder: str = "") -> Iterator[Listed]:
        try:
            with self._told():
                entries = self._sftp.listdir_attr(self._place(folder).rstrip("/"))
        except FileNotFoundError:
            return
        for entry in entries:
            path = f"{folder}/{entry.filename}" if folder else entry.filename
            if path == STATE:
                continue
            if stat.S_ISDIR(entry.st_mode):
                yield from self.list(path)
            else:
                yield Listed(path, entry.st_size or 0)

    def clear(self) -> None:
        with self._told(), suppress(FileNotFoundError):
            for name in self._sftp.listdir(self._place(UNFINISHED)):
                self._sftp.remove(self._place(f"{UNFINISHED}/{name}"))

    def _make_folder(self, path: str) -> None:
        folder = path.rpartition("/")[0]
        if folder in self._made:
            return
        if folder:
            self._make_folder(folder)
        place = self._place(folder).rstrip("/")
        try:
            self._sftp.stat(place)
        except FileNotFoundError:
            try:
                self._sftp.mkdir(place)
            except OSError:  # made by another thread meanwhile, or not at all
                self._sftp.stat(place)
        self._check_inside(folder)
        self._made.add(folder)

    def _check_inside(self, folder: str) -> None:
        """Follow no symbolic link of others out of the target."""
        if not folder or folder in self._made:
            return
        root, place = self._sftp.normalize(self.root), self._sftp.normalize(self._place(folder))
        if not place.startswith(f"{root.rstrip('/')}/"):
            raise leads_out(folder)


def _hint(error: Exception) -> str:
    if "not found in known_hosts" in str(error):
        return "Add its key after looking at it: ssh-keyscan HOST >> ~/.ssh/known_hosts."
    return "Try it with: sftp HOST."
