"""``toolkit next``: the coming instants at which embargoes and expiries fall due."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from toolkit.cli.invocation import invocation, json_option, site_options
from toolkit.cli.manifests import open_manifest
from toolkit.cli.moments import MOMENT
from toolkit.cli.sites import open_site
from toolkit.database import DEFAULT


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
@json_option
@site_options
def upcoming(count: int, after: datetime | None, output: Path | None) -> None:
    """Name the coming instants at which embargoes and expiries fall due.

    The next COUNT instants, that is, at which a row is published, expires or otherwise crosses the present. Those
    are the times at which to build. Which columns count is known from the queries of the last build.
    """
    asked = invocation()
    site = open_site()
    with open_manifest(site, output) as manifest:
        columns = sorted({tuple(pair) for record in manifest.shapes().values() for pair in record.get("clock", ())})
    found = sorted(
        due for table, column in columns for due in _due(site, table, column, after or datetime.now(UTC), count)
    )
    found = list(islice(found, count))
    if asked.as_json:
        asked.output.data([{**vars(due), "moment": due.moment.isoformat()} for due in found])
        return
    if not found:
        names = ", ".join(f"{table}.{column}" for table, column in columns)
        asked.output.say(f"nothing is due{f' in {names}' if names else ''}")
        return
    zone = ZoneInfo(site.settings.peek("timezone"))
    rows = [(due.moment.astimezone(zone).isoformat(sep=" "), due.column, due.name) for due in found]
    asked.output.table(("when", "what", "row"), rows)


def _due(site: Any, table: str, column: str, after: datetime, count: int) -> Iterator[Due]:
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
        rows = model.objects.filter(**{f"{field.name}__gt": after}).order_by(field.name)[:count]
        for row in rows:
            moment = getattr(row, field.name).astimezone(UTC)
            yield Due(moment, table, field.name, str(row.pk), f"{model.__name__} {row}")
