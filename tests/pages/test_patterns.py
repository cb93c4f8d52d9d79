"""Paths, in both directions."""

from __future__ import annotations

import string
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.routing import BaseConverter, Map, Rule

from toolkit.errors import DeclarationError, RouteError
from toolkit.pages.patterns import Pattern, folded_path, numbered, output_path, split_number

slugs = st.text(
    st.one_of(
        st.sampled_from(string.ascii_letters + string.digits + "-_.~ %+&=?#:;@!$'()*,[]|\"<>^`{}"),
        st.characters(min_codepoint=0xA0, max_codepoint=0x1FFFF, exclude_categories=["Cs", "Cc", "Cn"]),
    ),
    min_size=1,
    max_size=20,
)


@given(slugs, slugs)
def test_match_is_the_reverse_of_build(section: str, slug: str) -> None:
    pattern = Pattern("/<section__slug>/<slug>/")
    values = {"section__slug": section, "slug": slug}
    try:
        url = pattern.build(values)
    except RouteError:
        assert {".", ".."} & {section, slug}
        return
    assert url.isascii()
    assert pattern.match(unquote(url)) == values


@given(slugs, st.one_of(slugs, st.integers(), st.booleans(), st.dates()))
def test_a_path_without_converters_is_built_as_werkzeug_builds_it(section: str, slug: object) -> None:
    values = {"section": section, "slug": slug}
    rule = Rule("/es/<section>/a-b/<slug>-page/", endpoint="page")
    Map([rule])
    try:
        url = Pattern("/<section>/a-b/<slug>-page/", prefix="/es").build(values)
    except RouteError:
        assert section in (".", "..") or "/" in f"{section}{slug}"
        return
    _, expected = rule.build(values)
    assert url == expected


@given(
    st.sampled_from(["/<int:year>/", "/<int(fixed_digits=4):year>/", "/<int(min=3):year>/"]),
    st.one_of(st.integers(), st.booleans(), st.integers().map(str), slugs),
)
def test_a_whole_number_is_built_as_werkzeug_builds_it(path: str, year: object) -> None:
    rule = Rule(path, endpoint="page")
    Map([rule])
    try:
        url = Pattern(path).build({"year": year})
    except RouteError:
        with pytest.raises(ValueError):
            rule.build({"year": year})
        return
    assert url == rule.build({"year": year})[1]


def test_a_converter_of_the_sites_own_may_have_the_name_of_a_built_in_one() -> None:
    class Spelled(BaseConverter):
        def to_url(self, value: Any) -> str:
            return f"year-{value}"

    assert Pattern("/<int:year>/", converters={"int": Spelled}).build({"year": 26}) == "/year-26/"


@given(slugs)
def test_a_url_and_its_file_agree(slug: str) -> None:
    try:
        url = Pattern("/<slug>/", prefix="/es").build({"slug": slug})
    except RouteError:
        return
    assert output_path(url) == f"es/{slug}/index.html"
    assert unquote(url).strip("/") + "/index.html" == output_path(url)


@pytest.mark.parametrize(
    "slug", ["a/b", "/", "//evil.example", ".", "..", "", None, "a\x00b", "a\nb", "x\\y", "\ud800"]
)
def test_values_that_cannot_be_one_segment_are_refused(slug: str | None) -> None:
    with pytest.raises(RouteError, match=r"cannot be in a URL|would leave its folder|is empty"):
        Pattern("/<slug>/").build({"slug": slug})


@pytest.mark.parametrize("rest", ["a//b", "a/"])
def test_empty_segments_are_refused_for_file_systems_pass_over_them(rest: str) -> None:
    with pytest.raises(RouteError, match="a part of it is empty"):
        Pattern("/<path:rest>/").build({"rest": rest})


def test_a_segment_longer_than_file_systems_take_is_refused() -> None:
    with pytest.raises(RouteError, match="longer than 255 bytes"):
        Pattern("/<slug>/").build({"slug": "é" * 128})


def test_converters_of_every_kind() -> None:
    pattern = Pattern('/<int(fixed_digits=4):year>/<re("[a-z]{2}"):code>/<path:rest>')
    values = {"year": 2026, "code": "ab", "rest": "x/y.json"}
    assert pattern.names == ("year", "code", "rest")
    assert pattern.match(pattern.build(values)) == values
    assert pattern.match("/2026/abc/x") is None


def test_a_path_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(DeclarationError, match="does not begin with a slash"):
        Pattern("story/")
    with pytest.raises(DeclarationError, match="cannot be read"):
        Pattern("/<nosuch:year>/")
    with pytest.raises(DeclarationError, match="has <slug> twice"):
        Pattern("/<slug>/<slug>/")


@given(st.integers(1, 10**6))
def test_page_numbers_are_reversible(number: int) -> None:
    assert split_number(numbered("/town/", number)) == ("/town/", number)


def test_numbers_that_no_listing_has_are_part_of_the_path() -> None:
    assert split_number("/town/page/0/") == ("/town/page/0/", 0)
    assert split_number("/town/page/02/") == ("/town/page/02/", 0)


def test_paths_that_some_file_systems_take_for_one_are_equal_when_folded() -> None:
    assert folded_path("Café/x") == folded_path("cafe\u0301/X")
    assert folded_path("straße") == folded_path("STRASSE")
