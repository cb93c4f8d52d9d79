"""What an image says of itself: who made it and whose it is, read from EXIF, IPTC and XMP, and written again.

Of everything else that cameras write, the place, serial numbers, the owner's name, thumbnails of what was cut
away, nothing is carried over: a rendition has exactly what is written here.

Source: IPTC Photo Metadata Standard 2024.1; EXIF 3.0; XMP Specification Part 2.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import msgspec

from toolkit.text import escape_attribute

_EXIF = {"creator": 0x013B, "copyright": 0x8298, "caption": 0x010E}
_IPTC = {"creator": (2, 80), "credit": (2, 110), "copyright": (2, 116), "caption": (2, 120)}

_NAMES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "core": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
}
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def _tag(space: str, name: str) -> str:
    return f"{{{_NAMES[space]}}}{name}"


_XMP = {
    "creator": _tag("dc", "creator"),
    "credit": _tag("photoshop", "Credit"),
    "copyright": _tag("dc", "rights"),
    "caption": _tag("dc", "description"),
    "alt": _tag("core", "AltTextAccessibility"),
}
LONGEST = 2_000
"""Characters of one entry that are read."""

MOST_XMP = 1_000_000
"""Bytes of XMP that are looked at."""


class Credits(msgspec.Struct, frozen=True):
    """What an image says of itself.

    Args:
        creator: Who made it.
        credit: How it wants to be credited.
        copyright: Whose it is.
        caption: What it shows.
        alt: What stands for it where it is not seen.
    """

    creator: str = ""
    credit: str = ""
    copyright: str = ""
    caption: str = ""
    alt: str = ""


def read_credits(image: Any) -> Credits:
    """What an opened image says of itself. XMP is believed first, then IPTC, then EXIF, as the IPTC advises.

    Args:
        image: A ``PIL.Image.Image``.
    """
    found: dict[str, str] = {}
    for read in (_from_xmp, _from_iptc, _from_exif):
        for name, value in read(image).items():
            if value and not found.get(name):
                found[name] = value
    return Credits(**found)


def _from_exif(image: Any) -> dict[str, str]:
    try:
        exif = image.getexif()
        return {name: _clean(exif.get(tag)) for name, tag in _EXIF.items()}
    except Exception:  # noqa: BLE001 - a broken block says nothing; Pillow raises anything
        return {}


def _from_iptc(image: Any) -> dict[str, str]:
    from PIL import IptcImagePlugin

    try:
        entries = IptcImagePlugin.getiptcinfo(image) or {}
    except Exception:  # noqa: BLE001 - as above
        return {}
    return {name: _clean(entries.get(key)) for name, key in _IPTC.items()}


def _from_xmp(image: Any) -> dict[str, str]:
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    body = packet.encode() if isinstance(packet, str) else packet
    if not body or len(body) > MOST_XMP:
        return {}
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_pis=True)
    try:
        root = etree.fromstring(body.strip(b"\0 \r\n\t"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return {}
    return {name: _xmp_value(root, tag) for name, tag in _XMP.items()}


def _xmp_value(root: Any, tag: str) -> str:
    """The entry's text: an attribute, an element, or the items of a list; of languages, the default one."""
    for element in root.iter(_tag("rdf", "Description")):
        if element.get(tag):
            return _clean(element.get(tag))
    for element in root.iter(tag):
        items = element.findall(".//" + _tag("rdf", "li"))
        if not items:
            return _clean(element.text)
        default = [item for item in items if item.get(_LANGUAGE) == "x-default"]
        if default:
            return _clean(default[0].text)
        languages = any(item.get(_LANGUAGE) for item in items)
        return _clean(", ".join(item.text or "" for item in (items[:1] if languages else items)))
    return ""


def _clean(value: Any) -> str:
    """Text of one entry, whatever it was written as, without what no text has."""
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, (_clean(item) for item in value)))
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError:
            value = value.decode("latin-1")
    if not isinstance(value, str):
        return ""
    with suppress(UnicodeError):  # Pillow reads EXIF as Latin-1, and cameras write UTF-8
        value = value.encode("latin-1").decode("utf-8")
    kept = "".join(letter for letter in value[:LONGEST] if letter >= " " or letter in "\n\t")
    return " ".join(kept.replace("\ufffe", "").replace("\uffff", "").split())


# writing


def exif_of(credits: Credits) -> bytes:
    """EXIF with the creator and the copyright alone; empty when neither is known."""
    entries = {name: getattr(credits, name) for name in ("creator", "copyright")}
    if not any(entries.values()):
        return b""
    from PIL import Image

    exif: Any = Image.Exif()
    for name, value in entries.items():
        if value:
            exif[_EXIF[name]] = (
                value.encode()
            )  # UTF-8, as the Metadata Working Group advises; Pillow writes text as Latin-1
    return bytes(exif.tobytes())


def xmp_of(credits: Credits) -> bytes:
    """XMP with creator, credit and copyright alone; empty when none is known."""
    lines = list(_xmp_lines(credits))
    if not lines:
        return b""
    spaces = " ".join(f'xmlns:{name}="{_NAMES[name]}"' for name in ("dc", "photoshop"))
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_NAMES["rdf"]}">'
        f'<rdf:Description rdf:about="" {spaces}>{"".join(lines)}</rdf:Description>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()


def _xmp_lines(credits: Credits) -> Iterable[str]:
    if credits.creator:
        yield f"<dc:creator><rdf:Seq><rdf:li>{escape_attribute(credits.creator)}</rdf:li></rdf:Seq></dc:creator>"
    if credits.credit:
        yield f"<photoshop:Credit>{escape_attribute(credits.credit)}</photoshop:Credit>"
    if credits.copyright:
        text = escape_attribute(credits.copyright)
        yield f'<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">{text}</rdf:li></rdf:Alt></dc:rights>'
