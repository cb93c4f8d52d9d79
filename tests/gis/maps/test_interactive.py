"""The map in the browser: what is in the page, and that its files are shipped."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import html5lib
import pytest
import shapely

from toolkit.errors import GeometryError
from toolkit.gis.features import Feature
from toolkit.gis.maps.interactive import SCRIPTS, STYLE_SHEETS, interactive_map, map_assets

FEATURES = [
    Feature(
        shapely.Point(1, 2),
        {"name": "Quay</script>", "kind": "landmark", "url": "/places/quay/", "description": "Old"},
    ),
    Feature(shapely.box(0, 0, 3, 3), {"name": "Town", "kind": "area"}),
]


def data_of(markup: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json">(.*?)</script>', markup, re.DOTALL)
    assert found
    read: dict[str, object] = json.loads(found[1])
    return read


def test_the_features_are_in_the_page_as_json_and_cannot_end_their_element() -> None:
    markup = interactive_map(FEATURES, title="Map", height=300)
    data = data_of(markup)
    assert [each["properties"] for each in data["features"]] == [  # type: ignore[attr-defined]
        {"kind": "area", "label": "Town"},
        {"kind": "landmark", "label": "Quay</script>", "url": "/places/quay/", "text": "Old"},
    ]
    assert 'data-height="300"' in markup


def test_without_script_the_reader_has_the_picture() -> None:
    markup = interactive_map(FEATURES, title="Map")
    assert '<div class="map-fallback"><svg class="map"' in markup
    assert 'role="img"' in markup


def test_a_strict_content_security_policy_holds() -> None:
    markup = interactive_map(FEATURES, title="Map", asset=lambda path: f"/static/{path}")
    assert " style=" not in markup and " onclick" not in markup and "<style" not in markup
    scripts = re.findall(r"<script([^>]*)>", markup)
    assert all("src=" in attributes or "application/json" in attributes for attributes in scripts)
    for path in SCRIPTS:
        code = (files("toolkit.gis") / "static" / path).read_text()
        assert "eval(" not in code and "new Function" not in code


def test_no_other_host_is_asked() -> None:
    markup = interactive_map(FEATURES, title="Map", asset=lambda path: f"/static/{path}")
    assert set(re.findall(r"https?://[^/\"]+", markup)) <= {"http://www.w3.org"}
    assert "http" not in (files("toolkit.gis") / "static/gis/map.js").read_text().replace("^https?:$", "")


def test_the_page_is_valid_html() -> None:
    page = f"<!DOCTYPE html><title>T</title>{interactive_map(FEATURES, title='Map')}"
    html5lib.HTMLParser(strict=True).parse(page)


def test_all_files_are_shipped() -> None:
    for path in (*STYLE_SHEETS, *SCRIPTS):
        assert (files("toolkit.gis") / "static" / path).is_file(), path
    style = (files("toolkit.gis") / "static/gis/leaflet.css").read_text()
    for image in re.findall(r"url\((images/[^)]+)\)", style):
        assert (files("toolkit.gis") / "static/gis" / image).is_file(), image
    assert "BSD 2-Clause" in (files("toolkit.gis") / "static/gis/leaflet.LICENSE.txt").read_text()


def test_the_assets_are_named_through_the_site() -> None:
    markup = map_assets(lambda path: f"/s/{path}?v=1&x")
    assert markup.count("<link") == 2 and markup.count("<script") == 2
    assert 'href="/s/gis/map.css?v=1&amp;x"' in markup


def test_words_are_translated_and_unknown_ones_refused() -> None:
    data = data_of(interactive_map(FEATURES, words={"zoom_in": "Acercar"}, locale="es"))
    assert data["words"]["zoom_in"] == "Acercar"  # type: ignore[index]
    assert data["words"]["zoom_out"] == "Zoom out"  # type: ignore[index]
    with pytest.raises(GeometryError, match="the map has no word 'zoomin'"):
        interactive_map(FEATURES, words={"zoomin": "x"})


@pytest.mark.skipif(not shutil.which("chromium"), reason="Chromium is not installed (apt-get install chromium)")
def test_in_a_browser_the_map_runs_and_all_on_it_can_be_focused(tmp_path: Path) -> None:
    static = files("toolkit.gis") / "static"
    policy = "default-src 'none'; script-src file:; style-src file:; img-src file: data:"
    markup = interactive_map(
        FEATURES, title="Town", asset=lambda path: f"file://{static}/{path}", words={"zoom_in": "Más"}
    )
    page = tmp_path / "map.html"
    head = f'<!DOCTYPE html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
    page.write_text(f"{head}<title>T</title>{markup}")
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-logging=stderr",
        "--allow-file-access-from-files",
        "--virtual-time-budget=2000",
    ]
    command = ["chromium", *options, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", str(page)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "map-running" in run.stdout
    assert 'class="map-fallback map-replaced"' in run.stdout
    assert re.search(
        r'<path class="map-path map-area leaflet-interactive"[^>]*tabindex="0"[^>]*aria-label="Town"', run.stdout
    )
    assert re.search(r'<div class="leaflet-marker-icon map-marker map-landmark[^>]*tabindex="0"', run.stdout)
    assert 'title="Más"' in run.stdout
    assert "Content Security Policy" not in run.stderr
