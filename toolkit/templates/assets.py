"""Static files under names that change with their content, so that they may be cached for ever.

``asset("css/site.css")`` is ``/static/css/site.3f2a1c9d8e7b.css``. A stylesheet's own references are
rewritten to such names too, and its fingerprint is that of the rewritten text: when an image changes, so do
the names of the stylesheets that show it, and the pages that use those are stale.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from toolkit.errors import TemplateError, did_you_mean
from toolkit.stamps import FileDigests
from toolkit.trace import ABSENT, digest, digest_bytes, record

from .stylesheets import Reference, iter_references, rewrite_references

FINGERPRINT_DIGITS = 12
"""48 bits: one pair of versions of a file in 280 million million shares a name."""

_FINGERPRINTED = re.compile(rf"(?P<stem>.+)\.(?P<fingerprint>[0-9a-f]{{{FINGERPRINT_DIGITS}}})(?P<suffix>\.[^./]+)?")


@dataclass(frozen=True, slots=True)
class FoundAsset:
    """The asset behind a URL.

    Args:
        path: Its path, such as ``"css/site.css"``.
        body: Its rewritten content, or the file to send.
        immutable: Whether the URL carries the fingerprint of exactly this content. A page made before the
            last change asks for an older one: it gets today's content, which must not be cached under that
            name.
    """

    path: str
    body: bytes | Path
    immutable: bool


@dataclass(frozen=True, slots=True)
class _Version:
    """What an asset is at one moment."""

    file: Path
    fingerprint: str
    body: bytes | None = None
    source_digest: bytes = b""
    references: dict[str, str] = field(default_factory=dict)


class Assets:
    """The static files of a site.

    Args:
        folders: (prefix, folder), in the order they are searched: the site's own first. An app's files may
            stand under a prefix (``"newsroom"``) or, with an empty one, among the site's, where the site's
            win.
        url_prefix: Where they are published: a path, or an absolute URL of another host.
    """

    def __init__(self, folders: Sequence[tuple[str, Path]], *, url_prefix: str = "/static/") -> None:
        self.folders = tuple((prefix.strip("/"), Path(folder)) for prefix, folder in folders)
        self.url_prefix = url_prefix if url_prefix.endswith("/") else url_prefix + "/"
        self._digests = FileDigests()
        self._stylesheets: dict[str, _Version] = {}
        self._frozen: dict[str, _Version | None] | None = None

    # -- for templates

    def asset(self, path: str) -> str:
        """The URL of an asset, recorded in the trace of the page. A ``#fragment`` or ``?query`` is kept.

        Raises:
            TemplateError: There is no such asset, or a stylesheet refers to one that is not there.
        """
        path, extra = _split(path)
        version = self._find(path)
        if version is None:
            record("asset", (path,), ABSENT)
            raise TemplateError(f"there is no asset {path!r}", hint=self._suggestion(path))
        url = self._url(path, version)
        record("asset", (path,), digest(url))
        return url + extra

    def digest_of(self, path: str) -> bytes:
        """What the trace would record for an asset today: 16 bytes, or ``ABSENT``.

        Raises:
            TemplateError: A stylesheet refers to an asset that is not there.
        """
        version = self._find(path)
        return ABSENT if version is None else digest(self._url(path, version))

    # -- for the builder and the server

    def published(self, path: str) -> tuple[str, bytes | Path]:
        """What to write for an asset: its path below the output folder, and its content or the file to copy.

        Raises:
            TemplateError: There is no such asset, or it is a stylesheet with a broken reference.
        """
        version = self._get(path)
        place = urlsplit(self.url_prefix).path.lstrip("/") + _fingerprinted(path, version.fingerprint)
        return place, version.file if version.body is None else version.body

    @staticmethod
    def is_published_as(place: str, body: bytes) -> bool:
        """Whether this content belongs under a published path, by its fingerprint."""
        match = _FINGERPRINTED.fullmatch(place)
        return match is not None and digest_bytes(body).hex()[:FINGERPRINT_DIGITS] == match["fingerprint"]

    def dependencies(self, path: str) -> tuple[str, ...]:
        """The assets a stylesheet refers to itself, sorted; empty for any other asset.

        Raises:
            TemplateError: As :meth:`published`.
        """
        return tuple(sorted(self._get(path).references))

    def closure(self, path: str) -> tuple[str, ...]:
        """An asset and all that it needs, directly or through other stylesheets, sorted."""
        reached: set[str] = set()
        waiting = [path]
        while waiting:
            here = waiting.pop()
            if here not in reached:
                reached.add(here)
                waiting += self.dependencies(here)
        return tuple(sorted(reached))

    def find(self, url_path: str) -> FoundAsset | None:
        """The asset behind a URL's path (percent-decoded), by its fingerprinted or plain name; or None."""
        prefix = unquote(urlsplit(self.url_prefix).path)
        if not url_path.startswith(prefix):
            return None
        name = url_path[len(prefix) :]
        match = _FINGERPRINTED.fullmatch(name)
        if match:
            path = match["stem"] + (match["suffix"] or "")
            version = self._find(path)
            if version is not None:
                return _found(path, version, immutable=match["fingerprint"] == version.fingerprint)
        version = self._find(name)
        return None if version is None else _found(name, version, immutable=False)

    def find_file(self, path: str) -> tuple[Path, bytes] | None:
        """The file of an asset as it is written, and the digest of its content; or None."""
        for file in self._places(path):
            content = self._digests.find(file)
            if content is not None:
                return file, content
        return None

    def iter_paths(self) -> Iterator[str]:
        """The paths of all assets, sorted. Names that begin with a dot are none."""
        yield from sorted({path for prefix, folder in self.folders for path in _paths_in(folder, prefix)})

    def freeze(self) -> None:
        """From now on look at no file twice: a build publishes one state of the assets."""
        self._frozen = {}

    def thaw(self) -> None:
        """End what :meth:`freeze` began."""
        self._frozen = None

    @contextmanager
    def frozen(self) -> Iterator[Assets]:
        """Frozen inside a ``with`` block."""
        self.freeze()
        try:
            yield self
        finally:
            self.thaw()

    # -- versions

    def _get(self, path: str) -> _Version:
        version = self._find(path)
        if version is None:
            raise TemplateError(f"there is no asset {path!r}", hint=self._suggestion(path))
        return version

    def _find(self, path: str, *, within: tuple[str, ...] = ()) -> _Version | None:
        if self._frozen is None:
            return self._look(path, within)
        if path not in self._frozen:
            self._frozen[path] = self._look(path, within)
        return self._frozen[path]

    def _look(self, path: str, within: tuple[str, ...]) -> _Version | None:
        """The version of an asset today; ``within`` are the stylesheets that are being read for it."""
        for file in self._places(path):
            try:
                content = self._digests.find(file)
            except OSError as error:
                raise TemplateError(f"the asset cannot be read: {error.strerror}", path=file) from error
            if content is None:
                continue
            if path.lower().endswith(".css"):
                return self._stylesheet(path, file, content, within)
            return _Version(file, content.hex()[:FINGERPRINT_DIGITS])
        return None

    def _stylesheet(self, path: str, file: Path, content: bytes, within: tuple[str, ...]) -> _Version:
        if path in within:
            cycle = " -> ".join([*within[within.index(path) :], path])
            raise TemplateError(f"stylesheets import each other: {cycle}", path=file)
        known = self._stylesheets.get(path)
        if known and known.file == file and known.source_digest == content and self._holds(path, known, within):
            return known
        version = self._stylesheets[path] = self._rewritten(path, file, within)
        return version

    def _holds(self, path: str, known: _Version, within: tuple[str, ...]) -> bool:
        """Whether everything a stylesheet refers to still has the name it was rewritten to."""
        for reference, fingerprint in known.references.items():
            version = self._find(reference, within=(*within, path))
            if (version.fingerprint if version else "") != fingerprint:
                return False
        return True

    def _rewritten(self, path: str, file: Path, within: tuple[str, ...]) -> _Version:
        read = self._digests.read(file)
        if read is None:
            raise TemplateError("the asset vanished while it was read", path=file)
        source, source_digest = read
        try:
            text = source.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = source.count(b"\n", 0, error.start) + 1
            raise TemplateError(
                "the stylesheet is not UTF-8", path=file, line=line, hint="Save it as UTF-8."
            ) from error
        references: dict[str, str] = {}

        def replaced(reference: Reference) -> str | None:
            target, extra = self._target(path, file, reference)
            if not target:
                return None
            version = self._find(target, within=(*within, path))
            references[target] = version.fingerprint if version else ""
            if version is None and reference.optional:
                return None
            if version is None:
                raise self._broken(file, reference, target)
            name = _fingerprinted(target, version.fingerprint)
            return quote(posixpath.relpath(name, posixpath.dirname(path) or ".")) + extra

        body = rewrite_references(text, replaced).encode()
        fingerprint = digest_bytes(body).hex()[:FINGERPRINT_DIGITS]
        return _Version(file, fingerprint, body, source_digest, references)

    def _target(self, path: str, file: Path, reference: Reference) -> tuple[str, str]:
        """The asset a reference means, and its query and fragment; empty when it means none of ours."""
        url, extra = _split(reference.url.strip())
        parts = urlsplit(url)
        if not url or parts.scheme or parts.netloc:
            return ("", "")
        if url.startswith("/"):
            own = url.startswith(self.url_prefix)
            return (unquote(url[len(self.url_prefix) :]), extra) if own else ("", "")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(url)))
        if target.startswith("../"):
            raise TemplateError(f"{reference.url!r} leads out of the static files", path=file, line=reference.line)
        return target, extra

    def _broken(self, file: Path, reference: Reference, target: str) -> TemplateError:
        return TemplateError(
            f"{reference.url!r} refers to {target!r}, which is not there",
            path=file,
            line=reference.line,
            hint=self._suggestion(target),
        )

    def _suggestion(self, path: str) -> str | None:
        places = ", ".join(str(folder) for _, folder in self.folders)
        return did_you_mean(path, self.iter_paths()) or f"It was looked for in: {places}."

    def _places(self, path: str) -> Iterator[Path]:
        if not path or "\\" in path or "\0" in path or path.startswith("/"):
            return
        if any(part in ("", ".", "..") or part.startswith(".") for part in path.split("/")):
            return
        for prefix, folder in self.folders:
            if not prefix:
                yield folder / path
            elif path.startswith(prefix + "/"):
                yield folder / path[len(prefix) + 1 :]

    def _url(self, path: str, version: _Version) -> str:
        return self.url_prefix + quote(_fingerprinted(path, version.fingerprint))


def references_of(text: str) -> list[str]:
    """The URLs a stylesheet refers to, as written and unescaped, in order."""
    return [reference.url for reference in iter_references(text)]


def _found(path: str, version: _Version, *, immutable: bool) -> FoundAsset:
    return FoundAsset(path, version.file if version.body is None else version.body, immutable)


def _fingerprinted(path: str, fingerprint: str) -> str:
    folder, slash, name = path.rpartition("/")
    stem, dot, suffix = name.rpartition(".")
    changed = f"{stem}.{fingerprint}.{suffix}" if dot and stem else f"{name}.{fingerprint}"
    return folder + slash + changed


def _split(url: str) -> tuple[str, str]:
    """A path, and the query and fragment after it."""
    end = min((at for at in (url.find("?"), url.find("#")) if at >= 0), default=len(url))
    return url[:end], url[end:]


def _paths_in(folder: Path, prefix: str) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith("."):
                path = (Path(place) / name).relative_to(folder).as_posix()
                yield f"{prefix}/{path}" if prefix else path
