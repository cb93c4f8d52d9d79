"""Media types of published files, by their names: the same on every machine."""

from __future__ import annotations

import mimetypes

HTML = "text/html; charset=utf-8"

_UNKNOWN = "application/octet-stream"
_TEXTS = ("text/", "application/json", "application/xml", "application/javascript", "image/svg+xml")
_PACKED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}
"""What a packed file is, whatever is in it. Source: RFC 6713 (gzip)."""

_OURS = {
    "application/atom+xml": "atom",
    "application/epub+zip": "epub",
    "application/geo+json": "geojson",
    "application/gpx+xml": "gpx",
    "application/ld+json": "jsonld",
    "application/manifest+json": "webmanifest",
    "application/rss+xml": "rss",
    "application/vnd.google-earth.kml+xml": "kml",
    "application/vnd.google-earth.kmz": "kmz",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.pmtiles": "pmtiles",
    "application/vnd.sqlite3": "sqlite sqlite3",
    "application/wasm": "wasm",
    "application/xml": "xml xsl",
    "application/yaml": "yaml yml",
    "application/zstd": "zst",
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/mp4": "m4a",
    "audio/ogg": "oga ogg opus",
    "audio/webm": "weba",
    "font/collection": "ttc",
    "font/otf": "otf",
    "font/ttf": "ttf",
    "font/woff": "woff",
    "font/woff2": "woff2",
    "image/apng": "apng",
    "image/avif": "avif",
    "image/heic": "heic",
    "image/jpeg": "jfif jpeg jpg",
    "image/jxl": "jxl",
    "image/webp": "webp",
    "image/x-icon": "ico",
    "model/gltf+json": "gltf",
    "model/gltf-binary": "glb",
    "text/calendar": "ics",
    "text/javascript": "js mjs",
    "text/markdown": "markdown md",
    "text/vcard": "vcf",
    "text/vtt": "vtt",
    "video/mp4": "m4v mp4",
    "video/ogg": "ogv",
    "video/webm": "webm",
}
"""Type to endings that Python does not know, or not in every release. Source: iana.org/assignments/media-types."""


def _known() -> mimetypes.MimeTypes:
    """Python's own table and ours: the module's functions read the files of whatever machine they run on."""
    table = mimetypes.MimeTypes()
    for kind, endings in _OURS.items():
        for ending in endings.split():
            table.add_type(kind, f".{ending}")
    return table


_TYPES = _known()


def content_type(url: str) -> str:
    """The media type of a URL path, by its ending; HTML for a folder.

    A packed file, such as ``rows.csv.gz``, is of the type of its packing: to give it that of the rows would be right
    only together with ``Content-Encoding``.
    """
    if url.endswith("/"):
        return HTML
    kind, packing = _TYPES.guess_type(url, strict=False)
    if packing is not None and not url.endswith(".svgz"):
        kind = _PACKED.get(packing)
    kind = kind or _UNKNOWN
    return f"{kind}; charset=utf-8" if kind.startswith(_TEXTS) else kind
