"""A request, as a view sees it."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Request as BaseRequest

from toolkit.trace import READER, Viewer

SITE, LOCALE, VIEWER = "toolkit.site", "toolkit.locale", "toolkit.viewer"
"""Keys of the WSGI environment under which the server says what it knows."""


class Request(BaseRequest):
    """A request. ``args``, ``form``, ``files``, ``json``, ``cookies`` and ``headers`` are Werkzeug's.

    What is too large is refused with 413 as soon as the view reads it: a body over ``max_content_length`` bytes, a
    form with more than ``max_form_parts`` parts, or with more than ``max_form_memory_size`` bytes outside of files.
    Subclass it for other limits. A host that is not the site's is refused with 400 when the view asks for it.
    """

    max_content_length: int | None = 16 * 1024 * 1024
    max_form_memory_size: int = 1024 * 1024
    max_form_parts: int = 1000

    @property
    def site(self) -> Any:
        """The site that answers (``toolkit.site.Site``); None outside of one."""
        return self.environ.get(SITE)

    @property
    def locale(self) -> str:
        """The language of the URL, such as ``"es"``; empty outside of a site."""
        return str(self.environ.get(LOCALE, ""))

    @property
    def viewer(self) -> Viewer:
        """Who looks; a reader unless the server knows better."""
        viewer: Viewer = self.environ.get(VIEWER, READER)
        return viewer
