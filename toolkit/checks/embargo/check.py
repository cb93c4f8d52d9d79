"""The proof: what is hidden, what was looked through, and that nothing of the one is in the other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from toolkit.checks.built import Built
from toolkit.checks.embargo.asking import Asker
from toolkit.checks.embargo.beside import contents_of_hidden_pages
from toolkit.checks.embargo.fingerprints import RUN, SHORT, Fingerprints, versions_of
from toolkit.checks.embargo.hidden import Hidden, file_names, find_hidden, hidden_texts, public_texts, public_urls
from toolkit.checks.embargo.scan import Scanner, scan_output
from toolkit.checks.embargo.words import words_of
from toolkit.checks.findings import Finding
from toolkit.i18n.locales import babel_locale
from toolkit.trace import digest_bytes

FORMAT = 1
Edges = tuple[tuple[str, ...], tuple[str, ...]]
_SOURCES = (".html", ".txt", ".xml", ".json", ".js", ".mjs", ".css", ".svg", ".po", ".py", ".toml", ".yaml", ".csv")


@dataclass
class Embargo:
    """A proof in the making.

    Attributes:
        http: Ask the server, too.
        workers: Processes that look.
        certificate: What was looked at, once it was.
    """

    http: bool = False
    workers: int | None = None
    certificate: dict[str, Any] = field(default_factory=dict)


def check_embargo(built: Built, embargo: Embargo) -> Iterator[Finding]:
    """Look for everything hidden in everything published.

    Args:
        built: The build; what was hidden at its instant must not be in it.
        embargo: How; is given the certificate.
    """
    site = built.site
    moment = built.moment or datetime.now(UTC)
    hidden, fingerprints = _hidden_of(built, moment), make_fingerprints(site, moment)
    scanner = Scanner(hidden, fingerprints, built.base_url)
    total, seen, size, count = hashlib.sha256(), 0, 0, 0
    for looked in scan_output(scanner, built.output, workers=embargo.workers):
        total.update(f"{looked.path}\0{looked.digest}\n".encode())
        seen += 1
        size += looked.size
        count += len(looked.findings)
        yield from looked.findings
    asked = None
    if embargo.http:
        asker = Asker(site, _scanner_of_now(site, built, scanner, moment))
        public = (page.url for page in built.pages)
        for finding in asker.check(public, hidden_texts(site, datetime.now(UTC)), built.files):
            count += 1
            yield finding
        asked = asker.count
    embargo.certificate = {
        "format": FORMAT,
        "site": built.base_url,
        "output": str(built.output),
        "instant": moment.isoformat(),
        "made": datetime.now(UTC).isoformat(),
        "hidden": {
            "rows": hidden.counts,
            "fingerprints": len(fingerprints),
            "words": RUN,
            "rows_without_fingerprint": fingerprints.rows_without(),
            "files": len(hidden.files),
            "urls": len(hidden.urls),
        },
        "scanned": {"files": seen, "bytes": size, "sha256": total.hexdigest()},
        "http": asked,
        "leaks": count,
    }


def _hidden_of(built: Built, moment: datetime) -> Hidden:
    """What readers of a build may not see at an instant, with the files that hidden pages alone show."""
    hidden = find_hidden(built.site, moment)
    published = {record.digest for record in built.files.values() if record.owner == "asset"}
    hidden.files = {**contents_of_hidden_pages(built.site, hidden.urls, published), **hidden.files}
    return hidden


def _scanner_of_now(site: Any, built: Built, scanner: Scanner, moment: datetime) -> Scanner:
    """The server answers as of now: what was hidden when it was built may be public today."""
    now = datetime.now(UTC)
    if abs((now - moment).total_seconds()) < 1:
        return scanner
    return Scanner(_hidden_of(built, now), make_fingerprints(site, now), built.base_url)


def make_fingerprints(site: Any, moment: datetime) -> Fingerprints:
    """The fingerprints of what is hidden at an instant, less what everybody may read."""
    fingerprints = Fingerprints([*hidden_texts(site, moment), *file_names(site, moment)])
    title = site.settings.peek("title")
    if len(fingerprints):
        edges = _Edges(fingerprints)
        for _, texts in groupby(public_texts(site, moment), key=lambda text: text.row):
            _drop_joints(fingerprints, [edges.of(value) for value in [*(text.value for text in texts), title]])
        base_url = site.settings.peek("base_url").rstrip("/")
        for url in public_urls(site, moment):
            fingerprints.drop(words_of(f"{base_url}{url}"))
        for source in _sources(site):
            fingerprints.drop(words_of(source), longest=SHORT)
        fingerprints.drop(words_of(title), longest=SHORT)
    fingerprints.finish()
    return fingerprints


class _Edges:
    """Forgets what public values have, each once, and knows how each begins and ends.

    Args:
        fingerprints: Of what is hidden.
    """

    def __init__(self, fingerprints: Fingerprints) -> None:
        self.fingerprints = fingerprints
        self._known: dict[bytes, Edges] = {}

    def of(self, value: str) -> Edges:
        """The first and last words of a value, whose runs are forgotten."""
        key = digest_bytes(value.encode("utf-8", "surrogatepass"))
        found = self._known.get(key)
        if found is None:
            for version in versions_of(value):
                words = words_of(version)
                self.fingerprints.drop(words)
            found = self._known[key] = (tuple(words[:RUN]), tuple(words[-RUN:]))
        return found


def _drop_joints(fingerprints: Fingerprints, edges: Sequence[Edges]) -> None:
    """Forget what a public row has where pages show one value after the other, or the site's title."""
    for place, (_, end) in enumerate(edges):
        for other, (start, _) in enumerate(edges):
            if place != other:
                fingerprints.drop([*end, *start])


def _sources(site: Any) -> Iterator[str]:
    """What every page may have words of: templates, catalogs, scripts, code, and the names of months and days."""
    settings, toolkit = site.settings, Path(__file__).parent.parent.parent
    folders = [site.folder / settings.peek(name) for name in ("templates", "static", "public", "locale_folder")]
    folders += [app.folder for app in site.apps]
    folders += [toolkit / name for name in ("templates", "locale", "feeds", "pages", "gis")]
    for folder in dict.fromkeys(folders):
        for path in sorted(folder.rglob("*")):
            yield path.name
            if path.suffix in _SOURCES and path.is_file():
                yield path.read_text("utf-8", "replace")
    for locale in settings.peek("locales"):
        yield from _calendar(locale)


def _calendar(locale: str) -> Iterator[str]:
    found: Any = babel_locale(locale)
    for names in (found.months, found.days, found.day_periods, found.quarters):
        for widths in names.values():
            for words in widths.values():
                yield from map(str, words.values())
