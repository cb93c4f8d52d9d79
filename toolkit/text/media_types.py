"""Media types of published files, by their names."""

from __future__ import annotations

import mimetypes

HTML = "text/html; charset=utf-8"

_UNKNOWN = "application/octet-stream"
_TEXTS = ("text/", "application/json", "application/xml", "application/javascript", "image/svg+xml")
_PACKED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}
"""What a packed file is, whatever is in it. Source: RFC 6713 (gzip)."""


def content_type(url: str) -> str:
    """The media type of a URL path, by its ending; HTML for a folder.

    A packed file, such as ``rows.csv.gz``, is of the type of its packing: to give it that of the rows would be right
    only together with ``Content-Encoding``.
    """
    if url.endswith("/"):
        return HTML
    kind, packing = mimetypes.guess_type(url, strict=False)
    if packing is not None and not url.endswith(".svgz"):
        kind = _PACKED.get(packing)
    kind = kind or _UNKNOWN
    return f"{kind}; charset=utf-8" if kind.startswith(_TEXTS) else kind
