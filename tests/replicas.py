"""A primary and a replica of it: two servers of one kind that the tests start themselves, and may pause and kill."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import pytest

from toolkit.database import Database
from toolkit.errors import DatabaseError

PATIENCE_SECONDS = 30
"""Machines on which everybody's tests run at once are slow."""


class Server:
    """A server in a folder and at a port of its own.

    Args:
        folder: Its folder.
        command: The program, with the options that both of a pair have.
        url: With ``{port}`` in it.
        user: Who runs it; None for whoever runs the tests.
    """

    def __init__(self, folder: Path, command: list[str], url: str, user: str | None = None) -> None:
        self.port = free_port()
        self.folder, self.url, self.user = folder, url.format(port=self.port), user
        self._command = [part.format(port=self.port, folder=folder) for part in command]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, unless it runs, and wait until it answers."""
        if self._process is None:
            with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
                self._process = subprocess.Popen(self._command, stdout=log, stderr=log, user=self.user)
        wait_for(lambda: self.ask("SELECT 1"), f"a server did not start: see {self.folder}.log")

    def ask(self, sql: str) -> list[Any]:
        """The rows of a statement, over a connection of its own."""
        database = Database(self.url)
        try:
            return database.fetch(sql)
        finally:
            database.close()

    def kill(self) -> None:
        """End it at once: nothing is written, and no connection is closed in order."""
        if self._process is not None:
            is_postgresql = "postgres" in self._command[0]  # whose other processes need be told as well
            self._process.send_signal(signal.SIGQUIT if is_postgresql else signal.SIGKILL)
            self._process.wait(PATIENCE_SECONDS)
            self._process = None


class Pair:
    """A primary and its replica.

    Attributes:
        programs: What has to be installed.
        pausing: Statements that stop and go on with applying what the primary wrote.
    """

    programs: ClassVar[tuple[str, ...]]
    pausing: ClassVar[tuple[str, str]]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.primary, self.replica = (self._make(folder / name) for name in ("primary", "replica"))

    def _make(self, folder: Path) -> Server:
        """A server that is not there yet."""
        raise NotImplementedError

    def begin(self) -> None:
        """Install both, start them, and let one replicate the other."""
        raise NotImplementedError

    def catch_up(self) -> None:
        """Wait until the replica has what the primary has."""
        raise NotImplementedError

    def start(self) -> None:
        self.primary.start()
        self.replica.start()

    def kill(self) -> None:
        self.replica.kill()
        self.primary.kill()

    @contextmanager
    def lagging(self) -> Iterator[None]:
        """A block in which nothing arrives at the replica."""
        stop, go_on = self.pausing
        self.replica.ask(stop)
        try:
            yield
        finally:
            self.replica.ask(go_on)


class MariaDBPair(Pair):
    """Source: MariaDB, "Setting Up Replication", "Global Transaction ID".

    Each server has a folder of its own for temporary tables: as it starts, it removes those that it finds in /tmp, with
    which other servers of the machine work.
    """

    programs = ("mariadbd", "mariadb-install-db")
    pausing = ("STOP SLAVE SQL_THREAD", "START SLAVE SQL_THREAD")

    @property
    def _options(self) -> list[str]:
        root = ["--user=root"] if os.geteuid() == 0 else []
        return ["--no-defaults", "--innodb-log-file-size=5M", "--innodb-buffer-pool-size=16M", *root]

    def _make(self, folder: Path) -> Server:
        temporary = folder.with_name(f"{folder.name}-tmp")
        temporary.mkdir(parents=True)
        command = [find("mariadbd") or "", *self._options, "--datadir={folder}", "--port={port}", "--server-id={port}"]
        command += ["--socket={folder}.sock", "--pid-file={folder}.pid", "--bind-address=127.0.0.1", "--log-bin"]
        command += [f"--tmpdir={temporary}", "--innodb-flush-log-at-trx-commit=2"]  # a kill loses no commit
        return Server(folder, command, "mysql://root@127.0.0.1:{port}/mysql")

    def begin(self) -> None:
        folders = [f"--datadir={self.primary.folder}", f"--tmpdir={self.folder}"]
        made = ["--skip-test-db", "--auth-root-authentication-method=normal"]
        run([find("mariadb-install-db") or "", *self._options, *folders, *made])
        shutil.copytree(self.primary.folder, self.replica.folder)
        self.start()
        self.primary.ask("CREATE DATABASE site")
        self.replica.ask(
            f"CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {self.primary.port}, MASTER_USER = 'root', "
            "MASTER_CONNECT_RETRY = 1, MASTER_USE_GTID = slave_pos"
        )
        self.replica.ask("START SLAVE")
        self.catch_up()
        for server in (self.primary, self.replica):
            server.url = server.url.replace("/mysql", "/site")

    def catch_up(self) -> None:
        at = self.primary.ask("SELECT @@gtid_binlog_pos")[0][0]
        reached = self.replica.ask(f"SELECT MASTER_GTID_WAIT('{at}', {PATIENCE_SECONDS})") == [(0,)]
        assert reached, self.replica.ask("SHOW SLAVE STATUS")


class PostgreSQLPair(Pair):
    """Source: PostgreSQL, "Log-Shipping Standby Servers", "Streaming Replication"."""

    programs = ("postgres", "initdb", "pg_basebackup")
    pausing = ("SELECT pg_wal_replay_pause()", "SELECT pg_wal_replay_resume()")

    def _make(self, folder: Path) -> Server:
        command = [find("postgres") or "", "-D", "{folder}", "-p", "{port}", "-c", "unix_socket_directories="]
        command += ["-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "wal_retrieve_retry_interval=100ms"]
        user = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
        return Server(folder, command, "postgresql://postgres@127.0.0.1:{port}/postgres", user)

    def begin(self) -> None:
        user = self.primary.user
        if user:
            shutil.chown(self.folder, user)
        run([find("initdb") or "", "-D", str(self.primary.folder), "-N", "-A", "trust", "-U", "postgres"], user)
        self.primary.start()
        copied = ["-h", "127.0.0.1", "-p", str(self.primary.port), "-U", "postgres", "-D", str(self.replica.folder)]
        run([find("pg_basebackup") or "", *copied, "-R", "-c", "fast"], user)
        self.replica.start()

    def catch_up(self) -> None:
        at = self.primary.ask("SELECT pg_current_wal_insert_lsn()")[0][0]
        reached = f"SELECT pg_last_wal_replay_lsn() >= '{at}'"
        wait_for(lambda: self.replica.ask(reached)[0][0], "the replica does not catch up")


KINDS = {"postgresql": PostgreSQLPair, "mariadb": MariaDBPair}


@contextmanager
def replicated(kind: str) -> Iterator[Pair]:
    """A pair that runs. Skips the test where its programs are not installed.

    Its folder is not one of pytest's, which other users may not enter: PostgreSQL's servers run as one.
    """
    if missing := [program for program in KINDS[kind].programs if find(program) is None]:
        pytest.skip(f"not installed: {', '.join(missing)}")
    with TemporaryDirectory(prefix="toolkit-servers-", ignore_cleanup_errors=True) as folder, ExitStack() as stack:
        pair = KINDS[kind](Path(folder))
        stack.callback(pair.kill)
        pair.begin()
        yield pair


def find(program: str) -> str | None:
    """Where a program is. Debian keeps PostgreSQL's out of the way."""
    folders = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    return shutil.which(program, path=os.pathsep.join([*folders, "/usr/sbin", os.environ.get("PATH", "")]))


def run(command: list[str], user: str | None = None) -> None:
    done = subprocess.run(command, user=user, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stdout + done.stderr


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(is_so: Any, told: str) -> None:
    limit = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < limit:
        try:
            if is_so():
                return
        except DatabaseError:
            pass
        time.sleep(0.05)
    pytest.fail(told)
