"""Where templates are looked for: the site's own folder first, then each app's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import jinja2
import msgspec

from toolkit.errors import TemplateError
from toolkit.stamps import FileDigests
from toolkit.trace import ABSENT, digest


class TemplateFolder(msgspec.Struct, frozen=True):
    """One folder of the search path.

    Args:
        path: The folder. It need not exist.
        label: Its name wherever the site is checked out, such as ``"site"`` or an app's name. It stands for
            the folder in digests, which would otherwise differ from machine to machine.
    """

    path: Path
    label: str = "site"


class TemplateSource(msgspec.Struct, frozen=True):
    """A template's text, and what its digest stands for.

    Args:
        name: The name it was asked for under.
        path: The file that won.
        label: The label of the folder it was found in.
        text: Its content.
        digest: Of the label, the name and the content.
    """

    name: str
    path: Path
    label: str
    text: str
    digest: bytes


class Candidate(msgspec.Struct, frozen=True):
    """A place where a template was looked for."""

    label: str
    path: Path
    exists: bool


class TemplateSearch(msgspec.Struct, frozen=True):
    """Which file answers to a template's name, and which it hides (``toolkit why-template``)."""

    name: str
    candidates: tuple[Candidate, ...]

    @property
    def winner(self) -> Candidate | None:
        """The first candidate that exists."""
        return next((candidate for candidate in self.candidates if candidate.exists), None)

    @property
    def hidden(self) -> tuple[Candidate, ...]:
        """The files that exist and are overridden by the winner."""
        return tuple(found for found in self.candidates if found.exists and found is not self.winner)


class TemplateFolders(jinja2.BaseLoader):
    """The search path of a site's templates.

    Args:
        folders: In the order they are tried; labels must differ.

    Raises:
        TemplateError: When two folders share a label.
    """

    def __init__(self, folders: Sequence[TemplateFolder]) -> None:
        self.folders = tuple(folders)
        self._digests = FileDigests()
        self._digest_cache: dict[tuple[str, str, bytes], bytes] = {}
        self._bases = tuple((folder, os.fspath(folder.path)) for folder in self.folders)
        labels = [folder.label for folder in self.folders]
        twice = sorted({label for label in labels if labels.count(label) > 1})
        if twice:
            raise TemplateError(
                f"two template folders are labelled {twice[0]!r}", hint="Give each folder a label of its own."
            )

    def digest_of(self, name: str) -> bytes:
        """Which file answers to this name today and what is in it, as 16 bytes; ``ABSENT`` when none does."""
        for folder, place in self._places(name):
            with _readable(place):
                content = self._digests.find(place)
            if content is not None:
                return self._digest(folder.label, name, content)
        return ABSENT

    def read(self, name: str) -> TemplateSource | None:
        """The template of this name as it is now, or None.

        Raises:
            TemplateError: When it cannot be read, or is not UTF-8.
        """
        for folder, place in self._places(name):
            with _readable(place):
                read = self._digests.read(place)
            if read is not None:
                body, content = read
                text = _decode(body, place)
                return TemplateSource(name, Path(place), folder.label, text, self._digest(folder.label, name, content))
        return None

    def why(self, name: str) -> TemplateSearch:
        """The places where this name is looked for, in order."""
        return TemplateSearch(
            name,
            tuple(Candidate(folder.label, Path(place), Path(place).is_file()) for folder, place in self._places(name)),
        )

    def list_templates(self) -> list[str]:
        """The names of all templates, sorted; hidden files and editors' backups are none."""
        return sorted({name for folder in self.folders for name in _names_in(folder.path)})

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        """Jinja's way in, for its tools that read sources (``jinja2.meta``, extraction)."""
        source = self.read(template)
        if source is None:
            raise jinja2.TemplateNotFound(template)
        return source.text, str(source.path), lambda: self.digest_of(template) == source.digest

    def _places(self, name: str) -> Iterator[tuple[TemplateFolder, str]]:
        if "\\" in name or "\0" in name or ".." in name.split("/") or name.startswith("/"):
            return
        for folder, base in self._bases:
            yield folder, f"{base}/{name}"

    def _digest(self, label: str, name: str, content: bytes) -> bytes:
        key = (label, name, content)
        known = self._digest_cache.get(key)
        if known is None:
            known = self._digest_cache[key] = digest([f"{label}/{name}", content])
        return known


@contextmanager
def _readable(place: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TemplateError(f"the template cannot be read: {error.strerror}", path=place) from error


def _names_in(folder: Path) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and not name.endswith("~"):
                yield (Path(place) / name).relative_to(folder).as_posix()


def _decode(body: bytes, place: str) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TemplateError(
            f"the template is not UTF-8: byte {body[error.start]:#04x}",
            path=place,
            line=body.count(b"\n", 0, error.start) + 1,
            hint="Save it as UTF-8.",
        ) from error
