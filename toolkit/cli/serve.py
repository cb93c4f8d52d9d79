"""``toolkit serve``: answer HTTP with the same pages."""

from __future__ import annotations

import click

from toolkit.cli.contents import load_content
from toolkit.cli.failing import flatten, print_letters
from toolkit.cli.invocation import invocation, site_argument, site_options
from toolkit.cli.sites import open_site
from toolkit.errors import ToolkitError
from toolkit.server import serve as run_server


@click.command()
@site_argument
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", "-p", type=click.IntRange(1, 65535), default=8000, show_default=True, help="The port.")
@click.option(
    "--preview", is_flag=True, help="Show drafts, and reload a page in the browser when what it reads changes."
)
@click.option(
    "--workers", "-w", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that answer."
)
@site_options
def serve(host: str, port: int, preview: bool, workers: int) -> None:
    """Answer HTTP with the same pages, on demand.

    The content files are loaded first; a preview loads them again when they change. Any other WSGI server will do as
    well: its application is the site's wsgi, such as newsroom.site:wsgi.
    """
    asked, site = invocation(), open_site()
    try:
        load_content(site)
    except ToolkitError as error:
        if not preview:  # a preview shows the same in the browser, and goes on when it is mended
            raise
        print_letters(list(flatten(error)), asked)
    shown = f"[{host}]" if ":" in host else host
    kind = "a preview of " if preview else ""
    url = f"http://{shown}:{port}{site.base_path}/"
    asked.output.say(f"serving {kind}{site.settings.peek('title')} at {url} (Ctrl+C ends it)")
    run_server(site, host=host, port=port, preview=preview, workers=workers)
