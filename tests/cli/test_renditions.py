"""``toolkit renditions``: what the last build shows is kept, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

Run = Callable[..., Any]


def test_pruning_keeps_what_the_last_build_shows(run: Run, folder: Path) -> None:
    (folder / "static").mkdir(exist_ok=True)
    Image.new("RGB", (60, 40), "navy").save(folder / "static/pier.png")
    page = next(path for path in (folder / "templates").glob("*.html") if "{% block content %}" in path.read_text())
    text = page.read_text()
    shown = '{% block content %}{{ image("pier.png", alt="", widths=[20, 40]) }}'
    page.write_text(text.replace("{% block content %}", shown))
    run("build")
    kept = sorted((folder / ".toolkit/renditions").glob("??/*.rendition"))
    assert len(kept) == 6
    assert json.loads(run("renditions", "prune", "--json").stdout)["removed"] == []
    page.write_text(text.replace("{% block content %}", shown.replace("20, 40", "20")))
    run("build")
    told = run("renditions", "prune", "--dry-run").stdout
    assert told.startswith("3 files of 0.0 MB would be removed from ")
    assert sorted((folder / ".toolkit/renditions").glob("??/*.rendition")) == kept
    assert len(json.loads(run("renditions", "prune", "--json").stdout)["removed"]) == 3
    assert len(list((folder / ".toolkit/renditions").glob("??/*.rendition"))) == 3


def test_an_image_is_named_by_what_a_page_is_made_of(run: Run, folder: Path) -> None:
    (folder / "static").mkdir(exist_ok=True)
    Image.new("RGB", (60, 40), "navy").save(folder / "static/pier.png")
    home = folder / "templates/home.html"
    home.write_text(
        home.read_text().replace("{% block content %}", '{% block content %}{{ image("pier.png", alt="") }}')
    )
    run("build")
    assert "images (1)" in run("why", "/").output
    assert json.loads(run("impact", "image:pier.png", "--json").stdout)
    assert "/" in run("impact", "image:pier.png").output.split()


def test_there_is_nothing_to_keep_before_the_first_build(run: Run) -> None:
    assert "was not built yet" in run("renditions", "prune", status=1).output
