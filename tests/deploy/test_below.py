"""Headers and redirects of a site below a path of its host: every host answers as our server does, by its own form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit.deploy.hosts.choose import AT_THE_ROOT, for_host

from .servers import apache, caddy, nginx
from .test_hosts import HEADERS, News, Serve, built_news, differences, installed, served

__all__ = ["served"]


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> Iterator[News]:
    settings = f'base_url = "https://bay.example/bay/news"\n{HEADERS}'
    with built_news(tmp_path_factory.mktemp("news"), settings) as made:
        yield made


@pytest.mark.parametrize("serve", [nginx, apache, caddy], ids=["nginx", "apache", "caddy"])
def test_a_real_server_answers_every_url_as_ours_does(
    serve: Serve, news: News, served: Path, request: pytest.FixtureRequest
) -> None:
    assert differences(serve, installed(request), news, served) == ""


def test_gitlab_wants_the_path_on_both_sides(news: News) -> None:
    _, form = for_host(news.build, "gitlab-pages")
    lines = form.files["_redirects"].decode().splitlines()
    assert "/bay/news/first/ /bay/news/tram/ 301" in lines
    assert "/bay/news/old/* /bay/news/archive/:splat 301" in lines
    assert all(line.startswith(("#", "/bay/news/")) for line in lines)


def test_a_bucket_has_the_path_in_its_keys(news: News) -> None:
    build, form = for_host(news.build, "s3")
    (rule,) = [
        rule
        for rule in json.loads(form.config["website.json"])["RoutingRules"]
        if rule["Condition"]["KeyPrefixEquals"] == "bay/news/old/"
    ]
    assert rule["Redirect"]["ReplaceKeyPrefixWith"] == "bay/news/archive/"
    assert build.files["first/index.html"].redirect == "/bay/news/tram/"


@pytest.mark.parametrize("host", sorted(AT_THE_ROOT))
def test_a_host_with_one_root_for_each_site_is_asked_without_the_path(host: str, news: News) -> None:
    _, form = for_host(news.build, host)
    assert any("let another one pass on what is asked for below /bay/news" in notice for notice in form.notices)
    if host != "vercel":
        assert "\n/first/ /bay/news/tram/ " in form.files["_redirects"].decode()
