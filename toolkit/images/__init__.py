"""Images: pictures in the sizes and formats that readers' browsers want, made once and kept by content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.lazily import names_from

if TYPE_CHECKING:
    from toolkit.images.facts import Facts, read_facts
    from toolkit.images.library import Images
    from toolkit.images.operations import Operations, Options, parse_focal
    from toolkit.images.pictures import Picture
    from toolkit.images.renditions import Rendition
    from toolkit.images.sources import ImageSource
    from toolkit.images.store import RenditionStore

__all__ = [
    "Facts",
    "ImageSource",
    "Images",
    "Operations",
    "Options",
    "Picture",
    "Rendition",
    "RenditionStore",
    "parse_focal",
    "read_facts",
]

__getattr__ = names_from(
    __name__,
    {
        "facts": ["Facts", "read_facts"],
        "library": ["Images"],
        "operations": ["Operations", "Options", "parse_focal"],
        "pictures": ["Picture"],
        "renditions": ["Rendition"],
        "sources": ["ImageSource"],
        "store": ["RenditionStore"],
    },
)
