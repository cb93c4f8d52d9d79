"""Files over HTTP: public ones, assets, and what views send. With ranges."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wrappers import Response
from werkzeug.wsgi import FileWrapper

from toolkit.assets import FoundAsset
from toolkit.errors import NotFound
from toolkit.images import Images
from toolkit.images.store import Recipe
from toolkit.server.answers import PRIVATE, Answer, Passed, matches
from toolkit.site.headers import IMMUTABLE, REVALIDATE, stored_headers
from toolkit.stamps import Sighting, sighting_of
from toolkit.text.media_types import content_type
from toolkit.trace import digest_bytes

_ONE_RANGE = re.compile(r"\s*bytes\s*=\s*([0-9]{1,18}\s*-\s*([0-9]{1,18})?|-\s*[0-9]{1,18})\s*", re.IGNORECASE)

CHUNK_BYTES = 256 * 1024
_READ_BYTES = 1024 * 1024


class Files:
    """Sends files; remembers the digests of their contents while their stamps prove them."""

    def __init__(self) -> None:
        self._digests: dict[str, tuple[Sighting, bytes]] = {}

    def send(
        self, environ: Mapping[str, Any], path: Path, *, kind: str = "", cache: str = REVALIDATE, headers: Any = ()
    ) -> Passed:
        """A file as an answer: with a strong ETag, conditional, and by ranges (RFC 9110 §14).

        Raises:
            NotFound: It vanished.
        """
        try:
            file = path.open("rb")
        except OSError as error:
            raise NotFound(f"{path} cannot be read: {error.strerror}") from error
        now = time.time_ns()
        status = os.fstat(file.fileno())
        try:
            etag = self._digest(file, sighting_of(status, at_ns=now), path).hex()
        except BaseException:
            file.close()
            raise
        response = Response(FileWrapper(file, CHUNK_BYTES), direct_passthrough=True, headers=headers)
        response.call_on_close(file.close)
        response.content_type = kind or content_type(path.name)
        response.content_length = status.st_size
        response.headers["Cache-Control"] = cache
        response.set_etag(etag)
        try:
            response.make_conditional(ranged(environ, etag), accept_ranges=True, complete_length=status.st_size)
        except RequestedRangeNotSatisfiable as error:
            file.close()
            return Passed(error.get_response(dict(environ)))
        if response.status_code == HTTPStatus.PRECONDITION_FAILED:
            file.close()
            response.response, response.content_length = [], 0
        return Passed(response)

    def _digest(self, file: Any, seen: Sighting, path: Path) -> bytes:
        """The digest of an open file; read unless its stamp is known and old enough to prove something."""
        known = self._digests.get(os.fspath(path))
        if known is not None and known[0].proves(seen.stamp):
            return known[1]
        found = hashlib.blake2b(digest_size=16)
        while chunk := file.read(_READ_BYTES):
            found.update(chunk)
        file.seek(0)
        if seen.settled:
            self._digests[os.fspath(path)] = (seen, found.digest())
        return found.digest()


def ranged(environ: Mapping[str, Any], etag: str) -> dict[str, Any]:
    """A request whose ``Range`` is left only where a part is to be sent.

    It is for GET alone, comes after ``If-None-Match``, and counts only for the very bytes that ``If-Range`` names
    (RFC 9110 §13.1.5, §13.2.2, §14.2). Other units, and several ranges at once, are passed over.
    """
    found = dict(environ)
    asked, known = found.get("HTTP_RANGE"), found.get("HTTP_IF_NONE_MATCH")
    if asked is None:
        return found
    for_part = found["REQUEST_METHOD"] == "GET" and _ONE_RANGE.fullmatch(asked) is not None
    is_weak = found.get("HTTP_IF_RANGE", "").lstrip().startswith("W/")
    if not for_part or is_weak or (known and matches(known, f'"{etag}"')):
        del found["HTTP_RANGE"]
    return found


def asset_answer(
    files: Files, environ: Mapping[str, Any], found: FoundAsset, *, cache: str = IMMUTABLE, packs: bool = False
) -> Answer | Passed:
    """An asset: kept under the name that carries its fingerprint, asked for again under any other.

    Args:
        files: Sends files.
        environ: The request.
        found: The asset.
        cache: How it may be kept.
        packs: It may be sent compressed, and so has to be read as a whole.
    """
    cache = cache if found.immutable or cache == PRIVATE else REVALIDATE
    kind = content_type(found.path)
    if isinstance(found.body, Path) and packs:
        return text_file_answer(found.body, kind=kind, cache=cache)
    if isinstance(found.body, Path):
        return files.send(environ, found.body, kind=kind, cache=cache)
    headers = (("Content-Type", kind), ("Cache-Control", cache))
    return Answer(200, headers, found.body, f'"{digest_bytes(found.body).hex()}"')


def text_file_answer(path: Path, *, kind: str = "", cache: str = REVALIDATE) -> Answer:
    """A file of text as an answer that may be compressed.

    Raises:
        NotFound: It vanished.
    """
    try:
        body = path.read_bytes()
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}") from error
    headers = (("Content-Type", kind or content_type(path.name)), ("Cache-Control", cache))
    return Answer(200, headers, body, f'"{digest_bytes(body).hex()}"')


def rendition_answer(images: Images, recipe: Recipe, *, cache: str) -> Answer | None:
    """An image in one size and format, made now if nobody asked for it before; None if the image is another one now.

    Args:
        images: The images of the site.
        recipe: How it is made.
        cache: How it may be kept.

    Raises:
        ImageError: The image is damaged.
    """
    rendition = images.find_rendition(recipe)
    if rendition is None:
        return None
    body = images.make([rendition])[rendition.key]
    headers = [
        ("Content-Type", content_type(recipe.file)),
        ("Cache-Control", cache),
        *stored_headers(content_type(recipe.file)),
    ]
    return Answer(200, tuple(headers), body, f'"{digest_bytes(body).hex()}"')
