"""Text made safe for the place it goes to: XML, an HTML attribute, a script element."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from toolkit.errors import ValidationError
from toolkit.text.patterns import deferred

_ILLEGAL_IN_XML = deferred("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_END = deferred("\r\n?")
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
_ATTRIBUTE = {**_HTML, **str.maketrans({"`": "&#96;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})}
_SPECIAL_IN_ATTRIBUTE = deferred("[&<>\"'`\n\r\t]")
# "<" keeps "</script" and "<!--" out, "&" keeps XHTML right; the separators end a line in older JavaScript.
_SCRIPT = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def xml_text(text: str) -> str:
    """Text that any XML 1.0 document can hold: illegal characters removed, line ends made ``\\n``.

    Control characters come from word processors and old databases; one of them makes a whole feed unreadable.
    Escaping ``<`` and ``&`` is left to whoever writes the XML.

    Args:
        text: Any text, lone surrogates included.

    Source: XML 1.0 (5th ed.) §2.2 production [2] ``Char``, §2.11 end-of-line handling.
    """
    return _ILLEGAL_IN_XML.sub("", _LINE_END.sub("\n", text))


def escape_html(text: str) -> str:
    """Plain text as HTML text: ``& < > " '`` become character references."""
    return text.translate(_HTML)


def escape_attribute(text: str) -> str:
    """Plain text as the value of a quoted HTML or XML attribute; line ends and tabs survive.

    Source: XML 1.0 §3.3.3 (an unescaped line end in an attribute is read as a space).
    """
    return text.translate(_ATTRIBUTE) if _SPECIAL_IN_ATTRIBUTE.search(text) else text


def json_for_html(value: Any, *, default: Callable[[Any], Any] | None = None) -> str:
    """JSON that may stand inside ``<script>`` and in a quoted-and-escaped attribute alike.

    Args:
        value: What ``json`` can write; keys keep their order.
        default: Makes something writable of a value that JSON does not know, as in ``json.dumps``.

    Raises:
        ValidationError: The value has a NaN, an infinity, a cycle or a type that JSON does not know.

    Source: HTML Living Standard, "Restrictions for contents of script elements".
    """
    try:
        body = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=default)
    except (TypeError, ValueError) as error:
        raise ValidationError(f"this value cannot be written as JSON: {error}", code="json") from error
    # A lone surrogate has no UTF-8 form; inside JSON it can always be written as an escape.
    return re.sub("[\ud800-\udfff]", lambda lone: f"\\u{ord(lone[0]):04x}", body.translate(_SCRIPT))
