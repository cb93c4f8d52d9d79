"""Links and resources of built pages: does each lead somewhere?"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from toolkit.checks.built import Built, Target
from toolkit.checks.documents import LINK, Document, Reference
from toolkit.checks.findings import Finding
from toolkit.checks.inline import css_urls
from toolkit.pages.patterns import output_path

_TEXT_DIRECTIVE = ":~:"
_FRAGMENT = "!#$%&'()*+,-./:;=?@[\\]^_{|}~"
"""What a URL's fragment has unencoded. Source: URL, "fragment percent-encode set"."""
_TEMPLATE_MARKS = ("{{", "{%", "%7B%7B", "%7B%25")

SUGGESTIONS = 20
"""How many broken links are compared with everything that is there, which takes up to a tenth of a second each."""


class Wanted(NamedTuple):
    """A fragment of another page that a link leads to.

    Args:
        path: The file of that page.
        target: Its URL path.
        fragment: As it is written, without the ``#``.
        url: The page with the link.
        line: The line of the link.
    """

    path: str
    target: str
    fragment: str
    url: str
    line: int


@dataclass(frozen=True, slots=True)
class PageLinks:
    """What the links of one page tell.

    Args:
        findings: Those that lead nowhere.
        linked: The files they lead to.
        wanted: The fragments of other pages they lead to.
        external: (URL, line) of those to other hosts.
    """

    findings: list[Finding]
    linked: frozenset[str]
    wanted: list[Wanted]
    external: list[tuple[str, int]]


class LinkReader:
    """Follows the links of pages, each target once.

    Args:
        built: The build.
    """

    def __init__(self, built: Built) -> None:
        self.built = built
        self._known: dict[tuple[str, str], Finding | None] = {}

    def read(self, document: Document) -> PageLinks:
        """Follow all links of a page."""
        findings: list[Finding] = []
        linked: set[str] = set()
        wanted: list[Wanted] = []
        external: dict[str, int] = {}
        for reference in document.references:
            target = self.built.resolve(reference.url, document.base)
            if target is None:
                if (fault := outside(self.built, reference.url)) is not None:
                    path = str(self.built.output / document.path)
                    findings.append(
                        replace(fault, path=path, line=reference.line, url=document.url, written=reference.url)
                    )
                if reference.kind == LINK and reference.url.startswith(("http://", "https://", "//")):
                    external.setdefault(reference.url, reference.line)
                continue
            if not reference.url:
                continue
            if reference.kind == LINK:
                linked.add(target.path)
            fault = self._fault(target, reference)
            if fault is not None:
                path = str(self.built.output / document.path)
                findings.append(replace(fault, path=path, line=reference.line, url=document.url, written=reference.url))
            elif fragment := _fragment(target):
                if target.path == document.path:
                    findings += self._own_fragment(document, target, fragment, reference.line)
                else:
                    wanted.append(Wanted(target.path, target.url, fragment, document.url, reference.line))
        return PageLinks(findings, frozenset(linked), wanted, list(external.items()))

    def _fault(self, target: Target, reference: Reference) -> Finding | None:
        """What is wrong with a reference, apart from its fragment; asked once for each target."""
        key = (target.url, reference.kind)
        if key not in self._known:
            self._known[key] = self._find_fault(target, reference)
        return self._known[key]

    def _find_fault(self, target: Target, reference: Reference) -> Finding | None:
        built = self.built
        elsewhere = built.redirect_to(target)
        if elsewhere:
            itself = f"Link to {elsewhere} itself."
            return Finding("links.redirected", f"the link to {target.url} is redirected", hint=itself)
        if built.has_file(target.path) or built.is_view(target.url):
            return None
        shown = unquote(target.url)
        hint = _hint(reference.url)
        if reference.kind == LINK:
            return Finding("links.broken", f"the link to {shown} leads to nothing", hint=hint, about=shown)
        what = f"<{reference.element}> needs {shown}, which is not there"
        return Finding("assets.missing", what, hint=hint, about=shown)

    def _own_fragment(self, document: Document, target: Target, fragment: str, line: int) -> Iterator[Finding]:
        if document.ids.isdisjoint(_names(fragment)):
            yield _no_fragment(target.url, fragment, sorted(document.ids), url=document.url, line=line)


_FROM_THE_SITE = "Write url_for(…), asset(…), or |relative_url after a path."
_FROM_THE_STYLESHEET = "Write it as it is found from the stylesheet, such as ../favicon.svg."


def outside(built: Built, url: str, hint: str = _FROM_THE_SITE) -> Finding | None:
    """A path from the root of the host that means a file of this site, which is published below another path."""
    path = urlsplit(url).path
    if not built.site.base_path or not url.startswith("/") or url.startswith("//"):
        return None
    if not built.has_file(output_path(path)) and not built.is_view(path):
        return None
    what = f"{unquote(path)} leads to the root of the host, and the site is below {built.site.base_path}"
    return Finding("links.outside", what, hint=hint)


def _hint(url: str) -> str | None:
    """What a URL that leads to nothing looks like."""
    if any(mark in url for mark in _TEMPLATE_MARKS):
        return f"{url!r} looks like a template's tag that nobody rendered."
    if url.rpartition("/")[2] in ("None", "undefined"):
        return "It looks like a value that was not there."
    if url.startswith("www."):
        return f"Write https://{url}."
    return None


def _fragment(target: Target) -> str:
    """The id that a link leads to; empty if to none. Source: HTML, "Scrolling to a fragment": #top needs no id."""
    fragment = target.fragment.partition(_TEXT_DIRECTIVE)[0]
    return "" if unquote(fragment).lower() == "top" else fragment


def _names(fragment: str) -> tuple[str, ...]:
    """The ids that a fragment may mean. Source: HTML, "find a potential indicated element": encoded, then decoded."""
    return tuple(dict.fromkeys((quote(fragment, safe=_FRAGMENT), unquote(fragment))))


def _no_fragment(target: str, written: str, ids: Sequence[str], *, url: str, line: int, others: int = 0) -> Finding:
    fragment = unquote(written)
    near = difflib.get_close_matches(fragment, ids, n=2, cutoff=0.6)
    hint = f"Did you mean #{' or #'.join(near)}?" if near else None
    message = f"the link to {unquote(target)}#{fragment}: that page has no id {fragment!r}"
    return Finding("links.fragment", message, url=url, line=line, hint=hint, others=others, written=f"#{written}")


def check_fragments(built: Built, wanted: dict[str, dict[str, tuple[Wanted, int]]]) -> Iterator[Finding]:
    """The fragments that links from other pages lead to; each page that is led to is read once."""
    for path, fragments in wanted.items():
        body = built.read(path)
        missing = {
            one: link
            for one, link in fragments.items()
            if not any(f' id="{name}"'.encode() in body for name in _names(one))
        }
        ids = built.ids_of(path) if missing else None
        for fragment, (first, count) in missing.items():
            if ids is not None and ids.isdisjoint(_names(fragment)):
                yield _no_fragment(
                    first.target, fragment, sorted(ids), url=first.url, line=first.line, others=count - 1
                )


def check_stylesheets(built: Built) -> Iterator[Finding]:
    """What stylesheets name."""
    for path, text in built.stylesheets():
        for url in css_urls(text):
            target = built.resolve(url, built.public(f"/{path}"))
            if target is None and (fault := outside(built, url, _FROM_THE_STYLESHEET)) is not None:
                yield replace(fault, url=f"/{path}")
            if target is None or url.startswith("#") or built.has_file(target.path):
                continue
            message = f"the stylesheet needs {unquote(target.url)}, which is not there"
            yield Finding("assets.missing", message, url=f"/{path}")


def check_redirects(built: Built) -> Iterator[Finding]:
    """Redirects lead somewhere, too."""
    for path, record in built.files.items():
        if record.owner != "redirect":
            continue
        url = f"/{path.removesuffix('index.html')}"
        wanted = built.redirect_to(Target(url, "", path))
        target = built.resolve(wanted, built.public(url)) if wanted else None
        if target is not None and not built.has_file(target.path) and not built.is_view(target.url):
            yield Finding("links.broken", f"the redirect to {wanted} leads to nothing", url=url)


def suggest(built: Built, findings: Sequence[Finding]) -> list[Finding]:
    """The same findings; the first broken links say what may have been meant."""
    left = SUGGESTIONS
    urls: list[str] = []
    told = []
    for finding in findings:
        if finding.about is not None and finding.hint is None and left:
            left -= 1
            urls = urls or _urls(built)
            near = difflib.get_close_matches(finding.about, urls, n=2, cutoff=0.7)
            finding = replace(finding, hint=f"Did you mean {' or '.join(near)}?" if near else None)
        told.append(finding)
    return told


def _urls(built: Built) -> list[str]:
    """Everything that could have been meant."""
    pages = {unquote(page.url) for page in built.pages}
    owners = ("asset", "rendition", "public", "stored")
    return sorted(pages | {f"/{path}" for path, record in built.files.items() if record.owner in owners})
