"""Asking a site, in this process: its WSGI application, or a folder that it was built to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit
from wsgiref.validate import validator

from toolkit.errors import ToolkitError
from toolkit.pages.patterns import output_path
from toolkit.server.client import call_wsgi, joined, make_environ
from toolkit.text.media_types import HTML, content_type
from toolkit.trace import digest_bytes

REDIRECTS = (301, 302, 303, 307, 308)
MAX_REDIRECTS = 10


@dataclass
class Answer:
    """What was answered.

    Args:
        url: The URL path that was asked for in the end.
        status: HTTP status.
        headers: Lower-case names to values.
        body: The bytes.
        history: The redirects that were followed, the first first.
    """

    url: str
    status: int
    headers: dict[str, str]
    body: bytes
    history: list[Answer] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8")

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @cached_property
    def html(self) -> Any:
        """The body as an lxml document: ``answer.html.findtext(".//h1")``."""
        from lxml import html

        return html.document_fromstring(self.body, parser=html.HTMLParser(encoding="utf-8"))

    @property
    def is_ok(self) -> bool:
        """Whether the status is in the two hundreds."""
        return 200 <= self.status < 300


class Client:
    """Asks for URLs, keeps cookies, follows redirects when told to.

    Args:
        site: A site, whose WSGI application is asked; or any WSGI application.
        build: A folder that a site was built to, asked as a static host would serve it.
        validate: Hold the application to the WSGI standard (``wsgiref.validate``).
        host: The ``Host`` header; that of the site's ``base_url`` by default.
        base_path: The path at which a host has the build, such as ``/blog``.
    """

    def __init__(
        self,
        site: Any = None,
        *,
        build: Path | None = None,
        validate: bool = True,
        host: str | None = None,
        base_path: str = "",
    ) -> None:
        if (site is None) == (build is None):
            raise ToolkitError(
                "a client asks either a site or a build", hint="Write Client(site) or Client(build=folder)."
            )
        self.build = build
        self.base_path = base_path
        application = getattr(site, "wsgi", site)
        self.application = validator(application) if validate and application is not None else application
        self.host = host or _host_of(site)
        self.cookies: SimpleCookie = SimpleCookie()

    def get(
        self,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        follow: bool = False,
    ) -> Answer:
        """GET a URL path.

        Args:
            path: Percent-encoded or not, such as ``/town/``.
            query: Values after the ``?``.
            headers: Request headers.
            follow: Follow redirects.
        """
        asked = f"{path}?{urlencode(query, doseq=True)}" if query else path
        answer = self.request("GET", asked, headers=headers)
        return self._followed(answer, headers) if follow else answer

    def head(self, path: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """HEAD a URL path."""
        return self.request("HEAD", path, headers=headers)

    def post(
        self,
        path: str,
        data: Mapping[str, Any] | bytes | None = None,
        *,
        json_data: Any = None,
        headers: Mapping[str, str] | None = None,
        follow: bool = False,
    ) -> Answer:
        """POST a form, bytes or JSON.

        Args:
            path: As for ``get``.
            data: Form values, or the body itself.
            json_data: What to send as JSON instead.
            headers: Request headers.
            follow: Follow redirects.
        """
        body, kind = _body(data, json_data)
        sent = {**({"Content-Type": kind} if kind else {}), **(headers or {})}
        answer = self.request("POST", path, headers=sent, body=body)
        return self._followed(answer, headers) if follow else answer

    def request(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
        """Any request."""
        if self.build is not None:
            if not path.startswith(f"{self.base_path}/"):
                return Answer(path, 404, {}, b"")
            answer = ask_folder(self.build, path[len(self.base_path) :], method=method, headers=headers)
            if "location" in answer.headers:
                answer.headers["location"] = self.base_path + answer.headers["location"]
            return replace(answer, url=path)
        sent = dict(headers or {})
        if self.cookies:
            sent.setdefault("Cookie", "; ".join(f"{name}={morsel.value}" for name, morsel in self.cookies.items()))
        encoded = quote(path, safe="/:@!$&'()*+,;=~-._%?[]")
        environ = make_environ(encoded, method=method, headers=sent, body=body, host=self.host)
        status, found, received = call_wsgi(self.application, environ)
        for name, value in found:
            if name.lower() == "set-cookie":
                self.cookies.load(value)
        return Answer(path, status, joined(found), received)

    def _followed(self, answer: Answer, headers: Mapping[str, str] | None) -> Answer:
        history: list[Answer] = []
        while answer.status in REDIRECTS:
            if len(history) == MAX_REDIRECTS:
                raise ToolkitError(f"{history[0].url} redirects for ever", url=history[0].url)
            history.append(answer)
            target = urlsplit(urljoin(answer.url, answer.headers["location"]))
            answer = self.request("GET", target._replace(scheme="", netloc="", fragment="").geturl(), headers=headers)
        answer.history = history
        return answer


def _host_of(site: Any) -> str:
    settings = getattr(site, "settings", None)
    return urlsplit(settings.peek("base_url")).netloc if settings is not None else "localhost"


def _body(data: Mapping[str, Any] | bytes | None, json_data: Any) -> tuple[bytes, str]:
    if json_data is not None:
        return json.dumps(json_data).encode(), "application/json"
    if data is None or isinstance(data, bytes):
        return data or b"", ""
    return urlencode(data, doseq=True).encode(), "application/x-www-form-urlencoded"


def ask_folder(folder: Path, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None) -> Answer:
    """What a static host answers from a folder: files, slash redirects, 304, and the nearest ``404.html``."""
    url = path.partition("?")[0]
    if method not in ("GET", "HEAD"):
        return Answer(path, 405, {"allow": "GET, HEAD"}, b"")
    name = output_path(quote(unquote(url)))
    if ".." in Path(name).parts:
        return _absent(folder, path, name)
    file = folder / name
    if file.is_dir() and (file / "index.html").is_file():
        return Answer(path, 301, {"location": f"{url}/"}, b"")
    if not file.is_file():
        return _absent(folder, path, name)
    body = file.read_bytes()
    found = {
        "content-type": content_type(name),
        "content-length": str(len(body)),
        "etag": f'"{digest_bytes(body).hex()}"',
    }
    if (headers or {}).get("If-None-Match") == found["etag"]:
        return Answer(path, 304, {"etag": found["etag"]}, b"")
    return Answer(path, 200, found, b"" if method == "HEAD" else body)


def _absent(folder: Path, path: str, name: str) -> Answer:
    first = name.partition("/")[0]
    for page in (folder / first / "404.html", folder / "404.html"):
        if page.is_file() and page.resolve().is_relative_to(folder.resolve()):
            return Answer(path, 404, {"content-type": HTML}, page.read_bytes())
    return Answer(path, 404, {"content-type": "text/plain"}, b"")
