"""Where modules ask for the time while they are imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.site.calls import clock_reads_at_import


def lines(tmp_path: Path, *sources: str) -> list[tuple[str, int]]:
    paths = []
    for number, source in enumerate(sources):
        path = tmp_path / f"m{number}.py"
        path.write_text(source)
        paths.append(path)
    return [(path.name, line) for path, line in clock_reads_at_import(paths)]


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import date\nYEAR = date.today().year",
        "import datetime\nYEAR = f'{datetime.datetime.now():%Y}'",
        "import time as t\nclass C: at = t.time()",
        "import time\ndef f(at=time.time()): return at",
        "import time\nif True:\n    print(time.strftime('%Y'))",
        "import time\nx = [time.time() for _ in 'a']",
    ],
)
def test_the_clock_is_read_at_import(tmp_path: Path, source: str) -> None:
    assert len(lines(tmp_path, source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import time\ndef page(): return time.time()",
        "import time\npage = lambda: time.time()",
        "import time\nBEGUN = time.perf_counter()",
        "import time\nif __name__ == '__main__':\n    print(time.time())",
        "def show(story): return story.published.strftime('%Y')\nshow(None)",
        "import time, (",
    ],
)
def test_or_is_not(tmp_path: Path, source: str) -> None:
    assert lines(tmp_path, source) == []


def test_functions_are_followed_into_other_modules(tmp_path: Path) -> None:
    clock = "import datetime\n\ndef year():\n    return datetime.date.today().year\n"
    assert lines(tmp_path, "from . import m1\nYEAR = m1.year()", clock) == [("m1.py", 4)]
    assert lines(tmp_path, "from . import m1\ndef page(): return m1.year()", clock) == []


def test_a_module_that_is_gone_is_nothing(tmp_path: Path) -> None:
    assert clock_reads_at_import([tmp_path / "gone.py"]) == []
