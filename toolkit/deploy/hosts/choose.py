"""The form for a declared host."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from toolkit.deploy.files import Build, DeployFile, make_file
from toolkit.deploy.hosts.apache import apache_form
from toolkit.deploy.hosts.caddy import caddy_form
from toolkit.deploy.hosts.form import HostForm
from toolkit.deploy.hosts.netlify import cloudflare_form, gitlab_form, netlify_form
from toolkit.deploy.hosts.nginx import nginx_form
from toolkit.deploy.hosts.s3 import s3_form, with_redirect_objects
from toolkit.deploy.hosts.vercel import vercel_form


def plain_form(build: Build) -> HostForm:
    """For a host that only serves files: pages that redirect do what they can."""
    form = HostForm()
    form.leave_out("plain", [one for one in build.redirects if one.query], "cannot look at queries")
    form.leave_out("plain", [one for one in build.redirects if one.is_prefix], "cannot redirect all below a path")
    form.leave_out("plain", [one for one in build.redirects if one.status == 410], "cannot answer 410")
    if build.rules.own:
        form.notices.append("plain hosts send no headers of one's own")
    return form


def github_form(build: Build) -> HostForm:
    """For GitHub Pages: no Jekyll, which would leave out names that begin with an underscore."""
    form = plain_form(build)
    form.files = {".nojekyll": b""}
    form.notices = [notice.replace("plain", "github-pages", 1) for notice in form.notices]
    return form


FORMS: Mapping[str, Callable[[Build], HostForm]] = {
    "plain": plain_form,
    "netlify": netlify_form,
    "cloudflare": cloudflare_form,
    "github-pages": github_form,
    "gitlab-pages": gitlab_form,
    "nginx": nginx_form,
    "apache": apache_form,
    "caddy": caddy_form,
    "vercel": vercel_form,
    "s3": s3_form,
}


BELOW = frozenset({"nginx", "apache", "caddy", "gitlab-pages", "s3"})
"""Hosts whose rules speak of whole paths, with the one below which the site is published."""

AT_THE_ROOT = frozenset({"netlify", "cloudflare", "vercel"})
"""Hosts that give each site a root of its own."""


def for_host(build: Build, host: str, *, cname: str = "") -> tuple[Build, HostForm]:
    """A build as a host takes it, and what goes beside it.

    Args:
        build: The build.
        host: One of ``FORMS``.
        cname: The domain of a Pages host.

    Raises:
        DeployError: The host cannot take it.
    """
    form = FORMS[host](build.from_the_host() if host in BELOW else build)
    if build.base_path and host in AT_THE_ROOT:
        form.notices.append(f"{host} serves a site from the root of its host: let another one pass on what is asked "
                            f"for below {build.base_path}, without that")  # fmt: skip
    if host == "s3":
        build = with_redirect_objects(build)
    if cname:
        form.files["CNAME"] = f"{cname}\n".encode()
    added: dict[str, DeployFile] = {path: make_file(path, body) for path, body in form.files.items()}
    without = {path for path, file in build.files.items() if file.redirect} if form.replaces_pages else set()
    return build.with_files(added, without=frozenset(without)), form
