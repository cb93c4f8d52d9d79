"""What a page asks a storage of its site is in its trace."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.errors import StorageError
from toolkit.site.verifying import Verifier
from toolkit.storage import Storage
from toolkit.storage.registry import Storages
from toolkit.trace import ABSENT, Scope, Trace, entered

DECLARED = {"other": {"backend": "memory"}}


@pytest.fixture
def storages(tmp_path: Path) -> Storages:
    made = Storages(DECLARED, tmp_path)
    for name in made:
        made[name].save("docs/a.txt", b"one")
    return made


def asked(storage: Storage, action: Callable[[Storage], Any]) -> dict[tuple[Any, ...], bytes]:
    scope = Scope(None, None, trace=Trace())
    with entered(scope), suppress(StorageError):
        action(storage)
    assert scope.trace is not None
    return {key: value for (kind, key), value in scope.trace.inputs.items() if kind == "stored"}


@pytest.mark.parametrize("name", ["default", "other"])
@pytest.mark.parametrize(
    "action",
    [
        lambda one: one.open("docs/a.txt").close(),
        lambda one: one.size("docs/a.txt"),
        lambda one: one.exists("docs/a.txt"),
    ],
)
def test_a_file_is_an_input_and_so_is_that_there_is_none(
    storages: Storages, name: str, action: Callable[[Storage], Any]
) -> None:
    storage = storages[name]
    key = (name, "docs/a.txt")
    assert asked(storage, action) == {key: storage.digest_of("docs/a.txt")}
    storage.delete("docs/a.txt")
    assert asked(storage, action) == {key: ABSENT}


@pytest.mark.parametrize("name", ["default", "other"])
@pytest.mark.parametrize("folder", ["docs", ""])
def test_the_names_in_a_folder_are_an_input(storages: Storages, name: str, folder: str) -> None:
    storage = storages[name]
    plan = SimpleNamespace(site=SimpleNamespace(storages=storages))
    verifier = Verifier(plan, {})  # type: ignore[arg-type]  # as much of a plan as is asked
    before = asked(storage, lambda one: one.listdir(folder))
    assert verifier.answer("stored", before) == before
    storage.save(f"{folder}/b.txt".lstrip("/"), b"two")
    after = asked(storage, lambda one: one.listdir(folder))
    assert before.keys() == after.keys() == {(name, f"{folder}/")}
    assert before != after
    assert verifier.answer("stored", before) == after


def test_a_storage_that_is_no_sites_is_nobodys(storages: Storages) -> None:
    storage = storages["other"]
    storage.alias = ""
    assert asked(storage, lambda one: [one.exists("x"), one.listdir()]) == {}
