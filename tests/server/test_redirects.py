"""Redirects that people wrote down, answered by the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from toolkit.errors import Problems
from toolkit.testing import temporary_site

PAGES = """
@app.page("/")
def home(): return "home"

@app.page("/news/")
def news(): return "news"

@app.view("/search/")
def search(request): return "found"
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Any]:
    (tmp_path / "redirects.csv").write_text("from,to\n/old/*,/news/?from=:splat\n/a/,/b/\n/b/,/search/\n/gone/,\n")
    with temporary_site(tmp_path, pages=PAGES, tables=False) as made:
        yield made


def leads(site: Any, url: str) -> tuple[int, str | None]:
    answer = Client(site.wsgi).get(url)
    return answer.status_code, answer.headers.get("Location")


def test_a_redirect_leads_straight_to_the_end_of_its_chain(site: Any) -> None:
    assert leads(site, "/a/?q=1") == (301, "/search/?q=1")
    assert leads(site, "/a") == (301, "/search/")
    assert leads(site, "/old/x/y") == (301, "/news/?from=x/y")
    assert leads(site, "/gone/") == (410, None)
    assert leads(site, "/elsewhere/") == (404, None)


def test_nobody_but_readers_is_redirected(site: Any) -> None:
    assert Client(site.wsgi).post("/a/").status_code == 404


def test_an_edit_is_seen_at_once_and_a_broken_one_changes_nothing(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert leads(site, "/new/") == (404, None)
    place = site.folder / "redirects.csv"
    place.write_text("from,to\n/new/,/news/\n")
    assert leads(site, "/new/") == (301, "/news/")
    place.write_text("from,to\nnew,/news/\n")
    assert leads(site, "/new/") == (301, "/news/")
    assert "is no path of this site" in caplog.text


def test_a_server_does_not_begin_with_a_file_that_is_wrong(site: Any) -> None:
    (site.folder / "redirects.csv").write_text("from,to\n/x/,/x/\n")
    with pytest.raises(Problems, match="go round in a circle: /x/ -> /x/"):
        Client(site.wsgi).get("/")


def test_a_splat_cannot_lead_to_another_host(site: Any) -> None:
    (site.folder / "redirects.csv").write_text("from,to\n/up/*,/:splat\n")
    status, target = leads(site, "/up//evil.example/")
    assert status == 404 or (target or "").startswith("/evil.example")


def test_a_query_goes_along_with_each_step_until_one_asks_for_it(site: Any) -> None:
    rows = "from,to\n/up/*,/down/:splat\n/down/n/?id=1,/z/\n/z/,/end/\n"
    (site.folder / "redirects.csv").write_text(rows)
    assert leads(site, "/up/n/?id=1") == (301, "/end/")
    assert leads(site, "/up/n/?id=2") == (301, "/down/n/?id=2")


def test_rows_redirect_and_are_asked_for_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = PAGES + "ROWS, ASKED = [], []\n@app.redirects\ndef rows():\n    ASKED.append(1)\n    return list(ROWS)\n"
    with temporary_site(tmp_path, pages=pages, tables=False) as site:
        known = site.redirects.functions[0].function.__globals__
        clock = [100.0]
        monkeypatch.setattr("toolkit.server.redirects.time.monotonic", lambda: clock[0])
        client = Client(site.wsgi)
        known["ROWS"].append(("/was/", "/news/"))
        client.get("/")
        asked = len(known["ASKED"])
        assert {client.get(f"/missing-{number}/").status_code for number in range(20)} == {404}
        assert len(known["ASKED"]) == asked
        clock[0] += 2
        assert client.get("/was/").headers["Location"] == "/news/"
        known["ROWS"].append(("nowhere", "/news/"))
        clock[0] += 2
        assert client.get("/was/").headers["Location"] == "/news/"  # what was good before goes on
