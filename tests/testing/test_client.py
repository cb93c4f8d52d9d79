"""The client asks a site or its build, in the same words."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.builder import Builder
from toolkit.errors import ToolkitError
from toolkit.site import Site
from toolkit.testing import Client


@pytest.fixture
def clients(site: Site) -> list[Client]:
    """One that asks the application, one that asks the built folder."""
    report = Builder(site, workers=1).build()
    return [Client(site), Client(build=Path(report.output))]


def test_the_application_and_the_build_answer_alike(clients: list[Client]) -> None:
    for path in ("/", "/flood/", "/404.html", "/nowhere/"):
        served, built = (client.get(path) for client in clients)
        assert (served.status, served.body) == (built.status, built.body), path
        assert served.headers["content-type"] == built.headers["content-type"], path


def test_both_give_the_same_etag_and_answer_304_for_it(clients: list[Client]) -> None:
    etags = [client.get("/flood/").headers["etag"] for client in clients]
    assert etags[0] == etags[1]
    assert [client.get("/flood/", headers={"If-None-Match": etags[0]}).status for client in clients] == [304, 304]


def test_a_missing_slash_redirects_and_following_it_arrives(clients: list[Client]) -> None:
    for client in clients:
        answer = client.get("/flood", follow=True)
        assert answer.is_ok
        assert answer.html.findtext(".//h1") == "The flood"
        assert [one.url for one in answer.history] == ["/flood"]


def test_head_has_no_body(clients: list[Client]) -> None:
    assert [(client.head("/").status, client.head("/").body) for client in clients] == [(200, b""), (200, b"")]


def test_a_build_takes_no_posts_and_nobody_leaves_its_folder(clients: list[Client]) -> None:
    built = clients[1]
    assert built.post("/", {"a": 1}).status == 405
    assert built.get("/%2e%2e/toolkit.toml").status == 404


def test_forms_queries_and_json_arrive(site: Site) -> None:
    client = Client(site)
    assert client.post("/echo/", {"name": "Ås"}).json()["form"] == {"name": "Ås"}
    assert client.get("/echo/", query={"q": "a&b"}).json()["query"] == {"q": "a&b"}
    assert client.post("/echo/", json_data={"a": 1}).json()["method"] == "POST"


def test_all_cookies_of_an_answer_are_kept_and_sent_again(site: Site) -> None:
    client = Client(site)
    client.get("/cookies/")
    assert client.get("/echo/").json()["seen"] == {"a": "1", "b": "2"}


def test_redirects_keep_their_query(site: Site) -> None:
    assert Client(site).get("/go/", follow=True).json()["query"] == {"from": "go"}


def test_a_circle_of_redirects_is_an_error(site: Site) -> None:
    with pytest.raises(ToolkitError, match=r"/for-ever/ redirects for ever"):
        Client(site).get("/for-ever/", follow=True)


def test_a_client_must_be_told_what_to_ask(site: Site, tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match=r"either a site or a build"):
        Client()
    with pytest.raises(ToolkitError, match=r"either a site or a build"):
        Client(site, build=tmp_path)
