"""What a check found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from toolkit.checks.catalogue import CHECKS, ERROR
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
        about: The name or URL that leads to nothing, for those who look for what was meant.
        written: The same as it is written in the page.
        source: Of what is wrong in a built page: the content file or template in which that was written, most likely.
        source_line: Line in that file, from 1; None if nobody knows.
    """

    id: str
    message: str
    path: str | None = None
    line: int | None = None
    column: int | str | None = None
    url: str | None = None
    hint: str | None = None
    others: int = 0
    about: str | None = None
    written: str | None = None
    source: str | None = None
    source_line: int | None = None

    @property
    def severity(self) -> str:
        """``error`` or ``warning``."""
        return CHECKS[self.id].severity

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
        if built:
            text += self._told_place()
        elif not built and self.url and where:
            text += f" (page {self.url})"
        if self.others:
            text += f" (and on {self.others} more pages)" if self.others > 1 else " (and on 1 more page)"
        return f"{text}. {self.hint}" if self.hint else text

    def _told_place(self) -> str:
        """Line of the built page, and where that was written."""
        source = f"see {self.source}:{self.source_line}" if self.source_line else ""
        told = "; ".join(filter(None, [f"line {self.line} of the page" if self.line else "", source]))
        return f" ({told})" if told else ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "severity": self.severity}


OUTPUT_CHECKS = {"html", "links", "external", "assets", "canonical", "hreflang", "parity", "weight"}
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
    groups: dict[tuple[Any, ...], tuple[Finding, int]] = {}
    for finding in findings:
        place = () if finding.is_in_output else (finding.path, finding.line)
        key = (finding.id, finding.message, *place)
        first, others = groups.get(key, (finding, -1))
        groups[key] = (first, others + 1 + finding.others)
    return [replace(first, others=others) for first, others in groups.values()]
