"""Draw the Courier's illustrations: flat SVG scenes and portraits in one palette.

    python tools/illustrate.py            # from anywhere; rewrites static/img/ and public/favicon.svg

The drawings are deterministic: chance comes from generators seeded with the picture's name, so a second run
writes the same bytes. Nothing but Python's own library is needed.
"""

from __future__ import annotations

from pathlib import Path

import scenes_coast
import scenes_land
import scenes_sea
import scenes_town
from marks import favicon, logo
from portraits import PEOPLE, portrait
from sheet import Sheet

ROOT = Path(__file__).resolve().parent.parent

SCENES = (
    scenes_sea.harbour_dusk,
    scenes_sea.lighthouse,
    scenes_sea.ferry,
    scenes_sea.storm,
    scenes_sea.breakwater,
    scenes_sea.tide,
    scenes_sea.regatta,
    scenes_sea.terns,
    scenes_sea.kelp,
    scenes_coast.lifeboat,
    scenes_coast.sardines,
    scenes_coast.dredger,
    scenes_coast.swimmers,
    scenes_coast.lane,
    scenes_land.meadow,
    scenes_land.wind,
    scenes_land.night_sky,
    scenes_land.football,
    scenes_land.runners,
    scenes_land.tap,
    scenes_land.census,
    scenes_town.tram,
    scenes_town.market_hall,
    scenes_town.town_hall,
    scenes_town.school,
    scenes_town.hospital,
    scenes_town.engine,
    scenes_town.bakery,
    scenes_town.library,
    scenes_town.concert,
    scenes_town.table,
)


def write(path: Path, sheet: Sheet) -> None:
    """Write one picture where the site's templates look for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(sheet.svg(), encoding="utf-8")


def main() -> None:
    """Draw everything."""
    images = ROOT / "static" / "img"
    for scene in SCENES:
        name = scene.__name__.replace("_", "-")
        sheet = Sheet(name)
        scene(sheet)
        write(images / "stories" / f"{name}.svg", sheet)
    for name, look in PEOPLE.items():
        write(images / "people" / f"{name}.svg", portrait(name, look))
    write(images / "logo.svg", logo())
    write(ROOT / "public" / "favicon.svg", favicon())


if __name__ == "__main__":
    main()
