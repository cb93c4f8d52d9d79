"""Every storage does the same: names that are safe, files that are never written over."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import StorageError
from toolkit.storage import ContentFile, File, FileSystemStorage, FsspecStorage, InMemoryStorage, Storage, Storages
from toolkit.storage.names import MAX_PART_BYTES, alternative, check_name, fitting, valid_name
from toolkit.trace import ABSENT

KINDS: dict[str, Callable[[Path], Storage]] = {
    "filesystem": lambda folder: FileSystemStorage(folder / "media"),
    "memory": lambda folder: InMemoryStorage(),
    "fsspec": lambda folder: FsspecStorage(f"memory://toolkit-{uuid.uuid4().hex}", url="https://cdn.example/m"),
}


@pytest.fixture(params=KINDS)
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return KINDS[request.param](tmp_path)


def content_of(storage: Storage, name: str) -> bytes:
    with storage.open(name) as file:
        return file.read()


def test_a_file_is_kept_and_found(storage: Storage) -> None:
    before = datetime.now(UTC) - timedelta(seconds=5)
    name = storage.save("photos/2026/harbour.jpg", ContentFile(b"abc"))
    assert name == "photos/2026/harbour.jpg"
    assert storage.exists(name)
    assert storage.size(name) == 3
    with storage.open(name) as file:
        assert file.read() == b"abc"
        assert list(file.chunks(2)) == [b"ab", b"c"]
    assert before < storage.modified(name) < datetime.now(UTC) + timedelta(seconds=5)
    assert storage.listdir() == (["photos"], [])
    assert storage.listdir("photos/2026") == ([], ["harbour.jpg"])
    assert storage.listdir("nowhere") == ([], [])
    assert storage.url(name).endswith("photos/2026/harbour.jpg")


def test_a_name_that_is_taken_gets_a_suffix(storage: Storage) -> None:
    first = storage.save("a/report.tar.gz", b"one")
    second = storage.save("a/report.tar.gz", b"two")
    assert first != second
    assert second.startswith("a/report.tar_")
    assert second.endswith(".gz")
    with storage.open(first) as file:
        assert file.read() == b"one"
    with storage.open(second) as file:
        assert file.read() == b"two"


def test_a_deleted_file_is_gone(storage: Storage) -> None:
    name = storage.save("a.txt", b"x")
    storage.delete(name)
    storage.delete(name)
    assert not storage.exists(name)
    for ask in (storage.open, storage.size):
        with pytest.raises(StorageError, match=r"there is no stored file 'a\.txt'"):
            ask(name)


def test_a_digest_stands_for_the_content(storage: Storage) -> None:
    name = storage.save("a.txt", b"x")
    assert storage.digest_of(name) == storage.digest_of(name) != ABSENT
    assert storage.digest_of("b.txt") == ABSENT
    assert storage.digest_of("../b.txt") == ABSENT


WRONG = [
    "",
    "/etc/passwd",
    "../x",
    "a/../x",
    "a/./x",
    "a//x",
    "a/",
    "..",
    "a\\x",
    "..\\x",
    "C:x",
    "C:\\x",
    "a\x00.jpg",
    "a\n.jpg",
    "con",
    "CON.txt",
    "a/nul.jpg",
    "LPT1",
    "com¹.txt",
    ".htaccess",
    "a/.git/config",
    "a.",
    "a ",
    " a",
    "a?.jpg",
    "a\u2028b",
    "x" * 300,
    "é" * 150,
]


@pytest.mark.parametrize("name", WRONG)
def test_a_name_that_leads_elsewhere_is_refused(storage: Storage, name: str) -> None:
    for act in (
        storage.open,
        storage.exists,
        storage.delete,
        storage.size,
        storage.url,
        lambda n: storage.save(n, b""),
    ):
        with pytest.raises(StorageError, match="cannot be the name of a stored file"):
            act(name)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("my photo (1).JPG", "my_photo_1.JPG"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\a b.png", "a_b.png"),
        ("niño.jpg", "niño.jpg"),
        ("nin\u0303o.jpg", "niño.jpg"),
        (".htaccess", "htaccess"),
        ("con.txt", "_con.txt"),
        ("a\x00b.txt", "ab.txt"),
        ("x" * 300 + ".jpeg", "x" * (MAX_PART_BYTES - 5) + ".jpeg"),
    ],
)
def test_a_name_is_made_of_what_somebody_called_the_file(given: str, name: str) -> None:
    assert valid_name(given) == name


@pytest.mark.parametrize("given", ["", "..", "///", "???"])
def test_a_name_of_which_nothing_is_left_is_refused(given: str) -> None:
    with pytest.raises(StorageError, match="cannot be the name"):
        valid_name(given)


@given(st.text())
def test_whatever_is_made_of_a_name_is_safe(text: str) -> None:
    try:
        name = valid_name(text)
    except StorageError:
        return
    assert check_name(name) == name
    assert "/" not in name
    assert check_name(alternative(f"a/{name}")) != f"a/{name}"


def test_a_name_fits_the_column() -> None:
    assert fitting("photos/abcdef.jpg", 14) == "photos/abc.jpg"
    assert len(alternative("photos/abcdef.jpg", 20)) <= 20
    with pytest.raises(StorageError, match="Raise max_length"):
        fitting("photos/a.jpg", 11)
    with pytest.raises(StorageError, match="Raise max_length"):
        alternative("photos/a.jpg", 12)


def test_text_and_open_files_are_stored(storage: Storage, tmp_path: Path) -> None:
    source = tmp_path / "source.txt"
    source.write_text("niño", "utf-8")
    with source.open("rb") as opened:
        name = storage.save("a.txt", File(opened))
        assert storage.save("b.txt", opened) == "b.txt"
    assert storage.size(name) == storage.size("b.txt") == 5
    assert storage.size(storage.save("c.txt", ContentFile("niño"))) == 5


# a folder


def test_a_link_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    storage = FileSystemStorage(tmp_path / "media")
    storage.save("a.txt", b"x")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/key").write_text("s")
    (tmp_path / "media/out").symlink_to(tmp_path / "secret")
    for act in (storage.open, storage.size, storage.delete, lambda n: storage.save(n, b"")):
        with pytest.raises(StorageError, match="leads out of the storage"):
            act("out/key")
    assert storage.digest_of("out/key") == ABSENT
    assert (tmp_path / "secret/key").read_text() == "s"


def test_a_file_that_cannot_be_finished_leaves_nothing(tmp_path: Path) -> None:
    class Broken(ContentFile):
        def chunks(self, size: int = 1) -> Any:
            yield b"half"
            raise OSError("the line broke")

    storage = FileSystemStorage(tmp_path / "media")
    with pytest.raises(OSError, match="the line broke"):
        storage.save("a.txt", Broken(b""))
    assert os.listdir(tmp_path / "media") == []


def test_threads_that_wish_for_one_name_get_one_each(tmp_path: Path) -> None:
    storage = FileSystemStorage(tmp_path / "media")
    names: list[str] = []
    threads = [
        threading.Thread(target=lambda n=n: names.append(storage.save("same.txt", str(n).encode()))) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == 8
    assert {content_of(storage, name) for name in names} == {str(n).encode() for n in range(8)}


def test_files_are_stored_where_links_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    storage = FileSystemStorage(tmp_path / "media")
    assert storage.save("a.txt", b"one") == "a.txt"
    assert storage.save("a.txt", b"two") != "a.txt"
    assert content_of(storage, "a.txt") == b"one"


# by name


def test_storages_have_names(tmp_path: Path) -> None:
    storages = Storages(
        {
            "archive": {"backend": "filesystem", "folder": "old"},
            "net": {"backend": "fsspec", "location": "memory://x", "url": "https://cdn.example/"},
            "own": {"backend": "toolkit.storage:InMemoryStorage"},
        },
        tmp_path,
    )
    assert list(storages) == ["default", "archive", "net", "own"]
    assert storages["default"].path("a/b.jpg") == tmp_path / "media/a/b.jpg"
    assert storages["default"].url("a b.jpg") == "/media/a%20b.jpg"
    assert storages["archive"].path("b.jpg") == tmp_path / "old/b.jpg"
    assert storages["archive"].url("b.jpg") == "/media-archive/b.jpg"
    assert storages["net"].url("b.jpg") == "https://cdn.example/b.jpg"
    assert isinstance(storages["own"], InMemoryStorage)
    assert storages["own"] is storages["own"]
    assert storages.find("/media/a/b.jpg") == ("default", "a/b.jpg")
    assert storages.find("/static/x") is None


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"backend": "s3"}, "cannot be imported"),
        ({"backend": "nowhere:Storage"}, "cannot be imported"),
        ({"backend": "toolkit.storage:File"}, "is no Storage"),
        ({"backend": "memory", "colour": "red"}, "cannot be made"),
    ],
)
def test_a_storage_that_cannot_be_made_is_told(tmp_path: Path, options: dict[str, Any], told: str) -> None:
    with pytest.raises(StorageError, match=told):
        Storages({"odd": options}, tmp_path)["odd"]


def test_an_unknown_storage_is_told_with_its_nearest(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"there is no storage 'defualt'\. Did you mean 'default'"):
        Storages({}, tmp_path)["defualt"]


def test_a_place_that_cannot_be_reached_is_told() -> None:
    with pytest.raises(StorageError, match="cannot be reached"):
        FsspecStorage("nowhere://x").exists("a.txt")


def test_what_has_no_path_or_url_says_so() -> None:
    with pytest.raises(StorageError, match="keeps no files on this machine"):
        InMemoryStorage().path("a.txt")
    with pytest.raises(StorageError, match="publishes nothing"):
        FsspecStorage("memory://x").url("a.txt")
