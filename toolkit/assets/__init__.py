"""Assets: static files under names of their content, with their references followed, made, joined and made smaller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.lazily import names_from

if TYPE_CHECKING:
    from toolkit.assets.library import Assets, FoundAsset
    from toolkit.assets.making import Commands, Made, read_made
    from toolkit.assets.minifying import Minifier
    from toolkit.assets.squeezing import squeeze

__all__ = ["Assets", "Commands", "FoundAsset", "Made", "Minifier", "read_made", "squeeze"]

__getattr__ = names_from(
    __name__,
    {
        "library": ["Assets", "FoundAsset"],
        "making": ["Commands", "Made", "read_made"],
        "minifying": ["Minifier"],
        "squeezing": ["squeeze"],
    },
)
