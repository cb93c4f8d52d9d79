"""Routes: what an app declares with ``@app.page`` and its like."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from toolkit.pages.patterns import numbered

Function = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Route:
    """A path, the subjects it is published for, and the function that makes each page.

    Args:
        name: Name within its app: the function's, unless another was given.
        app: The app's label.
        kind: ``page``, ``listing``, ``feed``, ``view``, ``sitemap``, ``robots`` or ``error``.
        path: With placeholders, as declared: ``/<section__slug>/<slug>/``.
        function: The user's function; None where the kind needs none.
        each: What the route is published for: a queryset, or a function that gives subjects; None for one page.
        template: The template's name.
        per_page: Items on each page of a listing.
        stable: Whether the pages of a listing are numbered from the oldest, see ``toolkit.pages.listings``.
        sitemap: How its pages stand in the sitemap; None leaves them out.
        locales: Locales it is published in; None means all.
        feed_format: For feeds, ``rss``, ``atom`` or ``json``.
        status: HTTP status of its pages.
        aliases: Further paths that redirect here.
        methods: HTTP methods of a view.
        declared_at: ``file:line``, for messages.
        options: What else the kind needs.
    """

    name: str
    app: str
    kind: str
    path: str
    function: Function | None
    each: Any = None
    template: str | None = None
    per_page: int = 0
    stable: bool = False
    sitemap: Any = None
    locales: Sequence[str] | None = None
    feed_format: str = ""
    status: int = 200
    aliases: Sequence[str] = ()
    methods: Sequence[str] = ("GET",)
    declared_at: tuple[str, int] = ("", 0)
    options: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def id(self) -> str:
        """The name that is unique in the site: ``app:name``."""
        return f"{self.app}:{self.name}"

    @property
    def where(self) -> str:
        """``file:line`` of the declaration."""
        return "{}:{}".format(*self.declared_at)

    @property
    def is_static(self) -> bool:
        """Whether the build publishes it."""
        return self.kind != "view"

    @cached_property
    def model(self) -> Any:
        """The model of its subjects, or None."""
        return getattr(self.each, "model", None)

    @cached_property
    def is_given(self) -> bool:
        """Whether a function or a list gives its subjects, rather than a queryset."""
        return self.each is not None and self.model is None

    def page_url(self, url: str, number: int) -> str:
        """The URL of one page of a listing; ``url`` is that of its first."""
        return url if number == 1 else numbered(url, self.shown(number))

    def shown(self, number: int) -> int:
        """The number in the URL of a listing's page, which is not the first."""
        return number - 1 if self.stable else number

    def number_at(self, shown: int) -> int:
        """The reverse of ``shown``; 1 if no page has this number in its URL."""
        return max(1, shown + 1 if self.stable else shown)

    @cached_property
    def subject_name(self) -> str:
        """What the subject is called in the template: the function's first parameter, or the model's name."""
        if self.function is not None:
            parameters = list(inspect.signature(self.function).parameters)
            if parameters and self.model is not None:
                return parameters[0]
        return self.model.__name__.lower() if self.model is not None else "subject"


@dataclass(frozen=True, slots=True)
class Page:
    """One concrete member of a route.

    Args:
        route: The route's id.
        key: Whose page it is: the subject's primary key, the values of its placeholders, or None.
        locale: Its language.
        number: Which page of a listing: 1 for the one at the listing's own URL. In a stable listing 2 is the oldest.
        url: Its URL path, percent-encoded.
    """

    route: str
    key: Any
    locale: str
    number: int
    url: str

    @property
    def identity(self) -> tuple[Any, ...]:
        """What stays the same when the URL changes."""
        return (self.route, self.key, self.locale, self.number)
