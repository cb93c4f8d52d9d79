"""What S3, and storages that speak like it, keep beside an object and send with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NAMES = {
    "content-type": "ContentType",
    "content-encoding": "ContentEncoding",
    "cache-control": "CacheControl",
    "content-disposition": "ContentDisposition",
    "content-language": "ContentLanguage",
    "expires": "Expires",
}
"""Source: docs.aws.amazon.com/AmazonS3, PutObject, "Request Syntax"."""


def is_s3(system: Any) -> bool:
    """Whether a file system of fsspec is s3fs."""
    return "s3" in system.protocol


def s3_metadata(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers as the parameters of a call that writes an object; those that S3 does not keep are left out."""
    return {_NAMES[name.lower()]: value for name, value in headers.items() if name.lower() in _NAMES}
