"""What only all pages together show: pages that none links to, and pages that say the same of themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from toolkit.checks.built import HTML, Built
from toolkit.checks.findings import Finding
from toolkit.checks.survey import Survey
from toolkit.pages.patterns import output_path


def check_orphans(built: Built, survey: Survey) -> Iterator[Finding]:
    """Pages that readers reach from no other page of the site; the front page of each language needs no link."""
    fronts = {output_path(f"{built.site.locale_prefix(locale)}/") for locale in built.site.settings.peek("locales")}
    for page in built.pages:
        is_sought = page.content_type.startswith(HTML) and page.status == 200 and page.path not in survey.hidden
        if is_sought and page.path not in survey.linked and page.path not in fronts:
            hint = "Link to it, or tell robots noindex if it is not meant to be found."
            yield Finding("links.orphan", f"no page links to {unquote(page.url)}", url=page.url, hint=hint)


def check_duplicates(survey: Survey) -> Iterator[Finding]:
    """Titles and descriptions that several pages of one language have."""
    yield from _repeated("title", survey.titles)
    yield from _repeated("description", survey.descriptions)


def _repeated(what: str, known: Mapping[bytes, list[str]]) -> Iterator[Finding]:
    for first, *others in known.values():
        if others:
            more = f" and {len(others) - 1} more" if len(others) > 1 else ""
            message = f"it has the same {what} as {unquote(others[0])}{more}"
            yield Finding(f"html.duplicate-{what}", message, url=first)
