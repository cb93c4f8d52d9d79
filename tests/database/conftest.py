"""A database of each kind, empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import SERVERS, opened_apart


@pytest.fixture(params=["sqlite", *SERVERS], ids=lambda url: url.partition(":")[0])
def any_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """A database of each kind, with a table of notes whose text is unique."""
    found = opened_apart(f"sqlite:///{tmp_path}/site.db" if request.param == "sqlite" else request.param)
    found.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text VARCHAR(100) UNIQUE)")
    yield found
    found.drop()
