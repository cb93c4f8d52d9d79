"""HTTP as a deploy makes it: redirects are answers, and never followed with a token or a body."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from typing import Any


@dataclass(frozen=True, slots=True)
class Answered:
    """What a URL answered."""

    status: int
    headers: Message
    body: bytes


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **options: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)


def call(
    url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None, timeout_seconds: float = 30
) -> Answered:
    """GET a URL, or POST to it.

    Args:
        url: http or https.
        body: What is posted.
        headers: Besides ``User-Agent``.
        timeout_seconds: For each step of it.

    Raises:
        OSError: It cannot be reached.
    """
    given = {"User-Agent": "toolkit-deploy", **(headers or {})}
    request = urllib.request.Request(url, data=body, headers=given)  # noqa: S310 - http or https, as it was declared
    try:
        with _opener.open(request, timeout=timeout_seconds) as answer:
            return Answered(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answered(error.code, error.headers, error.read())
    except HTTPException as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
