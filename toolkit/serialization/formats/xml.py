"""XML 1.0: a ``row`` for each record, with a ``field`` for each value. Read without entities, DTDs and network."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from typing import IO, Any

from toolkit.errors import ContentError
from toolkit.serialization.formats.reading import Bounded
from toolkit.serialization.records import Place, Record

LONGEST_TEXT_BYTES = 10_000_000
"""The most that one text may take: what libxml2 reads without being told to trust the file."""

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\r\ud800-\udfff\ufffe\uffff\\\\]")
_ESCAPED = re.compile(r"\\(?:u\{([0-9a-f]{1,6})\}|(\\))")
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<rows version="1">\n'


def escape_text(text: str) -> str:
    """Text as an element holds it: what XML cannot hold, or would change, as ``\\u{1f}`` (XML 1.0 §2.2, §2.11)."""
    odd = _UNWRITABLE.sub(lambda found: "\\\\" if found[0] == "\\" else f"\\u{{{ord(found[0]):x}}}", text)
    return odd.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape_text(text: str) -> str:
    """The reverse of ``escape_text``, once the parser has taken up the entities.

    Raises:
        ContentError: A backslash begins nothing, or a number that is no character's.
    """

    def plain(found: re.Match[str]) -> str:
        if found[1] and int(found[1], 16) > sys.maxunicode:
            raise ContentError(f"{found[0]!r} is no character", hint="The last is \\u{10ffff}.")
        return "\\" if found[2] else chr(int(found[1], 16))

    if "\\" not in text:
        return text
    if "\\" in _ESCAPED.sub("", text):
        raise ContentError(f"{text!r:.60} has a lone backslash", hint="Write it twice.")
    return _ESCAPED.sub(plain, text)


def _attribute(text: str) -> str:
    return escape_text(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")


class XML:
    """A ``row`` for each record."""

    textual = True

    def write(self, records: Iterable[Record], out: IO[str], /) -> None:
        out.write(_HEAD)
        for record in records:
            is_plain = record.pk is not None and not isinstance(record.pk, list)
            pk = f' pk="{_attribute(str(record.pk))}"' if is_plain else ""
            out.write(f'<row model="{_attribute(record.model)}"{pk}>\n')
            if isinstance(record.pk, list):
                out.write(f"  <pk>{_value(record.pk)}</pk>\n")
            for name, value in record.fields.items():
                told = _value(value)
                if len(told) > LONGEST_TEXT_BYTES // 4 and len(told.encode()) > LONGEST_TEXT_BYTES:
                    raise ContentError(
                        f"{record.model} {record.pk!r:.40}: {name} is longer than the 10 MB that a text in XML may be",
                        hint="Use another format: --format jsonl.",
                    )
                out.write(f'  <field name="{_attribute(name)}">{told}</field>\n')
            for locale, values in record.translations.items():
                out.write(f'  <translation locale="{_attribute(locale)}">\n')
                for name, value in values.items():
                    out.write(f'    <field name="{_attribute(name)}">{_value(value)}</field>\n')
                out.write("  </translation>\n")
            out.write("</row>\n")
        out.write("</rows>\n")

    def read(self, source: IO[bytes], /) -> Iterator[Record | ContentError]:
        from lxml import etree

        try:
            bounded = Bounded(source)
            found = etree.iterparse(
                bounded, events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False,
                huge_tree=False, remove_comments=True, remove_pis=True,
            )  # fmt: skip
            number = 0
            for event, element in found:
                if event == "start":
                    _refuse_beginning(element)
                elif element.getparent() is not None and element.getparent().getparent() is None:
                    number += 1
                    bounded.begin_record()
                    yield _record_of(element, number)
                    element.clear()
                    while element.getprevious() is not None:
                        del element.getparent()[0]
        except etree.XMLSyntaxError as error:
            said = [(each.message, each.line) for each in found.error_log] if not error.lineno else []
            told, line = (*said, (error.msg, error.lineno or None))[0]
            raise ContentError(f"the file is no XML: {told}", line=line) from error


def _refuse_beginning(element: Any) -> None:
    """Refuse what is no dump, and a document type: whatever one would bring in, entities and files, is not wanted."""
    if element.getparent() is None:
        if element.getroottree().docinfo.doctype:
            raise ContentError("the file has a document type declaration, which is not read", line=1)
        if element.tag != "rows":
            raise ContentError(f"the file begins with <{element.tag}>, not with <rows>", line=element.sourceline)
        if element.get("version", "1") != "1":
            raise ContentError(
                f"the file is of version {element.get('version')!r}, and only version 1 is known",
                line=element.sourceline,
            )


def _record_of(row: Any, number: int) -> Record | ContentError:
    try:
        return _record(row, number)
    except ContentError as error:
        error.line = error.line or row.sourceline
        return error


def _record(row: Any, number: int) -> Record:
    if row.tag != "row":
        raise ContentError(f"<{row.tag}> is no <row>", line=row.sourceline)
    place = Place(row.sourceline, number)
    model, given = row.get("model"), row.get("pk")
    pk: Any = None if given is None else unescape_text(given)
    if model is None:
        raise ContentError(f"row {number} names no model", line=row.sourceline)
    fields: dict[str, Any] = {}
    translations: dict[str, dict[str, Any]] = {}
    beside = next(filter(None, map(str.strip, (row.text or "", *(child.tail or "" for child in row)))), "")
    if beside:
        raise ContentError(f"{beside!r:.60} stands beside the fields of a row", line=row.sourceline)
    for child in row:
        if child.tag == "field":
            _take(child, fields)
        elif child.tag == "pk" and pk is None:
            pk = _read(child)
        elif child.tag == "translation" and child.get("locale"):
            given = translations.setdefault(unescape_text(child.get("locale")), {})
            for each in child:
                _take(each, given)
        else:
            raise ContentError(f"<{child.tag}> is nothing that a row has", line=child.sourceline)
    return Record(unescape_text(model), pk, fields, translations, place)


def _take(element: Any, into: dict[str, Any]) -> None:
    name = element.get("name")
    if element.tag != "field" or name is None:
        raise ContentError(f"<{element.tag}> is no <field name=...>", line=element.sourceline)
    name = unescape_text(name)
    if name in into:
        raise ContentError(f"the field {name!r} stands twice", line=element.sourceline)
    into[name] = _read(element)


def _value(value: Any) -> str:
    if value is None:
        return "<null/>"
    if isinstance(value, list):
        return (
            "<list/>" if not value else "<list>" + "".join(f"<item>{_value(item)}</item>" for item in value) + "</list>"
        )
    return escape_text(value)


def _read(element: Any) -> Any:
    children = list(element)
    if not children:
        return unescape_text(element.text or "")
    first = children[0]
    if len(children) > 1 or (element.text or "").strip() or first.tag not in ("null", "list"):
        raise ContentError(f"<{first.tag}> inside of a value", line=first.sourceline)
    return None if first.tag == "null" else [_read(item) for item in first]
