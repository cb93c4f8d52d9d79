"""Small things that views do again and again."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from werkzeug.exceptions import MethodNotAllowed

from toolkit.errors import DeclarationError, ImpossibleValue, NotFound, ObjectDoesNotExist, ValidationError
from toolkit.http.responses import RedirectResponse, Response

REDIRECTS = (301, 302, 303, 307, 308)
UNSAFE_REDIRECT = "unsafe_redirect"
"""The code of the error for an address that a reader must not be sent to; the server answers it with 400."""

_SPACE_OR_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_KEPT = "!#$%&'()*+,/:;=?@[]~"

F = TypeVar("F", bound=Callable[..., Any])


def redirect(url: str, status: int = 302, *, external: bool = False) -> Response:
    """Send the reader elsewhere.

    Args:
        url: A path on this site (``/town/``), or an absolute URL with ``external``.
        status: 301 or 308 for good, 302, 303 or 307 for now.
        external: Allow another site. Never for an address that a reader sent: that would lend your name to anybody.

    Raises:
        ValidationError: The address has control characters, a scheme other than http and https, or leads to
            another site.
        DeclarationError: The status is no redirect.
    """
    if status not in REDIRECTS:
        raise DeclarationError(f"{status} is no redirect", hint=f"Use one of {', '.join(map(str, REDIRECTS))}.")
    return RedirectResponse(quote(_checked(url, external), safe=_KEPT), status=status)


def _checked(url: str, external: bool) -> str:
    """The address, or an error. Browsers read a backslash as a slash, and skip spaces and control characters."""
    if _SPACE_OR_CONTROL.search(url):
        raise _unsafe(url, "it has spaces or control characters")
    try:
        parts = urlsplit(url.replace("\\", "/"))
    except ValueError as error:
        raise _unsafe(url, f"it is no URL ({error})") from error
    if parts.scheme not in ("", "http", "https"):
        raise _unsafe(url, f"its scheme is {parts.scheme!r}")
    if (parts.scheme or parts.netloc or url.replace("\\", "/").startswith("//")) and not external:
        raise _unsafe(url, "it leads to another site", "Write redirect(url, external=True) if the address is your own.")
    if not external and not url.startswith(("/", "?", "#", ".")):
        raise _unsafe(url, "it is no path of this site", "Begin with a slash.")
    if external and parts.scheme and not parts.netloc:
        raise _unsafe(url, "it names no host")
    if "\\" in url:
        raise _unsafe(url, "it has a backslash")
    return url


def _unsafe(url: str, why: str, hint: str = "") -> ValidationError:
    return ValidationError(f"cannot redirect to {url!r}: {why}", code=UNSAFE_REDIRECT, hint=hint or None)


def get_object_or_404(source: Any, **lookups: Any) -> Any:
    """The one row with these lookups; the server answers 404 if there is none that the viewer may see.

    No row has a value that its field can never hold, such as a number of 30 digits that a reader made up.

    Args:
        source: A model, a manager or a queryset.
        lookups: As for ``get``.

    Raises:
        NotFound: There is none.
        MultipleObjectsReturned: There are several.
    """
    rows: Any = getattr(source, "objects", source)
    try:
        return rows.get(**lookups)
    except (ObjectDoesNotExist, ImpossibleValue) as error:
        raise NotFound(error.message) from error


def require_methods(*methods: str) -> Callable[[F], F]:
    """Answer a view's other methods with 405. HEAD comes with GET.

    Args:
        methods: Such as ``"GET"``, ``"POST"``.
    """
    allowed = {method.upper() for method in methods} | ({"HEAD"} if "GET" in {m.upper() for m in methods} else set())

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def checked(request: Any, *arguments: Any, **values: Any) -> Any:
            if request.method not in allowed:
                raise MethodNotAllowed(valid_methods=sorted(allowed))
            return function(request, *arguments, **values)

        return checked  # type: ignore[return-value]  # the same signature, which mypy cannot see

    return decorate
