"""The HTML of an image, and what a page remembers of it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from toolkit.errors import ImageError
from toolkit.images import Images, Options
from toolkit.trace import ABSENT, Scope, Trace, entered


def plain(html: Any) -> str:
    """Without the keys, which change with the versions of encoders."""
    return re.sub(r"\.[0-9a-f]{16}\.", ".", str(html))


def test_a_picture_offers_formats_and_widths_and_keeps_its_place(images: Images) -> None:
    assert plain(
        images.picture("photo.jpg", alt='A "ferry"', sizes="(min-width: 40rem) 50vw, 100vw", class_="lead")
    ) == (
        "<picture>"
        '<source type="image/avif" srcset="/renditions/photo-40.avif 40w, /renditions/photo-80.avif 80w"'
        ' sizes="(min-width: 40rem) 50vw, 100vw">'
        '<source type="image/webp" srcset="/renditions/photo-40.webp 40w, /renditions/photo-80.webp 80w"'
        ' sizes="(min-width: 40rem) 50vw, 100vw">'
        '<img src="/renditions/photo-80.jpg" srcset="/renditions/photo-40.jpg 40w, /renditions/photo-80.jpg 80w"'
        ' sizes="(min-width: 40rem) 50vw, 100vw" width="80" height="53" alt="A &#34;ferry&#34;" loading="lazy"'
        ' decoding="async" class="lead"></picture>'
    )


def test_a_filled_box_is_told_by_densities(images: Images) -> None:
    assert plain(images.picture("photo.jpg", alt="", fill="30x30", formats=[])) == (
        '<img src="/renditions/photo-30.jpg" srcset="/renditions/photo-30.jpg 1x, /renditions/photo-60.jpg 2x"'
        ' width="30" height="30" alt="" loading="lazy" decoding="async">'
    )


def test_the_first_picture_of_a_page_need_not_wait(images: Images) -> None:
    html = str(images.picture("photo.jpg", alt="", loading="eager", fetchpriority="high", data_zoom=True))
    assert "loading=" not in html and 'fetchpriority="high" data-zoom=""' in html


def test_parts_of_a_picture_can_be_used_alone(images: Images) -> None:
    picture = images.picture("photo.jpg", alt="", crop="1x1")
    assert plain(picture.url) == "/renditions/photo-80.jpg" and (picture.width, picture.height) == (80, 80)
    assert plain(picture.srcset("webp")) == "/renditions/photo-40.webp 40w, /renditions/photo-80.webp 80w"
    with pytest.raises(ImageError, match="not made in the format 'gif'"):
        picture.srcset("gif")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "no alternative text"),
        ({"alt": "", "loading": "soon"}, "loading='soon' is none of lazy, eager"),
        ({"alt": "", "src": "x"}, "takes no attribute 'src'"),
        ({"alt": "", 'x"y': "x"}, "takes no attribute"),
    ],
)
def test_what_no_image_can_have_is_refused(images: Images, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ImageError, match=message):
        images.picture("photo.jpg", **options)


def test_an_image_that_is_not_there_is_named(images: Images) -> None:
    with pytest.raises(ImageError, match=r"the image 'none\.jpg' is not there\. Look again\."):
        images.picture("none.jpg", alt="")


def test_a_page_remembers_the_file_and_what_was_done_to_it(
    images: Images, files: dict[str, bytes], make_images: Any
) -> None:
    trace = Trace()
    with entered(Scope(site=None, database=None, trace=trace)):
        images.picture("photo.jpg", alt="", crop="16x9", focal="10% 50%")
        with pytest.raises(ImageError, match="not there"):
            images.picture("none.jpg", alt="")
    recorded = {item.key: item.digest for item in trace if item.kind == "image"}
    (shown, absent) = recorded
    assert shown[:3] == ("asset", "", "photo.jpg") and recorded[absent] == ABSENT
    assert images.digest_of(shown) == recorded[shown]
    assert make_images(Options(widths=(40, 80), qualities={"avif": 1, "webp": 1, "jpeg": 1})).digest_of(
        shown
    ) != images.digest_of(shown)
    files["photo.jpg"] += b"\0"
    assert images.digest_of(shown) != recorded[shown]
    del files["photo.jpg"]
    assert images.digest_of(shown) == ABSENT


def test_one_size_has_one_name_wherever_it_is_shown(images: Images) -> None:
    card, story = images.picture("photo.jpg", alt="", widths=[40]), images.picture("photo.jpg", alt="", widths=[40, 80])
    assert card.renditions[0][0].name == story.renditions[0][0].name
