"""Calling a view: a function of a request, inside a scope of the site."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from inspect import iscoroutine
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response as BaseResponse

from toolkit.database import atomic_request
from toolkit.errors import DeclarationError
from toolkit.http import FileResponse, Request, Response, TemplateResponse
from toolkit.http.requests import LOCALE, SITE, VIEWER
from toolkit.lazily import LazyModule
from toolkit.pages import Match, Plan
from toolkit.pages.render import template_names
from toolkit.pages.rendering import Work
from toolkit.pages.routes import Page
from toolkit.server.answers import PRIVATE, Answer, Passed, not_allowed
from toolkit.server.files import Files
from toolkit.server.paths import encoded, locale_of
from toolkit.trace import Scope, Trace, digest_bytes, entered

if TYPE_CHECKING:
    import asyncio
else:
    asyncio = LazyModule("asyncio")

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110 §9.2.1)."""

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def allowed_methods(methods: Iterable[str]) -> list[str]:
    """A view's methods, with those that come with them."""
    named = {method.upper() for method in methods}
    return sorted(named | {"OPTIONS"} | ({"HEAD"} if "GET" in named else set()))


def trusted_hosts(site: Any) -> list[str]:
    """The hosts that a request may name: the site's, and this machine's own."""
    host = urlsplit(site.settings.peek("base_url")).hostname or ""
    return [host, *LOOPBACK]


def is_trusted(header: str, hosts: Iterable[str]) -> bool:
    """Whether a ``Host`` header names one of the hosts, or an address in numbers, which no other site can own."""
    try:
        name = urlsplit(f"//{header}").hostname or ""
        ipaddress.ip_address(name)
    except ValueError:
        return header.rpartition("@")[2].partition(":")[0].lower() in hosts
    return True


def call_view(
    match: Match, plan: Plan, environ: Mapping[str, Any], path: str, *, files: Files, lend: Callable[[Trace], None]
) -> Answer | Passed:
    """Answer a request by a view.

    Args:
        match: The view, and the values in the path.
        plan: For the viewer and moment.
        environ: The request's.
        path: Its path, decoded.
        files: Sends files.
        lend: Is told what the view showed.

    Raises:
        NotFound: The view says that there is nothing.
        HTTPException: The view, or the reading of the request, refuses.
        ToolkitError: The view failed.
    """
    route, site = match.route, plan.site
    allowed = allowed_methods(route.methods)
    if environ["REQUEST_METHOD"] not in allowed:
        return not_allowed(allowed)
    if environ["REQUEST_METHOD"] == "OPTIONS" and "OPTIONS" not in route.methods:
        return Answer(204, (("Allow", ", ".join(allowed)),))
    locale = locale_of(path, site.route_locales(route))
    scope = site.scope(viewer=plan.viewer, locale=locale, moment=plan.moment)
    scope.rendering = Work(plan, Page(route.id, None, locale, 1, encoded(path)), route)
    scope.noted = Trace()
    request = Request({**environ, SITE: site, LOCALE: locale, VIEWER: plan.viewer})
    request.trusted_hosts = trusted_hosts(site)
    refuse_cross_origin(request)
    if route.function is None:
        raise TypeError(f"{route.name} is declared without a function, so it is no view")
    with entered(scope), atomic_request(site.databases.values(), route.function):
        response = _response(scope, _called(route.function, request, match.values or {}), environ, files)
    lend(scope.noted)
    return response if isinstance(response, Passed) else _finished(response, scope, environ)


def _called(function: Callable[..., Any], request: Request, values: Mapping[str, Any]) -> Any:
    """What a view returns. A view that is a coroutine has an event loop of its own, which ends with it."""
    found = function(request, **values)
    return asyncio.run(found) if iscoroutine(found) else found


def refuse_cross_origin(request: Request) -> None:
    """Refuse what another site makes a reader's browser send.

    Browsers say where a request comes from (Fetch Metadata, and Origin for older ones); what says nothing is no
    browser, and carries nobody's cookies.

    Raises:
        Forbidden: It came from another site.
    """
    if request.method in SAFE:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site in ("same-origin", "none"):
        return
    origin = request.headers.get("Origin")
    if site is None and (origin is None or urlsplit(origin).netloc == request.headers.get("Host")):
        return
    raise Forbidden("This request came from another site.")


def _response(scope: Scope, value: Any, environ: Mapping[str, Any], files: Files) -> BaseResponse | Passed:
    """What a view returned, as a response."""
    if isinstance(value, TemplateResponse):
        names = {**template_names(scope, scope.rendering), **value.context}
        url = scope.rendering.page.url
        value.set_data(scope.site.environment.render(value.name, names, url=url))
        return value
    if isinstance(value, FileResponse):
        own = [(k, v) for k, v in value.headers if k.lower() not in ("content-type", "content-length")]
        return files.send(environ, value.path, kind=value.file_type or "", cache=PRIVATE, headers=own)
    if isinstance(value, BaseResponse):
        return value
    if isinstance(value, str | bytes):
        return Response(value)
    if isinstance(value, Mapping | list):
        return Response.json(value)
    name = scope.rendering.route.name
    if value is None:
        raise DeclarationError(f"the view {name}() returned None", hint="Return a Response, text, or data for JSON.")
    raise DeclarationError(f"the view {name}() returned {type(value).__name__}, which is no response")


def _finished(response: BaseResponse, scope: Scope, environ: Mapping[str, Any]) -> Passed:
    """Headers that a response should have; an ETag where the whole body is known."""
    response.headers.setdefault("Cache-Control", PRIVATE)
    if response.is_streamed and not response.direct_passthrough:
        response.response = _in_scope(scope, iter(response.response))
    elif environ["REQUEST_METHOD"] in ("GET", "HEAD") and response.status_code == 200:
        response.set_etag(digest_bytes(response.get_data()).hex())
        response.make_conditional(dict(environ))
    return Passed(response)


def _in_scope(scope: Scope, parts: Iterator[Any]) -> Iterator[Any]:
    """Make the scope the current one while a generator works, and at no other time."""
    try:
        while True:
            with entered(scope):
                try:
                    part = next(parts)
                except StopIteration:
                    return
            yield part
    finally:
        if isinstance(parts, Generator):
            with entered(scope):
                parts.close()
