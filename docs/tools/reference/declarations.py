"""What an app and a site declare: pages, listings, feeds, sitemaps, sources."""

from __future__ import annotations

from toolkit import App, Site
from toolkit import testing as testing_tools
from toolkit.content import Source
from toolkit.feeds import Enclosure, Entry, Feed, Person
from toolkit.http import Response, get_object_or_404, redirect, require_methods
from toolkit.sitemaps import News, Sitemap

from .signatures import describe

DECLARING = (
    "page",
    "listing",
    "feed",
    "view",
    "sitemap",
    "robots",
    "error_page",
    "source",
    "receiver",
    "redirects",
    "filter",
    "template_global",
    "context_processor",
)
_USED_BY_THE_SITE = {"freeze", "folder", "migrations_folder", "import_modules"}


def app_methods() -> str:
    """A heading for each declaration."""
    public = {name for name in vars(App) if not name.startswith("_")} - _USED_BY_THE_SITE
    if missing := public - set(DECLARING):
        raise LookupError(f"tools/reference/declarations.py says nothing of App.{', App.'.join(sorted(missing))}")
    return "\n\n".join(describe(f"app.{name}", getattr(App, name), identifier=f"app-{name}") for name in DECLARING)


def site_and_app() -> str:
    """The two objects that a site is made of."""
    return "\n\n".join(describe(kind.__name__, kind) for kind in (Site, App))


def feeds() -> str:
    """What a feed's function returns, and what it is made of."""
    return "\n\n".join(describe(kind.__name__, kind) for kind in (Feed, Entry, Person, Enclosure))


def sitemaps() -> str:
    """What a page says of its place in the sitemap."""
    return "\n\n".join(describe(kind.__name__, kind) for kind in (Sitemap, News))


def sources() -> str:
    """A content source."""
    return describe("Source", Source, call=False)


def views() -> str:
    """What views answer with, and small things that they do again and again."""
    made = [describe(f"Response.{name}", getattr(Response, name)) for name in ("json", "template", "file")]
    return "\n\n".join(
        [*made, *(describe(one.__name__, one) for one in (redirect, get_object_or_404, require_methods))]
    )


def testing() -> str:
    """What ``toolkit.testing`` offers."""
    client = [
        describe(f"client.{name}", getattr(testing_tools.Client, name)) for name in ("get", "head", "post", "request")
    ]
    classes = [describe("Client", testing_tools.Client), *client, describe("Answer", testing_tools.Answer, call=False)]
    rest = [name for name in testing_tools.__all__ if name not in ("Client", "Answer")]
    return "\n\n".join([*classes, *(describe(name, getattr(testing_tools, name)) for name in rest)])
