"""The result of a rendering, and the state while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from toolkit.pages.plan import Plan
from toolkit.pages.routes import Page, Route
from toolkit.trace import Trace


@dataclass(frozen=True)
class Rendering:
    """A rendered page: what the build writes to a file and the server sends.

    Args:
        body: The bytes.
        content_type: Media type, with the charset of text.
        trace: What it was made of.
        status: HTTP status.
        attachments: Further files that belong to it: (URL path, bytes), such as the parts of a big sitemap.
    """

    body: bytes
    content_type: str
    trace: Trace
    status: int = 200
    attachments: tuple[tuple[str, bytes], ...] = ()


@dataclass(eq=False)
class Work:
    """One rendering under way; reached through ``Scope.rendering``.

    Args:
        plan: All pages of the site, for this viewer and moment.
        page: The page being rendered; for a view, the request's URL stands in it.
        route: Its route.
        subject: Its subject.
    """

    plan: Plan
    page: Page
    route: Route
    subject: Any = None
