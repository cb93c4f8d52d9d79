"""Assets: static files under names of their content, with their references followed, made, joined and made smaller."""

from __future__ import annotations

from toolkit.assets.library import Assets, FoundAsset
from toolkit.assets.making import Commands, Made, read_made
from toolkit.assets.minifying import Minifier
from toolkit.assets.squeezing import squeeze

__all__ = ["Assets", "Commands", "FoundAsset", "Made", "Minifier", "read_made", "squeeze"]
