"""``toolkit data``: rows from files."""

from __future__ import annotations

import click

from toolkit.cli.invocation import invocation, json_option, site_options
from toolkit.cli.sites import load_content, open_site


@click.group()
def data() -> None:
    """Load the content files into the database."""


@data.command()
@click.option("--verbose", "-v", is_flag=True, help="Name each row that was added, changed or removed.")
@json_option
@site_options
def load(verbose: bool) -> None:
    """Make the rows of the content sources be what their files say: all of them, or none.

    'toolkit build' and 'toolkit serve' do this by themselves.
    """
    asked = invocation()
    report = load_content(open_site())
    if asked.as_json:
        asked.output.data(
            {
                "added": report.added,
                "changed": report.changed,
                "removed": report.removed,
                "unchanged": report.unchanged,
                "events": [{"kind": kind, "row": name} for kind, name in report.events],
                "notes": list(report.notes),
            }
        )
        return
    for verb, name in report.events if verbose else ():
        asked.output.say(f"{verb} {name}")
    for source in report:
        asked.output.say(str(source))
    for note in report.notes:
        asked.output.note(f"note: {note}", style="yellow")


@data.command()
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
@click.option("--database", "url", metavar="URL", help="Look at this database.  [default: the site's]")
@click.option("--views", is_flag=True, help="Write models for views, too.")
@site_options
def inspect(tables: tuple[str, ...], url: str | None, views: bool) -> None:
    """Print a module of models for the tables of a database that others made.

    Send it to a file of an app, 'toolkit data inspect > archive/models.py', and read it: names are the database's,
    references do nothing when a row is deleted, and a comment stands where a column has no exact counterpart. The
    models are not managed: migrations and builds leave their tables as they are.
    """
    from toolkit.database import Database
    from toolkit.models.inspecting import inspect_models

    site = open_site()
    database = Database(url, folder=site.folder) if url is not None else site.database
    click.echo(inspect_models(database, tables, views=views), nl=False)
