"""One renderer, two edges: the server must answer what the build published, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from toolkit.builder.records import FileRecord, PageRecord
from toolkit.checks.built import Built, Target
from toolkit.checks.findings import Finding
from toolkit.http.compression import is_compressed
from toolkit.server.client import Got, get

ABSENT_URL = "/toolkit-check-parity-no-such-page/"


def check_parity(built: Built) -> Iterator[Finding]:
    """Ask the site's WSGI application for everything that was built, and for something that was not."""
    application = built.site.wsgi
    host = built.site.settings.peek("base_url").split("//", 1)[1].partition("/")[0]

    def ask(url: str) -> Got:
        return get(application, url, host=host, mount=built.site.base_path)

    for page in built.pages:
        yield from _check_page(built, page, ask(page.url))
    for path, record in built.files.items():
        if is_compressed(path, built.files):
            continue
        url = quote(f"/{path.removesuffix('index.html') if record.owner == 'redirect' else path}")
        if record.owner == "redirect":
            yield from _check_redirect(built, url, path, ask(url))
        elif record.owner in ("asset", "rendition", "public", "stored") or path not in built.page_of:
            yield from _check_file(built, url, path, record, ask(url))
    yield from _check_absent(built, ask)


REDIRECTS = (301, 302, 303, 307, 308)
"""A page that redirects says nothing of how long: any will do."""


def _differs(url: str, what: str) -> Finding:
    return Finding("parity.differs", what, url=url)


def _check_page(built: Built, page: PageRecord, got: Got) -> Iterator[Finding]:
    if got.status != 200:
        yield _differs(page.url, f"the server answers {got.status}")
        return
    if got.headers.get("content-type") != page.content_type:
        yield _differs(
            page.url, f"the server says {got.headers.get('content-type')!r}, the build {page.content_type!r}"
        )
    if got.headers.get("etag") != f'"{page.digest.hex()}"':
        yield _differs(page.url, f"the ETag is {got.headers.get('etag')}, the manifest has {page.digest.hex()}")
    body = built.read(page.path)
    if got.body != body:
        yield _differs(page.url, difference(body, got.body))


def difference(built: bytes, served: bytes) -> str:
    """The first difference of two bodies, in words."""
    place = next(
        (n for n, (a, b) in enumerate(zip(built, served, strict=False)) if a != b), min(len(built), len(served))
    )
    line = built.count(b"\n", 0, place) + 1
    around = slice(max(0, place - 20), place + 40)
    return f"line {line} is built as {built[around]!r} and served as {served[around]!r}"


def _check_file(built: Built, url: str, path: str, record: FileRecord, got: Got) -> Iterator[Finding]:
    if got.status != 200:
        yield _differs(url, f"the server answers {got.status} for the {record.owner}'s file {path}")
    elif got.body != built.read(path):
        yield _differs(url, difference(built.read(path), got.body))


def _check_redirect(built: Built, url: str, path: str, got: Got) -> Iterator[Finding]:
    wanted = built.redirect_to(Target(url, "", path))
    found = got.headers.get("location", "")
    below = re.sub(r"^https?://[^/]+", "", found)  # where it names its own host
    if got.status not in REDIRECTS or wanted not in (found, below):
        answer = f"{got.status} {below}".strip()
        yield _differs(url, f"the build redirects to {wanted}, the server answers {answer}")


def _check_absent(built: Built, ask: Any) -> Iterator[Finding]:
    """What is not there, in each locale: the error page with its status."""
    for locale in built.site.settings.peek("locales"):
        prefix = built.site.locale_prefix(locale)
        got = ask(f"{prefix}{ABSENT_URL}")
        if got.status != 404:
            yield _differs(f"{prefix}{ABSENT_URL}", f"the server answers {got.status} where nothing is published")
        path = f"{prefix}/404.html".lstrip("/")
        if path in built.files and got.body != built.read(path):
            yield _differs(
                f"{prefix}{ABSENT_URL}", f"the body is not that of /{path}: {difference(built.read(path), got.body)}"
            )
