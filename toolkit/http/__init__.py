"""Requests and responses of views: thin, on Werkzeug.

``from toolkit.http import Request, Response`` stands at the top of a site's ``pages.py``; the names are found when
they are asked for, so that importing the package itself costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.lazily import names_from

if TYPE_CHECKING:
    from toolkit.http.requests import Request
    from toolkit.http.responses import FileResponse, Response, TemplateResponse
    from toolkit.http.shortcuts import get_object_or_404, redirect, require_methods

__all__ = [
    "FileResponse",
    "Request",
    "Response",
    "TemplateResponse",
    "get_object_or_404",
    "redirect",
    "require_methods",
]

__getattr__ = names_from(
    __name__,
    {
        "requests": ["Request"],
        "responses": ["FileResponse", "Response", "TemplateResponse"],
        "shortcuts": ["get_object_or_404", "redirect", "require_methods"],
    },
)
