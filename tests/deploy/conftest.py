"""A small site, builds made of a dictionary of files, and the targets they go to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from toolkit.deploy.declarations import Declaration
from toolkit.deploy.files import ASSETS, LISTS, PAGES, Build, DeployFile, make_file
from toolkit.deploy.retries import Retries
from toolkit.deploy.run import Deployer
from toolkit.site import load_site
from toolkit.site.headers import HeaderRule, HeaderRules
from toolkit.testing import forget_modules
from toolkit.testing.sites import write_site

RULES = HeaderRules(
    [
        HeaderRule("/*", (("Cache-Control", "no-cache"),)),
        HeaderRule("/static/*", (("Cache-Control", "max-age=9"),)),
    ]
)


def phase_of(path: str) -> int:
    """By the ending, as the tests name their files."""
    if path.endswith(".html"):
        return PAGES
    return LISTS if path.endswith(".xml") else ASSETS


def build_of(files: Mapping[str, str], *, moment: str = "2026-03-01T12:00:00+00:00") -> Build:
    """A build of these files."""
    made: dict[str, DeployFile] = {
        path: make_file(path, text.encode(), phase=phase_of(path), headers=RULES.of(f"/{path}"))
        for path, text in files.items()
    }
    return Build(Path("build"), moment, made, RULES)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A site that nothing is built of: for its settings and folder."""
    folder = tmp_path_factory.mktemp("site")
    write_site(folder)
    made = load_site(folder).prepare()
    forget_modules(folder)  # other tests have sites of their own, with packages of the same name
    yield made
    made.databases.close()


@pytest.fixture
def deployer(site: Any) -> Callable[..., Deployer]:
    """``deployer(to, files, releases=3)``: of a build of these files, without pauses between tries."""

    def make(
        to: Any, files: Mapping[str, str], *, declared: Mapping[str, Any] | None = None, **options: Any
    ) -> Deployer:
        declaration = Declaration("live", str(to), **{"parallel": 4, **(declared or {})})
        made = Deployer(site, declaration, build=build_of(files), **options)
        made.target.retries = Retries(made.declared.tries, sleep=lambda seconds: None)
        return made

    return make


def tree(folder: Path) -> dict[str, str]:
    """What a folder holds for readers."""
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".toolkit-deploy" not in path.parts
    }
