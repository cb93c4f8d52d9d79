"""Escaping that knows where in the HTML a value is printed.

HTML escaping alone is right between tags and in quoted attributes. It does nothing against ``javascript:`` in
``href="{{ url }}"``, in a ``<script>``, in ``onclick="…"`` or ``style="…"``. So the template's own text is followed
as a browser would (after Go's html/template; HTML Living Standard §13.2.5), and each ``{{ … }}`` gets, when the
template is compiled, the escaping its place needs:

====================================  ===========================================================
between tags, in a quoted attribute   HTML escaping (Jinja's)
at the start of an address            addresses that would run something become ``about:invalid``
in a script or a handler              JSON; inside a string there, its characters
in a style                            words, numbers, colours and plain functions only
as a tag's or attribute's name        names that bring nothing to run
in an attribute without quotes        refused
====================================  ===========================================================

``Markup`` (``|safe``, ``|tojson``, other filters' HTML) is trusted to be right for its place, except inside strings
of scripts. A template that is included, and a block that a child fills, are taken to stand between tags:
let them hold whole elements.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

_ADDRESSES = frozenset(
    {"href", "action", "formaction", "cite", "ping", "manifest", "xlink:href", "src", "poster", "background", "data"}
)
_MEDIA = frozenset({"src", "poster", "background"})
_RAW_ELEMENTS = frozenset({"title", "textarea", "noscript", "iframe", "xmp", "noembed", "noframes"})

_TAG_OPEN = re.compile(r"<!--|<(?P<close>/?)(?P<name>[A-Za-z][^\s/>]*)?")
_ATTRIBUTE = re.compile(r"[\s/]*(?:(?P<end>>)|(?P<name>[^\s/>=\"'][^\s/>=]*)(?P<is>\s*=\s*(?P<quote>[\"']?))?)")
_REST_OF_NAME = re.compile(r"[^\s/>]*")
_REST_OF_ATTRIBUTE = re.compile(r"([^\s/>=]*)(\s*=\s*([\"']?))?")
_END_OF_BARE = re.compile(r"[\s>]")
_IN_CSS_URL = re.compile(r"url\(\s*[\"']?[^)\"'\0]*\Z", re.IGNORECASE)
_IN_CODE = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)|[\"'`]", re.DOTALL)
_IN_STRING = re.compile(r"\\.|[\"'`]", re.DOTALL)


class Place(msgspec.Struct, frozen=True):
    """Where in the HTML a position is.

    Args:
        mode: ``text``, ``comment``, ``tag`` (between attributes), ``name`` (in a tag's name), ``attribute`` (in an
            attribute's name), ``value`` (in a quoted value), ``bare`` (in a value without quotes), ``script``,
            ``style`` or ``raw`` (a title, a textarea).
        element: The element's name.
        attribute: The attribute's name.
        quote: The quotation mark that ends the value.
        written: What the value holds so far, expressions as ``\\0``.
        string: The quotation mark of the script's string we are in, or nothing.
    """

    mode: str = "text"
    element: str = ""
    attribute: str = ""
    quote: str = ""
    written: str = ""
    string: str = ""


def follow(place: Place, text: str) -> Place:
    """Where one is after some more of the template's text."""
    position = 0
    while position < len(text):
        place, position = _STEPS[place.mode](place, text, position)
    return place


def escaping_for(place: Place) -> str:
    """The name of the filter a value needs here; empty when HTML escaping is enough.

    Raises:
        ValueError: Nothing can make a value safe here; the message says why.
    """
    if place.mode == "script":
        return "_js_string" if place.string else "_js"
    if place.mode == "style":
        return _escaping_in_style(place.written)
    if place.mode in ("name", "attribute", "tag"):
        return {"name": "_tag_name", "attribute": "_attribute_name", "tag": "_attributes"}[place.mode]
    if place.mode == "bare":
        raise ValueError(f"the value of {place.attribute!r} has no quotation marks around it")
    return _escaping_of_value(place) if place.mode == "value" else ""


def _escaping_of_value(place: Place) -> str:
    name = place.attribute
    if name.startswith("on") or name == "srcdoc":
        return ("_js_string" if place.string else "_js_attribute") if name != "srcdoc" else "_srcdoc"
    if name == "style":
        return _escaping_in_style(place.written)
    if name not in _ADDRESSES:
        return ""
    written = place.written.strip().lower()
    if written.startswith(("javascript:", "vbscript:", "data:")):
        raise ValueError(f"nothing makes a value safe inside {written.partition(':')[0]}:")
    if re.match(r"\0[^/?#]*:", written):
        raise ValueError("an address's scheme cannot be a value")
    return ("_media_url" if name in _MEDIA else "_url") if not re.search(r"[/?#:]", written) else ""


def _escaping_in_style(written: str) -> str:
    return "_css_url" if _IN_CSS_URL.search(written) else "_css"


# -- following a template's text, as a tokenizer


def _text(place: Place, text: str, position: int) -> tuple[Place, int]:
    match = _TAG_OPEN.search(text, position)
    while match is not None and match["name"] is None and match[0] != "<!--" and match.end() < len(text):
        match = _TAG_OPEN.search(text, match.end())
    if match is None:
        return place, len(text)
    if match[0] == "<!--":
        return Place("comment"), match.end()
    element = "" if match["close"] else (match["name"] or "").lower()
    mode = "name" if match.end() == len(text) else "tag"
    return Place(mode, element=("/" if match["close"] else "") + element), match.end()


def _tag_name(place: Place, text: str, position: int) -> tuple[Place, int]:
    match = _REST_OF_NAME.match(text, position)
    end = match.end() if match else position
    element = place.element + text[position:end].lower()
    if element in ("", "/") and not place.written:  # "a < b": no tag after all
        return Place(), end
    return replace(place, mode="name" if end == len(text) else "tag", element=element), end


def _tag(place: Place, text: str, position: int) -> tuple[Place, int]:
    match = _ATTRIBUTE.match(text, position)
    if match is None or (match["end"] is None and match["name"] is None):
        return place, max(len(text) if match is None else match.end(), position + 1)
    if match["end"]:
        return _after_tag(place), match.end()
    name = match["name"].lower()
    if match["is"] is None:
        mode = "attribute" if match.end() == len(text) else "tag"
        return replace(place, mode=mode, attribute=name), match.end()
    if match["quote"]:
        return replace(place, mode="value", attribute=name, quote=match["quote"], written="", string=""), match.end()
    return replace(place, mode="bare", attribute=name, written=""), match.end()


def _attribute_name(place: Place, text: str, position: int) -> tuple[Place, int]:
    match = _REST_OF_ATTRIBUTE.match(text, position)
    if match is None:
        return replace(place, mode="tag"), position
    name = place.attribute + match[1].lower()
    if match[2] is None:
        return replace(place, mode="attribute" if match.end() == len(text) else "tag", attribute=name), match.end()
    mode = "value" if match[3] else "bare"
    return replace(place, mode=mode, attribute=name, quote=match[3], written="", string=""), match.end()


def _after_tag(place: Place) -> Place:
    if place.element in ("script", "style"):
        return Place(place.element, element=place.element)
    return Place("raw", element=place.element) if place.element in _RAW_ELEMENTS else Place()


def _value(place: Place, text: str, position: int) -> tuple[Place, int]:
    end = text.find(place.quote, position)
    if end >= 0:
        return Place("tag", element=place.element), end + 1
    added = text[position:]
    string = _string_after(place.string, added) if place.attribute.startswith("on") else ""
    return replace(place, written=place.written + added, string=string), len(text)


def _bare(place: Place, text: str, position: int) -> tuple[Place, int]:
    if not place.written and (text[position] in "\"'" or text[position].isspace()):
        quote = text[position].strip()
        return replace(place, mode="value" if quote else "bare", quote=quote), position + 1
    match = _END_OF_BARE.search(text, position)
    return (replace(place, mode="tag"), match.start()) if match else (replace(place, written="x"), len(text))


def _until(end: str, after: Callable[[Place], Place]) -> Callable[[Place, str, int], tuple[Place, int]]:
    def step(place: Place, text: str, position: int) -> tuple[Place, int]:
        found = text.find(end, position)
        return (place, len(text)) if found < 0 else (after(place), found + len(end))

    return step


def _element_text(place: Place, text: str, position: int) -> tuple[Place, int]:
    """Inside an element whose text ends at its own end tag only."""
    end = re.compile(rf"</{re.escape(place.element)}(?=[\s/>])", re.IGNORECASE).search(text, position)
    inside = text[position : end.start() if end else len(text)]
    if end is not None:
        return Place("tag", element="/" + place.element), end.end()
    string = _string_after(place.string, inside) if place.mode == "script" else ""
    return replace(place, string=string, written=(place.written + inside)[-40:]), len(text)


def _string_after(string: str, script: str) -> str:
    """The quotation mark of the string one is in after some more of a script."""
    position = 0
    while token := (_IN_STRING if string else _IN_CODE).search(script, position):
        mark, position = token[0], token.end()
        if string:
            string = "" if mark == string else string
        elif mark in "\"'`":
            string = mark
    return string


_STEPS: dict[str, Callable[[Place, str, int], tuple[Place, int]]] = {
    "text": _text,
    "comment": _until("-->", lambda place: Place()),
    "name": _tag_name,
    "tag": _tag,
    "attribute": _attribute_name,
    "value": _value,
    "bare": _bare,
    "script": _element_text,
    "style": _element_text,
    "raw": _element_text,
}
