"""What pytest says of the databases that it runs on, and what every test leaves as it was."""

from __future__ import annotations

import compileall
from collections.abc import Iterator
from pathlib import Path

import pytest

import toolkit
from tests.servers import SERVERS, skipped_kinds
from toolkit.trace import current


@pytest.fixture(autouse=True)
def no_scope_left() -> Iterator[None]:
    """A scope that a test entered is left again: the next test's messages would be translated by its site."""
    yield
    if (left := current.get()) is not None:
        current.set(None)
        pytest.fail(f"the scope of {left.site!r} was not left")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the toolkit once, before the processes that run the tests begin.

    Where Python may not write bytecode, as ``PYTHONDONTWRITEBYTECODE`` has it in many containers, each of the hundreds
    of commands that tests start would compile all that it imports: 0.5 s of 1 s.
    """
    if not hasattr(session.config, "workerinput"):
        compileall.compile_dir(Path(toolkit.__file__).parent, quiet=2)


def pytest_report_header() -> str:
    """The databases that the tests run on."""
    return f"databases: {', '.join(['sqlite', *(url.partition(':')[0] for url in SERVERS)])}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Which databases were left out: said at the end, for a quiet run has no header."""
    if skipped := skipped_kinds():
        told = "not tested, for TOOLKIT_TEST_DATABASES names no such server"
        terminalreporter.write_line(f"{told}: {', '.join(skipped)}")
