"""``toolkit check``: find what is wrong with the site, before readers do."""

from __future__ import annotations

from collections.abc import Sequence

import click

from toolkit.checks import CHECKS, CheckReport, Finding, check_site
from toolkit.checks.findings import findings_of
from toolkit.cli.failing import LETTERS, letter, unexpected
from toolkit.cli.invocation import Invocation, invocation, json_option, site_argument, site_options
from toolkit.cli.sites import open_site
from toolkit.errors import ToolkitError


@click.command()
@site_argument
@click.option("--built", is_flag=True, help="Look at the last build in the output folder, and build nothing.")
@click.option("--parity", is_flag=True, help="Compare every page with the server's answer, byte for byte.")
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@click.option("--workers", "-w", type=click.IntRange(min=1), help="Processes that render.  [default: one a core]")
@click.option("--list", "listed", is_flag=True, help="Name all checks, and what each finds.")
@json_option
@site_options
def check(built: bool, parity: bool, strict: bool, workers: int | None, listed: bool) -> None:
    """Find what is wrong with the site, before readers do.

    Nothing is published. Looks at declarations, templates, catalogs and migrations; loads the content; builds into
    .toolkit/check (where the next check finds it again); and reads every page: links, fragments, images, ids,
    languages, editions, feeds, sitemaps.
    """
    asked = invocation()
    if listed:
        _list(asked)
        return
    report = _check(asked, built=built, parity=parity, workers=workers)
    failed = bool(report.errors) or (strict and bool(report.findings))
    if asked.as_json:
        asked.output.data(
            {
                "ok": not failed,
                "pages": report.pages,
                "looked_at": [what for what, _ in report.done],
                "findings": [finding.as_dict() for finding in report.findings],
            }
        )
    else:
        _tell(asked, report)
    if failed:
        click.get_current_context().exit(1)


def _check(asked: Invocation, *, built: bool, parity: bool, workers: int | None) -> CheckReport:
    """Run the checks; a site that cannot even be imported is a finding too."""
    try:
        site = open_site(prepared=False)
        with asked.output.progress("pages") as progress:
            return check_site(site, built=built, parity=parity, workers=workers, progress=progress)
    except ToolkitError as error:
        return CheckReport(findings=list(findings_of(error)))
    except Exception as error:
        if asked.traceback:
            raise
        return CheckReport(findings=list(findings_of(unexpected(error, asked), check="code.failed")))


def _tell(asked: Invocation, report: CheckReport) -> None:
    errors = report.errors
    warnings = [finding for finding in report.findings if not finding.is_error]
    _print(asked, errors, "error", "red")
    _print(asked, warnings, "warning", "yellow")
    looked = ", ".join(what for what, _ in report.done)
    pages = f"; {report.pages} pages" if report.pages else ""
    asked.output.say(f"looked at: {looked or 'nothing'}{pages}")
    counts = f"{_count(errors, 'error')}, {_count(warnings, 'warning')}"
    asked.output.say(counts, style="red" if errors else "yellow" if warnings else "green")


def _print(asked: Invocation, findings: Sequence[Finding], word: str, style: str) -> None:
    for finding in findings[:LETTERS]:
        asked.output.note(f"{word} [{finding.id}] {letter(str(finding))}", style=style)
    if len(findings) > LETTERS:
        asked.output.note(f"... and {len(findings) - LETTERS} more; see all with --json")


def _count(findings: Sequence[Finding], word: str) -> str:
    return f"{len(findings)} {word}{'' if len(findings) == 1 else 's'}"


def _list(asked: Invocation) -> None:
    if asked.as_json:
        asked.output.data({name: {"severity": severity, "finds": about} for name, (severity, about) in CHECKS.items()})
    asked.output.table(("check", "severity", "finds"), [(name, *row) for name, row in CHECKS.items()])
