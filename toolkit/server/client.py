"""Asking a WSGI application without a socket."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit


class Got(NamedTuple):
    """An answer.

    Args:
        status: HTTP status.
        headers: Lower-case names to values; those of one name joined with a comma.
        body: The bytes.
    """

    status: int
    headers: dict[str, str]
    body: bytes


def get(
    application: Any,
    path: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    host: str = "localhost",
    mount: str = "",
) -> Got:
    """Ask an application for a URL path, percent-encoded, with or without a query.

    Args:
        application: A WSGI application.
        path: Such as ``/town/?page=2``. Its bytes arrive as they are.
        method: HTTP method.
        headers: Request headers.
        body: The request's body.
        host: The ``Host`` header.
        mount: Where the application is mounted, such as ``/blog``; ``path`` goes on from there.
    """
    environ = make_environ(path, method=method, headers=headers, body=body, host=host, mount=mount)
    status, found, received = call_wsgi(application, environ)
    return Got(status, joined(found), received)


def call_wsgi(application: Any, environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
    """(status, headers, body) of what an application answers. Source: PEP 3333."""
    started: list[Any] = []
    parts: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started[:] = [int(status[:3]), headers]
        return parts.append

    iterable = application(environ, start_response)
    try:
        parts.extend(iterable)
    finally:
        if hasattr(iterable, "close"):
            iterable.close()
    status, headers = started
    return status, headers, b"".join(parts)


def make_environ(
    path: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    host: str = "localhost",
    mount: str = "",
) -> dict[str, Any]:
    """The WSGI environment of a request (PEP 3333)."""
    raw, _, query = path.partition("?")
    if raw.startswith(("http://", "https://")):
        parts = urlsplit(path)
        raw, query, host = parts.path or "/", parts.query, parts.netloc
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": mount,
        "PATH_INFO": unquote_to_bytes(raw).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": host,
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if body:
        environ["CONTENT_LENGTH"] = str(len(body))
    for name, value in (headers or {}).items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return environ


def joined(headers: list[tuple[str, str]]) -> dict[str, str]:
    """Lower-case names to values; those of one name joined with a comma (RFC 9110 §5.3)."""
    found: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found
