"""The wall clock that a site's own modules ask is recorded, wherever they do."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.site.watching import loading, watch_files
from toolkit.trace import Scope, Trace, entered


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where modules are imported from, and forgotten afterwards."""
    watch_files()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def load(folder: Path, source: str, name: str = "asks_the_clock") -> Any:
    (folder / f"{name}.py").write_text(source)
    importlib.invalidate_caches()
    return importlib.import_module(name)


def asked(folder: Path, action: Any) -> list[str]:
    """What is asked outside while an action runs for a page."""
    site = SimpleNamespace(folder=folder, code_folders=((), (f"{folder}/",)), read_late={})
    scope = Scope(site, None, trace=Trace())
    with entered(scope):
        action()
    assert scope.trace is not None
    return [key[0] for key in scope.trace.keys_of("outside")]


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import date\ndef page(): return date.today()",
        "from datetime import datetime as dt, UTC\ndef page(): return f'{dt.now(tz=UTC):%Y}'",
        "import datetime\ndef page(): return [datetime.datetime.now() for _ in 'ab']",
        "import time\nclass A:\n  @property\n  def year(self): return time.strftime('%Y')\npage = lambda: A().year",
        "import time as t\npage = lambda: t.localtime().tm_year",
    ],
)
def test_a_page_that_asks_for_the_time(folder: Path, source: str) -> None:
    module = load(folder, source)
    line = next(number for number, text in enumerate(source.splitlines(), 1) if "(" in text and "import" not in text)
    found = asked(folder, module.page)
    assert found in ([f"the wall clock, at asks_the_clock.py:{line}"], ["the wall clock, at asks_the_clock.py:4"])
    assert module.page(), "outside of pages nobody is told"


@pytest.mark.parametrize(
    "source",
    [
        "import time\ndef page(): return time.perf_counter() - time.monotonic()",
        "from datetime import date\ndef page(): return date(2026, 1, 1).strftime('%Y')",
        "class Clock:\n  def now(self): return 1\nclock = Clock()\ndef page(): return clock.now()",
        "import time\ndef page(): pass\ndef other(): return time.time()",
    ],
)
def test_a_page_that_does_not(folder: Path, source: str) -> None:
    assert asked(folder, load(folder, source).page) == []


def test_what_is_called_is_given_all_that_it_was_given(folder: Path) -> None:
    module = load(
        folder,
        "from datetime import UTC, datetime\nnow, same = datetime.now(*[UTC]), datetime.now(**{'tz': UTC})\n",
    )
    assert module.now.tzinfo is module.same.tzinfo is module.UTC


def test_a_module_that_asks_while_it_is_imported(folder: Path) -> None:
    with loading(folder) as loaded:
        load(folder, "import datetime\n\nYEAR = datetime.date.today().year\n")
    assert ("outside", ("the wall clock, at asks_the_clock.py:3",)) in loaded.read()


def test_lines_and_errors_are_those_of_the_source(folder: Path) -> None:
    module = load(folder, "import datetime\n\ndef page():\n    return datetime.datetime.now('nowhere')\n")
    with pytest.raises(TypeError, match="tzinfo") as raised:
        asked(folder, module.page)
    assert [(entry.lineno, entry.name) for entry in raised.traceback if str(entry.path).startswith(str(folder))] == [
        (3, "page")
    ]
    with pytest.raises(SyntaxError, match="never closed"):
        load(folder, "x = (now(\n", "broken_clock")
