"""A folder of templates to play with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.templates import TemplateEnvironment, TemplateFolder, make_environment
from toolkit.trace import Scope, Trace, entered


@dataclass
class Desk:
    """A site's template folder, an app's, and an environment over both."""

    site: Path
    app: Path
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.site.mkdir(exist_ok=True)
        self.app.mkdir(exist_ok=True)
        folders = [TemplateFolder(self.site, "site"), TemplateFolder(self.app, "newsroom")]
        self.environment: TemplateEnvironment = make_environment(folders, **self.options)

    def write(self, name: str, text: str, *, app: bool = False) -> Path:
        path = (self.app if app else self.site) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def render(self, name: str, /, **context: Any) -> str:
        return self.environment.render(name, context)

    def traced(self, name: str, /, **context: Any) -> dict[str, bytes]:
        """Render, and say which templates were recorded with which digest."""
        trace = Trace()
        with entered(Scope(site=SimpleNamespace(), database=None, trace=trace)):
            self.environment.render(name, context)
        return {item.key[0]: item.digest for item in trace if item.kind == "template"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "templates", tmp_path / "app")


@pytest.fixture
def make_desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    def make(**options: Any) -> Desk:
        return Desk(tmp_path / "templates", tmp_path / "app", options)

    yield make
