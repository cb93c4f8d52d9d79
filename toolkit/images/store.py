"""The store of renditions: a folder by content, which may be kept between builds, copied between machines, deleted.

A rendition is written beside its place and renamed, with the digest of its bytes before them: what is found is
whole, or it is not found. Whoever makes renditions of an image holds its lock, so that two processes never make
one twice.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from toolkit.errors import ImageError
from toolkit.images.facts import Facts
from toolkit.trace import digest, digest_bytes

SUFFIX = ".rendition"
RECIPE = ".recipe"
FACTS = ".facts"
UNFINISHED = ".unfinished-"
STALE_SECONDS = 3600
"""An unfinished file older than this was left by a process that died."""

_KEPT = (SUFFIX, RECIPE, FACTS)
_DIGEST_BYTES = 16


class Recipe(msgspec.Struct, frozen=True):
    """How to make a rendition that a page showed: what a server needs to answer for its URL.

    Args:
        kind: Of the image's source.
        name: Of the image.
        storage: Of the image.
        operations: What the page asked for, as text.
        file: The rendition's file name.
        public: Whether a page for readers showed it, and not only a preview.
    """

    kind: str
    name: str
    storage: str
    operations: str
    file: str
    public: bool

    @property
    def image(self) -> tuple[str, str, str, str]:
        """Kind, storage and name of the image, and what was asked for: as an input of a trace has it."""
        return (self.kind, self.storage, self.name, self.operations)


class _Known(msgspec.Struct, frozen=True):
    version: str
    facts: Facts


class RenditionStore:
    """Renditions in a folder.

    Args:
        folder: Made when the first one is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __repr__(self) -> str:
        return f"<RenditionStore {self.folder}>"

    # renditions

    def find(self, key: str) -> bytes | None:
        """A rendition's bytes, or None if it is not there, or not whole."""
        try:
            found = self._path(key, SUFFIX).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        body = found[_DIGEST_BYTES:]
        return body if body and digest_bytes(body) == found[:_DIGEST_BYTES] else None

    def keep(self, key: str, body: bytes) -> None:
        """Keep a rendition, whole or not at all.

        Raises:
            ImageError: The folder cannot be written.
        """
        self._write(self._path(key, SUFFIX), digest_bytes(body) + body)

    def has(self, key: str) -> bool:
        """Whether there is a file for a rendition; whether it is whole is seen when it is read."""
        return self._path(key, SUFFIX).is_file()

    # facts

    def find_facts(self, content: bytes, version: str) -> Facts | None:
        """What an image file is, if it was read before by the same version of the readers."""
        with suppress(OSError, msgspec.MsgspecError):
            known = msgspec.json.decode(self._path(content.hex(), FACTS).read_bytes(), type=_Known)
            return known.facts if known.version == version else None
        return None

    def keep_facts(self, content: bytes, version: str, facts: Facts) -> None:
        """Remember what an image file is; where the folder cannot be written, it is read again."""
        with suppress(ImageError):
            self._write(self._path(content.hex(), FACTS), msgspec.json.encode(_Known(version, facts)))

    # recipes

    def find_recipes(self, key: str, file: str) -> list[Recipe]:
        """The ways to make the rendition of this file name; none if no page of the server showed it.

        There are several where images at different places have the same bytes and the same name.
        """
        with suppress(OSError, ValueError):
            paths = sorted(self._path(key, "").parent.glob(f"{key}.{file}.*{RECIPE}"))
            return [recipe for path in paths if (recipe := _read_recipe(path)) is not None]
        return []

    def find_recipe(self, key: str, recipe: Recipe) -> Recipe | None:
        """What is remembered of the same way to make a rendition."""
        return _read_recipe(self._recipe_path(key, recipe))

    def keep_recipe(self, key: str, recipe: Recipe) -> None:
        """Remember how a rendition is made; where the folder cannot be written, the process alone remembers."""
        with suppress(ImageError):
            self._write(self._recipe_path(key, recipe), msgspec.json.encode(recipe))

    # one maker at a time

    @contextmanager
    def locked(self, content: bytes) -> Iterator[None]:
        """Hold the lock of an image file: only one process makes renditions of it.

        A file system without locks lets all go on: they make the same bytes, and each is renamed into place whole.
        """
        folder = self.folder / "locks"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = (folder / content.hex()[:2]).open("a+")
        except OSError as error:
            raise self._unwritable(error) from error
        with handle:
            with suppress(OSError):
                _lock(handle.fileno())
            yield

    # tidying

    def keys(self) -> Iterator[str]:
        """The keys of everything in the store, sorted."""
        if self.folder.is_dir():
            found = {_key_of(path) for path in self.folder.glob("??/*") if path.suffix in _KEPT}
            yield from sorted(found)

    def prune(self, needed: Iterable[str], *, dry_run: bool = False) -> list[tuple[str, int]]:
        """Remove what nobody needs, and what processes that died left unfinished.

        Args:
            needed: Keys of renditions, and digests of images in hex, to keep.
            dry_run: Only tell.

        Returns:
            (name, bytes) of each file that is removed.
        """
        kept = set(needed)
        removed = []
        for path in sorted(self.folder.glob("??/*")):
            if path.name.startswith(UNFINISHED):
                gone = time.time() - path.stat().st_mtime > STALE_SECONDS
            else:
                gone = path.suffix in _KEPT and _key_of(path) not in kept
            if gone:
                removed.append((path.name, path.stat().st_size))
                if not dry_run:
                    path.unlink(missing_ok=True)
        if not dry_run:
            for folder in self.folder.glob("??"):
                with suppress(OSError):
                    folder.rmdir()
        return removed

    def _path(self, key: str, suffix: str) -> Path:
        return self.folder / key[:2] / f"{key}{suffix}"

    def _recipe_path(self, key: str, recipe: Recipe) -> Path:
        return self._path(key, f".{recipe.file}.{digest(list(recipe.image)).hex()}{RECIPE}")

    def _write(self, place: Path, body: bytes) -> None:
        unfinished = place.with_name(f"{UNFINISHED}{secrets.token_hex(8)}")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(body)
            os.replace(unfinished, place)  # noqa: PTH105 - pathlib's is the same call
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink()
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> ImageError:
        return ImageError(
            f"the store of renditions {self.folder} cannot be written: {error.strerror or error}",
            hint="Mend its rights, or name another folder in the setting 'renditions'.",
        )


def _read_recipe(path: Path) -> Recipe | None:
    with suppress(OSError, ValueError, msgspec.MsgspecError):
        return msgspec.json.decode(path.read_bytes(), type=Recipe)
    return None


def _key_of(path: Path) -> str:
    return path.name.partition(".")[0]


def _lock(descriptor: int) -> None:
    """Wait for a file's lock and take it. The system frees it when the process ends, however it ends."""
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined]  # not on this platform
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)
