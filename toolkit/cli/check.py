"""``toolkit check``: find what is wrong with the site, before readers do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from toolkit.checks import CHECKS, CheckReport, Finding, Wanted, check_site
from toolkit.checks.catalogue import choose
from toolkit.checks.findings import findings_of
from toolkit.checks.formats import FORMATS
from toolkit.cli.failing import LETTERS, letter, unexpected
from toolkit.cli.invocation import Invocation, invocation, json_option, site_argument, site_options
from toolkit.cli.sites import open_site
from toolkit.errors import ToolkitError

ERROR, WARNING, NEVER = "error", "warning", "never"


@click.command()
@site_argument
@click.option("--built", is_flag=True, help="Look at the last build in the output folder, and build nothing.")
@click.option("--parity", is_flag=True, help="Compare every page with the server's answer, byte for byte.")
@click.option("--external", is_flag=True, help="Follow links to other hosts, too; good ones not again for a week.")
@click.option("--embargo", is_flag=True, help="Prove that nothing of what readers may not see yet is published.")
@click.option("--http", is_flag=True, help="With --embargo: ask the server for what is hidden, as anybody could.")
@click.option(
    "--certificate",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --embargo: write down what was proved, as JSON.",
)
@click.option("--only", multiple=True, metavar="ID", help="Only this check, or group of checks; may be repeated.")
@click.option("--skip", multiple=True, metavar="ID", help="Not this check, or group of checks; may be repeated.")
@click.option(
    "--fail-on",
    type=click.Choice([ERROR, WARNING, NEVER]),
    default=ERROR,
    show_default=True,
    help="What makes the exit status 1.",
)
@click.option("--strict", is_flag=True, help="The same as --fail-on warning.")
@click.option(
    "--format",
    "written",
    type=click.Choice(["text", "json", *FORMATS]),
    default="text",
    show_default=True,
    help="How findings are told on stdout.",
)
@click.option("--workers", "-w", type=click.IntRange(min=1), help="Processes that work.  [default: one a core]")
@click.option("--list", "listed", is_flag=True, help="Name all checks, and what each finds.")
@json_option
@site_options
def check(
    built: bool,
    parity: bool,
    external: bool,
    embargo: bool,
    http: bool,
    certificate: Path | None,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    fail_on: str,
    strict: bool,
    written: str,
    workers: int | None,
    listed: bool,
) -> None:
    """Find what is wrong with the site, before readers do.

    Nothing is published. Looks at declarations, code, templates, catalogs and migrations; loads the content; builds
    into .toolkit/check (where the next check finds it again); and reads every page: links, fragments, images, ids,
    headings, languages, editions, weights, feeds, sitemaps.

    What is meant to be as it is can be accepted in toolkit.toml, under [accepted], with a reason.
    """
    asked = invocation()
    asked.as_json = asked.as_json or written == "json"
    if listed:
        _list(asked)
        return
    try:
        checks = choose(only, skip)
    except ToolkitError as error:
        raise click.BadParameter(str(error), param_hint="--only or --skip") from error
    if (http or certificate) and not embargo:
        raise click.UsageError("--http and --certificate are for --embargo")
    wanted = Wanted(checks, built=built, parity=parity, external=external, embargo=embargo, http=http, workers=workers)
    report = _check(asked, wanted)
    failed = _is_failed(report, WARNING if strict else fail_on)
    if certificate is not None and report.certificate is not None:
        certificate.write_text(json.dumps(report.certificate, ensure_ascii=False, indent=2) + "\n", "utf-8")
    _write(asked, report, written, failed=failed)
    if failed:
        click.get_current_context().exit(1)


def _is_failed(report: CheckReport, fail_on: str) -> bool:
    if fail_on == NEVER:
        return False
    return bool(report.findings if fail_on == WARNING else report.errors)


def _check(asked: Invocation, wanted: Wanted) -> CheckReport:
    """Run the checks; a site that cannot even be imported is a finding too."""
    try:
        site = open_site(prepared=False)
        with asked.output.progress("pages") as progress:
            return check_site(site, wanted, progress=progress)
    except ToolkitError as error:
        return CheckReport(findings=list(findings_of(error)))
    except Exception as error:
        if asked.traceback:
            raise
        return CheckReport(findings=list(findings_of(unexpected(error, asked), check="code.failed")))


def _write(asked: Invocation, report: CheckReport, written: str, *, failed: bool) -> None:
    if asked.as_json:
        asked.output.data(
            {
                "ok": not failed,
                "pages": report.pages,
                "looked_at": [what for what, _ in report.done],
                "accepted": report.accepted,
                "certificate": report.certificate,
                "findings": [finding.as_dict() for finding in report.findings],
            }
        )
    elif written in FORMATS:
        text = FORMATS[written](report.findings, Path.cwd())
        if text:
            asked.output.say(text)
    else:
        _tell(asked, report)


def _tell(asked: Invocation, report: CheckReport) -> None:
    errors = report.errors
    warnings = [finding for finding in report.findings if not finding.is_error]
    _print(asked, errors, "error", "red")
    _print(asked, warnings, "warning", "yellow")
    looked = ", ".join(what for what, _ in report.done)
    pages = f"; {report.pages} pages" if report.pages else ""
    asked.output.say(f"looked at: {looked or 'nothing'}{pages}")
    if report.certificate is not None:
        asked.output.say(_proved(report.certificate))
    accepted = f", {report.accepted} accepted" if report.accepted else ""
    counts = f"{_count(errors, 'error')}, {_count(warnings, 'warning')}{accepted}"
    asked.output.say(counts, style="red" if errors else "yellow" if warnings else "green")


def _proved(certificate: dict[str, Any]) -> str:
    hidden, scanned = certificate["hidden"], certificate["scanned"]
    rows = ", ".join(f"{count} {model}" for model, count in hidden["rows"].items()) or "nothing"
    blind = len(hidden["rows_without_fingerprint"])
    return (
        f"hidden at {certificate['instant']}: {rows}; looked for {hidden['fingerprints']:,} runs of words, "
        f"{hidden['files']} files and {hidden['urls']} URLs in {scanned['files']:,} files of {scanned['bytes']:,} bytes"
        + (f"; {blind} rows have no words of their own" if blind else "")
    )


def _print(asked: Invocation, findings: Sequence[Finding], word: str, style: str) -> None:
    for finding in findings[:LETTERS]:
        asked.output.note(f"{word} [{finding.id}] {letter(str(finding))}", style=style)
    if len(findings) > LETTERS:
        asked.output.note(f"... and {len(findings) - LETTERS} more; see all with --json")


def _count(findings: Sequence[Finding], word: str) -> str:
    return f"{len(findings)} {word}{'' if len(findings) == 1 else 's'}"


def _list(asked: Invocation) -> None:
    if asked.as_json:
        asked.output.data({name: check._asdict() for name, check in CHECKS.items()})
    rows = [(name, check.severity, check.finds) for name, check in CHECKS.items()]
    asked.output.table(("check", "severity", "finds"), rows)
