"""Files of file fields are published for the rows that readers see, and for no others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from toolkit.builder import Builder
from toolkit.storage import ContentFile
from toolkit.testing import Client, assert_builds_equal, frozen, temporary_site

MODELS = """
class Story(models.Model):
    slug = models.SlugField(unique=True)
    published = models.DateTimeField()
    scan = models.FileField(upload_to="scans", blank=True)

    class Meta:
        ordering = ["slug"]
        public = Q(published__lte=Now())
"""
PAGES = """
@app.page("/", template="home.html")
def home():
    return {"stories": Story.objects.all()}

@app.page("/about/", template="about.html")
def about():
    return {}
"""
FILES = {
    "templates/home.html": "<!doctype html><html lang=en><title>Home</title>"
    "{% for s in stories %}{% if s.scan %}<a href='{{ s.scan.url }}'>{{ s.slug }} {{ s.scan.size }}</a>{% endif %}"
    "{% endfor %}</html>",
    "templates/about.html": "<!doctype html><html lang=en><title>About</title></html>",
}
EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Any]:
    with temporary_site(tmp_path / "site", FILES, models=MODELS, pages=PAGES) as site:
        story = site.models[0]
        story(slug="now", published=EARLY, scan=ContentFile(b"abc", "now.txt")).save()
        story(slug="later", published=LATE, scan=ContentFile(b"<script>1</script>", "later.html")).save()
        yield site


def built(site: Any, output: Path, moment: str = "2026-03-01T12:00Z") -> Any:
    return Builder(site, output=output, moment=datetime.fromisoformat(moment)).build()


def test_files_of_hidden_rows_are_neither_built_nor_served(site: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    built(site, out)
    assert (out / "media/scans/now.txt").read_bytes() == b"abc"
    assert not (out / "media/scans/later.html").exists()
    with frozen("2026-03-01T12:00Z"):
        client = Client(site)
        answer = client.get("/media/scans/now.txt")
        assert answer.is_ok
        assert answer.body == b"abc"
        for path in ("scans/later.html", "scans/nowhere.txt", "scans/", "", "../toolkit.toml", "%2e%2e/toolkit.toml"):
            assert client.get(f"/media/{path}").status in (400, 404)


def test_a_row_that_becomes_public_brings_its_file(site: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    built(site, out)
    built(site, out, "2026-07-01T12:00Z")
    assert (out / "media/scans/later.html").exists()
    with frozen("2026-07-01T12:00Z"):
        answer = Client(site).get("/media/scans/later.html")
        assert answer.is_ok
        assert answer.headers["content-security-policy"] == "sandbox"
    built(site, out)
    assert not (out / "media/scans/later.html").exists()


def test_an_exchanged_file_renders_the_pages_that_read_it(site: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    built(site, out)
    (site.folder / "media/scans/now.txt").write_bytes(b"abcdef")
    report = built(site, out)
    assert report.rendered == 1
    assert (out / "media/scans/now.txt").read_bytes() == b"abcdef"
    assert b"now 6</a>" in (out / "index.html").read_bytes()
    built(site, tmp_path / "clean")
    assert_builds_equal(out, tmp_path / "clean")
    assert built(site, out).rendered == 0


def test_a_file_that_is_not_there_is_told(site: Any, tmp_path: Path) -> None:
    story = site.models[0]
    story(slug="x", published=EARLY).save()
    story.objects.filter(slug="x").update(scan="scans/gone.txt")
    (site.folder / "templates/home.html").write_text("<!doctype html><html lang=en><title>Home</title></html>")
    report = built(site, tmp_path / "out")
    assert "the stored file scans/gone.txt is not in the storage 'default'" in report.notices
