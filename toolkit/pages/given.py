"""The subjects that a function gives, and what a page that has one of them has read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from toolkit.models.batches import note_row
from toolkit.pages.likeness import Subject, describe_subjects
from toolkit.pages.routes import Route
from toolkit.trace import SUMMED, Input, Trace


class Objects:
    """The subjects of a route that a function gives, or a list, in one locale.

    Args:
        by_key: The subjects, in order.
        trace: What the function read.

    Attributes:
        subjects: By key what stands for each, as it is before any page has it; empty where nothing need.
    """

    def __init__(self, by_key: dict[Any, Any], trace: Trace) -> None:
        self.by_key = by_key
        self.trace = trace
        self._summed, self._rest = trace.divide(SUMMED)
        found = by_key if self._summed.own else {}
        # which pages have an asset decides whether it is published: where the function uses others, all are made again
        used = [[*read, value] for read, value in self._rest.own.items() if read[0] not in ("url", "plan")]
        self.subjects: Mapping[Any, Subject] = describe_subjects(found, among=used)
        keeping = {key: list(_keeping(subject)) for key, subject in by_key.items()}
        self._keeping = {key: found for key, found in keeping.items() if found}

    def note(self, trace: Trace, route: Route, key: Any, locale: str) -> None:
        """Record that a page has one of the subjects, which is as the function gave it."""
        subject = self.subjects.get(key, Subject(None))
        if subject.digest is None:
            trace.merge(self.trace)
        else:
            part = Trace(summary=Input("subject", (route.id, key, locale), subject.digest))
            part.include(self._summed)
            trace.include(part)
            trace.include(self._rest)
        for row in subject.rows:
            note_row(trace, row)
        for each, names in self._keeping.get(key, ()):
            for name in names:  # found for another page, whose trace has what was read for it
                vars(each).pop(name, None)


def _keeping(subject: Any) -> Iterator[tuple[Any, list[str]]]:
    """The objects of a subject that keep what they are asked (``cached_property``), with the names they will keep.

    Rows need not be among them: see ``toolkit.models.keeping``.
    """
    for each in (subject, *subject.values()) if isinstance(subject, Mapping) else (subject,):
        held = getattr(each, "__dict__", None)
        if isinstance(held, dict):
            kept = {name for kind in type(each).__mro__ for name, value in vars(kind).items() if _keeps(value)}
            if names := sorted(kept - held.keys()):
                yield each, names


def _keeps(value: Any) -> bool:
    return isinstance(value, cached_property)
