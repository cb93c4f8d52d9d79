"""A folder of catalogs, and a scope whose site has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from toolkit.i18n import Catalogs
from toolkit.trace import Scope, Trace, entered

HEADER = r"""msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

"""

WriteCatalog = Callable[..., Path]


@pytest.fixture
def write_catalog(tmp_path: Path) -> WriteCatalog:
    """Write ``FOLDER/<locale>/LC_MESSAGES/messages.po`` and answer its path."""

    def write(locale: str, body: str, *, folder: str = "site", header: str = HEADER) -> Path:
        path = tmp_path / folder / locale / "LC_MESSAGES" / "messages.po"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(header + body, encoding="utf-8")
        return path

    return write


@contextmanager
def speaking(catalogs: Catalogs, locale: str, trace: Trace | None = None) -> Iterator[Trace]:
    """A scope in a language, with a trace."""
    record = trace if trace is not None else Trace()
    site = SimpleNamespace(catalogs=catalogs)
    with entered(Scope(site=site, database=None, locale=locale, trace=record)):
        yield record
