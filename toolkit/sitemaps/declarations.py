"""What a route says about its pages' place in the sitemap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.errors import DeclarationError, FieldError, did_you_mean
from toolkit.lazily import LazyModule

if TYPE_CHECKING:
    from toolkit.sitemaps import urls
    from toolkit.sitemaps.urls import NewsItem, SitemapURL
else:
    urls = LazyModule("toolkit.sitemaps.urls")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitemap:
    """The sitemap of a route: ``@app.page(..., sitemap=Sitemap(lastmod="updated"))``.

    Text names a field of the page's subject, through relations with ``__`` (``"section__updated"``).

    Args:
        lastmod: Field that says when the content last changed; None says nothing rather than guess.
        priority: From 0.0 to 1.0, or the name of a field.
        changefreq: One of ``CHANGE_FREQUENCIES``.
        images: Field, or fields, with the paths or URLs of images; empty ones are left out.

    Raises:
        DeclarationError: ``priority`` or ``changefreq`` is none that sitemaps know.
    """

    lastmod: str | None = None
    priority: float | str | None = None
    changefreq: str | None = None
    images: str | tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.changefreq is not None and self.changefreq not in urls.CHANGE_FREQUENCIES:
            raise DeclarationError(
                f"changefreq {self.changefreq!r} is none that sitemaps know",
                hint=did_you_mean(self.changefreq, urls.CHANGE_FREQUENCIES),
            )
        if isinstance(self.priority, (int, float)) and not 0 <= self.priority <= 1:
            raise DeclarationError(f"priority {self.priority!r} is not between 0.0 and 1.0")

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields it reads of a subject."""
        priority = self.priority if isinstance(self.priority, str) else None
        return tuple(name for name in (self.lastmod, priority, *self._image_fields) if name is not None)

    @property
    def _image_fields(self) -> tuple[str, ...]:
        return (self.images,) if isinstance(self.images, str) else self.images or ()

    def make_url(
        self,
        subject: object,
        loc: str,
        *,
        alternates: tuple[tuple[str, str], ...] = (),
        resolve_image: Callable[[str], str] = str,
    ) -> SitemapURL:
        """The sitemap's entry for one page.

        Args:
            subject: What the page is about.
            loc: Its absolute URL.
            alternates: Its editions, see ``hreflang_alternates``.
            resolve_image: Makes an absolute URL of an image field's value.

        Raises:
            FieldError: The subject has no such field.
        """
        images = [read_field(subject, name) for name in self._image_fields]
        priority = read_field(subject, self.priority) if isinstance(self.priority, str) else self.priority
        return urls.SitemapURL(
            loc,
            read_field(subject, self.lastmod) if self.lastmod is not None else None,
            alternates,
            tuple(resolve_image(str(image)) for image in images if image),
            changefreq=self.changefreq,
            priority=float(priority) if priority is not None else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class News(Sitemap):
    """The sitemap of a route whose pages are news: they are in the news sitemap for 48 hours as well.

    Args:
        title: Field with the headline.
        published: Field with the moment it first appeared.
        publication: Name of the newspaper; by default the site's.
        language: Language of the stories; by default the page's locale.
    """

    title: str = "title"
    published: str = "published"
    publication: str | None = None
    language: str | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields it reads of a subject."""
        # dataclass(slots=True) makes the class anew, which the short form of super() does not know of.
        return (*super(News, self).fields, self.title, self.published)

    def make_news(self, subject: object, *, publication: str, language: str) -> NewsItem:
        """What the news sitemap says of one page.

        Args:
            subject: What the page is about.
            publication: The site's name, where the declaration has none.
            language: The page's language, where the declaration has none.

        Raises:
            FieldError: The subject has no such field.
        """
        return urls.NewsItem(
            self.publication or publication,
            self.language or language,
            str(read_field(subject, self.title)),
            read_field(subject, self.published),
        )


def read_field(subject: object, path: str) -> Any:
    """The value of a field, through relations with ``__``; None where a relation leads nowhere.

    Raises:
        FieldError: There is no such field.
    """
    value: Any = subject
    for name in path.split("__"):
        if value is None:
            return None
        try:
            value = getattr(value, name)
        except AttributeError as error:
            known = [known for known in dir(value) if not known.startswith("_")]
            message = f"the sitemap names {path!r}, but {type(value).__name__} has no {name!r}"
            raise FieldError(message, hint=did_you_mean(name, known)) from error
    return value
