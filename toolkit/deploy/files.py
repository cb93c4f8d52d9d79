"""What is to be at a target: the files of a build, with their headers and the order in which they go."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from toolkit.builder import Builder, Manifest
from toolkit.builder.outputs import find_suspects
from toolkit.errors import BuildError, DeployError
from toolkit.http.compression import split_compressed
from toolkit.site.headers import HeaderRule, HeaderRules, published_headers, site_headers, stored_headers, url_of
from toolkit.site.redirects import Redirect
from toolkit.text import below
from toolkit.text.media_types import content_type
from toolkit.trace import digest, digest_bytes

ASSETS, PAGES, LISTS = 0, 1, 2
"""Phases: what pages need, pages, and what leads to pages (feeds, sitemaps, redirects)."""

PHASES = {ASSETS: "assets", PAGES: "pages", LISTS: "feeds, sitemaps and redirects"}


@dataclass(frozen=True, slots=True)
class DeployFile:
    """One file that a target shall have.

    Args:
        path: Below the target's root.
        digest: Of its content, in hexadecimal.
        size: In bytes.
        phase: ``ASSETS``, ``PAGES`` or ``LISTS``.
        source: The file, or its content.
        headers: By name, ``Content-Type`` among them.
        redirect: Where it leads, if it only redirects.
        base_path: What comes before its path in URLs.
    """

    path: str
    digest: str
    size: int
    phase: int
    source: Path | bytes = field(repr=False)
    headers: Mapping[str, str]
    redirect: str = ""
    base_path: str = ""

    @property
    def mark(self) -> str:
        """Stands for its headers, which some targets keep beside the content."""
        return digest([sorted(self.headers.items()), self.redirect]).hex()[:16]

    @property
    def url(self) -> str:
        """Its URL path, not encoded."""
        return self.base_path + url_of(self.path)

    def read(self) -> bytes:
        """Its content.

        Raises:
            DeployError: It is no longer what the build wrote.
        """
        body = self.source if isinstance(self.source, bytes) else self.source.read_bytes()
        if digest_bytes(body).hex() != self.digest:
            raise DeployError(f"{self.source!s} changed since it was built", hint="Build again, then deploy.")
        return body


def make_file(path: str, body: bytes, *, phase: int = LISTS, headers: Mapping[str, str] | None = None) -> DeployFile:
    """A file that no build wrote, such as a host's own form of the redirects."""
    given = {"Content-Type": content_type(path), **(headers or {})}
    return DeployFile(path, digest_bytes(body).hex(), len(body), phase, body, given)


@dataclass(frozen=True)
class Build:
    """A build, as it is deployed.

    Args:
        output: Its folder.
        moment: The instant that it shows.
        files: By path.
        rules: Headers by path.
        redirects: Old paths, with where they lead: paths as browsers ask for them.
        base_path: The path below which the site is published, such as ``/blog``.
        origin: Scheme and host at which readers find it.
    """

    output: Path
    moment: str
    files: dict[str, DeployFile]
    rules: HeaderRules
    redirects: tuple[Redirect, ...] = ()
    base_path: str = ""
    origin: str = ""

    def from_the_host(self) -> Build:
        """The same as a host sees it whose own root is above the site: with ``base_path`` before every path."""
        if not self.base_path:
            return self
        files = {path: replace(file, base_path=self.base_path) for path, file in self.files.items()}
        redirects = tuple(replace(one, source=self.base_path + one.source) for one in self.redirects)
        return replace(self, files=files, rules=self.rules.below(self.base_path), redirects=redirects)

    def with_files(self, added: Mapping[str, DeployFile], *, without: frozenset[str] = frozenset()) -> Build:
        """The same with further files, and without some.

        Raises:
            DeployError: The site has a file of that name itself.
        """
        taken = sorted(added.keys() & (self.files.keys() - without))
        if taken:
            raise DeployError(
                f"the site publishes {', '.join(taken)}, which the host's own form of headers and redirects needs",
                hint="Remove the file from the folder 'public', or the option 'host'.",
            )
        kept = {path: file for path, file in self.files.items() if path not in without}
        return replace(self, files={**kept, **added})


def read_build(site: Any, output: Path | None = None) -> Build:
    """The last build of a site.

    Args:
        site: A prepared site.
        output: Another output folder than the site's.

    Raises:
        BuildError: There is none, or its files are not as it left them.
    """
    builder = Builder(site, output=output)
    if not builder.manifest_path.exists() or not builder.output.is_dir():
        raise BuildError(f"{builder.output} was not built yet", hint="Run: toolkit build.")
    manifest = Manifest(builder.manifest_path)
    try:
        _check_untouched(builder.output, manifest)
        rules = _with_stored(site_headers(site), manifest)
        moment = manifest.moment.isoformat() if manifest.moment else ""
        base_path = site.base_path
        files, redirects = _files(builder.output, manifest, rules, base_path), _redirects(manifest, base_path)
        address = urlsplit(site.settings.peek("base_url"))
        origin = f"{address.scheme}://{address.netloc}"
        return Build(builder.output, moment, files, rules, redirects, base_path, origin)
    finally:
        manifest.close()


def _check_untouched(output: Path, manifest: Manifest) -> None:
    suspects, _ = find_suspects(output, manifest.files(), manifest.pending())
    if suspects:
        shown = ", ".join(sorted(suspects)[:5]) + (f" and {len(suspects) - 5} more" if len(suspects) > 5 else "")
        raise BuildError(f"{output} is not as the last build left it: {shown}", hint="Build again, then deploy.")


def _with_stored(rules: HeaderRules, manifest: Manifest) -> HeaderRules:
    """The rules, with one for each file of a file field in which scripts could be."""
    stored = sorted(record.path for record in manifest.files().values() if record.owner == "stored")
    exact = [HeaderRule(url_of(path), found) for path in stored if (found := stored_headers(content_type(path)))]
    return HeaderRules([*rules.given, *exact], rules.own)


def _files(output: Path, manifest: Manifest, rules: HeaderRules, base_path: str) -> dict[str, DeployFile]:
    kinds = {page.path: page.content_type for page in manifest.pages().values()}
    targets = dict(json.loads(manifest.meta("redirect_files") or "{}"))
    found = {}
    records = manifest.files()
    for path, record in sorted(records.items()):
        plain, _ = split_compressed(path, records)
        headers = published_headers(path, records, rules, kind=kinds.get(plain, ""))
        redirect = below(base_path, targets.get(path, "")) if record.owner == "redirect" else ""
        phase = _phase(record.owner, headers["Content-Type"])
        found[path] = DeployFile(path, record.digest.hex(), record.size, phase, output / path, headers, redirect)
    return found


def _phase(owner: str, kind: str) -> int:
    if owner == "redirect":
        return LISTS
    if kind.startswith(("text/html", "application/xhtml")) and owner != "stored":
        return PAGES
    return LISTS if owner == "page" else ASSETS


def _redirects(manifest: Manifest, base_path: str) -> tuple[Redirect, ...]:
    found = [Redirect(*row) for row in json.loads(manifest.meta("redirects") or "[]")]
    return tuple(replace(one, target=below(base_path, one.target)) for one in found)
