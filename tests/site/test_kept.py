"""What functions keep by ``functools.cache`` is read by each page that asks them."""

from __future__ import annotations

import functools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.site.watching import watch_files
from toolkit.trace import Scope, Trace, entered

CODE = """
import functools
from functools import cache, lru_cache
from pathlib import Path

calls = []

@cache
def words(path):
    calls.append(path)
    return Path(path).read_text()

@lru_cache
def plain(path):
    return words(path)

@functools.lru_cache(maxsize=1, typed=True)
def one(path, *, up=False):
    calls.append(path)
    return Path(path).read_text().upper() if up else Path(path).read_text()

@cache
def broken(path):
    raise KeyError(Path(path).read_text())

class Thing:
    @lru_cache
    def words(self, path):
        return words(path)
"""


class Plan:
    """Stands for one state of a site."""


@pytest.fixture
def site(tmp_path: Path) -> Any:
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "b.txt").write_text("two")
    return SimpleNamespace(folder=tmp_path, code_folders=((), (f"{tmp_path}/",)), read_late={})


@pytest.fixture
def code(site: Any) -> Any:
    watch_files()
    names: dict[str, Any] = {"__name__": "code"}
    exec(compile(CODE, f"{site.folder}/code.py", "exec"), names)
    return SimpleNamespace(**names)


def page(site: Any, plan: Any, action: Any, *, locale: str = "en") -> tuple[Any, set[str]]:
    """What an action gives on a page, and which files are in the page's trace."""
    scope = Scope(site, None, trace=Trace(), locale=locale)
    scope.rendering = plan and SimpleNamespace(plan=plan)
    with entered(scope):
        value = action()
    assert scope.trace is not None
    return value, {key[0] for key in scope.trace.keys_of("file")}


def test_each_page_has_read_what_the_first_read(site: Any, code: Any) -> None:
    plan = Plan()
    asked = [page(site, plan, lambda: code.words(f"{site.folder}/a.txt")) for _ in range(3)]
    assert asked == [("one", {"a.txt"})] * 3
    assert len(code.calls) == 1


def test_kept_by_one_that_is_kept(site: Any, code: Any) -> None:
    plan = Plan()
    asked = [page(site, plan, lambda: code.plain(f"{site.folder}/a.txt")) for _ in range(2)]
    asked.append(page(site, plan, lambda: code.words(f"{site.folder}/a.txt")))
    asked.append(page(site, plan, lambda: code.Thing().words(f"{site.folder}/a.txt")))
    assert asked == [("one", {"a.txt"})] * 4
    assert len(code.calls) == 1


def test_another_state_of_the_site_is_asked_anew(site: Any, code: Any) -> None:
    assert page(site, Plan(), lambda: code.words(f"{site.folder}/a.txt"))[0] == "one"
    (site.folder / "a.txt").write_text("changed")
    assert page(site, Plan(), lambda: code.words(f"{site.folder}/a.txt"))[0] == "changed"


def test_each_language_has_an_answer_of_its_own(site: Any, code: Any) -> None:
    plan = Plan()
    page(site, plan, lambda: code.words(f"{site.folder}/a.txt"), locale="en")
    page(site, plan, lambda: code.words(f"{site.folder}/a.txt"), locale="es")
    assert len(code.calls) == 2


def test_while_pages_are_being_found(site: Any, code: Any) -> None:
    assert page(site, None, lambda: [code.words(f"{site.folder}/a.txt") for _ in "ab"]) == (["one", "one"], {"a.txt"})
    assert page(site, None, lambda: code.words(f"{site.folder}/a.txt")) == ("one", {"a.txt"})
    assert len(code.calls) == 2


def test_arguments_and_bounds_are_pythons(site: Any, code: Any) -> None:
    plan, first, second = Plan(), f"{site.folder}/a.txt", f"{site.folder}/b.txt"
    values = [page(site, plan, lambda path=path: code.one(path))[0] for path in (first, second, first)]
    assert (values, len(code.calls)) == (["one", "two", "one"], 3)
    assert page(site, plan, lambda: code.one(first, up=True)) == ("ONE", {"a.txt"})
    assert code.one.cache_parameters() == {"maxsize": 1, "typed": True}
    with pytest.raises(TypeError, match="unhashable"):
        page(site, plan, lambda: code.words([]))


def test_what_fails_was_read_too(site: Any, code: Any) -> None:
    scope = Scope(site, None, trace=Trace())
    scope.rendering = SimpleNamespace(plan=Plan())
    with entered(scope), pytest.raises(KeyError, match="one"):
        code.broken(f"{site.folder}/a.txt")
    assert scope.trace is not None and scope.trace.keys_of("file") == [("a.txt",)]


def test_outside_of_pages_it_is_pythons_own(site: Any, code: Any) -> None:
    for _ in range(2):
        assert code.words(f"{site.folder}/a.txt") == "one"
    assert code.words.cache_info().hits == 1
    code.words.cache_clear()
    assert code.words.cache_info().currsize == 0


def test_who_clears_it_is_answered_anew(site: Any, code: Any) -> None:
    plan = Plan()
    page(site, plan, lambda: code.words(f"{site.folder}/a.txt"))
    code.words.cache_clear()
    page(site, plan, lambda: code.words(f"{site.folder}/a.txt"))
    assert len(code.calls) == 2


def test_functions_of_libraries_are_kept_by_pythons() -> None:
    watch_files()
    names: dict[str, Any] = {"functools": functools, "__name__": "library"}
    exec(
        compile("@functools.cache\ndef f(): return 1", "/usr/lib/python3/dist-packages/library.py", "exec"),
        names,
    )
    assert type(names["f"]).__name__ == "_lru_cache_wrapper"
