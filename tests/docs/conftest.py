"""The command, ready to run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .warm import WarmToolkit, warm_toolkit


@pytest.fixture(scope="session")
def warm() -> Iterator[WarmToolkit]:
    with warm_toolkit() as ready:
        yield ready
