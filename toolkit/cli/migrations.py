"""``toolkit migrations``: make the tables follow the models, and say whether they do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from toolkit import migrations as engine
from toolkit.cli.failing import letter
from toolkit.cli.invocation import invocation, is_interactive, json_option, site_options
from toolkit.cli.sites import open_site
from toolkit.errors import MigrationError, Problems, did_you_mean


@click.group()
def migrations() -> None:
    """Make the tables follow the models, and say whether they do.

    An app has migrations once it has a folder 'migrations'; naming the app to 'make' begins one. The tables of other
    apps are made straight from their models, and changed by nobody.
    """


@migrations.command()
@click.argument("apps", nargs=-1, metavar="[APP]...")
@click.option("--name", help="A name instead of one that tells what is done.")
@click.option(
    "--fill", "fills", multiple=True, metavar="FIELD=VALUE", help="What existing rows get: app.Model.field=0."
)
@click.option("--dry-run", is_flag=True, help="Print the files and write nothing.")
@click.option("--no-input", is_flag=True, help="Ask nothing: a field that may have been renamed is a new one.")
@json_option
@site_options
def make(apps: tuple[str, ...], name: str | None, fills: tuple[str, ...], dry_run: bool, no_input: bool) -> None:
    """Write migrations for what changed in the models."""
    asked = invocation()
    site = open_site()
    begun = _begin(site, apps, write=not dry_run)
    ask: Callable[[Any], bool] = _ask if is_interactive() and not no_input else lambda question: False
    made = engine.make(site.apps, ask, fills=_fills(fills), name=name, write=not dry_run)
    if asked.as_json:
        asked.output.data(
            [{"app": one.app, "name": one.name, "path": str(one.path), "does": one.summary} for one in made]
        )
        return
    for one in made:
        asked.output.say(f"{letter(str(one.path))}{' (not written)' if dry_run else ''}")
        for step in one.summary:
            asked.output.say(f"  - {step}")
        if dry_run:
            asked.output.say(one.text)
    if not made and not any(app.migrations_folder for app in site.apps) and not begun:
        labels = " or ".join(app.label for app in site.apps if app.models)
        asked.output.say(f"no app has migrations yet; begin with: toolkit migrations make {labels}")
    elif not made:
        asked.output.say("nothing changed in the models")


def _begin(site: Any, labels: tuple[str, ...], *, write: bool) -> list[Path]:
    """Give the named apps a folder for their migrations, where they have none."""
    known = {app.label: app for app in site.apps}
    begun = []
    for label in labels:
        if label not in known:
            raise MigrationError(f"there is no app {label!r}", hint=did_you_mean(label, known))
        folder = known[label].folder / "migrations"
        if not folder.is_dir() and write:
            folder.mkdir()
            (folder / "__init__.py").touch()
            begun.append(folder)
    return begun


def _ask(question: Any) -> bool:
    return click.confirm(str(question), default=False, err=True)


def _fills(given: tuple[str, ...]) -> dict[str, Any]:
    fills = {}
    for one in given:
        name, separator, text = one.partition("=")
        if not separator or name.count(".") != 2:
            raise click.BadParameter(f"{one!r} is not app.Model.field=value", param_hint="--fill")
        try:
            fills[name] = json.loads(text)
        except ValueError:
            fills[name] = text
    return fills


@migrations.command()
@click.argument("target", required=False)
@click.option("--plan", "planned", is_flag=True, help="Say what would be done, and do nothing.")
@json_option
@site_options
def apply(target: str | None, planned: bool) -> None:
    """Bring the database to TARGET: newsroom, newsroom.0002 or newsroom.zero. By default, up to date."""
    asked = invocation()
    site = open_site()
    with site:
        if planned:
            steps = engine.plan(site.database, site.apps, target)
        else:
            steps = engine.apply(site.database, site.apps, target, tell=lambda step: asked.output.say(str(step)))
    if asked.as_json:
        asked.output.data([str(step) for step in steps])
        return
    for step in steps if planned else []:
        asked.output.say(f"would be done: {step}")
    asked.output.say(f"{len(steps)} to do" if planned else f"{len(steps)} done" if steps else "nothing to do")


@migrations.command()
@json_option
@site_options
def show() -> None:
    """List all migrations, and when each was applied."""
    asked = invocation()
    site = open_site()
    found = engine.show(site.database, site.apps)
    if asked.as_json:
        asked.output.data([vars(one) for one in found])
        return
    asked.output.table(
        ("app", "migration", "applied"),
        [
            (one.app, one.name, f"{one.applied_at:%Y-%m-%d %H:%M:%S} UTC" if one.applied_at else "no")
            if not one.missing
            else (one.app, one.name, "yes, but its file is gone")
            for one in found
        ],
    )


@migrations.command()
@click.option("--models-only", is_flag=True, help="Do not look at the database.")
@json_option
@site_options
def check(models_only: bool) -> None:
    """Say where models, migrations and tables disagree; nothing is written."""
    asked = invocation()
    site = open_site()
    found = engine.check(None if models_only else site.database, site.apps)
    if found:
        raise Problems(found, summary="models, migrations and tables disagree")
    if asked.as_json:
        asked.output.data({"ok": True, "problems": []})
    asked.output.say("models, migrations and tables agree", style="green")
