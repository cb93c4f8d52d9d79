"""Static files in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.assets import Assets, Commands, Minifier, read_made


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """``write("css/a.css", "…")`` among the static files; ``write("/x", "…")`` in the site's folder."""

    def put(name: str, text: str) -> Path:
        path = tmp_path / name[1:] if name.startswith("/") else tmp_path / "static" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    return put


@pytest.fixture
def make_assets(tmp_path: Path) -> Callable[..., Assets]:
    """``make_assets(bundles=True, minify=("css",), made={...})``"""

    def make(
        *, bundles: bool = False, minify: tuple[str, ...] = (), made: dict[str, Any] | None = None, bundler: str = ""
    ) -> Assets:
        (tmp_path / "static").mkdir(exist_ok=True)
        return Assets(
            [("", tmp_path / "static")],
            made=read_made(made or {}),
            commands=Commands(tmp_path, tmp_path / "kept", bundler=bundler),
            minifier=Minifier(minify),
            bundles=bundles,
        )

    return make


@pytest.fixture
def read() -> Callable[[Assets, str], str]:
    """The published text of an asset."""

    def text_of(assets: Assets, path: str) -> str:
        content = assets.published(path)[1]
        return (content if isinstance(content, bytes) else content.read_bytes()).decode()

    return text_of
