"""Whole releases side by side: switched at once, back at once, and never a reader between two."""

from __future__ import annotations

import functools
import http.server
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from toolkit.deploy.releases import list_releases
from toolkit.deploy.run import Deployer
from toolkit.deploy.targets.folder import FolderTarget
from toolkit.errors import DeployError

from .conftest import tree
from .servers import ask, free_port, running
from .test_run import FIRST, SECOND

Make = Callable[..., Deployer]
THREE = {"releases": 3}


def test_readers_see_the_new_release_through_one_link(deployer: Make, tmp_path: Path) -> None:
    report = deployer(tmp_path, FIRST, declared=THREE).deploy()
    assert (tmp_path / "current").readlink() == Path("releases") / report.release
    assert tree(tmp_path / "current").items() == FIRST.items()


def test_what_did_not_change_is_linked_and_not_sent(deployer: Make, tmp_path: Path) -> None:
    first = deployer(tmp_path, FIRST, declared=THREE).deploy().release
    report = deployer(tmp_path, SECOND, declared=THREE).deploy()
    assert sorted(file.path for file in report.plan.uploads) == ["index.html", "sport/index.html", "static/site.2.css"]
    old, new = tmp_path / f"releases/{first}/feed.xml", tmp_path / "current/feed.xml"
    assert old.stat().st_ino == new.stat().st_ino


def test_assets_of_the_release_before_last_for_one_release_more(deployer: Make, tmp_path: Path) -> None:
    """A page that a reader opened a moment ago asks for its style after the switch."""
    deployer(tmp_path, FIRST, declared=THREE).deploy()
    deployer(tmp_path, SECOND, declared=THREE).deploy()
    assert tree(tmp_path / "current") == {**SECOND, "static/site.1.css": "css"}
    third = {**SECOND, "index.html": "home 3"}
    assert deployer(tmp_path, third, declared=THREE).plan().deletions == []
    deployer(tmp_path, third, declared=THREE).deploy()
    assert tree(tmp_path / "current") == third


def test_so_many_releases_are_kept(deployer: Make, tmp_path: Path) -> None:
    made = [deployer(tmp_path, {"a.html": str(number)}, declared=THREE).deploy() for number in range(5)]
    kept = [one.release for one in made[-3:]]
    assert sorted(path.name for path in (tmp_path / "releases").iterdir()) == sorted(kept)
    assert [one.id for one in list_releases(FolderTarget(tmp_path))] == kept
    assert made[4].pruned == [made[1].release]


def test_nothing_to_do_makes_no_release(deployer: Make, tmp_path: Path) -> None:
    first = deployer(tmp_path, FIRST, declared=THREE).deploy()
    again = deployer(tmp_path, FIRST, declared=THREE).deploy()
    assert (again.release, again.plan.is_empty) == (first.release, True)


def test_going_back_and_forth(deployer: Make, tmp_path: Path) -> None:
    first, second, third = (
        deployer(tmp_path, files, declared=THREE).deploy().release for files in (FIRST, SECOND, {"a.html": "a"})
    )
    made = deployer(tmp_path, {}, declared=THREE)
    assert made.roll_back() == second
    assert made.roll_back() == first
    assert tree(tmp_path / "current").items() >= FIRST.items()
    with pytest.raises(DeployError, match="has no release before"):
        made.roll_back()
    assert made.roll_back(third) == third
    with pytest.raises(DeployError, match=r"has no release 'x'. There is: 20.*, 20.*, 20"):
        made.roll_back("x")
    deployer(tmp_path, SECOND, declared=THREE).deploy()
    assert tree(tmp_path / "current").items() >= SECOND.items()


def test_going_back_passes_over_a_release_from_which_somebody_went_back(deployer: Make, tmp_path: Path) -> None:
    """It was bad: whoever goes back from the mended one wants what readers saw before."""
    good, bad = (deployer(tmp_path, files, declared=THREE).deploy().release for files in (FIRST, SECOND))
    made = deployer(tmp_path, {}, declared=THREE)
    assert made.roll_back() == good
    mended = deployer(tmp_path, {"a.html": "mended"}, declared=THREE).deploy().release
    assert [one.is_left for one in list_releases(FolderTarget(tmp_path))] == [False, True, False]
    assert made.roll_back() == good
    assert made.roll_back(mended) == mended
    assert made.roll_back() == good, "going forward again takes the mark away"
    assert made.roll_back(bad) == bad
    assert [one.is_left for one in list_releases(FolderTarget(tmp_path))] == [False, False, True]


def test_the_release_to_go_back_to_is_kept(deployer: Make, tmp_path: Path) -> None:
    one = {"releases": 1}
    good, bad = (deployer(tmp_path, files, declared=one).deploy().release for files in (FIRST, SECOND))
    made = deployer(tmp_path, {}, declared=one)
    made.roll_back()
    for text in ("b", "c"):
        last = deployer(tmp_path, {"a.html": text}, declared=one).deploy()
        assert good != bad and made.roll_back(last.release) == last.release
    assert len(list_releases(FolderTarget(tmp_path))) == 2


def test_going_back_takes_less_than_reading_one_page_would(deployer: Make, tmp_path: Path) -> None:
    """The number of files plays no part: one link is renamed."""
    many = {f"p{number}.html": "x" for number in range(300)}
    for files in (many, {**many, "a.html": "a"}):
        deployer(tmp_path, files, declared=THREE).deploy()
    made, touched = deployer(tmp_path, {}, declared=THREE), []
    made.target.put = lambda path, *args, **options: touched.append(path)  # type: ignore[method-assign]
    made.roll_back()
    assert len(touched) <= 4
    assert all(path.startswith(".toolkit-deploy/") for path in touched)


def test_without_releases_there_is_no_way_back(deployer: Make, tmp_path: Path) -> None:
    with pytest.raises(DeployError, match=r"deploy.live keeps no releases, so there is nothing to go back to"):
        deployer(tmp_path, FIRST).roll_back()


def test_a_folder_in_place_of_the_link_is_not_touched(deployer: Make, tmp_path: Path) -> None:
    (tmp_path / "current").mkdir()
    (tmp_path / "current/theirs").write_text("theirs")
    with pytest.raises(DeployError, match="no symbolic link, so no release can be switched to"):
        deployer(tmp_path, FIRST, declared=THREE).deploy()
    assert tree(tmp_path / "current") == {"theirs": "theirs"}


# under load


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def python(root: Path, scratch: Path) -> Iterator[int]:
    """Python's own file server."""
    handler = functools.partial(_Quiet, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@contextmanager
def nginx(root: Path, scratch: Path) -> Iterator[int]:
    """nginx, as everybody runs it: the root is the link."""
    port = free_port()
    (scratch / "nginx.conf").write_text(
        f"""daemon off; pid {scratch}/pid; error_log {scratch}/error.log; user root; events {{ }}
        http {{ access_log off; client_body_temp_path {scratch}/a; proxy_temp_path {scratch}/b;
        fastcgi_temp_path {scratch}/c; uwsgi_temp_path {scratch}/d; scgi_temp_path {scratch}/e;
        server {{ listen 127.0.0.1:{port}; root {root}; }} }}"""
    )
    with running([shutil.which("nginx") or "", "-c", str(scratch / "nginx.conf"), "-e", "stderr"], port):
        yield port


def edition(number: int) -> dict[str, str]:
    """A page and the style that it names, both marked."""
    return {"index.html": f"edition {number} /static/s.{number}.css", f"static/s.{number}.css": f"style {number}"}


@pytest.mark.parametrize("serve", [python, nginx])
def test_readers_never_see_two_editions_mixed(
    serve: Callable[..., Any], deployer: Make, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Four readers, each in a loop: a page, then what it names, while releases come and go back."""
    if serve is nginx and shutil.which("nginx") is None:
        pytest.skip("nginx is not installed")
    deployer(tmp_path, edition(0), declared=THREE).deploy()
    wrong: list[str] = []
    seen: set[str] = set()
    ended = threading.Event()

    def read(port: int) -> None:
        while not ended.is_set():
            page = ask(port, "/index.html")
            found = re.fullmatch(rb"edition (\d+) (\S+)", page.body)
            if page.status != 200 or found is None:
                wrong.append(f"page: {page.status} {page.body[:80]!r}")
                continue
            style = ask(port, found[2].decode())
            if (style.status, style.body) != (200, b"style " + found[1]):
                wrong.append(f"edition {found[1]!r}: {style.status} {style.body[:80]!r}")
            seen.add(found[1].decode())

    with serve(tmp_path / "current", tmp_path_factory.mktemp("scratch")) as port:
        readers = [threading.Thread(target=read, args=(port,)) for _ in range(4)]
        for reader in readers:
            reader.start()
        for number in range(1, 7):
            made = deployer(tmp_path, edition(number), declared=THREE)
            made.deploy()
            while str(number) not in seen and not wrong and all(reader.is_alive() for reader in readers):
                time.sleep(0.005)
        made.roll_back()
        seen.discard("5")
        while "5" not in seen and not wrong and all(reader.is_alive() for reader in readers):
            time.sleep(0.005)
        ended.set()
        for reader in readers:
            reader.join()
    assert wrong == []
    assert seen >= {"1", "2", "3", "4", "5", "6"}
