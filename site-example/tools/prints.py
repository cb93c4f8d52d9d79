"""Print some of the illustrations as JPEG, with their credits, as photographs come from an agency.

    python tools/prints.py            # from anywhere; needs Chromium and Pillow; rewrites static/img/stories/*.jpg

The site shows them with image(), in several widths and formats.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image

from toolkit.images.metadata import Credits, exif_of, xmp_of

STORIES = Path(__file__).resolve().parent.parent / "static" / "img" / "stories"
PRINTS = ("breakwater", "harbour-dusk", "tram", "wind")
WIDTH, HEIGHT = 1800, 1012
CREDITS = Credits(creator="Marta Valdés", credit="The Alder Bay Courier", copyright="© The Alder Bay Courier")


def main(browser: str = "chromium") -> None:
    """Print them all."""
    for name in PRINTS:
        picture = Image.open(BytesIO(screenshot(STORIES / f"{name}.svg", browser))).convert("RGB")
        picture.save(STORIES / f"{name}.jpg", "JPEG", quality=90, exif=exif_of(CREDITS), xmp=xmp_of(CREDITS))


def screenshot(drawing: Path, browser: str) -> bytes:
    """A drawing as a browser shows it, as PNG."""
    with tempfile.TemporaryDirectory() as folder:
        page, shot = Path(folder) / "page.html", Path(folder) / "shot.png"
        style = (
            f"body {{ margin: 0 }} img {{ display: block; width: {WIDTH}px; height: {HEIGHT}px; object-fit: cover }}"
        )
        page.write_text(f'<!doctype html><style>{style}</style><img src="{drawing.as_uri()}">', "utf-8")
        size = f"--window-size={WIDTH},{HEIGHT}"
        subprocess.run(
            [browser, "--headless", "--no-sandbox", "--hide-scrollbars", size, f"--screenshot={shot}", page.as_uri()],
            check=True,
            capture_output=True,
        )
        return shot.read_bytes()


if __name__ == "__main__":
    main(*sys.argv[1:])
