"""What pytest says of the databases that it runs on, and what every test leaves as it was."""

from __future__ import annotations

import compileall
import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import toolkit
from tests.memory import in_memory
from tests.servers import SERVERS, skipped_kinds
from tests.warm import WarmToolkit, warm_toolkit
from toolkit.trace import current

ROOM_BYTES = 4 << 30
"""How much must be free in memory for the files of tests."""
COLLECTING = 20_000, 20, 50
"""How many objects there are between two looks for circles, young, old and all; Python's own are 700, 10 and 10."""


settings.register_profile(
    "patient",
    settings.get_profile(settings.get_current_profile_name()),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("patient")  # a property does not fail because a machine is slow


@pytest.fixture(autouse=True)
def no_scope_left() -> Iterator[None]:
    """A scope that a test entered is left again: the next test's messages would be translated by its site."""
    yield
    if (left := current.get()) is not None:
        current.set(None)
        pytest.fail(f"the scope of {left.site!r} was not left")


@pytest.fixture(scope="session")
def warm() -> Iterator[WarmToolkit]:
    """The command, ready to run."""
    with warm_toolkit() as ready:
        yield ready


def pytest_configure(config: pytest.Config) -> None:
    """Let tests write their files in memory, where there is room: a disk took an eighth of the time of builds."""
    if config.option.basetemp is None and (folder := in_memory(ROOM_BYTES)):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the toolkit once, before the processes that run the tests begin.

    Where Python may not write bytecode, as ``PYTHONDONTWRITEBYTECODE`` has it in many containers, each of the hundreds
    of commands that tests start would compile all that it imports: 0.5 s of 1 s.
    """
    if not hasattr(session.config, "workerinput"):
        compileall.compile_dir(Path(toolkit.__file__).parent, quiet=2)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Keep what pytest makes of the modules of tests, wherever it may write: it was two thirds of collecting them.

    Sites that tests write are imported later, when bytecode is kept or not as before: an edit of a module within one
    second of another would be missed by Python itself.
    """
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, False
    gc.disable()  # what is imported stays, so there is next to nothing to find
    try:
        return (yield)
    finally:
        gc.enable()
        sys.dont_write_bytecode = before


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than cores: it works while others wait for servers, which took a twentieth of the time."""
    return len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)) + 1


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let the garbage collector pass over what was imported, and look seldom: it took a tenth of the time of tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTING)


def pytest_report_header() -> str:
    """The databases that the tests run on."""
    return f"databases: {', '.join(['sqlite', *(url.partition(':')[0] for url in SERVERS)])}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Which databases were left out: said at the end, for a quiet run has no header."""
    if skipped := skipped_kinds():
        told = "not tested, for TOOLKIT_TEST_DATABASES names no such server"
        terminalreporter.write_line(f"{told}: {', '.join(skipped)}")
