"""Deploys to a real server that speaks S3, over a socket, and to what fsspec knows besides."""

from __future__ import annotations

import gzip
import re
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import fsspec
import pytest
from moto.server import ThreadedMotoServer

from toolkit.builder import Builder
from toolkit.deploy.declarations import Declaration
from toolkit.deploy.lock import LOCK
from toolkit.deploy.run import Deployer, reached
from toolkit.deploy.state import read_state
from toolkit.errors import DeployError, TargetLocked
from toolkit.site.headers import IMMUTABLE
from toolkit.storage import FsspecStorage
from toolkit.testing import temporary_site

from .test_run import FIRST, SECOND

Make = Callable[..., Deployer]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The address of an S3-compatible server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def service(endpoint: str) -> Iterator[Any]:
    """A client of the server, which reads the descriptions of all services once."""
    session = boto3.session.Session("test", "test", region_name="us-east-1")
    resource = session.resource("s3", endpoint_url=endpoint)
    yield resource
    resource.meta.client.close()


@pytest.fixture
def bucket(service: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Any:
    """An empty bucket; who deploys has the credentials in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return service.create_bucket(Bucket=f"b{abs(hash(request.node.name))}")


@pytest.fixture
def make(bucket: Any, endpoint: str, deployer: Make) -> Make:
    """A deployer to ``s3://bucket/live``."""

    def made(files: dict[str, str], *, declared: dict[str, Any] | None = None, **options: Any) -> Deployer:
        place = {"options": {"endpoint_url": endpoint}, **(declared or {})}
        return deployer(f"s3://{bucket.name}/live", files, declared=place, **options)

    return made


def contents(bucket: Any, prefix: str = "live/") -> dict[str, str]:
    return {
        one.key.removeprefix(prefix): one.get()["Body"].read().decode()
        for one in bucket.objects.filter(Prefix=prefix)
        if ".toolkit-deploy" not in one.key
    }


def test_a_bucket_holds_the_build_and_the_files_of_others(make: Make, bucket: Any) -> None:
    bucket.put_object(Key="live/theirs.txt", Body=b"theirs")
    bucket.put_object(Key="elsewhere.txt", Body=b"theirs too")
    for files in (FIRST, SECOND):
        make(files).deploy()
        assert contents(bucket) == {**files, "theirs.txt": "theirs"}
    assert contents(bucket, "elsewhere")[".txt"] == "theirs too"


def test_types_and_caching_are_kept_beside_each_object(make: Make, bucket: Any) -> None:
    make(FIRST).deploy()
    page, style, feed = (bucket.Object(f"live/{path}") for path in ("index.html", "static/site.1.css", "feed.xml"))
    assert (page.content_type, page.cache_control) == ("text/html; charset=utf-8", "no-cache")
    assert (style.content_type, style.cache_control) == ("text/css; charset=utf-8", "max-age=9")
    assert feed.content_type.startswith(("application/xml", "text/xml"))


def test_another_header_sends_the_file_again(make: Make) -> None:
    made = make(FIRST)
    made.deploy()
    assert make(FIRST).plan().is_empty
    made = make(FIRST)
    made.build()[0].files["index.html"].headers["Cache-Control"] = "max-age=60"  # type: ignore[index]
    assert made.plan().reasons == {"index.html": "headers"}
    made.deploy()
    assert made.plan().is_empty


def test_objects_that_are_there_by_their_etag_are_not_sent_again(make: Make, bucket: Any) -> None:
    make(FIRST).deploy()
    bucket.Object("live/.toolkit-deploy/manifest.json.gz").delete()
    plan = make(FIRST).plan()
    assert set(plan.reasons.values()) == {"headers"}, "their content is known; their headers are not"
    bucket.put_object(Key="live/index.html", Body=b"theirs")
    assert make(FIRST).plan().obstacles == ["index.html"]


def test_two_deploys_at_once_are_refused(make: Make, bucket: Any) -> None:
    """The server itself refuses to make the lock twice (``If-None-Match: *``)."""
    one, other = make(FIRST), make(SECOND)
    with reached(one.target), reached(other.target):
        assert one.target.create(LOCK, b"{}")
        assert not other.target.create(LOCK, b"{}")
        one.target.remove(LOCK)
    first = make(FIRST)
    original = first.target.put_all

    def put_all(*args: Any) -> None:
        with pytest.raises(TargetLocked, match=r"another deploy to s3://.*/live is under way"):
            make(SECOND).deploy()
        original(*args)

    first.target.put_all = put_all  # type: ignore[method-assign]
    first.deploy()
    assert contents(bucket) == FIRST


def test_releases_lie_side_by_side_and_a_pointer_says_which(make: Make, bucket: Any) -> None:
    first = make(FIRST, declared={"releases": 2}).deploy().release
    second = make(SECOND, declared={"releases": 2}).deploy().release
    assert contents(bucket, f"live/releases/{first}/") == FIRST
    carried = {"static/site.1.css": "css"}
    assert contents(bucket, f"live/releases/{second}/") == {**SECOND, **carried}
    assert bucket.Object("live/current").get()["Body"].read().decode().strip() == second
    page = bucket.Object(f"live/releases/{second}/feed.xml")
    assert page.cache_control == "no-cache", "what the server copies keeps its headers"
    assert make(SECOND, declared={"releases": 2}).roll_back() == first
    assert bucket.Object("live/current").get()["Body"].read().decode().strip() == first


def test_a_server_that_is_not_there_is_told(deployer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden-secret")
    options = {"endpoint_url": "http://127.0.0.1:9", "config_kwargs": {"retries": {"max_attempts": 1}}}
    made = deployer("s3://bucket/live", FIRST, declared={"options": options, "tries": 1})
    with pytest.raises(DeployError, match="s3://bucket/live") as caught:
        made.deploy()
    assert "hidden-secret" not in str(caught.value)


def test_the_server_answers_with_what_was_put(make: Make, bucket: Any, endpoint: str) -> None:
    make({"index.html": "home"}).deploy()
    bucket.Object("live/index.html").Acl().put(ACL="public-read")
    with urllib.request.urlopen(f"{endpoint}/{bucket.name}/live/index.html") as answer:
        assert answer.read() == b"home"
        assert answer.headers["Cache-Control"] == "no-cache"


def test_any_place_that_fsspec_knows_will_do(deployer: Make, request: pytest.FixtureRequest) -> None:
    to = f"memory://{request.node.name}"
    memory = fsspec.filesystem("memory")
    for files in (FIRST, SECOND):
        deployer(to, files).deploy()
        found = memory.find(to)
        paths = {path.removeprefix(f"/{request.node.name}/") for path in found}
        assert {path for path in paths if not path.startswith(".toolkit")} == set(files)
    made = deployer(to, SECOND)
    with reached(made.target):
        assert len(read_state(made.target).files) == 4
        assert made.target.read("index.html") == b"home 2"


def test_a_place_that_nobody_knows_is_told(deployer: Make) -> None:
    with pytest.raises(DeployError, match=r"nowhere://x cannot be reached: Protocol not known.*what fsspec needs"):
        deployer("nowhere://x", FIRST).deploy()


# what readers are told, of a build as a whole

HTML, CSS = "text/html; charset=utf-8", "text/css; charset=utf-8"
TOLD = {
    "index.html": (HTML, None, "no-cache"),
    "index.html.gz": (HTML, "gzip", "no-cache"),
    "index.html.br": (HTML, "br", "no-cache"),
    "feed.xml": ("application/rss+xml; charset=utf-8", None, "max-age=60"),
    "feed.xml.gz": ("application/rss+xml; charset=utf-8", "gzip", "max-age=60"),
    "static/site.css": (CSS, None, IMMUTABLE),
    "static/site.css.gz": (CSS, "gzip", IMMUTABLE),
    "static/site.css.br": (CSS, "br", IMMUTABLE),
    "rows.csv.gz": ("application/gzip", None, "no-cache"),
    "notes.br": ("application/octet-stream", None, "no-cache"),
}
"""Path to Content-Type, Content-Encoding and Cache-Control; fingerprints are cut out of names."""

_FINGERPRINT = re.compile(r"\.[0-9a-f]{8,}(?=\.)")


@pytest.fixture
def packed(tmp_path: Path) -> Iterator[Any]:
    """A site with compressed files beside its texts, and files that only look like it."""
    files = {
        "templates/home.html": "<link rel=stylesheet href=\"{{ asset('site.css') }}\">" + "<p>words and words</p>" * 50,
        "static/site.css": "p { color: #123456 }\n" * 50,
    }
    pages = """
from toolkit.feeds import Feed
@app.page("/", template="home.html")
def home():
    return {}

@app.feed("/feed.xml", formats=["rss"])
def feed():
    return Feed(title="The Bay", items=[])
"""
    settings = 'precompress = ["gz", "br"]\nheaders."/*.xml" = { Cache-Control = "max-age=60" }\n'
    with temporary_site(tmp_path / "site", files, pages=pages, settings=settings) as site:
        (site.folder / "public").mkdir()
        (site.folder / "public/rows.csv.gz").write_bytes(gzip.compress(b"a,b\n"))
        (site.folder / "public/notes.br").write_bytes(b"\x8b\x00")
        yield site


@pytest.mark.parametrize("how", ["deployed", "built"])
def test_readers_are_told_what_each_object_is(
    how: str, packed: Any, bucket: Any, endpoint: str, monkeypatch: Any
) -> None:
    to = f"s3://{bucket.name}/live"
    if how == "deployed":
        Builder(packed, workers=1).build()
        Deployer(packed, Declaration("live", to, options={"endpoint_url": endpoint})).deploy()
    else:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        Builder(packed, workers=1, output=to).build()
    told = {}
    for one in bucket.objects.filter(Prefix="live/"):
        one.Acl().put(ACL="public-read")
        with urllib.request.urlopen(f"{endpoint}/{bucket.name}/{one.key}") as answer:
            names = ("Content-Type", "Content-Encoding", "Cache-Control")
            told[_FINGERPRINT.sub("", one.key.removeprefix("live/"))] = tuple(map(answer.headers.get, names))
    assert TOLD.items() <= told.items()
    unknown = {path for path, (kind, *_) in told.items() if kind == "application/octet-stream"}
    assert {path for path in unknown if not path.startswith(".toolkit-deploy/")} == {"notes.br"}


def test_an_uploaded_file_has_its_type(bucket: Any, endpoint: str) -> None:
    storage = FsspecStorage(f"s3://{bucket.name}/media", endpoint_url=endpoint, skip_instance_cache=True)
    storage.save("pier.webp", b"RIFF")
    storage.save("rows.csv.gz", b"\x1f\x8b")
    assert bucket.Object("media/pier.webp").content_type == "image/webp"
    assert bucket.Object("media/rows.csv.gz").content_type == "application/gzip"
