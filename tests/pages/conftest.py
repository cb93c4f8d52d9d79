"""Small sites, written by each test: its pages, its models, its templates."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from toolkit.builder import Builder
from toolkit.builder.tables import bring_up
from toolkit.site import load_site
from toolkit.trace import READER, entered

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MakeSite = Callable[..., Any]
_numbers = count(1)

MODELS = """
class Section(models.Model):
    name = models.CharField(max_length=60)
    slug = models.CharField(max_length=60)

    class Meta:
        ordering = ["pk"]


class Story(models.Model):
    title = models.CharField(max_length=60)
    slug = models.CharField(max_length=60)
    section = models.ForeignKey(Section, on_delete=models.CASCADE, related_name="stories", null=True)
    published = models.DateTimeField(default=None, null=True)
    status = models.CharField(max_length=10, default="live")

    class Meta:
        ordering = ["pk"]
"""

BASE_URL = "https://paper.example"
HEAD = "from __future__ import annotations\n"


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[MakeSite]:
    """Writes a site of this code, loads it, prepares it and makes its tables."""
    path, modules = list(sys.path), set(sys.modules)

    def make(
        pages: str = "",
        *,
        models: str = MODELS,
        templates: dict[str, str] | None = None,
        settings: str = "",
        prepare: bool = True,
    ) -> Any:
        package = f"paper{next(_numbers)}"
        folder = tmp_path / package
        files = {
            "toolkit.toml": f'site = "{package}.site:site"\nbase_url = "{BASE_URL}"\nworkers = 1\n{settings}\n',
            f"{package}/__init__.py": "from toolkit import App\napp = App('paper')\n",
            f"{package}/site.py": "from toolkit import Site\nfrom . import app\nsite = Site(__file__, apps=[app])\n",
            f"{package}/models.py": f"{HEAD}from toolkit import models\nfrom toolkit.models import *\n{dedent(models)}",
            f"{package}/pages.py": (
                f"{HEAD}from toolkit import url_for\nfrom toolkit.feeds import Feed\nfrom toolkit.sitemaps import *\n"
                f"from . import app\nfrom .models import *\n{dedent(pages)}"
            ),
            **{f"templates/{name}": text for name, text in (templates or {}).items()},
        }
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, "utf-8")
        site = load_site(folder)
        if prepare:
            site.prepare()
            with entered(site.scope()):
                bring_up(site)
        return site

    yield make
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith("paper"):
            del sys.modules[name]


@pytest.fixture
def models_of() -> Callable[[Any], Any]:
    """The module of a site's models."""
    return lambda site: sys.modules[f"{site.apps[0].package}.models"]


@pytest.fixture
def build() -> Callable[..., Any]:
    """Builds a site; gives the report and the files by path."""

    def run(site: Any, *, moment: datetime = NOON) -> tuple[Any, dict[str, str]]:
        output = site.folder.parent / f"{site.folder.name}-out"
        report = Builder(site, output=output, moment=moment).build()
        found = {p.relative_to(output).as_posix(): p.read_text("utf-8") for p in output.rglob("*") if p.is_file()}
        return report, found

    return run


@pytest.fixture
def reader() -> Callable[..., Any]:
    """Enters a reader's scope of a site."""
    return lambda site, **options: entered(site.scope(viewer=READER, moment=NOON, **options))
