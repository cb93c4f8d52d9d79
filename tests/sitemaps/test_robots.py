from __future__ import annotations

from urllib.robotparser import RobotFileParser

import pytest

from toolkit.errors import RouteError
from toolkit.sitemaps import write_robots


def parsed(text: str) -> RobotFileParser:
    parser = RobotFileParser()
    parser.parse(text.splitlines())
    return parser


def test_crawlers_are_let_in_and_shown_the_sitemaps() -> None:
    text = write_robots(
        sitemaps=["https://courier.example/sitemap.xml", "https://courier.example/sitemap-news.xml"],
        disallow=["/admin/"],
    )
    robots = parsed(text)
    assert robots.can_fetch("any", "https://courier.example/news/")
    assert not robots.can_fetch("any", "https://courier.example/admin/x")
    assert robots.site_maps() == [
        "https://courier.example/sitemap.xml",
        "https://courier.example/sitemap-news.xml",
    ]
    assert write_robots(sitemaps=[]) == "User-agent: *\nAllow: /\n"


def test_a_preview_host_shuts_everybody_out() -> None:
    text = write_robots(sitemaps=["https://courier.example/sitemap.xml"], allow_all=False)
    assert text == "User-agent: *\nDisallow: /\n"
    assert not parsed(text).can_fetch("any", "https://courier.example/")


def test_what_would_break_the_file_is_refused() -> None:
    with pytest.raises(RouteError, match=r"sitemap '/sitemap.xml' is not absolute"):
        write_robots(sitemaps=["/sitemap.xml"])
    for path in ("admin/", "/a\nAllow: /b", "/a b", "/a#b"):
        with pytest.raises(RouteError, match=r"robots.txt cannot disallow"):
            write_robots(sitemaps=[], disallow=[path])
