"""Requests and responses of views: thin, on Werkzeug.

``from toolkit.http import Request, Response`` stands at the top of a site's ``pages.py``; the names are found when
they are asked for, so that importing the package itself costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.http.requests import Request
    from toolkit.http.responses import FileResponse, Response, TemplateResponse
    from toolkit.http.shortcuts import get_object_or_404, redirect, require_methods

_PLACES = {
    "Request": "toolkit.http.requests",
    "Response": "toolkit.http.responses",
    "FileResponse": "toolkit.http.responses",
    "TemplateResponse": "toolkit.http.responses",
    "get_object_or_404": "toolkit.http.shortcuts",
    "redirect": "toolkit.http.shortcuts",
    "require_methods": "toolkit.http.shortcuts",
}

__all__ = [
    "FileResponse",
    "Request",
    "Response",
    "TemplateResponse",
    "get_object_or_404",
    "redirect",
    "require_methods",
]


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(place), name)
    return value
