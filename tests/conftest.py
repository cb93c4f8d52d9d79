"""What pytest says of the databases that it runs on."""

from __future__ import annotations

import pytest

from tests.servers import SERVERS, skipped_kinds


def pytest_report_header() -> str:
    """The databases that the tests run on."""
    return f"databases: {', '.join(['sqlite', *(url.partition(':')[0] for url in SERVERS)])}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Which databases were left out: said at the end, for a quiet run has no header."""
    if skipped := skipped_kinds():
        told = "not tested, for TOOLKIT_TEST_DATABASES names no such server"
        terminalreporter.write_line(f"{told}: {', '.join(skipped)}")
