"""Vercel: ``vercel.json`` at the root.

Source: vercel.com/docs/project-configuration, ``redirects``, ``headers``, ``trailingSlash``.
"""

from __future__ import annotations

import json
import re
from typing import Any

from toolkit.deploy.files import Build
from toolkit.deploy.hosts.form import HostForm, encoded_path, ordered, type_rules, with_safe_splats
from toolkit.errors import DeployError
from toolkit.site.headers import HeaderRule
from toolkit.site.redirects import SPLAT, Redirect

MOST = 2048


def vercel_form(build: Build) -> HostForm:
    """For Vercel.

    Raises:
        DeployError: There are more rules than it takes.
    """
    form = HostForm(replaces_pages=True)
    build = with_safe_splats(build)
    form.leave_out("vercel", [one for one in build.redirects if one.status == 410], "cannot answer 410")
    redirects = [_redirect(one) for one in ordered(one for one in build.redirects if one.status != 410)]
    rules = [*build.rules.all, *type_rules(build, by_ending=True)]
    for what, count in (("redirects", len(redirects)), ("rules for headers", len(rules))):
        if count > MOST:
            raise DeployError(f"there are {count} {what}, and Vercel takes {MOST}", hint="Use prefixes, with a *.")
    headers = [{"source": _pattern(rule.pattern), "headers": _pairs(rule)} for rule in rules]
    data = {"trailingSlash": True, "redirects": redirects, "headers": headers}
    form.files = {"vercel.json": (json.dumps(data, ensure_ascii=False, indent=2) + "\n").encode()}
    return form


def _pairs(rule: HeaderRule) -> list[dict[str, str]]:
    return [{"key": name, "value": value} for name, value in rule.headers if value]


def _redirect(one: Redirect) -> dict[str, Any]:
    source = _escaped(one.prefix) + (":splat*" if one.is_prefix else "")
    target = _escaped_target(one.target)
    found: dict[str, Any] = {"source": source, "destination": target, "statusCode": one.status}
    if one.query:
        pairs = [pair.partition("=") for pair in one.query.split("&")]
        found["has"] = [{"type": "query", "key": name, "value": value} for name, _, value in pairs]
    return found


def _escaped_target(target: str) -> str:
    return f"{SPLAT}*".join(target.split(SPLAT))


def _pattern(pattern: str) -> str:
    before, star, after = pattern.partition("*")
    return _escaped(encoded_path(before)) + ("(.*)" if star else "") + _escaped(encoded_path(after))


def _escaped(path: str) -> str:
    """What path-to-regexp would take for its own is escaped."""
    return re.sub(r"([(){}\[\]:*+?.\\^$|])", r"\\\1", path)
