"""Answers compressed for those who take it, each text once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from toolkit.http.compression import CODINGS, LEAST_BYTES, choose, compress, is_text_type
from toolkit.server.answers import Answer

MOST_BYTES = 64_000_000
"""So much of compressed answers is kept."""


class Packer:
    """Compresses answers, and keeps what it compressed by ETag.

    Args:
        kinds: ``br`` and ``gz``, the best first.
    """

    def __init__(self, kinds: Sequence[str]) -> None:
        self.kinds = sorted(kinds)  # br before gz, however they are listed
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def packed(self, answer: Answer, environ: Mapping[str, Any]) -> Answer:
        """An answer as this client takes it.

        One that could be compressed says so (``Vary``) to caches, compressed or not. Each coding has an ETag of its
        own, because its bytes are others (RFC 9110 §8.8.3.3).
        """
        kind = next((value for name, value in answer.headers if name.lower() == "content-type"), "")
        if answer.status != 200 or not answer.etag or len(answer.body) < LEAST_BYTES or not is_text_type(kind):
            return answer
        headers = (*answer.headers, ("Vary", "Accept-Encoding"))
        chosen = choose(environ.get("HTTP_ACCEPT_ENCODING", ""), self.kinds)
        body = self._find(answer, chosen) if chosen else answer.body
        if len(body) >= len(answer.body):
            return replace(answer, headers=headers)
        etag = f'{answer.etag[:-1]}-{chosen}"'
        return replace(answer, headers=(*headers, ("Content-Encoding", CODINGS[chosen])), body=body, etag=etag)

    def _find(self, answer: Answer, kind: str) -> bytes:
        key = (answer.etag, kind)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        body = compress(answer.body, kind)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = body
                self._size += len(body)
            while self._size > MOST_BYTES and len(self._kept) > 1:
                _, gone = self._kept.popitem(last=False)
                self._size -= len(gone)
        return body
