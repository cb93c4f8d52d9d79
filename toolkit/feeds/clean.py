"""A feed checked and made fit for any format, before a writer sees it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from toolkit.errors import FeedError, Problems, ToolkitError, ValidationError, did_you_mean
from toolkit.feeds.entry import Deleted, Enclosure, Entry, Person
from toolkit.feeds.info import PAGE_RELATIONS, FeedInfo
from toolkit.text import absolute_links, is_absolute, to_uri, xml_text

_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(\s*;.*)?", re.ASCII)
_LANGUAGE = re.compile("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True, slots=True)
class CleanFeed:
    """What the writers write: everything is valid, absolute, in UTC and free of control characters.

    Args:
        info: The feed's own facts.
        entries: In the order given.
        updated: The newest entry's ``updated``; without entries, what ``info`` said.
    """

    info: FeedInfo
    entries: tuple[Entry, ...]
    updated: datetime


def clean_feed(info: FeedInfo, entries: Iterable[Entry]) -> CleanFeed:
    """Check a feed and its entries, and clean their texts and URLs.

    Raises:
        FeedError: Something no reader could make sense of: an id used twice, a relative URL, a date without
            time zone, an empty title, a feed without entries or ``updated``.
        Problems: Several of these.
    """
    given = list(entries)
    problems = _find_duplicates(given, info.feed_url)
    kept: list[Entry] = []
    for entry in given:
        try:
            kept.append(_clean_entry(entry, info.feed_url))
        except FeedError as error:
            problems.append(error)
    try:
        cleaned_info = _clean_info(info)
        if not problems:
            return CleanFeed(cleaned_info, tuple(kept), _newest(kept, cleaned_info))
    except FeedError as error:
        problems.insert(0, error)
    if len(problems) == 1:
        raise problems[0]
    raise Problems(problems, summary=f"the feed {info.feed_url} has {len(problems)} problems")


def clean_deleted(deleted: Iterable[Deleted], feed_url: str) -> tuple[Deleted, ...]:
    """Tombstones with checked ids and moments in UTC, in the order given.

    Raises:
        FeedError: An id is no absolute URI, or a moment has no time zone.
    """
    fields = _Fields("a withdrawn entry", feed_url)
    return tuple(Deleted(fields.uri("id", gone.id), fields.moment("when", gone.when)) for gone in deleted)


def _newest(entries: Sequence[Entry], info: FeedInfo) -> datetime:
    if entries:
        return max(entry.updated for entry in entries)
    if info.updated is None:
        raise FeedError(
            f"the feed {info.title!r} has no entries, and no date to say instead",
            url=info.feed_url,
            hint="Give FeedInfo(updated=...), such as the day the section began: a build has no clock.",
        )
    return info.updated


def _find_duplicates(entries: Iterable[Entry], feed_url: str) -> list[ToolkitError]:
    """Two entries with one id: readers show one of them, and which one is chance (RFC 4287 §4.1.1)."""
    first: dict[str, Entry] = {}
    problems: list[ToolkitError] = []
    for entry in entries:
        other = first.setdefault(entry.id, entry)
        if other is not entry:
            problems.append(
                FeedError(
                    f"two entries have the id {entry.id!r}: {other.title!r} ({other.url}) and "
                    f"{entry.title!r} ({entry.url})",
                    url=feed_url,
                    hint="An id names one story for ever; make it of the primary key.",
                )
            )
    return problems


class _Fields:
    """Checks and cleans the values of one thing, and names it in errors.

    Args:
        owner: How an error calls the thing, such as ``entry 'Flood'``.
        feed_url: The feed it is in.
    """

    def __init__(self, owner: str, feed_url: str) -> None:
        self.owner = owner
        self.feed_url = feed_url

    def error(self, message: str, *, hint: str | None = None) -> FeedError:
        return FeedError(f"{self.owner}: {message}", url=self.feed_url, hint=hint)

    def line(self, text: str) -> str:
        """Text on one line."""
        return " ".join(xml_text(text).split())

    def title(self, text: str) -> str:
        title = self.line(text)
        if not title:
            raise self.error("the title is empty", hint="Readers list entries by title; give at least a few words.")
        return title

    def uri(self, name: str, value: str) -> str:
        """An identifier or link that stands on its own."""
        cleaned = self.line(value)
        if not is_absolute(cleaned):
            raise self.error(f"{name} {value!r} is not an absolute URL", hint="Begin with a scheme, such as https://.")
        try:
            return to_uri(cleaned)
        except ValidationError as error:
            raise self.error(f"{name}: {error.message}") from error

    def link(self, name: str, value: str) -> str:
        """A URL that readers can fetch."""
        uri = self.uri(name, value)
        if not uri.lower().startswith(("http://", "https://")):
            raise self.error(f"{name} {value!r} is not an address of the web", hint="It begins with https://.")
        return uri

    def moment(self, name: str, value: datetime) -> datetime:
        """A moment in UTC, to the second: what both RFC 822 and RFC 3339 can say."""
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise self.error(f"{name} is {value!r}, without a time zone", hint="Use aware datetimes.")
        return value.astimezone(UTC).replace(microsecond=0)

    def language(self, value: str | None) -> str:
        tag = (value or "").replace("_", "-")
        if tag and not _LANGUAGE.fullmatch(tag):
            raise self.error(f"language {value!r} is not a language tag", hint="Write en, es-MX or zh-Hans.")
        return tag

    def people(self, people: Iterable[Person]) -> tuple[Person, ...]:
        """People with a name; the others are nobody to a reader."""
        return tuple(
            Person(name, self.line(person.email), self.link("an author's url", person.url) if person.url else "")
            for person in people
            if (name := self.line(person.name))
        )


def _clean_info(info: FeedInfo) -> FeedInfo:
    fields = _Fields(f"the feed {info.title!r}", info.feed_url)
    unknown = [relation for relation, _ in info.pages if relation not in PAGE_RELATIONS]
    if unknown:
        raise fields.error(f"{unknown[0]!r} is not a relation of pages", hint=did_you_mean(unknown[0], PAGE_RELATIONS))
    return replace(
        info,
        id=fields.uri("id", info.id),
        title=fields.title(info.title),
        url=fields.link("url", info.url),
        feed_url=fields.link("feed_url", info.feed_url),
        description=fields.line(info.description),
        language=fields.language(info.language),
        copyright=fields.line(info.copyright),
        updated=fields.moment("updated", info.updated) if info.updated is not None else None,
        authors=fields.people(info.authors),
        icon=fields.link("icon", info.icon) if info.icon else "",
        logo=fields.link("logo", info.logo) if info.logo else "",
        hubs=tuple(fields.link("a hub", hub) for hub in info.hubs),
        pages=tuple((relation, fields.link(f"page {relation!r}", url)) for relation, url in info.pages),
        stylesheet_url=fields.line(info.stylesheet_url),
    )


def _clean_entry(entry: Entry, feed_url: str) -> Entry:
    fields = _Fields(f"entry {entry.title!r} ({entry.url})", feed_url)
    url = fields.link("url", entry.url)
    return replace(
        entry,
        id=fields.uri("id", entry.id),
        url=url,
        title=fields.title(entry.title),
        updated=fields.moment("updated", entry.updated),
        published=fields.moment("published", entry.published) if entry.published is not None else None,
        summary=fields.line(entry.summary),
        content=absolute_links(entry.content, url).strip(),
        authors=fields.people(entry.authors),
        categories=tuple(dict.fromkeys(name for name in map(fields.line, entry.categories) if name)),
        enclosures=tuple(_clean_enclosure(enclosure, fields) for enclosure in entry.enclosures),
        language=fields.language(entry.language) or None,
        point=_clean_point(entry.point, fields),
    )


def _clean_enclosure(enclosure: Enclosure, fields: _Fields) -> Enclosure:
    url = fields.link("an enclosure's url", enclosure.url)
    if not _MEDIA_TYPE.fullmatch(enclosure.type):
        raise fields.error(f"enclosure {url} has the type {enclosure.type!r}", hint="Give a media type: audio/mpeg.")
    if enclosure.length_bytes < 0:
        raise fields.error(f"enclosure {url} has the length {enclosure.length_bytes}", hint="Give its size in bytes.")
    return Enclosure(url, fields.line(enclosure.type), enclosure.length_bytes)


def _clean_point(point: tuple[float, float] | None, fields: _Fields) -> tuple[float, float] | None:
    if point is None:
        return None
    longitude, latitude = float(point[0]), float(point[1])
    if not (abs(longitude) <= 180 and abs(latitude) <= 90):  # also refuses NaN
        raise fields.error(f"point {point!r} is not on Earth", hint="Give (longitude, latitude) in degrees.")
    return longitude, latitude
