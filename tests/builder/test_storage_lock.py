"""The lock of builds that land in a storage: one holder, whoever comes when."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import fsspec
import pytest

from toolkit.builder import storage_lock
from toolkit.builder.storage_lock import StorageLock
from toolkit.errors import BuildError
from toolkit.trace import digest

STALE = b"2001-01-01T00:00:00+00:00 desk-7, process 12"


@pytest.fixture
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(storage_lock, "SETTLE_SECONDS", 0.01)
    system = fsspec.filesystem("memory")
    yield system
    for path in system.find("/locked"):
        system.rm_file(path)


@pytest.fixture
def make(memory: Any) -> Callable[[], StorageLock]:
    return lambda: StorageLock(memory, "memory://locked/live")


def test_a_lock_is_held_until_it_is_let_go_of(make: Any, memory: Any) -> None:
    one, other = make(), make()
    one.take()
    with pytest.raises(BuildError, match=r"another build of memory://locked/live is running on .*, process"):
        other.take()
    one.renew()
    one.release()
    other.take()
    other.release()
    assert memory.find("/locked") == []


def test_a_stale_lock_is_taken_over_and_nothing_is_left_beside_it(make: Any, memory: Any) -> None:
    memory.pipe_file(make().path, STALE)
    lock = make()
    lock.take()
    assert memory.find("/locked") == ["/locked/live.lock"]
    assert lock.who.encode() in memory.cat_file(lock.path)


@pytest.mark.parametrize("takers", [2, 8])
def test_of_several_who_take_over_a_stale_lock_one_succeeds(make: Any, memory: Any, takers: int) -> None:
    memory.pipe_file(make().path, STALE)
    together, held, refused = threading.Barrier(takers), [], []

    def take() -> None:
        lock = make()
        together.wait()
        try:
            lock.take()
            held.append(lock)
        except BuildError as error:
            refused.append(error)

    threads = [threading.Thread(target=take) for _ in range(takers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(held), len(refused)) == (1, takers - 1)
    held[0].renew()


@pytest.mark.parametrize("at", range(1, 9))
def test_however_two_takers_are_interleaved_one_holds_the_lock(make: Any, memory: Any, at: int) -> None:
    """The second one runs as a whole before the call number ``at`` of the first one to the storage."""
    memory.pipe_file(make().path, STALE)
    one, other = make(), make()
    one.system = Interrupted(memory, at, lambda: _tries(other))
    holds = {"one": _tries(one), "other": False}
    holds["other"] = other.who.encode() in memory.cat_file(other.path)
    assert sorted(holds.values()) == [False, True]


def test_who_was_taken_for_dead_stops_when_it_renews_and_removes_nothing(make: Any, memory: Any) -> None:
    slow, next_one = make(), make()
    slow.take()
    memory.pipe_file(slow.path, STALE.replace(b"desk-7, process 12", slow.who.encode()))
    next_one.take()
    with pytest.raises(BuildError, match=r"the lock of this build of .* was taken by .*silent for too long"):
        slow.renew()
    slow.release()
    next_one.renew()


def test_who_wakes_up_while_it_is_taken_over_keeps_the_lock(make: Any, memory: Any, monkeypatch: Any) -> None:
    """It read its lock before, and writes it after: the look back finds that."""
    slow, next_one = make(), make()
    slow.take()
    memory.pipe_file(slow.path, STALE.replace(b"desk-7, process 12", slow.who.encode()))
    monkeypatch.setattr(storage_lock.time, "sleep", lambda _: slow._write(slow.path))
    with pytest.raises(BuildError, match="another build"):
        next_one.take()
    slow.renew()


def test_a_taker_that_died_while_it_took_over_is_taken_over_itself(make: Any, memory: Any) -> None:
    path = make().path
    marker = f"{path}.{digest(STALE).hex()}"
    memory.pipe_file(path, STALE)
    memory.pipe_file(marker, make()._said())
    with pytest.raises(BuildError, match="another build"):
        make().take()
    memory.pipe_file(marker, STALE)
    make().take()
    assert memory.find("/locked") == ["/locked/live.lock"]


def test_a_storage_that_makes_an_object_twice_is_told_by_the_look_back(make: Any, memory: Any) -> None:
    one, other = make(), make()
    one.system = Interrupted(memory, 3, lambda: memory.pipe_file(other.path, other._said()))
    with pytest.raises(BuildError, match=r"another build of .* is running on"):
        one.take()
    other.renew()


class Interrupted:
    """A storage in which something else happens before one call."""

    def __init__(self, system: Any, at: int, happens: Callable[[], object]) -> None:
        self.system, self.left, self.happens = system, at, happens

    def __getattr__(self, name: str) -> Any:
        if name == "invalidate_cache":
            return self.system.invalidate_cache
        self.left -= 1
        if self.left == 0:
            self.happens()
        return getattr(self.system, name)


def _tries(lock: StorageLock) -> bool:
    try:
        lock.take()
    except BuildError:
        return False
    return True
