"""The press: a small site in a folder of its own, built in a fresh process each time, as real builds are."""

from __future__ import annotations

import gc
import importlib
import os
import pickle
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from compileall import compile_dir
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any

import pytest
from babel.dates import format_date

from toolkit.ahead import look_ahead
from toolkit.builder import Builder, BuildReport, rehearsing
from toolkit.builder.batches import BATCH_PAGES
from toolkit.builder.rehearsing import keep_questions, know_questions
from toolkit.builder.sealing import make_seal
from toolkit.builder.tables import bring_up
from toolkit.errors import IntegrityError, ToolkitError
from toolkit.seals import find_seal, keep_seal, seal_path
from toolkit.site import Site, load_site
from toolkit.site.code import toolkit_sources
from toolkit.site.watching import Loading, loading
from toolkit.stamps import RACY_NS
from toolkit.testing import forget_modules
from toolkit.text.searching import words_of
from toolkit.trace import digest

for _name in (
    "alembic", "babel.dates", "babel.numbers", "feedgen.feed", "lxml.etree", "pyromark", "shapely", "sqlite_utils",
    "nh3", "snowballstemmer", "sqlalchemy.dialects.mysql", "sqlalchemy.dialects.sqlite", "stringprep", "toolkit.gis",
    "toolkit.database.backends.sqlite", "toolkit.database.sqlfunctions", "toolkit.database.tokens.sqlite",
    "werkzeug.routing",
):  # fmt: skip
    importlib.import_module(_name)  # once here, rather than in every forked child
words_of("la marée: the marks of all scripts are found once, too", "en")
for _locale in ("en", "es"):
    format_date(date(2026, 3, 1), locale=_locale)
toolkit_sources()

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOURCE = Path(__file__).parent / "press"
IN_COMMON = "questions-in-common"


def outside_variables() -> list[str]:
    """Variables of whoever runs the tests, which are none of the site's."""
    return [name for name in os.environ if name.startswith(("TOOLKIT_", "PYTEST_"))]


@contextmanager
def outside_of_tests(folder: Path) -> Iterator[None]:
    """Be in a folder, without the variables of whoever runs the tests."""
    place = Path.cwd()
    with pytest.MonkeyPatch.context() as patch:
        for name in outside_variables():
            patch.delenv(name)
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(place)


def in_child(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """What a function gives or raises in a forked process, which has imported no site yet."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        gc.freeze()  # what the parent has is nothing to look through, which would copy it
        os.close(reader)
        for name in outside_variables():
            del os.environ[name]
        try:
            body = pickle.dumps((True, function(*arguments, **options)))
        except BaseException as error:  # noqa: BLE001 - told to the parent
            try:
                if isinstance(error, ToolkitError):
                    error = strict(error)
                body = pickle.dumps((False, error))
                pickle.loads(body)
            except Exception:  # noqa: BLE001 - as above
                import traceback

                body = pickle.dumps((False, RuntimeError(traceback.format_exc())))
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(body)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        body = pipe.read()
    os.waitpid(pid, 0)
    assert body, "the child died"
    good, value = pickle.loads(body)
    if not good:
        raise value
    return value


def strict(error: ToolkitError) -> ToolkitError:
    """The error without what only the child can import: models of the site, in what it says of a broken constraint."""
    if isinstance(error, IntegrityError):
        error.validation = error.__cause__ = error.__context__ = None
    return error


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, with its content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


@dataclass
class Press:
    """A site in a folder.

    Args:
        folder: The site's folder.
        built: A folder with the same site and what building it makes, if there is one.
    """

    folder: Path
    built: Path | None = None

    @property
    def out(self) -> Path:
        """Where builds land."""
        return self.folder.parent / "out"

    def build(
        self,
        output: Path | None = None,
        *,
        moment: datetime = NOON,
        settings: dict[str, Any] | None = None,
        **options: Any,
    ) -> BuildReport:
        """Build in a fresh process."""
        return in_child(_build, self.folder, output or self.out, moment, settings, options)

    def take_built(self) -> None:
        """Be as a first build leaves it: it was made once, and is copied for each test that goes on from there."""
        assert self.built is not None
        assert not self.out.exists(), "there is a build already"
        shutil.rmtree(self.folder)
        shutil.copytree(self.built, self.folder.parent, dirs_exist_ok=True)

    def make_sealable(self) -> None:
        """Leave out a question of which nobody can say when the clock changes its answer."""
        self.replace(
            "press/pages.py",
            'Story.objects.annotate(age=Now() - F("published")).filter(age__gt=timedelta(days=3)).count()',
            "0",
        )

    def is_sealed(self, *, moment: datetime = NOON) -> bool:
        """Whether the seal of the last build says that the next one would find nothing to do."""
        with outside_of_tests(self.folder):  # it imports nothing of the site's
            seal = find_seal(seal_path(self.folder.parent / "state", str(self.out)))
            return seal is not None and seal.holds(now=moment)

    def clean(self, name: str = "clean", *, moment: datetime = NOON, **options: Any) -> dict[str, bytes]:
        """The files of a build from nothing."""
        output = self.folder.parent / name
        for path in (output, output.with_name(f"{name}.manifest.db")):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        self.build(output, moment=moment, **options)
        return tree(output)

    def same(self, *, moment: datetime = NOON, **options: Any) -> BuildReport:
        """Build on top of the last build, and from nothing; the files must be equal."""
        report = self.build(moment=moment, **options)
        built, clean = tree(self.out), self.clean(moment=moment)
        wrong = sorted(path for path in built.keys() | clean.keys() if built.get(path) != clean.get(path))
        assert not wrong, f"{wrong[:5]}: {[(built.get(p), clean.get(p)) for p in wrong[:1]]}"
        return report

    def edit(self, function: Callable[[Any], Any]) -> None:
        """Run a function with the site's models in a fresh process."""
        in_child(_edit, self.folder, function)

    def sql(self, statement: str, *parameters: Any) -> list[Any]:
        """Run SQL past the toolkit."""
        connection = sqlite3.connect(self.folder / "press.db", isolation_level=None)
        try:
            return connection.execute(statement, parameters).fetchall()
        finally:
            connection.close()

    def write(self, name: str, text: str) -> Path:
        """Write a file of the site."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def replace(self, name: str, old: str, new: str) -> None:
        """Change a file's text."""
        text = (self.folder / name).read_text("utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def read(self, name: str) -> str:
        """A built file."""
        return (self.out / name).read_text("utf-8")


def _load(folder: Path, settings: dict[str, Any] | None = None) -> Any:
    os.chdir(folder)
    sys.dont_write_bytecode = True  # an edit within one second of another would be missed by Python itself
    return load_site(folder, settings=settings)


def _build(
    folder: Path, output: Path, moment: datetime, settings: dict[str, Any] | None, options: dict[str, Any]
) -> BuildReport:
    """Build, with files looked at ahead; and hold the seal of the build before to what this one finds to do."""
    place = seal_path(folder.parent / "state", str(output))
    seal = find_seal(place)
    ahead = look_ahead(seal, worth_it=0, many=0, racy_ns=0) if seal is not None else None
    plain = settings is None and not options.keys() - {"workers"}
    os.chdir(folder)
    gc.disable()  # until the site is open, as the command does
    held = (
        plain
        and seal is not None
        and seal.may_hold(now=moment)
        and (seal.files_hold() if ahead is None else ahead.holds())
    )
    with loading(folder) as loaded:
        site = _load(folder, settings)
        site.prepare()
    gc.enable()
    builder = Builder(site, output=output, moment=moment, ahead=None if loaded.wrote else ahead, **options)
    _know(site, loaded)
    report = builder.build()
    keep_questions(site)
    if ahead is not None:
        ahead.close()
    if held:
        done = [str(event) for event in report.events] + report.notices
        assert not done, f"the seal held, and there was something to do: {done[:5]}"
    if plain:
        builder.moment = None  # as if it had not been given: the seal is asked for each moment
        begun_ns = time.time_ns() + 10 * RACY_NS  # no file is too young here, for the clock moves before the next edit
        keep_seal(place, make_seal(builder, report, loaded=loaded, begun_ns=begun_ns))
        time.sleep(0.005)
    return report


def _know(site: Any, loaded: Loading) -> None:
    """Know the questions that there are; those in common are of all presses with these models.

    A press knows them by all of its code, and most tests edit code that decides about none of them.
    """
    with pytest.MonkeyPatch.context() as patch:
        if Path(rehearsing.FOLDER).name == IN_COMMON:
            names = sorted({model.__module__ for model in site.models})
            texts = [Path(str(sys.modules[name].__file__)).read_bytes() for name in names]
            patch.setattr(Site, "code_digest", digest([toolkit_sources(), texts]))
        know_questions(site, loaded)


def _edit(folder: Path, function: Callable[[Any], Any]) -> None:
    with _load(folder):
        import press.models

        function(press.models)


def plant(m: Any) -> None:
    """Six stories, one of them under embargo, one that expires; two in Spanish."""
    town, sport = (
        m.Section.objects.create(name="Town", slug="town"),
        m.Section.objects.create(name="Sport", slug="sport"),
    )
    town.translate("es", name="Ciudad")
    ines, ghost = m.Author.objects.create(name="Ines"), m.Author.objects.create(name="Ghostwriter", active=False)
    tags = [m.Tag.objects.create(name=name.title(), slug=name) for name in ("sea", "tram", "rain")]
    for number in range(6):
        row = m.Story.objects.create(
            title=f"Story {number}",
            slug=f"story-{number}",
            body=f"Text *{number}*." + ("\n\nSee [this](story:story-5)." if number == 1 else ""),
            section=(town, sport)[number % 2],
            author=(ines, ghost, None)[number % 3],
            weight=number * 2,
            published=NOON - timedelta(days=number * 3 - 2),
            expires=NOON + timedelta(days=3) if number == 4 else None,
        )
        row.tags.set([tags[number % 3], tags[(number + 1) % 3]])
        if number in (2, 3):
            row.translate("es", title=f"Historia {number}", slug=f"historia-{number}", body="Texto.")


def _plant(folder: Path) -> None:
    """Make the press's rows, and have its tables found right: each test's first build would look at them again."""
    _edit(folder, plant)
    with _load(folder).prepare() as site:
        bring_up(site)


def build_here(folder: Path, output: Path) -> None:
    """Build in this process, and leave nothing but what Python and the libraries keep for the next time.

    Forked children begin with that: patterns, statements' and templates' machinery took a quarter of each build.
    """
    writes_no_bytecode = sys.dont_write_bytecode
    with outside_of_tests(folder):
        try:
            _build(folder, output, NOON, None, {})
        finally:
            sys.dont_write_bytecode = writes_no_bytecode
            forget_modules(folder)


@pytest.fixture(scope="session")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all presses keep the questions that they compiled."""
    return tmp_path_factory.getbasetemp().parent / IN_COMMON


@pytest.fixture(autouse=True)
def questions_in_common(questions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Presses with the same models share their questions.

    A third of what builds took was to compile what another test's build had.
    """
    monkeypatch.setattr("toolkit.builder.rehearsing.FOLDER", questions)
    monkeypatch.setattr("toolkit.models.known.STATES", 10_000)


@pytest.fixture
def own_questions(press: Press, questions_in_common: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """For tests of them: the press has its questions to itself."""
    folder = press.folder / ".toolkit" / "questions"
    monkeypatch.setattr("toolkit.builder.rehearsing.FOLDER", folder)
    return folder / "default"


@pytest.fixture(scope="module")
def small_batches() -> Iterator[None]:
    """Batches of a quarter of their size, for presses of more than one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("toolkit.builder.batches.BATCH_PAGES", BATCH_PAGES // 4)
        yield


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The press with its rows, made once."""
    folder = tmp_path_factory.mktemp("planted") / "site"
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    compile_dir(folder, quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
    build_here(folder, folder.parent / "first")
    in_child(_plant, folder)
    return folder


@pytest.fixture(scope="session")
def built(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The press with its rows and its first build, made once."""
    place = tmp_path_factory.mktemp("built")
    shutil.copytree(planted, place / "site")
    build_here(place / "site", place / "out")
    return place


@pytest.fixture(scope="session")
def built_sealable(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without the question that keeps builds from being sealed."""
    place = tmp_path_factory.mktemp("sealable")
    shutil.copytree(planted, place / "site")
    press = Press(place / "site")
    press.make_sealable()
    press.build()
    return place


@pytest.fixture
def press(planted: Path, built: Path, tmp_path: Path) -> Press:
    """A press of one's own, with the templates that were compiled for the first build."""
    folder = tmp_path / "site"
    shutil.copytree(planted, folder, ignore=shutil.ignore_patterns(".toolkit"))
    shutil.copytree(built / "site/.toolkit", folder / ".toolkit")
    return Press(folder, built)


@pytest.fixture(scope="session")
def make_press() -> Callable[[Path], Press]:
    """Press of a folder."""
    return Press


@pytest.fixture(scope="session")
def tree_of() -> Callable[[Path], dict[str, bytes]]:
    """Files of a folder."""
    return tree


@pytest.fixture(scope="session")
def planter() -> Callable[[Any], None]:
    """Makes the press's rows."""
    return plant
