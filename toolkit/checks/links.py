"""Links and resources of built pages: does each lead somewhere?"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from functools import cached_property
from urllib.parse import unquote

from toolkit.checks.built import Built, Target
from toolkit.checks.documents import LINK, Document, Reference, css_urls
from toolkit.checks.findings import Finding
from toolkit.pages.patterns import output_path

_TEXT_DIRECTIVE = ":~:"
_TEMPLATE_MARKS = ("{{", "{%", "%7B%7B", "%7B%25")

SUGGESTIONS = 20
"""How many broken links are compared with everything that is there, which takes up to a tenth of a second each."""


class LinkChecker:
    """Checks the links of one build.

    Args:
        built: The build.
    """

    def __init__(self, built: Built) -> None:
        self.built = built
        self._suggested = 0
        self._known: dict[tuple[str, str], tuple[str, str, str] | None] = {}

    def check(self) -> Iterator[Finding]:
        """Every link that leads nowhere, or elsewhere than it seems to."""
        for document in self.built.documents.values():
            for reference in document.references:
                yield from self._check(document, reference)
        yield from self._check_stylesheets()
        yield from self._check_redirects()

    def _check(self, document: Document, reference: Reference) -> Iterator[Finding]:
        target = self.built.resolve(reference.url, document.url)
        if target is None or not reference.url:
            return
        fault = self._fault(target, reference)
        if fault is not None:
            check, message, hint = fault
            path = str(self.built.output / document.path)
            yield Finding(check, message, path=path, line=reference.line, url=document.url, hint=hint or None)

    def _fault(self, target: Target, reference: Reference) -> tuple[str, str, str] | None:
        """(check, message, hint) of what is wrong with a reference; asked once for each target."""
        key = (f"{target.url}#{target.fragment}", reference.kind)
        if key not in self._known:
            self._known[key] = self._find_fault(target, reference)
        return self._known[key]

    def _find_fault(self, target: Target, reference: Reference) -> tuple[str, str, str] | None:
        built = self.built
        elsewhere = built.redirect_to(target)
        if elsewhere:
            return "links.redirected", f"the link to {target.url} is redirected", f"Link to {elsewhere} itself."
        if not built.has_file(target.path):
            if built.is_view(target.url):
                return None
            return self._missing(target, reference)
        return self._fragment_fault(target)

    def _missing(self, target: Target, reference: Reference) -> tuple[str, str, str]:
        shown = unquote(target.url)
        hint = self._suggest(shown)
        if any(mark in reference.url for mark in _TEMPLATE_MARKS):
            hint = f"{reference.url!r} looks like a template's tag that nobody rendered."
        if reference.kind == LINK:
            return "links.broken", f"the link to {shown} leads to nothing", hint
        return "assets.missing", f"<{reference.element}> needs {shown}, which is not there", hint

    def _suggest(self, shown: str) -> str:
        if self._suggested == SUGGESTIONS:
            return ""
        self._suggested += 1
        near = difflib.get_close_matches(shown, self._urls, n=2, cutoff=0.7)
        return f"Did you mean {' or '.join(near)}?" if near else ""

    @cached_property
    def _urls(self) -> list[str]:
        """Everything that could have been meant."""
        pages = {unquote(page.url) for page in self.built.pages}
        others = {
            f"/{path}" for path, record in self.built.files.items() if record.owner in ("asset", "public", "stored")
        }
        return sorted(pages | others)

    def _fragment_fault(self, target: Target) -> tuple[str, str, str] | None:
        fragment = target.fragment.partition(_TEXT_DIRECTIVE)[0]
        if not fragment or fragment.lower() == "top":
            return None
        ids = self.built.ids_of(target.path)
        if ids is None or fragment in ids:
            return None
        near = difflib.get_close_matches(fragment, sorted(ids), n=2, cutoff=0.6)
        hint = f"Did you mean #{' or #'.join(near)}?" if near else ""
        return "links.fragment", f"the link to {unquote(target.url)}#{fragment}: that page has no id {fragment!r}", hint

    def _check_stylesheets(self) -> Iterator[Finding]:
        for path, text in self.built.stylesheets():
            for url in css_urls(text):
                target = self.built.resolve(url, f"/{path}")
                if target is None or url.startswith("#") or self.built.has_file(target.path):
                    continue
                yield Finding(
                    "assets.missing", f"the stylesheet needs {unquote(target.url)}, which is not there", url=f"/{path}"
                )

    def _check_redirects(self) -> Iterator[Finding]:
        for path, record in self.built.files.items():
            if record.owner != "redirect":
                continue
            url = f"/{path.removesuffix('index.html')}"
            target = self.built.redirect_to(Target(url, "", path))
            if target and not self.built.has_file(output_path(target)):
                yield Finding("links.broken", f"the redirect to {target} leads to nothing", url=url)
