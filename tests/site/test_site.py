"""Sites: found, loaded, prepared, entered; and what is said when they cannot be."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from toolkit import App, Site
from toolkit.errors import DeclarationError, NoSuchPage, Problems, SettingError
from toolkit.site import find_folder, load_site
from toolkit.trace import EDITOR, READER, current


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with settings, and nothing else."""
    path = list(sys.path)
    (tmp_path / "toolkit.toml").write_text('site = "gazette.site:site"\ndatabase = "sqlite://"\n')
    yield tmp_path
    sys.path[:] = path
    for name in [name for name in sys.modules if name.partition(".")[0] in ("gazette", "other")]:
        del sys.modules[name]


def write(folder: Path, **files: str) -> None:
    """Write modules: ``gazette_init`` is ``gazette/__init__.py``."""
    for name, text in files.items():
        package, _, module = name.partition("_")
        path = folder / package / f"{'__init__' if module == 'init' else module}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def test_the_folder_is_the_nearest_above_with_settings(folder: Path) -> None:
    (folder / "a/b").mkdir(parents=True)
    assert find_folder(folder / "a/b") == folder.resolve()


def test_no_folder_with_settings(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match=r"no toolkit.toml at or above .* Make a site with: toolkit new DIR"):
        find_folder(tmp_path)


def test_a_site_that_is_not_there(folder: Path) -> None:
    with pytest.raises(DeclarationError, match=r"there is no module 'gazette.site'"):
        load_site(folder)
    write(folder, gazette_init="", gazette_site="site = 1")
    with pytest.raises(DeclarationError, match=r"gazette.site.site is no Site"):
        load_site(folder)


def test_a_module_that_the_site_imports_and_is_not_there_is_named(folder: Path) -> None:
    write(folder, gazette_init="", gazette_site="import nosuchmodule")
    with pytest.raises(ModuleNotFoundError, match="nosuchmodule"):
        load_site(folder)


def test_settings_said_in_code_win(folder: Path) -> None:
    write(
        folder,
        gazette_init="from toolkit import App\napp = App('gazette')",
        gazette_site="from toolkit import Site\nfrom . import app\nsite = Site(__file__, apps=[app])",
    )
    site = load_site(folder, settings={"title": "Gazette"})
    assert site.settings.title == "Gazette"
    assert site.settings.source("title") == "code"
    with pytest.raises(SettingError, match="cannot be changed while the site runs"):
        site.settings.title = "x"


def test_two_apps_of_one_label_are_refused(folder: Path) -> None:
    write(folder, gazette_init="", other_init="")
    site = Site(folder, apps=[App("news", package="gazette"), App("news", package="other")])
    with pytest.raises(Problems, match=r"two apps are labelled 'news'. Give one another label"):
        site.prepare()


def test_preparing_twice_does_nothing(folder: Path) -> None:
    write(folder, gazette_init="")
    site = Site(folder, apps=[App("gazette", package="gazette")])
    assert site.prepare() is site.prepare()


def test_entering_a_site_makes_it_the_current_one_and_nests(folder: Path) -> None:
    write(folder, gazette_init="", other_init="")
    one = Site(folder, apps=[App("one", package="gazette")])
    two = Site(folder, apps=[App("two", package="other")])
    assert current.get() is None
    with one:
        with two, one:
            assert _site() is one
        assert _site() is one
        scope = current.get()
        assert scope is not None and scope.viewer == EDITOR != READER
    assert current.get() is None


def _site() -> Any:
    scope = current.get()
    return scope and scope.site


def test_a_page_name_that_two_apps_have_must_be_said_in_full(folder: Path) -> None:
    pages = "from . import app\n@app.page('/{0}/')\ndef home(): return '{0}'\n"
    for name in ("gazette", "other"):
        write(
            folder,
            **{
                f"{name}_init": f"from toolkit import App\napp = App('{name}')",
                f"{name}_pages": pages.format(name),
            },
        )
    sys.path.insert(0, str(folder))
    import gazette  # type: ignore[import-not-found]
    import other  # type: ignore[import-not-found]

    site = Site(folder, apps=[gazette.app, other.app]).prepare()
    assert site.render("other:home").body == b"other"
    with pytest.raises(NoSuchPage, match=r"several apps have a page 'home'. Say which: gazette:home, other:home"):
        site.find_route("home")


def test_code_of_the_same_text_has_one_digest_wherever_it_lies(folder: Path, tmp_path: Path) -> None:
    import shutil

    write(folder, gazette_init="x = 1")
    one = Site(folder, apps=[App("gazette", package="gazette")]).prepare().code_digest
    for name in [name for name in sys.modules if name.startswith("gazette")]:
        del sys.modules[name]
    sys.path.remove(str(folder))
    copy = tmp_path / "zz/copy"
    shutil.copytree(folder / "gazette", copy / "gazette")
    shutil.copy(folder / "toolkit.toml", copy)
    again = Site(copy, apps=[App("gazette", package="gazette")]).prepare()
    assert again.code_digest == one
    del sys.modules["gazette"]
    (copy / "gazette/__init__.py").write_text("x = 2")
    sys.path.remove(str(copy))
    assert Site(copy, apps=[App("gazette", package="gazette")]).prepare().code_digest != one
