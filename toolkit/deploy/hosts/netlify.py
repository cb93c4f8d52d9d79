"""``_headers`` and ``_redirects``: Netlify, Cloudflare Pages, and the redirects of GitLab Pages.

Sources: docs.netlify.com "Custom headers", "Redirect options"; developers.cloudflare.com/pages "Headers",
"Redirects"; docs.gitlab.com "GitLab Pages redirects".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from toolkit.deploy.files import Build
from toolkit.deploy.hosts.form import (
    HostForm,
    encoded_path,
    not_found_pages,
    ordered,
    type_rules,
    with_safe_splats,
    written_by,
)
from toolkit.errors import DeployError
from toolkit.site.headers import HeaderRule
from toolkit.site.redirects import Redirect

CLOUDFLARE_STATIC, CLOUDFLARE_DYNAMIC, CLOUDFLARE_HEADERS = 2000, 100, 100
GITLAB_LINES = 1000
_TO_301_OR_302 = {303: 302, 307: 302, 308: 301}


def netlify_form(build: Build) -> HostForm:
    """For Netlify: it knows queries; a star of a header's path may only stand at the end."""
    form = HostForm(replaces_pages=True)
    build = with_safe_splats(build)
    gone = [one for one in build.redirects if one.status == 410]
    form.leave_out("netlify", gone, "cannot answer 410")
    lines = [_netlify_line(one) for one in ordered(one for one in build.redirects if one.status != 410)]
    missing = not_found_pages(build).items()
    lines += [
        f"{begins}* {page} 404\n" for begins, page in missing if begins != "/"
    ]  # that of the root it finds itself
    rules = [exact for rule in (*build.rules.all, *type_rules(build)) for exact in _at_the_end(rule, build)]
    form.files = {
        "_redirects": (written_by() + "".join(lines)).encode(),
        "_headers": (written_by() + _headers(rules, detaches=False)).encode(),
    }
    return form


def _netlify_line(one: Redirect) -> str:
    query = "".join(f" {pair}" for pair in one.query.split("&")) if one.query else ""
    return f"{one.source}{query} {one.target} {one.status}\n"


def _at_the_end(rule: HeaderRule, build: Build) -> list[HeaderRule]:
    """A rule whose star is not at the end, as one rule for each file that it fits."""
    if "*" not in rule.pattern.removesuffix("*"):
        return [rule]
    return [HeaderRule(file.url, rule.headers) for file in build.files.values() if rule.fits(file.url)]


def cloudflare_form(build: Build) -> HostForm:
    """For Cloudflare Pages: headers of several rules are joined unless the later one detaches the earlier.

    Raises:
        DeployError: There are more rules than it takes.
    """
    form = HostForm(replaces_pages=True)
    build = with_safe_splats(build)
    able = _without_queries("cloudflare", build.redirects, form)
    form.leave_out("cloudflare", [one for one in able if one.status == 410], "cannot answer 410")
    found = ordered(one for one in able if one.status != 410)
    rules = [*build.rules.all, *type_rules(build, by_ending=True)]
    _check_limit("redirects of single paths", sum(not one.is_prefix for one in found), CLOUDFLARE_STATIC)
    _check_limit("redirects with a *", sum(one.is_prefix for one in found), CLOUDFLARE_DYNAMIC)
    _check_limit("rules for headers", len(rules), CLOUDFLARE_HEADERS)
    form.files = {
        "_redirects": (written_by() + "".join(map(_line, found))).encode(),
        "_headers": (written_by() + _headers(rules, detaches=True)).encode(),
    }
    return form


def gitlab_form(build: Build) -> HostForm:
    """For GitLab Pages: redirects of two kinds, no headers.

    Raises:
        DeployError: There are more rules than it takes.
    """
    form = HostForm(replaces_pages=True)
    able = [replace(one, status=_TO_301_OR_302.get(one.status, one.status)) for one in build.redirects]
    able = _without_queries("gitlab-pages", able, form)
    form.leave_out("gitlab-pages", [one for one in able if one.status == 410], "cannot answer 410")
    form.leave_out("gitlab-pages", [one for one in able if one.is_external], "cannot lead to other sites")
    open_ones = [one for one in able if one.is_prefix and one.is_to_root]
    form.leave_out("gitlab-pages", open_ones, "would let it lead to other sites")
    found = ordered(one for one in able if one.status != 410 and not one.is_external and one not in open_ones)
    _check_limit("redirects", len(found), GITLAB_LINES)
    form.files = {"_redirects": (written_by() + "".join(map(_line, found))).encode()}
    if build.rules.own:
        form.notices.append("gitlab-pages cannot send headers of one's own")
    return form


def _without_queries(host: str, redirects: Iterable[Redirect], form: HostForm) -> list[Redirect]:
    found = list(redirects)
    form.leave_out(host, [one for one in found if one.query], "cannot look at queries")
    return [one for one in found if not one.query]


def _line(one: Redirect) -> str:
    return f"{one.source} {one.target} {one.status}\n"


def _headers(rules: Iterable[HeaderRule], *, detaches: bool) -> str:
    lines = []
    given: dict[str, list[HeaderRule]] = {}
    for rule in rules:
        lines.append(f"{encoded_path(rule.pattern)}\n")
        for name, value in rule.headers:
            if detaches and given.get(name.lower()):
                lines.append(f"  ! {name}\n")
            if value:
                lines.append(f"  {name}: {value}\n")
            given.setdefault(name.lower(), []).append(rule)
    return "".join(lines)


def _check_limit(what: str, count: int, most: int) -> None:
    if count > most:
        raise DeployError(f"there are {count} {what}, and the host takes {most}", hint="Use fewer, or prefixes.")
