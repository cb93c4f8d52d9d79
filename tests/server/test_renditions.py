"""Images on demand, under the URLs that the build gives them, and under no other."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from toolkit.server.application import Application
from toolkit.trace import EDITOR, entered

MODELS = """
class Photo(models.Model):
    slug = models.SlugField(unique=True)
    photo = models.ImageField(upload_to="photos")
    live = models.BooleanField(default=True)
    class Meta:
        public = Q(live=True)
"""
PAGES = """
from .models import Photo

@app.page("/photos/<slug>/", each=Photo.objects.all(), template="photo.html")
def photo(photo):
    return {}
"""


def picture(colour: str) -> bytes:
    file = BytesIO()
    Image.new("RGB", (60, 45), colour).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def gallery(make_newsroom: Callable[..., Any]) -> Any:
    room = make_newsroom(pages=PAGES, models=MODELS, settings="image_widths = [30, 60]\n")
    room.write("templates/photo.html", '{{ image(photo.photo, alt="") }}{{ image("logo.png", alt="") }}')
    room.write("static/logo.png", picture("blue"))
    with entered(room.site.scope(viewer=EDITOR)):
        for slug, live in (("flood", True), ("draft", False)):
            row = room.model("Photo")(slug=slug, live=live)
            row.photo.save(f"{slug}.jpg", picture("red"), save=False)
            row.save()
    return room


def urls(body: str) -> list[str]:
    return [word for word in body.replace('"', " ").replace(",", " ").split() if word.startswith("/renditions/")]


def test_a_rendition_is_made_when_it_is_asked_for(gallery: Any) -> None:
    found = urls(gallery.get("/photos/flood/").body.decode())
    assert gallery.site.images.encoded == 0 and len(found) == 14
    got = gallery.get(found[0])
    assert (got.status, got.headers["content-type"]) == (200, "image/avif")
    assert got.headers["cache-control"] == "public, max-age=31536000, s-maxage=0, immutable"
    assert Image.open(BytesIO(got.body)).size == (30, 22)
    assert gallery.site.images.encoded == 1
    assert gallery.get(found[0], headers={"If-None-Match": got.headers["etag"]}).status == 304
    assert gallery.get(found[0], method="POST").status == 405


def test_another_process_knows_what_was_shown(gallery: Any) -> None:
    (first, *_) = urls(gallery.get("/photos/flood/").body.decode())
    gallery.site.__dict__.pop("images")
    gallery.site.images.remembers = True
    assert gallery.get(first).status == 200


def test_nobody_can_ask_for_what_no_page_shows(gallery: Any) -> None:
    (first, *_) = urls(gallery.get("/photos/flood/").body.decode())
    stem, key, suffix = first.rsplit(".", 2)
    for url in (
        f"{stem.replace('-30', '-31')}.{key}.{suffix}",
        f"{stem}.{key}.webp",
        f"{stem}.{'0' * 16}.{suffix}",
        f"/renditions/{key}.{suffix}",
        f"/renditions/..%2f..%2fsite.db.{key}.avif",
        "/renditions/",
    ):
        assert gallery.get(url).status == 404, url


def test_images_of_hidden_rows_are_for_editors_only(gallery: Any) -> None:
    preview = Application(gallery.site, preview=True)
    reader, gallery.application = gallery.application, preview
    try:
        found = urls(gallery.get("/photos/draft/").body.decode())
        got = gallery.get(found[0])
        assert (got.status, got.headers["cache-control"]) == (200, "private, no-cache")
        gallery.application = reader
        assert gallery.get(found[0]).status == 404
        gallery.sql(f"UPDATE {gallery.model('Photo')._meta.table} SET live = 1 WHERE slug = 'draft'")
        assert gallery.get(found[0]).status == 200
    finally:
        preview.close()


@pytest.mark.parametrize("parting", ["hidden", "replaced"])
def test_images_with_the_same_bytes_and_name_part_when_one_goes(gallery: Any, parting: str) -> None:
    photo = gallery.model("Photo")
    with entered(gallery.site.scope(viewer=EDITOR)):
        twin = photo(slug="twin")
        twin.photo = "later/flood.jpg"
        gallery.write("media/later/flood.jpg", picture("red"))
        twin.save()
    (first, *_) = urls(gallery.get("/photos/flood/").body.decode())
    assert urls(gallery.get("/photos/twin/").body.decode())[0] == first
    if parting == "hidden":
        gallery.sql(f"UPDATE {photo._meta.table} SET live = 0 WHERE slug = 'flood'")
    else:
        gallery.write("media/photos/flood.jpg", picture("green"))
    assert gallery.get(first).status == 200
    gallery.site.__dict__.pop("images")  # another process knows both from the store
    gallery.site.images.remembers = True
    assert gallery.get(first).status == 200
    gallery.sql(f"UPDATE {photo._meta.table} SET live = 0 WHERE slug = 'twin'")
    assert gallery.get(first).status == 404


def test_a_static_image_that_only_a_preview_showed_is_for_editors(gallery: Any) -> None:
    preview = Application(gallery.site, preview=True)
    reader, gallery.application = gallery.application, preview
    try:
        (logo,) = {
            url for url in urls(gallery.get("/photos/draft/").body.decode()) if "logo-60" in url and url.endswith("jpg")
        }
        gallery.application = reader
        assert gallery.get(logo).status == 404
        gallery.get("/photos/flood/")
        assert gallery.get(logo).status == 200
    finally:
        preview.close()


def test_a_page_of_another_image_has_other_urls_at_once(gallery: Any) -> None:
    before = urls(gallery.get("/photos/flood/").body.decode())
    gallery.write("media/photos/flood.jpg", picture("green"))
    after = urls(gallery.get("/photos/flood/").body.decode())
    assert not set(before[:4]) & set(after)
    assert gallery.get(after[0]).status == 200
    assert gallery.get(before[0]).status == 404
