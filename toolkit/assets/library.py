"""Static files under names that change with their content, so that they may be cached for ever.

``asset("css/site.css")`` is ``/static/css/site.3f2a1c9d8e7b.css``. References of stylesheets, modules, drawings and
web manifests are rewritten to such names too, and their fingerprints are those of the rewritten texts: when an image
changes, so do the names of the stylesheets that show it, and the pages that use those are stale.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import msgspec

from toolkit.assets.files import AssetFiles, Found
from toolkit.assets.making import Commands, Made
from toolkit.assets.minifying import Minifier
from toolkit.assets.places import places_of
from toolkit.assets.references import reached
from toolkit.assets.sources import SCRIPTS, kind_of, may_refer, split_url
from toolkit.assets.versions import FINGERPRINT_DIGITS, Version, Versions, fingerprinted
from toolkit.errors import TemplateError
from toolkit.stamps import FileDigests
from toolkit.trace import ABSENT, digest, digest_bytes, record

_FINGERPRINTED = re.compile(rf"(?P<stem>.+)\.(?P<fingerprint>[0-9a-f]{{{FINGERPRINT_DIGITS}}})(?P<suffix>\.[^./]+)?")


@lru_cache(maxsize=1024)
def _address(prefix: str, path: str, fingerprint: str) -> tuple[str, bytes]:
    """The URL of an asset, and what a trace records of it. Every page has some."""
    url = prefix + quote(fingerprinted(path, fingerprint))
    return url, digest(url)


class FoundAsset(msgspec.Struct, frozen=True):
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


class _Known(msgspec.Struct, frozen=True):
    """A version that was found, and all that was looked at for it: asset to digest, or None where there was none."""

    version: Version
    looked_at: Mapping[str, bytes | None]


class Assets:
    """The static files of a site.

    Args:
        folders: (prefix, folder), in the order they are searched: the site's own first. An app's files may
            stand under a prefix (``"newsroom"``) or, with an empty one, among the site's, where the site's
            win.
        url_prefix: Where they are published: a path from the site's root, or an absolute URL of another host.
        base_path: The path below which the site is published.
        made: Assets that are made, by path.
        commands: Runs the commands that make assets.
        minifier: Makes texts smaller.
        bundles: Put stylesheets in the places where others import them.
        digests: Knows the digests of files.
    """

    def __init__(
        self,
        folders: Sequence[tuple[str, Path]],
        *,
        url_prefix: str = "/static/",
        base_path: str = "",
        made: Mapping[str, Made] | None = None,
        commands: Commands | None = None,
        minifier: Minifier | None = None,
        bundles: bool = False,
        digests: FileDigests | None = None,
    ) -> None:
        self.folders = tuple((prefix.strip("/"), Path(folder)) for prefix, folder in folders)
        self.url_prefix = url_prefix if url_prefix.endswith("/") else url_prefix + "/"
        self._public_prefix = base_path + self.url_prefix if self.url_prefix.startswith("/") else self.url_prefix
        self.made = dict(made or {})
        self.commands = commands
        self.minifier = minifier or Minifier()
        self._files = AssetFiles(
            self.folders,
            url_prefix=self.url_prefix,
            made=self.made,
            commands=commands,
            bundles=bundles,
            digests=digests or FileDigests(),
        )
        self._known: dict[str, _Known] = {}
        self._frozen: dict[str, Version | None] | None = None

    # -- for templates

    def asset(self, path: str) -> str:
        """The URL of an asset, recorded in the trace of the page. A ``#fragment`` or ``?query`` is kept.

        Raises:
            TemplateError: There is no such asset, or it refers to one that is not there.
        """
        path, extra = split_url(path)
        return self._url(path, self._recorded(path)) + extra

    def integrity(self, path: str) -> str:
        """The attribute ``integrity`` for an asset: with it, a browser runs or applies no other content.

        Source: Subresource Integrity §3.

        Raises:
            TemplateError: As :meth:`asset`.
        """
        version = self._recorded(path)
        return "sha384-" + base64.b64encode(hashlib.sha384(self._body(version)).digest()).decode()

    def modules(self, path: str) -> list[str]:
        """The modules that a module needs before it can run: itself first, then what it imports, at any depth.

        What it loads later, by ``import()`` or in a worker, is not among them.

        Raises:
            TemplateError: As :meth:`asset`.
        """
        self._recorded(path)
        needed = reached(path, lambda one: self._get(one).imports)
        return [path, *sorted(one for one in needed if one != path and kind_of(one) in SCRIPTS)]

    def _recorded(self, path: str) -> Version:
        version = self._find(path)
        if version is None:
            record("asset", (path,), ABSENT)
            raise TemplateError(f"there is no asset {path!r}", hint=self._files.suggestion(path))
        record("asset", (path,), _address(self._public_prefix, path, version.fingerprint)[1])
        return version

    def digest_of(self, path: str) -> bytes:
        """What the trace would record for an asset today: 16 bytes, or ``ABSENT``.

        Raises:
            TemplateError: It refers to an asset that is not there.
        """
        version = self._find(path)
        return ABSENT if version is None else _address(self._public_prefix, path, version.fingerprint)[1]

    # -- for the builder and the server

    def published(self, path: str) -> tuple[str, bytes | Path]:
        """What to write for an asset: its path below the output folder, and its content or the file to copy.

        Raises:
            TemplateError: There is no such asset, or one with a broken reference.
        """
        version = self._get(path)
        place = urlsplit(self.url_prefix).path.lstrip("/") + fingerprinted(path, version.fingerprint)
        return place, self._content(version)

    @staticmethod
    def is_published_as(place: str, body: bytes) -> bool:
        """Whether a file that is published as it is belongs under a path, by its fingerprint."""
        match = _FINGERPRINTED.fullmatch(place)
        return match is not None and digest_bytes(body).hex()[:FINGERPRINT_DIGITS] == match["fingerprint"]

    def dependencies(self, path: str) -> tuple[str, ...]:
        """The assets that an asset refers to itself, sorted.

        Raises:
            TemplateError: As :meth:`published`.
        """
        return self._get(path).references

    def closure(self, path: str) -> tuple[str, ...]:
        """An asset and all that it needs, directly or through others, sorted."""
        return tuple(sorted(reached(path, self.dependencies)))

    def places(self, path: str) -> Iterator[Path]:
        """Every file that decides about an asset, and every place where one would.

        Raises:
            TemplateError: As :meth:`published`.
        """
        version = self._find(path)
        known = self._known.get(path)
        for one in known.looked_at if known is not None and version is not None else (path,):
            yield from places_of(one, self.folders)
            made = self.made.get(one)
            if made is not None and self.commands is not None and made.run:
                yield from self.commands.inputs(made)
            elif made is not None and made.bundle:
                yield from (
                    place for module in self._files.modules(made) for place in places_of(module.path, self.folders)
                )

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
                return FoundAsset(path, self._content(version), match["fingerprint"] == version.fingerprint)
        version = self._find(name)
        return None if version is None else FoundAsset(name, self._content(version), False)

    def find_file(self, path: str) -> Found | None:
        """The file of an asset as it is written, and the digest of its content; or None."""
        return self._files.find(path)

    def kept(self, key: Any, find: Callable[[], Any]) -> Any:
        """What ``find`` finds among files; while the assets are frozen, what it found the first time."""
        return self._files.kept(key, find)

    def iter_paths(self) -> Iterator[str]:
        """The paths of all assets, sorted. Names that begin with a dot are none."""
        return self._files.iter_paths()

    def freeze(self) -> None:
        """From now on look at no file twice: a build publishes one state of the assets."""
        self._frozen = {}
        self._files.freeze()

    def thaw(self) -> None:
        """End what :meth:`freeze` began."""
        self._frozen = None
        self._files.thaw()

    @contextmanager
    def frozen(self) -> Iterator[Assets]:
        """Frozen inside a ``with`` block."""
        self.freeze()
        try:
            yield self
        finally:
            self.thaw()

    # -- versions

    def _get(self, path: str) -> Version:
        version = self._find(path)
        if version is None:
            raise TemplateError(f"there is no asset {path!r}", hint=self._files.suggestion(path))
        return version

    def _find(self, path: str) -> Version | None:
        if self._frozen is None:
            return self._look(path)
        if path not in self._frozen:
            self._frozen[path] = self._look(path)
        return self._frozen[path]

    def _look(self, path: str) -> Version | None:
        """The version of an asset today: the one that is known, while all that was looked at for it is as it was."""
        found = self._files.find(path)
        if found is None:
            return None
        if not self._may_refer(path):
            return Version(path, found[0], found[1], found[1].hex()[:FINGERPRINT_DIGITS])
        known = self._known.get(path)
        if known is not None and all(self._digest(one) == value for one, value in known.looked_at.items()):
            return known.version
        return self._version(path)

    def _version(self, path: str) -> Version | None:
        looked_at: dict[str, bytes | None] = {}
        versions = Versions(
            lambda one: self._files.source(one, looked_at, ()),
            self.minifier.asset,
            self.minifier.versions,
            self._files.broken,
        )
        version = versions.of(path)
        for one, found in versions.found.items():
            self._known[one] = _Known(found, looked_at)
            if self._frozen is not None:
                self._frozen.setdefault(one, found)
        return version

    def _digest(self, path: str) -> bytes | None:
        found = self._files.find(path)
        return None if found is None else found[1]

    def _may_refer(self, path: str) -> bool:
        return may_refer(path) or path in self.made

    def _body(self, version: Version) -> bytes:
        content = self._content(version)
        return content if isinstance(content, bytes) else content.read_bytes()

    def _content(self, version: Version) -> bytes | Path:
        if version.body is not None:
            return version.body
        made = self.made.get(version.path)
        if made is not None and not made.files and self.commands is not None:
            return self.commands.body(version.file)
        return version.file

    def _url(self, path: str, version: Version) -> str:
        return _address(self._public_prefix, path, version.fingerprint)[0]
