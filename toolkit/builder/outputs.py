"""From the staging folder to the output: whole files, renamed into place, and nothing of anybody else's touched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from toolkit.builder.kept import KeptFiles
from toolkit.builder.records import DamagedManifest, FileRecord, PageRecord
from toolkit.builder.stages import FolderStage
from toolkit.errors import BuildError, Collision, Problems
from toolkit.pages.patterns import folded_path
from toolkit.stamps import look
from toolkit.trace import digest_bytes

ARRIVING = ".arriving"
"""What a file is called in an output on another disk until all of it is there; a killed build may leave one behind."""


class Output(NamedTuple):
    """A file that the site has.

    Args:
        path: Below the output folder.
        digest: Of its content.
        size: In bytes.
        owner: ``page``, ``asset``, ``rendition``, ``public``, ``stored`` or ``redirect``.
        staged: Whether its new content is in the staging folder.
        kind: Its media type, where that is more than its name says.
    """

    path: str
    digest: bytes
    size: int
    owner: str
    staged: bool
    kind: str = ""


class Standing(msgspec.Struct, frozen=True):
    """The output as it stands before the build.

    Args:
        files: What the last build placed, by path.
        pending: Paths that a build which was ended from outside may have touched.
        suspect: Paths of files that are missing, changed or pending.
        restamped: Records of files whose stamp alone changed.
    """

    files: KeptFiles
    pending: set[str]
    suspect: set[str]
    restamped: list[FileRecord]

    def kept(self, path: str) -> Output:
        """A file that stays."""
        record = self.files.get(path)
        if record is None:
            raise DamagedManifest(ValueError(f"no build wrote {path!r}"))
        return Output(path, record.digest, record.size, record.owner, False)

    def kept_page(self, page: PageRecord) -> Output:
        """The file of a page that stays; a manifest that tells two things of it would have us take the file away."""
        record = self.files.get(page.path)
        if record is None or record.digest != page.digest:
            raise DamagedManifest(ValueError(f"{page.path!r} is not the file of {page.url}"))
        return Output(page.path, record.digest, record.size, record.owner, False, page.content_type)


class Staging:
    """A folder beside the output in which a build prepares its files.

    Args:
        output: The output folder.
    """

    def __init__(self, output: Path) -> None:
        self.output = output
        self.folder = output.with_name(f".{output.name}.staging")
        self.stage = FolderStage(self.folder)

    def __enter__(self) -> Staging:
        try:
            if self.folder.exists():
                shutil.rmtree(self.folder)
            self.folder.mkdir(parents=True)
        except OSError as error:
            raise BuildError(
                f"{self.folder.parent} cannot be written: {error}", hint="Choose another 'output', or mend its rights."
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def put(self, path: str, body: bytes) -> None:
        """Stage a file's content."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)

    def copy(self, path: str, source: Path) -> None:
        """Stage a copy of a file."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)

    @property
    def is_due(self) -> bool:
        """Whether there is no output yet."""
        return not self.output.exists()

    @property
    def meta(self) -> Mapping[str, str]:
        """Nothing: a folder keeps no more than files."""
        return {}

    def check_way(self, staged: Iterable[Output], removed: Iterable[str]) -> None:
        """See ``check_way``."""
        check_way(self.output, staged, removed)

    def place(self, outputs: Iterable[Output], removed: Iterable[str]) -> list[FileRecord]:
        """See ``place``."""
        return place(self, outputs, removed)


def find_suspects(
    output: Path,
    files: Mapping[str, FileRecord],
    pending: Iterable[str],
    seen: Mapping[str, tuple[int, int]] | None = None,
) -> tuple[set[str], list[FileRecord]]:
    """Files that are not as the last build left them.

    Args:
        output: The folder.
        files: What the last build placed, by path.
        pending: Paths that a build which was ended from outside may have touched.
        seen: Sizes and ctimes that files had a moment ago, where somebody looked.

    Returns:
        Their paths; and records of files whose stamp alone changed, as after a restored cache.
    """
    suspect = set(pending)
    restamped: list[FileRecord] = []
    root = os.fspath(output)
    seen = seen or {}
    for path, value, size, changed_ns, owner in files.values():
        if seen.get(path) == (size, changed_ns):
            continue
        try:
            status = look(f"{root}/{path}")  # every file of a build with nothing to do
        except OSError:
            suspect.add(path)
            continue
        if status.st_size == size and status.st_ctime_ns == changed_ns:
            continue
        if status.st_size != size or _digest_of(output / path) != value:
            suspect.add(path)
        else:
            restamped.append(FileRecord(path, value, size, status.st_ctime_ns, owner))
    return suspect, restamped


def _digest_of(path: Path) -> bytes:
    try:
        return digest_bytes(path.read_bytes())
    except OSError:
        return b""


def check_outputs(outputs: Iterable[Output]) -> None:
    """Refuse two files at one place.

    Raises:
        Problems: Each pair.
    """
    taken: dict[str, Output] = {}
    folders: dict[str, str] = {}
    problems = []
    for item in outputs:
        other = taken.setdefault(folded_path(item.path), item)
        if other is not item:
            problems.append(
                Collision(
                    f"a {other.owner} and a {item.owner} both want the file {item.path}",
                    hint="Rename one of them.",
                )
            )
        parent = item.path.rpartition("/")[0]
        while parent and parent not in folders:
            folders[parent] = item.path
            parent = parent.rpartition("/")[0]
    for folder, path in folders.items():
        if folded_path(folder) in taken:
            problems.append(
                Collision(f"{folder} is a file, and {path} needs a folder of that name", hint="Rename one.")
            )
    if problems:
        raise Problems(problems)


def place(staging: Staging, outputs: Iterable[Output], removed: Iterable[str]) -> list[FileRecord]:
    """Rename staged files into place and remove what the site no longer has.

    Returns:
        Records of the files placed.

    Raises:
        BuildError: The output cannot be written.
    """
    staged = [item for item in outputs if item.staged]
    try:
        if not staging.output.exists():
            staging.folder.rename(staging.output)
            return [_record(staging.output, item) for item in staged]
        gone = set(removed)
        for path in _in_the_way(staged, gone):
            _remove(staging.output, path)
            gone.discard(path)
        _clear_the_way(staging.output, staged)
        _rename_all(staging, staged)
        for path in sorted(gone):
            _remove(staging.output, path)
    except OSError as error:
        raise BuildError(
            f"the output could not be written: {error}",
            hint="Mend it and build again: the next build completes this one.",
        ) from error
    return [_record(staging.output, item) for item in staged]


def check_way(output: Path, staged: Iterable[Output], removed: Iterable[str]) -> None:
    """Refuse to begin where somebody else's file stands in place of a folder that we need, or a folder of a file.

    Raises:
        BuildError: One stands in the way; nothing was touched.
    """
    if not output.exists():
        return
    gone = set(removed)
    seen: set[str] = set()
    for item in staged:
        target = output / item.path
        if target.is_dir() and not target.is_symlink():
            _check_folder(output, target, gone)
        parent = item.path.rpartition("/")[0]
        while parent and parent not in seen:
            seen.add(parent)
            place = output / parent
            if parent not in gone and (place.is_file() or (place.is_symlink() and not place.exists())):
                raise _obstacle(place, "a file", "a folder")
            parent = parent.rpartition("/")[0]


def _check_folder(output: Path, folder: Path, gone: set[str]) -> None:
    for path in folder.rglob("*"):
        if not path.is_dir() and path.relative_to(output).as_posix() not in gone:
            raise _obstacle(folder, f"a folder with {path.relative_to(folder).as_posix()}", "a file")


def _obstacle(place: Path, there: str, needed: str) -> BuildError:
    return BuildError(
        f"{place} is {there}, which the toolkit did not write, and the site needs {needed} there",
        hint="Move it away and build again.",
    )


def _in_the_way(staged: Iterable[Output], removed: set[str]) -> list[str]:
    """Files that go, of which a new one needs the name for its folder; or that lie in a folder whose name it needs."""
    if not removed:
        return []
    names = [item.path for item in staged]
    folders = {folder for name in names for folder in _folders_of(name)}
    wanted = set(names)
    return [path for path in sorted(removed) if path in folders or not wanted.isdisjoint(_folders_of(path))]


def _folders_of(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _clear_the_way(output: Path, staged: Iterable[Output]) -> None:
    """A page's folder may stand where a file stood before, or the other way round; ours only, foreign ones fail."""
    for item in staged:
        target = output / item.path
        if target.is_dir() and not target.is_symlink():
            with suppress(OSError):
                _remove_empty_folders(target)


def _remove_empty_folders(folder: Path) -> None:
    for child in folder.iterdir():
        if child.is_dir():
            _remove_empty_folders(child)
    folder.rmdir()


def _rename_all(staging: Staging, staged: Sequence[Output]) -> None:
    source, target = os.fspath(staging.folder), os.fspath(staging.output)
    rename: Callable[[str, str], None] = os.replace
    if staged and staging.folder.stat().st_dev != staging.output.stat().st_dev:
        rename = partial(_copy_over, f"{target}/{ARRIVING}")
    for item in staged:
        try:
            rename(f"{source}/{item.path}", f"{target}/{item.path}")
        except (FileNotFoundError, NotADirectoryError):
            os.makedirs(f"{target}/{item.path}".rpartition("/")[0], exist_ok=True)  # noqa: PTH103 - once for each file
            rename(f"{source}/{item.path}", f"{target}/{item.path}")


def _copy_over(arriving: str, source: str, target: str) -> None:
    """What a rename is to an output that is another disk, such as a volume of a container: whole or not at all."""
    try:
        shutil.copyfile(source, arriving)
        os.replace(arriving, target)  # noqa: PTH105 - once for each file
    except OSError:
        with suppress(FileNotFoundError):
            os.unlink(arriving)  # noqa: PTH108 - of the same name
        raise


def _remove(output: Path, path: str) -> None:
    """Remove a file, and the folders that it leaves empty."""
    target = output / path
    with suppress(FileNotFoundError, NotADirectoryError):
        target.unlink()
    for parent in target.parents:
        if parent == output:
            return
        try:
            parent.rmdir()
        except OSError:
            return


def _record(output: Path, item: Output) -> FileRecord:
    status = os.stat(f"{output}/{item.path}")  # noqa: PTH116 - once for each file
    return FileRecord(item.path, item.digest, item.size, status.st_ctime_ns, item.owner)


class Stager(Protocol):
    """Takes files that are not rendered."""

    def put(self, path: str, body: bytes) -> None:
        """Stage a file's content."""

    def copy(self, path: str, source: Path) -> None:
        """Stage a copy of a file."""


def stage_body(
    staging: Stager, known: Mapping[str, FileRecord], suspect: set[str], path: str, body: bytes, owner: str
) -> Output:
    """An output with this content, staged unless the output folder has it already."""
    value = digest_bytes(body)
    record = known.get(path)
    fresh = record is None or record.digest != value or path in suspect
    if fresh:
        staging.put(path, body)
    return Output(path, value, len(body), owner, fresh)


def stage_file(
    staging: Stager, known: Mapping[str, FileRecord], suspect: set[str], path: str, source: Path, value: bytes
) -> Output:
    """The same of a stored file, which may be large; ``value`` is the digest of its content."""
    record = known.get(path)
    fresh = record is None or record.digest != value or path in suspect
    if fresh:
        staging.copy(path, source)
    return Output(path, value, source.stat().st_size, "stored", fresh)
