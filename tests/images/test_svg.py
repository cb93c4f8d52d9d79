"""SVG is passed on as it is, without what runs or fetches."""

from __future__ import annotations

import pytest

from toolkit.errors import ImageError
from toolkit.images import Images, Operations
from toolkit.images.svg import clean_svg, is_svg, svg_size

DRAWING = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><style>.a{fill:red}</style>'
    b'<defs><linearGradient id="g"><stop offset="0"/></linearGradient></defs>'
    b'<rect class="a" width="40" height="20" fill="url(#g)"/><use href="#g"/></svg>'
)


def drawing(inside: str, attributes: str = "") -> bytes:
    head = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 4 4"'
    return f"{head} {attributes}>{inside}</svg>".encode()


def test_a_drawing_stays_as_it_is() -> None:
    assert clean_svg(DRAWING, "it") == DRAWING


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert('EVIL')</script>",
        '<script xlink:href="https://EVIL"/>',
        "<g onclick=\"alert('EVIL')\"/>",
        '<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><b>EVIL</b></body></foreignObject>',
        '<h:img xmlns:h="http://www.w3.org/1999/xhtml" src="EVIL"/>',
        '<image href="https://EVIL/x.png"/>',
        '<image xlink:href="//EVIL/x.png"/>',
        '<use href="other.svg#EVIL"/>',
        '<a href="javascript:EVIL"><text>words</text></a>',
        '<image href=" data:text/html,EVIL"/>',
        '<image href="data:image/svg+xml,EVIL"/>',
        "<style>@import 'https://EVIL'; a{}</style>",
        "<style>a{fill:url(https://EVIL)}</style>",
        r"<style>a{fill:\75rl(https://EVIL)}</style>",
        '<rect fill="url(https://EVIL)"/>',
        "<rect style=\"fill:url('//EVIL')\"/>",
        '<set attributeName="href" to="javascript:1"/><!-- EVIL -->',
        '<g><animate attributeName="onclick" onbegin="EVIL"/></g>',
        "<?xml-stylesheet href='https://EVIL'?>",
    ],
)
def test_what_runs_or_fetches_is_taken_out(inside: str) -> None:
    cleaned = clean_svg(drawing(inside), "it")
    assert b"EVIL" not in cleaned and b'attributeName="href"' not in cleaned
    assert is_svg(cleaned)


def test_words_of_a_link_stay() -> None:
    assert b"words" in clean_svg(drawing('<a href="https://x.example"><text>words</text></a>tail'), "it")


def test_entities_are_refused() -> None:
    bomb = b'<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + DRAWING
    assert is_svg(bomb)
    with pytest.raises(ImageError, match="the cat defines entities"):
        clean_svg(bomb, "the cat")


def test_what_is_no_drawing_is_refused() -> None:
    with pytest.raises(ImageError, match="the cat is no SVG that can be read"):
        clean_svg(b"<svg><g></svg>", "the cat")
    with pytest.raises(ImageError, match="of the namespace None"):
        clean_svg(b"<svg viewBox='0 0 1 1'/>", "the cat")
    assert not is_svg(b"<html><svg></svg></html>") and not is_svg(b"svg")


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ('width="30" height="10"', (30, 10)),
        ('width="1in" height="48px"', (96, 48)),
        ('viewBox="0 0 200 100"', (200, 100)),
        ('viewBox="0,0,200,100" width="50"', (50, 25)),
        ('width="100%" height="100%" viewBox="-5 -5 20 30"', (20, 30)),
    ],
)
def test_the_size_is_what_is_written_or_that_of_the_view_box(attributes: str, size: tuple[int, int]) -> None:
    assert svg_size(f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}/>'.encode(), "it") == size


def test_a_drawing_without_a_size_is_refused() -> None:
    with pytest.raises(ImageError, match="says neither its size nor its view box"):
        svg_size(b'<svg xmlns="http://www.w3.org/2000/svg"/>', "it")


def test_a_drawing_is_one_image_for_all_widths(images: Images, files: dict[str, bytes]) -> None:
    files["logo.svg"] = DRAWING
    picture = images.picture("logo.svg", alt="The Courier", widths=[10, 20])
    (one,) = images.renditions(("asset", "", "logo.svg", Operations().text()))
    assert str(picture).startswith(
        f'<img src="/renditions/logo.{one.key}.svg" width="40" height="20" alt="The Courier"'
    )
    assert images.make([one]) == {one.key: DRAWING}
