"""What pages weigh, and whom else they ask: held against the budgets of their routes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from toolkit.builder.records import PageRecord
from toolkit.checks.built import Built
from toolkit.checks.documents import RESOURCE, Document
from toolkit.checks.findings import Finding
from toolkit.checks.inline import css_urls

ANY_ROUTE = "default"
_KB = 1000


class Scales:
    """Weighs pages of one build.

    A page weighs its HTML and each file that it needs once: styles with what they import and name, scripts, fonts,
    images, media. Of an image in several sizes the one in ``src`` counts.

    Args:
        built: The build.
    """

    def __init__(self, built: Built) -> None:
        self.built = built
        self._budgets: dict[str, Any] = built.site.settings.peek("budgets")
        self._closures: dict[str, frozenset[str]] = {}

    def check(self, document: Document, page: PageRecord) -> Iterator[Finding]:
        """What of a page is over its budget."""
        budget = self.budget_of(page)
        hosts = self.third_parties(document)
        if len(hosts) > budget["third_party"]:
            names = ", ".join(sorted(hosts)[:5])
            yield self._finding("weight.third-party", document, f"it asks other hosts for something: {names}")
        if not budget.keys() & {"html_kb", "images_kb", "total_kb"}:
            return
        needed = self.needed(document)
        images = sum(self._size(path) for path, is_image in needed.items() if is_image)
        total = page.size + sum(map(self._size, needed))
        for name, what, weight in (("html", "HTML", page.size), ("images", "images", images), ("total", "all", total)):
            most = budget.get(f"{name}_kb")
            if most is not None and weight > most * _KB:
                said = f"its {what} weighs {weight / _KB:,.0f} KB" if name == "html" else ""
                said = said or f"{'its images weigh' if name == 'images' else 'it weighs'} {weight / _KB:,.0f} KB"
                yield self._finding(f"weight.{name}", document, f"{said}, and may weigh {most:,}")

    def _finding(self, check: str, document: Document, message: str) -> Finding:
        return Finding(check, message, path=str(self.built.output / document.path), url=document.url)

    def budget_of(self, page: PageRecord) -> dict[str, int]:
        """The budget of a page: its route's, then that of all routes."""
        route = self.built.route_of(page)
        names = (route.name, route.id) if route is not None else ()
        found = {"third_party": 0, **self._budgets.get(ANY_ROUTE, {})}
        for name in names:
            found.update(self._budgets.get(name, {}))
        return found

    def third_parties(self, document: Document) -> set[str]:
        """The other hosts that a browser asks when it shows the page."""
        wanted = [one.url for one in document.references if one.element == "iframe" or _is_needed(one)]
        wanted += [one.url for one in document.hosts]
        hosts = {self._host(url) for url in wanted}
        for path in self.needed(document):
            if path.endswith(".css"):
                hosts |= self._foreign_of(path)
        return hosts - {""}

    def _host(self, url: str) -> str:
        if not url.startswith(("//", "http:", "https:", "HTTP")):
            return ""
        try:
            host = urlsplit(url).netloc
        except ValueError:  # http://[::1, which another check tells
            return ""
        return "" if host == self._own_host else host

    @cached_property
    def _own_host(self) -> str:
        return urlsplit(self.built.base_url).netloc

    def needed(self, document: Document) -> dict[str, bool]:
        """File to whether it is an image, of all that a page needs and the build has."""
        found: dict[str, bool] = {}
        for one in document.references:
            if not _is_needed(one) or (one.element in ("img", "source") and not one.is_image):
                continue
            target = self.built.resolve(one.url, document.base)
            if target is None or not self.built.has_file(target.path):
                continue
            found[target.path] = found.get(target.path, False) or one.is_image
            if target.path.endswith(".css"):
                found.update(dict.fromkeys(self._closure(target.path), False))
        return found

    def _closure(self, path: str) -> frozenset[str]:
        """All that a stylesheet needs, and what that needs."""
        if path not in self._closures:
            self._closures[path] = frozenset()  # a circle ends here
            found = set()
            for url in css_urls(self.built.read(path).decode("utf-8", "replace")):
                target = self.built.resolve(url, self.built.public(f"/{path}"))
                if target is not None and self.built.has_file(target.path):
                    found |= {target.path, *(self._closure(target.path) if target.path.endswith(".css") else ())}
            self._closures[path] = frozenset(found)
        return self._closures[path]

    def _foreign_of(self, path: str) -> frozenset[str]:
        """The other hosts that a stylesheet names."""
        key = f"//{path}"
        if key not in self._closures:
            urls = css_urls(self.built.read(path).decode("utf-8", "replace"))
            self._closures[key] = frozenset(map(self._host, urls))
        return self._closures[key]

    def _size(self, path: str) -> int:
        return self.built.files[path].size


def _is_needed(one: Any) -> bool:
    """Whether a browser fetches it to show the page; images for other sites' previews it does not."""
    return one.kind == RESOURCE and one.element != "meta" and bool(one.url)
