"""One digest of all code that pages are made by: the site's and apps' Python sources, the toolkit's, and versions.

The kinds of the databases are in it: what a page asked is kept in their words, and no other kind can be asked so.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from toolkit.seals import PASSING, installed_names, installed_version
from toolkit.site.modules import OwnModule, is_elsewhere, is_installed, own_modules
from toolkit.site.verifying import EVERY_VARIABLE
from toolkit.sources import SKIPPED, TOOLKIT, python_sources
from toolkit.trace import UNVERIFIABLE, Trace, digest, digest_bytes

LIBRARIES = (
    "jinja2",
    "markupsafe",
    "babel",
    "pyromark",
    "nh3",
    "lxml",
    "feedgen",
    "werkzeug",
    "sqlalchemy",
    "shapely",
    "regex",
    "snowballstemmer",
    "tzdata",
)
"""Libraries whose version may change a page."""

_KNOWN = {*LIBRARIES, "toolkit"}

_TOOLKIT = Path(__file__).parent.parent
_IMPORT = re.compile(rb"^[ \t]*(?:from[ \t]+([^\s.]+)|import[ \t]+([^\n#;]+))", re.MULTILINE)


def code_folders(site: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Where the apps' and the site's own code is: beginnings of file names, as written and with links resolved."""
    return _beginnings([app.folder for app in site.apps]), _beginnings([site.folder])


def _beginnings(folders: Iterable[Path]) -> tuple[str, ...]:
    places = [place for folder in folders for place in (folder, folder.resolve())]
    return tuple(dict.fromkeys(f"{place}{os.sep}" for place in places))


def code_digest(site: Any) -> bytes:
    """16 bytes that stand for all of it. Found once in the life of a process: code that runs does not change."""
    found: bytes | None = site.__dict__.get("_code_digest")
    if found is None:
        found = site.__dict__["_code_digest"] = _compute(site)
    return found


def code_sources(site: Any) -> dict[str, bytes]:
    """What the digest stands for, by name: each source file, each library's version, Python's."""
    found: dict[str, bytes] = {}
    sources, libraries, python, base_path, kinds = _parts(site)
    for name, content in sources:
        files = content if isinstance(content, list) else [["", content]]
        found.update({f"{name}/{file}".rstrip("/"): value for file, value in files})
    found.update({f"the library {name}": version.encode() for name, version in libraries})
    found["Python"] = ".".join(map(str, python)).encode()
    found["the path of base_url"] = base_path.encode()
    found.update({f"the kind of the database {alias}": kind.encode() for alias, kind in kinds})
    return found


def _compute(site: Any) -> bytes:
    return digest(_parts(site))


def _parts(site: Any) -> list[Any]:
    sources: list[list[Any]] = [["toolkit", site.__dict__.get("_toolkit_sources") or toolkit_sources()]]
    sources += [
        [f"app {app.label}", python_sources(str(app.folder))] for app in site.apps if _TOOLKIT not in app.folder.parents
    ]
    own = sorted({*site.folder.glob("*.py"), *_imported(site.folder)})
    sources += [[path.relative_to(site.folder).as_posix(), digest_bytes(path.read_bytes())] for path in own]
    imported = _Imported(site, own)
    sources += [[f"module {name}", files] for name, files in sorted(imported.helpers.items())]
    libraries = [(name, installed_version(name)) for name in LIBRARIES]
    if imported.uses_others:
        libraries += list(_distributions())
    if site.settings.peek("precompress"):
        libraries += [("brotli", installed_version("brotli")), ("zlib", zlib.ZLIB_RUNTIME_VERSION)]
    kinds = [(database.alias, database.dialect) for database in site.databases.homes]
    return [sources + _read_at_import(site), libraries, sys.version_info[:3], site.base_path, kinds]


def _read_at_import(site: Any) -> list[list[Any]]:
    """Files and variables that the site's modules read while they were imported: their values are in the code.

    Not what nobody can verify, nor the environment as a whole, which is another for each shell.
    """
    kinds = {"file", "folder", "link", "environment"}
    return sorted(
        [f"{kind} {key[0]}, read at import", value]
        for (kind, key), value in site.read_at_import.items()
        if kind in kinds and key[0] not in PASSING and key[0] != EVERY_VARIABLE
    )


def record_code(trace: Trace, site: Any) -> None:
    """Have all code in a trace, and what its modules were told while they were imported.

    Args:
        trace: Of a page that begins, or of a route whose pages are found.
        site: The site.
    """
    trace.record("code", (), code_digest(site))
    for key in told_at_import(site):
        trace.record("imported", key, UNVERIFIABLE)
    for (kind, key), value in site.read_late.copy().items():
        trace.record(*(("imported", key, UNVERIFIABLE) if kind == "outside" else (kind, key, value)))


def told_at_import(site: Any) -> list[tuple[Any, ...]]:
    """What the site's modules were told while they were imported by hosts, programs and the clock, and nobody knows."""
    return [key for kind, key in site.read_at_import if kind == "outside"]


@functools.cache
def toolkit_sources() -> list[tuple[str, bytes]]:
    """The toolkit's own files, the same for all sites of a process."""
    return python_sources(TOOLKIT)


def take_toolkit_sources(site: Any, sources: list[tuple[str, bytes]]) -> None:
    """Be told the toolkit's own files by who read them meanwhile."""
    site.__dict__["_toolkit_sources"] = sources


def forget_modules(folder: Path) -> None:
    """Unload every module that was imported from a folder, and take the folder off Python's path.

    Two sites whose packages have one name can then follow each other in one process, and so can two states of one.
    What was installed stays, even if the environment is within the folder.
    """
    root = os.path.realpath(folder)
    for one in _modules_below(root):
        sys.modules.pop(one.name, None)
    sys.path[:] = [entry for entry in sys.path if not entry or not _stands_in(entry, root)]
    importlib.invalidate_caches()


def _stands_in(path: str, root: str) -> bool:
    """Whether it is a site's own."""
    return not is_elsewhere(path) and _is_in(os.path.realpath(path), root)


def _is_in(real: str, root: str) -> bool:
    """By plain strings: paths as objects took 0.1 s for the modules of a process."""
    return real == root or real.startswith(f"{root}{os.sep}")


def _modules_below(root: str) -> Iterator[OwnModule]:
    return (one for one in own_modules() if _is_in(one.real, root))


def _imported(folder: Path) -> Iterator[Path]:
    """Modules that were imported from the site's folder, whoever did, with all of the packages they belong to."""
    for one in _modules_below(str(folder)):
        path = Path(one.real)
        if one.file.endswith(".py") and path.is_file():
            yield path
            if "." not in one.name and path.name == "__init__.py":
                yield from (each for each in path.parent.rglob("*.py") if not SKIPPED.intersection(each.parts))


class _Imported:
    """Modules that the site's and the apps' code imports from elsewhere.

    Args:
        site: The site.
        own: The files of its own modules.

    Attributes:
        helpers: Those that are not where libraries are installed: a folder on ``PYTHONPATH``, a library that is
            installed so that it can be edited. By name, with the name and digest of each of their files: they have no
            version that changes with them.
        uses_others: Whether there are libraries besides those that the toolkit uses for pages, or their versions are
            asked for. Which of what is installed such a library needs, too, is not looked for: all of it counts.
    """

    def __init__(self, site: Any, own: Iterable[Path]) -> None:
        folders = [str(app.folder) for app in site.apps if _is_editable(str(app.folder))]
        waiting = [*map(str, own), *(path for folder in folders for path in _python_files(folder))]
        known = [os.path.realpath(place) for place in (site.folder, *folders)]
        self.helpers: dict[str, list[list[Any]]] = {}
        self.uses_others = False
        seen: set[str] = set()
        while waiting:
            with open(waiting.pop(), "rb", buffering=0) as file:  # noqa: PTH123 - as in python_sources
                source = file.read()
            self.uses_others |= b"importlib.metadata" in source
            names = _imports(source) - seen
            seen |= names
            for name in sorted(names):
                found = _places_of(name)
                places = [place for place in found if _is_editable(place) and not _is_below(place, known)]
                files = [path for place in places for path in _python_files(place)]
                if files:
                    self.helpers[name] = [each for place in places for each in _sources_at(place)]
                    waiting += files
                self.uses_others |= name not in _KNOWN and any(is_installed(f"{place}{os.sep}") for place in found)


def _imports(source: bytes) -> set[str]:
    """The first names of what a source imports: ``a`` of ``from a.b import c``; near enough without a parser."""
    found: set[str] = set()
    for of, listed in _IMPORT.findall(source):
        names = [of] if of else [one.strip().partition(b" ")[0].partition(b".")[0] for one in listed.split(b",")]
        found.update(name.decode("utf-8", "replace") for name in names)
    return {name for name in found if name.isidentifier()} - sys.stdlib_module_names


def _places_of(name: str) -> list[str]:
    """The file of a module, or the folders of a package; nothing is imported."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return []
    if spec is None:
        return []
    if spec.submodule_search_locations:
        return list(spec.submodule_search_locations)
    return [spec.origin] if spec.origin and spec.has_location else []


def _is_editable(place: str) -> bool:
    return not is_elsewhere(f"{place}{os.sep}")


def _distributions() -> Iterator[tuple[str, str]]:
    """Name and version of each library that is installed."""
    for entry in sorted({entry for _, entries in installed_names() for entry in entries}):
        if entry.endswith((".dist-info", ".egg-info")):
            name, _, rest = entry.rpartition(".")[0].partition("-")
            yield name, rest


def _is_below(place: str, folders: Iterable[str]) -> bool:
    real = os.path.realpath(place)
    return any(real == folder or real.startswith(f"{folder}{os.sep}") for folder in folders)


def _python_files(place: str) -> list[str]:
    if os.path.isfile(place):  # noqa: PTH113 - as in python_sources
        return [place] if place.endswith(".py") else []
    return [os.path.join(place, *name.split("/")) for name, _ in python_sources(place)]  # noqa: PTH118 - as above


def _sources_at(place: str) -> list[list[Any]]:
    path = Path(place)
    return (
        [[path.name, digest_bytes(path.read_bytes())]]
        if path.is_file()
        else [list(one) for one in python_sources(place)]
    )
