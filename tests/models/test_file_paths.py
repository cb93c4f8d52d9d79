"""Paths of files in a folder of the site: which may be chosen, and that they are kept as text."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.schema import CreateTable

from tests.tables import resolved
from toolkit import models
from toolkit.errors import DeclarationError, ValidationError
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered


def maps() -> str:
    return "maps"


class Drawing(models.Model):
    path = models.FilePathField(path="maps", match=r"\.svg$", null=True, blank=True)
    deep = models.FilePathField(path=maps, recursive=True, allow_folders=True, blank=True)
    folder = models.FilePathField(path="maps", allow_files=False, allow_folders=True, blank=True, max_length=300)


MODELS = resolved({"atlas": [Drawing]})
FILES = ["maps/harbour.svg", "maps/notes.txt", "maps/old/ferry.svg", "other/secret.svg"]


@pytest.fixture
def atlas(database: Any, tmp_path: Path) -> Iterator[Any]:
    """A site's folder with maps, and the table."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("<svg/>")
    before = database.schema
    database.schema = Schema([*before.models, *MODELS], database.dialect)
    table = database.schema.table(Drawing)
    database.execute(str(CreateTable(table).compile(dialect=database.sqlalchemy_dialect)))
    with entered(Scope(SimpleNamespace(folder=tmp_path, has_databases=False, catalogs=None), database)):
        yield tmp_path
    database.execute("DROP TABLE atlas_drawing")
    database.schema = before
    database.shapes.clear()
    database.lookups.clear()


def test_what_may_be_chosen(atlas: Path) -> None:
    field = Drawing._meta.by_name
    assert field["path"].found() == ["maps/harbour.svg"]
    assert field["deep"].found() == ["maps/harbour.svg", "maps/notes.txt", "maps/old", "maps/old/ferry.svg"]
    assert field["folder"].found() == ["maps/old"]


def test_paths_and_null_come_back(atlas: Path) -> None:
    long = "maps/" + "ä" * 95
    for path in ("maps/harbour.svg", long, None):
        row = Drawing.objects.create(path=path)
        assert Drawing.objects.get(pk=row.pk).path == path
    assert Drawing.objects.filter(path="maps/harbour.svg").count() == 1
    Drawing(path="maps/harbour.svg", deep="maps/old", folder="maps/old").full_clean()


@pytest.mark.parametrize(
    "value",
    [
        "maps/notes.txt",
        "maps/old/ferry.svg",
        "other/secret.svg",
        "maps/../other/secret.svg",
        "/etc/passwd",
        "harbour.svg",
    ],
)
def test_other_paths_are_refused(atlas: Path, value: str) -> None:
    with pytest.raises(ValidationError, match=r"is no file that can be chosen from .*maps\. Write the path") as refused:
        Drawing._meta.get_field("path").clean(value)
    assert refused.value.code == "invalid_choice"


def test_a_folder_that_is_not_there_is_named(atlas: Path) -> None:
    shutil.rmtree(atlas / "maps")
    with pytest.raises(ValidationError, match=r"the folder .*maps.* does not exist\. Make it"):
        Drawing._meta.get_field("path").clean("maps/harbour.svg")


def test_a_path_longer_than_the_column_is_refused(atlas: Path) -> None:
    with pytest.raises(ValidationError, match=r"Drawing\.path: the text has 101 characters; at most 100 are allowed"):
        Drawing.objects.create(path="x" * 101)


def test_files_or_folders_must_be_allowed() -> None:
    with pytest.raises(DeclarationError, match=r"Wrong\.path: neither files nor folders may be chosen"):

        class Wrong(models.Model):
            path = models.FilePathField(path="maps", allow_files=False)
