"""What every built page must say of itself: language, direction, title, canonical URL, alternatives to images."""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.builder.records import PageRecord
from toolkit.checks.built import Built
from toolkit.checks.documents import RESOURCE, Document
from toolkit.checks.findings import Finding
from toolkit.i18n.locales import direction

_MISTAKES = 3
_HINTS = {
    "html.alt": 'Say what it shows; alt="" if it is decoration.',
    "html.image-size": "Write width and height.",
    "html.empty-link": "Give it text, or aria-label, or its image an alt.",
    "html.json-ld": "Write values with |tojson.",
    "html.label": "Write a <label for> with its id.",
}


def check_document(built: Built, document: Document, page: PageRecord) -> Iterator[Finding]:
    """A page that is HTML, by itself."""
    yield from _check_language(document, page)
    yield from _check_content(built, document)
    if page.status == 200:
        yield from _check_canonical(built, document)


def _check_language(document: Document, page: PageRecord) -> Iterator[Finding]:
    locale = page.identity[2]
    if document.language.lower() != locale.lower():
        said = f'says lang="{document.language}"' if document.language else "has no lang"
        hint = 'Write <html lang="{{ page.locale }}" dir="{{ page.direction }}">.'
        yield Finding("html.lang", f"<html> {said}, and the page is in {locale!r}", url=document.url, hint=hint)
    wanted = direction(locale)
    if document.direction not in (wanted, "" if wanted == "ltr" else wanted):
        said = f'says dir="{document.direction}"' if document.direction else "has no dir"
        hint = 'Write <html lang="{{ page.locale }}" dir="{{ page.direction }}">.'
        yield Finding("html.dir", f"<html> {said}, and {locale!r} runs {wanted}", url=document.url, hint=hint)


def _check_content(built: Built, document: Document) -> Iterator[Finding]:
    url, path = document.url, str(built.output / document.path)
    for mistake in document.mistakes[:_MISTAKES]:
        check = "html.obsolete" if mistake.obsolete else "html.syntax"
        yield Finding(check, mistake.what, path=path, line=mistake.line, column=mistake.column, url=url)
    if len(document.titles) != 1 or not document.titles[0]:
        said = "has no title" if not any(document.titles) else f"has {len(document.titles)} titles"
        yield Finding("html.title", f"the page {said}", url=url, hint="Write one <title> in the head.")
    for fault in document.faults:
        yield Finding(fault.check, fault.what, path=path, line=fault.line, url=url, hint=_HINTS.get(fault.check))
    for name, line in document.repeated:
        yield Finding("html.ids", f"the id {name!r} stands twice", path=path, line=line, url=url)
    if built.base_url.startswith("https://"):
        for one in document.references:
            if one.url.startswith("http://") and (one.kind == RESOURCE or one.element in ("form", "iframe")):
                said = f"<{one.element}> needs {one.url}, and browsers refuse http in a page of https"
                yield Finding("html.mixed-content", said, path=path, line=one.line, url=url, hint="Write https.")


def _check_canonical(built: Built, document: Document) -> Iterator[Finding]:
    own = f"{built.base_url}{document.url}"
    if not document.canonicals:
        if document.is_indexable:
            hint = "Put {{ page.head }} in the template's <head>."
            yield Finding("canonical.missing", "the page names no canonical URL", url=document.url, hint=hint)
        return
    for canonical in document.canonicals:
        if canonical == own:
            continue
        target = built.resolve(canonical, document.url) if canonical.startswith(("http://", "https://")) else None
        if target is None or target.path not in built.page_of or len(document.canonicals) > 1:
            yield Finding("canonical.wrong", f"the canonical URL is {canonical}, not {own}", url=document.url)
