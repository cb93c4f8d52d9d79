"""All checks of a site, in the order in which one failure makes the next pointless."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit.builder import Builder
from toolkit.checks.accepting import Acceptances
from toolkit.checks.across import check_duplicates, check_orphans
from toolkit.checks.alternates import check_alternates
from toolkit.checks.built import Built
from toolkit.checks.catalogue import CHECKS
from toolkit.checks.embargo import Embargo, check_embargo
from toolkit.checks.external import check_external
from toolkit.checks.findings import Finding, findings_of, joined
from toolkit.checks.links import check_fragments, check_redirects, check_stylesheets, suggest
from toolkit.checks.origins import Origins
from toolkit.checks.parity import check_parity
from toolkit.checks.published import check_feeds, check_files, check_sitemaps
from toolkit.checks.rows import check_rows
from toolkit.checks.sources import (
    check_catalogs,
    check_site_code,
    check_site_migrations,
    check_site_models,
    check_site_storages,
    check_site_templates,
)
from toolkit.checks.survey import Survey, survey_pages
from toolkit.errors import Problems, ToolkitError

Progress = Callable[[int, int], None]
Look = Callable[[], Iterable[Finding]]

ASKED = {"external", "parity", "embargo"}
"""First words of the checks that are made only when asked for."""


@dataclass(frozen=True)
class Wanted:
    """What is to be looked at.

    Args:
        checks: Ids of the checks whose findings count.
        built: Look at the last build in the site's output folder, instead of building into a folder of our own.
        parity: Compare the server's answers too.
        external: Follow links to other hosts too.
        embargo: Prove that nothing hidden is published.
        http: Ask the server for what is hidden, too.
        workers: Processes that render and read.
    """

    checks: frozenset[str] = frozenset(CHECKS)
    built: bool = False
    parity: bool = False
    external: bool = False
    embargo: bool = False
    http: bool = False
    workers: int | None = None

    def any_of(self, *names: str) -> bool:
        """Whether a check of these ids or groups is wanted."""
        return any(check in names or check.partition(".")[0] in names for check in self.checks)


@dataclass
class CheckReport:
    """What the checks of a site found.

    Attributes:
        findings: All of them, each once, without those that are accepted.
        done: (what was looked at, how many findings), in order.
        pages: How many pages were looked at.
        accepted: How many findings the site accepts.
        certificate: What was looked through for hidden rows, if that was asked for.
    """

    findings: list[Finding] = field(default_factory=list)
    done: list[tuple[str, int]] = field(default_factory=list)
    pages: int = 0
    accepted: int = 0
    certificate: dict[str, Any] | None = None

    @property
    def errors(self) -> list[Finding]:
        """Those for which the site should not be published."""
        return [finding for finding in self.findings if finding.is_error]

    @property
    def is_good(self) -> bool:
        """Whether there is no error."""
        return not self.errors

    def add(self, what: str, findings: Sequence[Finding]) -> None:
        """Take up what was found; what is known is not told again, and an error outweighs a doubt about its line."""
        errors = {(one.path, one.line) for one in findings if one.is_error and one.line is not None}
        self.findings = [one for one in self.findings if one.is_error or (one.path, one.line) not in errors]
        known = {(one.message, one.path, one.line) for one in self.findings}
        fresh = [one for one in findings if one.path is None or (one.message, one.path, one.line) not in known]
        self.findings += fresh
        self.done.append((what, len(fresh)))


def check_folder(site: Any) -> Path:
    """Where checks build to: kept, so that the next check renders only what changed."""
    folder: Path = site.state_folder / "check" / "site"
    return folder


def check_site(
    site: Any,
    wanted: Wanted | None = None,
    *,
    progress: Progress | None = None,
    begin: Callable[[str], None] = lambda what: None,
) -> CheckReport:
    """Check a site.

    Args:
        site: The site; it is prepared here.
        wanted: What to look at; all that needs no question by default.
        progress: Told (done, total) while pages are rendered, and again while they are read.
        begin: Told what is looked at next.

    Returns:
        What was found; nothing is published.
    """
    return _Checking(site, wanted or Wanted(), progress, begin).run()


class _Checking:
    """One run of the checks."""

    def __init__(self, site: Any, wanted: Wanted, progress: Progress | None, begin: Callable[[str], None]) -> None:
        self.site = site
        self.wanted = wanted
        self.progress = progress
        self.begin = begin
        self.report = CheckReport()
        self.acceptances: Acceptances | None = None

    def run(self) -> CheckReport:
        """Look at everything; what cannot be looked at ends the run."""
        site, wanted = self.site, self.wanted
        if not self.look("declarations", self._prepare, decisive=True):
            return self.report
        self.acceptances = Acceptances(site)
        self.look("models", lambda: check_site_models(site))
        self.look("storages", lambda: check_site_storages(site))
        self.look("templates", lambda: check_site_templates(site))
        self.look("code", lambda: check_site_code(site))
        self.look("translations", lambda: check_catalogs(site))
        self.look("migrations", lambda: check_site_migrations(site))
        output = site.folder / site.settings.peek("output") if wanted.built else check_folder(site)
        if not wanted.built and not self.look("build", lambda: self._build(output), decisive=True):
            return self.report
        opened: list[Built] = []
        if not self.look("manifest", lambda: self._open(output, opened), decisive=True):
            return self.report
        self.look("rows", lambda: check_rows(site))
        self._read(opened[0])
        report = self._finish()
        report.findings = Origins(opened[0]).told(report.findings)
        return report

    def _read(self, built: Built) -> None:
        """What is in the built files."""
        wanted, survey = self.wanted, Survey()
        self.report.pages = len(built.pages)
        self.look("files", lambda: check_files(built), needed=wanted.any_of("files"))
        self.look(
            "pages",
            lambda: survey_pages(built, survey, workers=wanted.workers, progress=self.progress),
            needed=wanted.any_of(
                "html", "links", "assets", "canonical", "hreflang", "sitemap", "weight", *_external(wanted)
            ),
            finish=lambda found: suggest(built, found),
        )
        self.look("links", lambda: _check_links(built, survey), needed=wanted.any_of("links", "assets", "html"))
        self.look("editions", lambda: check_alternates(built, survey), needed=wanted.any_of("hreflang"))
        self.look("feeds", lambda: check_feeds(built), needed=wanted.any_of("feeds"))
        self.look("sitemaps", lambda: check_sitemaps(built, survey), needed=wanted.any_of("sitemap"))
        if wanted.parity:
            self.look("parity", lambda: check_parity(built))
        if wanted.embargo:
            embargo = Embargo(http=wanted.http, workers=wanted.workers)
            self.look("embargo", lambda: check_embargo(built, embargo))
            self.report.certificate = embargo.certificate
        if wanted.external:
            cache = self.site.state_folder / "check" / "external.json"
            self.look("other hosts", lambda: check_external(survey.external, cache))

    def look(
        self,
        what: str,
        check: Look,
        *,
        needed: bool = True,
        decisive: bool = False,
        finish: Callable[[list[Finding]], list[Finding]] = lambda found: found,
    ) -> bool:
        """Look at something, and say whether no error was found. What a check raises it found.

        What is decisive is told whatever was asked for: without it nothing else can be looked at.
        """
        if not needed:
            return True
        self.begin(what)
        try:
            found = joined(check() if decisive else self._kept(check()))
        except ToolkitError as error:
            found = joined(findings_of(error) if decisive else self._kept(findings_of(error)))
        self.report.add(what, finish(found))
        return not any(finding.is_error for finding in found)

    def _kept(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Those that are asked for, and not accepted."""
        for finding in findings:
            if finding.id not in self.wanted.checks:
                continue
            if self.acceptances is None or not self.acceptances.accepts(finding):
                yield finding

    def _finish(self) -> CheckReport:
        acceptances = self.acceptances
        if acceptances is not None:
            made = _made(self.wanted)
            self.look("acceptances", lambda: acceptances.check(made), needed=bool(self.site.settings.peek("accepted")))
            self.report.accepted = acceptances.count
        return self.report

    def _prepare(self) -> Iterator[Finding]:
        self.site.prepare()
        yield from ()

    def _open(self, output: Path, opened: list[Built]) -> Iterator[Finding]:
        opened.append(Built(self.site, output))
        yield from ()

    def _build(self, output: Path) -> Iterator[Finding]:
        """Build as ``toolkit build`` would: tables, content, every page."""
        output.parent.mkdir(parents=True, exist_ok=True)
        builder = Builder(
            self.site, output=output, workers=self.wanted.workers, progress=self.progress, published=False
        )
        try:
            builder.build()
        except Problems as problems:
            yield from findings_of(problems)


def _external(wanted: Wanted) -> Collection[str]:
    return ("external",) if wanted.external else ()


def _made(wanted: Wanted) -> set[str]:
    """The checks that were really made."""
    left_out = {name for name in ASKED if not getattr(wanted, name)}
    return {check for check in wanted.checks if check.partition(".")[0] not in left_out}


def _check_links(built: Built, survey: Survey) -> Iterator[Finding]:
    yield from check_fragments(built, survey.wanted)
    yield from check_stylesheets(built)
    yield from check_redirects(built)
    yield from check_orphans(built, survey)
    yield from check_duplicates(survey)
