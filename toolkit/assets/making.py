"""Assets that are made: by a command such as Sass, or of several files. What a command made is kept by content.

Declared in ``toolkit.toml``::

    [made_assets."css/site.css"]
    run = "sass --no-source-map {input}"
    input = "scss/site.scss"
    inputs = ["scss/**/*.scss"]

    [made_assets."js/all.js"]
    files = ["js/menu.js", "js/search.js"]

    [made_assets."js/app.js"]
    bundle = "js/main.js"

A command gets no shell. What it writes to its standard output is the asset, or to the file ``{output}`` where that
stands among its words.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from toolkit.errors import Problems, SettingError, TemplateError, ToolkitError, did_you_mean
from toolkit.files import write_whole
from toolkit.stamps import FileDigests
from toolkit.trace import digest, digest_bytes

if TYPE_CHECKING:
    from toolkit.assets.joining import Module


_DIGEST_BYTES = 16
_SHOWN = 2_000
_NO_BUNDLER = "pip install 'publishing-toolkit[bundle]', or name another command in the setting 'bundler'."
_OPTIONS = {
    "run": (str, list),
    "input": (str,),
    "inputs": (list,),
    "files": (list,),
    "bundle": (str,),
    "timeout": (int,),
}
_KINDS = ("run", "files", "bundle")


class Made(msgspec.Struct, frozen=True):
    """How an asset is made.

    Args:
        path: Of the asset.
        run: The words of a command; none where it is made of files.
        input: What ``{input}`` stands for, below the site's folder.
        inputs: Patterns of everything that the command reads, below the site's folder.
        files: Assets that it consists of.
        bundle: The module whose bundle it is.
        timeout: Seconds that the command may take.
    """

    path: str
    run: tuple[str, ...] = ()
    input: str = ""
    inputs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    timeout: int = 120
    bundle: str = ""


def read_made(declared: Mapping[str, Mapping[str, Any]]) -> dict[str, Made]:
    """The made assets of a site, by path.

    Raises:
        Problems: Everything that is wrong with the setting ``made_assets``.
    """
    problems: list[ToolkitError] = []
    made: dict[str, Made] = {}
    for path, options in declared.items():
        try:
            made[path] = _read(path, options)
        except SettingError as error:
            problems.append(error)
    if problems:
        raise Problems(problems, summary="assets cannot be made as they are declared")
    return made


def _read(path: str, options: Mapping[str, Any]) -> Made:
    where = f'made_assets."{path}"'
    for name, value in options.items():
        if name not in _OPTIONS:
            raise SettingError(f"{where}: there is no option {name!r}", hint=did_you_mean(name, _OPTIONS))
        texts = not isinstance(value, list) or all(isinstance(item, str) for item in value)
        if type(value) not in _OPTIONS[name] or not texts:
            raise SettingError(f"{where}: {name} = {value!r} is of the wrong kind")
    if sum(bool(options.get(name)) for name in _KINDS) != 1:
        raise SettingError(f"{where} needs either 'run' or 'files' or 'bundle'")
    run = options.get("run") or ()
    words = tuple(shlex.split(run)) if isinstance(run, str) else tuple(run)
    inputs = tuple(options.get("inputs", [options["input"]] if "input" in options else []))
    if words and not inputs:
        raise SettingError(f"{where} says nothing of what the command reads", hint='Write inputs = ["scss/**/*.scss"].')
    if any(pattern.startswith("/") or ".." in pattern.split("/") for pattern in (*inputs, options.get("input", ""))):
        raise SettingError(f"{where}: inputs are below the site's folder")
    files = tuple(options.get("files", ()))
    timeout, bundle = options.get("timeout", 120), options.get("bundle", "")
    if bundle and not path.endswith((".js", ".mjs")):
        raise SettingError(f"{where} is to be a bundle of modules, and those are scripts: name it .js")
    return Made(path, words, options.get("input", ""), inputs, files, timeout, bundle)


class Commands:
    """Runs the commands that make assets, where none of what they read and say is as it was before.

    Args:
        folder: The site's folder, in which commands run.
        store: Where what they made is kept.
        bundler: The command that makes one script of modules: ``bun build {input}``.
    """

    def __init__(self, folder: Path, store: Path, *, bundler: str = "") -> None:
        self.folder = folder
        self.store = store
        self.bundler = tuple(shlex.split(bundler))
        self.runs = 0
        self._digests = FileDigests()

    def find(self, made: Made) -> tuple[Path, bytes]:
        """The file with what a command makes today, and the digest of its content.

        Raises:
            TemplateError: The command failed, or reads nothing that is there.
        """
        inputs = self.inputs(made)
        if not inputs:
            raise TemplateError(
                f"the asset {made.path!r} cannot be made: there is none of {', '.join(made.inputs)}",
                path=self.folder,
            )
        read = [(path.relative_to(self.folder).as_posix(), self._digests.find(path)) for path in inputs]
        place = self.store / f"{digest([made.path, made.run, made.input, read]).hex()}{Path(made.path).suffix}"
        kept = read_kept(place)
        if kept is None:
            kept = self._run(made)
            self.runs += 1
            keep(place, kept)
        return place, digest_bytes(kept)

    def bundle(self, made: Made, modules: Sequence[Module]) -> tuple[Path, bytes]:
        """The file with the bundle of some modules today, and the digest of its content.

        Args:
            made: How the asset is made.
            modules: What goes into it; that which it begins with, first.

        Raises:
            TemplateError: The bundler failed, or is not there.
        """
        contents = sorted((module.path, module.body) for module in modules)
        place = self.store / f"{digest([made.path, made.bundle, self.bundler, contents]).hex()}.js"
        kept = read_kept(place)
        if kept is None:
            kept = self._bundled(made, modules)
            self.runs += 1
            keep(place, kept)
        return place, digest_bytes(kept)

    def _bundled(self, made: Made, modules: Sequence[Module]) -> bytes:
        """Run the bundler among copies, below the site's folder, so that it finds the packages that are there."""
        self.store.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".bundle-", dir=self.store) as scratch:
            for module in modules:
                copy = Path(scratch) / module.path
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(module.body)
            run = replace(made, run=self.bundler, input=made.bundle)
            try:
                return self._run(run, folder=Path(scratch))  # what it says of paths is the same each time
            except TemplateError as error:
                raise _at_the_source(error, modules, Path(scratch)) from error

    def body(self, place: Path) -> bytes:
        """What a command made.

        Raises:
            TemplateError: It is gone.
        """
        body = read_kept(place)
        if body is None:
            raise TemplateError("what a command made was removed meanwhile", path=place, hint="Try again.")
        return body

    def inputs(self, made: Made) -> list[Path]:
        """The files that a command reads, sorted."""
        found = {path for pattern in made.inputs for path in self.folder.glob(pattern) if path.is_file()}
        return sorted(found)

    def _run(self, made: Made, *, folder: Path | None = None) -> bytes:
        with tempfile.TemporaryDirectory(prefix="toolkit-") as scratch:
            output = Path(scratch) / f"output{Path(made.path).suffix}"
            names = {"{input}": made.input, "{output}": str(output)}
            words = [_filled(word, names) for word in made.run]
            done = self._call(made, words, folder or self.folder)
            if done.returncode != 0:
                said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()[-_SHOWN:]
                raise self._failed(made, f"{words[0]} ended with {done.returncode}: {said}")
            if any("{output}" in word for word in made.run):
                if not output.is_file():
                    raise self._failed(made, f"{words[0]} wrote no {{output}}")
                return output.read_bytes()
            return done.stdout

    def _call(self, made: Made, words: Sequence[str], folder: Path) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                words, cwd=folder, capture_output=True, timeout=made.timeout, stdin=subprocess.DEVNULL, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise self._failed(made, f"{words[0]} took more than {made.timeout} s") from error
        except OSError as error:
            raise self._failed(made, f"{words[0]} cannot be run: {error.strerror}") from error

    def _failed(self, made: Made, message: str) -> TemplateError:
        path = self.folder / made.input if made.input else self.folder
        return TemplateError(f"the asset {made.path!r} was not made: {message}", path=path)


def _at_the_source(error: TemplateError, modules: Sequence[Module], scratch: Path) -> TemplateError:
    """A bundler's words, with the files of the site in place of their copies; at the first that they name."""
    files = {module.path: module.file for module in modules}
    names = "|".join(sorted(map(re.escape, files), key=len, reverse=True))
    copies = re.compile(rf"(?:{re.escape(str(scratch))}/|(?<![\w/.-])(?:\./)?)({names})(?=:\d)")
    message = copies.sub(lambda found: str(files[found[1]]), error.message)
    named = {str(file): file for file in files.values()}
    place = re.search("(" + "|".join(map(re.escape, named)) + r"):(\d+)", message)
    missing = isinstance(error.__cause__, FileNotFoundError)
    return TemplateError(
        message,
        path=named[place[1]] if place else modules[0].file,
        line=int(place[2]) if place else None,
        hint=_NO_BUNDLER if missing else None,
    )


def _filled(word: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        word = word.replace(name, value)
    return word


def read_kept(place: Path) -> bytes | None:
    """What :func:`keep` wrote, if it is there and whole."""
    try:
        found = place.read_bytes()
    except OSError:
        return None
    body = found[_DIGEST_BYTES:]
    return body if digest_bytes(body) == found[:_DIGEST_BYTES] else None


def keep(place: Path, body: bytes) -> None:
    """Keep a result, with a digest by which a damaged one is known.

    Raises:
        TemplateError: It cannot be written.
    """
    try:
        write_whole(place, digest_bytes(body) + body)
    except OSError as error:
        raise TemplateError(f"what a command made cannot be kept: {error.strerror}", path=place) from error
