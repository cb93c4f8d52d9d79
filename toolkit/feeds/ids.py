"""Ids that outlive URLs: tag URIs."""

from __future__ import annotations

import re
from datetime import date
from urllib.parse import quote

from toolkit.errors import FeedError

_SAFE = "/?:@!$&'()*+,;=~"
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_AUTHORITY = re.compile(rf"(?:[A-Za-z0-9._-]+@)?{_LABEL}(?:\.{_LABEL})*")
_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")


def tag_uri(authority: str, since: date | str, specific: str) -> str:
    """A ``tag:`` URI: ``tag:courier.example,2026:story/41``.

    Keep all three parts for ever: make ``specific`` of what never changes (a primary key, a UUID), and let
    ``since`` be a day on which the domain was yours, not a story's date.

    Args:
        authority: A domain or an e-mail address that was yours on that day.
        since: That day, or ``"2026"``, or ``"2026-03"``.
        specific: What it names, within the authority; percent-encoded where needed.

    Raises:
        FeedError: The authority or the day is not of the form RFC 4151 asks for.

    Source: RFC 4151 §2.1.
    """
    day = since.isoformat()[:10] if isinstance(since, date) else since
    if not _AUTHORITY.fullmatch(authority):
        raise FeedError(
            f"{authority!r} cannot be the authority of a tag URI",
            hint="Use a domain without port or scheme, such as courier.example.",
        )
    if not _DATE.fullmatch(day):
        raise FeedError(f"{day!r} is not a day of a tag URI", hint="Write YYYY, YYYY-MM or YYYY-MM-DD.")
    return f"tag:{authority.lower()},{day}:{quote(specific, safe=_SAFE)}"
