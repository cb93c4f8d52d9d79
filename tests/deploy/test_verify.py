"""After the upload: what readers get against what was built, and what follows a deploy."""

from __future__ import annotations

import http.server
import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from toolkit.deploy.hooks import purge_urls
from toolkit.deploy.placing import Place
from toolkit.deploy.releases import list_releases
from toolkit.deploy.run import Deployer
from toolkit.deploy.state import Kept, read_state
from toolkit.deploy.targets.folder import FolderTarget
from toolkit.deploy.verify import sample
from toolkit.errors import DeployError, Problems, SettingError

from .conftest import build_of, tree
from .test_run import FIRST, SECOND

Make = Callable[..., Deployer]


@dataclass
class Host:
    """A host that serves a folder, and can be told to do it badly; what is posted to it is kept."""

    folder: Path
    url: str = ""
    spoil: Callable[[str, int, bytes, dict[str, str]], tuple[int, bytes, dict[str, str]]] | None = None
    posted: list[tuple[str, Any, str]] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)

    def answer(self, path: str) -> tuple[int, bytes, dict[str, str]]:
        place = self.folder / path.lstrip("/")
        place = place / "index.html" if place.is_dir() else place
        if not place.is_file():
            return 404, b"nothing", {}
        kinds = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8"}
        kind = kinds.get(place.suffix, "application/xml; charset=utf-8")
        cache = "max-age=9" if "static" in path else "no-cache"
        return 200, place.read_bytes(), {"Content-Type": kind, "Cache-Control": cache}


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    served = Host(tmp_path / "target")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body, headers = served.answer(self.path)
            if served.spoil is not None:
                status, body, headers = served.spoil(self.path, status, body, headers)
            self.respond(status, body, headers)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if served.refusals:
                self.respond(served.refusals.pop(0), b"", {})
                return
            served.posted.append((self.path, json.loads(body), self.headers.get("Authorization", "")))
            self.respond(200, b"{}", {})

        def respond(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield served
        server.shutdown()
        thread.join()


@pytest.fixture
def make(host: Host, deployer: Make) -> Make:
    def made(files: dict[str, str], *, declared: dict[str, Any] | None = None, **options: Any) -> Deployer:
        place = {"url": host.url, "host": "nginx", **(declared or {})}
        return deployer(host.folder, files, declared=place, **options)

    return made


def test_a_sound_deploy_is_verified(make: Make) -> None:
    assert make(FIRST, verify="all").deploy().verified == 4
    assert make(FIRST, declared={"verify": 2}).deploy().verified == 2


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda path, status, body, headers: (500, body, headers), "/: status 500, expected 200"),
        (
            lambda path, status, body, headers: (status, body[:2], headers),
            "/: the content differs: 2 bytes, expected 4",
        ),
        (
            lambda path, status, body, headers: (status, body, {**headers, "Content-Type": "text/plain"}),
            "/: Content-Type is 'text/plain', expected 'text/html; charset=utf-8'",
        ),
        (
            lambda path, status, body, headers: (status, body, {**headers, "Cache-Control": "max-age=99"}),
            "/: Cache-Control is 'max-age=99', expected 'no-cache'",
        ),
        (lambda path, status, body, headers: (200, body, headers), "status 200 for nothing, expected 404"),
    ],
)
def test_a_host_that_answers_otherwise_fails_the_deploy(make: Make, host: Host, spoil: Any, told: str) -> None:
    host.spoil = spoil
    with pytest.raises(Problems) as caught:
        make({"index.html": "home"}, verify="all").deploy()
    assert told in str(caught.value)
    assert "URLs answer otherwise than they should" in caught.value.message


def test_a_host_that_needs_a_moment_is_given_one(make: Make, host: Host) -> None:
    seen: list[str] = []

    def spoil(path: str, status: int, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        seen.append(path)
        return (503, b"", {}) if seen.count(path) < 3 and status == 200 else (status, body, headers)

    host.spoil = spoil
    assert make(FIRST, verify="all").deploy().verified == 4


def test_readers_see_the_release_before_again_if_that_is_declared(make: Make, host: Host, tmp_path: Path) -> None:
    declared = {"releases": 3, "rollback": True, "verify": "all"}
    target = host.folder
    host.folder = target / "current"
    place = {"declared": declared}
    first = make_at(make, target, FIRST, **place).deploy().release
    host.spoil = lambda path, status, body, headers: (
        (status, b"broken", headers) if "sport" in path else (status, body, headers)
    )
    with pytest.raises(Problems, match=rf"1 of 5 URLs .*; readers see the release {first} again"):
        make_at(make, target, SECOND, **place).deploy()
    assert tree(target / "current").items() >= FIRST.items()
    host.spoil = None
    taken_back = [one.id for one in list_releases(FolderTarget(target)) if one.is_rejected]
    make_at(make, target, SECOND, **place).deploy()
    assert tree(target / "current").items() >= SECOND.items()
    assert len(taken_back) == 1
    assert not (target / "releases" / taken_back[0]).exists()
    assert make_at(make, target, {}, **place).roll_back() == first, "not to the one that was found wrong"


def test_the_origin_and_the_cdn_follow_before_the_verification_and_on_each_way_back(
    make: Make, host: Host, tmp_path: Path
) -> None:
    """A host that shows the release it was told of, behind a CDN that keeps what it was asked for until it is told."""
    target, kept = host.folder, {}
    script = tmp_path / "origin.py"
    script.write_text(
        f"import os, pathlib\npathlib.Path({str(tmp_path / 'origin')!r}).write_text(os.environ['DEPLOY_RELEASE'])"
    )

    def cdn(path: str, status: int, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        for _, purged, _ in host.posted:
            for url in purged["files"]:
                kept.pop(url.removeprefix(host.url), None)
        host.posted.clear()
        host.folder = target / "releases" / (tmp_path / "origin").read_text()
        return kept.setdefault(path, host.answer(path))

    host.spoil = cdn
    declared = {
        "releases": 3,
        "rollback": True,
        "verify": "all",
        "switch": f"{sys.executable} {script}",
        "purge": {"post": f"{host.url}/purge"},
    }
    first = make_at(make, target, FIRST, declared=declared).deploy()
    second = make_at(make, target, SECOND, declared=declared).deploy()
    assert (first.verified, second.verified) == (len(FIRST), len(SECOND))

    host.spoil = lambda path, *answer: cdn(path, *answer) if "broken" not in path else (500, b"", {})
    with pytest.raises(Problems, match=f"readers see the release {second.release} again"):
        make_at(make, target, {**FIRST, "broken.html": "x"}, declared=declared).deploy()
    assert host.spoil("/", 0, b"", {})[1].decode() == SECOND["index.html"]

    assert make_at(make, target, {}, declared=declared).roll_back() == first.release
    assert host.spoil("/", 0, b"", {})[1].decode() == FIRST["index.html"]


def make_at(make: Make, folder: Path, files: dict[str, str], **options: Any) -> Deployer:
    made = make(files, **options)
    made.target.folder = folder  # type: ignore[attr-defined]  # a folder is served whose link is another
    return made


def test_a_sample_has_what_changed_first_and_then_others() -> None:
    build = build_of({f"p{number:02}.html": "x" for number in range(20)})
    found = [file.path for file in sample(build, ["p07.html", "p19.html"], 5)]
    assert found[:2] == ["p07.html", "p19.html"]
    assert len(set(found)) == 5
    assert len(sample(build, [], "all")) == 20


# what follows


def test_the_urls_that_changed_are_told_in_absolute_form(make: Make, host: Host) -> None:
    make(FIRST).deploy()
    report = make(SECOND).deploy()
    paths = ["/", "/sport/", "/static/site.1.css", "/static/site.2.css", "/town/"]
    assert report.purged == [host.url + path for path in paths]
    assert purge_urls("https://a.example/", ["caf\u00e9/index.html", ".htaccess"]) == ["https://a.example/caf%C3%A9/"]


def test_the_urls_of_a_deploy_that_was_ended_are_told_by_the_next(make: Make, host: Host) -> None:
    """One page arrived and was noted, one arrived without a note, and one did not."""
    make(FIRST).deploy()
    ended = make(SECOND)
    with ended.target:
        place = Place(ended.target, read_state(ended.target))
        place._announce(place.plan(build_of(SECOND).files))
        for path in ("index.html", "sport/index.html"):
            ended.target.put(path, SECOND[path].encode(), {})
            if path == "index.html":
                file = build_of(SECOND).files[path]
                place.state.files[path] = Kept(file.digest, file.size, file.mark, file.phase)
                place.state.pending.pop(path)
        place._note()
    told = make(SECOND).deploy().purged
    assert told == [host.url + path for path in ("/", "/sport/", "/static/site.1.css", "/static/site.2.css", "/town/")]
    assert make(SECOND).deploy().purged == []


class Killed(BaseException):
    """The process ended."""


@pytest.mark.parametrize("releases", [0, 3])
def test_a_deploy_that_ends_before_it_tells_the_cdn_is_told_by_the_next(
    make: Make, host: Host, releases: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = {"purge": {"post": f"{host.url}/purge"}, "releases": releases}
    make(FIRST, declared=declared).deploy()
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Deployer, "_tell", lambda *given: (_ for _ in ()).throw(Killed))
        make(SECOND, declared=declared).deploy()
    host.posted.clear()
    paths = ["/", "/sport/", "/static/site.1.css", "/static/site.2.css", "/town/"]
    told = make(SECOND, declared=declared).deploy().purged
    assert set(told) >= {host.url + path for path in paths if releases == 0 or path != "/static/site.1.css"}
    assert [url for _, body, _ in host.posted for url in body["files"]] == told
    host.posted.clear()
    assert make(SECOND, declared=declared).deploy().purged == []
    assert host.posted == []


def test_what_a_cdn_did_not_take_is_told_again(make: Make, host: Host) -> None:
    declared = {"purge": {"post": f"{host.url}/purge"}}
    host.refusals = [403]
    with pytest.raises(DeployError, match=r"what follows failed: POST .*/purge: status 403"):
        make(FIRST, declared=declared).deploy()
    host.posted.clear()
    make(FIRST, declared=declared).deploy()
    assert sum(len(body["files"]) for _, body, _ in host.posted) == len(FIRST)


def test_a_way_back_that_ends_before_it_is_told_is_told_by_the_next_deploy(
    make: Make, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = {"purge": {"post": f"{host.url}/purge"}, "releases": 3}
    make(FIRST, declared=declared).deploy()
    make(SECOND, declared=declared).deploy()
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Deployer, "_tell", lambda *given: (_ for _ in ()).throw(Killed))
        make({}, declared=declared).roll_back()
    assert f"{host.url}/town/" in make(FIRST, declared=declared).deploy().purged


def test_a_cdn_is_told_in_batches_with_its_token(make: Make, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDN_TOKEN", "s3cret")
    host.refusals = [503]
    purge = {"post": f"{host.url}/purge", "batch": 3, "token_env": "CDN_TOKEN"}
    make(FIRST, declared={"purge": purge}).deploy()
    assert [(path, len(body["files"]), token) for path, body, token in host.posted] == [
        ("/purge", 3, "Bearer s3cret"),
        ("/purge", 1, "Bearer s3cret"),
    ]
    host.posted.clear()
    make(FIRST, declared={"purge": purge}).deploy()
    assert host.posted == [], "nothing changed"


def test_a_token_that_is_missing_is_told_before_anything_is_sent(make: Make, host: Host) -> None:
    purge = {"post": f"{host.url}/purge", "token_env": "NO_SUCH_TOKEN"}
    with pytest.raises(SettingError, match="the variable NO_SUCH_TOKEN is not set"):
        make(FIRST, declared={"purge": purge}).deploy()
    assert not host.folder.exists()


def test_commands_and_calls_follow_a_deploy(make: Make, host: Host, tmp_path: Path) -> None:
    script = tmp_path / "after.py"
    script.write_text(
        "import os, pathlib, sys\n"
        "urls = pathlib.Path(os.environ['DEPLOY_URLS']).read_text().split()\n"
        "pathlib.Path(sys.argv[1]).write_text(f\"{os.environ['DEPLOY_TARGET']} {len(urls)}\")\n"
    )
    after = (f"{sys.executable} {script} {tmp_path}/told", f"{host.url}/done")
    make(FIRST, declared={"after": after}).deploy()
    assert (tmp_path / "told").read_text() == "live 4"
    assert host.posted[0][1]["target"] == str(host.folder)
    make(SECOND, declared={"after": after}, hooks=False).deploy()
    assert len(host.posted) == 1


@pytest.mark.parametrize(
    ("hook", "told"),
    [
        (f"{sys.executable} -c 'import sys; sys.exit(\"no way\")'", r"it ended with 1: no way"),
        ("no-such-command", r"No such file"),
        ("URL/refused", r"POST .*/refused: status 403"),
    ],
)
def test_what_fails_afterwards_is_told_and_the_build_is_there(make: Make, host: Host, hook: str, told: str) -> None:
    host.refusals = [403]
    with pytest.raises(DeployError, match=rf"the build is deployed, but what follows failed: .*{told}"):
        make(FIRST, declared={"after": (hook.replace("URL", host.url),)}).deploy()
    assert tree(host.folder) == FIRST
