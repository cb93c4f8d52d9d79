"""One deploy at a time: refused while another runs, taken over when its lock expired."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from toolkit.deploy.lock import LOCK, TargetLock, break_lock
from toolkit.deploy.targets.folder import FolderTarget
from toolkit.errors import DeployError, TargetLocked


def holder(*, seconds: int, process: str = "", name: str = "other") -> bytes:
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    return json.dumps({"id": name, "who": "ana on desk", "process": process, "until": until.isoformat()}).encode()


@pytest.fixture
def target(tmp_path: Path) -> FolderTarget:
    return FolderTarget(tmp_path)


def test_two_deploys_at_once_are_refused(target: FolderTarget) -> None:
    with (
        TargetLock(target, seconds=60),
        pytest.raises(TargetLocked, match=r"another deploy to .* is under way, by .* its lock holds until 20"),
        TargetLock(target, seconds=60),
    ):
        pass
    assert target.read(LOCK) is None
    with TargetLock(target, seconds=60):
        pass


def test_an_expired_lock_is_taken_over(target: FolderTarget) -> None:
    target.create(LOCK, holder(seconds=-1))
    with TargetLock(target, seconds=60) as lock:
        assert json.loads(target.read(LOCK) or b"")["id"] == lock.id
    assert [listed.path for listed in target.list(".toolkit-deploy")] == []


def test_a_lock_of_a_process_of_this_machine_that_is_gone_has_expired(target: FolderTarget) -> None:
    with TargetLock(target, seconds=60):
        mine = json.loads(target.read(LOCK) or b"")["process"]
    gone = mine.rpartition(":")[0] + ":999999999"
    target.create(LOCK, holder(seconds=60, process=gone))
    with TargetLock(target, seconds=60):
        pass
    target.create(LOCK, holder(seconds=60, process="another-machine:999999999"))
    with pytest.raises(TargetLocked, match="by ana on desk"), TargetLock(target, seconds=60):
        pass


def test_a_takeover_that_died_half_way_is_taken_over_too(target: FolderTarget) -> None:
    target.create(LOCK, holder(seconds=-1, name="first"))
    target.create(f"{LOCK}.first", holder(seconds=-1, name="second"))
    with TargetLock(target, seconds=60):
        pass
    assert [listed.path for listed in target.list(".toolkit-deploy")] == []


def test_of_many_who_take_over_one_succeeds(target: FolderTarget) -> None:
    target.create(LOCK, holder(seconds=-1))
    barrier, inside, together, refused = threading.Barrier(8), [], [], []

    def deploy() -> None:
        barrier.wait()
        try:
            with TargetLock(FolderTarget(target.folder), seconds=60):
                inside.append(1)
                together.append(len(inside))
                done.wait(5)
                inside.pop()
        except TargetLocked:
            refused.append(1)
            if len(refused) == 7:
                done.set()

    done = threading.Event()
    threads = [threading.Thread(target=deploy) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [1]
    assert len(refused) == 7


def test_who_lost_the_lock_stops(target: FolderTarget) -> None:
    with TargetLock(target, seconds=1) as lock:  # renewed three times a second
        target.put(LOCK, holder(seconds=60), {})
        lock._renewer.join()  # type: ignore[union-attr]
        with pytest.raises(TargetLocked, match="was taken by another"):
            lock.check()
    assert json.loads(target.read(LOCK) or b"")["id"] == "other", "another's lock is left"


def test_a_lock_that_cannot_be_read_is_told(target: FolderTarget) -> None:
    target.create(LOCK, b"?")
    with pytest.raises(DeployError, match=r"cannot be read. Remove it by hand"), TargetLock(target, seconds=60):
        pass


def test_a_lock_can_be_broken(target: FolderTarget, deployer: Any) -> None:
    target.create(LOCK, holder(seconds=60))
    with pytest.raises(TargetLocked, match="by ana on desk"):
        deployer(target.folder, {"a.html": "a"}).deploy()
    deployer(target.folder, {"a.html": "a"}, breaks_lock=True).deploy()
    assert break_lock(target) is False
