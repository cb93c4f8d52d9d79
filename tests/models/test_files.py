"""Fields that hold files: stored when the row is saved, refused before that if they are not what they must be."""

from __future__ import annotations

import io
import pickle
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from sqlalchemy.schema import CreateTable

from tests.tables import resolved
from toolkit import models
from toolkit.errors import DatabaseError, DeclarationError, ImpossibleValue, StorageError, ValidationError
from toolkit.models import Value
from toolkit.models.functions import Concat
from toolkit.models.schema import Schema
from toolkit.storage import ContentFile, File, FileSystemStorage, InMemoryStorage, Storages
from toolkit.trace import ABSENT, EDITOR, Scope, Trace, digest_bytes, entered
from toolkit.validators import FileExtensionValidator

MEMORY = InMemoryStorage(url="https://cdn.example/files")


def by_title(instance: Any, name: str) -> str:
    return f"titles/{instance.title}/{name}"


class Sheet(models.Model):
    title = models.CharField(max_length=20)
    scan = models.FileField(upload_to="scans/%Y/%m", blank=True, validators=[FileExtensionValidator(["pdf", "txt"])])
    copy = models.FileField(upload_to=by_title, storage=MEMORY, blank=True, max_length=60)
    other = models.FileField(storage=lambda: MEMORY, null=True, blank=True)
    photo = models.ImageField(upload_to="photos", blank=True, width_field="photo_width", height_field="photo_height")
    photo_width = models.IntegerField(null=True, blank=True)
    photo_height = models.IntegerField(null=True, blank=True)


MODELS = resolved({"desk": [Sheet]})


@pytest.fixture
def desk(database: Any, tmp_path: Path) -> Iterator[SimpleNamespace]:
    """A scope with a site that has storages, and the table."""
    before = database.schema
    database.schema = Schema([*before.models, Sheet], database.dialect)
    database.execute(str(CreateTable(database.schema.table(Sheet)).compile(dialect=database.sqlalchemy_dialect)))
    site = SimpleNamespace(storages=Storages({}, tmp_path), folder=tmp_path, catalogs=None)
    scope = Scope(site, database, EDITOR, moment=datetime(2026, 3, 1, tzinfo=UTC))
    try:
        with entered(scope):
            yield SimpleNamespace(scope=scope, folder=tmp_path / "media", storage=site.storages["default"])
    finally:
        database.execute("DROP TABLE desk_sheet")
        database.schema = before
        database.shapes.clear()
        database.lookups.clear()
        MEMORY._files.clear()


def png(width: int, height: int) -> bytes:
    """A picture of one colour."""
    out = io.BytesIO()
    Image.new("1", (width, height)).save(out, "PNG")
    return out.getvalue()


def bomb(width: int, height: int) -> bytes:
    """The header of a huge picture: its pixels would fill the memory."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\x00" * 100)) + chunk(b"IEND", b"")


def test_a_file_is_stored_when_the_row_is_saved(desk: SimpleNamespace) -> None:
    sheet = Sheet(title="a", scan=ContentFile(b"abc", "my scan.PDF"))
    assert not desk.folder.exists()
    assert sheet.scan.size == 3
    assert sheet.scan.read() == b"abc"
    sheet.full_clean()
    sheet.save()
    assert sheet.scan.name == "scans/2026/03/my_scan.PDF"
    assert (desk.folder / sheet.scan.name).read_bytes() == b"abc"
    found = Sheet.objects.get()
    assert found.scan
    assert found.scan == sheet.scan == "scans/2026/03/my_scan.PDF"
    assert found.scan.url == "/media/scans/2026/03/my_scan.PDF"
    assert found.scan.size == 3
    assert found.scan.read() == b"abc"
    assert b"".join(found.scan.chunks(1)) == b"abc"
    assert found.scan.path == str(desk.folder / found.scan.name)
    assert Sheet.objects.filter(scan="scans/2026/03/my_scan.PDF").exists()
    assert Sheet.objects.filter(scan=found.scan, scan__in=[found.scan, "x"], scan__iendswith=".pdf").exists()
    assert not Sheet.objects.filter(scan__contains="your").exists()
    assert list(Sheet.objects.values_list("scan", flat=True)) == [sheet.scan.name]


def test_a_name_longer_than_the_column_is_refused_however_it_comes(desk: SimpleNamespace) -> None:
    """SQLite would keep it."""
    Sheet.objects.create(title="a", scan="x.pdf")
    with pytest.raises(ValidationError, match="has 300 characters"):
        Sheet.objects.update(scan="x" * 300)
    with pytest.raises(DatabaseError, match=r"(?i)too long for"):
        Sheet.objects.update(scan=Concat("title", Value("x" * 300)))
    assert Sheet.objects.get().scan == "x.pdf"
    assert not Sheet.objects.filter(scan="x" * 300)


@pytest.mark.parametrize(("name", "told"), [("a\0.txt", "null character"), ("\ud800.txt", "is not valid Unicode")])
def test_a_name_that_some_database_cannot_keep_is_refused_on_all(desk: SimpleNamespace, name: str, told: str) -> None:
    with pytest.raises(ValidationError, match=rf"Sheet\.copy: .*{told}"):
        Sheet.objects.create(title="t", copy=name)
    with pytest.raises(ImpossibleValue, match=told):
        Sheet.objects.filter(copy=name).exists()


def test_no_file_is_false_and_says_so_when_asked(desk: SimpleNamespace) -> None:
    sheet = Sheet.objects.create(title="a")
    found = Sheet.objects.get()
    assert not sheet.scan
    assert not found.scan
    assert not found.other
    for ask in ("url", "size", "path"):
        with pytest.raises(StorageError, match=r"Sheet\.scan has no file\. Ask first"):
            getattr(found.scan, ask)


def test_a_field_may_have_a_storage_of_its_own(desk: SimpleNamespace) -> None:
    sheet = Sheet.objects.create(title="news", copy=ContentFile("niño", "n.txt"), other=ContentFile(b"o", "o.bin"))
    assert sheet.copy.name == "titles/news/n.txt"
    assert sheet.copy.url == "https://cdn.example/files/titles/news/n.txt"
    assert sheet.copy.read() == "niño".encode()
    assert MEMORY.exists("o.bin")
    assert not desk.folder.exists()


def test_a_replaced_file_stays_and_a_deleted_one_goes(desk: SimpleNamespace) -> None:
    sheet = Sheet.objects.create(title="a", scan=ContentFile(b"1", "s.pdf"))
    first = sheet.scan.name
    sheet.scan = ContentFile(b"2", "s.pdf")
    sheet.save()
    second = sheet.scan.name
    assert first != second
    assert desk.storage.exists(first)
    sheet.scan.delete()
    assert not desk.storage.exists(second)
    assert not Sheet.objects.get().scan
    sheet.scan.save("t.txt", b"three")
    assert Sheet.objects.get().scan.read() == b"three"
    sheet.scan = first
    sheet.save()
    assert Sheet.objects.get().scan.read() == b"1"
    sheet.scan = None
    sheet.save()
    assert not Sheet.objects.get().scan


def test_a_file_is_handed_from_row_to_row_without_a_copy(desk: SimpleNamespace) -> None:
    one = Sheet.objects.create(title="a", scan=ContentFile(b"1", "s.pdf"))
    Sheet.objects.create(title="b", scan=one.scan)
    assert [sheet.scan.name for sheet in Sheet.objects.order_by("title")] == [one.scan.name] * 2
    assert desk.storage.listdir("scans/2026/03")[1] == ["s.pdf"]


def test_bulk_create_stores_files_too(desk: SimpleNamespace) -> None:
    Sheet.objects.bulk_create([Sheet(title=str(n), scan=ContentFile(str(n), "s.txt")) for n in range(3)])
    assert sorted(sheet.scan.read() for sheet in Sheet.objects.all()) == [b"0", b"1", b"2"]


@pytest.mark.parametrize("name", ["../../x.txt", "/etc/x.txt", "a\\b.txt", "C:\\x.txt", "x.txt\x00.pdf", "..", ""])
def test_a_name_of_an_upload_leads_nowhere_else(desk: SimpleNamespace, name: str) -> None:
    sheet = Sheet(title="a")
    try:
        sheet.scan.save(name, b"x")
    except StorageError as error:
        assert "cannot be the name of a stored file" in str(error)
        return
    inside = (desk.folder / sheet.scan.name).resolve()
    assert inside.is_relative_to(desk.folder / "scans/2026/03")
    assert inside.read_bytes() == b"x"


@pytest.mark.parametrize("name", ["../x.txt", "/etc/passwd", "a/../../x.txt", "a\x00.txt", "con.txt", ".env"])
def test_a_stored_name_that_leads_elsewhere_is_refused(desk: SimpleNamespace, name: str) -> None:
    sheet = Sheet(title="a", scan=name)
    with pytest.raises(ValidationError, match=r"scan: .* cannot be the name of a stored file"):
        sheet.full_clean()
    with pytest.raises(StorageError, match="cannot be the name"):
        _ = sheet.scan.url
    with pytest.raises(StorageError, match="cannot be the name"):
        Sheet.objects.create(title="../../..", copy=ContentFile(b"x", name))


def test_validators_see_the_file(desk: SimpleNamespace) -> None:
    with pytest.raises(ValidationError, match="scan: files of the kind 'exe' are not allowed") as told:
        Sheet(title="a", scan=ContentFile(b"x", "a.exe")).full_clean()
    assert told.value.errors["scan"][0].code == "invalid_extension"


def test_a_name_is_cut_to_what_the_column_keeps(desk: SimpleNamespace) -> None:
    sheet = Sheet.objects.create(title="t", copy=ContentFile(b"x", "y" * 90 + ".txt"))
    assert len(sheet.copy.name) == 60
    assert sheet.copy.name.endswith("y.txt")


# images


def test_an_image_tells_its_size_to_the_row(desk: SimpleNamespace) -> None:
    sheet = Sheet(title="a", photo=ContentFile(png(40, 30), "p.png"))
    assert (sheet.photo_width, sheet.photo_height) == (40, 30)
    assert (sheet.photo.width, sheet.photo.height) == (40, 30)
    sheet.full_clean()
    sheet.save()
    found = Sheet.objects.get()
    assert (found.photo_width, found.photo_height) == (found.photo.width, found.photo.height) == (40, 30)
    found.photo = ContentFile(png(8, 9), "p.png")
    found.save()
    assert Sheet.objects.values_list("photo_width", "photo_height")[0] == (8, 9)
    found.photo.delete()
    assert Sheet.objects.values_list("photo_width", "photo_height")[0] == (None, None)


@pytest.mark.parametrize(
    ("body", "name", "code"),
    [
        (b"not an image", "p.png", "invalid_image"),
        (b"", "p.png", "invalid_image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "p.png", "invalid_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "p.png", "invalid_image"),
        (png(2, 2), "p.exe", "invalid_extension"),
        (bomb(12_000, 12_000), "p.png", "image_too_large"),
        (bomb(100_000, 100_000), "p.png", "image_too_large"),
        (bomb(2**31 - 1, 2**31 - 1), "p.png", "image_too_large"),
    ],
)
def test_what_is_no_sound_image_is_refused(desk: SimpleNamespace, body: bytes, name: str, code: str) -> None:
    with pytest.raises(ValidationError, match="photo: ") as told:
        Sheet(title="a", photo=ContentFile(body, name)).full_clean()
    assert [error.code for error in told.value.errors["photo"]] == [code]
    assert not desk.folder.exists()


# what a page reads of a file is an input of the page


@contextmanager
def traced(desk: SimpleNamespace) -> Iterator[Trace]:
    scope = Scope(desk.scope.site, desk.scope.database, trace=Trace())
    with entered(scope):
        assert scope.trace is not None
        yield scope.trace


@pytest.mark.parametrize("ask", [lambda f: f.url, lambda f: f.size, lambda f: f.read(), lambda f: f.open().close()])
def test_reading_a_file_is_recorded(desk: SimpleNamespace, ask: Any) -> None:
    Sheet.objects.create(title="a", scan=ContentFile(b"abc", "s.pdf"))
    with traced(desk) as trace:
        ask(Sheet.objects.get().scan)
    name = "scans/2026/03/s.pdf"
    assert trace.inputs[("stored", ("default", name))] == digest_bytes(b"abc")
    assert desk.storage.digest_of(name) == digest_bytes(b"abc")


def test_a_file_that_is_not_there_is_recorded_as_absent(desk: SimpleNamespace) -> None:
    Sheet.objects.create(title="a", scan="scans/gone.pdf")
    with traced(desk) as trace:
        scan = Sheet.objects.get().scan
        assert scan.url == "/media/scans/gone.pdf"
        with pytest.raises(StorageError, match=r"there is no stored file 'scans/gone\.pdf'"):
            scan.read()
    assert trace.inputs[("stored", ("default", "scans/gone.pdf"))] == ABSENT


# declarations, and what else an instance is


def test_an_instance_with_files_can_be_pickled(desk: SimpleNamespace) -> None:
    Sheet.objects.create(title="a", scan=ContentFile(b"abc", "s.pdf"))
    found = Sheet.objects.get()
    assert found.scan.url
    again = pickle.loads(pickle.dumps(found))
    assert again.scan.name == found.scan.name
    assert again.scan.read() == b"abc"
    assert again.scan.instance is again


def test_an_image_and_a_file_of_any_storage_can_be_pickled(desk: SimpleNamespace) -> None:
    Sheet.objects.create(title="a", photo=ContentFile(png(40, 30), "p.png"), other=ContentFile(b"abc", "o.txt"))
    found = Sheet.objects.get()
    assert found.photo.width and found.other.size  # both were looked at
    again = pickle.loads(pickle.dumps(found))
    assert (again.photo.width, again.other.read()) == (found.photo.width, b"abc")


def test_the_file_of_a_copy_is_the_copys(desk: SimpleNamespace) -> None:
    sheet = Sheet.objects.create(title="a", scan=ContentFile(b"abc", "s.pdf"))
    other = copy(sheet)
    other.pk, other.title = None, "b"
    other.scan.save("t.pdf", b"other")
    kept = [(each.title, each.scan.read()) for each in Sheet.objects.order_by("title")]
    assert kept == [("a", b"abc"), ("b", b"other")]
    assert sheet.scan.read() == b"abc"


def test_an_open_file_may_be_given(desk: SimpleNamespace, tmp_path: Path) -> None:
    source = tmp_path / "source.txt"
    source.write_bytes(b"abc")
    with source.open("rb") as opened:
        sheet = Sheet.objects.create(title="a", scan=File(opened, "s.txt"))
    assert sheet.scan.read() == b"abc"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"unique": True}, "not unique and not translated"),
        ({"upload_to": "../x"}, "leads out of the storage"),
        ({"upload_to": "/x"}, "leads out of the storage"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], told: str) -> None:
    kind: Any = type(models.Model)
    with pytest.raises(DeclarationError, match=told):
        kind("One", (models.Model,), {"__module__": __name__, "scan": models.FileField(**options)})


def test_a_storage_by_name_needs_a_site(database: Any) -> None:
    with entered(Scope(None, database)), pytest.raises(StorageError, match="there is no current site"):
        _ = Sheet(title="a", scan="x.pdf").scan.url


def test_the_folder_of_a_storage_is_one_of_the_site(desk: SimpleNamespace) -> None:
    assert isinstance(desk.storage, FileSystemStorage)
    assert desk.storage.folder == desk.folder
