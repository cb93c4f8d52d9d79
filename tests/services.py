"""Servers of the databases that one run of the tests has to itself: ``python -m tests.services COMMAND...``.

What tests write goes with the servers, so their folders are in memory where there is room, and nothing waits for the
disk: on one that others use too, a change of a table took MariaDB 30 to 90 ms instead of 1 to 4, and the suite makes
tens of thousands. MariaDB has no setting for that: it flushes its log of such changes in any case.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.memory import in_memory
from tests.replicas import Server, find, run
from toolkit.database import Database

VARIABLE = "TOOLKIT_TEST_DATABASES"
ROOM_BYTES = 2 * 1024**3
"""How much must be free in memory; servers of a whole run took a quarter of it."""


def main(command: list[str]) -> int:
    """Run a command on servers of its own; on those that ``TOOLKIT_TEST_DATABASES`` names, if it is set."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # the servers end too
    if os.environ.get(VARIABLE):
        return subprocess.run(command, check=False).returncode
    with started() as urls:
        print(f"databases: {', '.join(['SQLite', *urls])}", flush=True)
        return subprocess.run(command, check=False, env={**os.environ, VARIABLE: ",".join(urls)}).returncode


@contextmanager
def started() -> Iterator[list[str]]:
    """The URLs of a database called ``test`` on a server of each kind that is installed."""
    folder = TemporaryDirectory(prefix="toolkit-servers-", dir=in_memory(ROOM_BYTES), ignore_cleanup_errors=True)
    with folder as name, ExitStack() as stack:
        Path(name).chmod(0o755)  # PostgreSQL's servers run as another user
        urls = []
        for programs, install in KINDS:
            if all(find(program) for program in programs):
                server = install(Path(name))
                stack.callback(server.kill)
                server.start()
                with closing(Database(server.url)) as database:
                    database.execute("CREATE DATABASE test")
                urls.append(f"{server.url.rpartition('/')[0]}/test")
        yield urls


def _postgresql(parent: Path) -> Server:
    """An installed server of PostgreSQL, which refuses to run as root."""
    folder, user = parent / "postgresql", "postgres" if os.geteuid() == 0 else None
    folder.mkdir(mode=0o700)
    if user:
        shutil.chown(folder, user)
    made = ["-N", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8"]
    run([find("initdb") or "", "-D", str(folder), *made], user)
    settings = ["unix_socket_directories=", "fsync=off", "synchronous_commit=off", "full_page_writes=off"]
    settings += ["wal_level=minimal", "max_wal_senders=0", "max_wal_size=128MB", "autovacuum=off"]
    options = [part for setting in settings for part in ("-c", setting)]
    command = [find("postgres") or "", "-D", "{folder}", "-p", "{port}", *options]
    return Server(folder, command, "postgresql://postgres@127.0.0.1:{port}/postgres", user)


def _mariadb(parent: Path) -> Server:
    """An installed server of MariaDB, with a folder of its own for temporary tables: see ``tests.replicas``."""
    folder, temporary = parent / "mariadb", parent / "mariadb-tmp"
    temporary.mkdir()
    root = ["--user=root"] if os.geteuid() == 0 else []
    common: list[str] = ["--no-defaults", f"--datadir={folder}", f"--tmpdir={temporary}", *root]
    common += ["--innodb-log-file-size=32M"]
    made = ["--skip-test-db", "--auth-root-authentication-method=normal"]
    run([find("mariadb-install-db") or "", *common, *made])
    command = [find("mariadbd") or "", *common, "--port={port}", "--bind-address=127.0.0.1", "--skip-name-resolve"]
    command += ["--socket={folder}.sock", "--pid-file={folder}.pid", "--character-set-server=utf8mb4"]
    command += ["--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--sync-frm=0"]
    # a file for each table, and figures of it in another: half of what the server took to make or alter one
    command += ["--innodb-file-per-table=0", "--innodb-stats-persistent=0"]
    return Server(folder, command, "mysql://root@127.0.0.1:{port}/mysql")


KINDS: list[tuple[tuple[str, ...], Any]] = [
    (("postgres", "initdb"), _postgresql),
    (("mariadbd", "mariadb-install-db"), _mariadb),
]
"""What has to be installed, and what installs a server in a folder."""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
