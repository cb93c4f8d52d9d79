"""Deploys over a real sshd on a loopback port: by SFTP, and by rsync with releases."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from toolkit.deploy.lock import LOCK
from toolkit.deploy.run import Deployer, reached
from toolkit.errors import DeployError, SettingError, TargetLocked

from .conftest import tree
from .servers import free_port, running
from .test_run import FIRST, SECOND

Make = Callable[..., Deployer]
SSHD = shutil.which("sshd", path="/usr/sbin:/usr/bin:/usr/local/sbin")

pytestmark = [
    pytest.mark.skipif(SSHD is None, reason="openssh-server is not installed"),
    pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is not installed"),
]


@dataclass(frozen=True)
class Host:
    """A machine that is reached by ssh."""

    port: int
    options: dict[str, Any]

    def url(self, scheme: str, folder: Path) -> str:
        return f"{scheme}://{getpass.getuser()}@127.0.0.1:{self.port}{folder}"


def make_key(path: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("sshd")
    server, client, port = make_key(folder / "host_key"), make_key(folder / "user_key"), free_port()
    shutil.copy(f"{client}.pub", folder / "authorized_keys")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {server}\nAuthorizedKeysFile {folder}/authorized_keys\n"
        f"PidFile {folder}/pid\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nSubsystem sftp internal-sftp\n"
        "PermitRootLogin prohibit-password\nLogLevel ERROR\n"
        # what OpenSSH prefers took a fifth of the time of these tests
        "KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org\n"
        "SetEnv SHLVL=2\n"  # spares a ~/.bashrc, which bash else reads for each command that comes by ssh
    )
    public = (folder / "host_key.pub").read_text().split()[:2]
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {' '.join(public)}\n")
    options = {"key_filename": str(client), "known_hosts": str(folder / "known_hosts")}
    with running([str(SSHD), "-D", "-e", "-f", str(folder / "sshd_config")], port):
        yield Host(port, options)


@pytest.fixture(params=["sftp", "rsync"])
def make(request: pytest.FixtureRequest, host: Host, deployer: Make, tmp_path: Path) -> Make:
    """A deployer to ``target`` in the test's folder, by SFTP or by rsync."""

    def made(files: dict[str, str], *, declared: dict[str, Any] | None = None, **options: Any) -> Deployer:
        place = {"options": host.options, **(declared or {})}
        return deployer(host.url(request.param, tmp_path / "target"), files, declared=place, **options)

    return made


def test_the_other_side_holds_the_build_and_the_files_of_others(make: Make, tmp_path: Path) -> None:
    (tmp_path / "target/town").mkdir(parents=True)
    (tmp_path / "target/town/theirs.txt").write_text("theirs")
    for files in (FIRST, SECOND, FIRST):
        make(files).deploy()
        assert tree(tmp_path / "target") == {**files, "town/theirs.txt": "theirs"}
    assert make(FIRST).plan().is_empty


def test_names_with_spaces_quotes_and_other_scripts_arrive(make: Make, tmp_path: Path) -> None:
    odd = {
        'a b/it\'s "so".html': "1",
        "$HOME/`x`.html": "2",
        "caf\u00e9/\u0645\u0627\u0621.html": "3",
        "-rf": "4",
        "*": "5",
    }
    make(odd).deploy()
    assert tree(tmp_path / "target") == odd
    make({"-rf": "6"}).deploy()
    assert tree(tmp_path / "target") == {"-rf": "6"}


def test_files_of_others_in_our_place_are_refused(make: Make, tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target/index.html").write_text("theirs")
    with pytest.raises(DeployError, match=r"not the toolkit's.*: index\.html; nothing was changed"):
        make(FIRST).deploy()
    (tmp_path / "target/index.html").write_text("home")
    assert make(FIRST).plan().unchanged == ["index.html"]


def test_nothing_is_deleted_behind_a_symbolic_link_of_others(make: Make, tmp_path: Path) -> None:
    make({"town/index.html": "1", "index.html": "home"}).deploy()
    (tmp_path / "target/town").rename(tmp_path / "outside")
    (tmp_path / "target/town").symlink_to(tmp_path / "outside")
    with pytest.raises(DeployError, match="town is or lies behind a symbolic link that leads out of the target"):
        make({"index.html": "home"}).deploy()
    assert (tmp_path / "outside/index.html").read_text() == "1"


def test_a_page_may_take_the_place_of_a_folder(make: Make, tmp_path: Path) -> None:
    make({"a/index.html": "folder", "b": "file"}).deploy()
    make({"a": "file", "b/c.html": "folder"}).deploy()
    assert tree(tmp_path / "target") == {"a": "file", "b/c.html": "folder"}


def test_two_deploys_at_once_are_refused(make: Make) -> None:
    first = make(FIRST)
    original = first.target.put_all

    def put_all(*args: Any) -> None:
        with pytest.raises(TargetLocked, match=r"another deploy to .* is under way"):
            make(SECOND).deploy()
        original(*args)

    first.target.put_all = put_all  # type: ignore[method-assign]
    first.deploy()
    with reached(first.target):
        assert first.target.read(LOCK) is None


def test_an_unknown_machine_is_refused(make: Make, host: Host, tmp_path: Path) -> None:
    (tmp_path / "nobody").write_text("")
    options = {**host.options, "known_hosts": str(tmp_path / "nobody")}
    with pytest.raises(DeployError, match=r"cannot be reached: .*(not found in known_hosts|verification failed)"):
        make(FIRST, declared={"options": options}).deploy()
    assert not (tmp_path / "target").exists()


def test_rsync_keeps_releases_linked_and_switched(host: Host, deployer: Make, tmp_path: Path) -> None:
    declared = {"options": host.options, "releases": 2}
    to = host.url("rsync", tmp_path / "target")
    first = deployer(to, FIRST, declared=declared).deploy().release
    second = deployer(to, SECOND, declared=declared).deploy().release
    target = tmp_path / "target"
    assert tree(target / "current") == {**SECOND, "static/site.1.css": "css"}
    assert (target / f"releases/{first}/feed.xml").stat().st_ino == (target / "current/feed.xml").stat().st_ino
    assert deployer(to, SECOND, declared=declared).roll_back() == first
    assert tree(target / "current").items() >= FIRST.items()
    third = deployer(to, {**FIRST, "new.html": "new"}, declared=declared).deploy().release
    assert {path.name for path in (target / "releases").iterdir()} <= {first, second, third}
    assert tree(target / "current") == {**FIRST, "new.html": "new"}


def test_rsync_asks_at_once_what_became_of_many_files(host: Host, deployer: Make, tmp_path: Path) -> None:
    many = {f"a b/p{number}.html": str(number) for number in range(60)}
    declared = {"options": host.options}
    deployer(host.url("rsync", tmp_path / "target"), many, declared=declared).deploy()
    (tmp_path / "target/a b/p7.html").write_text("spoilt")
    made = deployer(host.url("rsync", tmp_path / "target"), many, declared=declared, full=True)
    target: Any = made.target
    original, calls = target._run, []
    target._run = lambda *args, **options: (calls.append(args), original(*args, **options))[1]
    assert [file.path for file in made.plan().uploads] == ["a b/p7.html"]
    assert len(calls) < 8, "not one for each file"


def test_what_rsync_could_not_do_is_told(host: Host, deployer: Make, tmp_path: Path) -> None:
    (tmp_path / "target/index.html").mkdir(parents=True)
    (tmp_path / "target/index.html/theirs").write_text("theirs")
    made = deployer(
        host.url("rsync", tmp_path / "target"), FIRST, declared={"options": host.options, "tries": 1}, adopt=True
    )
    with pytest.raises(DeployError, match=r"could not be put to .*: rsync: .*(way|directory).* index\.html"):
        made.deploy()


def test_the_way_to_try_a_connection_has_its_port_and_key(host: Host, deployer: Make, tmp_path: Path) -> None:
    made = deployer(
        host.url("rsync", tmp_path), FIRST, declared={"options": {**host.options, "known_hosts": "/dev/null"}}
    )
    with pytest.raises(DeployError, match="cannot be reached") as caught:
        made.deploy()
    command = str(caught.value.hint).removeprefix("Try it with: ")
    done = subprocess.run(shlex.split(command), capture_output=True, text=True, check=False)
    assert "Host key verification failed" in done.stderr
    done = subprocess.run(
        shlex.split(command.replace("/dev/null", host.options["known_hosts"])), capture_output=True, check=False
    )
    assert done.returncode == 0


def test_sftp_says_that_it_keeps_no_releases(host: Host, deployer: Make, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"deploy.live.releases: .* cannot hold releases"):
        deployer(host.url("sftp", tmp_path), FIRST, declared={"options": host.options, "releases": 2})


def test_a_connection_that_breaks_is_made_anew(host: Host, deployer: Make, tmp_path: Path) -> None:
    made = deployer(host.url("sftp", tmp_path / "target"), FIRST, declared={"options": host.options, "parallel": 1})
    target: Any = made.target
    original, broken = target.put, []

    def put(path: str, *args: Any, **options: Any) -> None:
        if path == "index.html" and not broken:
            broken.append(path)
            target._client.get_transport().close()
        original(path, *args, **options)

    target.put = put
    made.deploy()
    assert broken and tree(tmp_path / "target") == FIRST
