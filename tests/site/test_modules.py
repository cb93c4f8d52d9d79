"""Which modules are a site's own: found by looking at each once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from toolkit.site.modules import is_elsewhere, own_modules


class Watched(ModuleType):
    """A module that counts how often somebody asks where it is."""

    asked = 0

    def __getattribute__(self, name: str) -> object:
        if name == "__file__":
            Watched.asked += 1
        return super().__getattribute__(name)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ModuleType]:
    """Puts a module in a file among those that are imported, as the last one."""

    def put(name: str, file: Path | str | None, kind: type[ModuleType] = ModuleType) -> ModuleType:
        module = kind(name)
        if file is not None:
            module.__file__ = str(file)
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.setitem(sys.modules, name, module)
        return module

    return put


def names() -> list[str]:
    return [one.name for one in own_modules() if one.name.startswith("desk_")]


def test_pythons_the_toolkits_and_installed_modules_are_none(place: Callable[..., ModuleType], tmp_path: Path) -> None:
    place("desk_installed", "/opt/site/lib/python3/site-packages/desk.py")
    place("desk_of_debian", "/usr/lib/python3/dist-packages/desk.py")
    place("desk_without_file", None)
    place("desk_own", tmp_path / "desk.py")
    assert names() == ["desk_own"]
    assert {"json", "toolkit.site.modules", "jinja2"} <= sys.modules.keys()
    assert not {"json", "toolkit.site.modules", "jinja2"} & {one.name for one in own_modules()}
    assert is_elsewhere(str(sys.modules["json"].__file__))


def test_what_comes_goes_and_changes_is_seen(place: Callable[..., ModuleType], tmp_path: Path) -> None:
    first = place("desk_first", tmp_path / "first.py")
    assert names() == ["desk_first"]
    second = place("desk_second", tmp_path / "second.py")
    assert names() == ["desk_first", "desk_second"]
    again = place("desk_first", tmp_path / "other/first.py")  # as if it was unloaded, and imported from elsewhere
    found = {one.name: one for one in own_modules()}
    assert found["desk_first"].module is again is not first
    assert found["desk_first"].file == str(tmp_path / "other/first.py")
    assert found["desk_second"].module is second
    del sys.modules["desk_second"]
    assert names() == ["desk_first"]


def test_all_are_looked_at_where_the_last_one_was_unloaded(place: Callable[..., ModuleType], tmp_path: Path) -> None:
    place("desk_own", tmp_path / "own.py")
    place("desk_library", "/opt/lib/site-packages/library.py")
    assert names() == ["desk_own"]
    place("desk_next", tmp_path / "next.py")
    del sys.modules["desk_library"]
    assert names() == ["desk_own", "desk_next"]


def test_the_rest_is_not_looked_at_again(place: Callable[..., ModuleType], tmp_path: Path) -> None:
    place("desk_library", "/opt/lib/site-packages/library.py", Watched)
    place("desk_last", "/opt/lib/site-packages/last.py")
    own_modules()
    asked = Watched.asked
    place("desk_own", tmp_path / "own.py")
    assert names() == ["desk_own"]
    assert Watched.asked == asked


def test_links_are_resolved(place: Callable[..., ModuleType], tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    place("desk_linked", tmp_path / "link/desk.py")
    (found,) = (one for one in own_modules() if one.name == "desk_linked")
    assert found.file == str(tmp_path / "link/desk.py")
    assert found.real == str((tmp_path / "real").resolve() / "desk.py")
