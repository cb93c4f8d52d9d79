"""Instants on the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic in newer releases of click only
    """An instant with its offset from UTC, in ISO 8601."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it; without an offset it could be one of a day's worth of instants, so that is refused."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no instant. Write it as 2026-05-01T06:00+02:00.", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"{value!r} does not say in which time zone. Add an offset, such as Z or +02:00.", param, ctx)
        try:
            moment.astimezone(UTC)
        except OverflowError:
            self.fail(f"{value!r} is out of bounds, which are the years 1 to 9999 in UTC.", param, ctx)
        return moment


MOMENT = Moment()
