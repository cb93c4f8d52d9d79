"""A chapter's Markdown as HTML: links between chapters, and code with its file's name above it."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from toolkit import url_for
from toolkit.errors import RouteError, did_you_mean
from toolkit.templates import Markdown, MarkdownOptions, Rendered

from .models import Chapter

_TITLED = re.compile(r'^(`{3,})([\w-]+) title="([^"]+)"$', re.MULTILINE)
_MARKERS = re.compile(r"^<!-- .* -->$", re.MULTILINE)
_LANGUAGES = {"html": "html+jinja", "console": "console", "text": "text"}
_LABELS = {"console": "Terminal", "pycon": "Python"}
_NO_BREAK = "\u00a0"


def read_chapter(chapter: Chapter) -> Rendered:
    """The body as HTML, with its headings."""
    source = _TITLED.sub(_in_one_word, _MARKERS.sub("", chapter.body))
    return _reader().render(source, path=f"chapter {chapter.slug}")


def _in_one_word(fence: re.Match[str]) -> str:
    """A language and a title as Markdown takes them: of what follows a fence, only the first word is given on."""
    return f"{fence[1]}{fence[2]}:{fence[3].replace(' ', _NO_BREAK)}"


def _reader() -> Markdown:
    return Markdown(
        MarkdownOptions(),
        resolve_link=_resolve_link,
        render_code=lambda language, text: str(render_code(language, text)),
    )


def _resolve_link(url: str) -> str:
    """``chapter:settings#title`` is the URL of that chapter.

    Raises:
        RouteError: There is no such chapter.
    """
    name, separator, rest = url.partition(":")
    if name != "chapter" or not separator:
        return url
    slug, hash_, fragment = rest.partition("#")
    found = Chapter.objects.filter(slug=slug).first()
    if found is None:
        known = Chapter.objects.values_list("slug", flat=True)
        raise RouteError(f"there is no chapter {slug!r}", hint=did_you_mean(slug, known))
    return f"{url_for(found)}{hash_}{fragment}"


def render_code(language: str | None, text: str) -> Markup:
    """A block of code, coloured by Pygments, below the name of the file it belongs to.

    Args:
        language: Such as ``python``, or ``python:newsdesk/models.py`` with the file's name.
        text: The code.
    """
    language, _, title = (language or "text").partition(":")
    title = title.replace(_NO_BREAK, " ")
    head = Markup("<figcaption><code>{}</code></figcaption>").format(title) if title else ""
    label = title or _LABELS.get(language, language)
    kind = "console" if language == "console" else "code"
    return Markup(
        '<figure class="{}">{}<pre tabindex="0" role="region" aria-label="{}"><code>{}</code></pre></figure>'
    ).format(kind, head, label, _coloured(language, text))


def _coloured(language: str, text: str) -> Markup:
    from pygments import highlight  # it comes with rich
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(_LANGUAGES.get(language, language), stripnl=False)
    except ClassNotFound:
        return escape(text)
    return Markup(highlight(text, lexer, HtmlFormatter(nowrap=True)))  # noqa: S704 - Pygments escapes
