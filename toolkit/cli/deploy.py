"""``toolkit deploy``: put the last build where readers are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from toolkit.cli.invocation import Invocation, invocation, json_option, site_options
from toolkit.cli.sites import open_site
from toolkit.deploy.declarations import HOSTS, Declaration, find_declaration
from toolkit.deploy.files import PHASES, read_build
from toolkit.deploy.hosts.choose import for_host
from toolkit.deploy.plan import Plan
from toolkit.deploy.releases import Release, list_releases
from toolkit.deploy.report import DeployReport
from toolkit.deploy.run import Deployer, reached
from toolkit.deploy.targets.open import make_target

T = TypeVar("T")

SHOWN = 30
"""Paths of one kind that a plan lists without ``--all``."""


class _Deletions(click.ParamType[int | str]):
    """A number, a percentage, or ``all``."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        text = str(value)
        if text == "all":
            return -1
        if text.isdigit():
            return int(text)
        if text.endswith("%") and text[:-1].isdigit() and int(text[:-1]) <= 100:
            return text
        self.fail(f"{text!r} is neither a number, nor a percentage, nor 'all'", param, ctx)


class _Sample(click.ParamType[int | str]):
    """A number, or ``all``."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        text = str(value)
        if text == "all":
            return text
        if text.isdigit():
            return int(text)
        self.fail(f"{text!r} is neither a number nor 'all'", param, ctx)


@click.command()
@click.argument("target", required=False)
@click.option("--dry-run", "-n", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--all", "everything", is_flag=True, help="With --dry-run: list every path.")
@click.option(
    "--print-host", metavar="HOST", type=click.Choice(HOSTS), help="Print headers and redirects as HOST reads them."
)
@click.option("--list", "listed", is_flag=True, help="List the releases at the target.")
@click.option(
    "--rollback", is_flag=False, flag_value="previous", metavar="[ID]", help="Let readers see the release before."
)
@click.option("--max-deletes", type=_Deletions(), metavar="N", help="The most files to delete: 300, 10% or all.")
@click.option("--full", is_flag=True, help="Believe no manifest at the target: compare all files by content.")
@click.option("--adopt", is_flag=True, help="Write over files that others put where the build has one.")
@click.option("--verify", type=_Sample(), metavar="N", help="Fetch N files afterwards, or all, and compare.")
@click.option(
    "--purge-list", type=click.Path(dir_okay=False, path_type=Path), help="Write the URLs that changed, one a line."
)
@click.option("--no-hooks", is_flag=True, help="Tell no CDN, and run nothing afterwards.")
@click.option("--break-lock", is_flag=True, help="Remove the lock of a deploy that is known to be over.")
@click.option(
    "--output", "-o", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Deploy this build."
)
@json_option
@site_options
def deploy(
    target: str | None,
    dry_run: bool,
    everything: bool,
    print_host: str | None,
    listed: bool,
    rollback: str | None,
    max_deletes: int | str | None,
    full: bool,
    adopt: bool,
    verify: int | str | None,
    purge_list: Path | None,
    no_hooks: bool,
    break_lock: bool,
    output: Path | None,
) -> None:
    """Put the last build where readers are, sending only what changed.

    TARGET is one of those in toolkit.toml, such as live for [deploy.live]; it may be left out if there is only one.
    Assets go first, then pages, then feeds and sitemaps; what the site no longer has is deleted last. Files that the
    toolkit did not put there are left alone. A deploy that was ended in between is completed by the next.
    """
    asked = invocation()
    site = open_site()
    if print_host is not None:
        _print_form(asked, site, print_host, output)
        return
    declared = find_declaration(site, target)
    if listed:
        _list(asked, site, declared)
        return
    make = partial(
        Deployer,
        site,
        declared,
        output=output.absolute() if output else None,
        max_deletes=max_deletes,
        full=full,
        adopt=adopt,
        breaks_lock=break_lock,
        verify=verify,
        hooks=not no_hooks,
    )
    if rollback is not None:
        _tell_rollback(asked, _at_work(asked, make, lambda deployer: deployer.roll_back(rollback)))
    elif dry_run:
        _tell_plan(asked, declared, _at_work(asked, make, Deployer.plan), limit=None if everything else SHOWN)
    else:
        report = _at_work(asked, make, Deployer.deploy)
        _write_purge_list(purge_list, report)
        _tell_report(asked, declared, report)


def _at_work(asked: Invocation, make: Callable[..., Deployer], work: Callable[[Deployer], T]) -> T:
    """What a deployer does while people see how far it is."""
    with asked.output.progress("files") as progress:
        return work(make(say=asked.output.say, progress=progress))


def _write_purge_list(path: Path | None, report: DeployReport) -> None:
    if path is not None:
        path.write_text("".join(f"{url}\n" for url in report.purged), "utf-8")


def _tell_report(asked: Invocation, declared: Declaration, report: DeployReport) -> None:
    speak = asked.output
    if speak.as_json:
        speak.data({"ok": True, **report.as_dict()})
        return
    for notice in report.notices:
        speak.note(f"note: {notice}", style="yellow")
    if report.verified:
        speak.say(f"{report.verified} files verified at {declared.url}")
    speak.say(report.summary(), style="green")


def _print_form(asked: Invocation, site: Any, host: str, output: Path | None) -> None:
    _, form = for_host(read_build(site, output.absolute() if output else None), host)
    texts = {**{path: body.decode() for path, body in form.files.items()}, **form.config}
    if asked.as_json:
        asked.output.data({"host": host, "files": texts, "notices": form.notices})
        return
    for name, text in texts.items():
        asked.output.say(f"# {name}", style="green")
        asked.output.say(text)
    for notice in form.notices:
        asked.output.note(f"note: {notice}", style="yellow")


def _list(asked: Invocation, site: Any, declared: Declaration) -> None:
    target = make_target(site, declared)
    with reached(target):
        releases = list_releases(target) if target.keeps_releases else []
    if asked.as_json:
        asked.output.data([vars(release) for release in releases])
        return
    if not releases:
        asked.output.say(f"{target.name} has no releases")
        return
    asked.output.table(
        ("release", "deployed", "shows", "files", ""),
        [(one.id, one.at, one.moment, one.files, _standing(one)) for one in releases],
    )


def _standing(release: Release) -> str:
    if release.is_current:
        return "current"
    if release.is_rejected:
        return "taken back"
    if release.is_left:
        return "left"
    return "" if release.is_complete else "begun"


def _tell_rollback(asked: Invocation, release: str) -> None:
    if asked.as_json:
        asked.output.data({"ok": True, "release": release})
    asked.output.say(f"readers see the release {release}", style="green")


def _tell_plan(asked: Invocation, declared: Declaration, plan: Plan, *, limit: int | None) -> None:
    speak = asked.output
    if speak.as_json:
        speak.data({"ok": True, "target": declared.name, **plan.as_dict()})
        return
    for number, told in PHASES.items():
        files = plan.phase(number)
        lines = [f"  {file.path} ({plan.reasons[file.path]}, {file.size:,} bytes)" for file in files]
        _tell_some(asked, f"{told}: {len(files)}", lines, limit)
    _tell_some(asked, f"deletions: {len(plan.deletions)}", [f"  {path}" for path in plan.deletions], limit)
    if plan.obstacles:
        _tell_some(
            asked,
            f"in the way, files of others: {len(plan.obstacles)}",
            [f"  {path}" for path in plan.obstacles],
            limit,
        )
    speak.say(
        f"{declared.name}: {len(plan.uploads)} files to put ({plan.bytes:,} bytes), {len(plan.deletions)} to delete, "
        f"{len(plan.unchanged)} unchanged; nothing was done",
        style="green",
    )


def _tell_some(asked: Invocation, title: str, lines: list[str], limit: int | None) -> None:
    if not lines:
        return
    asked.output.say(title)
    for line in lines[:limit]:
        asked.output.say(line)
    if limit is not None and len(lines) > limit:
        asked.output.say(f"  ... and {len(lines) - limit} more; see them with --all")
