"""What renditions look like: upright, in sRGB, sharp-edged where they were cut, and the same every time."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageCms

from tests.images.making import loaded, photograph, saved
from toolkit.errors import ImageError
from toolkit.images import Images, Operations, Rendition, read_facts

LIMIT = 1_000_000


def made(images: Images, files: dict[str, bytes], body: bytes, **operations: Any) -> dict[str, bytes]:
    """Format to bytes, of the largest rendition."""
    files["it"] = body
    key = ("asset", "", "it", Operations(widths=(60,), **operations).text())
    return {one.format: images.make([one])[one.key] for one in images.renditions(key)}


def near(pixel: Any, colour: tuple[int, ...]) -> bool:
    return all(abs(a - b) < 24 for a, b in zip(pixel, colour, strict=False))


def test_each_format_is_made_and_shows_the_picture(images: Images, files: dict[str, bytes]) -> None:
    bodies = made(images, files, saved(photograph(), quality=95))
    assert list(bodies) == ["avif", "webp", "jpeg"]
    for name, body in bodies.items():
        image = loaded(body)
        assert (image.format or "").lower() == name and image.size == (60, 40)
        assert near(image.convert("RGB").getpixel((10, 10)), (220, 20, 20))
        assert near(image.convert("RGB").getpixel((50, 10)), (20, 180, 20))


def test_the_same_file_gives_the_same_bytes(images: Images, files: dict[str, bytes], make_images: Any) -> None:
    body = saved(photograph(), quality=95)
    assert made(images, files, body) == made(make_images(folder="other"), files, body)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_stands_upright_however_it_was_taken(
    images: Images, files: dict[str, bytes], orientation: int
) -> None:
    upright = photograph()
    turns: dict[int, list[Image.Transpose]] = {
        1: [],
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }
    lying = upright
    for turn in turns[orientation]:
        lying = lying.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    body = saved(lying, exif=exif, quality=95)
    facts = read_facts(body, "it", max_pixels=LIMIT)
    assert (facts.width, facts.height) == (120, 80)
    image = loaded(made(images, files, body)["jpeg"])
    assert image.size == (60, 40) and image.getexif().get(0x0112) is None
    assert near(image.getpixel((10, 10)), (220, 20, 20)) and near(image.getpixel((10, 30)), (20, 20, 220))


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "AVIF"])
def test_so_it_does_in_every_format(images: Images, files: dict[str, bytes], format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    body = saved(photograph().transpose(Image.Transpose.ROTATE_90), format, exif=exif)
    for name, rendition in made(images, files, body).items():
        picture = loaded(rendition).convert("RGB")
        assert picture.size == (60, 40) and near(picture.getpixel((10, 10)), (220, 20, 20)), name


def test_a_crop_shows_what_the_focal_point_says(images: Images, files: dict[str, bytes]) -> None:
    body = saved(photograph(), quality=95)
    left = made(images, files, body, mode="crop", size=(1, 2), focal=(0.1, 0.5))["jpeg"]
    right = made(images, files, body, mode="crop", size=(1, 2), focal=(0.9, 0.5))["jpeg"]
    assert loaded(left).size == (40, 80)
    assert near(loaded(left).getpixel((20, 10)), (220, 20, 20))
    assert near(loaded(right).getpixel((20, 10)), (20, 180, 20))


def test_colours_of_another_profile_become_those_of_srgb(images: Images, files: dict[str, bytes]) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    body = saved(photograph(), icc_profile=profile, quality=95)
    image = loaded(made(images, files, body)["jpeg"])
    assert "icc_profile" not in image.info and near(image.getpixel((10, 10)), (220, 20, 20))


def test_a_broken_profile_says_nothing(images: Images, files: dict[str, bytes]) -> None:
    image = loaded(made(images, files, saved(photograph(), icc_profile=b"rubbish" * 30, quality=95))["jpeg"])
    assert near(image.getpixel((10, 10)), (220, 20, 20))


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "CMYK", "RGBA", "I;16", "YCbCr"])
def test_every_kind_of_pixel_can_be_shown(images: Images, files: dict[str, bytes], mode: str) -> None:
    image = photograph(mode="I").convert("I;16") if mode == "I;16" else photograph(mode=mode)
    body = saved(image, "TIFF" if mode in ("CMYK", "YCbCr") else "PNG")
    bodies = made(images, files, body)
    assert all(loaded(one).size == (60, 40) for one in bodies.values())


def test_greys_of_sixteen_bits_keep_their_lightness(images: Images, files: dict[str, bytes]) -> None:
    deep = Image.new("I;16", (120, 80), 32_768)
    assert near(loaded(made(images, files, saved(deep, "PNG"))["webp"]).convert("RGB").getpixel((9, 9)), (127,) * 3)


def test_what_shines_through_does_so_in_formats_that_can(images: Images, files: dict[str, bytes]) -> None:
    glass = photograph(mode="RGBA")
    glass.putalpha(Image.new("L", glass.size, 0))
    bodies = made(images, files, saved(glass, "PNG"))
    assert list(bodies) == ["avif", "webp", "png"]
    for body in bodies.values():
        assert loaded(body).convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]
    white = made(images, files, saved(glass, "PNG"), formats=("jpeg",))["jpeg"]
    assert near(loaded(white).getpixel((5, 5)), (255, 255, 255))


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_an_animation_goes_on_moving(images: Images, files: dict[str, bytes], format: str) -> None:
    frames = [photograph(), photograph().transpose(Image.Transpose.ROTATE_180), Image.new("RGB", (120, 80))]
    body = saved(frames[0], format, save_all=True, append_images=frames[1:], duration=[70, 80, 90], loop=0)
    bodies = made(images, files, body)
    assert list(bodies) == (["webp"] if format == "WEBP" else ["webp", format.lower()])
    for one in bodies.values():
        image = Image.open(BytesIO(one))
        assert (image.size, getattr(image, "n_frames", 1)) == ((60, 40), 3)


def test_filters_change_the_picture(images: Images, files: dict[str, bytes]) -> None:
    body = saved(photograph(), quality=95)
    grey = loaded(made(images, files, body, filters=("grayscale",))["jpeg"]).convert("RGB").getpixel((10, 10))
    assert isinstance(grey, tuple) and max(grey) - min(grey) < 8
    plain, soft = made(images, files, body)["jpeg"], made(images, files, body, filters=("blur:6",))["jpeg"]
    assert near(loaded(plain).getpixel((28, 10)), (220, 20, 20)) and not near(
        loaded(soft).getpixel((28, 10)), (220, 20, 20)
    )


def test_a_bomb_is_refused_before_it_is_unpacked(files: dict[str, bytes]) -> None:
    bomb = saved(Image.new("1", (2000, 2000)), "PNG")
    with pytest.raises(
        ImageError, match=r"the cat has 2000 × 2000 pixels: at most 1000000 pixels are allowed"
    ) as error:
        read_facts(bomb, "the cat", max_pixels=LIMIT)
    assert "image_max_pixels" in str(error.value.hint)
    frames = [Image.new("L", (400, 400), n) for n in range(9)]
    animation = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(ImageError, match="400 × 400 pixels in 9 frames"):
        read_facts(animation, "the cat", max_pixels=LIMIT)


@pytest.mark.parametrize(
    "body", [b"", b"text", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"GIF89a", b"\x89PNG\r\n\x1a\n" + b"\0" * 9]
)
def test_what_is_no_image_is_refused_whatever_its_name(body: bytes) -> None:
    with pytest.raises(ImageError, match=r"the cat is (no image that can be read|damaged)"):
        read_facts(body, "the cat", max_pixels=LIMIT)


def test_what_phones_take_is_named() -> None:
    with pytest.raises(ImageError, match=r"It is HEIC, as phones take it, .* save it as JPEG"):
        read_facts(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "the cat", max_pixels=LIMIT)


def test_half_an_image_is_damaged(images: Images, files: dict[str, bytes]) -> None:
    body = saved(photograph(900, 600), quality=95)
    with pytest.raises(ImageError, match="the image 'it' is damaged"):
        made(images, files, body[: len(body) // 2])


def test_renditions_of_one_file_do_not_depend_on_which_are_made_together(
    make_images: Any, files: dict[str, bytes]
) -> None:
    files["it"] = saved(photograph(900, 600), quality=95)
    key = ("asset", "", "it", Operations(widths=(60, 300)).text())
    together, alone = make_images(folder="a"), make_images(folder="b")
    wanted: list[Rendition] = together.renditions(key)
    assert together.make(wanted) == {one.key: alone.make([one])[one.key] for one in reversed(wanted)}
