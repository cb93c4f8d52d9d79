"""The images of a site: what a template shows, what a trace verifies, what a build publishes, what a server sends."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from toolkit.errors import ImageError
from toolkit.images.encoding import encode
from toolkit.images.facts import Facts, read_facts
from toolkit.images.operations import Operations, Options, make_operations
from toolkit.images.pillow import encoder_versions
from toolkit.images.placeholders import placeholder_style
from toolkit.images.renditions import KEY_DIGITS, Rendition, make_renditions, make_tiny
from toolkit.images.sources import ImageReader, ImageSource
from toolkit.images.store import Recipe, RenditionStore
from toolkit.lazily import LazyModule
from toolkit.trace import ABSENT, current, digest, record

if TYPE_CHECKING:
    from toolkit.images import pictures
    from toolkit.images.pictures import Picture
else:
    pictures = LazyModule("toolkit.images.pictures")


ImageKey = tuple[str, str, str, str]
"""Of an input: kind, storage and name of the image, and what was asked for, as text."""

_NAME = re.compile(rf"(?P<stem>[a-z0-9_-]+)\.(?P<key>[0-9a-f]{{{KEY_DIGITS}}})\.[a-z]+")
_MOST_FACTS = 4096
FACTS = 2
"""To be raised when ``toolkit.images.facts`` reads more of a file, or otherwise."""

Taken = Callable[[Any], ImageSource]
"""Says which image a template's value means."""


class Images:
    """The images of one site.

    Args:
        readers: How the images of each kind are read.
        taken: Which image a template's value means.
        store: Where renditions are kept.
        options: What the settings say.

    Attributes:
        remembers: Whether how renditions are made is remembered for those who ask for them: in a server.
        encoded: How many renditions this process made.
    """

    def __init__(
        self, readers: Mapping[str, ImageReader], taken: Taken, store: RenditionStore, options: Options
    ) -> None:
        self.readers = readers
        self.taken = taken
        self.store = store
        self.options = options
        self.remembers = False
        self.encoded = 0
        self._facts: dict[bytes, Facts] = {}
        self._recipes: dict[str, dict[ImageKey, Recipe]] = {}

    # for templates

    def picture(
        self,
        image: Any,
        *,
        alt: Any = None,
        widths: Iterable[int] | None = None,
        sizes: str = "",
        crop: Any = None,
        fit: Any = None,
        fill: Any = None,
        focal: Any = None,
        formats: Iterable[str] | None = None,
        quality: int = 0,
        filters: Iterable[str] = (),
        placeholder: str = "",
        loading: str = "lazy",
        decoding: str = "async",
        fetchpriority: str = "",
        **attributes: Any,
    ) -> Picture:
        """An image for a page, recorded in its trace: ``image()`` in templates.

        Args:
            image: The file of a file field, or the path of a static image.
            alt: The words in its stead; must be given, and may be empty.
            widths: Widths to offer, in pixels; those of the setting ``image_widths`` by default.
            sizes: How wide it stands on the page, for the browser's choice; ``100vw`` by default.
            crop: A shape to cut it to, such as ``"16x9"``.
            fit: A box to stay within, such as ``"300x200"``.
            fill: A box to fill exactly, cutting what does not fit.
            focal: What must stay in view, such as ``"50% 30%"``; the image's own by default, or the centre.
            formats: Beside the original's; those of the setting ``image_formats`` by default.
            quality: 1 to 100; those of the settings by default.
            filters: ``"grayscale"``, ``"sharpen"``, ``"blur:8"``.
            placeholder: What is seen until it is there: ``blur`` (itself, tiny, inside the page), ``color`` (its
                mean) or ``none``; that of the setting ``image_placeholder`` by default.
            loading: ``lazy`` or ``eager``.
            decoding: ``async``, ``sync`` or ``auto``.
            fetchpriority: ``high`` for the picture that a page begins with.
            attributes: Of ``<img>``; ``class_`` is ``class``, ``data_x`` is ``data-x``.

        Raises:
            ImageError: There is no such image, or it cannot be shown so.
        """
        chosen = focal if focal is not None else getattr(image, "focal_point", None)
        operations = make_operations(
            widths=widths,
            crop=crop,
            fit=fit,
            fill=fill,
            focal=chosen,
            formats=formats,
            quality=quality,
            filters=filters,
            placeholder=placeholder,
        )
        write = partial(
            pictures.make_attributes,
            alt=alt,
            loading=loading,
            decoding=decoding,
            fetchpriority=fetchpriority,
            further=attributes,
        )
        return self._shown(self.taken(image), operations, write, sizes or self.options.sizes)

    def _shown(
        self, source: ImageSource, operations: Operations, write: Callable[..., Mapping[str, str]], sizes: str
    ) -> Picture:
        """A picture of a source; browsers are told how wide it stands only where that is theirs to choose by."""
        content = self._content(source, operations)
        facts = self._facts_of(source, content)
        written = write(style=self._placeholder(source, content, facts, operations))
        groups = self._groups(source, content, facts, operations)
        self._remember(source, operations, groups)
        fixed = operations.mode in ("fit", "fill") or facts.format == "svg"
        return pictures.Picture(facts, groups, self.options, written, "" if fixed else sizes)

    def facts(self, image: Any) -> Facts:
        """What an image file is and says of itself, recorded in the trace.

        Raises:
            ImageError: There is no such image, or it is none.
        """
        source = self.taken(image)
        return self._facts_of(source, self._content(source, Operations()))

    def _content(self, source: ImageSource, operations: Operations) -> bytes:
        """The digest of the image's file; recorded together with what is done to it."""
        key = (source.kind, source.storage, source.name, operations.text())
        content = self.readers[source.kind].digest(source)
        if content == ABSENT:
            record("image", key, ABSENT)
            raise ImageError(f"{source.label} is not there", hint=self.readers[source.kind].suggest(source))
        record("image", key, self._digest(content, operations))
        return content

    # for traces and builds

    def digest_of(self, key: ImageKey) -> bytes:
        """What the trace would record for an image today: 16 bytes, or ``ABSENT``."""
        source, operations = _read_key(key)
        content = self.readers[source.kind].digest(source)
        return ABSENT if content == ABSENT else self._digest(content, operations)

    def renditions(self, key: ImageKey) -> list[Rendition]:
        """Everything that has to be published for an image that pages show.

        Raises:
            ImageError: The image is gone or damaged.
        """
        source, operations = _read_key(key)
        reader = self.readers[source.kind]
        content = reader.digest(source)
        if content == ABSENT:
            raise ImageError(f"{source.label} is not there", hint=reader.suggest(source))
        facts = self._facts_of(source, content)
        return [one for group in self._groups(source, content, facts, operations) for one in group]

    def needed(self, key: ImageKey) -> Iterator[str]:
        """What the store must keep for an image that pages show: keys of renditions, and the image's digest in hex.

        Raises:
            ImageError: The image is gone or damaged.
        """
        renditions = self.renditions(key)
        yield from (one.key for one in renditions)
        one = renditions[0]
        yield one.content.hex()
        tiny = self._tiny(one.source, one.content, self._facts_of(one.source, one.content), _read_key(key)[1])
        if tiny is not None:
            yield tiny.key

    def place(self, rendition: Rendition) -> str:
        """Where a rendition is published, below the output folder."""
        return f"{self.options.url_prefix}{rendition.name}".lstrip("/")

    def make(self, renditions: Sequence[Rendition]) -> dict[str, bytes]:
        """The bytes of renditions of one image, by key: from the store, or made and kept there.

        Args:
            renditions: All of one image file.

        Raises:
            ImageError: The file is damaged, or changed since.
        """
        found, missing = self._stored(renditions)
        if missing:
            with self.store.locked(missing[0].content):
                again, missing = self._stored(missing)
                found |= again
                found |= self._encoded(missing)
        return found

    def _stored(self, renditions: Sequence[Rendition]) -> tuple[dict[str, bytes], list[Rendition]]:
        found: dict[str, bytes] = {}
        missing: dict[str, Rendition] = {}
        for one in renditions:
            body = self.store.find(one.key)
            if body is None:
                missing[one.key] = one
            else:
                found[one.key] = body
        return found, list(missing.values())

    def _encoded(self, missing: Sequence[Rendition]) -> dict[str, bytes]:
        if not missing:
            return {}
        source, content = missing[0].source, missing[0].content
        reader = self.readers[source.kind]
        body = reader.read(source)
        if reader.digest(source) != content:
            raise ImageError(f"{source.label} changed meanwhile", hint="Build again.")
        facts = self._facts_of(source, content)
        made: dict[str, bytes] = {}
        for rendition, encoded in encode(body, facts, missing, label=source.label, max_pixels=self.options.max_pixels):
            self.store.keep(rendition.key, encoded)
            made[rendition.key] = encoded
            self.encoded += 1
        return made

    # for servers

    def find_recipes(self, url_path: str) -> Iterator[Recipe]:
        """The ways to make the rendition at a URL path (percent-decoded); none unless a page of this site showed it.

        Two images with the same bytes and the same name share the URLs of their renditions: one of them may be gone,
        or hidden from a reader who may see the other.
        """
        if not url_path.startswith(self.options.url_prefix):
            return
        name = url_path[len(self.options.url_prefix) :]
        match = _NAME.fullmatch(name)
        if match is None:
            return
        known = dict(self._recipes.get(name, {}))
        yield from known.values()
        yield from (recipe for recipe in self.store.find_recipes(match["key"], name) if recipe.image not in known)

    def find_rendition(self, recipe: Recipe) -> Rendition | None:
        """The rendition of a recipe; None if the image is another one now, so that its URL is of the past."""
        try:
            return next((one for one in self.renditions(recipe.image) if one.name == recipe.file), None)
        except ImageError:
            return None

    def _remember(self, source: ImageSource, operations: Operations, groups: Sequence[Sequence[Rendition]]) -> None:
        if not self.remembers:
            return
        scope = current.get()
        public = scope is not None and scope.viewer.restricted
        text = operations.text()
        for one in (one for group in groups for one in group):
            recipe = Recipe(source.kind, source.name, source.storage, text, one.name, public)
            known = self._recipes.setdefault(one.name, {})
            if not _says_more(recipe, known.get(recipe.image)):
                continue
            stored = self.store.find_recipe(one.key, recipe)
            if stored is None or _says_more(recipe, stored):
                self.store.keep_recipe(one.key, recipe)
                stored = recipe
            known[recipe.image] = stored

    # parts

    def _digest(self, content: bytes, operations: Operations) -> bytes:
        """Stands for everything that decides about the HTML and the bytes of an image."""
        options = self.options
        settings: list[Any] = [options.url_prefix, options.widths, options.formats, sorted(options.qualities.items())]
        settings += [options.sizes, options.max_pixels, options.placeholder, options.base_path]
        return digest([content, operations.text(), settings, encoder_versions()])

    def _facts_of(self, source: ImageSource, content: bytes) -> Facts:
        found = self._facts.get(content) or self.store.find_facts(content, self._facts_version)
        if found is None:
            reader = self.readers[source.kind]
            found = read_facts(reader.read(source), source.label, max_pixels=self.options.max_pixels)
            if reader.digest(source) != content:
                raise ImageError(f"{source.label} changed meanwhile", hint="Try again.")
            self.store.keep_facts(content, self._facts_version, found)
        if len(self._facts) >= _MOST_FACTS:
            self._facts.clear()
        self._facts[content] = found
        return found

    @cached_property
    def _facts_version(self) -> str:
        """What decides about the facts of a file, beside it."""
        return digest([FACTS, self.options.max_pixels, encoder_versions()]).hex()

    def _placeholder(self, source: ImageSource, content: bytes, facts: Facts, operations: Operations) -> str:
        tiny = self._tiny(source, content, facts, operations)
        if tiny is None:
            return ""
        return placeholder_style(self.make([tiny])[tiny.key], operations.placeholder or self.options.placeholder)

    def _tiny(self, source: ImageSource, content: bytes, facts: Facts, operations: Operations) -> Rendition | None:
        return make_tiny(source, content, facts, operations, self.options, encoder_versions())

    def _groups(
        self, source: ImageSource, content: bytes, facts: Facts, operations: Operations
    ) -> list[list[Rendition]]:
        return make_renditions(source, content, facts, operations, self.options, encoder_versions())


def _says_more(recipe: Recipe, known: Recipe | None) -> bool:
    return known is None or (recipe.public and not known.public)


def _read_key(key: ImageKey) -> tuple[ImageSource, Operations]:
    kind, storage, name, text = key
    return ImageSource(kind, name, storage), Operations.from_text(text)
