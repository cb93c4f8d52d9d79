"""Editions of a page in other languages: they exist, are in that language, and name each other.

Source: Google Search Central, "Localized versions of your pages": annotations that are not mutual are ignored.
"""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.checks.built import Built
from toolkit.checks.findings import Finding
from toolkit.checks.survey import Edition, Survey

DEFAULT = "x-default"


def check_alternates(built: Built, survey: Survey) -> Iterator[Finding]:
    """Every ``hreflang`` of every page, and those that should be there."""
    for edition in survey.editions.values():
        for language, url in edition.alternates:
            yield from _check(built, survey, edition, language, url)
    yield from _check_missing(built, survey)


def _check(built: Built, survey: Survey, edition: Edition, language: str, url: str) -> Iterator[Finding]:
    target = built.resolve(url, built.public(edition.url))
    if target is None:
        return
    other = survey.editions.get(target.path)
    if other is None or not url.startswith(("http://", "https://")):
        why = "does not exist" if other is None else "is not an absolute URL"
        yield Finding("hreflang.broken", f"its edition in {language!r}, {url}, {why}", url=edition.url)
        return
    if language == DEFAULT:
        return
    if other.language.lower() != language.lower():
        said = f"the edition at {url} is said to be in {language!r}, and is in {other.language!r}"
        yield Finding("hreflang.language", said, url=edition.url)
    back = {built.resolve(one, built.public(other.url)) for name, one in other.alternates if name != DEFAULT}
    own = built.resolve(built.public(edition.url), "/")
    if own is not None and own.path not in {found.path for found in back if found is not None}:
        yield Finding("hreflang.one-way", f"its edition in {language!r}, {url}, does not name it", url=edition.url)


def _check_missing(built: Built, survey: Survey) -> Iterator[Finding]:
    """A route publishes the same subject in several locales: each page names the others."""
    if len(built.site.settings.peek("locales")) == 1:
        return
    groups: dict[tuple[object, ...], list[tuple[str, str, str]]] = {}
    for page in built.pages:
        route, key, locale, number = page.identity
        if page.path in survey.editions and page.path not in survey.hidden and page.status == 200:
            groups.setdefault((route, key, number), []).append((locale, page.path, page.url))
    for pages in groups.values():
        for locale, path, url in pages if len(pages) > 1 else ():
            edition = survey.editions[path]
            named = {language.lower() for language, _ in edition.alternates}
            for other in (one for one, *_ in pages if one != locale and one.lower() not in named):
                yield Finding("hreflang.missing", f"it does not name its edition in {other!r}", url=url)
