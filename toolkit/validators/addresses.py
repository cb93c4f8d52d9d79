"""Rules for addresses: domains, e-mail, URLs, IP numbers. Each takes time that grows with the text, no faster.

Sources: RFC 1034 §3.5 (names of hosts), RFC 5321 §4.5.3 (lengths in mail), RFC 5322 §3.4.1 (dot-atoms and quoted
strings), RFC 3986 §3 (URLs), RFC 5890 (domains in other scripts).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

from toolkit.i18n import gettext_lazy
from toolkit.text.patterns import deferred
from toolkit.validators.base import Validator

MAX_DOMAIN_CHARACTERS = 253
MAX_EMAIL_CHARACTERS = 320
MAX_LOCAL_CHARACTERS = 64
MAX_URL_CHARACTERS = 2048

_ASCII_LABEL = deferred(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE | re.ASCII)
_LABEL = deferred(r"[a-z0-9\u00a1-\U0010ffff](?:[a-z0-9\u00a1-\U0010ffff-]{0,61}[a-z0-9\u00a1-\U0010ffff])?", re.I)
_TOP_LABEL = deferred(r"(?:[a-z\u00a1-\U0010ffff-]{2,63}|xn--[a-z0-9-]{1,59})", re.IGNORECASE)
_DOT_ATOM = deferred(r"[-!#$%&'*+/=?^_`{}|~0-9A-Za-z]+(?:\.[-!#$%&'*+/=?^_`{}|~0-9A-Za-z]+)*")
_QUOTED = deferred(r'"(?:[\x01-\x08\x0b\x0c\x0e-\x1f!#-\[\]-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*"')
_PORT = deferred(r"[0-9]{1,5}")
_USER = deferred(r"[^\s:@/]+(?::[^\s:@/]*)?")
_UNSAFE = deferred(r"[\s\x00-\x1f\x7f]")


def is_domain(text: str, *, accept_idna: bool = True) -> bool:
    """Whether a text is the name of a host with a top-level domain, such as ``courier.example``."""
    name = text.removesuffix(".")
    labels = name.split(".")
    if len(name) > MAX_DOMAIN_CHARACTERS or len(labels) < 2 or not (accept_idna or name.isascii()):
        return False
    label = _LABEL if accept_idna else _ASCII_LABEL
    if not all(label.fullmatch(part) for part in labels) or not _TOP_LABEL.fullmatch(labels[-1]):
        return False
    return name.isascii() or _fits_idna(name)


def _fits_idna(name: str) -> bool:
    """Whether a name of other scripts can be written for the name system at all, and is not too long there."""
    try:
        return len(name.encode("idna")) <= MAX_DOMAIN_CHARACTERS
    except UnicodeError:
        return False


def is_ip(text: str, *, version: int | None = None) -> bool:
    """Whether a text is an IP address, of version 4, 6 or either; without a zone (``%eth0``)."""
    if len(text) > 45 or "%" in text or not text.isascii():
        return False
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return False
    return version is None or found.version == version


class DomainNameValidator(Validator):
    """The name of a host with a top-level domain.

    Args:
        accept_idna: Letters of other scripts, too (``bücher.example``).
        message: What to say.
        code: The error's stable name.
    """

    message = gettext_lazy("%(shown)s is not a domain name")

    def __init__(self, accept_idna: bool = True, message: Any = None, code: str | None = None) -> None:
        super().__init__(message, code)
        self.accept_idna = accept_idna

    def __call__(self, value: Any) -> None:
        if not isinstance(value, str) or not is_domain(value, accept_idna=self.accept_idna):
            raise self.refuse(value)


class EmailValidator(Validator):
    """An e-mail address: a dot-atom or a quoted string, and a domain (also of other scripts) or ``[IP address]``.

    Args:
        message: What to say.
        code: The error's stable name.
        allowlist: Domains that need not look like one; ``localhost`` unless you say otherwise.
    """

    message = gettext_lazy("%(shown)s is not an e-mail address")
    code = "email"
    hint = gettext_lazy("Write it as name@host.example.")
    allowlist: Collection[str] = ("localhost",)

    def __init__(self, message: Any = None, code: str | None = None, allowlist: Collection[str] | None = None) -> None:
        super().__init__(message, code)
        if allowlist is not None:
            self.allowlist = allowlist

    def __call__(self, value: Any) -> None:
        if not isinstance(value, str) or not self._is_address(value):
            raise self.refuse(value)

    def _is_address(self, value: str) -> bool:
        local, at, domain = value.rpartition("@")
        if not at or len(value) > MAX_EMAIL_CHARACTERS or len(local) > MAX_LOCAL_CHARACTERS:
            return False
        if not _DOT_ATOM.fullmatch(local) and not _QUOTED.fullmatch(local):
            return False
        return domain in self.allowlist or self._is_place(domain)

    @staticmethod
    def _is_place(domain: str) -> bool:
        if domain.startswith("[") and domain.endswith("]"):
            address = domain[1:-1]
            return is_ip(address.removeprefix("IPv6:"))  # RFC 5321 §4.1.3
        return not domain.endswith(".") and is_domain(domain)


class URLValidator(Validator):
    """An absolute URL: a scheme, a host (a domain, ``localhost`` or an IP address), and what may follow.

    Args:
        schemes: The schemes that are allowed.
        message: What to say.
        code: The error's stable name.
    """

    message = gettext_lazy("%(shown)s is not a URL")
    code = "url"
    hint = gettext_lazy("Write it with its scheme: https://host.example/path.")
    schemes: Sequence[str] = ("http", "https", "ftp", "ftps")
    max_length = MAX_URL_CHARACTERS

    def __init__(self, schemes: Sequence[str] | None = None, message: Any = None, code: str | None = None) -> None:
        super().__init__(message, code)
        if schemes is not None:
            self.schemes = list(schemes)

    def __call__(self, value: Any) -> None:
        if not isinstance(value, str) or len(value) > self.max_length or _UNSAFE.search(value):
            raise self.refuse(value)
        scheme, separator, _ = value.partition("://")
        try:
            sound = bool(separator) and scheme.lower() in self.schemes and self._is_sound(urlsplit(value))
        except ValueError:
            sound = False
        if not sound:
            raise self.refuse(value)

    def _is_sound(self, parts: SplitResult) -> bool:
        user, at, place = parts.netloc.rpartition("@")
        if at and not _USER.fullmatch(user):
            return False
        host, port = _host_and_port(place)
        return (port is None or (_PORT.fullmatch(port) is not None and int(port) <= 65535)) and _is_host(host)


def _host_and_port(place: str) -> tuple[str, str | None]:
    if place.startswith("["):
        host, bracket, rest = place.partition("]")
        return host + bracket, rest[1:] if rest.startswith(":") else (rest or None)
    host, colon, port = place.partition(":")
    return host, port if colon else None


def _is_host(host: str) -> bool:
    if host.startswith("["):
        return is_ip(host[1:-1], version=6)
    return host.lower() == "localhost" or is_ip(host, version=4) or is_domain(host)


class _IPValidator(Validator):
    version: int | None = None

    def __call__(self, value: Any) -> None:
        if not is_ip(str(value), version=self.version):
            raise self.refuse(value)


class _IPv4Validator(_IPValidator):
    message, version = gettext_lazy("%(shown)s is not an IPv4 address"), 4


class _IPv6Validator(_IPValidator):
    message, version = gettext_lazy("%(shown)s is not an IPv6 address"), 6


class _IPv46Validator(_IPValidator):
    message = gettext_lazy("%(shown)s is not an IP address")


validate_domain_name = DomainNameValidator()
"""The name of a host with a top-level domain."""

validate_email = EmailValidator()
"""An e-mail address."""

validate_ipv4_address = _IPv4Validator()
"""Such as ``192.0.2.1``."""

validate_ipv6_address = _IPv6Validator()
"""Such as ``2001:db8::1``."""

validate_ipv46_address = _IPv46Validator()
"""Either."""
