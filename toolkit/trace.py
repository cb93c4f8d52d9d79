"""What a page was made of.

While a page renders, everything it reads is recorded as an *input*: (kind, key, digest of the value read).
The record is a verifying trace (Mokhov, Mitchell, Peyton Jones, "Build Systems à la Carte", 2018): it can be
asked later whether the same things would be read today.

This module is at the bottom of the house: it knows nothing of databases or templates. Those record here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from toolkit.errors import DatabaseError

_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_blake2b = hashlib.blake2b

BUCKET_BITS = 8
"""Rows whose whole-numbered keys differ in these bits only are compared together: they are one bucket."""

ABSENT = b""
"""The digest of what was looked for and is not there."""

UNVERIFIABLE = b"?"
"""The digest of what nobody can ask again: it verifies never."""


def digest(value: Any) -> bytes:
    """16 bytes that stand for a value made of None, bool, numbers, text, bytes, dates, lists, tuples, dicts."""
    return _blake2b(_encode(value), digest_size=16).digest()


def digest_bytes(body: bytes) -> bytes:
    """16 bytes that stand for a file's content."""
    return _blake2b(body, digest_size=16).digest()


def bucket_of(key: Any) -> int | None:
    """Which rows a row is compared with, by its primary key: 256 neighbours; None stands for rows of any other key."""
    return key >> BUCKET_BITS if isinstance(key, int) else None


class Input(NamedTuple):
    """One thing that was read.

    Kinds, and their keys:

    - ``row``: (table, columns or None for all, primary key); digest of the row's raw values
    - ``query``: (shape id, parameters); digest of the ordered result
    - ``template``: (name,); digest of the winning path and its source
    - ``message``: (locale, domain, context, msgid, plural msgid); digest of the translations found
    - ``asset``: (path,); digest of the file it stands for
    - ``file``: (path relative to the site's folder,); digest of the content
    - ``stored``: (storage, name); digest of the file, or what its storage says of it; of a folder, ``name/``, the names
    - ``image``: (kind, storage, name, what is done to it); digest of the file, the settings and the encoders' versions
    - ``folder``: (path relative to the site's folder,); digest of the sorted names in it
    - ``link``: (path relative to the site's folder,); digest of where a link leads to, or of what is there instead
    - ``setting``: (name,); digest of the value
    - ``environment``: (variable,), or ("*",) for all of them; digest of the value
    - ``outside``: (who was asked,), another host or program; digest of nothing: it verifies never
    - ``imported``: (who was asked,) while modules were imported, which hold the answer; digest of nothing
    - ``url``: (route, subject key, locale, number); digest of the URL
    - ``plan``: (route, locale); digest of all subjects and URLs of a route
    - ``subject``: (route, subject key, locale); digest of a subject, see ``toolkit.pages.likeness``
    - ``clock``: (granularity,); digest of the answer at that granularity
    - ``code``: (); digest of all Python sources and library versions
    - ``part``: (); recorded by a build of a part of the site, of a stale page that it left as it was: never verifies
    """

    kind: str
    key: tuple[Any, ...]
    digest: bytes


SUMMED = frozenset({"row", "query", "clock", "file", "folder", "link", "setting", "environment", "outside"})
"""Kinds of what a function reads to find subjects that reach a page by its subject only. Of others, such as assets and
URLs of pages, it counts which pages have them: what they use is published, and whom they link to is there."""


class Trace:
    """The record of one rendering. Later reads of the same thing change nothing: one rendering, one moment.

    A part that many pages share, a template's fragment, is a trace of its own: a page has it as a whole, and its inputs
    need not be taken up one by one, for each of the pages.

    Attributes:
        own: (kind, key) to digest, of what was read outside of parts.
        parts: The parts, in the order they were met; each is there once.
        shapes: The query shapes met, by id; each knows how to be asked again.
        outer: The trace that this one is a part of, while a part of a page is recorded by itself.
        summary: Of a part, an input that stands for all that was read in it: what came of it. A build compares this
            alone; the server, which has no plan to compare it with, what was read.
        numbered: Whoever numbers inputs keeps here what it made of a part.
    """

    __slots__ = ("numbered", "outer", "own", "parts", "shapes", "summary")

    def __init__(self, *, outer: Trace | None = None, summary: Input | None = None) -> None:
        self.own: dict[tuple[str, tuple[Any, ...]], bytes] = {}
        self.parts: dict[Trace, None] = {}
        self.shapes: dict[str, Any] = {}
        self.outer = outer
        self.summary = summary
        self.numbered: Any = None

    @property
    def inputs(self) -> dict[tuple[str, tuple[Any, ...]], bytes]:
        """(kind, key) to digest, of everything that was read."""
        if not self.parts:
            return self.own
        found = dict(self.own)
        for part in self.parts:
            for key, value in part.inputs.items():
                found.setdefault(key, value)
        return found

    def has(self, kind: str, key: tuple[Any, ...]) -> bool:
        """Whether the thing of this kind and key was read, in this part of the page or before it.

        What was read in a part that has a summary is not known to the page.
        """
        return self._holds((kind, key)) or (self.outer is not None and self.outer.has(kind, key))

    def _holds(self, read: tuple[str, tuple[Any, ...]]) -> bool:
        return read in self.own or any(part._holds(read) for part in self.parts if part.summary is None)

    def record(self, kind: str, key: tuple[Any, ...], value_digest: bytes) -> None:
        """Note that the thing of this kind and key was read, and what it was (a digest, or ``ABSENT``)."""
        self.own.setdefault((kind, key), value_digest)

    def include(self, part: Trace) -> None:
        """Have a part, which is recorded and changes no more."""
        if part not in self.parts:
            self.parts[part] = None
            self.shapes.update(part.shapes)

    def merge(self, other: Trace) -> None:
        """Take up what another trace has: whoever has this one read all of that too."""
        for key, value in other.inputs.items():
            self.own.setdefault(key, value)
        self.shapes.update(other.shapes)

    def divide(self, kinds: Collection[str]) -> tuple[Trace, Trace]:
        """What was read of some kinds, and the rest."""
        chosen, rest = Trace(), Trace()
        for (kind, key), value in self.inputs.items():
            (chosen if kind in kinds else rest).own[(kind, key)] = value
        chosen.shapes.update(self.shapes)
        return chosen, rest

    def __iter__(self) -> Iterator[Input]:
        for (kind, key), value_digest in self.inputs.items():
            yield Input(kind, key, value_digest)

    def __len__(self) -> int:
        return len(self.inputs)

    def keys_of(self, kind: str) -> list[tuple[Any, ...]]:
        """The keys of all inputs of one kind, in the order they were read."""
        return [key for found, key in self.inputs if found == kind]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks.

    Args:
        name: Its name, as templates and reports show it.
        restricted: Sees public rows only (``Meta.public``).
        editions: Sees, in each locale, only what has an edition in it (``Meta.untranslated = "hide"``).
    """

    name: str
    restricted: bool
    editions: bool


READER = Viewer("reader", restricted=True, editions=True)
"""Anybody: the build, and the server's readers."""

PREVIEW = Viewer("preview", restricted=False, editions=True)
"""An editor who looks at pages: the same editions as readers, drafts included."""

EDITOR = Viewer("editor", restricted=False, editions=False)
"""Somebody at work on rows: the shell, the commands, the admin."""


@dataclass(slots=True)
class Scope:
    """What holds while something runs: which site, who looks, in which language, at which moment.

    Args:
        site: The current site (``toolkit.site.Site``).
        database: Its database (``toolkit.database.Database``).
        viewer: Whose eyes.
        locale: Language of translated fields, messages and formats, such as ``"es"``.
        default_locale: The site's first locale: the language of untranslated columns.
        moment: The instant that ``now()`` answers; None means the wall clock.
        trace: Where reads are recorded; None when nobody asks.
        noted: Where the files alone are recorded that are shown, where there is no trace: in views.
        rendering: The rendering at hand (``toolkit.pages``): its page and plan; None outside of one.
        pinned: Ask this database alone, wherever a model lives.
        strict: Refuse to load a relation that was not asked for along with its rows (``strict_queries``).

    Attributes:
        routed: Whether the site has several databases, so that each model may be in another.
        seen: The databases' version when the scope was made: what is written since is read where it was written.
        eyes: Who looks, in which language, at which moment: what one sees, another may not.
        sight: (only public rows, only rows with an edition in this locale, translated values): what a query in
            this scope must mind, as part of the key of its compiled shape.
    """

    site: Any
    database: Any
    viewer: Viewer = EDITOR
    locale: str = "en"
    default_locale: str = "en"
    moment: datetime | None = None
    trace: Trace | None = None
    rendering: Any = None
    strict: bool = False
    pinned: bool = False
    noted: Trace | None = None
    sight: tuple[bool, bool, bool] = (False, False, False)
    routed: bool = False
    seen: int = -1
    eyes: tuple[Any, ...] = ()
    _elsewhere: dict[str, Scope] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.routed = not self.pinned and getattr(self.site, "has_databases", False)
        if self.routed and self.seen < 0:
            self.seen = self.database.version
        localized = self.locale != self.default_locale
        self.sight = (self.viewer.restricted, localized and self.viewer.editions, localized)
        self.eyes = (self.sight, self.locale, self.moment)

    @property
    def standing(self) -> tuple[Any, ...]:
        """What relations that were loaded with rows hold for: until something is written, and for whoever looks."""
        return self.database.version, self.eyes

    def of(self, model: Any, *, writing: bool = False) -> Scope:
        """This scope for the database in which a model's rows are read, or written.

        Raises:
            DatabaseError: A page is being rendered, which reads only.
        """
        if writing:
            self.refuse_writing(model)
        return self.at(self.site.database_for(self, model, writing=writing)) if self.routed else self

    def refuse_writing(self, model: Any) -> None:
        """Refuse to write while a page is rendered: how often and in which order that happens, nobody can say.

        Raises:
            DatabaseError: A page is being rendered.
        """
        if self.rendering is not None and self.trace is not None:  # a view has no trace
            raise DatabaseError(
                f"a {model.__name__} cannot be written while a page is rendered: pages read only",
                hint="Write in a view, a script or a command: a page is rendered whenever what it reads has changed.",
            )

    def at(self, database: Any, *, pinned: bool = False) -> Scope:
        """This scope for another database; all that is read goes into the same trace.

        Args:
            database: The database.
            pinned: Ask it alone, wherever a model lives.
        """
        if database is self.database and pinned == self.pinned:
            return self
        key = f"{database.alias}:{pinned}"
        found = self._elsewhere.get(key)
        if found is None:
            found = self._elsewhere[key] = replace(self, database=database, pinned=pinned, _elsewhere={})
        found.trace, found.rendering = self.trace, self.rendering
        return found

    def now(self) -> datetime:
        """The moment of this scope, aware, in UTC."""
        return self.moment or datetime.now(UTC)


current: ContextVar[Scope | None] = ContextVar("toolkit_scope", default=None)
"""The one context variable: set by ``with site:``, the command, the server and the renderer."""


class entered:
    """Make a scope the current one inside a ``with`` block.

    Args:
        scope: The scope.
    """

    __slots__ = ("_scope", "_token")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __enter__(self) -> Scope:
        self._token = current.set(self._scope)
        return self._scope

    def __exit__(self, *_: object) -> None:
        current.reset(self._token)


def record(kind: str, key: tuple[Any, ...], value_digest: bytes) -> None:
    """Record a read in the current trace, if somebody is recording."""
    scope = current.get()
    trace = None if scope is None else scope.noted if scope.trace is None else scope.trace
    if trace is not None:
        trace.own.setdefault((kind, key), value_digest)
