"""``toolkit next``: the coming instants at which embargoes and expiries fall due."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import click

from toolkit.builder.foresight import Coming, Foresight
from toolkit.cli.invocation import invocation, json_option, site_options
from toolkit.cli.manifests import open_manifest
from toolkit.cli.moments import MOMENT
from toolkit.cli.sites import open_site
from toolkit.database import DEFAULT
from toolkit.models.fields import DateTimeField

SHOWN = 4
"""URLs that are named for an instant; ``--json`` names all."""


@dataclass(frozen=True, order=True)
class Due:
    """An instant at which a row crosses the moment.

    Args:
        moment: When, in UTC.
        table: Which table.
        column: Which column holds the instant.
        key: The row's primary key, as text.
        name: The row in words.
    """

    moment: datetime
    table: str
    column: str
    key: str
    name: str


@click.command(name="next")
@click.argument("count", type=click.IntRange(min=1), default=10)
@click.option("--after", type=MOMENT, metavar="TIME", help="After this instant, not now.")
@click.option("--output", "-o", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Of this build.")
@click.option("--pages/--no-pages", default=True, help="Ask which pages change then.  [default: pages]")
@click.option(
    "--discreet", is_flag=True, help="Name rows by key, and no page that is not public: for logs that others read."
)
@json_option
@site_options
def upcoming(count: int, after: datetime | None, output: Path | None, pages: bool, discreet: bool) -> None:
    """Name the coming instants at which embargoes and expiries fall due.

    The next COUNT instants, that is, at which a row is published, expires or otherwise crosses the present, with the
    pages that change, appear or vanish then. Those are the times at which to build. Which columns count, and who asks
    for them, is known from the last build.

    This is for the desk: it names rows, and pages to come, that readers may not know of yet. Where others read along,
    as in the log of a CI, ask with --discreet.
    """
    asked = invocation()
    site = open_site()
    now = after or datetime.now(UTC)
    with open_manifest(site, output) as manifest:
        columns = sorted({tuple(each) for record in manifest.shapes().values() for each in record.get("clock", ())})
        found = sorted({due for name, column, later in columns for due in _due(site, name, column, later, now, count)})
        found = list(islice(found, count))
        moments = list(dict.fromkeys(due.moment for due in found)) if pages else []
        coming = {one.moment: one for one in Foresight(site, manifest).look(now, moments)} if moments else {}
        public = {page.url for page in manifest.pages().values()} if discreet else set()
    told = [(due, coming.get(due.moment), 0) for due in found]
    if discreet:
        told = [_discreet(due, one, public) for due, one, _ in told]
    if asked.as_json:
        asked.output.data([_data(*one, discreet=discreet) for one in told])
        return
    if not found:
        names = ", ".join(dict.fromkeys(f"{table}.{column}" for table, column, _ in columns))
        asked.output.say(f"nothing is due{f' in {names}' if names else ''}")
        return
    zone = ZoneInfo(site.settings.peek("timezone"))
    rows = [
        (due.moment.astimezone(zone).isoformat(sep=" "), due.column, due.name, _told(one, hidden))
        for due, one, hidden in told
    ]
    asked.output.table(("when", "what", "row", "pages"), rows)


def _discreet(due: Due, coming: Coming | None, public: set[str]) -> tuple[Due, Coming | None, int]:
    """The same without what readers may not know of yet, and how many pages that were."""
    due = replace(due, name=f"{due.name.partition(' ')[0]} {due.key}")
    if coming is None:
        return due, None, 0
    changed, new, gone = ([url for url in urls if url in public] for urls in (coming.changed, coming.new, coming.gone))
    shown = replace(coming, changed=changed, new=new, gone=gone)
    return due, shown, coming.count - shown.count


def _data(due: Due, coming: Coming | None, hidden: int, *, discreet: bool) -> dict[str, Any]:
    row = {**vars(due), "moment": due.moment.isoformat()}
    if coming is None:
        return row
    told = {"hidden_count": hidden} if discreet else {}
    return {**row, "pages": {"changed": coming.changed, "new": coming.new, "gone": coming.gone, **told}}


def _told(coming: Coming | None, hidden: int) -> str:
    """How many pages, and the first of them: those that come and go before those that change."""
    if coming is None:
        return ""
    named = [f"{hidden} hidden"] if hidden else []
    named += [f"+{url}" for url in coming.new] + [f"-{url}" for url in coming.gone] + coming.changed
    more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    return f"{coming.count + hidden}: {', '.join(map(unquote, named[:SHOWN]))}{more}" if named else "0"


def _due(site: Any, table: str, column: str, later: int, after: datetime, count: int) -> Iterator[Due]:
    place, _, name = table.rpartition(":")
    database = site.find_database(place or DEFAULT)
    model: Any = database.schema.by_table.get(name) if database is not None else None
    field = (
        next((field for field in model._meta.local_fields if field.column == column), None)
        if model is not None
        else None
    )
    if field is None:
        return
    with site:
        shift = timedelta(microseconds=later)
        bound = after + shift if isinstance(field, DateTimeField) else (after + shift).date()
        rows = model.objects.filter(**{f"{field.name}__gt": bound}).order_by(field.name)[:count]
        for row in rows:
            value = getattr(row, field.name)
            reached = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
            moment = reached.astimezone(UTC) - shift
            yield Due(moment, table, field.name, str(row.pk), f"{model.__name__} {row}")
