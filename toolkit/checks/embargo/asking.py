"""What an anonymous visitor is told over HTTP: at the URLs of hidden pages, at all public ones, and by the views."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any
from urllib.parse import quote, urlencode

from toolkit.checks.embargo.beside import files_of_hidden_pages
from toolkit.checks.embargo.hidden import Text
from toolkit.checks.embargo.scan import Scanner
from toolkit.checks.embargo.words import words_of
from toolkit.checks.findings import Finding
from toolkit.server.client import Got, get

GONE = (401, 403, 404, 410)
QUESTIONS = 20
"""Hidden rows that each view without placeholders is searched for."""

_SAFE = "/:@!$&'()*+,;=~-._%"


class Asker:
    """An anonymous visitor of a site's WSGI application.

    Args:
        site: The site.
        scanner: What he must not be told.

    Attributes:
        count: How often he asked.
    """

    def __init__(self, site: Any, scanner: Scanner) -> None:
        self.site = site
        self.scanner = scanner
        self.count = 0
        self._host = site.settings.peek("base_url").split("//", 1)[1].partition("/")[0]

    def check(self, public: Iterable[str], texts: Iterable[Text], published: Collection[str]) -> Iterator[Finding]:
        """Ask for everything.

        Args:
            public: URLs that are published.
            texts: Texts of hidden rows, to search for.
            published: Paths of files that are published, below the output folder.
        """
        hidden = self.scanner.hidden.urls
        for url, what in hidden.items():
            yield from self._ask_hidden(quote(url, safe=_SAFE), what)
        # now that the server is there, it remembers the renditions of the previews that are made here
        for url in files_of_hidden_pages(self.site, hidden, published):
            if self._get(url).status not in GONE:
                yield Finding("embargo.http", "the server gives a file that only hidden pages use", url=url)
        for url in public:
            yield from self._look(url, self._get(url), frozenset())
        questions = list(_questions(texts))
        for url in self._views():
            yield from self._look(url, self._get(url), frozenset())
            for question in questions:
                asked = f"{url}?{urlencode({'q': question})}"
                yield from self._look(asked, self._get(asked), frozenset(words_of(asked)), shown=url)

    def _get(self, url: str) -> Got:
        self.count += 1
        return get(self.site.wsgi, url, host=self._host, mount=self.site.base_path)

    def _ask_hidden(self, url: str, what: str) -> Iterator[Finding]:
        got = self._get(url)
        if got.status not in GONE:
            yield Finding("embargo.http", f"the server answers {got.status} at the URL of {what}", url=url)
        yield from self._look(url, got, frozenset(words_of(url)))

    def _look(self, url: str, got: Got, said: frozenset[str], *, shown: str | None = None) -> Iterator[Finding]:
        headers = "\n".join(f"{name}: {value}" for name, value in got.headers.items()).encode("utf-8", "replace")
        yield from self.scanner.look(got.body, url=shown or url, said=said)
        yield from self.scanner.look(headers, url=shown or url, inside="the headers", said=said)

    def _views(self) -> Iterator[str]:
        """The URLs of views that need nothing more."""
        for route in self.site.routes:
            if route.kind == "view" and "<" not in route.path:
                for locale in self.site.route_locales(route):
                    yield self.site.pattern(route, locale).build({})


def _questions(texts: Iterable[Text]) -> Iterator[str]:
    """What somebody would search for who heard a rumour: the first words of some hidden rows."""
    rows: set[str] = set()
    for text in texts:
        words = text.value.split()[:3]
        if words and text.row not in rows:
            rows.add(text.row)
            yield " ".join(words)
            if len(rows) == QUESTIONS:
                return
