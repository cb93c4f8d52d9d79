"""An answer before it is on the wire: status, headers, body; conditional and HEAD requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from toolkit.site.headers import REVALIDATE, SECURITY
from toolkit.text import escape_attribute

Header = tuple[str, str]

PRIVATE = "private, no-cache"
"""For one reader's browser only."""

_ENTITY = {"content-type", "content-length", "content-encoding"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent.

    Args:
        status: HTTP status.
        headers: All but ``Content-Length``.
        body: The bytes.
        etag: The strong ETag, quoted; empty for none.
        is_complete: The headers are all that there shall be; nothing is sent besides.
    """

    status: int
    headers: tuple[Header, ...] = ()
    body: bytes = b""
    etag: str = ""
    is_complete: bool = False

    @property
    def all_headers(self) -> list[Header]:
        """The headers, with those that everything has."""
        return list(self.headers) if self.is_complete else [*self.headers, *SECURITY]


@dataclass(frozen=True, slots=True)
class Passed:
    """An answer that is a WSGI application itself, such as a view's response.

    Args:
        application: It.
        headers: Headers to add where they are not set.
    """

    application: Any
    headers: tuple[Header, ...] = field(default=SECURITY)


def html_answer(status: int, body: str, *, headers: Iterable[Header] = (), cache: str = "no-store") -> Answer:
    """An answer made of HTML."""
    own = (("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", cache), *headers)
    return Answer(status, own, body.encode())


def text_answer(status: int, text: str, *, headers: Iterable[Header] = ()) -> Answer:
    """An answer of one line."""
    own = (("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"), *headers)
    return Answer(status, own, f"{text}\n".encode())


def redirect_answer(status: int, target: str) -> Answer:
    """A redirect to an encoded path of this site."""
    body = f'<!doctype html>\n<title>Moved</title>\n<p>Moved <a href="{escape_attribute(target)}">here</a>.\n'
    return html_answer(status, body, headers=(("Location", target),), cache=REVALIDATE)


def not_allowed(methods: Iterable[str]) -> Answer:
    """405, with the methods that are (RFC 9110 §15.5.6)."""
    allowed = ", ".join(methods)
    return text_answer(405, f"Allowed here: {allowed}", headers=(("Allow", allowed),))


def matches(header: str, etag: str) -> bool:
    """Whether ``If-None-Match`` names an ETag: by weak comparison (RFC 9110 §13.1.2)."""
    if header == etag or header.strip() == "*":
        return True
    return etag in (part.strip().removeprefix("W/") for part in header.split(","))


def send(answer: Answer | Passed, environ: Mapping[str, Any], start_response: Any) -> Iterable[bytes]:
    """Put an answer on the wire."""
    if isinstance(answer, Passed):
        body: Iterable[bytes] = answer.application(environ, _adding(start_response, answer.headers))
        return body
    wanted = environ.get("HTTP_IF_NONE_MATCH")
    if wanted and answer.etag and answer.status == 200 and matches(wanted, answer.etag):
        return _send_unmodified(answer, start_response)
    headers = answer.all_headers
    if answer.etag:
        headers.append(("ETag", answer.etag))
    if answer.status != 204:  # which has no body, and must not say how long it is (RFC 9110 §8.6)
        headers.append(("Content-Length", str(len(answer.body))))
    start_response(_line(answer.status), headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]


def _send_unmodified(answer: Answer, start_response: Any) -> Iterable[bytes]:
    """304: the headers that a 200 would have, but for those of the body (RFC 9110 §15.4.5)."""
    kept = [header for header in answer.all_headers if header[0].lower() not in _ENTITY]
    start_response("304 Not Modified", [*kept, ("ETag", answer.etag)])
    return []


def _adding(start_response: Any, added: tuple[Header, ...]) -> Any:
    def start(status: str, headers: list[Header], exc_info: Any = None) -> Any:
        names = {name.lower() for name, _ in headers}
        return start_response(status, [*headers, *(item for item in added if item[0].lower() not in names)], exc_info)

    return start


_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def _line(status: int) -> str:
    return _LINES.get(status) or f"{status} Unknown"
