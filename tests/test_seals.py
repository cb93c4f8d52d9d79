"""What seals say of Python and what is installed beside it."""

from __future__ import annotations

from importlib import metadata

import pytest

from toolkit.seals import installed_version
from toolkit.site.code import LIBRARIES


@pytest.mark.parametrize("name", [*LIBRARIES, "brotli", "lightningcss"])
def test_the_version_of_a_library_is_the_one_that_its_metadata_tells(name: str) -> None:
    assert installed_version(name) == metadata.version(name)


def test_what_is_not_installed_has_no_version() -> None:
    assert installed_version("no-such-library") == ""
