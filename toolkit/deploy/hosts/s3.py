"""S3 as a website: redirects of single pages are kept with the objects; those of prefixes are routing rules.

Source: docs.aws.amazon.com/AmazonS3, "Configuring a webpage redirect", "RoutingRule".
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

from toolkit.deploy.files import LISTS, Build, DeployFile, make_file
from toolkit.deploy.hosts.form import HostForm
from toolkit.errors import DeployError
from toolkit.pages.patterns import output_path
from toolkit.site.redirects import SPLAT, Redirect

MOST_RULES = 50
_KEPT = {"content-type", "cache-control", "content-disposition", "content-language", "expires"}


def s3_form(build: Build) -> HostForm:
    """For a bucket that is a website. ``website.json`` is what ``aws s3api put-bucket-website`` takes.

    Raises:
        DeployError: There are more prefixes than it takes.
    """
    form = HostForm()
    redirects = build.redirects
    form.leave_out("s3", [one for one in redirects if one.query], "cannot look at queries")
    form.leave_out("s3", [one for one in redirects if one.status == 410], "cannot answer 410")
    able = [one for one in redirects if one.is_prefix and one.target and not one.query]
    odd = [one for one in able if not one.target.endswith(SPLAT) or "?" in one.target]
    form.leave_out("s3", odd, "cannot change what follows the prefix")
    rules = [_rule(one) for one in sorted(able, key=lambda one: -len(one.prefix)) if one not in odd]
    if len(rules) > MOST_RULES:
        raise DeployError(f"there are {len(rules)} redirects with a *, and S3 takes {MOST_RULES}", hint="Use fewer.")
    names = {name.lower() for rule in build.rules.all for name, _ in rule.headers} - _KEPT
    if names:
        form.notices.append(f"s3 does not send {', '.join(sorted(names))}: let the CDN before it add them")
    website: dict[str, Any] = {"IndexDocument": {"Suffix": "index.html"}}
    if "404.html" in build.files:
        website["ErrorDocument"] = {"Key": "404.html"}
    if rules:
        website["RoutingRules"] = rules
    form.config = {"website.json": json.dumps(website, indent=2) + "\n"}
    return form


def _rule(one: Redirect) -> dict[str, Any]:
    parts = urlsplit(one.target.replace(SPLAT, ""))
    redirect = {"ReplaceKeyPrefixWith": unquote(parts.path).lstrip("/"), "HttpRedirectCode": str(one.status)}
    if parts.netloc:
        redirect |= {"HostName": parts.netloc, "Protocol": parts.scheme}
    return {"Condition": {"KeyPrefixEquals": unquote(one.prefix).lstrip("/"),
                          "HttpErrorCodeReturnedEquals": "404"}, "Redirect": redirect}  # fmt: skip


def with_redirect_objects(build: Build) -> Build:
    """The build with an object for each redirect of a single path, also of those that are no HTML pages."""
    added: dict[str, DeployFile] = {}
    for one in build.redirects:
        path = output_path(one.source)
        if one.is_prefix or one.query or not one.target:
            continue
        known = build.files.get(path)
        if known is None:
            added[path] = replace(make_file(path, b"", phase=LISTS), redirect=one.target)
        elif not known.redirect and known.phase == LISTS:
            continue
    return build.with_files(added)
