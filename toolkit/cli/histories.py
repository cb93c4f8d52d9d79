"""The commands of ``toolkit migrations`` that write the history anew: shorter, or in one line."""

from __future__ import annotations

from collections.abc import Sequence

import click

from toolkit import migrations as engine
from toolkit.cli.failing import letter
from toolkit.cli.invocation import invocation, json_option, site_options
from toolkit.cli.sites import open_site


def tell_made(
    made: Sequence[engine.WrittenMigration], *, nothing: str, text: bool = False, written: bool = True
) -> None:
    """Say which migrations were made, and what each does.

    Args:
        made: The migrations.
        nothing: What to say when there are none.
        text: With the text of each.
        written: Whether they were written.
    """
    asked = invocation()
    if asked.as_json:
        asked.output.data(
            [{"app": one.app, "name": one.name, "path": str(one.path), "does": one.summary} for one in made]
        )
        return
    for one in made:
        asked.output.say(f"{letter(str(one.path))}{'' if written else ' (not written)'}")
        for step in one.summary:
            asked.output.say(f"  - {step}")
        if text:
            asked.output.say(one.text)
    if not made:
        asked.output.say(nothing)


@click.command()
@click.argument("app")
@click.argument("first")
@click.argument("last", required=False)
@click.option("--name", help="A name instead of one that tells which is the last.")
@click.option("--no-optimize", is_flag=True, help="Keep all operations as they are.")
@json_option
@site_options
def squash(app: str, first: str, last: str | None, *, name: str | None, no_optimize: bool) -> None:
    """Put the migrations of APP from FIRST to LAST into one that stands for them; with one name, up to that one."""
    asked = invocation()
    site = open_site()
    begin, end = (None, first) if last is None else (first, last)
    done = engine.squash(site.apps, app, begin, end, name=name, shorten=not no_optimize)
    tell_made([done.written], nothing="")
    if asked.as_json:
        return
    asked.output.say(f"stands for {', '.join(done.replaced)}: {done.after} operations instead of {done.before}")
    for note in done.notes:
        asked.output.note(f"note: {note}", style="yellow")
    asked.output.say("Keep the old files until every database has applied them all, then delete them and 'replaces'.")


@click.command()
@click.argument("app")
@click.argument("name", required=False)
@click.option("--check", "checked", is_flag=True, help="Write nothing; exit with 1 if it could be shorter.")
@json_option
@site_options
def optimize(app: str, name: str | None, *, checked: bool) -> None:
    """Write the migration APP NAME again with fewer operations that do the same."""
    site = open_site()
    done = engine.optimized(site.apps, app if name is None else f"{app}.{name}", write=not checked)
    if done is None:
        tell_made([], nothing="it can do with no fewer operations")
        return
    written, before = done
    tell_made([written], nothing="", written=not checked)
    if not invocation().as_json:
        invocation().output.say(f"{len(written.summary)} operations instead of {before}")
    if checked:
        click.get_current_context().exit(1)


@click.command()
@click.argument("last", required=False)
@click.option("--anyway", is_flag=True, help="Even if their order matters.")
@click.option("--no-database", is_flag=True, help="Do not ask the database what it has applied.")
@json_option
@site_options
def rebase(last: str | None, *, anyway: bool, no_database: bool) -> None:
    """Put migrations that were made side by side one behind the other; LAST (app.name) is of the side that follows."""
    asked = invocation()
    site = open_site()
    moved = engine.rebase(site.apps, database=None if no_database else site.database, last=last, anyway=anyway)
    if asked.as_json:
        asked.output.data([{"app": one.app, "old": one.old, "new": one.new, "path": str(one.path)} for one in moved])
        return
    for one in moved:
        asked.output.say(str(one))
    if not moved:
        asked.output.say("no migrations were made side by side")


@click.command()
@click.option("--anyway", is_flag=True, help="Even if their order matters.")
@json_option
@site_options
def merge(*, anyway: bool) -> None:
    """Make a migration that follows both sides of those made side by side, and does nothing itself."""
    tell_made(engine.merge(open_site().apps, anyway=anyway), nothing="no migrations were made side by side")
