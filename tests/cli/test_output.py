"""How commands speak while they work."""

from __future__ import annotations

import pytest

from toolkit.cli.output import Pace, PlainProgress, spoken


class Clock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_log_is_told_now_and_then_with_speed_and_time_left() -> None:
    clock, lines = Clock(), list[str]()
    tell = PlainProgress("pages", lines.append, clock=clock)
    for done in range(0, 5001, 500):
        tell(done, 20_000)
        clock.now += 3
    assert lines == [
        "pages: 2,000 of 20,000, 167 pages/s, 1 min 48 s left",
        "pages: 4,000 of 20,000, 167 pages/s, 1 min 36 s left",
    ]


def test_a_short_task_says_nothing() -> None:
    clock, lines = Clock(), list[str]()
    tell = PlainProgress("pages", lines.append, clock=clock)
    for done in range(10):
        tell(done, 10)
        clock.now += 0.5
    assert lines == []


def test_a_second_task_has_a_pace_of_its_own() -> None:
    clock = Clock()
    pace = Pace(clock)
    clock.now += 100
    pace.note(10, 10)
    pace.note(0, 1000)
    clock.now += 2
    pace.note(500, 1000)
    assert pace.text("pages") == "250 pages/s, 2 s left"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (59, "59 s"), (61, "1 min 1 s"), (3600 + 240, "1 h 4 min"), (0, "0 s")]
)
def test_times_are_told_in_two_units(seconds: float, text: str) -> None:
    assert spoken(seconds) == text
