"""Editions of a page in other languages: they exist, are in that language, and name each other.

Source: Google Search Central, "Localized versions of your pages": annotations that are not mutual are ignored.
"""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.checks.built import Built
from toolkit.checks.documents import Document
from toolkit.checks.findings import Finding

DEFAULT = "x-default"


def check_alternates(built: Built) -> Iterator[Finding]:
    """Every ``hreflang`` of every page."""
    for document in built.documents.values():
        for language, url in document.alternates:
            yield from _check(built, document, language, url)


def _check(built: Built, document: Document, language: str, url: str) -> Iterator[Finding]:
    target = built.resolve(url, document.url)
    if target is None:
        return
    other = built.documents.get(target.path)
    if other is None or not url.startswith(("http://", "https://")):
        why = "does not exist" if other is None else "is not an absolute URL"
        yield Finding("hreflang.broken", f"its edition in {language!r}, {url}, {why}", url=document.url)
        return
    if language == DEFAULT:
        return
    if other.language.lower() != language.lower():
        said = f"the edition at {url} is said to be in {language!r}, and is in {other.language!r}"
        yield Finding("hreflang.language", said, url=document.url)
    back = {built.resolve(one, other.url) for name, one in other.alternates if name != DEFAULT}
    if document.path not in {found.path for found in back if found is not None}:
        yield Finding("hreflang.one-way", f"its edition in {language!r}, {url}, does not name it", url=document.url)
