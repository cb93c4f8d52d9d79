"""A Dask cluster on loopback: a scheduler and its workers, each a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

SECONDS = 60
ROOT = Path(__file__).parents[2]


class Cluster:
    """Processes of a cluster.

    Args:
        folder: For the scheduler's file and the workers' own.
        environment: Further variables of the processes.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._file = folder / "scheduler.json"
        quiet = {"DASK_DISTRIBUTED__WORKER__DAEMON": "False", "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "critical"}
        quiet["DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED"] = "False"  # half of what an idle worker takes
        quiet["DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL"] = "2s"  # two thirds of the rest: whether the loop is late
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TOOLKIT_")}
        self._environment = {**kept, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **quiet, **environment}
        self.scheduler = self._start_scheduler()
        self.workers: list[subprocess.Popen[bytes]] = []

    def _start_scheduler(self) -> subprocess.Popen[bytes]:
        self._file.unlink(missing_ok=True)
        options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(self._file)]
        return self._run("dask_scheduler", *options)

    def _run(self, name: str, *options: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", f"distributed.cli.{name}", *options],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    @property
    def address(self) -> str:
        """The scheduler's ``host:port``, once it is there."""
        for _ in range(SECONDS * 20):
            if self._file.exists() and (text := self._file.read_text()):
                return str(json.loads(text)["address"]).removeprefix("tcp://")
            time.sleep(0.05)
        raise TimeoutError("the scheduler did not begin")

    @property
    def executor(self) -> str:
        """As ``--executor`` takes it."""
        return f"dask://{self.address}"

    def start_worker(self) -> None:
        """One worker more, of one thread."""
        options = [f"tcp://{self.address}", "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        options += ["--local-directory", str(self._folder), "--host", "127.0.0.1"]
        self.workers.append(self._run("dask_worker", *options))

    def wait_for(self, count: int) -> None:
        """Wait until so many workers are with the scheduler."""
        from distributed import Client

        with Client(f"tcp://{self.address}", set_as_default=False) as client:
            client.wait_for_workers(count, timeout=SECONDS)

    def mend(self, count: int) -> None:
        """Have a scheduler and so many workers alive."""
        if self.scheduler.poll() is not None:
            self.stop()
            self.scheduler = self._start_scheduler()
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        for _ in range(count - len(self.workers)):
            self.start_worker()
        self.wait_for(count)

    def stop(self) -> None:
        """End all processes."""
        for process in (*self.workers, self.scheduler):
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()


@contextmanager
def running_cluster(folder: Path, *, workers: int, environment: Mapping[str, str]) -> Iterator[Cluster]:
    """A cluster, ended afterwards."""
    cluster = Cluster(folder, environment)
    try:
        for _ in range(workers):
            cluster.start_worker()
        if workers:
            cluster.wait_for(workers)
        yield cluster
    finally:
        cluster.stop()
