"""Markdown to HTML: CommonMark with GitHub's tables, task lists, strikethrough, footnotes and alerts.

pyromark (pulldown-cmark, Rust) writes the HTML; what it does not know is done on the HTML it wrote, whose
form is its own and known: heading ids, links, footnotes. Measured on 509 posts of 6.8 kB: its HTML takes 20
µs a text, its list of events 87 µs before anything is made of them in Python.

Safe by default: raw HTML passes an allow-list (only where there is any), and links that would run something
lose their address. ``MarkdownOptions(trusted=True)`` is for texts that only the newsroom's own developers
write.
"""

from __future__ import annotations

import html as html_module
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from markupsafe import Markup, escape

from toolkit.errors import ContentError, ToolkitError
from toolkit.i18n.messages import gettext, gettext_noop
from toolkit.templates.rendered import ATTRIBUTES, HEADING, Heading, Image, Rendered
from toolkit.text import plain_text, slugify
from toolkit.text.patterns import deferred

from .footnotes import gather_footnotes
from .sanitizing import clean_html, is_safe_link, is_safe_media, unescape
from .shortcodes import CLOSE, OPEN, RenderShortcode, Shortcode, take_shortcodes

_LINK = deferred(rf"<a({ATTRIBUTES})\s*>")
_FOOTNOTE = '<sup class="footnote-reference">'
_IMAGE = deferred(rf"<img({ATTRIBUTES})\s*/?>")
_USUAL_LINK = deferred(r' href="((?:https?://|mailto:|[/#])[^"%]*)"')
_WEB_LINK = '<a href="'
_OTHER_LINK = deferred(
    r"""<a(?=[\s>])(?! href="(?:https?://|mailto:|[/#])[^"&<>']*(?:&amp;[^"&<>']*)*">)"""  # else it is written anew
)
_ATTRIBUTE = deferred(r"""\s+([^\s"'<>/=]+)(?:="([^"]*)")?""")
_RAW = deferred(r"<[A-Za-z/!?]")
_SUPERSCRIPT = deferred(r"<sup.*?</sup>", re.DOTALL)
_PLAIN_WORDS = deferred(r"[A-Za-z0-9 ?!:;,.()/-]*[A-Za-z0-9][A-Za-z0-9 ?!:;,.()/-]*")
_PLAIN_WORD = deferred(r"[a-z0-9]+")
_ALIGNED = deferred(r'<t([hd]) style="text-align: ?(left|center|right);?">')
_ALERT = deferred(r'<blockquote class="markdown-alert-(note|tip|important|warning|caution)">')
_ALERTS = (
    gettext_noop("Note"),
    gettext_noop("Tip"),
    gettext_noop("Important"),
    gettext_noop("Warning"),
    gettext_noop("Caution"),
)
_NUMBERED = deferred(f"<p>{OPEN}([0-9]+){CLOSE}</p>|{OPEN}([0-9]+){CLOSE}|%EE%80%80([0-9]+)%EE%80%81")
_CODE_BLOCK = deferred(r'<pre><code(?: class="language-([^"]*)")?>(.*?)</code></pre>', re.DOTALL)
_CODE = deferred(r"(<code[ >].*?</code>)", re.DOTALL)
_FORGED = str.maketrans("", "", OPEN + CLOSE)


@dataclass(frozen=True, slots=True)
class MarkdownOptions:
    """How texts are read.

    Args:
        trusted: Let raw HTML and all addresses through. For texts by the site's developers only.
        smart: Make quotes, dashes and dots typographic, as English does; for other languages use ``smarten``.
        shift: Added to every heading's level: 1 makes ``# Title`` an ``<h2>``, below the page's own.
        prefix: Before every id, so that several texts on one page do not share any.
        math: Read ``$x$`` and ``$$x$$`` as formulas.
    """

    trusted: bool = False
    smart: bool = False
    shift: int = 0
    prefix: str = ""
    math: bool = False


@dataclass(slots=True)
class _Met:
    """What one rendering met."""

    source: str
    path: str | None
    line: int
    shortcodes: list[Shortcode]
    headings: list[Heading] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)


class Markdown:
    """Reads texts with one set of options and hooks. It keeps no state between texts.

    Args:
        options: See :class:`MarkdownOptions`.
        base_path: What goes before the paths of links and images that are written from the site's root.
        resolve_link: The address to link to, given the one that was written (``story:flood``). What it
            returns is checked too; where it returns nothing, the words stay without a link.
        resolve_web: Whether that has to be asked for addresses of the web and for paths, too: ``https://…``,
            ``mailto:…``, ``/news/``, ``#top``. Nearly all links are such, and calls for them a fifth of the reading.
        resolve_image: The same for images.
        render_image: HTML for an image, given as resolved; None renders ``<img>``.
        render_code: HTML for a block of code, given its language (None where it names none) and its text; None
            renders ``<pre><code>``. Syntax highlighting goes here.
        shortcode: HTML for a shortcode; without it, shortcodes are text.
    """

    def __init__(
        self,
        options: MarkdownOptions | None = None,
        *,
        base_path: str = "",
        resolve_link: Callable[[str], str] | None = None,
        resolve_web: bool = True,
        resolve_image: Callable[[str], str] | None = None,
        render_image: Callable[[Image], str | None] | None = None,
        render_code: Callable[[str | None, str], str | None] | None = None,
        shortcode: RenderShortcode | None = None,
    ) -> None:
        self.options = options or MarkdownOptions()
        self.base_path = base_path
        self.resolve_link = resolve_link
        self.resolve_web = resolve_web and resolve_link is not None
        self.resolve_image = resolve_image
        self.render_image = render_image
        self.render_code = render_code
        self.shortcode = shortcode
        self._parser = _parser(self.options)

    def render(self, text: str, *, path: str | None = None, line: int = 1) -> Rendered:
        """A text as HTML.

        Args:
            text: Markdown.
            path: The file it is from, for messages.
            line: Its first line in that file.

        Raises:
            ContentError: A shortcode or link that cannot be resolved, at its line.
        """
        if OPEN in text or CLOSE in text:
            text = text.translate(_FORGED)
        met = _Met(text, path, line, [])
        if self.shortcode is not None and "{{<" in text:
            text, met.shortcodes = take_shortcodes(text, path=path, line=line)
        markup = self._finished(self._markup(text, met), met)
        return Rendered(
            Markup(markup),  # noqa: S704 - cleaned above, or trusted by option
            tuple(met.headings),
            tuple(met.links),
            tuple(met.images),
            tuple(met.refused),
        )

    def _markup(self, text: str, met: _Met) -> str:
        """The parser's HTML with its addresses resolved, and cleaned where the text brought HTML of its own.

        Cleaning comes after resolving, because ``story:flood`` has no scheme a stranger may use, and before
        images are rendered, because what the site makes of them is not a stranger's.
        """
        markup: str = self._parser.html(text)
        if "<a" in markup:
            markup = self._with_links(markup, met)
        if "<img" in markup:
            markup = _IMAGE.sub(lambda match: self._image(match, met), markup)
        if not self.options.trusted and _RAW.search(text) and self._has_html(text):
            markup = clean_html(markup)
        if self.render_image is not None and "<img" in markup:
            markup = _IMAGE.sub(self._rendered_image, markup)
        return markup

    def _has_html(self, text: str) -> bool:
        """Whether a ``<`` begins HTML, and not an autolink or code."""
        return any("Html" in event or "InlineHtml" in event for event in self._parser.events(text))

    def _finished(self, markup: str, met: _Met) -> str:
        if "<t" in markup:
            markup = _ALIGNED.sub(r'<t\1 class="align-\2">', markup)
        if "markdown-alert-" in markup:
            markup = _ALERT.sub(_alert, markup)
        if "footnote-" in markup:
            markup = gather_footnotes(markup, prefix=self.options.prefix)
        if "<h" in markup:
            markup = HEADING.sub(lambda match: self._heading(match, met), markup)
        if self.render_code is not None and "<pre><code" in markup:
            markup = _CODE_BLOCK.sub(self._rendered_code, markup)
        return self._with_shortcodes(markup, met) if met.shortcodes else markup

    def _rendered_code(self, match: re.Match[str]) -> str:
        language = unescape(match[1]) if match[1] else None
        rendered = self.render_code(language, unescape(match[2])) if self.render_code else None
        return match[0] if rendered is None else rendered

    # -- headings

    def _heading(self, match: re.Match[str], met: _Met) -> str:
        attributes = _attributes(match[2]) if match[2] else {}
        level = min(int(match[1]) + self.options.shift, 6)
        words = plain_text(_SUPERSCRIPT.sub("", match[3]) if "<sup" in match[3] else match[3])
        name = self._heading_id(attributes.get("id") or "", words, met)
        met.headings.append(Heading(level, name, words))
        if not attributes:
            return f'<h{level} id="{escape(name)}">{match[3]}</h{level}>'
        kept = {**attributes, "id": name} if self.options.trusted else {"id": name}
        if "class" in attributes:
            kept["class"] = attributes["class"]
        written = "".join(f' {key}="{escape(value)}"' for key, value in kept.items())
        return f"<h{level}{written}>{match[3]}</h{level}>"

    def _heading_id(self, given: str, words: str, met: _Met) -> str:
        """An id that no other heading of the text has: a second "Results" is ``results-2``."""
        stem = self.options.prefix + (given or heading_slug(words))
        name, count = stem, met.ids.get(stem, 0)
        while name in met.ids:
            count += 1
            name = f"{stem}-{count}"
        met.ids[stem] = max(count, 1)
        met.ids.setdefault(name, 1)
        return name

    # -- links and images

    def _with_links(self, markup: str, met: _Met) -> str:
        """Resolve the addresses of links; where all of them lead into the web or to a path, only list them."""
        if self.resolve_web or self.base_path or met.shortcodes or _FOOTNOTE in markup or _OTHER_LINK.search(markup):
            return _LINK.sub(lambda match: self._link(match, met), markup)
        met.links += [unescape(rest[: rest.index('"')]) for rest in markup.split(_WEB_LINK)[1:]]
        return markup

    def _link(self, match: re.Match[str], met: _Met) -> str:
        if match[1].startswith(' href="#') and match.string.endswith(_FOOTNOTE, 0, match.start()):
            return match[0]
        usual = _USUAL_LINK.fullmatch(match[1])
        if usual and self.resolve_link is None and not self.base_path:
            met.links.append(unescape(usual[1]))
            return match[0]
        attributes = _attributes(match[1])
        written = attributes.get("href")
        if written is None:
            return match[0]
        url = self._resolved(written, self.resolve_link, met, kind="Link")
        if written and not url:  # leads nowhere for now: the words stay
            del attributes["href"]
        elif not self.options.trusted and not is_safe_link(url):
            met.refused.append(url)
            del attributes["href"]
        else:
            met.links.append(url)
            attributes["href"] = url
        return f"<a{_written(attributes)}>"

    def _image(self, match: re.Match[str], met: _Met) -> str:
        attributes = _attributes(match[1])
        url = self._resolved(attributes.get("src", ""), self.resolve_image, met, kind="Image")
        if not self.options.trusted and not is_safe_media(url):
            met.refused.append(url)
            return str(escape(attributes.get("alt", "")))
        met.images.append(Image(url, attributes.get("alt", ""), attributes.get("title", "")))
        return f"<img{_written({**attributes, 'src': url})}>"

    def _rendered_image(self, match: re.Match[str]) -> str:
        attributes = _attributes(match[1])
        image = Image(attributes.get("src", ""), attributes.get("alt", ""), attributes.get("title", ""))
        rendered = self.render_image(image) if self.render_image else None
        return match[0] if rendered is None else rendered

    def _resolved(self, url: str, resolve: Callable[[str], str] | None, met: _Met, *, kind: str) -> str:
        """An address after shortcodes and the hook had their say; their errors get the line."""
        if met.shortcodes and "%EE%80%80" in url:
            url = _NUMBERED.sub(lambda match: self._address(match, met), url)
        elif url.startswith("/") and not url.startswith("//"):
            url = self.base_path + url
        if resolve is None:
            return url
        try:
            return resolve(url)
        except ToolkitError as error:
            if error.path is not None:
                raise
            raise ContentError(
                error.message, path=met.path, line=self._line_of(url, met, kind=kind), hint=error.hint
            ) from error

    def _line_of(self, url: str, met: _Met, *, kind: str) -> int:
        """The line of the first link or image with this address. Only asked for when there is an error."""
        body = met.source.encode()
        for event, span in self._parser.events_with_range(met.source):
            start = event.get("Start") if isinstance(event, dict) else None
            if isinstance(start, dict) and start.get(kind, {}).get("dest_url") in (url, unescape(url)):
                return met.line + body.count(b"\n", 0, span["start"])
        return met.line

    # -- shortcodes

    def _address(self, match: re.Match[str], met: _Met) -> str:
        return html_module.unescape(self._shortcode(int(match[match.lastindex or 0]), met)).strip()

    def _with_shortcodes(self, markup: str, met: _Met) -> str:
        """Put what each shortcode makes in its place; inside code, what was written."""
        pieces = _CODE.split(markup)
        pieces[::2] = [_NUMBERED.sub(lambda match: self._placed(match, met), piece) for piece in pieces[::2]]
        pieces[1::2] = [_NUMBERED.sub(lambda match: self._shown(match, met), piece) for piece in pieces[1::2]]
        return "".join(pieces)

    def _shown(self, match: re.Match[str], met: _Met) -> str:
        return str(escape(met.shortcodes[int(match[match.lastindex or 0])].source))

    def _placed(self, match: re.Match[str], met: _Met) -> str:
        return self._shortcode(int(match[match.lastindex or 0]), met)

    def _shortcode(self, number: int, met: _Met) -> str:
        shortcode = met.shortcodes[number]
        render = self.shortcode
        if render is None:
            return str(escape(shortcode.source))
        try:
            return str(render(shortcode, self._body(shortcode, met)))
        except ToolkitError as error:
            if error.path is not None:
                raise
            raise ContentError(error.message, path=met.path, line=shortcode.line, hint=error.hint) from error

    def _body(self, shortcode: Shortcode, met: _Met) -> Markup:
        if not shortcode.body:
            return Markup("")
        before = shortcode.source.index(shortcode.body)
        line = shortcode.line + shortcode.source.count("\n", 0, before)
        inner = self.render(shortcode.body, path=met.path, line=line)
        met.links += inner.links
        met.images += inner.images
        met.refused += inner.refused
        return inner.html

    def with_options(self, **changes: Any) -> Markdown:
        """The same hooks with other options."""
        return Markdown(
            replace(self.options, **changes),
            base_path=self.base_path,
            resolve_link=self.resolve_link,
            resolve_web=self.resolve_web,
            resolve_image=self.resolve_image,
            render_image=self.render_image,
            render_code=self.render_code,
            shortcode=self.shortcode,
        )


def _parser(options: MarkdownOptions) -> Any:
    import pyromark

    flags = pyromark.Options
    chosen = (
        flags.ENABLE_TABLES
        | flags.ENABLE_FOOTNOTES
        | flags.ENABLE_STRIKETHROUGH
        | flags.ENABLE_TASKLISTS
        | flags.ENABLE_HEADING_ATTRIBUTES
        | flags.ENABLE_DEFINITION_LIST
        | flags.ENABLE_GFM
    )
    if options.smart:
        chosen |= flags.ENABLE_SMART_PUNCTUATION
    if options.math:
        chosen |= flags.ENABLE_MATH
    return pyromark.Markdown(options=chosen)


def heading_slug(words: str) -> str:
    """The id a heading gets for its words: their slug, in their own script; ``section`` when it has none."""
    if _PLAIN_WORDS.fullmatch(words):  # what slugify makes of these, at a tenth of its cost
        return "-".join(_PLAIN_WORD.findall(words.lower()))
    return slugify(words, allow_unicode=True, default="section")


def _attributes(written: str) -> dict[str, str]:
    return {match[1].lower(): unescape(match[2] or "") for match in _ATTRIBUTE.finditer(written)}


def _written(attributes: dict[str, str]) -> str:
    return "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())


def _alert(match: re.Match[str]) -> str:
    title = gettext(match[1].capitalize())
    return f'{match[0]}\n<p class="markdown-alert-title">{escape(title)}</p>'
