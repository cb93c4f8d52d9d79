"""A site in a temporary folder, and nothing left of it afterwards."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from toolkit.builder.tables import bring_up
from toolkit.site import Site, load_site
from toolkit.site.code import forget_modules

PACKAGE = "press"

_INIT = f'from toolkit import App\n\napp = App("{PACKAGE}")\n'
_SITE = "from toolkit import Site\n\nfrom . import app\n\nsite = Site(__file__, apps=[app])\nwsgi = site.wsgi\n"


@contextmanager
def temporary_site(
    folder: Path,
    files: Mapping[str, str | bytes] | None = None,
    *,
    models: str = "",
    pages: str = "",
    settings: str = "",
    tables: bool = True,
) -> Iterator[Site]:
    """A prepared site, entered, with its tables made.

    Args:
        folder: An empty folder, such as pytest's ``tmp_path``.
        files: Path to content, for templates, content, static files; indentation common to all lines is removed.
        models: The source of ``models.py``; ``from toolkit import models`` stands above it.
        pages: The source of ``pages.py``; ``from . import app`` and ``from .models import *`` stand above it.
        settings: Further lines of ``toolkit.toml``.
        tables: Make the tables.
    """
    write_site(folder, files, models=models, pages=pages, settings=settings)
    try:
        site = load_site(folder).prepare()
        with site:
            if tables:
                bring_up(site)
            yield site
        site.databases.close()
    finally:
        forget_modules(folder)


def write_site(
    folder: Path,
    files: Mapping[str, str | bytes] | None = None,
    *,
    models: str = "",
    pages: str = "",
    settings: str = "",
) -> None:
    """Write the files of a small site; see ``temporary_site``."""
    models = "from toolkit import models\nfrom toolkit.models import Now, Q\n\n" + textwrap.dedent(models)
    pages = "from . import app\nfrom .models import *\n\n" + textwrap.dedent(pages)
    toml = f'site = "{PACKAGE}.site:site"\n{textwrap.dedent(settings)}'
    written: dict[str, str | bytes] = {
        "toolkit.toml": toml,
        f"{PACKAGE}/__init__.py": _INIT,
        f"{PACKAGE}/models.py": models,
        f"{PACKAGE}/pages.py": pages,
        f"{PACKAGE}/site.py": _SITE,
        **(files or {}),
    }
    for name, text in written.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).lstrip("\n").encode())
