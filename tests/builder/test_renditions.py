"""Images in several sizes: made once, kept by content, published for exactly the pages that show them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from toolkit.builder import BuildReport
from toolkit.errors import ToolkitError

FILES = {
    "toolkit.toml": 'site = "press.site:site"\nbase_url = "https://press.example"\ndatabase = "sqlite:///press.db"\n'
    'workers = 2\nimage_widths = [30, 60]\n[storages.originals]\nbackend = "filesystem"\nurl = ""\n',
    "press/__init__.py": 'from toolkit import App\napp = App("press")\n',
    "press/models.py": """
from toolkit import models
from toolkit.models import Q

class Note(models.Model):
    slug = models.SlugField(unique=True)
    body = models.MarkdownField(blank=True)

class Story(models.Model):
    slug = models.SlugField(unique=True)
    photo = models.ImageField(upload_to="photos", blank=True, focal_field="focus", storage="originals")
    focus = models.CharField(max_length=20, blank=True)
    live = models.BooleanField(default=True)

    class Meta:
        ordering = ["slug"]
        public = Q(live=True)
""",
    "press/pages.py": """
from . import app
from .models import Note, Story

@app.page("/", template="home.html")
def home():
    return {"stories": Story.objects.all()}

@app.page("/stories/<slug>/", each=Story.objects.all(), template="story.html")
def story(story):
    return {}

@app.page("/notes/<slug>/", each=Note.objects.all(), template="note.html")
def note(note):
    return {}

app.source("content/notes/*.md", model=Note, key="slug")
""",
    "press/site.py": "from toolkit import Site\nfrom . import app\nsite = Site(__file__, apps=[app])\n",
    "templates/home.html": "{% for story in stories %}"
    '{{ image(story.photo, alt="", crop="2x1", formats=["webp"]) }}{% endfor %}',
    "templates/story.html": '<p>{{ story.slug }}</p>{{ image(story.photo, alt="") }}',
    "templates/note.html": "{{ note.body|markdown }}",
    "content/notes/one.md": "---\nslug: one\n---\n![a drawing](sketch.png)\n",
}


def picture(colour: tuple[int, int, int], size: tuple[int, int] = (60, 45)) -> bytes:
    """A photograph of one colour, with a corner of another."""
    image = Image.new("RGB", size, colour)
    image.paste((255, 255, 255), (0, 0, 9, 9))
    file = BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()


def plant(m: Any) -> None:
    """Three stories, one of them not for readers."""
    for number, slug in enumerate(("ferry", "flood", "draft")):
        photo = picture((40 * number, 90, 200 - 50 * number))
        story = m.Story(slug=slug, live=slug != "draft")
        story.photo.save(f"{slug}.jpg", photo, save=False)
        story.save()


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory, make_press: Callable[[Path], Any]) -> Path:
    folder = tmp_path_factory.mktemp("gallery") / "site"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "content/notes/sketch.png").write_bytes(picture((9, 9, 9)))
    (folder / "templates/home.html").write_text("")
    press = make_press(folder)
    press.build(folder.parent / "first")
    press.edit(plant)
    (folder / "templates/home.html").write_text(FILES["templates/home.html"])
    press.build()
    return folder


@pytest.fixture
def press(planted: Path, tmp_path: Path, make_press: Callable[[Path], Any]) -> Any:
    """A built press with photographs."""
    for name in ("site", "out"):
        shutil.copytree(planted.parent / name, tmp_path / name)
    shutil.copy(planted.parent / "out.manifest.db", tmp_path)
    (tmp_path / "site/toolkit.toml").write_text(FILES["toolkit.toml"] + "")
    return make_press(tmp_path / "site")


def rendered(report: BuildReport) -> list[str]:
    """URLs of the pages that were rendered."""
    return sorted(event.subject for event in report.events if event.kind == "rendered")


def renditions(press: Any) -> list[str]:
    """Names of the published renditions, without their keys."""
    found = (press.out / "renditions").iterdir()
    return sorted(f"{path.name.split('.')[0]}{path.suffix}" for path in found)


def test_a_build_publishes_what_its_pages_show_and_nothing_of_hidden_rows(press: Any) -> None:
    names = renditions(press)
    assert [name for name in names if name.startswith("flood")] == [
        "flood-30.avif", "flood-30.jpg", "flood-30.jpg", "flood-30.webp", "flood-30.webp",
        "flood-60.avif", "flood-60.jpg", "flood-60.jpg", "flood-60.webp", "flood-60.webp",
    ]  # fmt: skip
    assert not [name for name in names if name.startswith("draft")]
    assert "sketch-60.jpg" in names and "<picture>" in press.read("notes/one/index.html")
    assert not (press.out / "media-originals").exists()  # the storage of the originals has no URL


def test_nothing_is_made_when_nothing_changed(press: Any) -> None:
    report = press.build()
    assert (report.rendered, report.encoded, report.count("written")) == (0, 0, 0)


def test_a_second_machine_with_the_store_makes_nothing(press: Any) -> None:
    before = {path.name: path.read_bytes() for path in (press.out / "renditions").iterdir()}
    report = press.build(press.folder.parent / "elsewhere")
    assert report.encoded == 0 and report.rendered == 4
    assert {p.name: p.read_bytes() for p in (press.folder.parent / "elsewhere/renditions").iterdir()} == before


def test_a_machine_without_the_store_makes_the_same_bytes(press: Any) -> None:
    shutil.rmtree(press.folder / ".toolkit/renditions")
    assert press.same().encoded == 0  # what is published already is not made again
    before = {path.name: path.read_bytes() for path in (press.out / "renditions").iterdir()}
    shutil.rmtree(press.folder / ".toolkit/renditions")
    assert press.build(press.folder.parent / "elsewhere").encoded == len(before)
    assert {p.name: p.read_bytes() for p in (press.folder.parent / "elsewhere/renditions").iterdir()} == before


def test_another_file_renders_the_pages_that_show_it(press: Any) -> None:
    (press.folder / "media-originals/photos/flood.jpg").write_bytes(picture((1, 2, 3)))
    report = press.same()
    assert rendered(report) == ["/", "/stories/flood/"] and report.encoded == 10
    assert [event.reason for event in report.events if event.subject == "/stories/flood/"] == [
        "the image photos/flood.jpg changed"
    ]
    (press.folder / "content/notes/sketch.png").write_bytes(picture((1, 2, 3)))
    assert rendered(press.same()) == ["/notes/one/"]


def test_another_focal_point_renders_where_the_image_is_cut(press: Any) -> None:
    press.sql("UPDATE press_story SET focus = '10% 0%' WHERE slug = 'flood'")
    report = press.same()
    assert rendered(report) == ["/", "/stories/flood/"] and report.encoded == 4


def test_another_quality_renders_the_pages_with_images(press: Any) -> None:
    press.write("toolkit.toml", "avif_quality = 20\n" + FILES["toolkit.toml"])
    report = press.same()
    assert rendered(report) == ["/", "/notes/one/", "/stories/ferry/", "/stories/flood/"]
    assert report.encoded == 6  # the AVIF files alone


def test_a_row_that_is_hidden_takes_its_images_along(press: Any) -> None:
    press.sql("UPDATE press_story SET live = 0 WHERE slug = 'flood'")
    press.same()
    assert not [name for name in renditions(press) if name.startswith("flood")]


def test_a_page_that_shows_too_much_gets_no_image_of_hidden_rows(press: Any) -> None:
    press.replace("press/pages.py", '"stories": Story.objects.all()', '"stories": Story.objects.unrestricted()')
    report = press.same()
    assert report.notices == ["the image photos/draft.jpg belongs to no row that readers see: it is not published"]
    assert not [name for name in renditions(press) if name.startswith("draft")]


def test_a_damaged_image_stops_the_build_and_is_named(press: Any) -> None:
    before = sorted((press.out / "renditions").iterdir())
    place = press.folder / "media-originals/photos/flood.jpg"
    place.write_bytes(picture((7, 7, 7), (400, 300))[:900])
    with pytest.raises(ToolkitError, match=r"the stored image 'photos/flood\.jpg' is damaged"):
        press.build()
    assert sorted((press.out / "renditions").iterdir()) == before
    place.unlink()
    with pytest.raises(ToolkitError, match=r"the stored image 'photos/flood\.jpg' is not there.*page /"):
        press.build()


def test_a_static_image_wins_over_one_beside_the_content(press: Any) -> None:
    place = press.folder / "static/sketch.png"
    place.parent.mkdir()
    place.write_bytes(picture((200, 0, 0)))
    report = press.same()
    assert rendered(report) == ["/notes/one/"]
    assert "/static/sketch." in press.read("notes/one/index.html")
    place.unlink()
    assert rendered(press.same()) == ["/notes/one/"]
    assert "/renditions/sketch-60." in press.read("notes/one/index.html")


def test_a_lost_rendition_is_put_back(press: Any) -> None:
    lost = next((press.out / "renditions").glob("flood*.avif"))
    lost.unlink()
    report = press.same()
    assert (report.rendered, report.encoded) == (0, 0) and lost.exists()
