"""The files that assets are made of: where they are written, and what they say there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.assets.making import Commands, Made
from toolkit.assets.places import leads_out, paths_in, places_of
from toolkit.assets.references import Reference
from toolkit.assets.sources import SCRIPTS, STYLESHEETS, SourceText, kind_of, may_refer, read_source
from toolkit.errors import TemplateError, did_you_mean
from toolkit.lazily import LazyModule
from toolkit.stamps import FileDigests
from toolkit.trace import digest

if TYPE_CHECKING:
    from toolkit.assets import bundling, joining, scripts
    from toolkit.assets.joining import Module
else:
    bundling = LazyModule("toolkit.assets.bundling")
    joining = LazyModule("toolkit.assets.joining")
    scripts = LazyModule("toolkit.assets.scripts")


Found = tuple[Path, bytes]
"""The file of an asset, and the digest of its content."""


class AssetFiles:
    """The files of assets: where they are, and what they say before anything is rewritten.

    Args:
        folders: (prefix, folder), in the order they are searched.
        url_prefix: Where assets are published.
        made: Assets that are made, by path.
        commands: Runs the commands that make assets.
        bundles: Put stylesheets in the places where others import them.
        digests: Knows the digests of files.
    """

    def __init__(
        self,
        folders: Sequence[tuple[str, Path]],
        *,
        url_prefix: str,
        made: Mapping[str, Made],
        commands: Commands | None,
        bundles: bool,
        digests: FileDigests,
    ) -> None:
        self.folders = folders
        self.url_prefix, self.made, self.commands, self.bundles = url_prefix, made, commands, bundles
        self._digests = digests
        self._sources: dict[str, tuple[bytes, SourceText]] = {}
        self._kept: dict[Any, Any] | None = None

    def freeze(self) -> None:
        """From now on look for no file twice."""
        self._kept = {}

    def thaw(self) -> None:
        """End what :meth:`freeze` began."""
        self._kept = None

    def kept(self, key: Any, find: Callable[[], Any]) -> Any:
        """What ``find`` finds among files; while they are frozen, what it found the first time."""
        if self._kept is None:
            return find()
        if key not in self._kept:
            self._kept[key] = find()
        return self._kept[key]

    def find(self, path: str) -> Found | None:
        """The file of an asset as it is written, and the digest of its content; or None."""
        found: Found | None = self.kept(("file", path), lambda: self._locate(path))
        return found

    def iter_paths(self) -> Iterator[str]:
        """The paths of all assets, sorted. Names that begin with a dot are none."""
        yield from sorted(paths_in(self.folders) | self.made.keys())

    def _locate(self, path: str) -> Found | None:
        made = self.made.get(path)
        if made is not None:
            return self._locate_made(made)
        for file in places_of(path, self.folders):
            try:
                content = self._digests.find(file)
            except OSError as error:
                raise TemplateError(f"the asset cannot be read: {error.strerror}", path=file) from error
            if content is not None and not leads_out(file, self.folders):
                return file, content
        return None

    def _locate_made(self, made: Made) -> Found:
        if made.run and self.commands is not None:
            return self.commands.find(made)
        if made.bundle and self.commands is not None:
            return self.commands.bundle(made, list(self.modules(made)))
        found = [self.find(name) for name in made.files if name != made.path]
        file = next((one[0] for one in found if one), self.folders[0][1])
        return file, digest([made.files, [one[1] if one else None for one in found]])

    def modules(self, made: Made) -> Iterator[Module]:
        """What goes into a bundle."""

        def read(path: str, asked_by: tuple[SourceText, Reference] | None) -> tuple[SourceText, bytes]:
            other = self.made.get(path)
            if other is not None and other.bundle:
                raise TemplateError(f"the asset {made.path!r} cannot be the bundle of {path!r}, which is one itself")
            found = self.find(path)
            if found is None:
                if asked_by is not None:
                    raise self.broken(*asked_by, path)
                told = f"the asset {made.path!r} is to be the bundle of {path!r}, which is not there"
                raise TemplateError(told, hint=self.suggestion(path))
            source = self._read(path, *found)
            return source, self._bytes(source.file) if source.text is None else source.text.encode()

        return joining.iter_modules(made.bundle, made.path, read)

    # -- what they say

    def source(
        self, path: str, looked_at: dict[str, bytes | None], within: tuple[str, ...]
    ) -> tuple[SourceText, bytes] | None:
        """What an asset says; ``within`` are the assets in which it is to stand."""
        found = self.find(path)
        looked_at[path] = found[1] if found else None
        if found is None:
            return None
        made = self.made.get(path)
        if made is not None and made.files:
            return self._concatenated(made, looked_at, within), found[1]
        source = self._read(path, *found)
        if self.bundles and kind_of(path) in STYLESHEETS:
            source = self._bundled(source, looked_at, within)
        return source, found[1]

    def _read(self, path: str, file: Path, content: bytes) -> SourceText:
        known = self._sources.get(path)
        if known is not None and known[0] == content and known[1].file == file:
            return known[1]
        if not may_refer(path):
            return SourceText(path, file)
        made = self.made.get(path)
        body = self.commands.body(file) if made is not None and self.commands is not None else self._bytes(file)
        source = read_source(path, file, body, url_prefix=self.url_prefix)
        self._sources[path] = (content, source)
        return source

    def _bytes(self, file: Path) -> bytes:
        read = self._digests.read(file)
        if read is None:
            raise TemplateError("the asset vanished while it was read", path=file)
        return read[0]

    def _bundled(self, source: SourceText, looked_at: dict[str, bytes | None], within: tuple[str, ...]) -> SourceText:
        if source.path in within:
            cycle = " -> ".join([*within[within.index(source.path) :], source.path])
            raise TemplateError(f"stylesheets import each other: {cycle}", path=source.file)

        def read(path: str) -> SourceText | None:
            found = self.source(path, looked_at, (*within, source.path))
            return found[0] if found else None

        return bundling.Bundler(read, self.broken, url_prefix=self.url_prefix).bundle(source)

    def _concatenated(self, made: Made, looked_at: dict[str, bytes | None], within: tuple[str, ...]) -> SourceText:
        if made.path in within:
            raise TemplateError(f"the asset {made.path!r} is to be made of itself")
        parts = []
        for name in made.files:
            found = self.source(name, looked_at, (*within, made.path))
            if found is None:
                raise TemplateError(
                    f"the asset {made.path!r} is to be made of {name!r}, which is not there",
                    hint=self.suggestion(name),
                )
            if found[0].text is None:
                found = (SourceText(name, found[0].file, self._bytes(found[0].file).decode("utf-8", "replace")), b"")
            if kind_of(name) in SCRIPTS and scripts.is_module(found[0].text or ""):
                raise TemplateError(
                    f"the asset {made.path!r} cannot be made of the module {name!r}",
                    path=found[0].file,
                    hint="Modules load what they import by themselves; script(…, module=true) has it load at once.",
                )
            parts.append(found[0])
        return bundling.concatenated(made.path, parts, parts[0].file, url_prefix=self.url_prefix)

    # -- what is said of those that are not there

    def broken(self, source: SourceText, reference: Reference, target: str) -> TemplateError:
        """The error for a reference to an asset that is not there."""
        return TemplateError(
            f"{reference.url!r} refers to {target!r}, which is not there",
            path=source.file,
            line=reference.line,
            hint=self.suggestion(target),
        )

    def suggestion(self, path: str) -> str | None:
        """What to do about an asset that is not there."""
        link = next((file for file in places_of(path, self.folders) if file.exists()), None)
        if link is not None and leads_out(link, self.folders):
            return f"{link} leads out of the folder of static files, so it is not published: copy the file there."
        places = ", ".join(str(folder) for _, folder in self.folders)
        return did_you_mean(path, self.iter_paths()) or f"It was looked for in: {places}."
