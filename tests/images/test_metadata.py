"""Credits stay with a picture; where it was taken and with which camera does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image, IptcImagePlugin

from tests.images.making import loaded, photograph, saved
from toolkit.images import Images, Operations, read_facts
from toolkit.images.metadata import Credits, xmp_of

XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 xmlns:exif="http://ns.adobe.com/exif/1.0/" photoshop:Credit="Courier/Pool" exif:GPSLatitude="42,14.5N"
 xmlns:aux="http://ns.adobe.com/exif/1.0/aux/" aux:SerialNumber="SECRET-77">
<dc:creator><rdf:Seq><rdf:li>Inés Carballo</rdf:li><rdf:li>R. Oakley</rdf:li></rdf:Seq></dc:creator>
<dc:rights><rdf:Alt><rdf:li xml:lang="es">© El Correo</rdf:li><rdf:li xml:lang="x-default">© Courier &amp; Co</rdf:li>
</rdf:Alt></dc:rights>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">The ferry</rdf:li></rdf:Alt></dc:description>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>""".encode()


def camera_file(**options: Any) -> bytes:
    """What a camera writes: place, serial numbers, a thumbnail, a comment."""
    exif = Image.Exif()
    exif[0x013B], exif[0x8298], exif[0x010E] = "Ines C.", "(c) Courier", "A ferry"
    exif[0x010F], exif[0xC62F] = "SECRET-MAKE", "SECRET-SERIAL"
    exif.get_ifd(0x8825).update({1: "N", 2: (42.0, 14.0, 30.0)})
    exif.get_ifd(0x8769).update({0xA431: "SECRET-BODY", 0xA430: "SECRET-OWNER"})
    return saved(photograph(), exif=exif, comment=b"SECRET-COMMENT", quality=95, **options)


def made(images: Images, files: dict[str, bytes], body: bytes) -> dict[str, bytes]:
    files["it"] = body
    formats = ("avif", "webp", "png")
    key = ("asset", "", "it", Operations(widths=(60,), formats=formats).text())
    return {one.format: images.make([one])[one.key] for one in images.renditions(key)}


def test_a_rendition_has_credits_and_no_place_and_no_serial_number(images: Images, files: dict[str, bytes]) -> None:
    for name, body in made(images, files, camera_file(xmp=XMP)).items():
        assert b"SECRET" not in body and b"GPS" not in body, name
        exif = loaded(body).getexif()
        assert exif.get(0x8298).encode("latin-1").decode() == "© Courier & Co", name  # Pillow takes UTF-8 for Latin-1
        assert not exif.get_ifd(0x8825), name
        credits = read_facts(body, name, max_pixels=10**6).credits
        assert credits.creator == "Inés Carballo, R. Oakley", name
        assert (credits.credit, credits.copyright) == ("Courier/Pool", "© Courier & Co"), name
        assert credits.caption == "", name


def test_xmp_is_believed_before_exif(images: Images, files: dict[str, bytes]) -> None:
    plain = read_facts(camera_file(), "it", max_pixels=10**6).credits
    assert plain == Credits("Ines C.", "", "(c) Courier", "A ferry")
    both = read_facts(camera_file(xmp=XMP), "it", max_pixels=10**6).credits
    assert both == Credits("Inés Carballo, R. Oakley", "Courier/Pool", "© Courier & Co", "The ferry")


def test_iptc_is_read_where_nothing_else_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {
        (2, 80): b"Brais",
        (2, 110): [b"Courier", b"Pool"],
        (2, 116): "© 2026".encode(),
        (2, 120): b"\xd1and\xfa",
    }
    records = b"".join(
        b"\x1c" + bytes(key) + len(value).to_bytes(2, "big") + value
        for key, values in entries.items()
        for value in (values if isinstance(values, list) else [values])
    )
    block = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00" + len(records).to_bytes(4, "big") + records
    marker = b"\xff\xed" + (len(block) + 2).to_bytes(2, "big") + block
    body = saved(photograph())
    body = body[:2] + marker + body[2:]
    assert IptcImagePlugin.getiptcinfo(loaded(body))
    assert read_facts(body, "it", max_pixels=10**6).credits == Credits("Brais", "Courier, Pool", "© 2026", "Ñandú")


@pytest.mark.parametrize(
    "packet",
    [b"", b"no XML", b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", XMP[:400], b"<a/>" * 9],
)
def test_a_broken_packet_says_nothing(packet: bytes) -> None:
    assert read_facts(saved(photograph(), xmp=packet), "it", max_pixels=10**6).credits == Credits()


def test_what_is_written_in_a_credit_cannot_break_the_packet() -> None:
    packet = xmp_of(Credits(creator='</rdf:li>"<x>&', credit="<b>"))
    assert read_facts(saved(photograph(), xmp=packet), "it", max_pixels=10**6).credits.creator == '</rdf:li>"<x>&'


def test_a_template_can_show_the_credits(images: Images, files: dict[str, bytes], tmp_path: Path) -> None:
    files["photo.jpg"] = camera_file(xmp=XMP)
    picture = images.picture("photo.jpg", alt="")
    assert (picture.creator, picture.credit) == ("Inés Carballo, R. Oakley", "Courier/Pool")
    assert (picture.copyright, picture.caption) == ("© Courier & Co", "The ferry")
