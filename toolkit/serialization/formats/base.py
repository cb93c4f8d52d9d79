"""The protocol of a format, and how one is found."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import IO, Any, Protocol

from toolkit.errors import ContentError, did_you_mean
from toolkit.serialization.records import Record


class Format(Protocol):
    """Writes records as text and reads them back.

    Attributes:
        textual: It has only text: numbers, truth values and dates are written as their fields say.

    A class may have ``endings``, such as ``(".toml",)``: files with one of these are of its format.
    """

    textual: bool

    def write(self, records: Iterable[Record], out: IO[str], /) -> None:
        """Write records, one after the other, without holding all of them."""

    def read(self, source: IO[bytes], /) -> Iterator[Record | ContentError]:
        """The records of a file, each with its place; in place of one that is none the error, where reading can go on.

        Raises:
            ContentError: The file is not of this format; it has the line where that is known.
        """


FORMATS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "json": ("toolkit.serialization.formats.json:JSON", (".json",)),
    "jsonl": ("toolkit.serialization.formats.json:JSONLines", (".jsonl", ".ndjson")),
    "yaml": ("toolkit.serialization.formats.yaml:YAML", (".yaml", ".yml")),
    "xml": ("toolkit.serialization.formats.xml:XML", (".xml",)),
    "csv": ("toolkit.serialization.formats.csv:CSV", (".csv",)),
}
"""Name to where the format is, and the endings of its files. Loaded when used: XML and YAML bring large libraries."""

COMPRESSIONS: Mapping[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def format_of(name: str | None, path: Path | None = None) -> Format:
    """A format by its name, or by a file's ending.

    Raises:
        ContentError: There is none.
    """
    if name is None:
        name = kind_of(path)
    if name in FORMATS:
        module, _, kind = FORMATS[name][0].partition(":")
        made: Format = getattr(import_module(module), kind)()
        return made
    others = {point.name: point for point in entry_points(group="toolkit.formats")}  # 5 ms: what is installed is read
    if name in others:
        found: Format = _loaded(others[name])()
        return found
    known = [*FORMATS, *others]
    raise ContentError(
        f"there is no format {name!r}", hint=did_you_mean(str(name), known) or f"Formats: {', '.join(known)}."
    )


def kind_of(path: Path | None) -> str:
    """The name of the format that a file's ending tells.

    Raises:
        ContentError: It tells none.
    """
    name = (path.name if path is not None else "").lower()
    for ending in COMPRESSIONS:
        name = name.removesuffix(ending)
    found = next((kind for kind, (_, endings) in FORMATS.items() if name.endswith(endings)), None)
    found = found or next((kind for kind, endings in _endings_of_others() if name.endswith(endings)), None)
    if found is None:
        raise ContentError(
            f"the format of {path} cannot be told by its ending", hint=f"Say --format: {', '.join(FORMATS)}."
        )
    return found


def _endings_of_others() -> Iterator[tuple[str, tuple[str, ...]]]:
    """The endings that the formats of other distributions claim."""
    for point in entry_points(group="toolkit.formats"):
        yield point.name, tuple(getattr(_loaded(point), "endings", ()))


def _loaded(point: EntryPoint) -> Any:
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        raise ContentError(
            f"the entry point {point.value!r} of toolkit.formats cannot be loaded: {error}",
            hint="Is the distribution that has it installed whole, with what it needs?",
        ) from error


class _Gzip(gzip.GzipFile):
    """Without the file's name and time, so that the same rows give the same bytes."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        super().__init__("", "wb", fileobj=self._file, mtime=0)

    def close(self) -> None:
        super().close()
        self._file.close()


def opened(path: Path, mode: str) -> Any:
    """A file to write text to (``w``) or to read bytes from (``r``), compressed as its ending says.

    Raises:
        ContentError: It cannot be opened.
    """
    opener = COMPRESSIONS.get(path.suffix.lower())
    try:
        if opener is None:
            return path.open("rb") if mode == "r" else path.open("w", encoding="utf-8", newline="\n")
        if mode == "r":
            return opener(path, "rb")
        if opener is gzip.open:
            return io.TextIOWrapper(_Gzip(path), "utf-8", newline="\n")
        return opener(path, "wt", encoding="utf-8", newline="\n")
    except OSError as error:
        raise ContentError(f"{path} cannot be opened: {error.strerror or error}", path=path) from error
