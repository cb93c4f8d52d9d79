"""All checks of a site, in the order in which one failure makes the next pointless."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit.builder import Builder
from toolkit.checks.alternates import check_alternates
from toolkit.checks.built import Built
from toolkit.checks.findings import Finding, findings_of, joined
from toolkit.checks.links import LinkChecker
from toolkit.checks.pages import check_documents
from toolkit.checks.parity import check_parity
from toolkit.checks.published import check_feeds, check_files, check_sitemaps
from toolkit.checks.rows import check_rows
from toolkit.checks.sources import check_catalogs, check_site_migrations, check_site_templates
from toolkit.errors import Problems, ToolkitError

Progress = Callable[[int, int], None]
Check = Callable[[Any], Iterable[Finding]]

SOURCES: tuple[tuple[str, Check], ...] = (
    ("templates", check_site_templates),
    ("translations", check_catalogs),
    ("migrations", check_site_migrations),
)
BUILT: tuple[tuple[str, Check], ...] = (
    ("files", check_files),
    ("pages", check_documents),
    ("links", lambda built: LinkChecker(built).check()),
    ("editions", check_alternates),
    ("feeds", check_feeds),
    ("sitemaps", check_sitemaps),
)


@dataclass
class CheckReport:
    """What the checks of a site found.

    Attributes:
        findings: All of them, each once.
        done: (what was looked at, how many findings), in order.
        pages: How many pages were looked at.
    """

    findings: list[Finding] = field(default_factory=list)
    done: list[tuple[str, int]] = field(default_factory=list)
    pages: int = 0

    @property
    def errors(self) -> list[Finding]:
        """Those for which the site should not be published."""
        return [finding for finding in self.findings if finding.is_error]

    @property
    def is_good(self) -> bool:
        """Whether there is no error."""
        return not self.errors

    def look(self, what: str, check: Callable[[], Iterable[Finding]]) -> bool:
        """Run a check, and say whether it found no error. What it raises it found; what is known is not told again."""
        try:
            found = joined(check())
        except ToolkitError as error:
            found = joined(findings_of(error))
        is_good = not any(finding.is_error for finding in found)
        known = {(one.message, one.path, one.line) for one in self.findings}
        found = [one for one in found if one.path is None or (one.message, one.path, one.line) not in known]
        self.findings += found
        self.done.append((what, len(found)))
        return is_good


def check_folder(site: Any) -> Path:
    """Where checks build to: kept, so that the next check renders only what changed."""
    folder: Path = site.state_folder / "check" / "site"
    return folder


def check_site(
    site: Any,
    *,
    built: bool = False,
    parity: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
    begin: Callable[[str], None] = lambda what: None,
) -> CheckReport:
    """Check a site.

    Args:
        site: The site; it is prepared here.
        built: Look at the last build in the site's output folder, instead of building into a folder of our own.
        parity: Compare the server's answers too.
        workers: Processes that render.
        progress: Told (done, total) while pages are rendered.
        begin: Told what is looked at next.

    Returns:
        What was found; nothing is published.
    """
    report = CheckReport()

    def look(what: str, check: Callable[[], Iterable[Finding]]) -> bool:
        begin(what)
        return report.look(what, check)

    if not look("declarations", lambda: _prepare(site)):
        return report
    for what, check in SOURCES:
        look(what, lambda check=check: check(site))  # type: ignore[misc]  # bound at once
    output = site.folder / site.settings.peek("output") if built else check_folder(site)
    if not built and not look("build", lambda: _build(site, output, workers=workers, progress=progress)):
        return report
    opened: list[Built] = []
    if not look("manifest", lambda: _open(site, output, opened)):
        return report
    report.pages = len(opened[0].pages)
    look("rows", lambda: check_rows(site))
    for what, check in (*BUILT, *((("parity", check_parity),) if parity else ())):
        look(what, lambda check=check: check(opened[0]))  # type: ignore[misc]  # bound at once
    return report


def _prepare(site: Any) -> Iterator[Finding]:
    site.prepare()
    yield from ()


def _open(site: Any, output: Path, opened: list[Built]) -> Iterator[Finding]:
    opened.append(Built(site, output))
    yield from ()


def _build(site: Any, output: Path, *, workers: int | None, progress: Progress | None) -> Iterator[Finding]:
    """Build as ``toolkit build`` would: tables, content, every page."""
    output.parent.mkdir(parents=True, exist_ok=True)
    builder = Builder(site, output=output, workers=workers, progress=progress, published=False)
    try:
        builder.build()
    except Problems as problems:
        yield from findings_of(problems)
