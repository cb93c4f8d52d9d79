"""Files: assets, the public folder, ranges, and no way out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.site.public import PublicFolder
from toolkit.trace import digest_bytes

LETTERS = bytes(range(97, 123)) * 100


@pytest.fixture
def letters(newsroom: Any) -> bytes:
    newsroom.write("public/letters.txt", LETTERS)
    return LETTERS


def test_an_asset_under_its_fingerprint_is_kept_for_ever(newsroom: Any) -> None:
    got = newsroom.get(newsroom.site.asset("site.css"))
    assert (got.status, got.body) == (200, b"body { color: black }")
    assert got.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert got.headers["content-type"] == "text/css; charset=utf-8"
    assert got.headers["etag"] == f'"{digest_bytes(got.body).hex()}"'


@pytest.mark.parametrize("path", ["/static/site.css", "/static/site.0123456789ab.css"])
def test_an_asset_under_another_name_is_asked_for_again(newsroom: Any, path: str) -> None:
    got = newsroom.get(path)
    assert (got.status, got.headers["cache-control"]) == (200, "no-cache")


def test_an_edited_asset_has_another_name_at_once(newsroom: Any) -> None:
    old = newsroom.site.asset("site.css")
    assert old.encode() in newsroom.get("/").body
    newsroom.write("static/site.css", "body { color: white }")
    new = newsroom.site.asset("site.css")
    assert new != old
    assert new.encode() in newsroom.get("/").body
    assert newsroom.get(old).headers["cache-control"] == "no-cache"


def test_public_files_are_at_the_root(newsroom: Any) -> None:
    got = newsroom.get("/favicon.svg")
    assert (got.status, got.headers["content-type"]) == (200, "image/svg+xml; charset=utf-8")
    assert newsroom.get("/favicon.svg", headers={"If-None-Match": got.headers["etag"]}).status == 304


def test_a_public_folder_has_an_index(newsroom: Any) -> None:
    newsroom.write("public/game/index.html", "<title>Game</title>")
    assert newsroom.get("/game/").body == b"<title>Game</title>"
    assert newsroom.get("/game").headers["location"] == "/game/"


def test_an_edit_of_the_same_size_at_once_is_seen(newsroom: Any) -> None:
    newsroom.write("public/a.txt", "one")
    first = newsroom.get("/a.txt")
    newsroom.write("public/a.txt", "two")
    second = newsroom.get("/a.txt", headers={"If-None-Match": first.headers["etag"]})
    assert (second.status, second.body) == (200, b"two")


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("bytes=0-9", 0, 10), ("bytes=100-", 100, 2600), ("bytes=-5", 2595, 2600), ("bytes=2590-9999", 2590, 2600)],
)
def test_a_range_is_byte_exact(newsroom: Any, letters: bytes, asked: str, start: int, stop: int) -> None:
    got = newsroom.get("/letters.txt", headers={"Range": asked})
    assert (got.status, got.body) == (206, letters[start:stop])
    assert got.headers["content-range"] == f"bytes {start}-{stop - 1}/2600"
    assert got.headers["content-length"] == str(stop - start)


def test_a_range_beyond_the_end_is_refused(newsroom: Any, letters: bytes) -> None:
    got = newsroom.get("/letters.txt", headers={"Range": "bytes=9999-"})
    assert (got.status, got.headers["content-range"]) == (416, "bytes */2600")


def test_a_range_of_another_version_is_the_whole_file(newsroom: Any, letters: bytes) -> None:
    etag = newsroom.get("/letters.txt").headers["etag"]
    same = newsroom.get("/letters.txt", headers={"Range": "bytes=0-9", "If-Range": etag})
    other = newsroom.get("/letters.txt", headers={"Range": "bytes=0-9", "If-Range": '"old"'})
    assert (same.status, other.status, other.body) == (206, 200, letters)


@pytest.mark.parametrize(
    "path",
    [
        "/../toolkit.toml",
        "/%2e%2e/toolkit.toml",
        "/..%2ftoolkit.toml",
        "/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc/passwd",
        "/..\\toolkit.toml",
        "/..%5ctoolkit.toml",
        "/a/../../toolkit.toml",
        "/./favicon.svg",
        "//favicon.svg",
        "/favicon.svg/",
        "/favicon.svg%00.txt",
        "/.env",
        "/.git/config",
        "/sub/.well-known/x",
        "/.well-known/.secret",
        "/C:/windows/win.ini",
        "/outside.txt",
        "/out/toolkit.toml",
        "/static/../toolkit.toml",
        "/static/%2e%2e/toolkit.toml",
        "/static//site.css",
        "/static/.hidden",
        "/" + "a" * 5000,
        "/" + "a/" * 3000,
    ],
)
def test_nothing_outside_of_the_folder_is_served(newsroom: Any, path: str) -> None:
    for name in (".env", ".git/config", "sub/.well-known/x", ".well-known/.secret"):
        newsroom.write(f"public/{name}", "secret")
    newsroom.write("static/.hidden", "secret")
    (newsroom.folder / "public/outside.txt").symlink_to(newsroom.folder / "toolkit.toml")
    (newsroom.folder / "public/out").symlink_to(newsroom.folder)
    got = newsroom.get(path)
    assert got.status in (400, 404), got
    assert b"secret" not in got.body and b"newsroom" not in got.body


def test_well_known_files_are_served(newsroom: Any) -> None:
    newsroom.write("public/.well-known/security.txt", "Contact: desk")
    assert newsroom.get("/.well-known/security.txt").body == b"Contact: desk"


def test_links_within_the_folder_are_followed(newsroom: Any) -> None:
    (newsroom.folder / "public/icon.svg").symlink_to("favicon.svg")
    assert newsroom.get("/icon.svg").status == 200


def test_a_pipe_is_no_file(newsroom: Any) -> None:
    os.mkfifo(newsroom.folder / "public/pipe.txt")
    assert newsroom.get("/pipe.txt").status == 404


def test_files_are_only_read(newsroom: Any) -> None:
    assert newsroom.get("/favicon.svg", method="POST").status == 405


def test_the_build_publishes_what_the_server_serves(tmp_path: Path) -> None:
    """Links out of the folder, folders that are links, hidden files: neither has them, and the build says so."""
    public = tmp_path / "public"
    for name in ("a.txt", "b/c.txt", "d:e.txt", ".well-known/x", ".well-known/.y", ".env", "b\\c.txt", "../secret.txt"):
        (public / name).parent.mkdir(parents=True, exist_ok=True)
        (public / name).write_text(name)
    (public / "link.txt").symlink_to("b/c.txt")
    (public / "out.txt").symlink_to("../secret.txt")
    (public / "loop").symlink_to(".")
    (public / "round").symlink_to("round")
    (public / os.fsdecode(b"caf\xe9.txt")).write_text("")
    folder = PublicFolder(public)
    published = {name for name, _ in folder.files()}
    assert published == {"a.txt", "b/c.txt", "d:e.txt", ".well-known/x", "link.txt"}
    asked = ["/".join(path.relative_to(public).parts) for path in public.rglob("*")] + ["loop/a.txt", "loop/loop/a.txt"]
    assert {name for name in asked if folder.find(f"/{name}") is not None} - {os.fsdecode(b"caf\xe9.txt")} == published
    assert folder.left_out() == [
        "public/caf\ufffd.txt has a name that is not UTF-8, so it is not published",
        "public/loop is a link to a folder, so what is in it is not published",
        "public/out.txt is a link out of the folder, so it is not published",
    ]


def test_a_public_folder_that_may_not_be_read_is_not_taken_for_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files would be removed from the output."""
    (tmp_path / "closed").mkdir()
    (tmp_path / ".git").mkdir()
    scan = os.scandir

    def refuse(place: str) -> Any:
        if Path(place).name in ("closed", ".git"):
            raise PermissionError(13, "Permission denied", place)
        return scan(place)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError, match="closed"):
        PublicFolder(tmp_path).files()
    (tmp_path / "closed").rmdir()
    assert PublicFolder(tmp_path).files() == PublicFolder(tmp_path / "absent").files() == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bits=0-1"},
        {"Range": "bytes=0-1,4-5"},
        {"Range": "bytes=x"},
        {"Range": "bytes=0-" + "9" * 5000},
        {"Range": "bytes=0-1", "If-Range": 'W/"{etag}"'},
    ],
)
def test_a_range_that_asks_for_no_one_part_of_this_version_is_passed_over(newsroom: Any, headers: Any) -> None:
    whole = newsroom.get("/favicon.svg")
    etag = whole.headers["etag"].strip('"')
    got = newsroom.get("/favicon.svg", headers={name: value.format(etag=etag) for name, value in headers.items()})
    assert (got.status, got.body) == (200, whole.body)


def test_a_range_comes_after_the_question_whether_the_file_changed(newsroom: Any) -> None:
    etag = newsroom.get("/favicon.svg").headers["etag"]
    got = newsroom.get("/favicon.svg", headers={"Range": "bytes=0-1", "If-None-Match": etag})
    assert (got.status, got.body) == (304, b"")


def test_ranges_are_for_get_alone(newsroom: Any) -> None:
    whole = newsroom.get("/favicon.svg")
    got = newsroom.get("/favicon.svg", method="HEAD", headers={"Range": "bytes=0-1"})
    assert (got.status, got.headers["content-length"]) == (200, str(len(whole.body)))


def test_a_version_that_must_be_and_is_not_gets_no_body(newsroom: Any) -> None:
    got = newsroom.get("/favicon.svg", headers={"If-Match": '"other"'})
    assert (got.status, got.body) == (412, b"")


@given(st.lists(st.sampled_from(["..", ".", "", "a", "b.txt", "\\", "~", ".well-known", "..\\", "c:"]), max_size=6))
def test_whatever_is_found_is_below_the_folder(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    root = tmp_path_factory.getbasetemp() / "root"
    for name in ("public/a/b.txt", "public/b.txt", "b.txt", "a/b.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    found = PublicFolder(root / "public").find("/" + "/".join(parts))
    assert found is None or Path(os.path.normpath(found)).is_relative_to(root / "public")
