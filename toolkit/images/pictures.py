"""The HTML of an image: ``<picture>`` with its formats and sizes, and what a template may want to know of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup, escape

from toolkit.errors import ImageError
from toolkit.images.facts import Facts
from toolkit.images.operations import Options
from toolkit.images.renditions import Rendition

_ATTRIBUTE = re.compile(r"[a-z][a-z0-9-]*")
_OWN = frozenset({"src", "srcset", "width", "height"})


@dataclass(frozen=True)
class Picture:
    """An image on a page: printed, it is ``<picture>``, or ``<img>`` where there is one format only.

    Args:
        facts: What the image file is.
        renditions: Its renditions: a list for each format, the fallback last.
        options: What the settings say.
        attributes: Further attributes of ``<img>``.
        sizes: The attribute ``sizes``; empty for a fixed size, which is told by densities.
    """

    facts: Facts
    renditions: Sequence[Sequence[Rendition]]
    options: Options
    attributes: Mapping[str, str] = field(default_factory=dict)
    sizes: str = ""

    @property
    def largest(self) -> Rendition:
        """The largest rendition in the format that every browser knows."""
        return self.renditions[-1][-1]

    @property
    def _shown(self) -> Rendition:
        """The one whose size the page reserves: with densities, that of plain screens."""
        return self.renditions[-1][-1 if self.sizes else 0]

    @property
    def url(self) -> str:
        """Of the largest rendition: what social networks and feeds want."""
        return self.largest.url(self.options)

    @property
    def width(self) -> int:
        """Pixels that the page reserves."""
        return self._shown.width

    @property
    def height(self) -> int:
        """Pixels that the page reserves."""
        return self._shown.height

    @property
    def creator(self) -> str:
        """Who made it, by the file."""
        return self.facts.credits.creator

    @property
    def credit(self) -> str:
        """How it is to be credited, by the file: its credit, or else its creator."""
        return self.facts.credits.credit or self.facts.credits.creator

    @property
    def copyright(self) -> str:
        """Whose it is, by the file."""
        return self.facts.credits.copyright

    @property
    def caption(self) -> str:
        """What it shows, by the file."""
        return self.facts.credits.caption

    def srcset(self, format: str = "") -> str:
        """The attribute ``srcset`` for one format; of the fallback by default.

        Raises:
            ImageError: The picture is not made in that format.
        """
        for group in self.renditions if format else [self.renditions[-1]]:
            if not format or group[0].format == format:
                return ", ".join(
                    f"{one.url(self.options)} {self._descriptor(one, index)}" for index, one in enumerate(group)
                )
        raise ImageError(f"the picture is not made in the format {format!r}")

    def _descriptor(self, rendition: Rendition, index: int) -> str:
        if self.sizes:
            return f"{rendition.width}w"
        return f"{round(rendition.width / self.renditions[-1][0].width, 2):g}x"

    def __html__(self) -> str:
        *others, own = self.renditions
        image = self._image(own)
        if not others:
            return image
        sources = "".join(self._source(group) for group in others)
        return f"<picture>{sources}{image}</picture>"

    def __str__(self) -> Markup:
        return Markup(self.__html__())  # noqa: S704 - every value in it is escaped

    def _source(self, group: Sequence[Rendition]) -> str:
        sizes = f' sizes="{escape(self.sizes)}"' if self.sizes else ""
        return f'<source type="{group[0].media_type}" srcset="{escape(self.srcset(group[0].format))}"{sizes}>'

    def _image(self, group: Sequence[Rendition]) -> str:
        parts = [f'<img src="{escape(self._source_url(group))}"']
        if len(group) > 1:
            parts.append(f'srcset="{escape(self.srcset())}"')
            if self.sizes:
                parts.append(f'sizes="{escape(self.sizes)}"')
        parts.append(f'width="{self.width}" height="{self.height}"')
        parts += [f'{name}="{escape(value)}"' for name, value in self.attributes.items()]
        return " ".join(parts) + ">"

    def _source_url(self, group: Sequence[Rendition]) -> str:
        return self._shown.url(self.options)


def make_attributes(
    *, alt: Any, loading: str, decoding: str, fetchpriority: str, style: str = "", further: Mapping[str, Any]
) -> dict[str, str]:
    """The attributes of ``<img>`` from what a template wrote, and the ``style`` of its placeholder.

    Raises:
        ImageError: No alternative text, or a name that no attribute can have.
    """
    if alt is None:
        raise ImageError(
            "an image has no alternative text", hint='Say what it shows: alt="…"; or alt="" if it only decorates.'
        )
    found = {"alt": str(alt)}
    for name, value, known in (
        ("loading", loading, ("lazy", "eager")),
        ("decoding", decoding, ("async", "sync", "auto")),
        ("fetchpriority", fetchpriority, ("high", "low", "auto", "")),
    ):
        if value not in known:
            raise ImageError(f"{name}={value!r} is none of {', '.join(filter(None, known))}")
        if value and not (name == "loading" and value == "eager"):
            found[name] = value
    for name, value in further.items():
        attribute = name.rstrip("_").replace("_", "-")
        if not _ATTRIBUTE.fullmatch(attribute) or attribute in _OWN:
            raise ImageError(f"an image takes no attribute {name!r}")
        if value is not None and value is not False:
            found[attribute] = "" if value is True else str(value)
    if style:
        found["style"] = ";".join(filter(None, (style, found.get("style", ""))))
    return found
