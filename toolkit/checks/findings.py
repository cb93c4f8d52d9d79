"""What a check found, and the table of all checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from toolkit.errors import (
    CatalogError,
    Collision,
    ContentError,
    DatabaseError,
    DatabaseUnavailable,
    DeclarationError,
    FeedError,
    FieldError,
    GeometryError,
    MigrationError,
    Problems,
    RouteError,
    SettingError,
    TemplateError,
    ToolkitError,
    ValidationError,
)

ERROR, WARNING = "error", "warning"

CHECKS: dict[str, tuple[str, str]] = {
    "settings.invalid": (ERROR, "a setting is unknown, mistyped or out of bounds"),
    "declarations.invalid": (ERROR, "a model, page or app cannot stand as declared"),
    "routes.collision": (ERROR, "two pages or files want one URL or one file"),
    "routes.invalid": (ERROR, "a page has no URL, or links to something that has none"),
    "code.failed": (ERROR, "the site's Python cannot be read, or failed"),
    "database.unavailable": (ERROR, "the database cannot be reached"),
    "database.failed": (ERROR, "the database refused"),
    "migrations.drift": (ERROR, "models, migrations and tables disagree"),
    "content.invalid": (ERROR, "a content file cannot be loaded"),
    "templates.failed": (ERROR, "a template cannot be compiled or rendered"),
    "templates.missing": (ERROR, "a template names another that is not there"),
    "templates.request": (ERROR, "a page's template reads what only a request has"),
    "templates.block": (WARNING, "a block is in no template above, so it is never shown"),
    "templates.unused": (WARNING, "no page, view or template uses a template"),
    "messages.invalid": (ERROR, "a catalog cannot be read, or a translation would break a page"),
    "messages.doubtful": (WARNING, "a translation looks wrong"),
    "messages.missing": (ERROR, "a message is not translated to a locale that is to be complete"),
    "messages.unknown": (ERROR, "'complete_locales' names a locale that the site does not have"),
    "rows.untranslated": (ERROR, "a public row is not translated to a locale that is to be complete"),
    "build.failed": (ERROR, "a page could not be rendered, or nothing was built"),
    "files.changed": (ERROR, "a built file is missing, or is not as the build left it"),
    "files.case": (ERROR, "two built files differ by case or Unicode form only"),
    "links.broken": (ERROR, "a link leads to nothing in the site"),
    "links.fragment": (ERROR, "a link's fragment is no id of the page it leads to"),
    "links.redirected": (WARNING, "a link leads to a redirect"),
    "assets.missing": (ERROR, "an image, script or style is not there"),
    "html.syntax": (ERROR, "tags are not closed in the order they were opened"),
    "html.lang": (ERROR, "<html> does not name the page's language"),
    "html.dir": (ERROR, "<html> does not say that the page runs right to left"),
    "html.title": (ERROR, "a page has no title, or several"),
    "html.alt": (ERROR, "an image has no alt attribute"),
    "html.ids": (ERROR, "an id stands twice in a page"),
    "canonical.missing": (WARNING, "a page names no canonical URL"),
    "canonical.wrong": (ERROR, "a page's canonical URL is not its own, or not absolute"),
    "hreflang.broken": (ERROR, "an edition that a page names does not exist"),
    "hreflang.one-way": (ERROR, "an edition does not name the page that names it"),
    "hreflang.language": (ERROR, "an edition is not in the language that it is said to be in"),
    "feeds.invalid": (ERROR, "a feed breaks the rules of its format"),
    "sitemap.invalid": (ERROR, "a sitemap cannot be read"),
    "sitemap.missing": (ERROR, "a public page is not in the sitemap"),
    "sitemap.extra": (ERROR, "the sitemap names what is no public page"),
    "parity.differs": (ERROR, "the server answers otherwise than the build"),
}
"""Every check: its stable id, to its severity and what it finds."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a check found.

    Args:
        id: Which check.
        message: What is wrong, with the value in it.
        path: The file it is about.
        line: Line in that file, from 1.
        column: Column, from 1 or by name.
        url: The page it is about; the first, if there are several.
        hint: The next step.
        others: On how many more pages the same was found.
    """

    id: str
    message: str
    path: str | None = None
    line: int | None = None
    column: int | str | None = None
    url: str | None = None
    hint: str | None = None
    others: int = 0

    @property
    def severity(self) -> str:
        """``error`` or ``warning``."""
        return CHECKS[self.id][0]

    @property
    def is_in_output(self) -> bool:
        """Whether its path is a built file: the same fault may be in many."""
        return self.id.partition(".")[0] in OUTPUT_CHECKS

    @property
    def is_error(self) -> bool:
        """Whether the site must not be published like this."""
        return self.severity == ERROR

    def __str__(self) -> str:
        """A letter, as errors are; a built page comes first by its URL, not by its file."""
        where = ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)
        built = self.is_in_output and self.url is not None
        place = self.url if built else where or self.url
        text = f"{place}: {self.message}" if place else self.message
        if built and self.line:
            text += f" (line {self.line} of the page)"
        elif not built and self.url and where:
            text += f" (page {self.url})"
        if self.others:
            text += f" (and on {self.others} more pages)" if self.others > 1 else " (and on 1 more page)"
        return f"{text}. {self.hint}" if self.hint else text

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "severity": self.severity}


OUTPUT_CHECKS = {"html", "links", "assets", "canonical", "hreflang", "parity"}
"""First words of the checks of built pages."""

_KINDS: tuple[tuple[type[ToolkitError], str], ...] = (
    (SettingError, "settings.invalid"),
    (Collision, "routes.collision"),
    (RouteError, "routes.invalid"),
    (DeclarationError, "declarations.invalid"),
    (FieldError, "declarations.invalid"),
    (DatabaseUnavailable, "database.unavailable"),
    (DatabaseError, "database.failed"),
    (MigrationError, "migrations.drift"),
    (ContentError, "content.invalid"),
    (ValidationError, "content.invalid"),
    (GeometryError, "content.invalid"),
    (TemplateError, "templates.failed"),
    (CatalogError, "messages.invalid"),
    (FeedError, "feeds.invalid"),
)
"""Which check an error belongs to; the more special class first."""


def findings_of(error: ToolkitError, *, check: str | None = None) -> Iterator[Finding]:
    """The findings that an error, or a run's many, stand for.

    Args:
        error: What was raised.
        check: The check's id, if the class of the error does not say it.
    """
    if isinstance(error, Problems):
        for problem in error.problems:
            yield from findings_of(problem, check=check)
        return
    known = next((name for kind, name in _KINDS if isinstance(error, kind)), "build.failed")
    yield Finding(
        check or known,
        error.message,
        path=None if error.path is None else str(error.path),
        line=error.line if error.line is not None else error.row,
        column=error.column,
        url=error.url,
        hint=error.hint,
    )


def joined(findings: Iterable[Finding]) -> list[Finding]:
    """Each finding once: what is wrong in a header is wrong on every page, and told with the first."""
    groups: dict[tuple[Any, ...], list[Finding]] = {}
    for finding in findings:
        key = (finding.id, finding.message, *(() if finding.is_in_output else (finding.path, finding.line)))
        groups.setdefault(key, []).append(finding)
    return [replace(group[0], others=group[0].others + len(group) - 1) for group in groups.values()]
