"""What a reader sees before an image has come."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.images.making import loaded, photograph, saved
from toolkit.errors import ImageError
from toolkit.images import Images, Options
from toolkit.trace import Scope, Trace, entered


def tiny_of(html: object) -> Image.Image:
    """The picture inside a page."""
    found = re.search(r"url\(data:image/webp;base64,([A-Za-z0-9+/=]+)\)", str(html))
    assert found is not None
    return loaded(b64decode(found[1]))


def test_a_blurred_placeholder_is_the_image_itself_inside_the_page(images: Images) -> None:
    html = str(images.picture("photo.jpg", alt="", placeholder="blur", style="border: 0"))
    tiny = tiny_of(html).convert("RGB")
    assert tiny.size == (16, 11)
    red, green, blue = tiny.getpixel((2, 2))
    assert red > 150 > green + blue  # the upper left quarter
    assert html.count("style=") == 1 and "0 0/100% 100% no-repeat;border: 0" in html


def test_it_shows_the_part_that_the_image_shows(images: Images) -> None:
    html = images.picture("photo.jpg", alt="", placeholder="blur", crop="1x2", focal="100% 50%")
    tiny = tiny_of(html).convert("RGB")
    assert tiny.size == (16, 32)
    red, green, _ = tiny.getpixel((8, 4))
    assert green > 120 > red  # the right half: green above


def test_it_carries_nothing_of_what_the_file_says(images: Images, files: dict[str, bytes]) -> None:
    exif = Image.Exif()
    exif[0x013B] = "Ruth Oakley"
    files["signed.jpg"] = saved(photograph(), exif=exif)
    picture = images.picture("signed.jpg", alt="", placeholder="blur")
    assert picture.creator == "Ruth Oakley"
    assert "exif" not in tiny_of(picture).info and len(str(picture.attributes["style"])) < 400


def test_a_coloured_placeholder_is_the_mean_of_the_image(images: Images, files: dict[str, bytes]) -> None:
    files["sea.png"] = saved(Image.new("RGB", (90, 60), (16, 64, 128)), "PNG")
    found = re.search(
        r'style="background-color:#(..)(..)(..)"', str(images.picture("sea.png", alt="", placeholder="color"))
    )
    assert found is not None
    assert [int(part, 16) for part in found.groups()] == pytest.approx([16, 64, 128], abs=6)


def test_what_shines_through_and_what_moves_has_none(images: Images, files: dict[str, bytes]) -> None:
    files["mark.png"] = saved(Image.new("RGBA", (30, 30), (0, 0, 0, 0)), "PNG")
    frames = [Image.new("RGB", (30, 30), colour) for colour in ("red", "blue")]
    files["turning.gif"] = saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100)
    files["map.svg"] = b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>'
    for name in ("mark.png", "turning.gif", "map.svg"):
        assert "style" not in str(images.picture(name, alt="", placeholder="blur"))


def test_the_setting_is_what_a_template_may_overrule(make_images: Callable[..., Images]) -> None:
    images = make_images(Options(widths=(40, 80), placeholder="color"))
    assert "background-color:#" in str(images.picture("photo.jpg", alt=""))
    assert "style" not in str(images.picture("photo.jpg", alt="", placeholder="none"))
    assert "base64" in str(images.picture("photo.jpg", alt="", placeholder="blur"))


def test_an_unknown_kind_is_refused_with_the_nearest(images: Images) -> None:
    with pytest.raises(ImageError, match="'blurr' is no placeholder of an image"):
        images.picture("photo.jpg", alt="", placeholder="blurr")


def test_it_is_made_once_kept_when_the_store_is_pruned_and_never_published(
    make_images: Callable[..., Images], tmp_path: Path
) -> None:
    images = make_images()
    trace = Trace()
    with entered(Scope(site=None, database=None, trace=trace)):
        first = str(images.picture("photo.jpg", alt="", placeholder="blur"))
    assert images.encoded == 1  # the published sizes are made when the build publishes them
    [key] = [item.key for item in trace if item.kind == "image"]
    assert all(one.width > 16 for one in images.renditions(key))
    images.store.prune(images.needed(key))
    again = make_images()
    assert str(again.picture("photo.jpg", alt="", placeholder="blur")) == first
    assert again.encoded == 0
    again.store.prune([])
    assert str(again.picture("photo.jpg", alt="", placeholder="blur")) == first  # the same bytes, made again


def test_a_page_is_stale_when_the_setting_changes(make_images: Callable[..., Images]) -> None:
    trace = Trace()
    with entered(Scope(site=None, database=None, trace=trace)):
        make_images().picture("photo.jpg", alt="")
    [(key, before)] = [(item.key, item.digest) for item in trace if item.kind == "image"]
    assert make_images().digest_of(key) == before
    assert make_images(Options(widths=(40, 80), placeholder="blur")).digest_of(key) != before
