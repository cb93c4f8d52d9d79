"""What an asset is before its references are followed: its text, and what it refers to.

A file in the static folders, or one that is made: by a command, or of other files, one after the other.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import msgspec

from toolkit.assets.references import Reference
from toolkit.assets.stylesheets import iter_references
from toolkit.errors import TemplateError
from toolkit.lazily import LazyModule

if TYPE_CHECKING:
    from toolkit.assets import documents, scripts
else:
    documents = LazyModule("toolkit.assets.documents")
    scripts = LazyModule("toolkit.assets.scripts")


STYLESHEETS = frozenset({".css"})
SCRIPTS = frozenset({".js", ".mjs"})
DRAWINGS = frozenset({".svg"})
MANIFESTS = frozenset({".webmanifest"})


class Target(msgspec.Struct, frozen=True):
    """What a reference means.

    Args:
        path: The asset; empty when it means none of ours.
        extra: The query and fragment after it.
    """

    path: str
    extra: str = ""


NOTHING = Target("")


class SourceText(msgspec.Struct, frozen=True):
    """An asset that may refer to others.

    Args:
        path: Of the asset.
        file: Where it is written, for messages.
        text: What it says; None for a file without references, which is published as it is.
        references: What it refers to, with what that means; in order.
        inlined: Other assets whose text stands in this one.
    """

    path: str
    file: Path
    text: str | None = None
    references: tuple[tuple[Reference, Target], ...] = ()
    inlined: tuple[str, ...] = msgspec.field(default=())

    def targets(self) -> Iterable[tuple[Reference, Target]]:
        """The references that mean an asset."""
        return (pair for pair in self.references if pair[1].path)


def kind_of(path: str) -> str:
    """The suffix of an asset in small letters; ``.webmanifest`` for a ``manifest.json``."""
    name = PurePosixPath(path)
    return ".webmanifest" if name.name.lower() == "manifest.json" else name.suffix.lower()


def may_refer(path: str) -> bool:
    """Whether an asset is of a kind that refers to others."""
    return kind_of(path) in STYLESHEETS | SCRIPTS | DRAWINGS | MANIFESTS


def read_source(path: str, file: Path, body: bytes, *, url_prefix: str) -> SourceText:
    """An asset of a kind that refers to others.

    Raises:
        TemplateError: It is a stylesheet and not UTF-8, or leads out of the static files.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if kind_of(path) not in STYLESHEETS:
            return SourceText(path, file)
        line = body.count(b"\n", 0, error.start) + 1
        raise TemplateError("the stylesheet is not UTF-8", path=file, line=line, hint="Save it as UTF-8.") from error
    return SourceText(path, file, text, find_references(path, file, text, url_prefix=url_prefix))


def find_references(path: str, file: Path, text: str, *, url_prefix: str) -> tuple[tuple[Reference, Target], ...]:
    """What a text refers to.

    Raises:
        TemplateError: A reference leads out of the static files.
    """
    find = _finder(path)
    return tuple((one, target_of(path, file, one, url_prefix=url_prefix)) for one in find(text))


def _finder(path: str) -> Callable[[str], Iterable[Reference]]:
    kind = kind_of(path)
    if kind in STYLESHEETS:
        return iter_references
    if kind in SCRIPTS:
        return scripts.iter_script_references
    return documents.iter_drawing_references if kind in DRAWINGS else documents.iter_manifest_references


def target_of(path: str, file: Path, reference: Reference, *, url_prefix: str) -> Target:
    """What a reference means.

    Raises:
        TemplateError: It leads out of the static files.
    """
    url, extra = split_url(reference.url.strip())
    parts = urlsplit(url)
    if not url or parts.scheme or parts.netloc:
        return NOTHING
    if url.startswith("/"):
        return Target(unquote(url[len(url_prefix) :]), extra) if url.startswith(url_prefix) else NOTHING
    if reference.bare and not url.startswith(("./", "../")):
        return NOTHING
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(url)))
    if target.startswith("../"):
        raise TemplateError(f"{reference.url!r} leads out of the static files", path=file, line=reference.line)
    return Target(target, extra)


def split_url(url: str) -> tuple[str, str]:
    """A path, and the query and fragment after it."""
    end = min((at for at in (url.find("?"), url.find("#")) if at >= 0), default=len(url))
    return url[:end], url[end:]
