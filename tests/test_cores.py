"""Cores that a process may use: those that it sees are more than those, in a container."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from toolkit.cores import usable_cores


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)


def cores(folder: Path, files: dict[str, str], own: str = "") -> int:
    for name, text in files.items():
        path = folder / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "own").write_text(own)
    return usable_cores(cgroups=str(folder / "cgroup"), own=str(folder / "own"))


@pytest.mark.parametrize(
    ("files", "own", "expected"),
    [
        ({}, "", 8),
        ({"cpu.max": "max 100000\n"}, "0::/\n", 8),
        ({"cpu.max": "200000 100000\n"}, "0::/\n", 2),
        ({"cpu.max": "150000 100000\n"}, "", 2),
        ({"cpu.max": "5000 100000\n"}, "", 1),
        ({"cpu.max": "3200000 100000\n"}, "", 8),
        ({"ci.slice/cpu.max": "300000 100000", "ci.slice/job/cpu.max": "max 100000"}, "0::/ci.slice/job\n", 3),
        ({"ci.slice/cpu.max": "300000 100000"}, "0::/other.slice\n", 8),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, "", 8),
        ({"cpu/cpu.cfs_quota_us": "400000", "cpu/cpu.cfs_period_us": "100000"}, "", 4),
        (
            {"cpu/docker/x/cpu.cfs_quota_us": "50000", "cpu/docker/x/cpu.cfs_period_us": "50000"},
            "4:memory:/docker/x\n3:cpu,cpuacct:/docker/x\n",
            1,
        ),
        ({"cpu.max": "not a number"}, "nonsense\n0::/../x\n", 8),
        ({"cpu.max": "100000 0"}, "", 8),
    ],
)
def test_a_container_has_the_cores_that_it_is_given_time_of(
    tmp_path: Path, files: dict[str, str], own: str, expected: int
) -> None:
    assert cores(tmp_path, files, own) == expected


def test_what_nobody_can_read_is_no_limit(tmp_path: Path) -> None:
    assert usable_cores(cgroups=str(tmp_path / "none"), own=str(tmp_path / "none")) == 8


def test_a_process_that_is_bound_to_some_cores_has_those(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3}, raising=False)
    assert cores(tmp_path, {}) == 1
