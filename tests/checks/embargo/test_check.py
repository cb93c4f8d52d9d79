"""Nothing of a hidden row is in what is published: leaks of each kind, planted and found; and no false alarms."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from toolkit.builder import Builder
from toolkit.builder.tables import bring_up
from toolkit.checks.built import Built
from toolkit.checks.embargo import Embargo, check_embargo
from toolkit.checks.embargo import scan as scanning
from toolkit.site import load_site
from toolkit.testing import forget_modules
from toolkit.testing.sites import write_site

from .conftest import FILES, JPEG, MODELS, NOON, PAGES, SECRET, SETTINGS, plant, story_of


@pytest.fixture(scope="module")
def bay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A site with one public story and one that is published in a month."""
    folder = tmp_path_factory.mktemp("bay")
    write_site(folder, FILES, models=MODELS, pages=PAGES, settings=SETTINGS)
    site = load_site(folder).prepare()
    with site:
        bring_up(site)
        plant(story_of(site))
    yield site
    site.databases.close()
    forget_modules(folder)


@pytest.fixture(scope="module")
def output(bay: Any) -> Path:
    """What is published of it today."""
    return Path(Builder(bay, workers=1, moment=NOON).build().output)


@pytest.fixture
def leaks(bay: Any, output: Path) -> Iterator[Callable[..., list[str]]]:
    """``leaks({"file": content})``: what is found with these files in the output; they are taken out again."""
    made: list[Path] = []

    def look(files: dict[str, bytes | str] | None = None, **options: Any) -> list[str]:
        for name, body in (files or {}).items():
            path = output / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body if isinstance(body, bytes) else body.encode())
            made.append(path)
        embargo = Embargo(workers=1, **options)
        found = list(check_embargo(Built(bay, output), embargo))
        look.certificate = embargo.certificate  # type: ignore[attr-defined]
        return [f"{one.id} {str(one).replace(f'{output}/', '')}" for one in found]

    yield look
    for path in made:
        path.unlink(missing_ok=True)


def test_a_build_leaks_nothing_and_gets_a_certificate(leaks: Any, output: Path) -> None:
    assert leaks() == []
    certificate = leaks.certificate
    files = [path for path in output.rglob("*") if path.is_file()]
    assert certificate["scanned"]["files"] == len(files)
    assert certificate["scanned"]["bytes"] == sum(path.stat().st_size for path in files)
    assert certificate["hidden"]["rows"] == {"Story": 1}
    assert certificate["hidden"]["files"] == 1
    assert certificate["hidden"]["fingerprints"] > 20
    assert certificate["hidden"]["rows_without_fingerprint"] == []
    assert certificate["instant"] == "2026-03-01T12:00:00+00:00"
    json.dumps(certificate)


def test_the_digest_of_the_certificate_is_that_of_what_was_scanned(leaks: Any) -> None:
    leaks()
    before = leaks.certificate["scanned"]["sha256"]
    leaks({"x.txt": "x"})
    assert leaks.certificate["scanned"]["sha256"] != before


PHRASE = "three people who know of it said"
SPANISH = "ministra de pesca dimitirá el lunes"


def zipped(name: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


def png(kind: bytes, data: bytes) -> bytes:
    chunk = struct.pack(">I", len(data)) + kind + data + b"\0\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IEND\xaeB`\x82"


def pdf(content: bytes) -> bytes:
    return b"%PDF-1.4\n1 0 obj<</Filter/FlateDecode>>stream\n" + zlib.compress(content) + b"\nendstream endobj\n"


def brotlied(text: str) -> bytes:
    brotli = pytest.importorskip("brotli")
    packed: bytes = brotli.compress(text.encode())
    return packed


PLANTED: dict[str, tuple[str, Callable[[], bytes | str]]] = {
    "plain text": ("a.txt", lambda: f"x {PHRASE} y"),
    "capitals": ("a.txt", lambda: PHRASE.upper()),
    "HTML with tags between": ("a.html", lambda: "<p>three <b>people</b> who <i>kn</i>ow of it\n said</p>"),
    "soft hyphens": ("a.html", lambda: "three peo&shy;ple who know of it said"),
    "a link within": ("a.html", lambda: "three people <a href='x'>who know</a> of it said"),
    "an attribute of escaped JSON": ("a.html", lambda: f'<x data-y="{escape(json.dumps([1, PHRASE]))}">'),
    "an attribute": ("a.html", lambda: f'<img alt="{PHRASE}">'),
    "a comment": ("a.html", lambda: f"<!-- {PHRASE} -->"),
    "a script": ("a.html", lambda: f"<script>const x = {json.dumps(PHRASE)}</script>"),
    "entities": ("a.html", lambda: "".join(f"&#{ord(c)};" for c in PHRASE)),
    "JSON": ("a.json", lambda: json.dumps({"x": SECRET})),
    "JSON with escapes": ("a.json", lambda: json.dumps(SPANISH.replace(" ", "\n"))),
    "JSON in JSON in HTML": ("a.html", lambda: escape(json.dumps(json.dumps(SPANISH)))),
    "letters as escapes": ("a.js", lambda: "".join(f"\\u{ord(c):04x}" for c in PHRASE)),
    "letters as longer escapes": ("a.js", lambda: "".join(f"\\u{{{ord(c):x}}}" for c in PHRASE)),
    "letters as escapes of CSS": ("a.css", lambda: "".join(f"\\{ord(c):06x}" for c in PHRASE)),
    "a calendar with folded lines": ("a.ics", lambda: "BEGIN:VCALENDAR\r\nSUMMARY:" + "\r\n ".join(PHRASE)),
    "base64 in JSON": ("a.json", lambda: json.dumps({"x": base64.urlsafe_b64encode(PHRASE.encode()).decode()})),
    "base64 of a mail": ("a.eml", lambda: b"x:\n" + base64.encodebytes(PHRASE.encode() * 9)),
    "gzip in base64": ("a.json", lambda: json.dumps({"x": base64.b64encode(gzip.compress(PHRASE.encode())).decode()})),
    "bzip2": ("a.bin", lambda: bz2.compress(PHRASE.encode())),
    "xz": ("a.bin", lambda: lzma.compress(PHRASE.encode())),
    "a PDF": ("a.pdf", lambda: pdf(rb"[(three people who)-250(kno)12(w)]TJ 0 -14 Td (of it \163aid) Tj")),
    "the title of a PDF": ("a.pdf", lambda: pdf(b"") + b"<</Title<" + PHRASE.encode("utf-16").hex().encode() + b">>>"),
    "a URL": ("a.html", lambda: f"<a href='https://x.example/?text={quote(SPANISH)}'>"),
    "HTML in XML": ("a.xml", lambda: f"<x>{escape(escape('<p>three <b>people</b> who know of it said'))}</x>"),
    "CDATA": ("a.xml", lambda: f"<x><![CDATA[<p>{PHRASE}</p>]]></x>"),
    "the start of a text, cut": ("a.txt", lambda: "The minister of fisheries will…"),
    "the end of a text": ("a.txt", lambda: "…takes over the desk before noon."),
    "rendered Markdown": ("a.html", lambda: "Her <em>deputy</em> takes over <a href='x'>the desk</a> before"),
    "raw Markdown": ("a.md", lambda: SECRET),
    "accents taken off": ("a.txt", lambda: "ministra de pesca dimitira el lunes"),
    "a translation": ("a.txt", lambda: SPANISH),
    "a title": ("a.html", lambda: "<li>Minister to resign</li>"),
    "a slug": ("a.txt", lambda: "/2026/minister-resigns.html"),
    "a value in JSON": ("a.txt", lambda: "quiet ferryman of porthaven"),
    "gzip": ("a.html.gz", lambda: gzip.compress(PHRASE.encode())),
    "gzip without its ending": ("a.bin", lambda: gzip.compress(PHRASE.encode())),
    "brotli": ("a.html.br", lambda: brotlied(PHRASE)),
    "a zip": ("a.zip", lambda: zipped("x.txt", PHRASE)),
    "a name in a zip": ("a.zip", lambda: zipped("minister-resigns.txt", "x")),
    "UTF-16": ("a.txt", lambda: PHRASE.encode("utf-16")),
    "UTF-16, the other way round": ("a.txt", lambda: b"\xfe\xff" + SPANISH.encode("utf-16-be")),
    "UTF-16 that nothing tells": ("a.txt", lambda: SPANISH.encode("utf-16-le")),
    "UTF-16 the other way round that nothing tells": ("a.txt", lambda: SPANISH.encode("utf-16-be")),
    "UTF-32": ("a.txt", lambda: SPANISH.encode("utf-32")),
    "UTF-32, the other way round": ("a.txt", lambda: b"\0\0\xfe\xff" + SPANISH.encode("utf-32-be")),
    "UTF-32 that nothing tells": ("a.txt", lambda: SPANISH.encode("utf-32-be")),
    "UTF-16 in something else": ("a.bin", lambda: JPEG[:99] + SPANISH.encode("utf-16-le") + JPEG[:99]),
    "an old code page": ("a.txt", lambda: SPANISH.encode("cp1252")),
    "hexadecimal digits": ("a.json", lambda: json.dumps({"x": SPANISH.encode().hex()})),
    "gzip in hexadecimal digits": ("a.sql", lambda: f"VALUES (X'{gzip.compress(PHRASE.encode()).hex()}')"),
    "lzma": ("a.lzma", lambda: lzma.compress(PHRASE.encode(), lzma.FORMAT_ALONE)),
    "two streams of bzip2": ("a.bz2", lambda: bz2.compress(b"x") + bz2.compress(PHRASE.encode())),
    "two streams of xz": ("a.xz", lambda: lzma.compress(b"x") + bytes(4) + lzma.compress(PHRASE.encode() * 9)),
    "metadata of a JPEG": ("a.jpg", lambda: JPEG[:99] + PHRASE.encode() + JPEG[:99]),
    "two-byte metadata of a JPEG": ("a.jpg", lambda: JPEG[:99] + PHRASE.encode("utf-16-le") + JPEG[:99]),
    "metadata of a PNG": ("a.png", lambda: png(b"tEXt", b"Comment\0" + PHRASE.encode())),
    "packed metadata of a PNG": ("a.png", lambda: png(b"zTXt", b"Comment\0\0" + zlib.compress(PHRASE.encode()))),
    "a data URL": ("a.css", lambda: f"x{{y:url(data:text/plain;base64,{base64.b64encode(PHRASE.encode()).decode()})}}"),
    "headers": ("_headers", lambda: f"/\n  X-Next: {PHRASE}\n"),
    "a list of files": ("deploy.json", lambda: json.dumps({"files": ["photos/resignation-letter.jpg"]})),
}  # fmt: skip


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_leak_is_found(leaks: Any, kind: str) -> None:
    name, make = PLANTED[kind]
    found = leaks({name: make()})
    assert any(one.startswith((f"embargo.leak {name}", f"embargo.url {name}")) for one in found), found
    assert not any(word in one for one in found for word in ("minister", "people", "deputy")), "the log leaks, too"


def test_the_line_of_a_leak_is_told(leaks: Any) -> None:
    (told,) = leaks({"a.txt": f"one\ntwo\n{PHRASE}"})
    assert told.startswith("embargo.leak a.txt:3: it has 3 pieces of the body of Story 2, which readers may not see")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("img/minister-resigns.jpg", "its name has the slug of Story 2"),
        ("img/Resignation_Letter@2x.webp", "its name has the photo of Story 2"),
        ("stories/minister-resigns/index.html", "it is the file of a hidden page"),
        ("es/stories/minister-resigns/index.html.gz", "it is the file of a hidden page"),
    ],
)
def test_a_name_that_gives_a_row_away_is_found(leaks: Any, name: str, says: str) -> None:
    body = gzip.compress(b"x") if name.endswith(".gz") else b"x"
    assert any(says in one for one in leaks({name: body}))


def test_a_link_to_a_hidden_page_is_found_wherever_it_points_from(leaks: Any) -> None:
    for link in (
        "/stories/minister-resigns/",
        "https://bay.example/stories/minister-resigns/#x",
        "/stories/minister%2Dresigns",
    ):
        assert any(
            "it leads to the URL of a hidden page" in one for one in leaks({"a.html": f"<a href='{link}'>x</a>"})
        )
    assert not any(
        "leads to" in one for one in leaks({"a.html": "<a href='https://x.example/stories/minister/'>x</a>"})
    )


def test_a_file_of_a_hidden_row_is_found_under_another_name_and_inside_of_others(leaks: Any) -> None:
    (told,) = leaks({"img/x.jpg": JPEG})
    assert "it is the file photos/resignation-letter.jpg, which only hidden rows use" in told
    data = f"<img src='data:image/jpeg;base64,{base64.b64encode(JPEG).decode()}'>"
    assert any("only hidden rows use (in data URL 1)" in one for one in leaks({"img/x.jpg": b"", "a.html": data}))


@pytest.mark.parametrize(
    "body",
    [
        "Nothing happened at the harbour today, people said.",
        "Report Opinion report 2026-04-01 12 7",
        "the minister will, of course, know of it; people said so on Monday",
        "https://elsewhere.example/desk",
        "<ul><li>three people</li><li>who know of it</li><li>said</li></ul>",
        '<td class="who">know</td><td class="of">it said</td>',
        "A quiet day. Nothing happened",
    ],
)
def test_words_that_everybody_may_use_are_no_alarm(leaks: Any, body: str) -> None:
    assert leaks({"a.txt": body}) == []


def test_what_cannot_be_looked_into_is_told(leaks: Any) -> None:
    assert "embargo.unread a.html.gz: a.html.gz cannot be unpacked" in leaks({"a.html.gz": b"\x1f\x8bnothing"})[0]
    assert (
        "embargo.unread a.zip: a.zip cannot be unpacked" in leaks({"a.zip": b"PK\x03\x04nothing", "a.html.gz": b""})[0]
    )


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("a.7z", b"7z\xbc\xaf\x27\x1c\0", "a.7z is packed as 7z, which is not read"),
        ("a.zst", b"\x28\xb5\x2f\xfd\0", "a.zst is packed as Zstandard, which is not read"),
        ("a.pdf", b"%PDF-1.4 trailer<</Encrypt 1 0 R>>", "a.pdf is encrypted"),
    ],
)
def test_what_is_packed_otherwise_is_told(leaks: Any, name: str, body: bytes, says: str) -> None:
    (told,) = leaks({name: body})
    assert told.startswith(f"embargo.unread {name}: {says}")


def test_several_processes_find_what_one_finds(
    bay: Any, output: Path, monkeypatch: pytest.MonkeyPatch, leaks: Any
) -> None:
    leaks({f"more/{n}.txt": PHRASE if n % 3 else "x" for n in range(20)})
    monkeypatch.setattr(scanning, "FEW_FILES", 1)
    monkeypatch.setattr(scanning, "BATCH", 4)
    proofs = [Embargo(workers=count) for count in (1, 2)]
    one, two = (list(check_embargo(Built(bay, output), proof)) for proof in proofs)
    assert one == two
    assert len(one) == 13
    assert proofs[0].certificate["scanned"] == proofs[1].certificate["scanned"]


def test_the_server_tells_an_anonymous_visitor_nothing(leaks: Any) -> None:
    assert leaks(http=True) == []
    assert leaks.certificate["http"] > 10
