"""A publishing toolkit: models, templates and pages, declared once, published as files and on demand."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.apps import App
    from toolkit.errors import ToolkitError
    from toolkit.pages.urls import url_for
    from toolkit.site import Site

__all__ = ["App", "Site", "ToolkitError", "url_for"]

_MODULES = {"App": "apps", "Site": "site", "ToolkitError": "errors", "url_for": "pages.urls"}
"""Where the names are: imported when first asked for, so that ``toolkit --help`` does not load a database."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
