"""A clock that stands still."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from toolkit.errors import ToolkitError
from toolkit.trace import current, entered


class _StoppedType(type):
    """Passes for ``datetime`` itself, but for the moment."""

    moment: datetime

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, datetime)

    def __call__(cls, *args: Any, **options: Any) -> datetime:
        return datetime(*args, **options)  # noqa: DTZ001 - the caller says which

    def __getattr__(cls, name: str) -> Any:
        return getattr(datetime, name)

    def now(cls, tz: tzinfo | None = None) -> datetime:
        """The moment, whenever it is asked."""
        return cls.moment.astimezone(tz) if tz is not None else cls.moment.astimezone().replace(tzinfo=None)


@contextmanager
def frozen(moment: datetime | str) -> Iterator[datetime]:
    """Stop the toolkit's clock at an instant: for queries, builds and the server's answers.

    The site's own code is left alone; what it asks ``now()`` of the toolkit is answered with the moment.

    Args:
        moment: An aware datetime, or ISO 8601 text with an offset.

    Raises:
        ToolkitError: The moment has no time zone.
    """
    instant = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    if instant.tzinfo is None:
        raise ToolkitError(f"the moment {instant.isoformat()} has no time zone", hint="Add one: +00:00.")
    instant = instant.astimezone(UTC)
    stopped = _StoppedType("StoppedDatetime", (), {"moment": instant})
    patched = [
        module
        for name, module in list(sys.modules.items())
        if _is_ours(name) and vars(module).get("datetime") is datetime
    ]
    scope = current.get()
    for module in patched:
        vars(module)["datetime"] = stopped
    try:
        if scope is None:
            yield instant
        else:
            with entered(replace(scope, moment=instant)):
                yield instant
    finally:
        for module in patched:
            vars(module)["datetime"] = datetime


def _is_ours(name: str) -> bool:
    return name.startswith("toolkit.") and name != __name__
