from __future__ import annotations

import html
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from toolkit.errors import ValidationError
from toolkit.text import escape_attribute, escape_html, json_for_html, xml_text

anything = st.text(st.characters())  # lone surrogates included


@given(anything)
def test_whatever_xml_text_returns_is_accepted_by_an_xml_library(text: str) -> None:
    element = etree.Element("a")
    element.text = xml_text(text)
    assert (etree.fromstring(etree.tostring(element, encoding="utf-8")).text or "") == xml_text(text)


def test_xml_text_keeps_letters_and_drops_control_characters() -> None:
    assert xml_text("a\x00b\x08c\x0bd\ufffee\ud800f\tg\r\nh\ri 😀") == "abcdef\tg\nh\ni 😀"


def test_html_text_and_attributes_are_escaped() -> None:
    assert escape_html("<a href=\"x\" title='y'>&") == "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;"
    assert escape_attribute("`\n\t\"'<>&") == "&#96;&#10;&#9;&quot;&#39;&lt;&gt;&amp;"


@given(st.text())
def test_an_attribute_survives_the_round_trip(text: str) -> None:
    escaped = escape_attribute(text)
    assert not set("<>\"'`\n\r\t") & set(escaped)
    if text.isascii() and text.isprintable():
        assert html.unescape(escaped) == text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | anything,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_json_in_a_script_reads_back_and_cannot_close_the_script(value: object) -> None:
    body = json_for_html(value)
    assert not set("<>&\u2028\u2029") & set(body)
    assert json.loads(body) == value
    body.encode("utf-8")


def test_json_refuses_what_javascript_could_not_read() -> None:
    with pytest.raises(ValidationError, match=r"cannot be written as JSON: .*float"):
        json_for_html({"x": float("nan")})
    with pytest.raises(ValidationError, match="set is not JSON serializable"):
        json_for_html({1, 2})
    assert json_for_html({1}, default=sorted) == "[1]"
