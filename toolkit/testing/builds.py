"""Builds as tests look at them: compared file by file, and as lists of events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toolkit.builder import Builder, BuildReport

AROUND_BYTES = 40


def assert_builds_equal(first: Path, second: Path) -> None:
    """Two folders hold the same files with the same bytes.

    Args:
        first: A folder, such as that of a clean build.
        second: Another, such as that of an incremental one.

    Raises:
        AssertionError: They do not; names the files of one alone, or the first difference.
    """
    left, right = _files(first), _files(second)
    if left.keys() != right.keys():
        only_left, only_right = sorted(left.keys() - right.keys()), sorted(right.keys() - left.keys())
        parts = [
            f"only in {folder}: {', '.join(names)}"
            for folder, names in ((first, only_left), (second, only_right))
            if names
        ]
        raise AssertionError("the builds have other files: " + "; ".join(parts))
    for name in sorted(left):
        one, two = left[name].read_bytes(), right[name].read_bytes()
        if one != two:
            raise AssertionError(f"{name} differs: {first_difference(one, two)}")


def _files(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise AssertionError(f"there is no folder {folder}")
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def first_difference(one: bytes, two: bytes) -> str:
    """Where two files begin to differ, in words."""
    shorter = min(len(one), len(two))
    place = next((n for n in range(shorter) if one[n] != two[n]), shorter)
    line = one.count(b"\n", 0, place) + 1
    around = slice(max(0, place - AROUND_BYTES // 2), place + AROUND_BYTES)
    return f"line {line} is {one[around]!r} in the first and {two[around]!r} in the second"


@contextmanager
def record_events() -> Iterator[list[str]]:
    """A list that every build inside the block adds its events to: ``rendered /town/: Story 4 changed``.

    It grows in the order of the events, whoever runs the build: a ``Builder``, or the command.
    """
    events: list[str] = []
    original = Builder.build

    def build(self: Builder) -> BuildReport:
        report = original(self)
        events.extend(str(event) for event in report.events)
        return report

    Builder.build = build  # type: ignore[method-assign]  # put back below
    try:
        yield events
    finally:
        Builder.build = original  # type: ignore[method-assign]  # as it was
